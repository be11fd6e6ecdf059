"""Hoist: products with one common matrix become one product of the stacked rows.

    x_0 W, x_1 W, ..., x_T W    ->    X W, of which the x_t W are views

Only where no left operand depends on another of the products: h_t W_h stay T products,
as each needs the one before.

Read next: `accumulate.py`.
"""

from __future__ import annotations

from collections.abc import Callable

from minigrad.compiler.rewriting import Change, Lookup, rewritten
from minigrad.compiler.value_builder import Builder
from minigrad.compiler.value_form import Val, strides_of


def hoist(builder: Builder, results: list[Val]) -> list[Val]:
    """The results, computed with fewer and larger products."""
    order = builder.listed(results)
    changes: dict[Val, Change] = {}
    for group in _independent(order):
        changes.update(_one_product(builder, group))
    return rewritten(builder, results, changes) if changes else results


def _independent(order: list[Val]) -> list[list[Val]]:
    """Groups of products with one right operand that do not depend on each other."""
    groups: dict[object, list[Val]] = {}
    for value in order:
        if value.op == "dot" and not value.attrs[0]:
            left, right = value.args
            key = right, value.attrs, left.shape[1]
            groups.setdefault(key, []).append(value)
    several = [group for group in groups.values() if len(group) > 1]
    bits = {value: 1 << k for k, group in enumerate(several) for value in group}
    # Which groups a value depends on, as the bits of a number.
    needs: dict[Val, int] = {}
    chained = 0
    for value in order:
        found = 0
        for a in value.args:
            found |= needs[a]
        bit = bits.get(value, 0)
        chained |= found & bit
        needs[value] = found | bit
    return [g for k, g in enumerate(several) if not chained >> k & 1]


def _one_product(builder: Builder, group: list[Val]) -> dict[Val, Change]:
    """For each product of a group: a view of the common one."""
    right = group[0].args[1]
    lefts = [value.args[0] for value in group]
    made: list[Val] = []

    def view_of(first: int, value: Val) -> Callable[[Lookup], Val]:
        def make(lookup: Lookup) -> Val:
            if not made:
                rows = builder.concat([lookup(a) for a in lefts], 0)
                made.append(builder.dot(rows, lookup(right), *group[0].attrs))
            start = first * value.shape[1]
            steps = strides_of(value.shape)
            return builder.within(made[0], start, value.shape, steps)

        return make

    changes, first = {}, 0
    needs = [*lefts, right]
    for value in group:
        changes[value] = Change(needs, view_of(first, value))
        needs = group[:1]  # with it the common product is there, and all that it needs
        first += value.shape[0]
    return changes
