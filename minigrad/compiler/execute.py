"""Execute: a plan, run with the numbers of a call.

Read next: `optimized.py`.
"""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from minigrad.compiler.addresses import address_of
from minigrad.compiler.kernel_text import digest
from minigrad.compiler.plan import Plan
from minigrad.compiler.plan_memory import by_rows
from minigrad.engine.kernels import kernel_store
from minigrad.engine.quiet import quietly

FEW = 20  # numbers of a table: one by one they are written faster than by an index

_SOURCE = """# functions {digest}
from minigrad.compiler.pointers import *


def walk(table, starts, first, last):
    where = pointer_int64(starts)
    for k in range(first, last):
        row = table + 8 * where[k]
        call(pointer_int64(row)[0], pointer_int64(row + 8))
"""


@cache
def walker() -> Any:
    """walk(table, starts, first, last): the rows of a table, one after the other.

    table, starts  addresses of the two arrays
    """
    import numba

    def make(module: Any, keep: bool) -> Any:
        kind = numba.types.void(*[numba.types.int64] * 4)
        return numba.njit([kind], cache=keep)(module.walk)

    return kernel_store.compiled(_SOURCE.format(digest=digest()), "walk", make)


class Pointer:
    """Where in the table the address of one array of the call belongs.

    kept  does a tensor hold the array? Then an array that was met before lies where it
          lay; a user's own may have been resized
    """

    def __init__(self, spots: Sequence[tuple[int, int]], kept: bool) -> None:
        self._spots, self._kept = spots, kept
        self._at = np.array([at for at, _ in spots], np.intp)
        self._add = np.array([add for _, add in spots], np.int64)
        self._last: Any = int  # makes no array

    def set(self, table: np.ndarray, array: np.ndarray) -> None:
        """Write the array's address to all its places."""
        if self._last() is array:
            return
        address = address_of(array)
        if len(self._spots) <= FEW:
            for at, add in self._spots:
                table[at] = address + add
        else:
            table[self._at] = address + self._add
        if self._kept:
            self._last = weakref.ref(array)


class Execution:
    """A plan with its table: `run(live)` computes everything once more."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._walk = walker()
        self._table, self._starts = plan.table.ctypes.data, plan.starts.ctypes.data
        values = plan.program.values
        self._pointers = [
            (number, Pointer(spots, values[number].kind != "argument"))
            for number, spots in plan.live.items()
        ]

    def run(self, live: dict[Any, Any]) -> list[np.ndarray]:
        """The arrays of the results.

        live  the program's values from outside, by number; what functions of Python
              make is filled in, by value
        """
        plan = self.plan
        for number, array in live.items():
            if array.flags.num & 0x101 != 0x101:  # contiguous and aligned
                live[number] = by_rows(array)
        for number, pointer in self._pointers:
            pointer.set(plan.table, live[number])
        with quietly():
            for step in plan.steps:
                if step[0] == "table":
                    self._walk(self._table, self._starts, step[1], step[2])
                else:
                    step[1](live)
        return [get(live) for get in plan.getters]
