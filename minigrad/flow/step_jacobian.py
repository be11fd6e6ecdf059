"""One step's graph, alone: from one state of a loop to the next, for one sample.

The nodes between s_{k-1} and s_k are copied, with s_{k-1} as leaves and everything else
that flows in (the input, the weights) as constants. The parts of a state are
independent coordinates there: a path from h_{k-1} back into c_{k-1} is not followed.

For a whole Jacobian the sample's row is repeated, once per entry of the new state, and
one backward pass, seeded with the identity, gives all rows at once.

Read next: `scaled_product.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from minigrad.engine.autodiff import backpropagate
from minigrad.engine.graph import AnyEdge, Edge, Node
from minigrad.engine.primitives.shape import concatenate
from minigrad.engine.quiet import quietly, uncollected
from minigrad.engine.scope import enable_grad
from minigrad.engine.tensor import Tensor


def place_of(edge: AnyEdge) -> Any:
    """What an edge leads to, as a key; a bare constant is known as itself."""
    if edge.source is None:
        return id(edge)
    return (edge.source, edge.index)


def nodes_of_step(before: Sequence[AnyEdge], after: Sequence[AnyEdge]) -> list[Node]:
    """The nodes through which `after` depends on `before`, oldest first.

    The walk ends at `before`, so what `before` was computed from is not among them.
    """
    stops = {place_of(edge) for edge in before}
    oldest = min([edge.source.seq if edge.source else -1 for edge in before])
    todo = [e.source for e in after if place_of(e) not in stops]
    seen: set[Node] = set()
    while todo:
        node = todo.pop()
        if not isinstance(node, Node) or node.seq <= oldest or node in seen:
            continue
        seen.add(node)
        todo += [edge.source for edge in node.edges if place_of(edge) not in stops]
    reached: set[Any] = set()
    found = []
    for node in sorted(seen, key=lambda node: node.seq):
        if any([place_of(e) in stops or e.source in reached for e in node.edges]):
            reached.add(node)
            found.append(node)
    return found


def gates_of_step(nodes: Iterable[Node], states: Iterable[str]) -> set[Node]:
    """What each gate gave: the last node in its scope; states are no gates."""
    last: dict[str, Node] = {}
    for node in nodes:
        for level in node.scope:
            if level.kind == "gate" and level.index not in states:
                last[level.name] = node
    return set(last.values())


class Step:
    """The step from `before` to `after`, ready to be differentiated.

    before, after  the parts of s_{k-1} and s_k
    held           nodes whose values are held constant
    """

    def __init__(
        self,
        before: Sequence[AnyEdge],
        after: Sequence[AnyEdge],
        held: Iterable[Node] = (),
    ) -> None:
        self.before, self.after = before, after
        self.nodes = nodes_of_step(before, after)
        self.held = set(held)

    def jacobian(self, sample: int | None) -> np.ndarray:
        """d(after)/d(before) for one sample of the batch, (S, S').

        sample  the row on the first axis of every part; None if there is no batch:
                then S counts all entries
        """
        if sample is None:
            return self._row_by_row(None)
        found = self._at_once(sample)
        return self._row_by_row(sample) if found is None else found

    def _at_once(self, sample: int) -> np.ndarray | None:
        """All rows in one pass over the repeated sample; None if that cannot be.

        It cannot where a cell mixes the samples or moves the batch axis. One row,
        pulled back through the step as it was recorded, tells.
        """
        size = sum([edge.array[0].size for edge in self.after])
        try:
            inputs, output = self._copy(sample, size)
            found = _pulled(output, np.eye(size, dtype=output.dtype), inputs)
            rows = _joined(found, size)
        except (ValueError, IndexError):
            return None
        inputs, output = self._copy(None, 0)
        seed = np.zeros(output.shape, output.dtype)
        seed[sample] = np.random.default_rng(size).uniform(0.5, 1.5, size)
        pulled = _pulled(output, seed, inputs)
        true = _joined(pulled, len(output))
        others = np.delete(true, sample, axis=0)
        expected = seed[sample] @ rows
        scale = np.max(seed[sample] @ np.abs(rows))
        near = np.abs(true[sample] - expected) <= 1e4 * np.finfo(rows.dtype).eps * scale
        return rows if near.all() and not others.any() else None

    def _row_by_row(self, sample: int | None) -> np.ndarray:
        """One pass per row, through the step as it was recorded."""
        inputs, output = self._copy(None, 0)
        if sample is None:
            output = output.reshape(-1)
        at = () if sample is None else (sample,)
        size = output.size if sample is None else output.shape[1]
        rows = []
        for k in range(size):
            seed = np.zeros(output.shape, output.dtype)
            seed[(*at, k)] = 1
            parts = _pulled(output, seed, inputs)
            rows.append(np.concatenate([part[at].reshape(-1) for part in parts]))
        return np.array(rows)

    def _copy(self, sample: int | None, copies: int) -> tuple[list[Tensor], Any]:
        """The step's graph anew: its leaves, and the joined parts of the new state.

        sample  whose row is repeated `copies` times; None: arrays as they are
        """
        batch = self.before[0].array.shape[0] if self.before[0].array.ndim else 0

        def rows(array: np.ndarray) -> np.ndarray:
            if sample is None or not array.ndim or array.shape[0] != batch:
                return array
            return np.repeat(array[sample : sample + 1], copies, axis=0)

        inputs = [Tensor(rows(edge.array), requires_grad=True) for edge in self.before]
        leaves = {place_of(e): x for e, x in zip(self.before, inputs, strict=True)}
        made: dict[Node, Node] = {}

        def moved(edge: AnyEdge, node: Node | None = None, k: int = 0) -> AnyEdge:
            leaf = leaves.get(place_of(edge))
            if leaf is not None:
                return leaf._edge
            copy = made.get(edge.source)  # type: ignore[arg-type]
            if copy is None:
                repeated = node is None or _carries_batch(node, k)
                array = rows(edge.array) if repeated else edge.array
                return Edge(None, 0, array, False)
            if isinstance(edge, Node):
                return copy
            return Edge(copy, edge.index, copy.array[edge.index], copy.requires_grad)

        for node in self.nodes:
            edges = tuple([moved(edge, node, k) for k, edge in enumerate(node.edges)])
            if node.primitive.multiple:
                array: Any = tuple([rows(part) for part in node.array])
            else:
                array = rows(node.array)
            made[node] = _like(node, edges, array, node in self.held)
        parts = [Tensor.of(moved(edge)) for edge in self.after]
        with enable_grad():
            if parts[0].ndim > 1:
                parts = [part.reshape(part.shape[0], -1) for part in parts]
                return inputs, concatenate(parts, axis=1)
            return inputs, concatenate([part.reshape(-1) for part in parts])


def _carries_batch(node: Node, k: int) -> bool:
    """Is the first axis of input `k` the batch's, if it is as long? A guess: a weight
    is on the right of a product, or has fewer axes than what it is added to."""
    array = node.edges[k].array
    if node.primitive.name == "matmul":
        return k == 0 or array.ndim > 2
    return array.ndim == node.outputs[0].ndim


def _like(node: Node, edges: tuple, array: Any, held: bool) -> Node:
    """A node like this one, in another graph; held constant, or not."""
    copy = Node.__new__(Node)
    for name in ("primitive", "attrs", "scope", "code", "offset", "seq"):
        setattr(copy, name, getattr(node, name))
    copy.edges, copy.array, copy.origin, copy.tags = edges, array, None, None
    differentiable = node.primitive.vjp is not None and (
        node.primitive.multiple or array.dtype.kind in "fc"
    )
    copy.requires_grad = (
        differentiable and not held and any([edge.requires_grad for edge in edges])
    )
    return copy


def _pulled(output: Tensor, seed: np.ndarray, inputs: list[Tensor]) -> list[np.ndarray]:
    """seed^T d(output)/d(input) for each input; zeros where there is no path."""
    found: dict = {}
    if output.requires_grad:
        with quietly(), uncollected():
            found = backpropagate(output._edge, seed, [x._edge for x in inputs])
    return [found.get(x._edge.source, np.zeros(x.shape, x.dtype)) for x in inputs]


def _joined(parts: list[np.ndarray], rows: int) -> np.ndarray:
    """The gradients of all parts side by side, one row per seed."""
    return np.concatenate([part.reshape(rows, -1) for part in parts], axis=1)
