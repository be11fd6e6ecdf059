"""Sums over the uses of one matrix, in products of stacked rows.

A recurrent weight gets a_t^T g_t from every time step. Added one by one, T products and
T sums each touch the whole matrix; here the pairs (a_t, g_t) are kept, and a thousand
rows at a time are multiplied at once. `Watcher` is how others see every contribution.

Read next: `minigrad/engine/primitives/` (operations and their rules).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.engine.graph import Leaf, Node


class Watcher:
    """Who wants to see a backward pass, step by step: players and ledgers.

    What a reader does not define is not of interest to it.
    """

    def opened(self, node: Node, g: Any) -> None:
        """The gradient of `node`'s output (a list for several) is complete: `g`."""

    def set_aside(self, node: Node, k: int, g: np.ndarray) -> None:
        """The contribution to input `k` of `node` is kept for a stacked sum."""

    def contribution(self, node: Node, k: int, value: Any) -> None:
        """`node`'s rule gave `value` to its input `k`; it is added there next."""

    def stacked(self, nodes: Sequence[Node], k: int, value: Any) -> None:
        """`value` is the sum of these nodes' contributions to input `k`, in one go."""


class Stack:
    """Uses of one leaf whose contributions are summed in products of stacked rows.

    A thousand rows at a time: enough for a product at full speed, and few enough that
    they are still in the cache and that a long sequence needs no memory for them.
    """

    ROWS = 1024

    def __init__(self, k: int) -> None:
        self.k = k  # which input of the uses the leaf is
        self.nodes: list[Node] = []
        self.gs: list[np.ndarray] = []
        self.rows = 0
        self.sum: np.ndarray | None = None

    def add(self, node: Node, g: np.ndarray, watcher: Watcher | None) -> None:
        self.nodes.append(node)
        self.gs.append(g)
        self.rows += len(g)
        if self.rows >= self.ROWS:
            self.flush(watcher)

    def flush(self, watcher: Watcher | None) -> None:
        """Add up what is kept: a "stacked sum", or a contribution if it is only one."""
        k, nodes, gs = self.k, self.nodes, self.gs
        node = nodes[0]
        if len(nodes) == 1:
            needs = tuple([j == k for j in range(len(node.edges))])
            arrays = [edge.array for edge in node.edges]
            value = node.primitive.pull(needs, gs[0], node.array, arrays, node.attrs)[k]
        else:
            others = [n.edges[1 - k].array for n in nodes]
            value = node.primitive.stacked[k](gs, others)
        value = value.astype(node.edges[k].array.dtype, copy=False)
        if watcher is not None:
            if len(nodes) == 1:
                watcher.contribution(node, k, value)
            else:
                watcher.stacked(nodes, k, value)
        if self.sum is None:
            self.sum = value
        else:
            mine = self.sum if watcher is None else None  # a watcher may keep values
            self.sum = np.add(self.sum, value, out=mine)
        self.nodes, self.gs, self.rows = [], [], 0

    def total(self, watcher: Watcher | None) -> Any:
        if self.nodes:
            self.flush(watcher)
        return self.sum


def set_aside(
    node: Node,
    g: Any,
    needs: tuple[bool, ...],
    stacks: dict[Leaf, Stack],
    watcher: Watcher | None,
) -> tuple[bool, ...]:
    """Keep a use of a matrix for a stacked sum, and need it no more for now."""
    [k] = node.primitive.stacked
    leaf = node.edges[k].source
    if type(leaf) is not Leaf or not needs[k] or g.ndim != 2:
        return needs
    if node.edges[0].array.ndim != 2 or node.edges[1].array.ndim != 2:
        return needs
    stack = stacks.get(leaf)
    if stack is None:
        stack = stacks[leaf] = Stack(k)
    if watcher is not None:
        watcher.set_aside(node, k, g)
    stack.add(node, g, watcher)
    return (*needs[:k], False, *needs[k + 1 :])
