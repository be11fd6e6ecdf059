"""Sums over the uses of one matrix, in products of stacked rows.

A recurrent weight gets a_t^T g_t from every time step. Added one by one, T products and
T sums each touch the whole matrix; here the pairs (a_t, g_t) are kept, and a thousand
rows at a time are multiplied at once.

Read next: `watching.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from operator import is_
from typing import Any

import numpy as np

from minigrad.engine.aliases import Array, Needs, Value
from minigrad.engine.graph import AnyEdge, Leaf, Node, Pull
from minigrad.engine.primitives.linalg import matmul, stacked_rows
from minigrad.engine.watching import Watcher


class Stacks:
    """The pull through a node that keeps the uses of matrices for stacked sums.

    pull     what computes everything else, and a use that stays alone
    watcher  is told what is set aside, and what comes of it
    """

    __slots__ = ("_inner", "_rows_of", "_stacks", "_watcher")

    def __init__(self, pull: Pull, watcher: Watcher | None) -> None:
        self._inner, self._watcher = pull, watcher
        self._rows_of = Rows()
        self._stacks: dict[Leaf, Stack] = {}

    def pull(self, node: Node, needs: Needs, g: Value) -> Sequence[Value]:
        """As the pull within, but None for a matrix whose use is set aside."""
        if node.primitive.stacked:
            needs = self._set_aside(node, needs, g)
        return self._inner(node, needs, g)

    def totals(self) -> Iterator[tuple[AnyEdge, Array]]:
        """For each matrix: an edge that leads to it, and the sum over its uses."""
        for stack in self._stacks.values():
            yield stack.edge, stack.total()

    def keep(self, edge: AnyEdge, a: Array, g: Array) -> None:
        """Keep a use of the matrix that `edge` leads to: a @ matrix got the gradient
        g. For several operations at once; nobody watches these."""
        self._stack(edge, 1).add(None, a, g)

    def _stack(self, edge: AnyEdge, k: int) -> Stack:
        leaf = edge.source
        assert type(leaf) is Leaf
        stack = self._stacks.get(leaf)
        if stack is None:
            stack = Stack(edge, k, self._inner, self._watcher, self._rows_of)
            self._stacks[leaf] = stack
        return stack

    def _set_aside(self, node: Node, needs: Needs, g: Value) -> Needs:
        """Keep a use of a matrix for a stacked sum, and need it no more for now."""
        [k] = node.primitive.stacked
        leaf = node.edges[k].source
        if type(leaf) is not Leaf or not needs[k]:
            return needs
        if g.ndim != 2 or node.edges[k].array.ndim != 2:  # then the other has two, too
            return needs
        if self._watcher is not None:
            self._watcher.set_aside(node, k, g)
        self._stack(node.edges[k], k).add(node, node.edges[1 - k].array, g)
        return (*needs[:k], False)  # the matrix is the last input


class Rows:
    """Gradients below each other: W_x and W_h get the same ones, which are then copied
    only once."""

    __slots__ = ("_gs", "_rows")

    def __init__(self) -> None:
        self._gs: list[Array] = []
        self._rows: Any = None

    def __call__(self, gs: list[Array]) -> Array:
        if len(gs) != len(self._gs) or not all(map(is_, gs, self._gs)):
            self._gs, self._rows = gs, stacked_rows(gs, "g")
        return self._rows


class Stack:
    """Uses of one leaf whose contributions are summed in products of stacked rows.

    A thousand rows at a time: enough for a product at full speed, and few enough that
    they are still in the cache and that a long sequence needs no memory for them.
    """

    ROWS = 1024

    def __init__(
        self, edge: AnyEdge, k: int, pull: Pull, watcher: Watcher | None, rows_of: Rows
    ) -> None:
        self.edge, self.k = edge, k  # to the leaf, which is input k of its uses
        self.pull, self.watcher, self.rows_of = pull, watcher, rows_of
        self.nodes: list[Node | None] = []  # None for a use within several operations
        self.others: list[Array] = []
        self.gs: list[Array] = []
        self.rows = 0
        self.sum: Array | None = None

    def add(self, node: Node | None, other: Array, g: Array) -> None:
        """Keep one use: the product's node, its other input, and its gradient."""
        self.nodes.append(node)
        self.others.append(other)
        self.gs.append(g)
        self.rows += len(g)
        if self.rows >= self.ROWS:
            self.flush()

    def flush(self) -> None:
        """Add up what is kept: a "stacked sum", or a contribution if it is only one."""
        k, nodes, gs = self.k, self.nodes, self.gs
        node = nodes[0]
        if len(nodes) == 1 and node is not None:
            alone = tuple([j == k for j in range(len(node.edges))])
            value = self.pull(node, alone, gs[0])[k]
        elif len(nodes) == 1:
            value = np.dot(self.others[0].T, gs[0])
        else:
            value = matmul.stacked[k](self.rows_of(gs), self.others)
        value = value.astype(self.edge.array.dtype, copy=False)
        if self.watcher is not None and node is not None:
            if len(nodes) == 1:
                self.watcher.contribution(node, k, value)
            else:
                self.watcher.stacked(nodes, k, value)  # type: ignore[arg-type]
        if self.sum is None:
            self.sum = value
        else:
            mine = self.sum if self.watcher is None else None  # a watcher may keep it
            self.sum = np.add(self.sum, value, out=mine)
        self.nodes, self.others, self.gs, self.rows = [], [], [], 0

    def total(self) -> Array:
        """The sum over all uses."""
        if self.nodes:
            self.flush()
        assert self.sum is not None
        return self.sum
