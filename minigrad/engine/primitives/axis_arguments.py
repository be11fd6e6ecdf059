"""Axes and lengths as users give them: whole numbers, counted from the front.

Read next: `shape.py`.
"""

from __future__ import annotations

from operator import index
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from minigrad.engine.aliases import Shape
from minigrad.engine.errors import DTypeError, ShapeError


def lengths(values: Any, name: str) -> Shape:
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


def axes_of(axis: Any) -> tuple[Any, ...]:
    return tuple(axis) if np.iterable(axis) else (axis,)


def largest_ndim(items: tuple[Any, ...]) -> int:
    return max(np.ndim(x) if not hasattr(x, "ndim") else x.ndim for x in items)


def normalized_axis(axis: int, ndim: int, name: str) -> int:
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
