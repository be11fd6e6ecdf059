"""Two passes of one cell: where one row of alike steps is more than one loop.

    for t in range(4): h = cell(a[t], h)        # a row of seven steps, by what feeds
    for t in range(3): h = cell(b[t], h)        # what; two loops, by their input

A step begins by reading its input. A new pass begins where this is read by another line
of the program, from another tensor, or where a tensor that was read to its end is read
once more. Where the input comes from a list or a NumPy array, nothing of this is
recorded: then the passes cannot be told apart, and stay one loop.

Read next: `loop_names.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from minigrad.engine.graph import Node
from minigrad.engine.user_code import line

Steps = list[list[Node]]


class _Entry(NamedTuple):
    """How a step begins: the line of the program, what is read there, and which row."""

    line: Any
    source: Any = None
    row: int | None = None
    table: Any = None  # the array that the row is of


def passes(steps: Steps) -> list[Steps]:
    """The steps of one row, in one list per pass; [] for no steps."""
    if len(steps) < 4:
        return [steps] if steps else []
    entries = [_entry(nodes) for nodes in steps]
    starts = [0]
    for k, (before, now) in enumerate(pairwise(entries), 1):
        again = now.row is not None and now.row == entries[starts[-1]].row
        back = now.row is not None and now.row == before.row
        if again or back or now[:2] != before[:2]:
            starts.append(k)
    ends = [*starts[1:], len(steps)]
    runs = [entries[low:high] for low, high in zip(starts, ends, strict=True)]
    if min(map(len, runs)) < 2 or not _apart(runs):
        return [steps]  # one input per step: no pass can be seen
    return [steps[low:high] for low, high in zip(starts, ends, strict=True)]


def _entry(nodes: Sequence[Node]) -> _Entry:
    """How a step begins, by its first operation."""
    first = next((n for n in nodes if n.primitive.name != "unstack"), nodes[0])
    spot = line(first.where)
    where = spot and spot[:2]
    edge = first.edges[0] if first.edges else None
    pattern = first.attrs.get("pattern") if first.primitive.name == "getitem" else None
    if edge is not None and pattern and pattern[0][0] == "at":
        return _Entry(where, edge.source, pattern[0][1], edge.array)  # x[t]
    made: Any = None if edge is None else edge.source
    if edge is not None and type(made) is Node and made.primitive.name == "unstack":
        whole = made.edges[0]
        return _Entry(where, whole.source, edge.index, whole.array)  # for v in x
    return _Entry(where)


def _apart(runs: Sequence[Sequence[_Entry]]) -> bool:
    """Are these passes? Each has a line or a tensor of its own (steps that take turns
    between two branches of a condition have not), or reads the whole of one tensor."""
    begun = [run[0][:2] for run in runs]
    return len(set(begun)) == len(begun) or all(map(_whole, runs))


def _whole(run: Sequence[_Entry]) -> bool:
    """Does a pass read a sequence from end to end? A table of which rows are looked up
    (one-hot, or trained) is no sequence."""
    rows, table = [entry.row for entry in run], run[0].table
    if table is None or len(rows) != len(table):
        return False
    one_hot = table.ndim == 2 and ((table == 0) | (table == 1)).all()
    return not one_hot and rows in (
        list(range(len(rows))),
        list(range(len(rows)))[::-1],
    )
