"""Reads the targets of a loss from its graph, and what a constant answer would cost.

    for part in targets_of(nodes): part.kind, part.values

The losses of `minigrad.nn.losses` record their targets like everything else: a
subtraction from the prediction, a choice of log-probabilities, a product with softplus.
A loss written out in the same way is read in the same way.

Read next: `data_findings.py`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import Any, NamedTuple

import numpy as np

from minigrad.engine.graph import AnyEdge, Key, Leaf, Node, record_key
from minigrad.engine.tensor import Tensor

_SHAPES = {"reshape", "astype", "add", "where", "getitem"}


class Targets(NamedTuple):
    """The targets of one loss.

    kind     "square", "absolute", "classes" or "yes or no": what is done with them
    values   (n, outputs), or (n,) numbers of classes
    classes  how many classes there are; 0 for numbers
    name     of the tensor, or ""
    """

    kind: str
    values: np.ndarray
    classes: int
    name: str

    def best_constant(self) -> float:
        """The mean loss of the best answer that is the same for all, per entry."""
        if not self.values.size:
            return float("nan")
        if self.kind == "classes":
            shares = np.bincount(self.values, minlength=1) / len(self.values)
            shares = shares[shares > 0]
            return float(-(shares * np.log(shares)).sum())
        values = self.values.astype(float)
        if self.kind == "square":
            return float(values.var(axis=0).mean())
        if self.kind == "absolute":
            return float(np.abs(values - np.median(values, axis=0)).mean())
        p = np.clip(values.mean(axis=0), 1e-12, 1 - 1e-12)
        return float(-(p * np.log(p) + (1 - p) * np.log(1 - p)).mean())


def nearest(loss: Tensor, most: int) -> list[Node]:
    """The last operations before a loss, oldest first: at most so many, the nearest."""
    todo: deque[Any] = deque()
    found: list[Node] = []
    seen: set[Node] = set()
    todo.extend([loss._edge.record])
    while todo and len(found) < most:
        node = todo.popleft()
        if type(node) is Node and node not in seen:  # no repeated step of a loop
            seen.add(node)
            found.append(node)
            todo.extend([e.record for e in node.edges])
    return sorted(found, key=attrgetter("seq"))


def targets_of(nodes: Iterable[Node]) -> list[Targets]:
    """The targets among the nodes of a loss, or its records (oldest first); [] if none
    are known. A repeated step of a loop of ours has none."""
    nodes = [node for node in nodes if type(node) is Node]
    readers: dict[Key, list[Node]] = {}
    for node in nodes:
        for edge in node.edges:
            readers.setdefault(record_key(edge), []).append(node)
    found = []
    for node in nodes:
        if node.primitive.name == "subtract":
            found += _difference(node, readers.get(node, ()))
        elif node.primitive.name == "getitem" and len(node.edges) == 2:
            found += _classes(node)
        elif node.primitive.name == "multiply":
            found += _yes_or_no(node)
    return found


def _difference(node: Node, readers: Sequence[Node]) -> list[Targets]:
    """prediction - target, squared or without its sign."""
    a, b = node.edges
    target = b if a.requires_grad and not b.requires_grad else a
    if target.requires_grad or not node.requires_grad:
        return []
    if target.array.shape != node.array.shape or target.array.dtype.kind != "f":
        return []
    names = {reader.primitive.name for reader in readers}
    square = any(
        r.primitive.name == "multiply" and r.edges[0].record is r.edges[1].record
        for r in readers
    )
    if square or "power" in names:
        return [Targets("square", _columns(target.array), 0, _name(target))]
    if "absolute" in names:
        return [Targets("absolute", _columns(target.array), 0, _name(target))]
    return []


def _classes(node: Node) -> list[Targets]:
    """The entries of flattened log-probabilities at the numbers of the classes."""
    chosen, index = node.edges
    flat = chosen.record
    if not isinstance(flat, Node) or flat.primitive.name != "reshape":
        return []
    rows = flat.edges[0].array
    classes = rows.shape[-1] if rows.ndim else 0
    if not node.requires_grad or index.array.dtype.kind not in "iu" or classes < 2:
        return []
    numbers = index.array.reshape(-1) % classes
    return [Targets("classes", numbers, classes, "")]


def _yes_or_no(node: Node) -> list[Targets]:
    """target * softplus(-z): the first half of a binary cross-entropy."""
    target, loss = node.edges
    made = loss.record
    if target.requires_grad or not isinstance(made, Node):
        return []
    if made.primitive.name != "softplus" or target.array.shape != made.array.shape:
        return []
    inner = made.edges[0].source
    if not isinstance(inner, Node) or inner.primitive.name != "negative":
        return []
    return [Targets("yes or no", _columns(target.array), 0, _name(target))]


def _columns(array: np.ndarray) -> np.ndarray:
    """(n, outputs): of one axis, n of one output."""
    return array.reshape(-1, array.shape[-1] if array.ndim > 1 else 1)


def _name(edge: AnyEdge) -> str:
    """The name of the tensor that the targets came in as."""
    source = edge.source
    for _ in range(8):
        if isinstance(source, Leaf):
            return source.name or ""
        if not isinstance(source, Node) or source.primitive.name not in _SHAPES:
            return ""
        source = source.edges[source.primitive.name == "where"].source
    return ""
