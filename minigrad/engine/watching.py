"""How players and ledgers see a backward pass: every contribution, as it is made.

A `Watcher` is told; `watched` is what tells it, wrapped around the pull through a node.

Read next: `tracing.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minigrad.engine.aliases import Array, Needs, Value
from minigrad.engine.graph import AnyEdge, Node, Pull
from minigrad.engine.primitives.shape import fitted


class Watcher:
    """Who wants to see a backward pass, step by step: players and ledgers.

    What a reader does not define is not of interest to it.
    """

    def opened(self, node: Node, g: Value) -> None:
        """The gradient of `node`'s output (a list for several) is complete: `g`."""

    def set_aside(self, node: Node, k: int, g: Array) -> None:
        """The contribution to input `k` of `node` is kept for a stacked sum."""

    def contribution(self, node: Node, k: int, value: Value) -> None:
        """`node`'s rule gave `value` to its input `k`; it is added there next."""

    def from_step(self, step: Any, edge: AnyEdge, value: Value) -> None:
        """A repeated step gave `value` to what `edge` leads to, in a walk over
        `records`; not of a matrix whose uses are summed at the end."""

    def stacked(self, nodes: Sequence[Node], k: int, value: Value) -> None:
        """`value` is the sum of these nodes' contributions to input `k`, in one go."""


def watched(pull: Pull, watcher: Watcher) -> Pull:
    """The pull that tells `watcher` of each node, and of what its inputs get."""

    def pull_and_tell(node: Node, needs: Needs, g: Value) -> Sequence[Value]:
        watcher.opened(node, g)
        values = list(pull(node, needs, g))
        for k, value in enumerate(values):
            if needs[k] and value is not None:
                values[k] = fitted(value, node.edges[k].array)
                watcher.contribution(node, k, values[k])
        return values

    return pull_and_tell
