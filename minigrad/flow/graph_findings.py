"""All findings that one graph gives: of numbers, loops, units, inputs and parameters.

Read next: `diagnosis_arguments.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from minigrad.engine.graph import Node
from minigrad.engine.tensor import Tensor
from minigrad.flow.data_findings import data_findings
from minigrad.flow.findings import Finding, ordered
from minigrad.flow.loop_findings import loop_findings
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
from minigrad.reading.loops import Loops
from minigrad.reading.text import clean


class GraphFindings:
    """The findings of one graph.

    total     the sum of the losses, and `loss` what backward() may have been run from
    nodes     all of the graph, oldest first
    readings  of its loops
    known     what was found before
    lag       how many steps back lies what is to be learned, or None
    """

    def __init__(
        self,
        total: Tensor,
        loss: Tensor,
        nodes: Sequence[Node],
        readings: Sequence[LoopReading],
        known: Iterable[Finding] = (),
        lag: int | None = None,
    ) -> None:
        self.total, self.loss = total, loss
        self.nodes, self.readings = nodes, readings
        self.known, self.lag = list(known), lag

    def all(self, model: Any = None, parameters: Sequence[Tensor] = ()) -> list:
        """The findings, the worst first."""
        fresh = fresh_gradients(self.total)
        arrays = [array for array in fresh.values() if isinstance(array, np.ndarray)]
        wrong = first_not_finite(self.total, arrays)
        found = self.known if wrong is None else [*self.known, wrong]
        own = named(model, parameters)
        found += unused(own, self.nodes)
        if wrong is None:
            found += loop_findings(self.readings, self.lag)
            found += unit_findings(self.readings)
            found += data_findings(self.nodes, targets_of(self.nodes))
            if was_run(self.loss):
                used = named(model, leaves_of(self.nodes))
                found += not_cleared(used, fresh)
        return ordered(found)


def lone_step(loops: Loops) -> Finding | None:
    """A loop of which the loss reaches one step alone, and which is not the first: the
    state was cut off before it. None if there is no such loop."""
    for loop in loops.outer:
        steps = loop.steps
        if not loop.marked or len(steps) != 1 or steps[0] == 0:
            continue
        if not _takes_a_state(loop.nodes[steps[0]]):
            continue
        text = (
            f"the loss reaches step {steps[0]} alone: the state that came from the "
            "step before has no graph (.detach(), .data, .numpy() or a new tensor)"
        )
        return Finding(
            "cut",
            "error",
            text,
            clean(loop.name),
            f"step {steps[0]}",
            {"steps": [steps[0] - 1], "of": steps[0]},
            "Hand on the state itself, as the tensor that the step computed.",
        )
    return None


def _takes_a_state(nodes: Sequence[Node]) -> bool:
    """Does a step read a constant of the shape of what it makes, other than zeros?"""
    shapes = {array.shape for node in nodes for array in node.outputs if array.ndim}
    edges = [edge for node in nodes for edge in node.edges if not edge.requires_grad]
    return any(
        e.array.dtype.kind == "f" and e.array.shape in shapes and np.any(e.array)
        for e in edges
    )
