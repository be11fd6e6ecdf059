"""The sum over the rows of a matrix, as a row of the plan's table: a bias's gradient.

Read next: `python_calls.py`.
"""

from __future__ import annotations

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
