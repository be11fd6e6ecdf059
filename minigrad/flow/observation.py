"""Measures a graph with time steps, at the cost of a backward pass or less.

For every loop: the size of the gradient d steps before the last state, what the gates
do, and which units are dead.

Read next: `findings.py` (the warnings).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from minigrad.engine.autodiff import backpropagate
from minigrad.engine.graph import AnyEdge, Key, Node, key
from minigrad.engine.quiet import quietly, uncollected
from minigrad.engine.scope import enable_grad
from minigrad.engine.tensor import Tensor
from minigrad.engine.watching import Watcher
from minigrad.reading.loops import Loop
from minigrad.reading.norms import euclidean

NEAR = 0.05  # a gate below it, or above 1 minus it, is saturated
MOST_STEPS = 16  # steps, evenly spread, at which gates and units are looked at


class GateReading(NamedTuple):
    """A gate's values over samples, units and steps, in a few numbers.

    signed   does it take values below 0, as a candidate does? Then its ends are -1 and
             1, else 0 and 1
    mean     of its values
    low, high  the share of values within 0.05 of the lower and of the upper end
    stuck    the share of units that are at the same end for every sample and step
    """

    signed: bool
    mean: float
    low: float
    high: float
    stuck: float


class LoopReading(NamedTuple):
    """The measurements of one loop.

    name     the scopes around it
    norms    (n,) the norm of the loss's gradient with respect to the state, over the
             whole batch; entry d is d steps before the loop's last state
    seeded   False: the loss does not depend on the last state, and a gradient of ones
             was followed back instead of it
    gates    {letter: GateReading}
    dead     the numbers of the units whose state is the same for all samples and steps
    units    how many there are
    cut      the steps whose state no gradient reaches from the next step
    steps    all steps of the loop that hand on a state, in order
    parted   {name: steps} of the parts of the state that are cut where others are not
    """

    name: str
    norms: np.ndarray
    seeded: bool
    gates: dict[str, GateReading]
    dead: list[int]
    units: int
    cut: Sequence[int] = ()
    steps: Sequence[int] = ()
    parted: Mapping[str, Sequence[int]] = {}


class _Arrivals(Watcher):
    """The watcher that adds up what arrives at states, not from within themselves:
    what h gives to the c it is computed from is left out.

    own   {key of a part of a state: the nodes that the state was made of}
    """

    def __init__(self, own: dict[Key, set[Node]]) -> None:
        self._own = own
        self.sums: dict[Key, np.ndarray] = {}

    def contribution(self, node: Node, k: int, value: Any) -> None:
        name = key(node.edges[k])
        own = self._own.get(name)
        if own is not None and node not in own:
            before = self.sums.get(name)
            self.sums[name] = value if before is None else before + value

    def of(self, state: Iterable[Tensor]) -> list[np.ndarray]:
        """What arrived at each part of a state; zeros if nothing did."""
        parts = [(key(part._edge), part) for part in state]
        return [self.sums.get(n, np.zeros(p.shape, p.dtype)) for n, p in parts]


def read_loops(loss: Tensor, loops: Sequence[Loop]) -> list[LoopReading]:
    """Measure every loop that the loss was computed with. `.grad` does not change.

    loss   a tensor of any shape: the sum of its entries counts
    loops  the loops of its graph: `loops([loss._edge])`
    """
    lasts: dict[Key, set[Node]] = {}
    for loop in loops:
        lasts |= _own(loop, [len(loop.states) - 1])
    arriving = _Arrivals(lasts)
    edges = [part._edge for loop in loops for part in loop.states[-1]]
    _watch(loss, np.ones(loss.shape, loss.dtype), edges, arriving)
    return [_read(loop, arriving.of(loop.states[-1])) for loop in loops]


def _read(loop: Loop, seeds: list[np.ndarray]) -> LoopReading:
    seeded = any([seed.any() for seed in seeds])
    if not seeded:
        seeds = [np.ones(seed.shape, seed.dtype) for seed in seeds]
    dead, units = _dead(loop)
    gates = {k: _gate(list(nodes.values())) for k, nodes in loop.gates.items()}
    return LoopReading(
        loop.name,
        norms_by_distance(loop, seeds),
        seeded,
        {letter: reading for letter, reading in gates.items() if reading is not None},
        dead,
        units,
        loop.cut,
        loop.steps[-len(loop.states) :],
        loop.parted,
    )


def norms_by_distance(loop: Loop, seeds: list[np.ndarray]) -> np.ndarray:
    """(n,): |dL/ds_{T-d}| along the loop alone, h and c as independent coordinates.

    The gradient that the loss gives to the last state (`seeds`, one per part) is
    followed back through the loop, and nothing else: what the loss gives to earlier
    states directly is left out, so that the norms show what distance does.
    """
    last, earlier = loop.states[-1], loop.states[:-1]
    with enable_grad():
        pairs = zip(last, seeds, strict=True)
        along = [(part * Tensor(seed)).sum() for part, seed in pairs]
        total = sum(along[1:], along[0])
    arrivals = _Arrivals(_own(loop, range(len(earlier))))
    edges = [part._edge for state in earlier for part in state]
    _watch(total, np.ones((), total.dtype), edges, arrivals)
    found = [seeds, *[arrivals.of(state) for state in earlier[::-1]]]
    norms = [[euclidean(part) for part in parts] for parts in found]
    return np.array([euclidean(np.array(parts)) for parts in norms])


def _own(loop: Loop, numbers: Iterable[int]) -> dict[Key, set[Node]]:
    """Of each part of these states the nodes that the state was made of."""
    found: dict[Key, set[Node]] = {}
    for k in numbers:
        nodes = loop.made_of(k)
        found |= {key(part._edge): nodes for part in loop.states[k]}
    return found


def _watch(
    output: Tensor, seed: np.ndarray, edges: list[AnyEdge], watcher: _Arrivals
) -> None:
    if output.requires_grad:
        with quietly(), uncollected():
            backpropagate(output._edge, seed, edges, watcher=watcher)


def _sampled(items: Sequence[Any]) -> list[Any]:
    """At most MOST_STEPS of the items, evenly spread, the last among them."""
    count = min(len(items), MOST_STEPS)
    return [items[round(k)] for k in np.linspace(0, len(items) - 1, count)]


def _gate(nodes: list[Node]) -> GateReading | None:
    """The reading of one gate; None if its shapes differ from step to step."""
    arrays = [node.outputs[0] for node in _sampled(nodes)]
    if len({array.shape for array in arrays}) != 1 or not arrays[0].size:
        return None
    values = np.stack(arrays)  # (steps, B, H)
    values = values.reshape(-1, values.shape[-1] if values.ndim > 2 else 1)
    signed = bool((values < 0).any())
    low = values < (NEAR - 1 if signed else NEAR)
    high = values > 1 - NEAR
    return GateReading(
        signed,
        float(values.mean()),
        float(low.mean()),
        float(high.mean()),
        float((low.all(axis=0) | high.all(axis=0)).mean()),
    )


def _dead(loop: Loop) -> tuple[list[int], int]:
    """The units of the state's first part that never change, and how many there are."""
    arrays = [state[0].data for state in _sampled(loop.states)]
    values = np.stack(arrays)
    values = values.reshape(-1, values.shape[-1] if values.ndim > 2 else 1)
    units = values.shape[1]
    if len(values) < 2:
        return [], units
    top, bottom = values.max(axis=0), values.min(axis=0)
    largest = np.maximum(np.abs(top), np.abs(bottom))
    tiny = 4 * np.finfo(values.dtype).eps
    return [int(k) for k in np.flatnonzero(top - bottom <= tiny * largest)], units
