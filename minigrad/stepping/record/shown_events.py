"""Decides which operations and contributions become events, and counts them.

Read next: `recording.py` (who makes the events).
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from minigrad.engine.graph import AnyEdge, Leaf, Node
from minigrad.reading.loops import Loops


class ShownEvents:
    """What is shown of a graph.

    nodes   the operations, oldest first
    group   per operation: the box it belongs to; events inside a box are left out
            (None: every operation on its own)
    steps   the time steps to show (None: all)
    """

    def __init__(
        self,
        nodes: list[Node],
        group: list[str] | None,
        steps: Collection[int] | None,
    ) -> None:
        self.nodes = nodes
        self.group = group
        self.numbers = {node: number for number, node in enumerate(nodes)}
        self.loops = Loops(nodes)
        self.shown = [self._in_range(node, steps) for node in nodes]
        self.exits = self._exits()

    def _in_range(self, node: Node, steps: Collection[int] | None) -> bool | None:
        """Is the operation in one of the steps? None: it is in no step at all."""
        place = self.loops.of(node)
        if place is None:
            return None
        return steps is None or place.step in steps

    def _exits(self) -> set[Node]:
        """Operations whose outputs leave their box."""
        if self.group is None:
            return set(self.nodes)
        found = {self.nodes[-1]}
        for number, node in enumerate(self.nodes):
            for edge in node.edges:
                if type(edge.source) is Node:
                    before = self.numbers[edge.source]
                    if self.group[before] != self.group[number]:
                        found.add(edge.source)
        return found

    def shows(self, node: Node) -> bool:
        """Has the operation events of its own?"""
        return self.shown[self.numbers[node]] is not False and node in self.exits

    def shows_contribution(self, node: Node, edge: AnyEdge) -> bool:
        """Is what the rule of `node` gives to this input an event?"""
        here = self.shown[self.numbers[node]]
        source = edge.source
        if type(source) is Leaf:
            return here is not False
        number = self.numbers[source]  # type: ignore[index]
        if self.group is not None:
            if self.group[number] == self.group[self.numbers[node]]:
                return False
        there = self.shown[number]
        if here is None:
            return there is not False
        return here or there is True

    def count(self, largest: int) -> tuple[int, int]:
        """How many events there will be, and how many bytes they keep (estimates).

        largest  entries of an array that is kept whole
        """
        events = size = 0
        for node in self.nodes:
            if self.shows(node):
                events += 2 if node.requires_grad else 1
                size += (1 + node.requires_grad) * sum(
                    [_bytes(array, largest) for array in node.outputs]
                )
            for edge in node.edges if node.requires_grad else ():
                if edge.requires_grad and self.shows_contribution(node, edge):
                    events += 1
                    size += _bytes(edge.array, largest)
        return events, size


def _bytes(array: np.ndarray, largest: int) -> int:
    return array.nbytes if array.size <= largest else 1024
