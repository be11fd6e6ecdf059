"""Watches a backward pass: records what each operation adds to the explained entry.

Read next: `step_chain.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minigrad.engine.graph import AnyEdge, Node, key
from minigrad.engine.watching import Watcher
from minigrad.explaining.step_cuts import Stretch, is_use


class UseListener(Watcher):
    """Collects the uses of a parameter, and who reads the states.

    uses    [(operation that takes the parameter, the entry's share)]
    direct  {stretch: {key: gradient}}: what is taken from a step, and not by way of
            the next one
    """

    def __init__(
        self, target: AnyEdge, index: tuple[int, ...], of: dict[Node, Stretch]
    ) -> None:
        self.target, self.index, self.of = target, index, of
        self.uses: list[tuple[Node, Any]] = []
        self.direct: dict[Stretch, dict[Any, Any]] = {}

    def contribution(self, node: Node, k: int, value: Any) -> None:
        edge = node.edges[k]
        if is_use(edge, self.target):
            self.uses.append((node, value[self.index]))
        stretch = self.of.get(edge.source)  # type: ignore[arg-type]
        mine = self.of.get(node)
        if stretch is None or mine is stretch or (mine and mine is stretch.next):
            return
        self.reads(edge, value)

    def reads(self, edge: AnyEdge, value: Any) -> None:
        """Something takes a value from a step, and not by way of the next step."""
        parts = self.direct.setdefault(self.of[edge.source], {})  # type: ignore[index]
        name = key(edge)
        parts[name] = parts[name] + value if name in parts else value

    def stacked(self, nodes: Sequence[Node], k: int, value: Any) -> None:
        raise AssertionError("bug: stacked sums were not asked for")

    def grouped(self) -> dict[Stretch, list[tuple[Node, Any]]]:
        """The uses by stretch; those outside any step each by itself."""
        found: dict[Stretch, list[tuple[Node, Any]]] = {}
        for node, value in self.uses:
            stretch = self.of[node]
            found.setdefault(stretch, []).append((node, value))
        return found
