"""Plan: every address and size that a replay needs, worked out once.

The plan is a list of steps. Kernels and products are rows of one table of whole
numbers, (address of the code, sizes, address and row stride of each operand), walked by
compiled code; what is left to NumPy or to Python is a step of its own between two
stretches of the table.

Read next: `pointers.py`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

import numpy as np

from minigrad.compiler import kernel_text, products
from minigrad.compiler.fuse import Unit
from minigrad.compiler.place import Place, Places
from minigrad.compiler.schedule import Arena, lifetimes
from minigrad.compiler.value_builder import Shape, Val, strides_of
from minigrad.engine.primitives import TABLE

FEW = 2  # entries
LIVE = ("argument", "leaf", "gradient")
Get = Callable[[Any], np.ndarray]  # from a call's values, an operand


class Plan:
    """What a replay does, and the memory it does it in.

    steps    ("table", first, last): rows of the table; or ("call", function): a
             function of the call's values
    table    whole numbers; `starts` says where in it each row begins
    live     {number of a program's value: [(place in the table, bytes to add)]}
    arena    the memory of all that is computed
    """

    def __init__(
        self,
        units: list[Unit],
        places: Places,
        results: list[Val],
        program: Any,
    ) -> None:
        self.program, self.places = program, places
        self.steps: list[tuple] = []
        self.live: dict[int, list[tuple[int, int]]] = {}
        self.kernels: dict[str, Any] = {}
        self.calls = 0
        self._numbers: list[int] = []
        self._starts: list[int] = []
        self._constants: dict[Any, np.ndarray] = {}
        self._kept: list[np.ndarray] = []  # the table knows their addresses
        self.flops = 0
        self.has_blas = False
        self._wanted_in_memory = _read_by_table(units)
        self._allocate(units, results)
        for unit in units:
            getattr(self, f"_{unit.op}")(unit)
        self.table = np.array(self._numbers, np.int64)
        self.starts = np.array(self._starts, np.int64)
        self.getters = [self._get(v) for v in results]

    # --------------------------------------------------------- memory

    def _allocate(self, units: list[Unit], results: list[Val]) -> None:
        first, last = lifetimes(units, self.places, results)
        begins: dict[int, list[Val]] = {}
        ends: dict[int, list[Val]] = {}
        for base, k in first.items():
            if self._has_memory(base):
                begins.setdefault(k, []).append(base)
                ends.setdefault(last.get(base, k), []).append(base)
        arena, offsets = Arena(), {}
        self.bytes_written = 0
        for k in range(len(units)):
            for base in begins.get(k, ()):
                offsets[base] = arena.take(_bytes(base))
                self.bytes_written += _bytes(base)
            for base in ends.get(k, ()):
                arena.give(offsets[base], _bytes(base))
        memory = np.zeros(arena.size + Arena.ALIGNED, np.uint8)
        skip = -memory.ctypes.data % Arena.ALIGNED
        self.arena = memory[skip : skip + arena.size]
        self._memory = {
            base: self.arena[at : at + _bytes(base)].view(base.dtype)
            for base, at in offsets.items()
        }
        self._begin = {b: a.ctypes.data for b, a in self._memory.items()}

    def _has_memory(self, base: Val) -> bool:
        if base.op in ("general", "part", "outside"):
            return base in self._wanted_in_memory
        return base.op not in (*LIVE, "constant", "full")

    def _static(self, value: Val) -> np.ndarray:
        """The array of a constant, or of one number in the place of many."""
        if value.op == "constant":
            found = self._constants.get(value)
            if found is None:
                array = self.program.values[value.attrs].array
                found = self._constants[value] = np.ascontiguousarray(array)
            return found
        key = value.attrs, value.dtype
        found = self._constants.get(key)
        if found is None or found.size < math.prod(value.shape):
            number = np.frombuffer(value.attrs, value.dtype)[0]
            found = self._constants[key] = np.full(math.prod(value.shape), number)
            self._kept.append(found)
        return found

    def _address(self, place: Place) -> tuple[int, int | None]:
        """Where a place begins, and the program's value that it is relative to."""
        base = place.base
        skip = place.offset * base.dtype.itemsize
        if base in self._begin:
            return self._begin[base] + skip, None
        if base.op in LIVE:
            return skip, base.attrs
        return self._static(base).ctypes.data + skip, None

    def _get(self, value: Val) -> Get:
        """A function that gives a value's array, from the values of a call."""
        if value.op == "full":
            number = np.frombuffer(value.attrs, value.dtype)[0]
            array = np.full(value.shape, number)
            return lambda live: array
        return self._at(value, self.places.find(value))

    def _at(self, value: Val, place: Place) -> Get:
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
        lead = place.offset * dtype.itemsize
        return lambda live: np.lib.stride_tricks.as_strided(
            live[key].reshape(-1)[lead // dtype.itemsize :], shape, steps
        )

    # --------------------------------------------------------- rows of the table

    def _row(self, code: Any, sizes: Sequence[int], operands: Sequence[Any]) -> None:
        """One row: sizes, then (address, row stride in bytes or entries) pairs."""
        if not self.steps or self.steps[-1][0] != "table":
            self.steps.append(("table", len(self._starts), len(self._starts)))
        self._starts.append(len(self._numbers))
        self._numbers += [code, *sizes]
        for place, stride in operands:
            address, live = self._address(place)
            if live is not None:
                self.live.setdefault(live, []).append((len(self._numbers), address))
                address = 0
            self._numbers += [address, stride]
        kind, first, last = self.steps[-1]
        self.steps[-1] = (kind, first, last + 1)

    def _call(self, function: Callable[[Any], None]) -> None:
        self.calls += 1
        self.steps.append(("call", function))

    def _kernel(self, unit: Unit) -> None:
        writes = [(v, place) for v in unit.kept for place in self.places.of[v]]
        members = _in_order(unit.members)
        if math.prod(members[0].shape) <= FEW and len(members) <= 4 * FEW:
            self._call(self._by_numpy(members, writes))
        else:
            self._fused(members, writes)

    def _by_numpy(
        self, members: list[Val], writes: list[tuple[Val, Place]]
    ) -> Callable[[Any], None]:
        """A few numbers, such as a loss: not worth a kernel of their own."""
        own = set(members)
        gets = {a: self._get(a) for v in members for a in v.args if a not in own}
        stores = [(v, self._at(v, place)(())) for v, place in writes]
        functions = {v: value_of(v) for v in members}

        def compute(live: Any) -> None:
            known = {a: get(live) for a, get in gets.items()}
            for v, function in functions.items():
                known[v] = function(*[known[a] for a in v.args])
            for v, out in stores:
                np.copyto(out, known[v])

        return compute

    def _fused(self, members: list[Val], writes: list[tuple[Val, Place]]) -> None:
        """Rows for a group of elementwise values, stored at these places."""
        shape = members[-1].shape
        reads: dict[Val, tuple[Place, Shape]] = {}
        for value in members:
            for a in value.args:
                if a not in members and a not in reads:
                    reads[a] = self._operand(a, shape)
        strides = [steps for _, steps in reads.values()]
        strides += [place.strides for _, place in writes]
        outer, rows, n = _collapsed(shape, strides)
        inner = {a: _inner(steps, n) for a, (_, steps) in reads.items()}
        found = kernel_text.written(
            members, lambda a: _is_same(a, inner[a], n), [v for v, _ in writes]
        )
        code = self.kernels.get(found.text)
        if code is None:
            code = self.kernels[found.text] = kernel_text.compiled(found.text)
        operands = [(p, p.strides, v.dtype) for v, p in writes]
        operands += [(*reads[read.value], read.value.dtype) for read in found.reads]
        for indices in product(*[range(n) for n, _ in outer]):
            row = []
            for place, steps, dtype in operands:
                skip = sum(
                    [
                        i * steps[axis]
                        for i, (_, axis) in zip(indices, outer, strict=True)
                    ]
                )
                moved = Place(place.base, place.offset + skip, place.strides)
                step = 0 if rows.axis is None else steps[rows.axis]
                row.append((moved, step * dtype.itemsize))
            self._row(code.address, (rows.length, n.length), row)

    def _operand(self, a: Val, shape: Shape) -> tuple[Place, Shape]:
        """Where an operand is, and its strides along the axes of the result."""
        if a.op == "full" and a.shape != shape:
            return Place(a, 0, ()), (0,) * len(shape)
        if a.op == "full":  # a state at its start: memory, as at the other steps
            return Place(a, 0, ()), strides_of(shape)
        place = self.places.find(a)
        lead = len(shape) - len(a.shape)
        steps = [
            0 if n == 1 else s for n, s in zip(a.shape, place.strides, strict=True)
        ]
        return place, (0,) * lead + tuple(steps)

    def _dot(self, unit: Unit) -> None:
        [value] = unit.members
        left, right = value.args
        (m, n), k = value.shape, left.shape[0 if value.attrs[0] else 1]
        self.flops += 2 * m * n * k
        [place] = self.places.of[value]
        gemm = products.address(value.dtype.char)
        if gemm is None:
            self._call(self._matmul(value, place))
            return
        self.has_blas = True
        flips = [112 if flip else 111 for flip in value.attrs]
        operands = []
        for x, spot in ((left, None), (right, None), (value, place)):
            spot = spot or self.places.find(x)
            rows, columns = x.shape
            operands.append((spot, spot.strides[0] if rows > 1 else columns))
        code = products.kernel(value.dtype.char)
        self._row(code.address, (gemm, *flips, m, n, k), operands)

    def _matmul(self, value: Val, place: Place) -> Callable[[Any], None]:
        left, right = (self._get(a) for a in value.args)
        flip_left, flip_right = value.attrs
        out = self._get(value)(())

        def multiply(live: Any) -> None:
            a, b = left(live), right(live)
            a, b = a.T if flip_left else a, b.T if flip_right else b
            np.matmul(a, b, out=out)

        return multiply

    def _concat(self, unit: Unit) -> None:
        """The parts that are not written in place are copied."""
        for part, place in self.places.copies[unit.members[0]]:
            copied = Val("elementwise", (part,), "copy", part.shape, part.dtype)
            self._fused([copied], [(copied, place)])

    # --------------------------------------------------------- calls of Python

    def _transposed(self, unit: Unit) -> None:
        [value] = unit.members
        source, out = self._get(value.args[0]), self._get(value)(())
        self._call(lambda live: np.copyto(out, source(live).T))

    def _sum(self, unit: Unit) -> None:
        [value] = unit.members
        source, out, axes = self._get(value.args[0]), self._get(value)(()), value.attrs
        if value.shape:
            self._call(lambda live: _into(np.add.reduce, source(live), axes, out))
        else:
            self._call(lambda live: np.copyto(out, np.add.reduce(source(live), axes)))

    def _general(self, unit: Unit) -> None:
        [value] = unit.members
        name, attrs = value.attrs
        options = dict(attrs)
        self._function(value, TABLE[name].value, options)

    def _outside(self, unit: Unit) -> None:
        [value] = unit.members
        self._function(value, self.program.entries[value.attrs].function, {})

    def _function(self, value: Val, function: Callable, options: dict) -> None:
        """A function of arrays; its results stay among the call's values."""
        sources = [self._get(a) for a in value.args]
        parts = self._parts.get(value, [])
        if value.op == "general" and not parts:
            parts = [(None, value)]
        keep = []
        for k, part in parts:
            kept = part in self._memory
            keep.append((k, part, self._get(part)(()) if kept else None))

        def run(live: Any) -> None:
            made = function(*[get(live) for get in sources], **options)
            for k, part, out in keep:
                found = made if k is None or type(made) is not tuple else made[k]
                if out is None:
                    live[part] = by_rows(np.asarray(found))
                else:
                    np.copyto(out, found)

        self._call(run)

    def _part(self, unit: Unit) -> None:
        """Made by the unit of the whole."""

    @property
    def _parts(self) -> dict[Val, list[tuple[int | None, Val]]]:
        return self.places.parts


# ------------------------------------------------------------- loops of a kernel


class Loop(tuple):
    """(length, axis) of a loop; axis None: it runs once."""

    __slots__ = ()

    @property
    def length(self) -> int:
        """How often it runs."""
        return self[0]

    @property
    def axis(self) -> int | None:
        """The axis whose strides it follows."""
        return self[1]


def _collapsed(
    shape: Shape, strides: Sequence[Shape]
) -> tuple[list[tuple[int, int]], Loop, Loop]:
    """The axes of an elementwise kernel as few loops: outer ones, rows, entries.

    Neighbouring axes are one loop if every operand goes through them evenly. The
    innermost loop is along entries that lie side by side, or are the same.
    """
    loops: list[tuple[int, int]] = []  # (length, axis), innermost last
    for axis, n in enumerate(shape):
        if n == 1:
            continue
        if loops:
            before, k = loops[-1]
            if all([s[k] == s[axis] * n for s in strides]):
                loops[-1] = (before * n, axis)
                continue
        loops.append((n, axis))
    if not loops:
        return [], Loop((1, None)), Loop((1, None))
    length, axis = loops[-1]
    if any([s[axis] not in (0, 1) for s in strides]):
        return loops[:-1], Loop((length, axis)), Loop((1, None))
    rows = Loop(loops[-2]) if len(loops) > 1 else Loop((1, None))
    return loops[:-2], rows, Loop((length, axis))


def _is_same(a: Val, step: int, loop: Loop) -> bool:
    """Is an operand one entry for a whole row?"""
    return step == 0 and (loop.length > 1 or (a.op == "full" and a.shape == ()))


def _inner(steps: Shape, loop: Loop) -> int:
    return 0 if loop.axis is None else steps[loop.axis]


def _in_order(members: list[Val]) -> list[Val]:
    """By time of recording, if that is an order in which operands come first: it is the
    same at every time step."""
    found = sorted(members, key=lambda v: v.seq)
    place = {v: k for k, v in enumerate(found)}
    for k, value in enumerate(found):
        if any([place.get(a, -1) > k for a in value.args]):
            return members
    return found


def by_rows(array: np.ndarray) -> np.ndarray:
    """The array, laid out row by row as the plan takes it to be."""
    if array.flags.c_contiguous and array.flags.aligned:
        return array
    return np.array(array, order="C")


def _into(reduce: Any, x: np.ndarray, axes: Shape, out: np.ndarray) -> None:
    reduce(x, axis=axes, out=out)


def value_of(value: Val) -> Callable[..., Any]:
    """An elementwise value's operation as a function of arrays."""
    if value.attrs == "copy":
        return lambda x: x
    if value.attrs == "astype":
        return lambda x: x.astype(value.dtype)
    return TABLE[value.attrs].value


def _read_by_table(units: list[Unit]) -> set[Val]:
    """What functions made, and kernels or products read from memory."""
    found = set()
    for unit in units:
        if unit.op not in ("general", "outside", "part"):
            found |= {a.root for a in unit.inputs}
    return found


def _bytes(value: Val) -> int:
    return math.prod(value.shape) * value.dtype.itemsize
