"""The update of all parameters in one go, for a compiled training step.

A replay of `optimizer.step()` is one call of this function. It makes a table with a row
for each parameter, and walks it as the plan of a compiled step is walked: each
parameter goes through the optimiser's kernel, however small it is, as calls of NumPy
would take most of the time. Nothing is written over: the state becomes new dicts and
arrays, so a replay that fails later puts the old ones back without having copied them.

Read next: `minigrad/reading/` (questions asked of a recorded graph).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy import ndarray

from minigrad.compiler.addresses import address_of
from minigrad.nn.optim.update_kernel import row_kernel

_HEAD = 3  # of a row: the kernel's address, 1, the number of entries


class Together:
    """(p of all, then g of all) -> the new p of all; the optimiser's state follows.

    optimizer  whose state and settings it reads in each call
    which      the numbers of the parameters
    by_numpy   without a kernel: the optimiser has an `update` of its own
    """

    def __init__(self, optimizer: Any, which: Sequence[int], by_numpy: bool) -> None:
        self._optimizer, self._by_numpy = optimizer, by_numpy
        self._rows = [(k, _Row()) for k in which]
        self.__qualname__ = f"{type(optimizer).__name__}.step"  # for pictures
        self._kernels: dict[tuple[Any, ...], int] = {}
        self._numbers: dict[tuple[Any, ...], tuple[ndarray, int]] = {}
        self._where = np.zeros(len(which), np.int64)
        self._starts = address_of(self._where)

    def __call__(self, *arrays: ndarray) -> tuple[ndarray, ...]:
        """Raises what `optimizer.update` raises; then nothing has changed."""
        optimizer, count = self._optimizer, len(self._rows)
        state = list(optimizer.state)
        switches = tuple([bool(getattr(optimizer, n)) for n in optimizer.settings])
        known: dict[tuple[Any, ...], tuple[int, int]] = {}
        made, filled = [], 0
        for place, (k, row) in enumerate(self._rows):
            p, g = arrays[place], arrays[count + place]
            before = state[k] or optimizer.begun(p)
            step = before["step"] + 1
            char = p.dtype.char
            if self._by_numpy or char not in "fd":
                after = {
                    name: v.copy() if isinstance(v, ndarray) else v
                    for name, v in before.items()
                }
                after["step"] = step
                made.append(optimizer.by_numpy(p, g, after))
                state[k] = after
                continue
            key = char, step
            if key not in known:
                known[key] = self._kernel(char, step, switches, len(known))
            new, spot, later = row.ready(p, g, before, optimizer.slots, *known[key])
            self._where[filled] = spot
            filled += 1
            made.append(new)
            state[k] = {"step": step, **later}
        if filled:
            self._walk(0, self._starts, 0, filled)
        optimizer.state = state
        return tuple(made)

    def _kernel(
        self, char: str, step: int, switches: tuple[bool, ...], number: int
    ) -> tuple[int, int]:
        """The addresses of the formula's kernel as it stands, and of its numbers for
        this step.

        number  how many others of its kind this call has had: each has its own memory
        """
        optimizer = self._optimizer
        given = optimizer.numbers(step)
        step = min(step, 2)  # a formula may have a first step of its own
        code = self._kernels.get((char, step, switches))
        if code is None:
            from minigrad.compiler.execute import walker

            self._walk = walker()
            code = self._kernels[char, step, switches] = row_kernel(
                lambda p, g, kept, given: optimizer.formula(p, g, kept, given, step),
                len(optimizer.slots),
                len(given),
                char,
                apart=True,
            )
        found = self._numbers.get((char, number, len(given)))
        if found is None:
            array = np.zeros(len(given), char)
            found = self._numbers[char, number, len(given)] = array, address_of(array)
        for k, number in enumerate(given):  # a tuple as a whole takes NumPy longer
            found[0][k] = number
        return code, found[1]


class _Row:
    """A row of the table, and memory for the state after the next step.

    Two sets of arrays take turns: what was there before a step is written over in the
    next one. Only if the state is another than this left behind (it is the first step,
    a state was loaded, or a step failed and was undone) there are new sets.
    """

    def __init__(self) -> None:
        self._slots: Sequence[str] | None = None
        self._new: Any = None
        self._g: Any = None
        self._address = 0  # of the new p
        # A row, where it is, and the arrays of the state that it reads, by slot.
        self._turn: tuple[ndarray, int, dict[str, ndarray]]
        self._other: tuple[ndarray, int, dict[str, ndarray]]
        self._p = 0  # where in a row p's address is

    def ready(
        self,
        p: ndarray,
        g: ndarray,
        state: dict[str, Any],
        slots: Sequence[str],
        code: int,
        numbers: int,
    ) -> tuple[ndarray, int, dict[str, ndarray]]:
        """The array for the new p, where the row is that fills it, and the arrays of
        the state that it fills, by slot."""
        if slots is not self._slots or not self._is_own(state):
            self._begin(p, state, slots)
        row, spot, _ = self._turn
        at = self._p
        new = np.empty(p.shape, p.dtype)
        row[0], row[at + 4] = code, numbers
        row[_HEAD] = address = address_of(new)
        if p is not self._new:
            self._old = p = np.ascontiguousarray(p)
            row[at] = address_of(p)
        else:
            row[at] = self._address
        if g is not self._g:
            self._g = g = np.ascontiguousarray(g)
            row[at + 2] = self._other[0][at + 2] = address_of(g)
        self._new, self._address = new, address
        self._turn, self._other = self._other, self._turn
        return new, spot, self._turn[2]

    def _is_own(self, state: dict[str, Any]) -> bool:
        """Are the arrays of the state those that the last step filled?"""
        for slot, array in self._turn[2].items():
            if state[slot] is not array:
                return False
        return True

    def _begin(self, p: ndarray, state: dict[str, Any], slots: Sequence[str]) -> None:
        """Two rows: from what is kept now to other arrays, and back."""
        kept = [state[slot] for slot in slots]
        other = [np.empty(p.shape, p.dtype) for _ in kept]
        self._slots, self._g = slots, None
        self._p = _HEAD + 2 + 2 * len(kept)
        turns = []
        for before, after in ((kept, other), (other, kept)):
            row = [0, 1, p.size, 0, 0]
            row += [n for array in before for n in (address_of(array), 0)]
            row += [0, 0, 0, 0, 0, 0]
            row += [n for array in after for n in (address_of(array), 0)]
            table = np.array(row, np.int64)
            by_slot = dict(zip(slots, before, strict=True))
            turns.append((table, address_of(table) // 8, by_slot))
        self._turn, self._other = turns
