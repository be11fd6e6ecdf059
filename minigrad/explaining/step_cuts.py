"""The graph cut at its time steps: which operations make a step, and what leaves it.

A *stretch* is what one loop does in one time step: the operations recorded in the same
scopes up to `step t`. A loop is a row of stretches in the order of processing, so that
a reverse cell's first stretch is that of the last step. What a later operation outside
the stretch takes from it is its *boundary*: states, and what the loss reads.

Read next: `step_chain.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from minigrad.engine.graph import AnyEdge, Key, Node, key
from minigrad.engine.primitives.shape import sum_to
from minigrad.engine.scope import Scope
from minigrad.reading.text import clean


class Stretch:
    """The operations of one time step of one loop.

    loop      the scopes around the loop
    run       which run of the loop: a model may be called twice
    step      the time step's number; None for uses outside any step
    nodes     oldest first
    boundary  {key: edge} of the values that are taken elsewhere, in order
    next      the stretch that the loop does next, if any
    """

    def __init__(self, loop: tuple[Scope, ...], run: int, step: int | None) -> None:
        self.loop, self.run, self.step = loop, run, step
        self.nodes: list[Node] = []
        self.boundary: dict[Key, AnyEdge] = {}
        self.next: Stretch | None = None
        self.reverse = False  # does its loop go back in time?

    @property
    def layer(self) -> tuple[int, bool] | None:
        """(number, reverse) of the layer that it belongs to, if any."""
        found = [level.index for level in self.loop if level.kind == "layer"]
        return found[-1] if found else None

    def place(self, several: bool) -> str:
        """In words: "step 3, layer 0 reverse"; layers only where there are several."""
        words = f"step {self.step}"
        if self.step is None:
            words = f"outside any step, in {self.nodes[0].primitive.name}"
        for level in self.loop:
            if level.kind not in ("cell", "layer") or (
                several and level.kind != "cell"
            ):
                words += f", {clean(level)}"
        return words if self.run == 0 else f"{words}, run {self.run + 1}"


class Stretches:
    """All stretches of a graph, and which one a node belongs to.

    nodes   every operation that a gradient reaches, oldest first
    output  where the gradient starts: always taken from its stretch
    """

    def __init__(self, nodes: Sequence[Node], output: AnyEdge) -> None:
        self.of: dict[Node, Stretch] = {}
        self.rows: dict[tuple, list[Stretch]] = {}
        self._divide(nodes)
        for row in self.rows.values():
            for one, after in pairwise(row):
                one.next = after
            steps = [one.step or 0 for one in row]
            for one in row:
                layer = one.layer
                falls = len(steps) > 1 and steps[0] > steps[-1]
                one.reverse = falls or (layer is not None and bool(layer[1]))
        for node in nodes:
            mine = self.of.get(node)
            for edge in node.edges:
                if edge.requires_grad and type(edge.source) is Node:
                    theirs = self.of.get(edge.source)
                    if theirs is not None and theirs is not mine:
                        theirs.boundary.setdefault(key(edge), edge)
        if type(output.source) is Node and output.source in self.of:
            self.of[output.source].boundary.setdefault(key(output), output)

    def _divide(self, nodes: Sequence[Node]) -> None:
        runs: dict[tuple, int] = {}
        known: dict[tuple, Stretch] = {}
        now: dict[tuple, Stretch] = {}
        for node in nodes:
            found = [k for k, level in enumerate(node.scope) if level.kind == "step"]
            if not found:
                continue
            loop, step = node.scope[: found[0]], node.scope[found[0]].index
            current = now.get(loop)
            if current is None or current.step != step:
                run = runs.setdefault(loop, 0)
                if (loop, run, step) in known:  # seen before: the loop again
                    run = runs[loop] = run + 1
                current = now[loop] = Stretch(loop, run, step)
                known[loop, run, step] = current
                self.rows.setdefault((loop, run), []).append(current)
            current.nodes.append(node)
            self.of[node] = current


def alone(node: Node) -> Stretch:
    """A use outside any time step, as a stretch of its own: all it makes leaves it."""
    stretch = Stretch(tuple(s for s in node.scope if s.kind != "gate"), 0, None)
    stretch.nodes = [node]
    for k in range(len(node.outputs)):
        edge = _Output(node, k)
        stretch.boundary[(node, k) if k else node] = edge  # type: ignore[assignment]
    return stretch


class _Output:
    """One output of a node, in the form of an edge that leads to it."""

    __slots__ = ("array", "index", "requires_grad", "source")

    def __init__(self, source: Node, index: int) -> None:
        self.source, self.index = source, index
        self.array = source.outputs[index]
        self.requires_grad = True


def pull(nodes: Iterable[Node], seeds: dict[Key, Any]) -> dict[Key, Any]:
    """Gradients carried back through these operations only, newest first.

    seeds  {key: what arrives at an output}
    Returns the sums at every key, those of inputs from elsewhere among them. A seed
    counts where it is given; what the operations add to it is carried on as well.
    """
    sums = dict(seeds)
    for node in nodes:
        g: Any
        if node.primitive.multiple:
            parts = [sums.get((node, k) if k else node) for k in range(len(node.array))]
            g = None if all(part is None for part in parts) else parts
        else:
            g = sums.get(node)
        if g is None:
            continue
        for k, value in enumerate(pulled(node, g)):
            if value is not None:
                name = key(node.edges[k])
                before = sums.get(name)
                sums[name] = value if before is None else before + value
    return sums


def pulled(node: Node, g: Any) -> list[Any]:
    """What one operation's rule gives to each input, in its shape; None for none."""
    edges = node.edges
    needs = tuple([edge.requires_grad for edge in edges])
    arrays = [edge.array for edge in edges]
    values = node.primitive.pull(needs, g, node.array, arrays, node.attrs)
    made: list[Any] = []
    for need, value, array in zip(needs, values, arrays, strict=True):
        if not need or value is None:
            made.append(None)
            continue
        if value.shape != array.shape:
            value = sum_to(value, array.shape)
        made.append(value.astype(array.dtype, copy=False))
    return made


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
