"""NumPy's functions made of minigrad's: with NumPy's arguments, as far as offered.

Here are those that minigrad has under another name, in another order of arguments or
not at all. Each is composed of recorded operations, so it has its gradient.

Read next: `foreign_names.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minigrad.engine.aliases import Axis, Lengths, Operand, Value
from minigrad.engine.errors import ArgumentError, CallError
from minigrad.engine.graph import Variable
from minigrad.engine.primitives import bounds, index, joins, linalg, reduce
from minigrad.engine.primitives import elementwise as e
from minigrad.engine.primitives import shape as shapes
from minigrad.engine.primitives.axis_arguments import normalized_axes
from minigrad.engine.primitives.einsum import LETTERS, einsum
from minigrad.engine.primitives.operands import operand
from minigrad.engine.tracing import leaving

# ------------------------------------------------------------- shapes


def reshaped(a: Operand, shape: Lengths) -> Value:
    return shapes.reshape(operand(a), shape)


def raveled(a: Operand) -> Value:
    return shapes.reshape(operand(a), -1)


def transposed(a: Operand, axes: Sequence[int] | None = None) -> Value:
    return shapes.transpose(operand(a), axes)


def axes_moved(function: Callable[..., Any]) -> Callable[..., Any]:
    """`moveaxis` or `rollaxis`, as the transposition that it is."""

    def moved(a: Operand, *places: Any) -> Value:
        # Done to an array without entries whose lengths are the axes' own numbers.
        a = operand(a)
        return shapes.transpose(a, function(np.empty(range(a.ndim)), *places).shape)

    return moved


def entries_moved(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function that only moves entries: done to their numbers, then they are read."""

    def moved(a: Operand, *inputs: Any, **options: Any) -> Value:
        a = operand(a)
        for x in inputs:
            if isinstance(x, Variable):
                leaving(x, function.__name__)
        inputs = tuple(x._edge.array if isinstance(x, Variable) else x for x in inputs)
        places = function(np.arange(a.size).reshape(a.shape), *inputs, **options)
        return index.getitem(shapes.reshape(a, -1), places)

    return moved


def concatenated(arrays: Sequence[Operand], axis: int | None = 0) -> Value:
    if axis is None:
        return joins.concatenate([raveled(a) for a in arrays], 0)
    return joins.concatenate(arrays, axis)


def appended(arr: Operand, values: Operand, axis: int | None = None) -> Value:
    return concatenated([arr, values], axis)


def at_least_2d(a: Operand) -> Value:
    a = operand(a)
    return a if a.ndim > 1 else shapes.reshape(a, 1, -1)


def stacked_below(tup: Sequence[Operand]) -> Value:
    return joins.concatenate([at_least_2d(a) for a in tup], 0)


def stacked_beside(tup: Sequence[Operand]) -> Value:
    parts = [a if a.ndim else shapes.reshape(a, 1) for a in map(operand, tup)]
    return joins.concatenate(parts, 0 if parts[0].ndim == 1 else 1)


def columns(tup: Sequence[Operand]) -> Value:
    parts = [operand(a) for a in tup]
    return joins.concatenate(
        [a if a.ndim > 1 else shapes.reshape(a, -1, 1) for a in parts], 1
    )


def split(ary: Operand, indices_or_sections: Any, axis: int = 0) -> list[Value]:
    return list(joins.split(ary, indices_or_sections, axis))


def split_unevenly(
    ary: Operand, indices_or_sections: Any, axis: int = 0
) -> list[Value]:
    if not np.iterable(indices_or_sections):
        whole = np.empty(operand(ary).shape[axis])
        parts = np.array_split(whole, indices_or_sections)
        indices_or_sections = np.cumsum([len(part) for part in parts[:-1]])
    return list(joins.split(ary, indices_or_sections, axis))


def taken(a: Operand, indices: Any, axis: int | None = None) -> Value:
    a = operand(a)
    if axis is None:
        return index.take(shapes.reshape(a, -1), indices)
    [axis] = normalized_axes((axis,), a.ndim, "take")
    return index.getitem(a, (slice(None),) * axis + (indices,))


def lower_triangle(m: Operand, k: int = 0) -> Value:
    rows, columns = operand(m).shape[-2:]
    return e.where(np.tri(rows, columns, k, dtype=bool), m, 0.0)


def upper_triangle(m: Operand, k: int = 0) -> Value:
    rows, columns = operand(m).shape[-2:]
    return e.where(np.tri(rows, columns, k - 1, dtype=bool), 0.0, m)


# ------------------------------------------------------------- products


def dot(a: Operand, b: Operand) -> Value:
    a, b = operand(a), operand(b)
    if a.ndim == 0 or b.ndim == 0:
        return e.multiply(a, b)
    return linalg.matmul(a, b) if b.ndim <= 2 else tensordot(a, b, (-1, -2))


def inner(a: Operand, b: Operand) -> Value:
    a, b = operand(a), operand(b)
    if a.ndim == 0 or b.ndim == 0:
        return e.multiply(a, b)
    return tensordot(a, b, (-1, -1))


def outer(a: Operand, b: Operand) -> Value:
    return einsum("i,j->ij", raveled(a), raveled(b))


def vdot(a: Operand, b: Operand) -> Value:
    return linalg.matmul(raveled(a), raveled(b))


def tensordot(a: Operand, b: Operand, axes: Any = 2) -> Value:
    a, b = operand(a), operand(b)
    if not np.iterable(axes):
        axes = range(a.ndim - axes, a.ndim), range(axes)
    pairs = [tuple(k) if np.iterable(k) else (k,) for k in axes]
    over = [
        normalized_axes(k, x.ndim, "tensordot")
        for k, x in zip(pairs, (a, b), strict=True)
    ]
    left = list(LETTERS[: a.ndim])
    right = list(LETTERS[a.ndim : a.ndim + b.ndim])
    for i, j in zip(*over, strict=True):
        right[j] = left[i]
    out = [c for c in left + right if (c in left) != (c in right)]
    return einsum(f"{''.join(left)},{''.join(right)}->{''.join(out)}", a, b)


def contracted(subscripts: Any, *operands: Operand, optimize: Any = True) -> Value:
    return einsum(subscripts, *operands)  # which always looks for a good order


def trace(a: Operand, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Value:
    return reduce.sum_over(entries_moved(np.diagonal)(a, offset, axis1, axis2), -1)


def norm(
    x: Operand, ord: Any = None, axis: Axis = None, keepdims: bool = False
) -> Value:
    x = operand(x)
    of_matrices = (x.ndim if axis is None else np.size(axis)) == 2
    if ord is not None and ord != ("fro" if of_matrices else 2):
        raise ArgumentError(
            f"np.linalg.norm(x, ord={ord!r}) of a tensor is not offered",
            expect="the Euclidean norm: ord=None, 2 for vectors, 'fro' for matrices",
            actual=f"ord={ord!r}     x: {tuple(x.shape)}",
            hint="mg.abs(x).sum() and mg.abs(x).max() are the norms 1 and inf; "
            "x.detach() or x.numpy() leaves the graph on purpose",
        )
    return reduce.norm_over(x, axis, keepdims)


# ------------------------------------------------------------- reductions


def reduction(ours: Callable[..., Any]) -> Callable[..., Any]:
    """NumPy's order of arguments: after the axis come some that are not offered."""

    def reduced(a: Operand, axis: Axis = None, *, keepdims: bool = False) -> Value:
        return ours(operand(a), axis, keepdims=keepdims)

    return reduced


def spread(ours: Callable[..., Any]) -> Callable[..., Any]:
    """`std` and `var`."""

    def reduced(
        a: Operand, axis: Axis = None, *, ddof: float = 0, keepdims: bool = False
    ) -> Value:
        return ours(a, axis, ddof, keepdims)

    return reduced


def range_between(a: Operand, axis: Axis = None, *, keepdims: bool = False) -> Value:
    a = operand(a)
    return reduce.max_over(a, axis, keepdims) - reduce.min_over(a, axis, keepdims)


def chosen(condition: Operand, x: Operand = None, y: Operand = None, /) -> Value:
    if x is None and y is None and isinstance(condition, Variable):
        leaving(condition, "np.where(condition)")
        return np.nonzero(condition._edge.array)
    if x is None or y is None:
        raise CallError(
            "np.where: one of the two values to choose from is missing",
            expect="np.where(condition, x, y), or np.where(condition)",
            actual=f"x: {type(x).__name__}, y: {type(y).__name__}",
            hint="np.where(condition, x, 0.0)",
        )
    return e.where(condition, x, y)


def clip(
    a: Operand,
    a_min: Operand = None,
    a_max: Operand = None,
    *,
    min: Operand = None,
    max: Operand = None,
) -> Value:
    low, high = (min if a_min is None else a_min), (max if a_max is None else a_max)
    return bounds.clip(a, low, high)


def differences(a: Operand, n: int = 1, axis: int = -1) -> Value:
    a = operand(a)
    lead = (slice(None),) * normalized_axes((axis,), a.ndim, "diff")[0]
    for _ in range(n):
        later = index.getitem(a, (*lead, slice(1, None)))
        a = later - index.getitem(a, (*lead, slice(None, -1)))
    return a
