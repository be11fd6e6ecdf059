"""ONNX files: opened without running anything, checked, and their constants worked out.

Read next: `onnx_layers.py`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import numpy as np

from minigrad.engine.errors import checked_path
from minigrad.interop.onnx_arrays import BROKEN, to_array
from minigrad.interop.refusals import does_not_fit, needs

# What exporters put between a weight as it was and a node: it only moves numbers.
MOVES = ("Identity", "Unsqueeze", "Squeeze", "Reshape", "Transpose", "Slice", "Concat")
MOST = 2**31  # bytes: what a file of ONNX itself can have


class OnnxGraph:
    """A graph of a file, or of a branch within it: nodes, and constants by name.

    nodes   in their order
    path    the names of the nodes whose branches these are, "" for the graph itself
    outer   the graph around a branch, None for the graph itself
    """

    def __init__(self, graph: Any, file: OnnxFile, path: str = "", outer: Any = None):
        self.graph, self.file, self.path, self.outer = graph, file, path, outer
        self.nodes = list(graph.node)
        self.makers = {name: n for n in self.nodes for name in n.output if name}
        self._initial = {tensor.name: tensor for tensor in graph.initializer}
        self._known: dict[str, np.ndarray | None] = {}
        self.names: set[str] = set()  # all that is made here and around

    def given(self) -> set[str]:
        """The names that are there before any node runs."""
        sparse = {tensor.values.name for tensor in self.graph.sparse_initializer}
        return {*self._initial, *sparse, *(value.name for value in self.graph.input)}

    def values(self) -> list[Any]:
        """The tensors of the nodes of kind Constant."""
        constants = [node for node in self.nodes if node.op_type == "Constant"]
        return [a.t for node in constants for a in node.attribute if a.name == "value"]

    def constant(self, name: str) -> np.ndarray | None:
        """The value of a name that does not depend on any input; None if it does."""
        todo = [name]
        while todo:
            now = todo[-1]
            if now in self._known:
                todo.pop()
                continue
            node = self.makers.get(now)
            if node is None or node.op_type not in MOVES:
                self._known[now] = self._leaf(now, node)
                continue
            inputs = [i for i in node.input if i]
            left = [i for i in inputs if i not in self._known]
            if left:
                todo += left
            elif any(self._known[i] is None for i in inputs):
                self._known[now] = None
            else:
                self._known[now] = self._moved(node, [self._known[i] for i in inputs])
        return self._known[name]

    def _leaf(self, name: str, node: Any) -> np.ndarray | None:
        if name in self._initial:
            return to_array(self._initial[name], self.file.folder, name)
        if node is not None:
            value = [a for a in node.attribute if a.name == "value"]
            if node.op_type != "Constant" or not value:
                return None
            return to_array(value[0].t, self.file.folder, name)
        if any(given.name == name for given in self.graph.input):
            return None
        return None if self.outer is None else self.outer.constant(name)

    def _moved(self, node: Any, inputs: list[Any]) -> np.ndarray:
        """What a node that only moves numbers makes of constants."""
        from onnx.reference import ReferenceEvaluator

        size = sum(array.nbytes for array in inputs)
        if size > 8 * max(self.file.size, 1):
            raise self.file.broken(
                f"node {node.name or node.op_type!r} makes {size:,} bytes of constants",
                "no more than a few times the file's own size",
            )
        names = [name for name in node.input if name]
        try:
            run = ReferenceEvaluator(node, opsets=self.file.opsets)
            given: dict[str, Any] = dict(zip(names, inputs, strict=True))
            made: Any = run.run(None, given)
            return np.array(made[0])
        except Exception as error:  # of any kind: the evaluator has no one error
            raise self.file.broken(
                f"node {node.name or node.op_type!r}: {type(error).__name__}: "
                f"{error!s:.120}",
                "constants that fit it",
            ) from None

    def origin(self, name: str) -> Any:
        """The node that makes a name, past nodes that only change the shape."""
        node = self.makers.get(name)
        while node is not None and node.op_type in (*MOVES, "Dropout", "Cast"):
            if node.op_type in ("Concat", "Slice"):
                return node
            node = self.makers.get(node.input[0])
        return node


class OnnxFile:
    """An ONNX file that was opened and checked; nothing of it was run.

    model   the ModelProto;  path, folder, size: of the file
    opsets  the versions of the sets of operators that it uses, by domain
    Raises CheckpointError for a file that is damaged, cut off, cyclic, of another kind
    or newer than the installed `onnx`; SetupError if `onnx` is not installed.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        try:
            import onnx
        except ImportError:
            raise needs("onnx", "reading ONNX files") from None
        from google.protobuf.message import DecodeError

        self.path = checked_path("from_onnx", path)
        self.folder = self.path.parent
        content = self._content()
        self.size = len(content)
        try:
            self.model = onnx.ModelProto.FromString(content)
        except (DecodeError, RecursionError) as error:
            raise self.broken(f"{error!s:.120}", "an ONNX file, complete") from None
        if not self.model.graph.node or self.model.ir_version < 3:
            raise self.broken("no graph of nodes in it", "an ONNX file, complete")
        self.opsets = {entry.domain: entry.version for entry in self.model.opset_import}
        self._check_opset(onnx.defs.onnx_opset_version())
        self.top = OnnxGraph(self.model.graph, self)
        self._check_order()

    def _content(self) -> bytes:
        try:
            with open(self.path, "rb") as file:
                if os.fstat(file.fileno()).st_size > MOST:
                    raise self.broken("more than 2 GiB", "at most 2 GiB")
                return file.read()
        except OSError as error:
            raise self.broken(error.strerror or str(error), "a file to read") from None

    def broken(self, actual: str, expect: str) -> Exception:
        """The error for a file that cannot be used."""
        return does_not_fit(f"{self.path} cannot be read", expect, actual, BROKEN)

    def _check_opset(self, newest: int) -> None:
        version = self.opsets.get("", self.opsets.get("ai.onnx", 0))
        if not 1 <= version <= newest:
            raise does_not_fit(
                f"{self.path} is written in opset {version}",
                expect=f"opset 1 to {newest}: what the installed onnx knows",
                actual=f"opset {version}",
                hint="pip install --upgrade onnx, or export it with an older opset",
            )

    def _check_order(self) -> None:
        """Every node's inputs are made before it: a cycle cannot be."""
        for graph in self.graphs():
            known = (graph.outer.names if graph.outer else {""}) | graph.given()
            for node in graph.nodes:
                late = [name for name in node.input if name not in known]
                twice = [name for name in node.output if name and name in known]
                if late or twice:
                    cycle = late and late[0] in graph.makers
                    raise self.broken(
                        f"node {node.name or node.op_type!r}: {(late + twice)[0]!r} is "
                        + ("made after it: a cycle" if cycle else "")
                        + ("made nowhere" if late and not cycle else "")
                        + ("made twice" if not late else ""),
                        "nodes in the order in which they can run, names made once",
                    )
                known.update(node.output)
            graph.names = known

    def graphs(self) -> Iterator[OnnxGraph]:
        """The graph itself, then all branches within it, however deep."""
        todo = [self.top]
        while todo:
            now = todo.pop()
            yield now
            within = []
            for node in now.nodes:
                for attribute in node.attribute:
                    if attribute.HasField("g"):
                        name = f"{node.op_type} {attribute.name}"
                        path = f"{now.path} / {name}" if now.path else name
                        within.append(OnnxGraph(attribute.g, self, path, now))
            todo += within[::-1]  # taken from the end: in the file's order
