"""Where an array's numbers are: at a tenth of the price of `array.ctypes.data`.

A call of a compiled function asks this of every array that is another one than last
time. NumPy's way makes several objects for it. An array is a C struct whose first
member, after what every Python object begins with, is that address, and NumPy promises
not to change this: https://numpy.org/doc/stable/reference/c-api/types-and-structures.html
(`PyArrayObject`). It is compared with NumPy's own answer once, before it is trusted.

Read next: `execute.py`.
"""

from __future__ import annotations

from ctypes import c_void_p
from typing import Any

import numpy as np

_FIRST = object.__basicsize__  # bytes that every object begins with
_at: Any = c_void_p.from_address


def _by_struct(array: np.ndarray) -> int:
    """The address of an array's first number."""
    return _at(id(array) + _FIRST).value or 0


def _by_numpy(array: np.ndarray) -> int:
    """The same, as NumPy says it."""
    return array.ctypes.data


def is_trusted() -> bool:
    """Does the struct say what NumPy says, of arrays of several kinds?"""
    whole = np.arange(24.0).reshape(4, 6)
    kinds = [whole, whole[1:, 2:], whole.T[3], np.array(1.0), np.empty((0, 3), "f")]
    return all([_by_struct(array) == array.ctypes.data for array in kinds])


address_of = _by_struct if is_trusted() else _by_numpy
