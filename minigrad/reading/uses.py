"""Where parameters are used: which operations take them, at which time steps.

A parameter's gradient is a sum of one contribution per use. The backward pass tells a
watcher each of them; here they are filed by the time step in whose scope the use was
recorded, as dense arrays (`Dense`) or as norms only (`Norms`).

Read next: `earlier_graph.py`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from minigrad.engine.autodiff import backpropagate
from minigrad.engine.graph import AnyEdge, Key, Node, ancestors, key
from minigrad.engine.quiet import quietly, uncollected
from minigrad.engine.watching import Watcher
from minigrad.reading.loops import Loop, Loops
from minigrad.reading.norms import euclidean, product_norm

OUTSIDE = "outside"  # the slot of uses outside any time step


class LoopStep(NamedTuple):
    """A time step of one of several loops: which, and which step."""

    loop: str
    step: int

    def __str__(self) -> str:
        return f"{self.loop}, step {self.step}"


class Uses:
    """The uses of some tensors in the graph of some outputs.

    steps   the names of the slots: the graph's time steps in order (where it has
            several loops, a `LoopStep` each) and, where one of the tensors is used
            outside of any, "outside"
    counts  {(key, slot): number of uses}
    """

    def __init__(self, outputs: Iterable[AnyEdge], keys: Iterable[Key]) -> None:
        wanted = set(keys)
        found: list[tuple[Key, int | LoopStep | None]] = []
        nodes = ancestors([edge.source for edge in outputs])
        self._loops = Loops(nodes)
        for node in nodes:
            if node.requires_grad:
                for edge in node.edges:
                    if edge.requires_grad and key(edge) in wanted:
                        found.append((key(edge), self._step(node)))
        times = {
            (loop.call.number, self._named(loop, step))
            for loop in self._loops.outer
            for step in loop.steps
        }
        self.steps: list[int | LoopStep | str] = [step for _, step in sorted(times)]
        if any(step is None for _, step in found):
            self.steps.append(OUTSIDE)
        self._slots = {step: slot for slot, step in enumerate(self.steps)}
        self._slots[None] = len(self.steps) - 1  # type: ignore[index]
        self.counts = Counter((name, self._slots[step]) for name, step in found)  # type: ignore[index]

    def slot(self, node: Node) -> int:
        """The number of the slot that a use belongs to."""
        return self._slots[self._step(node)]  # type: ignore[index]

    def _step(self, node: Node) -> int | LoopStep | None:
        """The time step of a use: of loops in loops the outer one's."""
        place = self._loops.outermost(node)
        return None if place is None else self._named(*place)

    def _named(self, loop: Loop, step: int) -> int | LoopStep:
        several = self._loops.several
        return LoopStep(loop.call.label, step) if several else step


class Dense:
    """A sink that adds up contributions: one array (slots, *shape) per tensor."""

    def __init__(self, arrays: dict[Key, np.ndarray]) -> None:
        self.arrays = arrays

    def __contains__(self, name: Key) -> bool:
        return name in self.arrays

    def add(self, name: Key, slot: int, value: np.ndarray) -> None:
        """One use's contribution."""
        self.arrays[name][slot] += value

    def close(self) -> None:
        """The pass is over."""


class Norms:
    """A sink that keeps norms only: one array (slots,) per tensor.

    A contribution is dropped as soon as its norm is known. Only where a tensor is used
    several times in one step are their sums held, until the last of them is there.
    """

    def __init__(self, arrays: dict[Key, np.ndarray], counts: Counter[Any]) -> None:
        self.arrays = arrays
        self._counts = counts
        self._sums: dict[tuple[Key, int], np.ndarray] = {}
        self._missing: dict[tuple[Key, int], int] = {}

    def __contains__(self, name: Key) -> bool:
        return name in self.arrays

    def add(self, name: Key, slot: int, value: np.ndarray) -> None:
        """One use's contribution."""
        place = name, slot
        if self._counts[place] > 1:
            missing = self._missing.get(place, self._counts[place]) - 1
            before = self._sums.pop(place, None)
            value = value if before is None else before + value
            self._missing[place] = missing
            if missing:
                self._sums[place] = value
                return
        self.arrays[name][slot] = euclidean(value)

    def close(self) -> None:
        """The pass is over: of some uses nothing came."""
        for (name, slot), value in self._sums.items():
            self.arrays[name][slot] = euclidean(value)
        self._sums, self._missing = {}, {}


class _Filing(Watcher):
    """The watcher of a backward pass: files every contribution to a wanted tensor."""

    def __init__(self, uses: Uses, sink: Dense) -> None:
        self.uses, self.sink = uses, sink

    def contribution(self, node: Node, k: int, value: Any) -> None:
        name = key(node.edges[k])
        if name in self.sink:
            self.sink.add(name, self.uses.slot(node), value)

    def stacked(self, nodes: Sequence[Node], k: int, value: Any) -> None:
        raise AssertionError("bug: uses were summed before they were told apart")


class _Measuring(Watcher):
    """The watcher that wants norms: of a product a^T g before it is made."""

    def __init__(self, uses: Uses, sink: Norms) -> None:
        self.uses, self.sink = uses, sink
        self._done: set[tuple[Node, int]] = set()

    def set_aside(self, node: Node, k: int, g: np.ndarray) -> None:
        name = key(node.edges[k])
        if name not in self.sink:
            return
        self._done.add((node, k))
        slot, a = self.uses.slot(node), node.edges[1 - k].array
        if self.uses.counts[name, slot] == 1:
            self.sink.arrays[name][slot] = product_norm(a, g)
        else:
            self.sink.add(name, slot, np.dot(a.T, g))

    def contribution(self, node: Node, k: int, value: Any) -> None:
        name = key(node.edges[k])
        if name in self.sink and (node, k) not in self._done:
            self.sink.add(name, self.uses.slot(node), value)


def file_uses(
    output: AnyEdge,
    seed: np.ndarray,
    edges: list[AnyEdge],
    uses: Uses,
    sink: Dense | Norms,
) -> None:
    """One backward pass from `output`, every use of `edges` filed in the sink."""
    watcher: _Measuring | _Filing
    if isinstance(sink, Norms):
        watcher = _Measuring(uses, sink)
    else:
        watcher = _Filing(uses, sink)
    stack = isinstance(sink, Norms)
    with quietly(), uncollected():
        backpropagate(output, seed, edges, stack=stack, watcher=watcher)
    sink.close()
