"""Measures a graph with time steps, at the cost of a backward pass or less.

For every loop: which states the loss reads, the size of the gradient d steps before the
last of them, what the gates do, and which units are dead or copies of each other.

Read next: `direct_reads.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from minigrad.engine.autodiff import backpropagate
from minigrad.engine.graph import AnyEdge, Key, Node, key, record_key, records
from minigrad.engine.quiet import quietly, uncollected
from minigrad.engine.scope import enable_grad
from minigrad.engine.tensor import Tensor
from minigrad.engine.watching import Watcher
from minigrad.flow.direct_reads import direct_gradients
from minigrad.flow.unit_readings import (
    GateReading,
    Units,
    gate_reading,
    read_units,
)
from minigrad.reading.loops import Loop
from minigrad.reading.norms import euclidean_each
from minigrad.reading.whole_loops import steps_back


class LoopReading(NamedTuple):
    """The measurements of one loop.

    name     the scopes around it
    norms    (n,) the norm of the loss's gradient with respect to the state, over the
             whole batch; entry d is d steps before the last state that the loss reads
    seeded   False: the loss gives no gradient to any state, and a gradient of ones at
             the last state was followed back instead of it
    gates    {letter: GateReading}
    dead     the numbers of the units whose state is the same for all samples and steps
    units    how many there are
    cut      the steps whose state no gradient reaches from the next step
    steps    all steps of the loop that hand on a state, in order
    read     the steps whose state the loss reads, in order: all, or the last alone
    copies   groups of units that have the same values for all samples and steps
    ends     the activations that work at their ends: `unit_readings.Ends`
    call     which run through a network the loop is part of
    letters  the letters of the state's parts
    parted   {name: steps} of the parts of the state that are cut where others are not
    samples  those of the batch whose states the loss reads, and how many there are
    """

    name: str
    norms: np.ndarray
    seeded: bool
    gates: dict[str, GateReading]
    dead: list[int]
    units: int
    cut: Sequence[int] = ()
    steps: Sequence[int] = ()
    read: Sequence[int] = ()
    copies: Sequence[list[int]] = ()
    ends: Sequence[Any] = ()
    call: int = 0
    letters: Sequence[str] = ()
    parted: Mapping[str, Sequence[int]] = {}
    samples: tuple[Sequence[int], int] = ((), 0)


class _Arrivals(Watcher):
    """The watcher that adds up what arrives at states, not from within themselves:
    what h gives to the c it is computed from is left out.

    own    {key of a part of a state: the nodes that the state was made of}
    whole  are the keys those of `record_key`?
    """

    def __init__(self, own: dict[Key, set[Node]], whole: bool) -> None:
        self._own, self._name = own, record_key if whole else key
        self.sums: dict[Key, np.ndarray] = {}

    def contribution(self, node: Node, k: int, value: Any) -> None:
        name = self._name(node.edges[k])
        own = self._own.get(name)
        if own is not None and node not in own:
            self._add(name, value)

    def from_step(self, step: Any, edge: AnyEdge, value: Any) -> None:
        name = record_key(edge)
        if name in self._own:
            self._add(name, value)

    def _add(self, name: Key, value: Any) -> None:
        before = self.sums.get(name)
        self.sums[name] = value if before is None else before + value


def read_loops(
    loss: Tensor, loops: Sequence[Loop], recorded: Sequence[Any] | None = None
) -> list[LoopReading]:
    """Measure every loop that the loss was computed with. `.grad` does not change.

    loss      a tensor of any shape: the sum of its entries counts
    loops     those of its graph: `loops([loss._edge])`, or whole ones of `SameLoops`
    recorded  the `records` behind the loss, if they are known
    """
    given = direct_gradients(loss, loops, recorded)
    return [_read(loop, found) for loop, found in zip(loops, given, strict=True)]


def _read(loop: Loop, given: dict[int, list[np.ndarray]]) -> LoopReading:
    """given: what the loss gives to each state directly, by the state's number"""
    last = max(given, default=len(loop.states) - 1)
    seeds = given.get(last)
    if seeds is None:
        seeds = [np.ones(part.shape, part.dtype) for part in loop.states[last]]
    units: Units = read_units(loop)
    gates = {k: gate_reading(made) for k, made in loop.gate_rows.items()}
    steps = loop.steps[-len(loop.states) :]
    return LoopReading(
        loop.name,
        norms_by_distance(loop, seeds, last),
        bool(given),
        {letter: reading for letter, reading in gates.items() if reading is not None},
        units.dead,
        units.units,
        loop.cut,
        steps,
        [steps[k] for k in sorted(given)],
        units.copies,
        units.ends,
        loop.call.number,
        loop.state_names,
        loop.parted,
        _samples(given),
    )


def _samples(given: dict[int, list[np.ndarray]]) -> tuple[Sequence[int], int]:
    """The rows of the states (B, H) to which the loss gives anything; and B."""
    parts = [part for state in given.values() for part in state if part.ndim == 2]
    if not parts or len({len(part) for part in parts}) > 1:
        return (), 0
    read = np.concatenate(parts, axis=1).any(axis=1)
    return np.flatnonzero(read).tolist(), len(parts[0])


def norms_by_distance(
    loop: Loop, seeds: list[np.ndarray], number: int = -1
) -> np.ndarray:
    """(n,): |dL/ds_{k-d}| along the loop alone, h and c as independent coordinates.

    The gradient that the loss gives to state k = `number` (`seeds`, one per part) is
    followed back through the loop, and nothing else: what the loss gives to earlier
    states directly is left out, so that the norms show what distance does.
    """
    number = range(len(loop.states))[number]
    with quietly(), uncollected():
        found = [seeds, *steps_back(loop, seeds, number)]
    number -= len(found) - 1
    last, earlier = loop.states[number], loop.states[:number]
    with enable_grad():
        pairs = zip(last, found[-1], strict=True)
        along = [(part * Tensor(seed)).sum() for part, seed in pairs]
        total = sum(along[1:], along[0])
    found += _arrived(loop, total, earlier)
    norms = [euclidean_each(parts) for parts in zip(*found, strict=True)]
    return (
        norms[0] if len(norms) == 1 else euclidean_each(list(np.stack(norms, axis=1)))
    )


def _arrived(
    loop: Loop, total: Tensor, earlier: Sequence[tuple[Tensor, ...]]
) -> list[list[np.ndarray]]:
    """What arrives at each part of the earlier states, the latest state first."""
    edges = [part._edge for state in earlier for part in state]
    seed = np.ones((), total.dtype)
    sums: dict[Key, Any] = {}
    recorded = records([total._edge], constants=False) if loop.whole else None
    if total.requires_grad and edges:
        with quietly(), uncollected():
            if len(earlier[0]) == 1:  # no other part, from which something may come
                sums = backpropagate(total._edge, seed, edges, recorded=recorded)
            else:
                arrivals = _Arrivals(_own(loop, range(len(earlier))), loop.whole)
                backpropagate(
                    total._edge, seed, edges, watcher=arrivals, recorded=recorded
                )
                sums = arrivals.sums
    name = record_key if loop.whole else key
    return [
        [_at(sums.get(name(part._edge)), part) for part in state]
        for state in earlier[::-1]
    ]


def _at(found: Any, part: Tensor) -> np.ndarray:
    """What arrived at a part of a state; zeros if nothing did."""
    return np.zeros(part.shape, part.dtype) if found is None else found


def _own(loop: Loop, numbers: Iterable[int]) -> dict[Key, set[Node]]:
    """Of each part of these states the nodes that the state was made of."""
    name = record_key if loop.whole else key
    found: dict[Key, set[Node]] = {}
    for k in numbers:
        nodes = loop.made_of(k)
        found |= {name(part._edge): nodes for part in loop.states[k]}
    return found
