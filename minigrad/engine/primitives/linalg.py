"""Matrix products.

Read next: `folded.py`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any
from weakref import ref

import numpy as np

from minigrad.engine.aliases import Array
from minigrad.engine.primitives.base import primitive
from minigrad.engine.primitives.shape import expand_dims, squeeze, swapaxes


@primitive(expect="a.shape[-1] == b.shape[-2], batch axes that broadcast")
def matmul(a, b):
    """y = a @ b, over the last two axes. a: (..., n, k), b: (..., k, m) -> (..., n, m).

    A vector counts as one row on the left and as one column on the right, as in NumPy.
    """
    if a.ndim == 2 and b.ndim == 2:
        return np.dot(a, b)  # the same product at half the price of dispatch
    return np.matmul(a, b)


@matmul.defvjp
def matmul_vjp(g, y, a, b, *, needs):
    """dL/da = g b^T, dL/db = a^T g, on the last two axes; batch axes pass through."""
    if a.ndim == b.ndim == 2:
        if not isinstance(g, np.ndarray):
            return g @ b.T if needs[0] else None, a.T @ g if needs[1] else None
        return (
            np.dot(g, transposed(b, len(g))) if needs[0] else None,
            np.dot(a.T, g) if needs[1] else None,
        )
    left, right = a.ndim == 1, b.ndim == 1
    if right:
        b, g = expand_dims(b, -1), expand_dims(g, -1)
    if left:
        a, g = expand_dims(a, 0), expand_dims(g, -2)
    da = db = None
    if needs[0]:
        da = matmul(g, swapaxes(b, -1, -2))
        if left:
            da = squeeze(da, -2)
    if needs[1]:
        db = matmul(swapaxes(a, -1, -2), g)
        if right:
            db = squeeze(db, -1)
    return da, db


def matmul_stacked(g: Array, inputs: list[Array]) -> Array:
    """The sum over uses t of a_t^T g_t as one product of the stacked rows.

    T products of (B, n) and (B, m), each added to the sum, touch the (n, m) result T
    times; one product over T*B rows touches it once. g: the rows of all g_t.
    """
    return np.dot(stacked_rows(inputs, "a").T, g)


class _Scratch(threading.local):
    """One thread's buffers for stacked rows: new memory costs more than the copy."""

    def __init__(self) -> None:
        self.buffers: dict[tuple[Any, ...], Array] = {}
        # Linux's malloc gives freed memory back to the system, and asks for it anew, in
        # each step of a large network: unless a block of this size was freed before.
        # Nothing is written to it, so it takes no memory.
        np.empty(31 << 20, np.uint8)


_scratch = _Scratch()


def stacked_rows(arrays: list[Array], role: str) -> Array:
    """The rows of all arrays below each other, in a buffer used again and again."""
    first = arrays[0]
    size = sum([len(a) for a in arrays]) * first.shape[1]
    if not 0 < size <= 1 << 23 or any([a.dtype != first.dtype for a in arrays]):
        return np.concatenate(arrays)
    key = role, first.dtype.char
    buffer = _scratch.buffers.get(key)
    if buffer is None or buffer.size < size:
        buffer = _scratch.buffers[key] = np.empty(size, first.dtype)
    rows = buffer[:size].reshape(-1, first.shape[1])
    return np.concatenate(arrays, out=rows)


matmul.stacked[1] = matmul_stacked


# ------------------------------------------------------------- transposed weights

_copies: dict[int, tuple[Callable[[], Array | None], Array]] = {}
# id of a matrix -> (weak reference to it, its transposed copy)


def transposed(b: Array, rows: int) -> Array:
    """b^T for a product with so many rows: a weight's is copied, row by row, and kept.

    A recurrent weight is transposed at every step of a backward pass, and a product of
    a few rows with a view that runs down the columns is up to 1.6 times as slow. The
    copy lives as long as the matrix. Whether there is one depends on shapes alone, so
    that the same program gives the same bits whatever ran before.
    """
    if not 1 < rows < 64 or b.size < 4096:  # the view is as fast there
        return b.T
    if b.flags.writeable or not b.flags.c_contiguous:
        return b.T
    number = id(b)
    kept = _copies.get(number)
    if kept is None or kept[0]() is not b:
        copy = _copied_by_columns(b)
        kept = _copies[number] = (ref(b, lambda _: _copies.pop(number, None)), copy)
    return kept[1]


def _copied_by_columns(b: Array) -> Array:
    """b^T as an array of its own.

    Entries below each other that lie a power of two apart fall on the same few lines of
    the processor's cache: with a little space after each row it takes a sixth of the
    time at (512, 2048).
    """
    if b.shape[1] % 64 == 0:
        spaced = np.empty((b.shape[0], b.shape[1] + 16), b.dtype)[:, :-16]
        spaced[:] = b
        b = spaced
    return np.ascontiguousarray(b.T)
