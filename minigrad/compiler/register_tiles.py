"""A matrix product of our own: tiles of the result, kept in registers.

A recurrent weight is the right operand of a product at every time step, with few rows
on the left. So it is packed once per call, into panels of as many columns as a tile
has, each panel row by row. A tile of some rows and one panel's columns stays in
registers while the panel is read once from its beginning to its end.

BLAS packs the matrix anew in each product, and asks itself many questions first. On a
Zen 3 core, against NumPy's OpenBLAS, float32, m x k times k x n:

    1x16x64 0.57      8x32x128 0.56       16x64x256 0.70      32x128x512 0.80
    64x512x512 0.85   64x512x1536 0.86    64x512x2048 0.97    (shares of BLAS's time)

With many rows on the left BLAS is as good. Processors with AVX2 and FMA, or AVX-512,
use these tiles; others, where they were not measured, keep to BLAS.

Source: Goto & van de Geijn 2008, "Anatomy of high-performance matrix multiplication".

Read next: `packed_product.py`.
"""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

_VECTORS = 2  # in a row of a tile


class Tile(NamedTuple):
    """The largest tile: its rows, its columns, and the entries of one vector."""

    rows: int
    columns: int
    lanes: int


@cache
def tile(char: str) -> Tile | None:
    """The tile for a dtype's character; None where BLAS makes all products.

    Accumulators fill most of the 16 registers of AVX2, or of the 32 of AVX-512.
    """
    import llvmlite.binding as llvm

    found = llvm.get_host_cpu_features()
    if found.get("avx512f"):
        size, rows = 64, 12
    elif found.get("avx2") and found.get("fma"):
        size, rows = 32, 6
    else:
        return None
    lanes = size // np.dtype(char).itemsize
    return Tile(rows, _VECTORS * lanes, lanes)


def _rows_of_a_tile(kind: Any, size: int, lanes: int, rows: int) -> Any:
    """The code for one tile of so many rows.

    kind, size  the type of an entry for LLVM, and its bytes
    """
    vector = ir.VectorType(kind, lanes)
    whole = ir.IntType(64)
    fused = ("contract",)  # a multiplication and an addition may round once

    def address(builder: Any, base: Any, skip: Any, to: Any) -> Any:
        return builder.inttoptr(builder.add(base, skip), ir.PointerType(to))

    def everywhere(builder: Any, number: Any) -> Any:
        some = ir.Constant(vector, ir.Undefined)
        one = builder.insert_element(some, number, ir.IntType(32)(0))
        zeros = ir.Constant(ir.VectorType(ir.IntType(32), lanes), [0] * lanes)
        return builder.shuffle_vector(one, some, zeros)

    @intrinsic
    def compute(typing_context, k, left, step, panel, out, down):  # type: ignore
        """out = left @ panel: k terms per entry; step, down: bytes from row to row."""

        def generate(context, builder, signature, given):  # type: ignore
            k, left, step, panel, out, down = given
            before = builder.block
            loop = builder.append_basic_block("loop")
            after = builder.append_basic_block("after")
            starts = [
                builder.add(left, builder.mul(step, whole(r))) for r in range(rows)
            ]
            builder.branch(loop)
            builder.position_at_end(loop)
            count = builder.phi(whole)
            count.add_incoming(whole(0), before)
            sums = [[builder.phi(vector) for _ in range(_VECTORS)] for _ in range(rows)]
            at = builder.mul(count, whole(size * lanes * _VECTORS))
            columns = []
            for v in range(_VECTORS):
                skip = builder.add(at, whole(v * lanes * size))
                columns.append(
                    builder.load(address(builder, panel, skip, vector), align=size)
                )
            at = builder.mul(count, whole(size))
            for start, row in zip(starts, sums, strict=True):
                number = builder.load(address(builder, start, at, kind), align=size)
                entry = everywhere(builder, number)
                for total, column in zip(row, columns, strict=True):
                    term = builder.fmul(entry, column, flags=fused)
                    total.add_incoming(ir.Constant(vector, [0.0] * lanes), before)
                    total.add_incoming(builder.fadd(total, term, flags=fused), loop)
            following = builder.add(count, whole(1))
            count.add_incoming(following, loop)
            builder.cbranch(builder.icmp_signed("<", following, k), loop, after)
            builder.position_at_end(after)
            for r, row in enumerate(sums):
                for v, total in enumerate(row):
                    place = builder.mul(down, whole(r))
                    place = builder.add(place, whole(v * lanes * size))
                    to = address(builder, out, place, vector)
                    builder.store(total.incomings[1][0], to, align=size)
            return context.get_dummy_value()

        return types.void(*[types.int64] * 6), generate

    return compute


def heights(rows: int) -> list[int]:
    """The rows of all tiles: what is left at the end needs small ones."""
    return [n for n in (12, 6, 4, 2, 1) if n <= rows]


@cache
def tile_function(name: str, rows: int) -> Any:
    """The code for a tile of so many rows, of a dtype by name."""
    kind = {"float32": ir.FloatType(), "float64": ir.DoubleType()}[name]
    found = tile(np.dtype(name).char)
    assert found is not None
    return _rows_of_a_tile(kind, np.dtype(name).itemsize, found.lanes, rows)


@cache
def own_digest() -> str:
    """Names the text of this file: another one makes another kernel."""
    import hashlib
    import inspect
    import sys

    text = inspect.getsource(sys.modules[__name__])
    return hashlib.sha256(text.encode()).hexdigest()[:16]
