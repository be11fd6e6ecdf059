"""Sums, as rows of the plan's table: of columns, of rows, or of everything.

A bias's gradient is a sum of each column; the terms below a softmax are those of rows;
a loss is that of all entries.

Read next: `python_calls.py`.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np

from minigrad.compiler.kernel_text import digest
from minigrad.compiler.value_form import Val
from minigrad.engine.kernels import kernel_store

_SOURCE = """# functions {digest}
from numba import njit

from minigrad.compiler.pointers import *


@njit(error_model="numpy")
def add(n, out, row):
    unaliased()
    for c in range(n):
        out[c] += row[c]


def kernel(a):
    out = pointer_{name}(a[4])
    for c in range(a[1]):
        out[c] = 0
    for r in range(a[0]):
        add(a[1], out, pointer_{name}(a[2] + r * a[3]))
"""


def fits(value: Val) -> bool:
    """Is it such a sum, of a floating dtype? Its rows lie as the place says."""
    return (
        value.op == "sum" and value.attrs == (0,) and len(value.args[0].shape) == 2
    ) and value.dtype.char in "fd"


@cache
def kernel(char: str) -> Any:
    """A kernel whose arguments are: the rows, the columns; address and bytes from row
    to row of the matrix, then the address of the sums. Added up as NumPy does, from the
    first row to the last."""
    import numba

    def make(module: Any, keep: bool) -> Any:
        kind = numba.types.void(numba.types.CPointer(numba.types.int64))
        return numba.cfunc(kind, cache=keep)(module.kernel)

    name = np.dtype(char).name
    source = _SOURCE.format(digest=digest(), name=name)
    return kernel_store.compiled(source, f"sums_{name}", make)


# Several sums at a time are added up at the end, so that entries need not wait for each
# other: the order is another one than NumPy's, and float32 is added up in float64.
_OF_ROWS = """# functions {digest}
from numba import njit

from minigrad.compiler.pointers import *


@njit(error_model="numpy", fastmath={{"reassoc", "contract"}})
def total(n, row):
    found = 0.0
    for c in range(n):
        found += row[c]
    return found


def kernel(a):
    out = pointer_{name}(a[4])
    for r in range(a[0]):
        found = 0.0
        for c in range(0, a[1], {block}):
            start = a[2] + r * a[3] + c * {size}
            found += total(min({block}, a[1] - c), pointer_{name}(start))
        out[r] = found
"""
BLOCK = 4096  # entries that are added up before their sum is


def rows_of(value: Val) -> tuple[int, int] | None:
    """Of a sum over the last axes: how many sums there are, of how many entries each,
    if the operand lies row by row. None if it is another sum."""
    shape, axes = value.args[0].shape, value.attrs
    if value.op != "sum" or value.dtype.char not in "fd":
        return None
    if sorted(axes) != list(range(len(shape) - len(axes), len(shape))):
        return None
    return math.prod(value.shape), math.prod(shape[len(shape) - len(axes) :])


@cache
def row_kernel(char: str) -> Any:
    """A kernel as above whose sums are those of the rows."""
    import numba

    def make(module: Any, keep: bool) -> Any:
        kind = numba.types.void(numba.types.CPointer(numba.types.int64))
        return numba.cfunc(kind, cache=keep)(module.kernel)

    name, size = np.dtype(char).name, np.dtype(char).itemsize
    source = _OF_ROWS.format(digest=digest(), name=name, size=size, block=BLOCK)
    return kernel_store.compiled(source, f"row_sums_{name}", make)
