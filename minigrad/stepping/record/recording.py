"""Makes events from a graph: reads the forward pass and watches a backward pass.

The backward pass is the engine's own (`autodiff.backpropagate`, as `backward()` runs
it), so what is shown is what is computed; `.grad` is left alone.

Read next: `gradient_sums.py`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.engine.autodiff import backpropagate
from minigrad.engine.graph import AnyEdge, Leaf, Node
from minigrad.engine.quiet import quietly, uncollected
from minigrad.engine.watching import Watcher
from minigrad.reading.pulling import pull_one
from minigrad.stepping.record.events import (
    Carried,
    Contribution,
    Event,
    Forward,
    Gradient,
    Incoming,
    Stacked,
    Tables,
)
from minigrad.stepping.record.graph_tables import GraphTables
from minigrad.stepping.record.shown_events import ShownEvents


class Recorder(Watcher):
    """Makes the tables of one graph; it is the watcher of the backward pass.

    output    where backward starts
    shown     which operations and contributions become events
    largest   entries of an array that is kept whole
    """

    def __init__(self, output: AnyEdge, shown: ShownEvents, largest: int) -> None:
        self.output = output
        self.nodes = shown.nodes
        self.shown = shown
        self.made = GraphTables(shown.nodes, largest)
        self.tables = Tables()
        self.sums: dict[int, Any] = {}  # target -> the sum of its contributions so far
        self.one_by_one: dict[int, Any] = {}  # the same of those that are set aside
        self.left_out: dict[int, int] = {}  # target -> contributions not told of yet
        self.passed_over: dict[int, int] = {}  # the same of those set aside
        self.aside: set[tuple[Node, int]] = set()

    def run(self, seed: np.ndarray) -> Tables:
        """Everything: operations, values, forward and backward events."""
        with quietly(), uncollected():
            for number, node in enumerate(self.nodes):
                self.tables.operations.append(self.made.operation(number, node))
                if self.shown.shows(node):
                    self._event(Forward, operation=number)
            found = backpropagate(self.output, seed, watcher=self)
            for target, gradient in found.items():
                if type(target) is Leaf:
                    value = self.made.value_of[target]
                    self._settle(value)
                    self._event(Gradient, target=value, value=self.made.array(gradient))
        self.tables.values = self.made.values()
        return self.tables

    def _event(self, kind: type[Event], **fields: Any) -> None:
        self.tables.events.append(kind(number=len(self.tables.events), **fields))

    # ------------------------------------------------------------- the watcher

    def opened(self, node: Node, g: Any) -> None:
        """`g` is complete; the rule of `node` is next."""
        number = self.made.numbers[node]
        shown = self.shown.shows(node)
        for value in self.tables.operations[number].outputs:
            if shown:
                self._settle(value)
            self.sums.pop(value, None)
        if shown:
            parts = g if type(g) is list else [g]
            arrays = [None if part is None else self.made.array(part) for part in parts]
            self._event(Incoming, operation=number, gradients=tuple(arrays))

    def set_aside(self, node: Node, k: int, g: np.ndarray) -> None:
        """A use of a weight: its own term is computed to be shown; the engine sums."""
        self.aside.add((node, k))
        target = self.made.target(node, k)
        index = self.made.counted(target)
        value = pull_one(node, g, tuple([j == k for j in range(len(node.edges))]))[k]
        if not self.shown.shows_contribution(node, node.edges[k]):
            self.passed_over[target] = self.passed_over.get(target, 0) + 1
            before = self.one_by_one.get(target)
            self.one_by_one[target] = value if before is None else before + value
            return
        count = self.passed_over.pop(target, 0)
        if count:
            so_far = self.made.array(self.one_by_one[target])
            self._event(Carried, target=target, count=count, value=so_far, aside=True)
        self._contributed(node, k, target, index, value, self.one_by_one, aside=True)

    def contribution(self, node: Node, k: int, value: Any) -> None:
        """`value` is added to the gradient of input `k`."""
        if (node, k) in self.aside:  # a stack of one use
            self.stacked([node], k, value)
            return
        target = self.made.target(node, k)
        index = self.made.counted(target)
        if self.shown.shows_contribution(node, node.edges[k]):
            self._settle(target)
            self._contributed(node, k, target, index, value, self.sums)
            return
        self.left_out[target] = self.left_out.get(target, 0) + 1
        before = self.sums.get(target)
        self.sums[target] = value if before is None else before + value

    def _contributed(
        self,
        node: Node,
        k: int,
        target: int,
        index: int,
        value: Any,
        sums: dict[int, Any],
        aside: bool = False,
    ) -> None:
        """The event of one contribution; its target's sum, too."""
        before = sums.get(target)
        total = sums[target] = value if before is None else before + value
        large = total.size > self.made.largest
        self._event(
            Contribution,
            operation=self.made.numbers[node],
            input=k,
            target=target,
            index=index,
            value=self.made.array(value),
            aside=aside,
            total=self.made.array(total) if large else None,
        )

    def stacked(self, nodes: Any, k: int, value: Any) -> None:
        """Several uses of a weight, in one product."""
        self._event(
            Stacked,
            operation=self.made.numbers[nodes[-1]],
            operations=tuple([self.made.numbers[node] for node in nodes]),
            target=self.made.target(nodes[0], k),
            value=self.made.array(value),
        )

    def _settle(self, target: int) -> None:
        """Tell of the contributions that were left out, if there are any."""
        count = self.left_out.pop(target, 0)
        if count:
            value = self.made.array(self.sums[target])
            self._event(Carried, target=target, count=count, value=value)
