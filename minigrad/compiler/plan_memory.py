"""Where the numbers of a plan are: one stretch of memory, constants, and live arrays.

What is computed lies in the arena, where values share memory if one is needed no more
when the other begins. Constants lie where they were recorded. Arguments, parameters and
gradients lie elsewhere in every call: an address is relative to them.

Read next: `kernel_loops.py`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.compiler.fuse import Unit
from minigrad.compiler.place import Place, Places
from minigrad.compiler.schedule import Arena, lifetimes
from minigrad.compiler.value_form import Val, strides_of

LIVE = ("argument", "leaf", "gradient")
Get = Callable[[Any], np.ndarray]  # from a call's values, an operand


class Memory:
    """The memory of a plan.

    arena    the bytes of all that is computed
    written  how many bytes a replay writes to it in all
    places   where each value lies, in which other one's memory
    """

    def __init__(
        self, units: list[Unit], places: Places, results: list[Val], program: Any
    ) -> None:
        self.places, self._program = places, program
        self._constants: dict[Any, np.ndarray] = {}
        self._kept: list[np.ndarray] = []  # the table knows their addresses
        self._read = _read_by_table(units)
        first, last = lifetimes(units, places, results)
        begins: dict[int, list[Val]] = {}
        ends: dict[int, list[Val]] = {}
        for base, k in first.items():
            if self._has_memory(base):
                begins.setdefault(k, []).append(base)
                ends.setdefault(last.get(base, k), []).append(base)
        arena, offsets = Arena(), {}
        self.written = 0
        for k in range(len(units)):
            for base in begins.get(k, ()):
                offsets[base] = arena.take(_bytes(base))
                self.written += _bytes(base)
            for base in ends.get(k, ()):
                arena.give(offsets[base], _bytes(base))
        memory = np.zeros(arena.size + Arena.ALIGNED, np.uint8)
        skip = -memory.ctypes.data % Arena.ALIGNED
        self.arena = memory[skip : skip + arena.size]
        self._memory = {
            base: self.arena[at : at + _bytes(base)].view(base.dtype)
            for base, at in offsets.items()
        }
        start = self.arena.ctypes.data
        self._begin = {base: start + at for base, at in offsets.items()}

    def _has_memory(self, base: Val) -> bool:
        if base.op in ("general", "part", "outside"):
            return base in self._read
        return base.op not in (*LIVE, "constant", "full")

    def let_go(self) -> None:
        """Forget the places. The arrays stay, as a plan's table has their addresses."""
        self._kept += self._constants.values()
        self._constants, self._memory, self._begin, self._read = {}, {}, {}, set()
        del self.places

    def holds(self, value: Val) -> bool:
        """Does the value have memory of its own in the arena?"""
        return value in self._memory

    def _static(self, value: Val) -> np.ndarray:
        """The array of a constant, or of one number in the place of many."""
        if value.op == "constant":
            found = self._constants.get(value)
            if found is None:
                array = self._program.values[value.attrs].array
                found = self._constants[value] = np.ascontiguousarray(array)
            return found
        key = value.attrs, value.dtype
        found = self._constants.get(key)
        if found is None or found.size < math.prod(value.shape):
            number = np.frombuffer(value.attrs, value.dtype)[0]
            found = self._constants[key] = np.full(math.prod(value.shape), number)
            self._kept.append(found)
        return found

    def address(self, place: Place) -> tuple[int, int | None]:
        """Where a place begins, and the program's value that it is relative to."""
        base = place.base
        skip = place.offset * base.dtype.itemsize
        if base in self._begin:
            return self._begin[base] + skip, None
        if base.op in LIVE:
            return skip, base.attrs
        return self._static(base).ctypes.data + skip, None

    def get(self, value: Val) -> Get:
        """A function that gives a value's array, from the values of a call."""
        if value.op == "full":
            number = np.frombuffer(value.attrs, value.dtype)[0]
            array = np.full(value.shape, number)
            return lambda live: array
        return self.at(value, self.places.find(value))

    def at(self, value: Val, place: Place) -> Get:
        """The same, for one of a value's places."""
        base = place.base
        shape, dtype = value.shape, value.dtype
        steps = tuple([s * dtype.itemsize for s in place.strides])
        if base in self._memory or base.op == "constant":
            whole = self._memory.get(base)
            if whole is None:
                whole = self._static(base)
            skip = place.offset * dtype.itemsize
            fixed = np.ndarray(shape, dtype, whole.reshape(-1), skip, steps)
            return lambda live: fixed
        key = base.attrs if base.op in LIVE else base
        plain = place.offset == 0 and place.strides == strides_of(base.shape)
        if plain and shape == base.shape:
            return lambda live: live[key]
        return lambda live: np.lib.stride_tricks.as_strided(
            live[key].reshape(-1)[place.offset :], shape, steps
        )


def by_rows(array: np.ndarray) -> np.ndarray:
    """The array, laid out row by row as the plan takes it to be."""
    if array.flags.c_contiguous and array.flags.aligned:
        return array
    return np.array(array, order="C")


def _read_by_table(units: list[Unit]) -> set[Val]:
    """What functions made, and kernels or products read from memory."""
    found = set()
    for unit in units:
        if unit.op not in ("general", "outside", "part"):
            found |= {a.root for a in unit.inputs}
    return found


def _bytes(value: Val) -> int:
    return math.prod(value.shape) * value.dtype.itemsize
