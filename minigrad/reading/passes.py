"""Two passes of one cell: where one row of alike steps is more than one loop.

    for t in range(4): h = cell(a[t], h)        # a row of seven steps, by what feeds
    for t in range(3): h = cell(b[t], h)        # what; two loops, by their input

A step begins by reading its input. A new pass begins where this is read by another line
of the program, from another tensor, or where its index runs back to the beginning.
Where the inputs of the steps come from a list, nothing of this is recorded: then the
passes cannot be told apart, and stay one loop.

Read next: `loop_names.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from minigrad.engine.graph import Node

Steps = list[list[Node]]


class _Entry(NamedTuple):
    """How a step begins: the line of the program, what is read there, and where."""

    line: Any
    source: Any
    index: int | None


def passes(steps: Steps) -> list[Steps]:
    """The steps of one row, in one list per pass; [] for no steps."""
    if not steps:
        return []
    entries = [_entry(nodes) for nodes in steps]
    starts = [0]
    for k in range(1, len(steps)):
        if _anew(entries[starts[-1] : k], entries[k]):
            starts.append(k)
    found = [steps[low:high] for low, high in pairwise([*starts, len(steps)])]
    if min(map(len, found)) < 2 or not _apart(entries, starts):
        return [steps]  # one input per step: no pass can be seen
    return found


def _entry(nodes: Sequence[Node]) -> _Entry:
    first = nodes[0]
    line = first.code, first.offset
    pattern = first.attrs.get("pattern") if first.primitive.name == "getitem" else None
    if pattern and pattern[0][0] == "at":
        return _Entry(line, first.edges[0].source, pattern[0][1])
    return _Entry(line, None, None)


def _anew(before: Sequence[_Entry], now: _Entry) -> bool:
    """Does a pass begin here, after some steps of the one before?"""
    last = before[-1]
    if now.line != last.line or now.source is not last.source:
        return True
    if now.index is None or last.index is None or len(before) < 2:
        return False
    earlier = before[-2].index
    return earlier is not None and (now.index > last.index) != (last.index > earlier)


def _apart(entries: Sequence[_Entry], starts: Sequence[int]) -> bool:
    """Are lines and tensors those of one pass only? Steps that take turns between two
    branches of a condition are one pass."""
    seen = [(entries[k].line, entries[k].source, entries[k].index) for k in starts]
    return len(set(seen)) == len(seen) or len({line for line, *_ in seen}) == 1
