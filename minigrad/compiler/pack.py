"""Pack: a matrix that many rows are multiplied with is laid out for them once.

    h_0 W, h_1 W, ...    ->    h_0 P, h_1 P, ... with P = packed(W)
    X W                  ->    X P, if X has hundreds of rows: the inputs of all steps

P has the entries of W in the order in which `packed_product.py` reads them. Backward
the same weight is taken transposed: another packed matrix.

Read next: `transposes.py`.
"""

from __future__ import annotations

from collections.abc import Callable

from minigrad.compiler import products, register_tiles
from minigrad.compiler.rewriting import Change, Lookup, rewritten
from minigrad.compiler.value_builder import Builder
from minigrad.compiler.value_form import Val

_OFTEN = 4
_MANY = 256  # rows
_LARGE = (
    4_000_000  # flops: from here on two threads of BLAS are faster than one of ours
)


def pack(builder: Builder, results: list[Val]) -> list[Val]:
    """The results, with packed copies of the matrices that are often taken."""
    groups: dict[tuple[Val, bool], list[Val]] = {}
    for value in builder.listed(results):
        if value.op == "dot" and not value.attrs[0] and _ours(value):
            groups.setdefault((value.args[1], value.attrs[1]), []).append(value)
    changes = {}
    for (matrix, flip), group in groups.items():
        if len(group) >= _OFTEN or _has_many_rows(group):
            for value in group:
                make = _with_packed(builder, value, matrix, flip)
                changes[value] = Change(value.args, make)
    return rewritten(builder, results, changes) if changes else results


def _ours(value: Val) -> bool:
    """Is it a product that tiles in registers make faster than BLAS?"""
    if register_tiles.tile(value.dtype.char) is None:
        return False
    flops = 2 * value.args[0].shape[0] * value.args[0].shape[1] * value.shape[1]
    return flops < _LARGE or products.threads() == 1


def _has_many_rows(group: list[Val]) -> bool:
    """Are there so many rows that packing hardly counts, and columns for a tile?"""
    found = register_tiles.tile(group[0].dtype.char)
    assert found is not None
    rows = sum([value.shape[0] for value in group])
    return rows >= _MANY and group[0].shape[1] >= found.columns


def _with_packed(
    builder: Builder, value: Val, matrix: Val, flip: bool
) -> Callable[[Lookup], Val]:
    def make(lookup: Lookup) -> Val:
        left, right = lookup(value.args[0]), lookup(matrix)
        size = packed_size(value.shape[1], left.shape[1], value.dtype.char)
        ready = builder.make("packed", (right,), flip, (size,), right.dtype)
        return builder.make("packed_dot", (left, ready), None, value.shape, value.dtype)

    return make


def panels_of(n: int, char: str) -> int:
    """How many panels n columns make."""
    found = register_tiles.tile(char)
    assert found is not None
    return -(-n // found.columns)


def packed_size(n: int, k: int, char: str) -> int:
    """The entries of a packed matrix of k rows and n columns, with room for a tile."""
    found = register_tiles.tile(char)
    assert found is not None
    return (panels_of(n, char) * k + found.rows) * found.columns
