"""The product with a packed matrix, and the packing, as rows of the plan's table.

Read next: `products.py`.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from minigrad.compiler import register_tiles
from minigrad.compiler.kernel_text import digest
from minigrad.engine.kernels import kernel_store

BLOCK = 144  # rows that are multiplied at a time: they stay in the cache meanwhile

_PRODUCT = """# functions {digest} {own} {tile}
from numba import njit

from minigrad.compiler.pointers import *
from minigrad.compiler.register_tiles import tile_function

{functions}

@njit(error_model="numpy")
def rows(m, k, left, step, panel, out, down):
    r = 0
{loops}

@njit(error_model="numpy")
def part(m, n, k, left, step, packed, panels, out, down):
    # the last columns, fewer than a panel has: by way of the room behind it
    panel, spare = packed + (panels - 1) * k * {width}, packed + panels * k * {width}
    out += (panels - 1) * {width}
    for r in range(0, m, {rows}):
        count = min({rows}, m - r)
        rows(count, k, left + r * step, step, panel, spare, {width})
        for i in range(count):
            source = pointer_{name}(spare + i * {width})
            row = pointer_{name}(out + (r + i) * down)
            for c in range(n):
                row[c] = source[c]


def kernel(a):
    m, n, k, panels = a[0], a[1], a[2], a[3]
    left, step, packed, out, down = a[4], a[5], a[6], a[8], a[9]
    size = k * {width}
    rest = n - (panels - 1) * {columns}  # columns of the last panel
    whole = panels if rest == {columns} else panels - 1
    for j in range(whole):
        rows(m, k, left, step, packed + j * size, out + j * {width}, down)
    if whole < panels:
        part(m, rest, k, left, step, packed, panels, out, down)
"""

_TILE = 'tile_{n} = tile_function("{name}", {n})'

_LOOP = """    while r + {n} <= m:
        tile_{n}(k, left + r * step, step, panel, out + r * down, down)
        r += {n}
"""


@cache
def kernel(char: str) -> Any:
    """A kernel whose arguments are: m, n, k, panels; then address and bytes from row to
    row of the left matrix, the packed one (whose second number is not used), and the
    result. Behind its last panel the packed matrix has room for one tile."""
    found = register_tiles.tile(char)
    assert found is not None
    name, size = np.dtype(char).name, np.dtype(char).itemsize
    tiles = register_tiles.heights(found.rows)
    source = _written(
        _PRODUCT,
        char,
        rows=found.rows,
        width=found.columns * size,
        functions="\n".join([_TILE.format(n=n, name=name) for n in tiles]),
        loops="".join([_LOOP.format(n=n) for n in tiles]),
    )
    return _as_function(source, f"product_{name}")


_PACK = """# functions {digest} {own} {tile}
from minigrad.compiler.pointers import *


def kernel(a):
    n, k, panels, along, down = a[0], a[1], a[2], a[3], a[4]
    source, out = pointer_{name}(a[5]), pointer_{name}(a[7])
    for j in range(panels):
        first = j * {columns}
        count = min({columns}, n - first)
        for p in range(k):
            at, start = (j * k + p) * {columns}, p * down + first * along
            for c in range(count):
                out[at + c] = source[start + c * along]
            for c in range(count, {columns}):
                out[at + c] = 0
"""


@cache
def packing(char: str) -> Any:
    """A kernel that packs a matrix. Its arguments: n, k, panels; the entries between
    neighbours in a row, and in a column; then address and a number that is not used, of
    the matrix and of the packed one. Columns that a panel has too many are zeros."""
    return _as_function(_written(_PACK, char), f"pack_{np.dtype(char).name}")


def _written(text: str, char: str, **more: Any) -> str:
    """A kernel's text for a dtype, with the digests of all that it calls."""
    found = register_tiles.tile(char)
    assert found is not None
    return text.format(
        digest=digest(),
        own=register_tiles.own_digest(),
        tile=found,
        name=np.dtype(char).name,
        columns=found.columns,
        **more,
    )


def _as_function(source: str, name: str) -> Any:
    import numba

    def make(module: Any, keep: bool) -> Any:
        kind = numba.types.void(numba.types.CPointer(numba.types.int64))
        return numba.cfunc(kind, cache=keep)(module.kernel)

    return kernel_store.compiled(source, name, make)
