"""Plans how the states run through a tile: belts, levels, and the lines below them.

A *belt* (the short way from a state's entry to its exit: x and + of an LSTM's cell
state) is kept in one rank. Where the way is long, entry and exit are kept in one rank,
with what lies between the belt and the exit hanging down from the belt.

Read next: `tile_layout.py`.
"""

from __future__ import annotations

import itertools
from collections import deque
from dataclasses import dataclass, field

from minigrad.drawing.arrange.tile_sketch import Ports, Sketch

NEAR = 6  # the longest way of an only state that is laid out as a belt


@dataclass
class Plan:
    """How the states run through the tile."""

    flat: list[tuple[int, int]] = field(default_factory=list)  # lines within a rank
    level: list[tuple[int, int]] = field(default_factory=list)  # (entry, exit)
    turned: set[tuple[int, int]] = field(default_factory=set)  # lines that run down
    entry: dict[int, int] = field(default_factory=dict)  # state -> its first box
    alone: list[int] = field(default_factory=list)  # belts of one box

    def bound(self, free: int) -> set[int]:
        """The boxes whose place on a state's way is fixed."""
        pairs = [*self.level, *(self.flat if free == 2 else ())]
        return {k for pair in pairs for k in pair}


def plan_states(sketch: Sketch, ports: Ports) -> Plan:
    """Choose belts, levels and the lines that run down."""
    plan = Plan()
    ways = []
    for state, targets in ports.state_in.items():
        plan.entry[state] = targets[0]
        if state in ports.state_out:
            way = _way(sketch, targets, ports.state_out[state])
            if way:
                ways.append((state, way))
    ways.sort(key=lambda pair: len(pair[1]))
    used: set[int] = set()
    belts: set[int] = set()
    for state, way in ways:
        plan.entry[state] = way[0]
        limit = NEAR if len(ways) == 1 else 3
        if len(way) <= limit and not used & set(way) and _closed(sketch, way):
            plan.flat += list(itertools.pairwise(way))
            plan.alone += way if len(way) == 1 else []
            belts.update(way)
        elif way[0] != way[-1]:
            plan.level.append((way[0], way[-1]))
        used.update(way)
    for _, end in plan.level:
        plan.turned |= _hanging(sketch, belts, end)
    return plan


def _closed(sketch: Sketch, way: list[int]) -> bool:
    """Does nothing leave the way and come back? Then it fits into one rank."""
    steps = set(itertools.pairwise(way))
    out = {h for t, h in sketch.lines if t in way and (t, h) not in steps}
    return not (out - set(way) and reach(sketch, out - set(way)) & set(way)) and not (
        out & set(way)
    )


def reach(sketch: Sketch, starts: set[int]) -> set[int]:
    """Everything that can be reached from the starts, themselves included."""
    seen = set(starts)
    changed = True
    while changed:
        changed = False
        for tail, head in sketch.lines:
            if tail in seen and head not in seen:
                seen.add(head)
                changed = True
    return seen


def _hanging(sketch: Sketch, belts: set[int], end: int) -> set[tuple[int, int]]:
    """The lines from a belt down to `end`, and all that lead into `end`."""
    above = reach(sketch, belts)
    if end not in above:
        return set()
    back = Sketch(sketch.sizes, (), tuple((h, t) for t, h in sketch.lines))
    below = (above & reach(back, {end})) - belts
    turned = set()
    for tail, head in sketch.lines:
        if head == end or (head in below and (tail in below or tail in belts)):
            turned.add((tail, head))
    return turned


def _way(sketch: Sketch, starts: tuple[int, ...], end: int) -> list[int]:
    """The shortest way from a start to the end, both included; [] if there is none."""
    onward: dict[int, list[int]] = {}
    for tail, head in sketch.lines:
        onward.setdefault(tail, []).append(head)
    came: dict[int, int | None] = dict.fromkeys(starts)
    queue = deque(starts)
    while queue:
        here = queue.popleft()
        if here == end:
            way = [here]
            while (before := came[way[-1]]) is not None:
                way.append(before)
            return way[::-1]
        for there in onward.get(here, ()):
            if there not in came:
                came[there] = here
                queue.append(there)
    return []
