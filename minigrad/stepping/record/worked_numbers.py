"""Writes the formula of one entry of an event's result with its numbers.

    f_3[0, 1] = σ(v_41[0, 1])       "0.62 = σ(0.49)"

Read next: `rebuild.py`.
"""

from __future__ import annotations

import itertools
import math
from typing import Any

from minigrad.engine.errors import IndexingError
from minigrad.reading.formula_printers import text, tight_text
from minigrad.reading.formulas import filled, letters_in
from minigrad.stepping.record.events import (
    Array,
    Contribution,
    Event,
    Forward,
    Incoming,
)

TERMS = 4  # of a sum that are written out

Index = tuple[int, ...]
_MOVED = {"call", "index", "list", "norm", "product", "T"}


def worked(steps: Any, event: Event, at: Index | None = None) -> str | None:
    """The formula of an event with the numbers of one entry; None if it has none."""
    if not isinstance(event, Forward | Contribution) or event.operation is None:
        return None
    operation = steps.operations[event.operation]
    arrays = {
        letter: steps.values[k].array
        for letter, k in zip(operation.letters, operation.inputs, strict=True)
    }
    made = arrays["y"] = steps.values[operation.outputs[0]].array
    if isinstance(event, Forward):
        tree, result = operation.formula, made
    else:
        tree, result = operation.rules[event.input], event.value
        arrays["g"] = incoming(steps, event)
    at = _checked(result, at)
    if at is None or tree is None or result.array is None:
        return None
    right = _right(tree, arrays, at, result.shape, made.shape)
    return None if right is None else f"{text(result.array[at].real)} = {right}"


def incoming(steps: Any, event: Contribution) -> Array | None:
    """dL/dy of the operation that contributes: the event before, told of it."""
    for number_ in range(event.number - 1, -1, -1):
        other = steps.events[number_]
        if other.operation == event.operation:
            if isinstance(other, Incoming):
                return other.gradients[0]
        elif isinstance(other, Incoming | Forward):
            break
    return None


def _checked(result: Array, at: Index | None) -> Index | None:
    """The entry, checked; the first one if none is given. None if there is none."""
    if at is None:
        return (0,) * len(result.shape) if result.size else None
    fits = len(at) == len(result.shape) and all(
        0 <= k < n for k, n in zip(at, result.shape, strict=True)
    )
    if not fits:
        raise IndexingError(
            f"worked(event, {at}): there is no such entry",
            expect=f"one index per axis of {result.shape}, counted from 0",
            actual=str(at),
            hint="leave it out for the first entry",
        )
    return at


def _right(
    tree: Any, arrays: dict[str, Array | None], at: Index, shape: Index, full: Index
) -> str | None:
    """The right side with numbers. shape: the result's; full: the output's."""
    if isinstance(tree, list) and tree[0] == "sum":
        return _sum(tree[1], arrays, at, shape, full)
    if isinstance(tree, list) and tree[0] == "div" and _is(tree[1], "sum"):
        total = _right(tree[1], arrays, at, shape, full)
        return total and f"({total}) / {tree[2]}"
    if _is(tree, "matmul"):
        return _product(tree, arrays, at)
    if _contains(tree, _MOVED | {"matmul", "sum"}):
        return None
    numbers = {letter: _entry(arrays.get(letter), at) for letter in letters_in(tree)}
    if any(entry is None for entry in numbers.values()):
        return None
    return text(filled(tree, numbers))


def _is(tree: Any, word: str) -> bool:
    return isinstance(tree, list) and tree[0] == word


def _contains(tree: Any, found: set[str]) -> bool:
    """Is one of the words in the tree?"""
    todo = [tree]
    while todo:
        part = todo.pop()
        if isinstance(part, list):
            todo += part
        elif isinstance(part, str) and part in found:
            return True
    return False


def _entry(record: Array | None, at: Index) -> Any:
    """The entry that broadcasting puts at `at`; None if it is not kept."""
    if record is None or record.array is None or len(record.shape) > len(at):
        return None
    lead = len(at) - len(record.shape)
    place = tuple([0 if n == 1 else at[k + lead] for k, n in enumerate(record.shape)])
    if any(k >= n for k, n in zip(place, record.shape, strict=True)):
        return None
    return record.array[place].real


def _sum(
    tree: Any, arrays: dict[str, Array | None], at: Index, shape: Index, full: Index
) -> str | None:
    """Some of the terms that are added up at `at`."""
    if _contains(tree, _MOVED | {"matmul", "sum"}):
        return None
    over = full
    if tree == "x":  # a sum over axes of x: x is larger than y
        record = arrays.get("x")
        if record is None:
            return None
        over = record.shape
    places = _summed(at, shape, over)
    if places is None:
        return None
    words = [_right(tree, arrays, place, over, over) for place in places[:TERMS]]
    if any(word is None for word in words):
        return None
    more = f" + ⋯ ({len(places)} terms)" if len(places) > TERMS else ""
    tied = [f"({w})" if w[:1] == "−" else w for w in words if w is not None]
    return " + ".join(tied) + more


def _summed(at: Index, shape: Index, over: Index) -> list[Index] | None:
    """The places of the larger array that are summed into `at`."""
    lead = len(over) - len(shape)
    if shape and lead and over[lead:] != shape:
        return None
    fixed = {  # all but axes of length 1 that were longer, and leading ones
        k + lead: at[k] for k, n in enumerate(shape) if n != 1 or over[k + lead] == 1
    }
    ranges = [[fixed[k]] if k in fixed else range(n) for k, n in enumerate(over)]
    if math.prod(map(len, ranges)) > 100_000:
        return None
    return list(itertools.product(*ranges))


def _product(tree: Any, arrays: dict[str, Array | None], at: Index) -> str | None:
    """A row times a column: some of the products."""
    sides = []
    for part in tree[1:]:
        turned = _is(part, "T")
        record = arrays.get(part[1] if turned else part)
        if record is None or record.array is None or len(record.shape) != 2:
            return None
        sides.append(record.array.T if turned else record.array)
    if len(at) != 2:
        return None
    row, column = sides[0][at[0]], sides[1][:, at[1]]
    pairs = [
        tight_text(["mul", a, b])
        for a, b in zip(row.real[:TERMS], column.real[:TERMS], strict=True)
    ]
    more = f" + ⋯ ({len(row)} terms)" if len(row) > TERMS else ""
    return " + ".join(pairs) + more
