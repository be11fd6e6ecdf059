"""All findings that one graph gives: of numbers, loops, units, inputs and parameters.

Read next: `diagnosis_arguments.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from minigrad.engine.graph import Leaf, Node, key
from minigrad.engine.tensor import Tensor
from minigrad.flow.data_findings import data_findings
from minigrad.flow.findings import Finding, ordered, steps
from minigrad.flow.loop_findings import SHORTEST_PIECE, loop_findings
from minigrad.flow.loss_targets import targets_of
from minigrad.flow.not_finite import first_not_finite
from minigrad.flow.observation import LoopReading
from minigrad.flow.parameter_findings import (
    fresh_gradients,
    leaves_of,
    named,
    not_cleared,
    unused,
    was_run,
)
from minigrad.flow.unit_findings import unit_findings
from minigrad.reading.loops import Loop, Loops
from minigrad.reading.text import clean


class GraphFindings:
    """The findings of one graph.

    total     the sum of the losses, and `loss` what backward() may have been run from
    recorded  the `records` behind the total
    readings  of its loops
    known     what was found before
    lag       how many steps back lies what is to be learned, or None
    """

    def __init__(
        self,
        total: Tensor,
        loss: Tensor,
        recorded: Sequence[Any],
        readings: Sequence[LoopReading],
        known: Iterable[Finding] = (),
        lag: int | None = None,
    ) -> None:
        self.total, self.loss = total, loss
        self.recorded, self.readings = recorded, readings
        self.known, self.lag = list(known), lag

    def all(
        self, model: Any = None, parameters: Sequence[Tensor] = ()
    ) -> list[Finding]:
        """The findings, the worst first."""
        fresh = fresh_gradients(self.total, self.recorded)
        arrays = [array for array in fresh.values() if isinstance(array, np.ndarray)]
        wrong = first_not_finite(self.total, arrays)
        found = self.known if wrong is None else [*self.known, wrong]
        own = named(model, parameters)
        found += unused(own, self.recorded)
        if wrong is None:
            found += loop_findings(self.readings, self.lag)
            found += unit_findings(self.readings)
            found += data_findings(self.recorded, targets_of(self.recorded))
            if was_run(self.loss):
                used = named(model, leaves_of(self.recorded))
                found += not_cleared(used, fresh)
        return ordered(found)


def lone_step(loops: Loops) -> Finding | None:
    """A loop of which the loss reaches one step alone, and which is not the first: the
    state was cut off before it. None if there is no such loop."""
    for loop in loops.outer:
        only = loop.steps[0]
        if not loop.marked or len(loop.steps) != 1 or only == 0:
            continue
        if not _takes_a_state(loop.nodes[only]):
            continue
        text = (
            f"the loss reaches step {only} alone: the state that came from the "
            "step before has no graph (.detach(), .data, .numpy() or a new tensor)"
        )
        return Finding(
            "cut",
            "error",
            text,
            clean(loop.name),
            f"step {only}",
            {"steps": [only - 1], "of": only},
            "Hand on the state itself, as the tensor that the step computed.",
        )
    return None


def late_starts(found: Iterable[Loop]) -> list[Finding]:
    """Loops whose first step is not step 0, and takes a state that has no graph: it was
    cut off before, and the loss reads no earlier state, so that these steps are not in
    the graph. A note, where it may be a piece of truncated backpropagation."""
    findings = []
    for loop in found:
        first, length = loop.steps[0], len(loop.steps)
        if not loop.marked or loop.reverse or first <= 0 or not _given_a_state(loop):
            continue
        piece = length >= SHORTEST_PIECE and first % length == 0
        text = (
            f"the loss reaches back to step {first} alone: the state that came from "
            f"the {steps(first)} before has no graph (.detach(), .data, .numpy() or a "
            "new tensor)"
        )
        remedy = "Hand on the state itself, as the tensor that the step computed."
        if piece:
            text += f". It may be a piece of {steps(length)}: truncated on purpose?"
            remedy = (
                "Nothing, if it is truncated backpropagation. What lies farther back "
                "than a piece is not learned."
            )
        findings.append(
            Finding(
                "cut",
                "note" if piece else "warning",
                text,
                clean(loop.name),
                f"step {first}",
                {"steps": [first - 1], "of": first + length - 1},
                remedy,
            )
        )
    return findings


def _given_a_state(loop: Loop) -> bool:
    """Does the first step read a constant, other than zeros, as the second one reads
    the state that the first one made?"""
    first, second = list(loop.nodes.values())[:2]
    states = {key(part._edge) for part in loop.states[0]}
    ways = {
        (_use(node), k, edge.array.shape)
        for node in second
        for k, edge in enumerate(node.edges)
        if key(edge) in states
    }
    return any(
        (_use(node), k, edge.array.shape) in ways
        for node in first
        for k, edge in enumerate(node.edges)
        if not edge.requires_grad and edge.array.dtype.kind == "f" and edge.array.any()
    )


def _use(node: Node) -> tuple[Any, ...]:
    """What a node does, and with which parameters."""
    return node.primitive.name, *[
        e.source for e in node.edges if type(e.source) is Leaf and e.requires_grad
    ]


def _takes_a_state(nodes: Sequence[Node]) -> bool:
    """Does a step read a constant of the shape of what it makes, other than zeros?"""
    shapes = {array.shape for node in nodes for array in node.outputs if array.ndim}
    edges = [edge for node in nodes for edge in node.edges if not edge.requires_grad]
    return any(
        e.array.dtype.kind == "f" and e.array.shape in shapes and np.any(e.array)
        for e in edges
    )
