"""`Builder`: the one way to make a value.

Equal operations on equal values are one value (common subexpressions), and what can be
said more simply is said so at once: a slice of a concatenation is a slice of one part,
a slice of a sum is a sum of slices, a transposed operand of a product is a flag of it.
The list that a pass returns is what its results need: dead values are never listed.

Read next: `lowering.py` (from recorded operations to these values).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

import numpy as np

from minigrad.compiler.value_form import (
    Shape,
    Val,
    listed,
    relocated,
    reshaped,
    same_steps,
    strides_of,
    within_part,
)


@cache
def _bytes_of(numbers: tuple[float, ...], dtype: Any) -> list[bytes]:
    """Numbers as they lie in memory, to compare those of a `full` with."""
    return [np.array(x, dtype).tobytes() for x in numbers]


class Builder:
    """Makes values: each once, and in its simplest form.

    seq, scope, late  what new values are marked with
    asked             how many were asked for
    """

    def __init__(self) -> None:
        self._known: dict[Any, Val] = {}
        self.seq = 0
        self.scope: tuple[Any, ...] = ()
        self.late = False
        self.asked = 0
        self._listed: tuple[list[Val], list[Val]] = ([], [])

    def listed(self, results: list[Val]) -> list[Val]:
        """All values that the results need, in order; kept until other ones ask."""
        if results != self._listed[0]:
            self._listed = list(results), listed(results)
        return self._listed[1]

    def make(
        self, op: str, args: tuple[Val, ...], attrs: Any, shape: Shape, dtype: Any
    ) -> Val:
        """The value of this operation, new or known."""
        self.asked += 1
        key = (op, *map(id, args), attrs, shape, dtype)
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
            inner = within_part(root, offset, shape, strides)
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
            # In a user's sum 0 turns -0 to 0; the order of a gradient's is ours.
            zeros = _bytes_of((-0.0, 0.0) if self.late else (-0.0,), dtype)
            for x, other in (args, args[::-1]):
                if other.op == "full" and x.shape == shape and other.attrs in zeros:
                    return x  # x + 0
            joined = self._sum_of_concats(*args)
            if joined is not None:
                return joined
        if name == "multiply":
            [one] = _bytes_of((1.0,), dtype)
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
            if not same_steps(p, strides_of(p.shape)):
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
