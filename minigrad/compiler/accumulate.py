"""Accumulate: a sum over steps of products becomes one product of stacked steps.

    a_0^T g_0 + a_1^T g_1 + ...                  ->    A^T G, A and G with all rows
    (g_0 summed over its rows) + (g_1 ...) + ...  ->    G summed over its rows

The gradients of weights and biases are such sums. The order of the additions is another
one: equal to the eager result norm-wise.

Read next: `pack.py`.
"""

from __future__ import annotations

from collections import Counter

from minigrad.compiler.rewriting import Change, Lookup, rewritten, uses
from minigrad.compiler.value_builder import Builder
from minigrad.compiler.value_form import Val


def accumulate(builder: Builder, results: list[Val]) -> list[Val]:
    """The results, with long sums of products and of sums taken together."""
    order = builder.listed(results)
    used = uses(order, results)
    inner = {
        a
        for value in order
        if _adds(value)
        for a in value.args
        if _adds(a) and used[a] == 1
    }
    changes = {}
    for value in order:
        if _adds(value) and value not in inner:
            change = _together(builder, value, _terms(value, inner), used)
            if change is not None:
                changes[value] = change
    return rewritten(builder, results, changes) if changes else results


def _adds(value: Val) -> bool:
    if value.op != "elementwise" or value.attrs != "add":
        return False
    return all([a.shape == value.shape for a in value.args])


def _terms(value: Val, inner: set[Val]) -> list[Val]:
    """What is added up, in the order of the program."""
    found, todo = [], [value]
    while todo:
        term = todo.pop()
        if term is value or term in inner:
            todo.extend(term.args[::-1])
        else:
            found.append(term)
    return found


def _of_one_number(term: Val) -> bool:
    """Is it a product with a left operand of equal entries: a state at its start?"""
    return term.op == "dot" and term.args[0].op == "full" and not any(term.attrs)


def _rows(builder: Builder, term: Val, lookup: Lookup) -> Val:
    """The left operand of a product, with a row for each row of the right one."""
    left = lookup(term.args[0])
    if term.attrs[0]:
        return left
    return builder.transpose(left, (1, 0))


def _together(
    builder: Builder, value: Val, terms: list[Val], used: Counter[Val]
) -> Change | None:
    """The same sum with its products, and its sums over rows, taken together."""
    # A gradient is added up from the last step to the first: back in time's order.
    alone = [t for t in terms[::-1] if used[t] == 1]
    products = [t for t in alone if t.op == "dot" and t.attrs == (True, False)]
    if products:
        stacked = set(products)
        products = [t for t in alone if t in stacked or _of_one_number(t)]
    sums = [
        t
        for t in alone
        if t.op == "sum" and t.attrs == (0,) and len(t.args[0].shape) == 2
    ]
    taken = [t for kind in (products, sums) if len(kind) > 1 for t in kind]
    if not taken:
        return None
    left = set(terms).difference(taken)
    rest = [t for t in terms if t in left]

    def make(lookup: Lookup) -> Val:
        found = [lookup(t) for t in rest]
        if len(products) > 1:
            left = builder.concat([_rows(builder, t, lookup) for t in products], 0)
            right = builder.concat([lookup(t.args[1]) for t in products], 0)
            found.append(builder.dot(left, right, True, False))
        if len(sums) > 1:
            rows = builder.concat([lookup(t.args[0]) for t in sums], 0)
            found.append(builder.sum(rows, (0,)))
        total = found[0]
        for term in found[1:]:
            total = builder.elementwise("add", (total, term), value.shape, value.dtype)
        return total

    return Change([*rest, *[a for t in taken for a in t.args]], make)
