"""What the steps of a loop hand on: states, told apart from sums that only accumulate.

    found = HandedOn(nodes)         # {time step: its nodes}
    found.names, found.states       # ("h", "c"), {time step: [an edge for each]}
    found.cut                       # steps from which no gradient reaches the next

A value is handed on if a later step of the loop reads it. Steps need not be alike: a
value is known again by the gate it was computed in, else by the operation that made it
and by what reads it. A value that was detached on its way is still handed on; that no
gradient goes this way is what `cut` says. A running loss is no state: whatever reads it
only adds to it.

Read next: `links.py`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

from minigrad.engine.graph import AnyEdge, Edge, Leaf, Node
from minigrad.reading.levels import letter_of
from minigrad.reading.links import Links, Output

SUMS = {"add", "subtract", "concatenate", "astype"}  # what a running sum goes through
SHAPES = {"stack", "unstack", "reshape", "squeeze", "expand_dims"}
Value = tuple[Any, int]  # what leads to it, and which of its outputs
Kind = tuple[
    str, int, tuple[int, ...], int
]  # letter or operation, output, shape, which


@dataclass(eq=False)
class _Slot:
    """One part of what is handed on.

    letter   of the gate it comes from, or ""
    kinds    the kinds of values that stand in it: several, where steps differ
    values   {number of the step: the value after it}
    readers  what reads it in later steps: (operation, input, its other leaves)
    live     the steps after which a gradient comes back to it from a later one
    """

    letter: str
    kinds: list[Kind]
    values: dict[int, Output] = field(default_factory=dict)
    readers: set[tuple[Any, ...]] = field(default_factory=set)
    live: set[int] = field(default_factory=set)


class HandedOn:
    """The states of one loop: see above.

    names   letters of the gates, or s0, s1, ...; h first, then c
    states  {time step: one edge per name}: the state after that step
    cut     the steps (of `states`) that no gradient reaches from the next one
    parted  {name: steps} of the parts that are handed on without a gradient after these
            steps, where another part has one
    """

    def __init__(self, steps: Mapping[int, Sequence[Node]]) -> None:
        self._times = list(steps)
        self._steps = [[n for n in made if n.origin is None] for made in steps.values()]
        self._place = {n: k for k, made in enumerate(self._steps) for n in made}
        self._readers: dict[Node, list[Node]] = {}
        slots = self._states(self._slots())
        self.names, slots = _named(slots)
        self.states = self._filled(slots)
        self.cut = self._cut()
        self.parted = self._parted(slots)

    def alone(self) -> HandedOn:
        """The names, and where it is cut, without any node."""
        bare = copy(self)
        bare._steps, bare._place, bare._readers, bare.states = [], {}, {}, {}
        return bare

    # ------------------------------------------------------------- slots

    def _slots(self) -> list[_Slot]:
        """Everything that a later step reads, sorted by what it is."""
        crossing: dict[Output, set[tuple[Any, ...]]] = {}
        live: set[Output] = set()
        links, place, readers = Links(), self._place, self._readers
        for k, made in enumerate(self._steps):
            near = len(self._steps[k - 1]) if k else 0
            for node in made:
                for source, index in links.of(node, near):
                    at = place.get(source)
                    if at is None:
                        continue
                    readers.setdefault(source, []).append(node)
                    if at < k:
                        value = self._itself(source, index)
                        crossing.setdefault(value, set()).add(_reader(node))
                        if value not in live and _trains(node, source):
                            live.add(value)
            for node in made:
                links.add(node)
        slots: dict[Kind, _Slot] = {}
        counted: Counter[tuple[Any, ...]] = Counter()
        for value in sorted(crossing, key=lambda v: (v[0].seq, v[1])):
            letter, kind = _kind(value)
            at = self._place[value[0]]
            counted[at, kind] += 1
            full = (*kind, counted[at, kind])
            slot = slots.setdefault(full, _Slot(letter, [full]))
            slot.values[at] = value
            slot.readers |= crossing[value]
            slot.live |= {at} if value in live else set()
        return _merged(list(slots.values()))

    def _itself(self, node: Node, index: int) -> Output:
        """A value before a model's own stack of one, or another change of shape."""
        while node.primitive.name in SHAPES and len(node.edges) == 1:
            edge = node.edges[0]
            source = edge.source
            if type(source) is not Node or edge.array.size != node.outputs[index].size:
                break
            if self._place.get(source) != self._place[node]:
                break
            node, index = source, edge.index
        return node, index

    def _states(self, slots: list[_Slot]) -> list[_Slot]:
        """Those that are more than sums; where there is nothing else, sums of more than
        one number are states, too."""
        real = [slot for slot in slots if not self._only_adds(slot)]
        if not real:
            real = [s for s in slots if s.letter or np.prod(s.kinds[0][2]) > 1]
        often = max((len(slot.values) for slot in real), default=0)
        return [slot for slot in real if 2 * len(slot.values) > often]

    def _only_adds(self, slot: _Slot) -> bool:
        """Does all that reads these values in the loop only add to them?"""
        own = {node for node, _ in slot.values.values()}
        seen: set[Node] = set()
        todo = [reader for node in own for reader in self._readers.get(node, ())]
        while todo:
            node = todo.pop()
            if node in seen:
                continue
            seen.add(node)
            if node.primitive.name not in SUMS:
                return False
            if node not in own:
                todo += self._readers.get(node, ())
        return True

    # ------------------------------------------------------------- states

    def _filled(self, slots: list[_Slot]) -> dict[int, list[AnyEdge]]:
        """Each part after every step; a part that a step leaves alone stays."""
        found: dict[int, list[AnyEdge]] = {}
        now: list[Output | None] = [None] * len(slots)
        alike = Counter(slot.kinds[0][:3] for slot in slots)
        for k, time in enumerate(self._times):
            for j, slot in enumerate(slots):
                lone = bool(slot.letter) and alike[slot.kinds[0][:3]] == 1
                now[j] = slot.values.get(k) or self._made(slot, k, lone) or now[j]
            if slots and all(now):
                found[time] = [output_of(*value) for value in now if value]
        return found

    def _made(self, slot: _Slot, k: int, lone: bool) -> Output | None:
        """What a step made that no later step reads: after the last one, say.

        lone  no other part comes from this gate: it is the gate's last value
        """
        made = self._steps[k]
        candidates: list[Output] = []
        for node in made:
            for index in range(len(node.outputs)):
                letter, kind = _kind((node, index))
                if any(kind == known[:3] for known in slot.kinds):
                    if not slot.letter or letter == slot.letter:
                        candidates.append((node, index))
        if not candidates:
            return None
        if lone:
            return candidates[-1]
        return candidates[min(self._usual(slot), len(candidates) - 1)]

    def _usual(self, slot: _Slot) -> int:
        """Which of the values of its kind, within a step, stands in a slot."""
        at, (node, _) = next(reversed(slot.values.items()))
        known = {kind[:3] for kind in slot.kinds}
        before = [n for n in self._steps[at] if n.seq < node.seq]
        return sum(_kind((n, 0))[1] in known for n in before)

    def _cut(self) -> list[int]:
        """Where nothing that has a gradient leads from one state to the next."""
        found = []
        numbers = {time: k for k, time in enumerate(self._times)}
        for (time, before), (after, now) in pairwise(self.states.items()):
            if not any(part.requires_grad for part in now):
                continue
            live = [(part.source, part.index) for part in before if part.requires_grad]
            wanted = [(part.source, part.index) for part in now]
            steps = range(numbers[time], numbers[after] + 1)
            if live != wanted and not self._leads_back(wanted, live, steps):
                found.append(time)
        return found

    def _leads_back(
        self, todo: Sequence[Value], live: Sequence[Value], steps: range
    ) -> bool:
        """Does a gradient lead from one of these values to one of `live`, by way of
        nodes of these steps alone?"""
        if any([value in live for value in todo]):
            return True
        left: list[Any] = [source for source, _ in todo]
        seen: set[Any] = set()
        while left:
            node = left.pop()
            if node in seen or self._place.get(node, -1) not in steps:
                continue
            seen.add(node)
            for edge in node.edges:
                if edge.requires_grad:
                    source = edge.source
                    if (source, edge.index) in live:
                        return True
                    left.append(source)
        return False

    def _parted(self, slots: list[_Slot]) -> dict[str, list[int]]:
        """Parts that stay behind while another goes on with its gradient."""
        found: dict[str, list[int]] = {}
        for name, slot in zip(self.names, slots, strict=True):
            ends = [
                self._times[k]
                for k, (node, _) in slot.values.items()
                if node.requires_grad and k not in slot.live
            ]
            kept = [time for time in ends if time not in self.cut]
            if kept:
                found[name] = kept
        return found


def _trains(node: Node, source: Node) -> bool:
    """Does a node give a gradient to one of its sources?"""
    return any([e.requires_grad and e.source is source for e in node.edges])


def _reader(node: Node) -> tuple[Any, ...]:
    """What reads a value, known again in other steps by its own leaves."""
    leaves = [e.source for e in node.edges if type(e.source) is Leaf]
    return node.primitive.name, *[leaf for leaf in leaves if leaf is not None]


def _kind(value: Output) -> tuple[str, tuple[str, int, tuple[int, ...]]]:
    """The letter of a value's gate, and what it is: letter or operation, which output,
    shape."""
    node, index = value
    letter = letter_of(node)
    shape = node.outputs[index].shape
    return letter, (letter or node.primitive.name, index, shape)


def _merged(slots: list[_Slot]) -> list[_Slot]:
    """Kinds that never stand side by side and are read alike are one slot."""
    kept: list[_Slot] = []
    for slot in sorted(slots, key=lambda s: -len(s.values)):
        for other in kept:
            alike = other.kinds[0][2] == slot.kinds[0][2]
            if alike and not other.values.keys() & slot.values.keys():
                if other.readers & slot.readers:
                    other.kinds += slot.kinds
                    other.values = dict(sorted({**other.values, **slot.values}.items()))
                    other.readers |= slot.readers
                    other.live |= slot.live
                    break
        else:
            kept.append(slot)
    return sorted(kept, key=lambda s: next(iter(s.values.values()))[0].seq)


def _named(slots: list[_Slot]) -> tuple[tuple[str, ...], list[_Slot]]:
    """The names of the parts, and the parts in the order of the names."""
    named: dict[str, _Slot] = {}
    for slot in slots:
        name = slot.letter
        if not name or name in named:
            name = f"s{len(named)}"
        named[name] = slot
    order = sorted(named, key=lambda n: (n != "h", n != "c", n))
    return tuple(order), [named[name] for name in order]


def output_of(node: Node, index: int) -> AnyEdge:
    """An output of a node, as an edge."""
    if not node.primitive.multiple:
        return node
    return Edge(node, index, node.array[index], node.requires_grad)
