"""Cuts the graph at its time steps: the operations of each step, and its outputs.

A *stretch* is what one loop does in one time step. A loop is a row of stretches in the
order of processing, so that a reverse cell's first stretch is that of the last step.
What a recorded backward pass did in that loop (`create_graph=True`) is a row of its
own, from the last step to the first.
What a later operation outside the stretch takes from it is its *boundary*: states, and
what the loss reads.

Read next: `use_listener.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from minigrad.engine.graph import AnyEdge, Key, Node, ancestors, key
from minigrad.reading.backward_passes import FORWARD, Part, Passes
from minigrad.reading.levels import layer_of
from minigrad.reading.loops import Loop, Loops
from minigrad.reading.pulling import name_of_output
from minigrad.reading.text import clean


class Stretch:
    """The operations of one time step of one loop.

    loop      the loop (`reading.loops.Loop`); None for a use outside any
    step      the time step's number, or None
    nodes     oldest first
    boundary  {key: edge} of the values that are taken elsewhere, in order
    next      the stretch that the loop does next, if any
    layer     (number, reverse) of the layer that it belongs to, if any
    part      forward, or which backward pass (`backward_passes.Part`); `words` says it
    """

    def __init__(
        self,
        nodes: list[Node],
        loop: Loop | None = None,
        step: int | None = None,
        part: Part = FORWARD,
        words: str = "",
    ) -> None:
        self.nodes, self.loop, self.step = nodes, loop, step
        self.boundary: dict[Key, AnyEdge] = {}
        self.next: Stretch | None = None
        self._scopes = nodes[0].scope if loop is None else loop.scopes
        self.layer = layer_of(self._scopes)
        self.part, self._words = part, words

    @property
    def reverse(self) -> bool:
        """Does it go back in time? A backward pass does, of a loop that does not."""
        return self.loop is not None and self.loop.reverse != self.part.backward

    def place(self, several: bool) -> str:
        """In words: "step 3, layer 0 reverse"; layers only where there are several."""
        words = f"step {self.step}"
        if self.loop is None:
            words = f"outside any step, in {self.nodes[0].primitive.name}"
        left_out = {"gate", "cell", "loop"}
        if not several:
            left_out.add("layer")
        if self.loop is not None and not self.loop.call.alone:
            left_out.add("scope")
            words += f", {clean(self.loop.call.label)}"
        for level in self._scopes:
            if level.kind not in left_out:
                words += f", {clean(level)}"
        return f"{words}, {self._words}" if self._words else words


class Stretches:
    """All stretches of a graph, and which one a node belongs to.

    nodes   every operation that a gradient reaches, oldest first
    output  where the gradient starts: always taken from its stretch
    """

    def __init__(self, nodes: Sequence[Node], output: AnyEdge) -> None:
        # With what no gradient reaches: by it two passes of one cell are told apart.
        self.loops = Loops(ancestors([output.source]))
        self.passes = Passes(nodes)
        self._reached = set(nodes)
        self.rows: dict[tuple[Loop, Part], list[Stretch]] = {}
        for loop in self.loops.outer:
            self._rows_of(loop)
        self.of: dict[Node, Stretch] = {}
        for row in self.rows.values():
            for one, after in pairwise(row):
                one.next = after
            for one in row:
                self.of |= dict.fromkeys(one.nodes, one)
        for node in nodes:
            mine = self.of.get(node)
            for edge in node.edges:
                if edge.requires_grad and type(edge.source) is Node:
                    theirs = self.of.get(edge.source)
                    if theirs is not None and theirs is not mine:
                        theirs.boundary.setdefault(key(edge), edge)
        if type(output.source) is Node and output.source in self.of:
            self.of[output.source].boundary.setdefault(key(output), output)

    def _rows_of(self, loop: Loop) -> None:
        """A loop's own row, and one for each backward pass through it."""
        parts: dict[Part, dict[int, list[Node]]] = {}
        for step, made in loop.nodes.items():
            for node in made:
                if node not in self._reached:
                    continue
                steps = parts.setdefault(self.passes.of(node), {})
                steps.setdefault(step, []).append(node)
        for part, steps in parts.items():
            words = self.passes.named(part)
            row = [Stretch(found, loop, t, part, words) for t, found in steps.items()]
            self.rows[loop, part] = sorted(row, key=lambda one: one.nodes[0].seq)

    def alone(self, node: Node) -> Stretch:
        """A use outside any time step, as a stretch of its own: all it makes leaves
        it."""
        part = self.passes.of(node)
        return _alone(Stretch([node], None, None, part, self.passes.named(part)), node)


def _alone(stretch: Stretch, node: Node) -> Stretch:
    for k in range(len(node.outputs)):
        edge = _Output(node, k)
        stretch.boundary[name_of_output(node, k)] = edge  # type: ignore[assignment]
    return stretch


class _Output:
    """One output of a node, in the form of an edge that leads to it."""

    __slots__ = ("array", "index", "requires_grad", "source")

    def __init__(self, source: Node, index: int) -> None:
        self.source, self.index = source, index
        self.array = source.outputs[index]
        self.requires_grad = True


def flat(sums: dict[Key, Any], keys: Iterable[tuple[Key, AnyEdge]]) -> np.ndarray:
    """The gradients at these keys as one row; zeros where none arrived."""
    parts = [
        np.zeros(edge.array.size, edge.array.dtype)
        if sums.get(name) is None
        else np.asarray(sums[name]).reshape(-1)
        for name, edge in keys
    ]
    return np.concatenate(parts) if parts else np.zeros(0)


def is_use(edge: AnyEdge, of: AnyEdge) -> bool:
    """Does this input take the value that `of` leads to?"""
    return edge.source is of.source and edge.index == of.index
