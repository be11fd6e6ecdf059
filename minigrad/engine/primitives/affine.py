"""x W_x + h W_h + b in one go: the sums before the gates of a cell.

Four operations are recorded for the price of one. The products are added up in one
array, and only the last addition leaves a node; it keeps what it was made from, and
makes the other three (`Affine.unfold`) when somebody asks for its `edges`. So pictures,
players and tables see the four operations of the formula, each with its numbers. Nobody
can hold one of them before that, and as long as nobody has asked, the walk backwards
takes all four at once (`Affine.pull`).

Read next: `along_axis.py`.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from minigrad.engine.aliases import Array, Shape
from minigrad.engine.errors import CallError
from minigrad.engine.foreign_arguments import refuse
from minigrad.engine.graph import AnyEdge, Leaf, Node, next_seq
from minigrad.engine.primitives.elementwise import add
from minigrad.engine.primitives.folded import Deliver, may_fold, part, record_folded
from minigrad.engine.primitives.linalg import matmul, transposed
from minigrad.engine.quiet import hush, restore


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

    def pull(self, node: Node, g: Array, deliver: Deliver, stacks: Any) -> None:
        """Deliver what the operands get from the gradient `g` of the sum; `stacks`
        keeps the uses of weights. All as the walk through the four would have it."""
        *pairs, b = self.inputs
        if b.requires_grad:
            # One column is left to `Sums`, which adds it up in another order.
            deliver(b, np.add.reduce(g, 0) if g.shape[1] > 1 else g)
        for k in range(len(pairs) - 2, -2, -2):
            x, weight = pairs[k], pairs[k + 1]
            if x.requires_grad:
                deliver(x, np.dot(g, transposed(weight.array, len(g))))
            if weight.requires_grad:
                if type(weight.source) is Leaf:
                    stacks.keep(weight, x.array, g)
                else:
                    deliver(weight, np.dot(x.array.T, g))
