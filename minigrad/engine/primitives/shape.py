"""Primitives that move entries without changing them: views, joins and splits.

A rule here undoes the move. Axes are normalised before they are recorded, so that equal
operations have equal attributes.

Read next: `reduce.py`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from operator import index
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from minigrad.engine.aliases import Array, Axes, Axis, Lengths, Operand, Shape, Value
from minigrad.engine.calls import checked_call
from minigrad.engine.errors import ArgumentError, DTypeError, ShapeError
from minigrad.engine.foreign_arguments import refuse
from minigrad.engine.graph import Variable
from minigrad.engine.primitives.base import primitive
from minigrad.engine.primitives.operands import complex_numbers, operand


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


@primitive(name="concatenate", expect="equal shapes but for the joined axis")
def _concatenate(*arrays, axis):
    """y = the arrays, one after the other along an axis."""
    return np.concatenate(arrays, axis)


@_concatenate.defvjp
def concatenate_vjp(g, y, *arrays, axis):
    """Each input gets its stretch of g."""
    bounds = np.cumsum([a.shape[axis] for a in arrays])
    return _split(g, bounds=(0, *(int(b) for b in bounds)), axis=axis)


@primitive(name="split", multiple=True)
def _split(x, *, bounds, axis):
    """The stretches of x between neighbouring bounds, along an axis: views."""
    return tuple([x[part] for part in _parts(bounds, axis)])


@lru_cache(maxsize=1024)
def _parts(bounds: Shape, axis: int) -> list[tuple[slice, ...]]:
    """The stretches between neighbouring bounds, as indices."""
    lead = (slice(None),) * axis
    return [(*lead, slice(first, last)) for first, last in pairwise(bounds)]


@_split.defvjp
def split_vjp(gs, ys, x, *, bounds, axis):
    """dL/dx = the parts' gradients joined again; zeros for a part that was not used."""
    parts = [
        np.zeros(y.shape, x.dtype) if g is None else g
        for g, y in zip(gs, ys, strict=True)
    ]
    lead, tail = bounds[0], x.shape[axis] - bounds[-1]
    shape = list(x.shape)
    for missing, where in ((lead, 0), (tail, len(parts) + 1)):
        if missing:  # NumPy's split always covers x; a caller of the primitive may not
            shape[axis] = missing
            parts.insert(where, np.zeros(shape, x.dtype))
    return (_concatenate(*parts, axis=axis),)


@primitive(name="stack", expect="equal shapes")
def _stack(*arrays, axis):
    """y = the arrays along a new axis."""
    shape = arrays[0].shape
    if axis == 0 and shape and all([a.shape == shape for a in arrays]):
        return np.concatenate(arrays).reshape(
            len(arrays), *shape
        )  # faster than np.stack
    return np.stack(arrays, axis)


@_stack.defvjp
def stack_vjp(g, y, *arrays, axis):
    """Each input gets its slice of g."""
    return _unstack(g, axis=axis)


@primitive(name="unstack", multiple=True)
def _unstack(x, *, axis):
    """The slices of x along an axis: views."""
    lead = (slice(None),) * axis
    return tuple([x[(*lead, k)] for k in range(x.shape[axis])])


@_unstack.defvjp
def unstack_vjp(gs, ys, x, *, axis):
    """dL/dx = the slices' gradients stacked again; zeros for a slice not used."""
    parts = [
        np.zeros(y.shape, x.dtype) if g is None else g
        for g, y in zip(gs, ys, strict=True)
    ]
    return (_stack(*parts, axis=axis),)


# ------------------------------------------------------------- NumPy's names for them


def reshape(x: Operand, *shape: Any) -> Value:
    """x in another shape; one entry may be -1: it is worked out. ShapeError if not."""
    wanted = _lengths(shape[0] if len(shape) == 1 else shape, "reshape")
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
    first, second = _axis(axis1, x.ndim, "swapaxes"), _axis(axis2, x.ndim, "swapaxes")
    order[first], order[second] = second, first
    return _transpose(x, axes=tuple(order))


def expand_dims(x: Operand, axis: Axes) -> Value:
    """x with new axes of length one at these places of the result."""
    places = _axes(axis)
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
        places = _axes(axis)
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
    return _broadcast_to(x, shape=_lengths(shape, "broadcast_to"))


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


@checked_call
def concatenate(tensors: Sequence[Operand], axis: int = 0, **foreign: Any) -> Value:
    """The tensors, one after the other along an axis that they have."""
    if foreign:
        refuse("concatenate", foreign)
    items = _several(tensors, "concatenate")
    return _concatenate(*items, axis=_axis(axis, _ndim(items), "concatenate"))


@checked_call
def stack(tensors: Sequence[Operand], axis: int = 0, **foreign: Any) -> Value:
    """The tensors, of one shape, along a new axis."""
    if foreign:
        refuse("stack", foreign)
    items = _several(tensors, "stack")
    return _stack(*items, axis=_axis(axis, _ndim(items) + 1, "stack"))


@checked_call
def split(x: Operand, sections: Any, axis: int = 0) -> tuple[Value, ...]:
    """Parts of x along an axis: so many equal ones, or cut at the given indices.

    The parts are views: nothing is copied. ShapeError if equal parts do not go into x.
    """
    x = operand(x)
    axis = _axis(axis, x.ndim, "split")
    cuts: Any = sections
    if type(sections) is not int:
        cuts = _lengths(sections, "split")
        if not np.iterable(sections):
            [cuts] = cuts  # a whole number of NumPy's
    return _split(x, bounds=_bounds(x.shape[axis], cuts), axis=axis)


@lru_cache(maxsize=1024)
def _bounds(length: int, sections: int | Shape) -> Shape:
    """Where the parts of an axis begin, and its end."""
    if isinstance(sections, int):
        if sections < 1 or length % sections:
            raise ShapeError(
                f"split(x, {sections}): no equal parts",
                expect=f"the axis to be a multiple of {sections}",
                actual=f"its length is {length}",
                hint="give the indices to cut at, as a list",
            )
        return tuple(range(0, length + 1, length // sections or 1))[: sections + 1]
    cuts = [slice(cut).indices(length)[1] for cut in sections]
    if cuts != sorted(cuts):
        raise ShapeError(
            f"split(x, {list(sections)}): the cuts are out of order",
            expect="indices that do not decrease",
            actual=f"{cuts}, on an axis of length {length}",
            hint="sort them; a part is what lies between two neighbours",
        )
    return (0, *cuts, length)


@checked_call
def unstack(x: Operand, axis: int = 0) -> tuple[Value, ...]:
    """The slices of x along an axis, as views. Backward stacks them in one go."""
    x = operand(x)
    return _unstack(x, axis=_axis(axis, x.ndim, "unstack"))


def _several(tensors: Sequence[Operand], name: str) -> tuple[Value, ...]:
    try:
        items = tuple(tensors)
    except TypeError:
        raise DTypeError(
            f"{name}: what is to be joined is no sequence",
            expect="a list or tuple of tensors",
            actual=f"{tensors!r:.60} ({type(tensors).__name__})",
            hint=f"mg.{name}([a, b])",
        ) from None
    if not items:
        raise ArgumentError(
            f"{name}([]): nothing to join",
            expect="at least one tensor",
            actual="an empty sequence",
            hint="check the loop that collects them",
        )
    return tuple([operand(x) if isinstance(x, (list, tuple)) else x for x in items])


def _lengths(values: Any, name: str) -> Shape:
    """Whole numbers, one or several, as a tuple."""
    try:
        return tuple([_whole(n) for n in values])
    except TypeError:
        try:
            return (_whole(values),)
        except TypeError:
            raise DTypeError(
                f"{name}: whole numbers are wanted",
                expect="one integer or several",
                actual=f"{values!r:.60}",
                hint="write 3 instead of 3.0; // divides whole numbers",
            ) from None


def _whole(n: Any) -> int:
    if isinstance(n, bool | np.bool_):
        raise TypeError("True is no length")
    return index(n)


def _axes(axis: Any) -> tuple[Any, ...]:
    return tuple(axis) if np.iterable(axis) else (axis,)


def _ndim(items: tuple) -> int:
    return max(np.ndim(x) if not hasattr(x, "ndim") else x.ndim for x in items)


def _axis(axis: int, ndim: int, name: str) -> int:
    """The axis counted from the front; ShapeError if there is no such axis."""
    if type(axis) is int and -ndim <= axis < ndim:
        return axis if axis >= 0 else axis + ndim
    return normalized_axes((axis,), ndim, name)[0]


def normalized_axes(axes: Any, ndim: int, name: str) -> Shape:
    """Several axes counted from the front; ShapeError for one missing or repeated."""
    try:
        return tuple(int(k) for k in normalize_axis_tuple(tuple(axes), ndim))
    except (ValueError, TypeError) as error:
        raise ShapeError(
            f"{name}: {error}",
            expect=f"axes in -{ndim}..{ndim - 1}, each once" if ndim else "no axis",
            actual=f"axis {tuple(axes)} of an array with {ndim} axes",
            hint="the axes of an array x are 0 .. x.ndim - 1",
        ) from None
