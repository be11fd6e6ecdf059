"""x W_x + h W_h + b in one go: the sums before the gates of a cell.

Four operations are recorded for the price of one. The products are added up in one
array, and only the last addition leaves a node; it keeps what it was made from, and
makes the other three (`Affine.unfold`) when somebody asks for its `edges`. So pictures,
players and tables see the four operations of the formula, each with its numbers. Nobody
can hold one of them before that, and as long as nobody has asked, the walk backwards
takes all four at once (`FoldedPulls`).

Read next: `along_axis.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import numpy as np

from minigrad.engine.aliases import Array, Shape, Value
from minigrad.engine.errors import CallError
from minigrad.engine.foreign_arguments import refuse
from minigrad.engine.graph import AnyEdge, Leaf, Node, next_seq
from minigrad.engine.primitives.elementwise import add
from minigrad.engine.primitives.folded import Entry, may_fold, part, record_folded
from minigrad.engine.primitives.linalg import matmul, stacked_rows, transposed
from minigrad.engine.quiet import hush, restore

Contribution = tuple[AnyEdge, Value]


def affine(*terms: Any, **foreign: Any) -> Any:
    """x @ W_x + h @ W_h + b from x, W_x, h, W_h, b; or x @ W + b from x, W, b.

    Shapes:  x (B, D), W_x (D, M), h (B, H), W_h (H, M), b (M,) -> (B, M)
    Any other shapes, and tensors of several dtypes, are computed as they are written.
    Raises ShapeError where the formula itself does.
    """
    if foreign:
        refuse("affine", foreign)
    if len(terms) not in (3, 5):
        raise CallError(
            f"affine: {len(terms)} arguments",
            expect="affine(x, W, b) or affine(x, W_x, h, W_h, b)",
            actual=f"{len(terms)} tensors",
            hint="x @ W is a product alone",
        )
    if may_fold():
        try:
            edges = tuple([t._edge for t in terms])
        except AttributeError:  # arrays among them
            return _written_out(*terms)
        z = _summed([edge.array for edge in edges])
        if z is not None:
            seqs = [next_seq() for _ in edges[2:]]
            return record_folded(add, z, Affine(edges, seqs))
    return _written_out(*terms)


def _written_out(*terms: Any) -> Any:
    *pairs, b = terms
    total = pairs[0] @ pairs[1]
    for k in range(2, len(pairs), 2):
        total = total + pairs[k] @ pairs[k + 1]
    return total + b


def _summed(arrays: list[Array]) -> Array | None:
    """The sum, in one array; None if the operands are not all of the plain kind."""
    dtype, shapes = arrays[0].dtype, []
    for array in arrays:
        if array.dtype is not dtype:
            return None
        shapes.append(array.shape)
    if dtype.kind != "f" or not _plain(tuple(shapes)):
        return None
    *pairs, b = arrays
    token = hush()
    try:
        z = np.dot(pairs[0], pairs[1])
        for k in range(2, len(pairs), 2):
            z += np.dot(pairs[k], pairs[k + 1])
        z += b
    finally:
        restore(token)
    return z


@lru_cache(maxsize=256)
def _plain(shapes: tuple[Shape, ...]) -> bool:
    """Are these matrices with as many rows that fit, and a bias as wide as they?"""
    *pairs, b = shapes
    rows = pairs[0][:1]
    return len(rows) == len(b) == 1 and all(
        [
            left == (*rows, *right[:1]) and right[1:] == b
            for left, right in zip(pairs[::2], pairs[1::2], strict=True)
        ]
    )


class Affine:
    """What a node for all of x W_x + h W_h + b was made from.

    inputs  the edges of x, W_x, h, W_h, b
    seqs    when each product and sum before the last one was made
    """

    __slots__ = ("inputs", "seqs")

    def __init__(self, inputs: tuple[AnyEdge, ...], seqs: list[int]) -> None:
        self.inputs, self.seqs = inputs, seqs

    def unfold(self, last: Node) -> tuple[AnyEdge, ...]:
        """The edges of the last sum: to the sum before it, which is made now, and b."""
        *pairs, b = self.inputs
        seqs = iter(self.seqs)
        total = part(last, next(seqs), matmul, (pairs[0], pairs[1]))
        for k in range(2, len(pairs), 2):
            product = part(last, next(seqs), matmul, (pairs[k], pairs[k + 1]))
            total = part(last, next(seqs), add, (total, product))
        return total, b


class FoldedPulls:
    """The walk back through nodes that stand for several: all of them at once.

    The uses of weights are kept, as `stacking.py` keeps those of a matrix, and summed
    over a thousand rows at a time. A bias gets its part at once, as from an addition:
    so the gradients have the same bits whether or not somebody has asked for the four.
    """

    __slots__ = ("_uses",)

    def __init__(self) -> None:
        self._uses: dict[tuple, AffineUses] = {}

    def pull(self, node: Node, g: Array) -> Iterator[Contribution]:
        """What the operands get from the gradient `g` of the sum: now, or kept."""
        assert node.tags is not None
        folded = node.tags["folded"]
        inputs = folded.inputs
        if type(folded) is Entry:
            for edge, value in zip(inputs, folded.pull(node, g), strict=True):
                if value is not None:
                    yield edge, value
            return
        for k in range(0, len(inputs) - 1, 2):
            if inputs[k].requires_grad:
                yield inputs[k], np.dot(g, transposed(inputs[k + 1].array, len(g)))
        if inputs[-1].requires_grad:
            # One column is left to `Sums`, which adds it up in another order.
            yield inputs[-1], np.add.reduce(g, 0) if g.shape[1] > 1 else g
        weights = inputs[1::2]
        if True in [w.requires_grad for w in weights]:
            key = tuple([w.source for w in weights])
            uses = self._uses.get(key)
            if uses is None:
                uses = AffineUses(weights)
                if all([type(source) is Leaf for source in key]):
                    self._uses[key] = uses
            uses.add(inputs, g)
            if key not in self._uses:  # computed weights: theirs must be complete now
                yield from uses.totals()

    def totals(self) -> Iterator[Contribution]:
        """For each weight: an edge to it, and the sum over its uses."""
        for uses in self._uses.values():
            yield from uses.totals()


class AffineUses:
    """Uses of the same weights whose contributions are summed over stacked rows."""

    ROWS = 1024

    def __init__(self, weights: tuple[AnyEdge, ...]) -> None:
        self.weights = weights
        self.gs: list[Array] = []
        self.inputs: list[list[Array]] = [[] for _ in weights]
        self.rows = 0
        self.sums: list[Array | None] = [None] * len(weights)

    def add(self, inputs: tuple[AnyEdge, ...], g: Array) -> None:
        """Keep one use: what was multiplied, and the gradient of the sum."""
        self.gs.append(g)
        for k, kept in enumerate(self.inputs):
            kept.append(inputs[2 * k].array)
        self.rows += len(g)
        if self.rows >= self.ROWS:
            self._flush()

    def _flush(self) -> None:
        g = stacked_rows(self.gs, "g")
        for k, weight in enumerate(self.weights):
            if weight.requires_grad:
                value = np.dot(stacked_rows(self.inputs[k], "a").T, g)
                before = self.sums[k]
                self.sums[k] = (
                    value if before is None else np.add(before, value, before)
                )
        self.gs.clear()
        for kept in self.inputs:
            kept.clear()
        self.rows = 0

    def totals(self) -> Iterator[Contribution]:
        """For each weight that needs it: an edge to it, and the sum."""
        if self.gs:
            self._flush()
        for weight, total in zip(self.weights, self.sums, strict=True):
            if total is not None:
                yield weight, total
