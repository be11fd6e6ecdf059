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

from minigrad.compiler import (
    kernel_text,
    packed_product,
    products,
    python_calls,
    sum_kernels,
)
from minigrad.compiler.fuse import Unit
from minigrad.compiler.kernel_loops import collapsed, in_order, inner_step, is_same
from minigrad.compiler.pack import panels_of
from minigrad.compiler.place import Place, Places
from minigrad.compiler.plan_memory import Memory
from minigrad.compiler.value_form import Shape, Val, strides_of
from minigrad.engine.primitives import TABLE

FEW = 2  # entries


class Plan:
    """What a replay does, and the memory it does it in.

    steps    ("table", first, last): rows of the table; or ("call", function): a
             function of the call's values
    table    whole numbers; `starts` says where in it each row begins
    live     {number of a program's value: [(place in the table, bytes to add)]}
    memory   of all that is computed
    products  how many matrix products there are
    """

    def __init__(
        self,
        units: list[Unit],
        places: Places,
        results: list[Val],
        program: Any,
    ) -> None:
        self.program, self.places = program, places
        self.steps: list[tuple[Any, ...]] = []
        self.live: dict[int, list[tuple[int, int]]] = {}
        self.kernels: dict[str, Any] = {}
        self._kinds: dict[tuple[Any, ...], tuple[Any, list[int]]] = {}
        self.calls = 0
        self._numbers: list[int] = []
        self._starts: list[int] = []
        self.flops = 0
        self.others = 0  # rows that are no fused kernels
        self.memory = Memory(units, places, results, program)
        for unit in units:
            getattr(self, f"_{unit.op}")(unit)
        self.table = np.array(self._numbers, np.int64)
        self.starts = np.array(self._starts, np.int64)
        self.getters = [self.memory.get(v) for v in results]
        self.products = sum(unit.op in ("dot", "packed_dot") for unit in units)

    def let_go(self) -> None:
        """Forget where each value lies: the table knows."""
        self._numbers, self._starts, self._kinds = [], [], {}
        self.memory.let_go()
        del self.places

    # --------------------------------------------------------- rows of the table

    def _row(self, code: Any, sizes: Sequence[int], operands: Sequence[Any]) -> None:
        """One row: sizes, then (address, row stride in bytes or entries) pairs."""
        if not self.steps or self.steps[-1][0] != "table":
            self.steps.append(("table", len(self._starts), len(self._starts)))
        self._starts.append(len(self._numbers))
        self._numbers += [code, *sizes]
        for place, stride in operands:
            address, live = self.memory.address(place)
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
        members = in_order(unit.members)
        if math.prod(members[0].shape) <= FEW and len(members) <= 4 * FEW:
            self._call(python_calls.by_numpy(self.memory, members, writes))
        else:
            self._fused(members, writes)

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
        outer, rows, n = collapsed(shape, strides)
        inner = {a: inner_step(steps, n) for a, (_, steps) in reads.items()}
        spots = {(place, v.dtype): k for k, (v, place) in enumerate(writes)}
        over = {
            a: spots[place._replace(strides=steps), a.dtype]
            for a, (place, steps) in reads.items()
            if (place._replace(strides=steps), a.dtype) in spots and a.shape == shape
        }
        same = {a: is_same(a, inner[a], n) for a in reads}
        code, taken = self._code(members, same, [v for v, _ in writes], over)
        operands = [(p, p.strides, v.dtype) for v, p in writes]
        operands += [(*reads[a], a.dtype) for a in taken]
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

    def _code(
        self,
        members: list[Val],
        same: dict[Val, bool],
        writes: list[Val],
        over: dict[Val, int],
    ) -> tuple[Any, list[Val]]:
        """The kernel of a group, and the operands that it reads, in its order.

        Groups of other time steps do the same with other values: the text is written
        for the first one.
        """
        kind = kernel_text.kind_of(members, same, writes, over)
        operands = list(same)
        known = self._kinds.get(kind)
        if known is None:
            found = kernel_text.written(members, same.__getitem__, writes, over)
            code = self.kernels.get(found.text)
            if code is None:
                code = self.kernels[found.text] = kernel_text.compiled(found.text)
            places = {a: k for k, a in enumerate(operands)}
            known = code, [places[read.value] for read in found.reads]
            self._kinds[kind] = known
        return known[0], [operands[k] for k in known[1]]

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
            self._call(python_calls.product(self.memory, value))
            return
        self.others += 1
        flips = [112 if flip else 111 for flip in value.attrs]
        operands = []
        for x, spot in ((left, None), (right, None), (value, place)):
            spot = spot or self.places.find(x)
            rows, columns = x.shape
            operands.append((spot, spot.strides[0] if rows > 1 else columns))
        code = products.kernel(value.dtype.char)
        self._row(code.address, (gemm, *flips, m, n, k), operands)

    def _packed(self, unit: Unit) -> None:
        [value] = unit.members
        [matrix], flip = value.args, value.attrs
        (k, n) = matrix.shape[::-1] if flip else matrix.shape
        spot = self.places.find(matrix)
        down = spot.strides[0] if matrix.shape[0] > 1 else matrix.shape[1]
        char = value.dtype.char
        sizes = (n, k, panels_of(n, char), *((down, 1) if flip else (1, down)))
        operands = [(spot, 0), (self.places.of[value][0], 0)]
        self._row(packed_product.packing(char).address, sizes, operands)
        self.others += 1

    def _packed_dot(self, unit: Unit) -> None:
        [value] = unit.members
        left, packed = value.args
        (m, n), k = value.shape, left.shape[1]
        self.flops += 2 * m * n * k
        char, size = value.dtype.char, value.dtype.itemsize
        code = packed_product.kernel(char).address
        spots = self.places.find(left), self.places.of[value][0]
        steps = [
            spot.strides[0] if m > 1 else x.shape[1]
            for x, spot in zip((left, value), spots, strict=True)
        ]
        for first in range(0, m, packed_product.BLOCK):
            source, out = [
                (spot._replace(offset=spot.offset + first * step), step * size)
                for spot, step in zip(spots, steps, strict=True)
            ]
            sizes = (min(packed_product.BLOCK, m - first), n, k, panels_of(n, char))
            self._row(code, sizes, [source, (self.places.find(packed), 0), out])
            self.others += 1

    def _concat(self, unit: Unit) -> None:
        """The parts that are not written in place are copied."""
        for part, place in self.places.copies[unit.members[0]]:
            copied = Val("elementwise", (part,), "copy", part.shape, part.dtype)
            self._fused([copied], [(copied, place)])

    # --------------------------------------------------------- calls of Python

    def _transposed(self, unit: Unit) -> None:
        self._call(python_calls.transposed(self.memory, unit.members[0]))

    def _sum(self, unit: Unit) -> None:
        [value] = unit.members
        matrix, spot = value.args[0], self.places.find(value.args[0])
        size, out = value.dtype.itemsize, (self.places.of[value][0], 0)
        rows = sum_kernels.rows_of(value)
        beside = matrix.shape[-1:] == (1,) or spot.strides[-1:] == (1,)
        if rows is not None and _row_by_row(matrix.shape, spot.strides):
            operands = [(spot, rows[1] * size), out]
            code = sum_kernels.row_kernel(value.dtype.char)
            self._row(code.address, rows, operands)
        elif sum_kernels.fits(value) and beside:
            operands = [(spot, spot.strides[0] * size), out]
            code = sum_kernels.kernel(value.dtype.char)
            self._row(code.address, matrix.shape, operands)
        else:
            self._call(python_calls.total(self.memory, value))
            return
        self.others += 1

    def _general(self, unit: Unit) -> None:
        [value] = unit.members
        name, attrs = value.attrs
        entry, function = self.program.entries[value.seq], TABLE[name].value
        self._call(
            python_calls.function_of(self.memory, value, function, dict(attrs), entry)
        )

    def _outside(self, unit: Unit) -> None:
        [value] = unit.members
        entry = self.program.entries[value.attrs]
        self._call(
            python_calls.function_of(self.memory, value, entry.function, {}, entry)
        )

    def _part(self, unit: Unit) -> None:
        """Made by the unit of the whole."""


def _row_by_row(shape: Shape, strides: Shape) -> bool:
    """Do entries lie side by side, in the order of their indices?"""
    triples = zip(shape, strides, strides_of(shape), strict=True)
    return all([n == 1 or s == t for n, s, t in triples])
