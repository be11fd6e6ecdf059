"""Execute: a plan, run with the numbers of a call.

Read next: `optimized.py`.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from minigrad.compiler.kernel_text import digest
from minigrad.compiler.plan import Plan
from minigrad.compiler.plan_memory import by_rows
from minigrad.engine.kernels import kernel_store
from minigrad.engine.quiet import quietly

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


class Execution:
    """A plan with its table: `run(live)` computes everything once more."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._walk = walker()
        self._table, self._starts = plan.table.ctypes.data, plan.starts.ctypes.data
        self._live = [
            (
                number,
                np.array([at for at, _ in spots], np.intp),
                np.array([add for _, add in spots], np.int64),
            )
            for number, spots in plan.live.items()
        ]
        self._last: dict[int, int] = {}

    def run(self, live: dict[Any, Any]) -> list[np.ndarray]:
        """The arrays of the results.

        live  the program's values from outside, by number; what functions of Python
              make is filled in, by value
        """
        plan, table = self.plan, self.plan.table
        for number, array in live.items():
            live[number] = by_rows(array)
        for number, at, add in self._live:
            array = live[number]
            address = array.ctypes.data
            if self._last.get(number) != address:
                table[at] = address + add
                self._last[number] = address
        with quietly():
            for step in plan.steps:
                if step[0] == "table":
                    self._walk(self._table, self._starts, step[1], step[2])
                else:
                    step[1](live)
        return [get(live) for get in plan.getters]
