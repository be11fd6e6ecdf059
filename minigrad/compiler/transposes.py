"""Transposes: a matrix that many products take transposed is transposed once.

A product with a transposed right operand reads it down the columns. The recurrent
weight is taken so at each step backward: from the fourth time on a copy pays.

Read next: `fuse.py`.
"""

from __future__ import annotations

from collections.abc import Callable

from minigrad.compiler.rewriting import Change, Lookup, rewritten
from minigrad.compiler.value_builder import Builder
from minigrad.compiler.value_form import Val

_OFTEN = 4


def transposes(builder: Builder, results: list[Val]) -> list[Val]:
    """The results, with transposed copies of the matrices that are often taken so."""
    groups: dict[Val, list[Val]] = {}
    for value in builder.listed(results):
        if value.op == "dot" and value.attrs == (False, True):
            groups.setdefault(value.args[1], []).append(value)
    changes = {}
    for matrix, group in groups.items():
        if len(group) >= _OFTEN:
            for value in group:
                changes[value] = Change(value.args, _with_copy(builder, value, matrix))
    return rewritten(builder, results, changes) if changes else results


def _with_copy(builder: Builder, value: Val, matrix: Val) -> Callable[[Lookup], Val]:
    def make(lookup: Lookup) -> Val:
        left, right = lookup(value.args[0]), lookup(matrix)
        n, m = right.shape
        copied = builder.make("transposed", (right,), None, (m, n), right.dtype)
        return builder.dot(left, copied)

    return make
