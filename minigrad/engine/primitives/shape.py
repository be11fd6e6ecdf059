"""Primitives that move entries without changing them: views and copies.

A rule here undoes the move. Axes are normalised before they are recorded, so that equal
operations have equal attributes.

Read next: `joins.py`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad.engine.aliases import Array, Axes, Axis, Lengths, Operand, Shape, Value
from minigrad.engine.calls import checked_call
from minigrad.engine.errors import DTypeError, ShapeError
from minigrad.engine.graph import Variable
from minigrad.engine.primitives.axis_arguments import (
    axes_of,
    lengths,
    normalized_axes,
    normalized_axis,
)
from minigrad.engine.primitives.base import primitive
from minigrad.engine.primitives.operands import complex_numbers


@primitive(name="reshape", expect="as many entries in the new shape as in the old")
def _reshape(x, *, shape):
    """y has the entries of x, in the same order, in another shape."""
    return x.reshape(shape)


@_reshape.defvjp
def reshape_vjp(g, y, x, *, shape):
    """dL/dx = g in the shape of x."""
    return (_reshape(g, shape=x.shape),)


@primitive(name="transpose", expect="a permutation of the axes")
def _transpose(x, *, axes):
    """y = x with its axes permuted."""
    return x.transpose(axes)


@_transpose.defvjp
def transpose_vjp(g, y, x, *, axes):
    """dL/dx = g with its axes permuted back."""
    back = tuple(int(k) for k in np.argsort(axes))
    return (_transpose(g, axes=back),)


@primitive(name="broadcast_to", expect="a shape that x broadcasts to")
def _broadcast_to(x, *, shape):
    """y = x repeated along new axes and along axes of length one."""
    return np.broadcast_to(x, shape)


@_broadcast_to.defvjp
def broadcast_to_vjp(g, y, x, *, shape):
    """dL/dx = g summed over the repeats."""
    return (sum_to(g, x.shape),)


@primitive(name="sum_to", expect="a shape that broadcasts to x's")
def _sum_to(x, *, shape):
    """y = x summed over the axes along which `shape` was broadcast."""
    lead = x.ndim - len(shape)
    if lead == 1 and 1 not in shape:
        return np.add.reduce(x, 0)
    axes = (*range(lead), *(k + lead for k, n in enumerate(shape) if n == 1))
    return x.sum(axis=axes, keepdims=True).reshape(shape)


@_sum_to.defvjp
def sum_to_vjp(g, y, x, *, shape):
    """dL/dx = g repeated over the summed axes."""
    return (_broadcast_to(g, shape=x.shape),)


@primitive(name="astype")
def _astype(x, *, dtype):
    """y = x in another dtype."""
    return x.astype(dtype)


@_astype.defvjp
def astype_vjp(g, y, x, *, dtype):
    """dL/dx = g in the dtype of x."""
    return (_astype(g, dtype=x.dtype.name),)


# ------------------------------------------------------------- NumPy's names for them


def reshape(x: Operand, *shape: Any) -> Value:
    """x in another shape; one entry may be -1: it is worked out. ShapeError if not."""
    wanted = lengths(shape[0] if len(shape) == 1 else shape, "reshape")
    if wanted and min(wanted) < -1:  # NumPy takes any negative number for -1
        raise ShapeError(
            f"reshape(x, {wanted}): a negative length",
            expect="lengths of 0 or more, and at most one -1",
            actual=f"{min(wanted)}",
            hint="-1 is worked out from the others",
        )
    if wanted.count(-1) == 1:
        known = math.prod(n for n in wanted if n != -1)
        if known > 0 and x.size % known == 0:
            wanted = tuple(x.size // known if n == -1 else n for n in wanted)
    return _reshape(x, shape=wanted)


def transpose(x: Operand, *axes: Any) -> Value:
    """x with its axes permuted; reversed if no axes are given."""
    if len(axes) == 1 and (axes[0] is None or np.iterable(axes[0])):
        axes = () if axes[0] is None else tuple(axes[0])
    order = axes or range(x.ndim)[::-1]
    order = normalized_axes(order, x.ndim, "transpose")
    if len(order) != x.ndim:
        raise ShapeError(
            f"transpose(x, {order}): an axis is missing",
            expect=f"each of the {x.ndim} axes once",
            actual=f"{order}     x: {x.shape}",
            hint="swapaxes(a, b) changes just two",
        )
    return _transpose(x, axes=order)


def swapaxes(x: Operand, axis1: int, axis2: int) -> Value:
    """x with two axes exchanged."""
    order = list(range(x.ndim))
    first, second = (
        normalized_axis(axis1, x.ndim, "swapaxes"),
        normalized_axis(axis2, x.ndim, "swapaxes"),
    )
    order[first], order[second] = second, first
    return _transpose(x, axes=tuple(order))


def expand_dims(x: Operand, axis: Axes) -> Value:
    """x with new axes of length one at these places of the result."""
    places = axes_of(axis)
    ndim = x.ndim + len(places)
    at = set(normalized_axes(places, ndim, "expand_dims"))
    lengths = iter(x.shape)
    shape = tuple(1 if k in at else next(lengths) for k in range(ndim))
    return _reshape(x, shape=shape)


def squeeze(x: Operand, axis: Axis = None) -> Value:
    """x without its axes of length one, or without these of them."""
    if axis is None:
        at = {k for k, n in enumerate(x.shape) if n == 1}
    else:
        places = axes_of(axis)
        at = set(normalized_axes(places, x.ndim, "squeeze"))
    if any(x.shape[k] != 1 for k in at):
        raise ShapeError(
            f"squeeze(x, axis={axis}): the axis is not of length 1",
            expect="x.shape[axis] == 1",
            actual=f"x: {x.shape}",
            hint="use reshape, or sum over the axis",
        )
    return _reshape(x, shape=tuple(n for k, n in enumerate(x.shape) if k not in at))


@checked_call
def broadcast_to(x: Operand, shape: Lengths) -> Value:
    """x repeated to `shape`, by NumPy's rules of broadcasting."""
    return _broadcast_to(x, shape=lengths(shape, "broadcast_to"))


def sum_to(x: Operand, shape: Shape) -> Value:
    """x summed to `shape`: what broadcasting from `shape` is undone by."""
    return _sum_to(x, shape=tuple(int(n) for n in shape))


def fitted(x: Value, like: Array) -> Value:
    """x in the shape and dtype of an array: what broadcasting and mixed dtypes, on the
    way from there to x, are undone by."""
    if x.shape != like.shape:
        x = sum_to(x, like.shape)
    return x if x.dtype == like.dtype else astype(x, like.dtype)


def astype(x: Operand, dtype: Any) -> Value:
    """x in another dtype. To an integer or boolean dtype the result is a constant."""
    try:
        found = None if dtype is None else np.dtype(dtype)
    except TypeError:
        found = None
    if found is None or found.kind not in "fciub":
        raise DTypeError(
            f"astype(x, {dtype!r:.40}): not a dtype of numbers",
            expect="a NumPy dtype or its name: 'float32', 'float64', 'int64', 'bool'",
            actual=f"{dtype!r}",
            hint="did you mean 'float64'?",
        )
    if found.kind == "c" and isinstance(x, Variable):
        raise complex_numbers("astype(x, dtype)", found, dtype)
    return _astype(x, dtype=found.name)
