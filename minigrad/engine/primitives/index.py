"""Indexing, and its transpose: adding into the places an index names.

An index is recorded as plain data: slices as tuples, and arrays of integers or booleans
as inputs of the node (they are data, and a reader may want to show or change them).

Read next: `linalg.py`.
"""

from __future__ import annotations

from operator import index as whole
from typing import Any

import numpy as np

from minigrad.engine.aliases import Array, Operand, Value
from minigrad.engine.calls import checked_call
from minigrad.engine.errors import DTypeError
from minigrad.engine.graph import Variable
from minigrad.engine.primitives.base import primitive
from minigrad.engine.primitives.operands import operand


def _key(pattern: tuple[Any, ...], arrays: tuple[Any, ...]) -> tuple[Value, ...]:
    """The index that NumPy understands, from its recorded pattern."""
    parts: list[Any] = []
    for kind, *rest in pattern:
        if kind == "slice":
            parts.append(slice(*rest))
        elif kind == "array":
            parts.append(arrays[rest[0]])
        elif kind == "at":
            parts.append(rest[0])
        else:
            parts.append(None if kind == "new" else ...)
    return tuple(parts)


@primitive(name="getitem", expect="an index that fits x's shape")
def _getitem(x, *arrays, pattern):
    """y = x[index]."""
    return x[_key(pattern, arrays)]


@_getitem.defvjp
def getitem_vjp(g, y, x, *arrays, pattern):
    """dL/dx = g added into the places it was read from; repeats accumulate."""
    return (_add_at(g, *arrays, pattern=pattern, shape=x.shape), *[None] * len(arrays))


@primitive(name="add_at")
def _add_at(g, *arrays, pattern, shape):
    """y = zeros of a shape, with g added at the places that the index names."""
    y = np.zeros(shape, g.dtype)
    key = _key(pattern, arrays)
    if not arrays:  # basic indexing names each place once
        y[key] = g
    elif len(pattern) == 1 and arrays[0].dtype != bool:
        _add_rows(y, arrays[0], g)
    else:
        np.add.at(y, key, g)
    return y


def _add_rows(y: Array, rows: Array, g: Array) -> None:
    """y[rows] += g, the rows sorted first: those of one number are summed in one go."""
    if g.size == 0:
        return
    if y.ndim == 1 and y.dtype == np.float32 and rows.size > len(y):
        y += np.bincount(_places(rows, len(y)), g.reshape(-1), len(y))  # in float64
        return
    if y.ndim == 1:  # entries: NumPy has a loop for just this
        np.add.at(y, rows.reshape(-1), g.reshape(-1))
        return
    rows = _places(rows, len(y))
    order = np.argsort(rows, kind="stable")
    rows = rows[order]
    starts = np.flatnonzero(np.r_[True, rows[1:] != rows[:-1]])
    sorted_g = g.reshape(len(rows), *y.shape[1:])[order]
    y[rows[starts]] = np.add.reduceat(sorted_g, starts, axis=0)


def _places(rows: Array, length: int) -> Array:
    """(n,): all rows, counted from the front."""
    rows = rows.reshape(-1).astype(np.intp)  # a small dtype has no room for the length
    return np.where(rows < 0, rows + length, rows)


@_add_at.defvjp
def add_at_vjp(g, y, x, *arrays, pattern, shape):
    """dL/dx = g read at the same places."""
    return (_getitem(g, *arrays, pattern=pattern), *[None] * len(arrays))


def getitem(x: Operand, index: Any) -> Value:
    """x[index], for integers, slices, None, ..., and integer or boolean arrays.

    The gradient of an entry read several times is the sum over the reads.
    Raises IndexingError out of range, DTypeError for what cannot index.
    """
    parts = index if isinstance(index, tuple) else (index,)
    pattern: list[tuple[Any, ...]] = []
    arrays: list[Any] = []
    for part in parts:
        if isinstance(part, slice):
            pattern.append(("slice", *_ends(part)))
        elif part is None:
            pattern.append(("new",))
        elif part is ...:
            pattern.append(("rest",))
        elif isinstance(part, int | np.integer) and not isinstance(part, bool):
            pattern.append(("at", int(part)))
        else:
            pattern.append(("array", len(arrays)))
            arrays.append(_index_array(part))
    return _getitem(x, *arrays, pattern=tuple(pattern))


def _ends(part: slice) -> list[int | None]:
    """Start, stop and step of a slice, whole numbers or None."""
    ends = (part.start, part.stop, part.step)
    try:
        return [None if end is None else whole(end) for end in ends]
    except TypeError:
        raise DTypeError(
            "x[start:stop:step]: whole numbers are wanted",
            expect="integers, or nothing, between the colons",
            actual=", ".join([f"{end!r:.40}" for end in ends]),
            hint="int(n), or n // 2 instead of n / 2",
        ) from None


def _index_array(part: Operand) -> Value:
    found: Value
    if isinstance(part, Variable):
        dtype, found = part._edge.array.dtype, part
    else:
        found = np.asarray(part)
        if found.size == 0 and found.dtype.kind == "f":
            found = found.astype(np.intp)  # NumPy takes an empty list for no places
        dtype = found.dtype
    if dtype.kind not in "iub":
        raise DTypeError(
            "x[index]: the index is not of whole numbers",
            expect="integers, slices, None, ..., integer or boolean arrays",
            actual=f"{type(part).__name__} of dtype {dtype}",
            hint="use .astype('int64'), or a comparison for a boolean mask",
        )
    return found


@checked_call
def take(x: Operand, indices: Operand) -> Value:
    """Rows of x by number: x (n, ...), indices (...) of integers -> (..., ...).

    The look-up of an embedding. Raises IndexingError for a number outside 0..n-1
    (negative ones count from the end, as in NumPy).
    """
    return _getitem(operand(x), _index_array(indices), pattern=(("array", 0),))
