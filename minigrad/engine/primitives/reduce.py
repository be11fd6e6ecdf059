"""Primitives that reduce over axes. A rule spreads g over what was reduced.

Read next: `index.py`.
"""

from __future__ import annotations

import math

import numpy as np

from minigrad.engine.aliases import Array, Axis, Operand, Shape, Value
from minigrad.engine.calls import checked_call
from minigrad.engine.errors import flag
from minigrad.engine.primitives.axis_arguments import normalized_axes
from minigrad.engine.primitives.base import primitive
from minigrad.engine.primitives.elementwise import equal, where
from minigrad.engine.primitives.joins import concatenate
from minigrad.engine.primitives.operands import operand
from minigrad.engine.primitives.shape import astype, broadcast_to, reshape


def _kept(x: Value, axes: Shape) -> Shape:
    """The shape of x with the reduced axes kept at length one."""
    return tuple([1 if k in axes else n for k, n in enumerate(x.shape)])


def _spread(g: Value, x: Value, axes: Shape) -> Value:
    """g with the reduced axes put back at length one, so that it broadcasts over x."""
    return reshape(g, _kept(x, axes))


@primitive(name="sum")
def _sum(x, *, axes, keepdims):
    """y = the sum of x over the axes."""
    return x.sum(axis=axes, keepdims=keepdims)


@_sum.defvjp
def sum_vjp(g, y, x, *, axes, keepdims):
    """dL/dx = g, the same for every summand."""
    return (broadcast_to(_spread(g, x, axes), x.shape),)


@primitive(name="mean")
def _mean(x, *, axes, keepdims):
    """y = the mean of x over the axes."""
    if x.dtype.kind in "iub" or x.dtype == np.float16:  # NumPy adds in more digits
        return x.mean(axis=axes, keepdims=keepdims)
    count = math.prod([x.shape[k] for k in axes])
    return x.sum(axis=axes, keepdims=keepdims) / x.dtype.type(count)


@_mean.defvjp
def mean_vjp(g, y, x, *, axes, keepdims):
    """dL/dx = g / n, the same for each of the n entries."""
    count = float(math.prod([x.shape[k] for k in axes]))
    g = _spread(g, x, axes)
    if g.dtype == np.float16 and count > 65504:  # no number of float16
        return (broadcast_to(g * (1 / count), x.shape),)
    return (broadcast_to(g / count, x.shape),)


@primitive(name="prod")
def _prod(x, *, axes, keepdims):
    """y = the product of x over the axes."""
    return x.prod(axis=axes, keepdims=keepdims)


@_prod.defvjp
def prod_vjp(g, y, x, *, axes, keepdims):
    """dL/dx = g * the product of the others.

    That is y / x where y has all its digits. Where it is 0, or has lost some by
    underflow or overflow, the others are multiplied out: those before times those
    after.
    """
    values = y if isinstance(y, np.ndarray) else y.numpy()
    if isinstance(values, np.ndarray) and _has_all_digits(values):  # not in a trace
        return (_spread(g, x, axes) * (_spread(y, x, axes) / x),)
    rest = tuple(k for k in range(x.ndim) if k not in axes)
    count = math.prod([x.shape[k] for k in axes])
    row = x.transpose(rest + axes).reshape(*[x.shape[k] for k in rest], count)
    others = _before(row) * _before(row[..., ::-1])[..., ::-1]
    others = others.reshape([x.shape[k] for k in rest + axes])
    back = tuple(int(k) for k in np.argsort(rest + axes))
    return (_spread(g, x, axes) * others.transpose(back),)


def _has_all_digits(y: Array) -> bool:
    """Are all of y neither 0, nor so small or large that digits are lost?"""
    size, limits = np.abs(y), np.finfo(y.dtype)
    return bool(((size >= limits.smallest_normal) & (size <= limits.max)).all())


def _before(x: Value) -> Value:
    """The product of the entries before each along the last axis, 1 for the first.

    Stretches of 1, 2, 4, ... entries are multiplied by the stretches before them.
    """
    ones = np.ones(x.shape, x.dtype)
    product = concatenate([ones[..., :1], x[..., :-1]], -1)
    stretch = 1
    while stretch < x.shape[-1]:
        earlier = [ones[..., :stretch], product[..., :-stretch]]
        product = product * concatenate(earlier, -1)
        stretch *= 2
    return product


def _extremum_vjp(g, y, x, *, axes, keepdims):
    """dL/dx = g at the extremum, shared evenly where several entries are equal."""
    share = astype(equal(x, _spread(y, x, axes)), g.dtype)
    return (_spread(g, x, axes) * share / _sum(share, axes=axes, keepdims=True),)


@primitive(name="max", expect="at least one entry to choose from")
def _max(x, *, axes, keepdims):
    """y = the largest entry of x over the axes."""
    return x.max(axis=axes, keepdims=keepdims)


@primitive(name="min", expect="at least one entry to choose from")
def _min(x, *, axes, keepdims):
    """y = the smallest entry of x over the axes."""
    return x.min(axis=axes, keepdims=keepdims)


_max.defvjp(_extremum_vjp)
_min.defvjp(_extremum_vjp)


@primitive(name="norm")
def _norm(x, *, axes, keepdims):
    """y = the Euclidean norm of x over the axes, without overflow or underflow."""
    if (
        x.dtype.kind == "c"
    ):  # complex step: the analytic continuation, no absolute value
        return np.sqrt(np.square(x).sum(axis=axes, keepdims=keepdims))
    largest = np.abs(x).max(axis=axes, keepdims=True, initial=0.0)
    scale = np.where((largest > 0) & np.isfinite(largest), largest, x.dtype.type(1))
    root = np.sqrt(np.square(np.abs(x / scale)).sum(axis=axes, keepdims=True)) * scale
    return root if keepdims else root.reshape(_without(x.shape, axes))


@_norm.defvjp
def norm_vjp(g, y, x, *, axes, keepdims):
    """dL/dx = g * x / y; norm'(0) = 0."""
    length = _spread(y, x, axes)
    at_zero = equal(length, 0.0)
    slope = x / where(at_zero, 1.0, length)
    return (_spread(g, x, axes) * slope,)


def _without(shape: Shape, axes: Shape) -> Shape:
    return tuple([n for k, n in enumerate(shape) if k not in axes])


# ------------------------------------------------------------- with NumPy's arguments


def all_axes(x: Operand, axis: Axis, name: str) -> Shape:
    """The axes counted from the front, in order; all of x's if None."""
    if axis is None:
        return tuple(range(x.ndim))
    places = tuple(axis) if np.iterable(axis) else (axis,)
    return tuple(sorted(normalized_axes(places, x.ndim, name)))


def sum_over(x: Operand, axis: Axis = None, keepdims: bool = False) -> Value:
    """The sum of x over the axes (all if None). x: (...) -> () or what is left."""
    return _sum(x, axes=all_axes(x, axis, "sum"), keepdims=flag("keepdims", keepdims))


def mean_over(x: Operand, axis: Axis = None, keepdims: bool = False) -> Value:
    """The mean of x over the axes (all if None)."""
    return _mean(x, axes=all_axes(x, axis, "mean"), keepdims=flag("keepdims", keepdims))


def prod_over(x: Operand, axis: Axis = None, keepdims: bool = False) -> Value:
    """The product of x over the axes (all if None)."""
    return _prod(x, axes=all_axes(x, axis, "prod"), keepdims=flag("keepdims", keepdims))


def max_over(x: Operand, axis: Axis = None, keepdims: bool = False) -> Value:
    """The largest entry over the axes (all if None); equals share the gradient."""
    return _max(x, axes=all_axes(x, axis, "max"), keepdims=flag("keepdims", keepdims))


def min_over(x: Operand, axis: Axis = None, keepdims: bool = False) -> Value:
    """The smallest entry over the axes (all if None); equals share the gradient."""
    return _min(x, axes=all_axes(x, axis, "min"), keepdims=flag("keepdims", keepdims))


@checked_call
def norm_over(x: Operand, axis: Axis = None, keepdims: bool = False) -> Value:
    """The Euclidean norm of all entries over the axes (all if None); norm'(0) = 0."""
    x = operand(x)
    return _norm(x, axes=all_axes(x, axis, "norm"), keepdims=flag("keepdims", keepdims))
