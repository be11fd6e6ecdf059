"""The update of all parameters in one go, for a compiled training step.

A replay of `optimizer.step()` is one call of this function. Each parameter goes through
the optimiser's kernel, however small it is: calls of NumPy would take most of the time.
Nothing is written over: the state becomes new dicts and arrays, so a replay that fails
later puts the old ones back without having copied them.

Read next: `minigrad/reading/` (questions asked of a recorded graph).
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from ctypes import addressof
from operator import is_
from typing import Any

import numpy as np
from numpy import ndarray

from minigrad.nn.optim.update_kernel import row_kernel


class Together:
    """(p of all, then g of all) -> the new p of all; the optimiser's state follows.

    optimizer  whose state and settings it reads in each call
    which      the numbers of the parameters
    by_numpy   without a kernel: the optimiser has an `update` of its own
    """

    def __init__(self, optimizer: Any, which: Sequence[int], by_numpy: bool) -> None:
        self._optimizer, self._which, self._by_numpy = optimizer, which, by_numpy
        self._rows = {k: _Row() for k in which}
        self.__qualname__ = f"{type(optimizer).__name__}.step"  # for pictures
        self._kernels: dict[tuple, Callable[[int], None]] = {}

    def __call__(self, *arrays: ndarray) -> tuple[ndarray, ...]:
        """Raises what `optimizer.update` raises; then nothing has changed."""
        optimizer, count = self._optimizer, len(self._which)
        state = list(optimizer.state)
        switches = tuple([bool(getattr(optimizer, n)) for n in optimizer.settings])
        known: dict[tuple, tuple] = {}
        made = []
        for place, k in enumerate(self._which):
            p, g = arrays[place], arrays[count + place]
            before = state[k] or optimizer.begun(p)
            step = before["step"] + 1
            if self._by_numpy or p.dtype.char not in "fd":
                after = {
                    name: v.copy() if isinstance(v, ndarray) else v
                    for name, v in before.items()
                }
                after["step"] = step
                made.append(optimizer.by_numpy(p, g, after))
            else:
                key = p.dtype.char, step
                if key not in known:
                    known[key] = self._kernel(*key, switches)
                kept = [before[slot] for slot in optimizer.slots]
                new, *later = self._rows[k].run(p, g, kept, *known[key])
                after = {"step": step, **dict(zip(optimizer.slots, later, strict=True))}
                made.append(new)
            state[k] = after
        optimizer.state = state
        return tuple(made)

    def _kernel(
        self, char: str, step: int, switches: tuple[bool, ...]
    ) -> tuple[Callable[[int], None], Sequence[float]]:
        """The kernel of the formula as it stands, and its numbers for this step."""
        optimizer = self._optimizer
        given = optimizer.numbers(step)
        step = min(step, 2)  # a formula may have a first step of its own
        found = self._kernels.get((char, step, switches))
        if found is None:
            found = self._kernels[char, step, switches] = row_kernel(
                lambda p, g, kept, given: optimizer.formula(p, g, kept, given, step),
                len(optimizer.slots),
                len(given),
                char,
                apart=True,
            )
        return found, given


class _Row:
    """The kernel's row for one parameter, and memory for the state after the next step.

    Two sets of arrays take turns: what was there before a step is written over in the
    next one. Only if the state is another than this left behind (it is the first step,
    a state was loaded, or a step failed and was undone) there are new sets.
    """

    def __init__(self) -> None:
        self._now: list[ndarray] | None = None
        self._new: Any = None
        self._g: Any = None
        self._address = 0  # of the new p
        # A row, its address, and the arrays of the state that it reads.
        self._turn: tuple[ndarray, int, list[ndarray]]
        self._other: tuple[ndarray, int, list[ndarray]]
        self._p = 0  # where in a row p's address is

    def run(
        self,
        p: ndarray,
        g: ndarray,
        kept: list[ndarray],
        kernel: Callable[[int], None],
        numbers: Sequence[float],
    ) -> tuple[ndarray, ...]:
        """The new p, and what is kept then."""
        now = self._now
        if now is None or not all(map(is_, now, kept)) or len(now) != len(kept):
            self._begin(p, kept, len(numbers))
        self._numbers[:] = numbers
        row, at, _ = self._turn
        new = np.empty(p.shape, p.dtype)
        address = row[2] = _address_of(new)
        if p is not self._new:
            p = np.ascontiguousarray(p)
            row[self._p] = p.ctypes.data
        else:
            row[self._p] = self._address
        if g is not self._g:
            self._g = g = np.ascontiguousarray(g)
            row[self._p + 2] = self._other[0][self._p + 2] = _address_of(g)
        kernel(at)
        self._new, self._address = new, address
        self._turn, self._other = self._other, self._turn
        self._now = self._turn[2]
        return new, *self._now

    def _begin(self, p: ndarray, kept: list[ndarray], count: int) -> None:
        """Two rows: from what is kept now to other arrays, and back."""
        other = [np.empty(p.shape, p.dtype) for _ in kept]
        self._p, self._g = 4 + 2 * len(kept), None
        self._numbers = np.zeros(count, p.dtype)
        turns = []
        for before, after in ((kept, other), (other, kept)):
            row = [1, p.size, 0, 0]
            row += [n for array in before for n in (array.ctypes.data, 0)]
            row += [0, 0, 0, 0, self._numbers.ctypes.data, 0]
            row += [n for array in after for n in (array.ctypes.data, 0)]
            table = np.array(row, np.int64)
            turns.append((table, table.ctypes.data, before))
        self._turn, self._other = turns


_in_memory: Any = ctypes.c_char.from_buffer


def _address_of(array: ndarray) -> int:
    """Where its entries are: at a quarter of the price of `array.ctypes.data`."""
    try:
        return addressof(_in_memory(array))
    except (TypeError, ValueError, BufferError):  # read-only, or empty
        return array.ctypes.data
