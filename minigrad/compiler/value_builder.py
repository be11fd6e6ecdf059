"""The form that the passes work on: values, each made by one operation of few kinds.

    argument leaf gradient constant    numbers from outside
    full                               one number everywhere: no memory
    view                               entries of another value, by offset and strides
    elementwise dot sum concat         what the passes understand
    general outside part               everything else: a function of arrays

`Builder` is the one way to make a value. Equal operations on equal values are one value
(common subexpressions), and what can be said more simply is said so at once: a slice of
a concatenation is a slice of one part, a slice of a sum is a sum of slices, a
transposed operand of a product is a flag of it. The list that a pass returns is what
its results need: dead values are never listed.

Read next: `lowering.py` (from recorded operations to these values).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Any

import numpy as np

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

    scope: tuple

    def __init__(
        self, op: str, args: tuple, attrs: Any, shape: Shape, dtype: Any
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


class Builder:
    """Makes values: each once, and in its simplest form.

    seq, scope, late  what new values are marked with
    asked             how many were asked for
    """

    def __init__(self) -> None:
        self._known: dict[Any, Val] = {}
        self.seq = 0
        self.scope: tuple = ()
        self.late = False
        self.asked = 0

    def make(self, op: str, args: tuple, attrs: Any, shape: Shape, dtype: Any) -> Val:
        """The value of this operation, new or known."""
        self.asked += 1
        key = (op, *[id(a) for a in args], attrs, shape, dtype)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = Val(op, args, attrs, shape, dtype)
            found.seq, found.scope, found.late = self.seq, self.scope, self.late
        return found

    def full(self, number: Any, shape: Shape, dtype: Any) -> Val:
        """One number everywhere."""
        number = np.asarray(number, dtype)
        return self.make("full", (), number.tobytes(), shape, np.dtype(dtype))

    # --------------------------------------------------------- views

    def view(self, x: Val, offset: int, shape: Shape, strides: Shape) -> Val:
        """Entries of x's root, by an offset and strides in the root."""
        root = x.root
        if root.op == "full":
            return self.make("full", (), root.attrs, shape, root.dtype)
        if root.op == "concat":
            inner = _within_part(root, offset, shape, strides)
            if inner is not None:
                part, offset, strides = inner
                return self.within(part, offset, shape, strides)
        if offset == 0 and shape == root.shape:
            natural = strides_of(shape)
            pairs = zip(shape, strides, natural, strict=True)
            if all(n == 1 or s == t for n, s, t in pairs):
                return root
        strides = tuple(
            [0 if n == 1 else s for n, s in zip(shape, strides, strict=True)]
        )
        return self.make("view", (root,), (offset, strides), shape, root.dtype)

    def within(self, x: Val, offset: int, shape: Shape, strides: Shape) -> Val:
        """A view of x, a view itself perhaps, by an offset and strides in x laid out
        row by row."""
        if x.op != "view":
            return self.view(x, offset, shape, strides)
        found = relocated(x.shape, x.offset, x.strides, offset, shape, strides)
        if found is None:
            return self.view(self.copy(x), offset, shape, strides)
        return self.view(x, found[0], shape, found[1])

    def slice(self, x: Val, starts: Sequence[int], stops: Sequence[int]) -> Val:
        """x[starts[0]:stops[0], starts[1]:stops[1], ...]."""
        shape = tuple([b - a for a, b in zip(starts, stops, strict=True)])
        if shape == x.shape:
            return x
        if x.op == "elementwise":
            args = [self._slice_like(a, x.shape, starts, stops) for a in x.args]
            return self.elementwise(x.attrs, args, shape, x.dtype)
        offset = x.offset + sum([a * s for a, s in zip(starts, x.strides, strict=True)])
        return self.view(x, offset, shape, x.strides)

    def _slice_like(self, a: Val, shape: Shape, starts: Any, stops: Any) -> Val:
        """What of an operand goes with a slice of the result of this shape."""
        lead = len(shape) - len(a.shape)
        first = [0 if n == 1 else starts[k + lead] for k, n in enumerate(a.shape)]
        last = [1 if n == 1 else stops[k + lead] for k, n in enumerate(a.shape)]
        return self.slice(a, first, last)

    def reshape(self, x: Val, shape: Shape) -> Val:
        """The entries of x, in the same order, in another shape."""
        if shape == x.shape:
            return x
        strides = reshaped(x.shape, x.strides, shape)
        if strides is None:
            x = self.copy(x)
            strides = strides_of(shape)
        return self.view(x, x.offset, shape, strides)

    def dropped(self, x: Val, shape: Shape) -> Val:
        """x without some axes of length one, as indexing drops them: the parts of an
        elementwise value are computed as such."""
        if x.op != "elementwise" or x.attrs == "copy" or shape == x.shape:
            return self.reshape(x, shape)
        args = [self._ones_like(a, x.shape, shape) for a in x.args]
        return self.elementwise(x.attrs, args, shape, x.dtype)

    def _ones_like(self, a: Val, old: Shape, new: Shape) -> Val:
        """An operand of a result whose axes of length one move."""
        if math.prod(a.shape) == 1:
            return self.reshape(a, (1,) * len(new)) if a.shape else a
        whole = (1,) * (len(old) - len(a.shape)) + a.shape
        lengths = iter([n for n, m in zip(whole, old, strict=True) if m != 1])
        return self.dropped(a, tuple([1 if m == 1 else next(lengths) for m in new]))

    def transpose(self, x: Val, axes: Shape) -> Val:
        """x with its axes permuted."""
        shape = tuple([x.shape[k] for k in axes])
        strides = tuple([x.strides[k] for k in axes])
        return self.view(x, x.offset, shape, strides)

    def broadcast(self, x: Val, shape: Shape) -> Val:
        """x repeated to a shape."""
        if shape == x.shape:
            return x
        lead = len(shape) - len(x.shape)
        strides = [0] * lead + [
            0 if n == 1 else s for n, s in zip(x.shape, x.strides, strict=True)
        ]
        return self.view(x, x.offset, shape, tuple(strides))

    def copy(self, x: Val) -> Val:
        """The entries of x in memory of their own, row by row."""
        if x.op != "view" and x.op != "full":
            return x
        return self.make("elementwise", (x,), "copy", x.shape, x.dtype)

    # --------------------------------------------------------- what computes

    def elementwise(
        self, name: str, args: Iterable[Val], shape: Shape, dtype: Any
    ) -> Val:
        """An elementwise operation by its primitive's name; args broadcast to shape."""
        args = tuple(args)
        if name == "add":
            for x, other in (args, args[::-1]):
                if other.op == "full" and x.shape == shape and not any(other.attrs):
                    return x  # x + 0
            joined = self._sum_of_concats(*args)
            if joined is not None:
                return joined
        if name == "multiply":
            one = np.ones((), dtype).tobytes()
            for x, other in (args, args[::-1]):
                if other.op == "full" and x.shape == shape and other.attrs == one:
                    if other.dtype == dtype == x.dtype:
                        return x  # x * 1
        return self.make("elementwise", args, name, shape, dtype)

    def _sum_of_concats(self, a: Val, b: Val) -> Val | None:
        """A sum of concatenations is the concatenation of sums."""
        if a.op != "concat" or b.op != "concat" or a.attrs != b.attrs:
            return None
        if [x.shape for x in a.args] != [x.shape for x in b.args]:
            return None
        parts = [
            self.elementwise("add", pair, pair[0].shape, a.dtype)
            for pair in zip(a.args, b.args, strict=True)
        ]
        return self.concat(parts, a.attrs)

    def dot(self, a: Val, b: Val, flip_a: bool = False, flip_b: bool = False) -> Val:
        """The product of two matrices; flip_a, flip_b: of their transposes."""
        a, flip_a = self._rowwise(a, flip_a)
        if self.late and a.shape[1] == 1 and not flip_a:
            # A column or a row? Backward it is the transpose of a batch of one.
            a, flip_a = self.reshape(a, (1, a.shape[0])), True
        b, flip_b = self._rowwise(b, flip_b)
        shape = (a.shape[1 if flip_a else 0], b.shape[0 if flip_b else 1])
        return self.make("dot", (a, b), (flip_a, flip_b), shape, a.dtype)

    def _rowwise(self, x: Val, flip: bool) -> tuple[Val, bool]:
        """A matrix whose rows are contiguous, transposed or not."""
        if x.op == "full":  # lies in memory where a product needs it
            return x, flip
        (n, m), (s, t) = x.shape, x.strides
        if (m == 1 or t == 1) and (n == 1 or s >= m):
            return x, flip
        if (n == 1 or s == 1) and (m == 1 or t >= n):
            return self.view(x, x.offset, (m, n), (t, s)), not flip
        return self.copy(x), flip

    def sum(self, x: Val, axes: Shape) -> Val:
        """The sum over axes, which are gone then."""
        shape = tuple([n for k, n in enumerate(x.shape) if k not in axes])
        if not axes:
            return x
        return self.make("sum", (x,), axes, shape, x.dtype)

    def concat(self, parts: Sequence[Val], axis: int) -> Val:
        """The parts, one after the other along an axis."""
        parts = [p for p in parts if p.shape[axis]] or list(parts[:1])
        shape = list(parts[0].shape)
        shape[axis] = sum([p.shape[axis] for p in parts])
        whole = tuple(shape)
        if len(parts) == 1:
            return parts[0]
        if all([n == 1 for n in whole[:axis]]):
            found = self._one_block(parts, whole) or self._together(parts, axis, whole)
            if found is not None:
                return found
        return self.make("concat", tuple(parts), axis, whole, parts[0].dtype)

    def _one_block(self, parts: Sequence[Val], whole: Shape) -> Val | None:
        """Parts that lie one behind the other in one root: a view of it."""
        root, start = parts[0].root, parts[0].offset
        if root.op == "full":
            if all([p.op == "full" and p.attrs == root.attrs for p in parts]):
                return self.make("full", (), root.attrs, whole, root.dtype)
            return None
        place = start
        for p in parts:
            if p.root is not root or p.offset != place:
                return None
            if not _same_steps(p, strides_of(p.shape)):
                return None
            place += math.prod(p.shape)
        return self.view(parts[0], start, whole, strides_of(whole))

    def _together(self, parts: Sequence[Val], axis: int, whole: Shape) -> Val | None:
        """Equal operations on neighbouring parts of the same values: one operation."""
        first = parts[0]
        if first.op != "elementwise":
            return None
        for p in parts:
            if p.op != "elementwise" or p.attrs != first.attrs:
                return None
        args = []
        for position, lead in enumerate(first.args):
            column = [p.args[position] for p in parts]
            if all([a is lead for a in column]):
                if len(lead.shape) == len(whole) and lead.shape[axis] != 1:
                    return None
                args.append(lead)
                continue
            if any([a.shape != p.shape for a, p in zip(column, parts, strict=True)]):
                return None
            if lead.op not in ("view", "full", "elementwise"):
                return None
            joined = self.concat(column, axis)
            if joined.op == "concat":
                return None
            args.append(joined)
        return self.elementwise(first.attrs, args, whole, first.dtype)


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


def _same_steps(x: Val, strides: Shape) -> bool:
    triples = zip(x.shape, x.strides, strides, strict=True)
    return all([n == 1 or s == t for n, s, t in triples])


def _within_part(
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
