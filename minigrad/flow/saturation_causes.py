"""What makes the input of an activation so large: its inputs, its weights, or a bias.

    cause_of(node)          # the node of a tanh or a sigmoid

The sum that goes into it is taken apart into its products and biases. The largest of
them is the cause; of a product, the factor that is farther above its usual size.

Read next: `findings.py`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from minigrad.engine.graph import AnyEdge, Leaf, Node
from minigrad.engine.primitives.messages import name_of
from minigrad.engine.user_code import place

_PASSED = {"add", "subtract", "split", "unstack", "getitem", "reshape", "negative"}

_PARTS = {"unstack", "getitem", "split", "reshape", "squeeze"}


class Cause(NamedTuple):
    """What makes the input of an activation large.

    kind     "inputs", "weights" or "bias"; "" if it cannot be told
    name     of the weight, or of what comes in
    size     the root mean square of its entries; of weights times the root of how many
             are added up, so that about 1 is usual
    where    scope and line of the activation
    """

    kind: str
    name: str
    size: float
    where: str


def cause_of(node: Node) -> Cause:
    """The cause of the size of what goes into a tanh or a sigmoid."""
    where = place(node.scope, node.where)
    terms = _terms(node.edges[0])
    if not terms:
        return Cause("", "", float("nan"), where)
    edge, columns = max(terms, key=lambda term: _size(term[0].array[..., term[1]]))
    source = edge.source
    if not isinstance(source, Node):
        name = _name(edge)
        return Cause("bias", name, _size(edge.array[..., columns]), where)
    a, w = source.edges
    incoming = _size(a.array)
    matrix = w.array[..., columns] if w.array.ndim > 1 else w.array
    weights = _size(matrix) * float(np.sqrt(w.array.shape[0]))
    if incoming > weights:
        return Cause("inputs", _name(a), incoming, where)
    return Cause("weights", _name(w), weights, where)


def _terms(edge: AnyEdge) -> list[tuple[AnyEdge, slice]]:
    """Products and leaves that are added up to what `edge` leads to, and which of
    their columns are."""
    todo: list[tuple[AnyEdge, slice]] = [(edge, slice(None))]
    found: list[tuple[AnyEdge, slice]] = []
    while todo and len(found) < 16:
        edge, columns = todo.pop()
        source = edge.source
        if isinstance(source, Leaf):
            if edge.array.ndim:
                found.append((edge, columns))
        elif isinstance(source, Node):
            if source.primitive.name == "matmul":
                found.append((edge, columns))
            elif source.primitive.name in _PASSED:
                columns = _columns(source, edge.index, columns)
                todo += [(e, _fitting(e, columns)) for e in source.edges]
    return found


def _columns(node: Node, index: int, columns: slice) -> slice:
    """The columns of what was split that came to its output number `index`."""
    if node.primitive.name != "split" or columns != slice(None):
        return columns
    before = [part.shape[-1] for part in node.array[:index]]
    if node.array[index].shape[-1] == node.edges[0].array.shape[-1]:
        return columns
    return slice(sum(before), sum(before) + node.array[index].shape[-1])


def _fitting(edge: AnyEdge, columns: slice) -> slice:
    shape = edge.array.shape
    return columns if shape and shape[-1] >= (columns.stop or 0) else slice(None)


def _size(array: np.ndarray) -> float:
    """The root mean square."""
    if not array.size:
        return 0.0
    largest = float(np.abs(array).max())
    if not 0 < largest < np.inf:
        return largest
    return largest * float(np.sqrt(np.mean((array / largest) ** 2.0)))


def _name(edge: AnyEdge) -> str:
    """The name of the leaf that it came from, or of the operation that made it."""
    source = edge.source
    for _ in range(8):
        if isinstance(source, Node) and source.primitive.name in _PARTS:
            source = source.edges[0].source
    if isinstance(source, Leaf):
        return source.name or "a constant"
    return name_of(edge) or "the input"
