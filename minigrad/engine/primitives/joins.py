"""Primitives that join arrays and take them apart: concatenate, split, stack, unstack.

Each is the rule of another: what was joined is taken apart again.

Read next: `reduce.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np

from minigrad.engine.aliases import Operand, Shape, Value
from minigrad.engine.calls import checked_call
from minigrad.engine.errors import ArgumentError, DTypeError, ShapeError
from minigrad.engine.foreign_arguments import refuse
from minigrad.engine.primitives.axis_arguments import (
    largest_ndim,
    lengths,
    normalized_axis,
)
from minigrad.engine.primitives.base import primitive
from minigrad.engine.primitives.operands import operand


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
    """The stretches of x between neighbouring bounds, which are all of it: views."""
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


@checked_call
def concatenate(tensors: Sequence[Operand], axis: int = 0, **foreign: Any) -> Value:
    """The tensors, one after the other along an axis that they have."""
    if foreign:
        refuse("concatenate", foreign)
    items = _several(tensors, "concatenate")
    return _concatenate(
        *items, axis=normalized_axis(axis, largest_ndim(items), "concatenate")
    )


@checked_call
def stack(tensors: Sequence[Operand], axis: int = 0, **foreign: Any) -> Value:
    """The tensors, of one shape, along a new axis."""
    if foreign:
        refuse("stack", foreign)
    items = _several(tensors, "stack")
    return _stack(*items, axis=normalized_axis(axis, largest_ndim(items) + 1, "stack"))


@checked_call
def split(x: Operand, sections: Any, axis: int = 0) -> tuple[Value, ...]:
    """Parts of x along an axis: so many equal ones, or cut at the given indices.

    The parts are views: nothing is copied. ShapeError if equal parts do not go into x.
    """
    x = operand(x)
    axis = normalized_axis(axis, x.ndim, "split")
    cuts: Any = sections
    if type(sections) is not int:
        cuts = lengths(sections, "split")
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
        return tuple([k * (length // sections) for k in range(sections + 1)])
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
    return _unstack(x, axis=normalized_axis(axis, x.ndim, "unstack"))


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
