"""Diagnoses the gradients of your own network, in three lines:

    loss = ...                      # any graph with mg.time_step(t) or models.unroll
    d = mg.diagnose(loss)
    print(d); d.save("flow.html")

Read next: `clipping_watch.py`.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from minigrad.engine.calls import checked_call, checked_methods
from minigrad.engine.errors import ArgumentError, DTypeError, MinigradError
from minigrad.engine.graph import Leaf, Node, ancestors, records
from minigrad.engine.quiet import uncollected
from minigrad.engine.tensor import Tensor
from minigrad.flow.arguments import parameters_of
from minigrad.flow.chance import farthest
from minigrad.flow.diagnosis_arguments import (
    check_sample,
    empty_state,
    losses_of,
    need_module,
    no_loop,
    step_count,
    total_of,
)
from minigrad.flow.findings import Finding, warnings_among
from minigrad.flow.graph_findings import GraphFindings, late_starts, lone_step
from minigrad.flow.jacobians import JacobianProducts, jacobian_products
from minigrad.flow.ledgers import Ledger, ledger
from minigrad.flow.loop_findings import far_chance
from minigrad.flow.observation import LoopReading, read_loops
from minigrad.pages.notebook_view import View, Viewed
from minigrad.reading.loops import Loops, Place
from minigrad.reading.same_loops import without_written

# Beyond this many multiplications singular values take longer than one waits for.
MOST_WORK = 2e10


@checked_methods
class Diagnosis(Viewed):
    """The result of `mg.diagnose`: measurements, findings, and a page.

    findings   what was found, the worst first: see `Finding`
    warnings   the findings above a note
    loops      the loops of the graph (`reading.loops.Loop`), or those of the trace
    readings   one LoopReading each: norms by distance, gates, dead units
    ledger     of the parameters that are used in the loops; None if there are none
    products   one JacobianProducts per loop, or a str: why there is none
    lag        how many steps back lies what is to be learned, or None
    words      one per time step, for the figures, or None
    sample     which sample of the batch the Jacobians are of

    print(d) shows the tables; d.chance(20) is the chance that what lies 20 steps back
    is learned; d.save("flow.html") writes the page.
    """

    def __init__(
        self,
        losses: Tensor | list[Tensor],
        traced: Sequence[Any],
        parameters: Any,
        model: Any,
        lag: int | None,
        sample: int,
        words: Sequence[str] | None,
    ) -> None:
        self.sample, self.words, self.lag = sample, words, lag
        self._losses, self._model = losses, model
        self._parameters = None if parameters is None else parameters_of(parameters)
        total = total_of(losses)
        self._nodes: list[Node] = ancestors([total._edge.source])
        every = Loops(self._nodes)
        found = [loop for loop in every.outer if len(loop.states) > 1]
        alone = None if found else lone_step(every)
        if not found and alone is None:
            raise no_loop(losses, self._nodes, model)
        check_sample(found, sample)
        if found and not any(s.size for loop in found for s in loop.states[-1]):
            raise empty_state()
        recorded = records([total._edge])
        whole = without_written(found, recorded)
        self.readings: list[LoopReading] = read_loops(total, whole, recorded)
        self.findings: list[Finding] = GraphFindings(
            total,
            losses if isinstance(losses, Tensor) else total,
            recorded,
            self.readings,
            late_starts(found) if alone is None else [alone],
            lag,
        ).all(model, self._parameters or ())
        self.loops: list[Any] = list(traced) or found
        if words is not None and (not found or len(words) != len(found[0].steps)):
            count = len(found[0].steps) if found else 1
            raise ArgumentError(
                f"diagnose: {len(words)} words for {count} steps",
                expect="one word per time step",
                actual=f"{len(words)} words",
                hint="leave out words, or give as many as the input has steps",
            )

    @property
    def warnings(self) -> list[Finding]:
        """The findings above a note."""
        return warnings_among(self.findings)

    def chance(self, lag: int) -> float:
        """The chance, in [0, 1], that what lies `lag` steps before the last state that
        the loss reads can be learned as the network stands.

        It is judged by what is left of the gradient over that distance, in the loop in
        which most is left, and was fitted to networks that were trained. Of more steps
        than the graph has, the curve is continued. It knows nothing of the task: noise
        in the inputs, too little training or a wrong learning rate can prevent what is
        likely here. ArgumentError for a lag that is no whole number, 0 or more.
        """
        return far_chance(self.readings, step_count("chance(lag)", lag))

    @property
    def reliable_lag(self) -> int:
        """The largest lag up to which the chance is at least one half."""
        return max((farthest(r.norms) for r in self.readings), default=0)

    @cached_property
    def products(self) -> list[JacobianProducts | str]:
        """One JacobianProducts per loop, or a str: why there is none."""
        return [_products(loop, self.sample) for loop in self.loops]

    @cached_property
    def ledger(self) -> Ledger | None:
        """The gradient of what is used in the loops, by step; None if nothing is."""
        used = self._parameters or used_in_loops(self._nodes)
        if not used:
            return None
        many = isinstance(self._losses, Tensor) and self._losses.ndim > 1
        return ledger(total_of(self._losses) if many else self._losses, used)

    @property
    def names(self) -> list[str]:
        """The loops' names."""
        return [reading.name for reading in self.readings]

    def __str__(self) -> str:
        from minigrad.flow.finding_lists import finding_lines
        from minigrad.flow.terminal_tables import distance_table, gate_table, text

        shown: list[Any] = []
        if self.readings:
            curves = {reading.name: reading.norms for reading in self.readings}
            title = "The gradient at the state, by distance"
            shown = [distance_table(curves, title), gate_table(self.readings)]
        shown += finding_lines(self.findings) or ["no findings"]
        return text(*shown).rstrip()

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
        for part in loop.parts[0]
    )
    if len(loop.parts) * size**3 > MOST_WORK:
        return (
            f"{len(loop.parts) - 1} Jacobians of ({size}, {size}) were left out: they "
            "take long; mg.jacobian_products computes them"
        )
    try:
        return jacobian_products(loop, sample)
    except MinigradError as error:
        return error.what


def used_in_loops(nodes: Sequence[Node]) -> list[Tensor]:
    """The leaf tensors with gradients that are used in more than one time step."""
    seen: dict[Leaf, set[Place]] = {}
    found = Loops(nodes)
    for node in nodes:
        place = found.outermost(node) if node.requires_grad else None
        if place is not None:
            for edge in node.edges:
                if edge.requires_grad and type(edge.source) is Leaf:
                    seen.setdefault(edge.source, set()).add(place)
    owners = [leaf.owner() for leaf, steps in seen.items() if len(steps) > 1]
    return [owner for owner in owners if isinstance(owner, Tensor)]


@checked_call
def diagnose(
    loss: Any,
    parameters: Any = None,
    *,
    model: Any = None,
    lag: int | None = None,
    sample: int = 0,
    words: Sequence[str] | None = None,
) -> Diagnosis:
    """Say what may keep a network from learning, for any graph with time steps.

    loss        a scalar; or one per step, as a list or a tensor (T,); or what
                model.trace, models.unroll and models.unroll_traced give: then the loss
                is the sum of the outputs' squares, one per step. Of a tensor with more
                axes the sum counts
    parameters  for the ledger; by default all that are used in two time steps or more.
                Those that the loss does not depend on are named
    model       the same for all parameters of a Module
    lag         how many steps back lies what is to be learned. Without it the far end
                of the loop is judged, and a warning is made of it only where the loss
                reads the last state alone
    sample      the sample of the batch whose Jacobians are taken
    words       one per time step: labels for the figures
    Returns:    a `Diagnosis`: findings, warnings, chance(lag), tables and a page
    Errors:     DTypeError for what is no tensor; GraphError for a loss without a graph,
                or without a loop over time; ShapeError for states without entries;
                ArgumentError for a lag that is none
    """
    if lag is not None:
        lag = step_count("diagnose(lag=...)", lag)
    if words is not None and not isinstance(words, Sequence):
        raise DTypeError(
            f"diagnose(words={words!r:.40}): not a sequence of words",
            expect="one word per time step, in a list",
            actual=type(words).__name__,
            hint="words=text.split(), for example",
        )
    if model is not None:
        need_module("diagnose", model)
    losses, traced = losses_of(loss)
    with uncollected():
        return Diagnosis(losses, traced, parameters, model, lag, sample, words)
