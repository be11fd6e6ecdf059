"""Matrix products by NumPy's own BLAS, called by address: no Python on the way.

NumPy's wheels carry OpenBLAS beside them. Where that is not found, `np.matmul` does the
same at the price of a Python call for each product.

Read next: `addresses.py`.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from minigrad.compiler.kernel_text import digest
from minigrad.engine.kernels import kernel_store

_FOLDERS = ("../numpy.libs", ".dylibs")
_THREADS = ("scipy_openblas_get_num_threads64_", "openblas_get_num_threads64_")
_NAMES = ("scipy_cblas_{}gemm64_", "cblas_{}gemm64_")  # with 64-bit sizes


@cache
def blas(char: str) -> Any:
    """NumPy's own CBLAS gemm for a dtype's character; None if it is not found.

    It is tried on a small product before it is trusted.
    """
    letter = {"f": "s", "d": "d"}[char]
    for library in _libraries():
        for name in _NAMES:
            found = getattr(library, name.format(letter), None)
            if found is not None and _is_right(found, char):
                return found
    return None


def _libraries() -> Iterator[Any]:
    """The libraries that NumPy's wheel carries for its products."""
    home = Path(np.__file__).parent
    for folder in _FOLDERS:
        for path in sorted((home / folder).glob("*openblas*")):
            try:
                yield ctypes.CDLL(str(path))
            except OSError:
                continue


def _is_right(gemm: Any, char: str) -> bool:
    """Does it multiply two small matrices as NumPy does?"""
    real = {"f": ctypes.c_float, "d": ctypes.c_double}[char]
    a = np.arange(6, dtype=char).reshape(2, 3)
    b = np.arange(12, dtype=char).reshape(3, 4)
    c = np.zeros((2, 4), char)
    size, pointer = ctypes.c_int64, ctypes.c_void_p
    flag = ctypes.c_int
    gemm.restype = None
    gemm.argtypes = [flag] * 3 + [size] * 3 + [real, pointer, size, pointer, size]
    gemm.argtypes += [real, pointer, size]
    data = [x.ctypes.data for x in (a, b, c)]
    gemm(101, 111, 111, 2, 4, 3, 1.0, data[0], 3, data[1], 4, 0.0, data[2], 4)
    return bool(np.array_equal(c, a @ b))


def address(char: str) -> int | None:
    """Where NumPy's gemm is, as a number."""
    found = blas(char)
    return None if found is None else ctypes.cast(found, ctypes.c_void_p).value


@cache
def threads() -> int:
    """How many threads NumPy's BLAS uses for a product; 1 if it does not say."""
    for library in _libraries():
        for name in _THREADS:
            found = getattr(library, name, None)
            if found is not None:
                found.restype = ctypes.c_int
                return int(found())
    return 1


_SOURCE = """# functions {digest}
from minigrad.compiler.pointers import *


def kernel(a):
    gemm_{name}(
        a[0], (a[1], a[2]), (a[3], a[4], a[5], a[7], a[9], a[11]), a[6], a[8], a[10]
    )
"""


@cache
def kernel(char: str) -> Any:
    """A kernel whose arguments are: gemm's address, two flips (111, or 112 for the
    transpose), m, n, k, then address and row stride of a, b and c."""
    import numba

    def make(module: Any, keep: bool) -> Any:
        kind = numba.types.void(numba.types.CPointer(numba.types.int64))
        return numba.cfunc(kind, cache=keep)(module.kernel)

    name = np.dtype(char).name
    return kernel_store.compiled(
        _SOURCE.format(digest=digest(), name=name), f"gemm_{name}", make
    )
