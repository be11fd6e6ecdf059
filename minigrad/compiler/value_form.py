"""The form that the passes work on: values, each made by one operation of few kinds.

    argument leaf gradient constant    numbers from outside
    full                               one number everywhere: no memory
    view                               entries of another value, by offset and strides
    elementwise dot sum concat         what the passes understand
    transposed packed packed_dot       a matrix made ready for many products, and those
    general outside part               everything else: a function of arrays

A view says where entries lie, and computes nothing: an offset and strides, both counted
in entries, in its root. The functions here are the arithmetic of such places.

Read next: `value_builder.py` (how values are made).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import accumulate
from typing import Any

Shape = tuple[int, ...]
OUTSIDE = ("argument", "leaf", "gradient", "constant", "full")


class Val:
    """One value. Equality is identity: equal values are made once.

    op, args, attrs   the operation, the values it takes, and what else it needs
    shape, dtype      of its entries
    seq               when it was first asked for: a hint for the order
    scope, late       the scopes of the operation it came from; is it a backward one?
    """

    __slots__ = ("args", "attrs", "dtype", "late", "op", "scope", "seq", "shape")

    scope: tuple[Any, ...]

    def __init__(
        self, op: str, args: tuple[Val, ...], attrs: Any, shape: Shape, dtype: Any
    ) -> None:
        self.op, self.args, self.attrs = op, args, attrs
        self.shape, self.dtype = shape, dtype
        self.seq, self.scope, self.late = 0, (), False

    def __repr__(self) -> str:
        return f"<{self.op} {self.attrs} {self.shape} {self.dtype}>"

    @property
    def root(self) -> Val:
        """The value whose memory holds the entries."""
        return self.args[0] if self.op == "view" else self

    @property
    def offset(self) -> int:
        """Where in the root the first entry is."""
        return self.attrs[0] if self.op == "view" else 0

    @property
    def strides(self) -> Shape:
        """How many entries of the root lie between neighbours, per axis."""
        return self.attrs[1] if self.op == "view" else strides_of(self.shape)


def strides_of(shape: Shape) -> Shape:
    """The strides, in entries, of an array laid out row by row."""
    steps = accumulate(reversed(shape[1:]), lambda a, b: a * b, initial=1)
    return tuple(steps)[::-1] if shape else ()


def reshaped(shape: Shape, strides: Shape, new: Shape) -> Shape | None:
    """The strides of the same entries in a new shape; None if they would be copied."""
    axes: list[list[int]] = []
    for n, s in zip(shape, strides, strict=True):
        if n == 1:
            continue
        if axes and axes[-1][1] == n * s:
            axes[-1] = [axes[-1][0] * n, s]
        else:
            axes.append([n, s])
    found = []
    for n in reversed(new):
        if n == 1:
            found.append(axes[-1][1] if axes else 1)
            continue
        if not axes or axes[-1][0] % n:
            return None
        found.append(axes[-1][1])
        axes[-1] = [axes[-1][0] // n, axes[-1][1] * n]
        if axes[-1][0] == 1:
            axes.pop()
    return tuple(found[::-1])


def relocated(
    whole: Shape, start: int, steps: Shape, offset: int, shape: Shape, strides: Shape
) -> tuple[int, Shape] | None:
    """A view of an array that is itself laid out with `start` and `steps`.

    offset, shape, strides  the view, as if the array (of shape `whole`) lay row by row
    Returns the view's offset and strides where the array really is; None if no strides
    say it.
    """
    natural = strides_of(whole)
    if all([n == 1 or s == t for n, s, t in zip(whole, steps, natural, strict=True)]):
        return start + offset, strides
    for s, n, own in zip(natural, whole, steps, strict=True):
        start += offset // s % n * own
    found = []
    for s, n in zip(strides, shape, strict=True):
        if n == 1 or s == 0:
            found.append(0)
            continue
        axis = [k for k, t in enumerate(natural) if t == s and whole[k] > 1]
        if not axis or n > whole[axis[-1]]:
            return None
        found.append(steps[axis[-1]])
    return start, tuple(found)


def same_steps(x: Val, strides: Shape) -> bool:
    """Do these strides lead to the entries of x, as its own do?"""
    triples = zip(x.shape, x.strides, strides, strict=True)
    return all([n == 1 or s == t for n, s, t in triples])


def within_part(
    root: Val, offset: int, shape: Shape, strides: Shape
) -> tuple[Val, int, Shape] | None:
    """The one part of a concatenation that a view lies in, and the view within it."""
    axis: int = root.attrs
    inner = math.prod(root.shape[axis + 1 :])
    outer = inner * root.shape[axis]
    across = 0  # how far the view reaches within one stretch of the axis
    for n, s in zip(shape, strides, strict=True):
        if n > 1 and s % outer:
            if s > outer:
                return None
            across += (n - 1) * s
    first = offset % outer
    if first + across >= outer:
        return None
    begin = 0
    for part in root.args:
        length = part.shape[axis] * inner
        if begin <= first < begin + length:
            if first + across >= begin + length:
                return None
            steps = tuple(
                [s // outer * length if s % outer == 0 else s for s in strides]
            )
            return part, offset // outer * length + first - begin, steps
        begin += length
    return None


def listed(results: Iterable[Val]) -> list[Val]:
    """All values that the results need, each after what it is made of."""
    order: list[Val] = []
    seen: set[Val] = set()
    todo: list[tuple[Val, bool]] = [(v, False) for v in results][::-1]
    while todo:
        value, done = todo.pop()
        if done:
            order.append(value)
        elif value not in seen:
            seen.add(value)
            todo.append((value, True))
            todo.extend([(a, False) for a in value.args if a not in seen])
    return order
