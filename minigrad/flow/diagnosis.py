"""Diagnoses the gradients of your own network, in three lines:

    loss = ...                      # any graph with mg.time_step(t) or models.unroll
    d = mg.diagnose(loss)
    print(d); d.save("flow.html")

Read next: `monitor.py` (the same during training).
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from minigrad.engine.errors import ArgumentError, GraphError, MinigradError
from minigrad.engine.gradient_arguments import tensor_list
from minigrad.engine.graph import Leaf, ancestors
from minigrad.engine.primitives.messages import describe
from minigrad.engine.scope import enable_grad
from minigrad.engine.tensor import Tensor
from minigrad.flow.findings import Warned, warnings_of
from minigrad.flow.jacobians import JacobianProducts, jacobian_products
from minigrad.flow.ledgers import Ledger, ledger
from minigrad.flow.observation import LoopReading, read_loops
from minigrad.pages.notebook_view import View, Viewed
from minigrad.reading.loops import Loops, Place, loops

# Beyond this many multiplications singular values take longer than one waits for.
MOST_WORK = 2e10


class Diagnosis(Viewed):
    """The result of `mg.diagnose`: measurements, warnings, and a page.

    loops      the loops of the graph (`reading.loops.Loop`), or those of the trace
    readings   one LoopReading each: norms by distance, gates, dead units
    warnings   what is wrong, in words
    ledger     of the parameters that are used in the loops; None if there are none
    products   one JacobianProducts per loop, or a str: why there is none
    words      one per time step, for the figures, or None
    sample     which sample of the batch the Jacobians are of

    print(d) shows the tables; d.save("flow.html") writes the page.
    """

    def __init__(
        self,
        losses: Tensor | list[Tensor],
        traced: Sequence[Any],
        parameters: Any,
        sample: int,
        words: Sequence[str] | None,
    ) -> None:
        self.sample, self.words = sample, words
        listed = [losses] if isinstance(losses, Tensor) else losses
        edges = [loss._edge for loss in listed]
        found = loops(edges)
        if not found:
            raise GraphError(
                "diagnose: the graph has no loop over time",
                expect="two or more time steps that pass on a state",
                actual=describe(edges[0]),
                hint="compute each step within mg.time_step(t), or use models.unroll; "
                "outside mg.no_grad()",
            )
        with enable_grad():
            parts = [loss.sum() for loss in listed]
            total = sum(parts[1:], parts[0])
        self.readings: list[LoopReading] = read_loops(total, found)
        self.warnings: list[Warned] = warnings_of(self.readings)
        self.loops: list[Any] = list(traced) or found
        self.products = [_products(loop, sample) for loop in self.loops]
        if parameters is None:
            parameters = used_in_loops(edges)
        self.ledger: Ledger | None = ledger(losses, parameters) if parameters else None
        if words is not None and len(words) != len(found[0].steps):
            raise ArgumentError(
                f"diagnose: {len(words)} words for {len(found[0].steps)} steps",
                expect="one word per time step",
                actual=f"{len(words)} words",
                hint="leave out words, or give as many as the input has steps",
            )

    @property
    def names(self) -> list[str]:
        """The loops' names."""
        return [reading.name for reading in self.readings]

    def __str__(self) -> str:
        from minigrad.flow.terminal_tables import distance_table, gate_table, text

        curves = {reading.name: reading.norms for reading in self.readings}
        shown: list[Any] = [
            distance_table(curves, "The gradient at the state, by distance"),
            gate_table(self.readings),
        ]
        shown += [f"! {warning}" for warning in self.warnings]
        return text(*shown or ["no warnings"]).rstrip()

    def __repr__(self) -> str:
        return (
            f"<Diagnosis of {len(self.readings)} loops, {len(self.warnings)} warnings: "
            "print it, or save it as a page>"
        )

    def view(self) -> View:
        """For notebooks: the page in a frame, the gradient by distance, the tables."""
        from minigrad.flow.framed_views import diagnosis_view

        return diagnosis_view(self)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the page: one .html file that loads nothing."""
        from minigrad.flow.figure_page import write_page
        from minigrad.flow.page_sections import diagnosis_body

        return write_page(path, "Where the gradient goes", diagnosis_body(self))


def _products(loop: Any, sample: int) -> JacobianProducts | str:
    """The loop's Jacobians, or a sentence that says why there are none."""
    size = sum(
        int(np.prod(part.shape[1:] if part.ndim > 1 else part.shape))
        for part in loop.states[0]
    )
    if len(loop.states) * size**3 > MOST_WORK:
        return (
            f"{len(loop.states) - 1} Jacobians of ({size}, {size}) were left out: they "
            "take long; mg.jacobian_products computes them"
        )
    try:
        return jacobian_products(loop, sample)
    except MinigradError as error:
        return error.what


def used_in_loops(edges: Sequence[Any]) -> list[Tensor]:
    """The leaf tensors with gradients that are used in more than one time step."""
    seen: dict[Leaf, set[Place]] = {}
    nodes = ancestors([edge.source for edge in edges], constants=False)
    found = Loops(nodes)
    for node in nodes:
        place = found.outermost(node)
        if place is not None:
            for edge in node.edges:
                if edge.requires_grad and type(edge.source) is Leaf:
                    seen.setdefault(edge.source, set()).add(place)
    owners = [leaf.owner() for leaf, steps in seen.items() if len(steps) > 1]
    return [owner for owner in owners if isinstance(owner, Tensor)]


def diagnose(
    loss: Any,
    parameters: Any = None,
    *,
    sample: int = 0,
    words: Sequence[str] | None = None,
) -> Diagnosis:
    """Measure the gradients of any graph with time steps: see `Diagnosis`.

    loss        a scalar; or one per step, as a list or a tensor (T,); or what
                model.trace, models.unroll and models.unroll_traced give: then the loss
                is the sum of the outputs' squares, one per step
    parameters  for the ledger; by default all that are used in two time steps or more
    sample      the sample of the batch whose Jacobians are taken
    words       one per time step: labels for the figures
    Errors:     GraphError if the graph has no loop of two steps or more
    """
    traced: Sequence[Any] = ()
    if hasattr(loss, "states") and hasattr(loss, "output"):
        traced = getattr(loss, "layers", None) or [loss]
        output = loss.output
        with enable_grad():
            squares = output * output
            loss = squares.sum(axis=tuple(range(1, output.ndim)))
    losses = loss if isinstance(loss, Tensor) else tensor_list("diagnose", loss, "loss")
    return Diagnosis(losses, traced, parameters, sample, words)
