"""Along axes: running sums, the place of the extremum, variance and deviation.

All with NumPy's arguments and meaning. Variance and deviation are composed of other
primitives.

Read next: `einsum.py`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad.engine.aliases import Axis, Operand, Value
from minigrad.engine.calls import checked_call
from minigrad.engine.errors import ArgumentError, flag
from minigrad.engine.primitives.axis_arguments import normalized_axes
from minigrad.engine.primitives.base import primitive
from minigrad.engine.primitives.operands import operand
from minigrad.engine.primitives.reduce import (
    all_axes,
    mean_over,
    norm_over,
    sum_over,
)
from minigrad.engine.primitives.shape import reshape


@primitive(name="cumsum")
def _cumsum(x, *, axis):
    """y_k = x_0 + ... + x_k along the axis."""
    return x.cumsum(axis)


@_cumsum.defvjp
def cumsum_vjp(g, y, x, *, axis):
    """dL/dx_k = g_k + g_(k+1) + ...: an entry is in its own sum and in all later."""
    backwards = (slice(None),) * axis + (slice(None, None, -1),)
    return (_cumsum(g[backwards], axis=axis)[backwards],)


@primitive(name="argmax", expect="at least one entry to choose from")
def _argmax(x, *, axis, keepdims):
    """y = where the largest entry is, the first of equals; has no derivative."""
    return np.argmax(x, axis=axis, keepdims=keepdims)


@primitive(name="argmin", expect="at least one entry to choose from")
def _argmin(x, *, axis, keepdims):
    """y = where the smallest entry is, the first of equals; has no derivative."""
    return np.argmin(x, axis=axis, keepdims=keepdims)


# ------------------------------------------------------------- with NumPy's arguments


@checked_call
def cumsum(x: Operand, axis: int | None = None) -> Value:
    """The running sums of x along an axis; of all entries in a row if None."""
    x = operand(x)
    if axis is None:
        x, axis = reshape(x, -1), 0
    return _cumsum(x, axis=normalized_axes((axis,), x.ndim, "cumsum")[0])


@checked_call
def argmax(x: Operand, axis: int | None = None, keepdims: bool = False) -> Value:
    """Where x is largest along an axis: whole numbers, a constant.

    Without an axis: the place in x laid out in a row. The first of equals, as in NumPy.
    """
    return _place(_argmax, x, axis, keepdims)


@checked_call
def argmin(x: Operand, axis: int | None = None, keepdims: bool = False) -> Value:
    """Where x is smallest along an axis: see `argmax`."""
    return _place(_argmin, x, axis, keepdims)


def _place(which: Any, x: Operand, axis: int | None, keepdims: bool) -> Value:
    x = operand(x)
    if axis is not None:
        [axis] = normalized_axes((axis,), x.ndim, which.name)
    return which(x, axis=axis, keepdims=flag("keepdims", keepdims))


@checked_call
def var_over(
    x: Operand, axis: Axis = None, ddof: float = 0, keepdims: bool = False
) -> Value:
    """The variance over the axes (all if None): mean squared distance from the mean.

    Divided by n - ddof. NumPy's default is 0; 1 is PyTorch's (its `correction`).
    """
    away, count = _from_mean(x, axis, ddof, "var")
    return sum_over(away * away, axis, keepdims) / count


@checked_call
def std_over(
    x: Operand, axis: Axis = None, ddof: float = 0, keepdims: bool = False
) -> Value:
    """The standard deviation over the axes: the root of `var`, with its `ddof`.

    The slope where all entries are equal is 0.
    """
    away, count = _from_mean(x, axis, ddof, "std")
    return norm_over(away, axis, keepdims) / math.sqrt(count)


def _from_mean(x: Operand, axis: Axis, ddof: float, name: str) -> tuple[Any, float]:
    """x less its mean, and what to divide by."""
    x = operand(x)
    if not isinstance(ddof, int | float | np.number) or ddof != ddof:
        raise ArgumentError(
            f"{name}(ddof={ddof!r:.40}): it is no number",
            expect="a number to be taken off the count of entries",
            actual=f"{ddof!r:.40} ({type(ddof).__name__})",
            hint="ddof=0, NumPy's default, or ddof=1, PyTorch's",
        )
    count = math.prod([x.shape[k] for k in all_axes(x, axis, name)])
    return x - mean_over(x, axis, keepdims=True), float(max(count - ddof, 0))
