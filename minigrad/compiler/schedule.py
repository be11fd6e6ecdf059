"""Schedule: the order of units, and from when to when memory is needed.

Each unit comes after those that make its operands. A value needs memory from the first
unit that writes to it to the last one that reads it.

Read next: `plan_memory.py`.
"""

from __future__ import annotations

from heapq import heappop, heappush
from itertools import pairwise

from minigrad.compiler.fuse import Unit
from minigrad.compiler.place import Places
from minigrad.compiler.value_form import OUTSIDE, Val


def ordered(units: list[Unit]) -> list[Unit]:
    """The units, each after those that it needs; what the program did first, first."""
    maker = {v: k for k, unit in enumerate(units) for v in unit.members}
    needed: list[set[int]] = []
    takers: list[list[int]] = [[] for _ in units]
    for unit in units:
        needs = {maker[a.root] for a in unit.inputs if a.root.op not in OUTSIDE}
        needed.append(needs)
    told = sorted(
        [k for k, u in enumerate(units) if u.op == "outside"],
        key=lambda k: units[k].members[0].attrs,
    )
    for before, after in pairwise(told):
        needed[after].add(before)  # as the program did them: draws, checks, updates
    for k, needs in enumerate(needed):
        for other in needs:
            takers[other].append(k)
    left = [len(needs) for needs in needed]
    ready = [(unit.seq, k) for k, unit in enumerate(units) if not left[k]]
    ready.sort()
    found = []
    while ready:
        _, k = heappop(ready)
        found.append(units[k])
        for taker in takers[k]:
            left[taker] -= 1
            if not left[taker]:
                heappush(ready, (units[taker].seq, taker))
    assert len(found) == len(units), "bug: units that need each other"
    return found


def lifetimes(
    units: list[Unit], places: Places, results: list[Val]
) -> tuple[dict[Val, int], dict[Val, int]]:
    """For every value with memory: its first and its last unit, by number."""
    first: dict[Val, int] = {}
    last: dict[Val, int] = {}
    for k, unit in enumerate(units):
        bases = [place.base for v in unit.kept for place in places.of[v]]
        if unit.op == "concat":
            bases += [place.base for _, place in places.copies[unit.members[0]]]
        reads = [a for a in unit.inputs if a.op != "full"]
        for base in bases:
            first.setdefault(base, k)
            last[base] = k
        for a in reads:
            last[places.find(a).base] = k
    for value in results:
        if value.op != "full":
            last[places.find(value).base] = len(units)
    return first, last


class Arena:
    """One stretch of memory, shared by values whose lifetimes do not meet.

    size   in bytes, at the end of planning
    """

    ALIGNED = 64  # a cache line, and more than any vector instruction asks for

    def __init__(self) -> None:
        self.size = 0
        self._free: dict[int, list[int]] = {}

    def take(self, count: int) -> int:
        """The offset of so many bytes that are free."""
        count = self._rounded(count)
        free = self._free.get(count)
        if free:
            return free.pop()
        self.size += count
        return self.size - count

    def give(self, offset: int, count: int) -> None:
        """These bytes are free again."""
        self._free.setdefault(self._rounded(count), []).append(offset)

    def _rounded(self, count: int) -> int:
        return max(1, -(-count // self.ALIGNED)) * self.ALIGNED
