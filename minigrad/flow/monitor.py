"""Watches a training: how far back gradients reach, what gates do, what is clipped.

    monitor = mg.Monitor("run", model=model, optimizer=optimizer)
    Trainer(..., callbacks=[monitor])            # or, in a loop of your own, after
    monitor.watch(loss, norm=norm, max_norm=1.0) # loss.backward(), clipping and step()

Every `every` batches it measures the graph of the current batch, which takes about as
long as one batch of a small network, and half as long as one of a larger; for the
other batches it stores a few numbers. It never changes a `.grad`.

Read next: `monitor_files.py`.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Sequence
from math import isfinite
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from minigrad.engine.calls import checked_call, checked_methods
from minigrad.engine.errors import (
    ArgumentError,
    DTypeError,
    MinigradWarning,
    checked_path,
)
from minigrad.engine.graph import records
from minigrad.engine.quiet import uncollected
from minigrad.engine.tensor import Tensor
from minigrad.engine.user_code import users_depth
from minigrad.flow.diagnosis_arguments import need_module, step_count
from minigrad.flow.findings import Finding, warnings_among
from minigrad.flow.monitor_files import MonitorFiles
from minigrad.flow.observation import LoopReading, read_loops
from minigrad.flow.parameter_findings import leaves_of, named
from minigrad.flow.training_findings import TrainingFindings
from minigrad.pages.notebook_view import View, Viewed
from minigrad.reading.earlier_graph import REMEDY, EarlierGraph
from minigrad.reading.loops import Loop
from minigrad.reading.same_loops import SameLoops


class FlowWarning(MinigradWarning):
    """The category of a monitor's warnings if it has no `tell` function."""


class Seen(NamedTuple):
    """The measurements of one batch.

    step, epoch   when: optimiser steps and epochs so far
    loss          its value
    norm          of the gradient before clipping; NaN if it was not told
    clipped       the share of the batches since the last look that were clipped
    readings      what each loop did
    """

    step: int
    epoch: int
    loss: float
    norm: float
    clipped: float
    readings: list[LoopReading]


@checked_methods
class Monitor(Viewed):
    """A callback that measures gradients and gates during training, and warns.

    folder     where monitor.html and monitor.csv are, from the first look on; None:
               nowhere. Each look is added to the table at once; the page is written
               anew as often as costs little, and at the end of the program
    model      the Module that is trained, so that its parameters have their names;
               without it those that the loss depends on are watched
    optimizer  what steps them. A trainer tells both
    every      look at every so many batches, the first among them. At 20 it takes 4 to
               7 % of the time of a training with 64 units and 50 steps, and 2 to 3 %
               with 128 units and 100 steps (measured by benchmarks/bench_flow.py)
    lag        how many steps back lies what is to be learned, if that is known
    tell       called with the words of each warning, once per code and loop. By default
               Python's `warnings.warn` with `FlowWarning`
    most       looks that are kept: when there are twice as many, every other one is
               dropped, so that a long run needs no more memory than a short one

    seen       the looks, oldest first
    findings   what was found so far, the worst first: see `Finding`
    warnings   those above a note
    first_seen   {(code, loop): the step at which it was first seen}
    steps, clipped   batches so far, and how many of them were clipped
    """

    @checked_call
    def __init__(
        self,
        folder: str | os.PathLike[str] | None = None,
        *,
        model: Any = None,
        optimizer: Any = None,
        every: int = 20,
        lag: int | None = None,
        tell: Callable[[str], object] | None = None,
        most: int = 500,
    ) -> None:
        for name, value in (("every", every), ("most", most)):
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ArgumentError(
                    f"Monitor({name}={value!r}): not a number of batches",
                    expect=f"{name}: a whole number, 1 or more",
                    actual=repr(value),
                    hint="20 if it is left out; every=100 costs a fifth of that",
                )
        if model is not None:
            need_module("Monitor", model)
        if optimizer is not None and not hasattr(optimizer, "step"):
            raise DTypeError(
                f"Monitor(optimizer={optimizer!r:.40}): not an optimiser",
                expect="an optimiser of mg.optim",
                actual=type(optimizer).__name__,
                hint="mg.Monitor(optimizer=mg.optim.Adam(model.parameters()))",
            )
        self.folder = None if folder is None else checked_path("Monitor", folder)
        self.model, self.optimizer = model, optimizer
        self.every, self.most = every, most
        self.tell = tell or _warn
        self.seen: list[Seen] = []
        self.steps = self.clipped = 0
        self.lag = None if lag is None else step_count("Monitor(lag=...)", lag)
        self._judge = TrainingFindings(self.lag)
        self._since: list[bool] = []
        self._earlier = EarlierGraph()
        self._loops = SameLoops()
        self._leaves: dict[str, Tensor] | None = None
        self._watched: dict[str, Tensor] = {}  # the parameters, as of the last look
        files = None if self.folder is None else MonitorFiles(self, self.folder)
        self._files = files

    @property
    def findings(self) -> list[Finding]:
        """What was found so far, the worst first."""
        return self._judge.findings(self.optimizer)

    @property
    def warnings(self) -> list[Finding]:
        """The findings above a note."""
        return warnings_among(self.findings)

    @property
    def first_seen(self) -> dict[tuple[str, str], int]:
        """{(code, loop): the step at which it was first seen}."""
        return self._judge.first_seen

    # --------------------------------------------------------- a trainer's callbacks

    def wants_graph(self, step: int) -> bool:
        """Will the batch of this step be looked at? It needs its graph then."""
        return self.steps % self.every == 0

    def on_batch(self, report: Any) -> None:
        """After each batch: `report` has loss, step, epoch, norm, clipped, max_norm;
        model and optimizer, if the monitor was not given them."""
        if self.model is None:
            self.model = getattr(report, "model", None)
        if self.optimizer is None:
            self.optimizer = getattr(report, "optimizer", None)
        self._record(
            getattr(report, "loss", None),
            getattr(report, "norm", None),
            getattr(report, "max_norm", None),
            bool(getattr(report, "clipped", False)),
            getattr(report, "step", None),
            int(getattr(report, "epoch", 0) or 0),
        )

    def close(self) -> None:
        """End of training: write the page once more, if there is a folder."""
        if self._files is not None:
            self._files.close()

    # --------------------------------------------------------- a loop of one's own

    @checked_call
    def watch(
        self,
        loss: Tensor,
        *,
        norm: float | None = None,
        max_norm: float | None = None,
        epoch: int = 0,
    ) -> None:
        """Give the monitor one batch, while its graph exists: after loss.backward(),
        clipping and optimizer.step().

        loss      the batch's loss
        norm      what `mg.clip_grad_norm_` returned: the norm before clipping
        max_norm  its bound: the batch counts as clipped if the norm is above it
        """
        if not isinstance(loss, Tensor):
            raise DTypeError(
                "monitor.watch(loss): the loss is not a tensor",
                expect="the loss itself, with its graph",
                actual=f"{type(loss).__name__}: {loss!r:.60}",
                hint="pass loss, not loss.item()",
            )
        clipped = norm is not None and max_norm is not None and norm > max_norm
        self._record(loss, norm, max_norm, clipped, None, epoch)

    def _record(
        self,
        loss: Any,
        norm: Any,
        max_norm: Any,
        clipped: bool,
        step: int | None,
        epoch: int,
    ) -> None:
        number, self.steps = self.steps, self.steps + 1
        self.clipped += clipped
        self._since.append(clipped)
        now = self.steps if step is None else int(step)
        graph = loss if isinstance(loss, Tensor) else None
        look = graph is not None and number % self.every == 0
        nodes: list[Any] = []
        loops: Sequence[Loop] = ()
        if graph is not None and (look or number == 1):
            nodes = records([graph._edge])
            loops = self._loops.outer(graph._edge, nodes) if look else ()
        if look or number < 2 or not self._watched:
            self._watched = self._parameters(nodes, number)
        parameters = self._watched
        value = float("nan") if loss is None else _number(loss)
        judge = self._judge
        new = self._loops.new
        judge.batch(value, graph, clipped, norm, max_norm, parameters, look, new)
        if graph is not None:
            self._look_back(graph, now)
            if not isfinite(value) or (norm is not None and not isfinite(norm)):
                self._say(judge.broken(graph, now))
            if number == 2 or (look and number and len(self.seen) < 4):
                self._say(judge.kept_gradients(graph, parameters, now))
        if look and graph is not None:
            with uncollected():
                self._look(graph, nodes, loops, parameters, norm, now, epoch)

    def _look(
        self,
        loss: Tensor,
        nodes: list[Any],
        loops: Sequence[Loop],
        parameters: dict[str, Tensor],
        norm: Any,
        now: int,
        epoch: int,
    ) -> None:
        """Measure the graph of one batch."""
        loops = [loop for loop in loops if len(loop.states) > 1]
        look = Seen(
            now,
            epoch,
            float(loss.data.sum()),
            float("nan") if norm is None else float(norm),
            float(np.mean(self._since)),
            read_loops(loss, loops, nodes),
        )
        self._since = []
        own = parameters if self.model is not None else {}
        full = len(self.seen) % 10 == 0
        found = self._judge.look(look.readings, nodes, own, now, full)
        self.seen.append(look)
        if len(self.seen) >= 2 * self.most:
            self.seen = self.seen[::2]
        self._say(found + self._judge.steady(self.optimizer, now))
        if self._files is not None:
            self._files.looked(look)

    def _parameters(self, nodes: list[Any], number: int) -> dict[str, Tensor]:
        """The parameters that are watched, by name. Without a model and an optimiser
        those that the first loss and the second depend on."""
        if self.model is not None or self.optimizer is not None:
            given = [] if self.optimizer is None else self.optimizer.parameters
            found = named(self.model, given)
            if self.model is None and number < 2:  # what the optimiser may have missed
                self._leaves = self._both(nodes)
            for name, p in (self._leaves or {}).items():
                if not any(p is one for one in found.values()):
                    found[name if name not in found else f"{name} (not held)"] = p
            return {name: p for name, p in found.items() if p.requires_grad}
        if number < 2:
            self._leaves = self._both(nodes)
        return self._leaves or {}

    def _both(self, nodes: list[Any]) -> dict[str, Tensor]:
        """Of the leaves known so far those that this batch's loss depends on, too."""
        leaves = leaves_of(nodes)
        if self._leaves is None:
            return named(None, leaves)
        ids = {id(p) for p in leaves}
        return {name: p for name, p in self._leaves.items() if id(p) in ids}

    def _look_back(self, loss: Tensor, step: int) -> None:
        """Warn if the batch's graph reaches back into earlier batches."""
        reached = self._earlier.reached(loss._edge)
        if reached is not None:
            words = _CARRIED.format(reached)
            found = Finding("carried-state", "warning", words, remedy=REMEDY)
            self._say(self._judge.keep([found], step))

    def _say(self, found: list[Finding]) -> None:
        """Tell of the warnings that are new."""
        for one in warnings_among(found):
            self.tell(str(one))

    # --------------------------------------------------------- what it writes

    def save(self, folder: str | os.PathLike[str]) -> Path:
        """Write monitor.html and monitor.csv; returns the page's path."""
        from minigrad.flow.monitor_page import write

        return write(self, Path(folder))

    def view(self) -> View:
        """For notebooks: the page in a frame, the loss and the reach, the warnings."""
        from minigrad.flow.framed_views import monitor_view

        return monitor_view(self)

    def __repr__(self) -> str:
        return (
            f"<Monitor: {self.steps} batches, {len(self.seen)} looks, "
            f"{self.clipped} clipped, {len(self.warnings)} warnings>"
        )


_CARRIED = (
    "the loss reaches back into earlier batches, so each batch takes more time and "
    f"memory than the one before: {{}}; {REMEDY}"
)


def _number(loss: Any) -> float:
    """The sum of the entries of a loss."""
    values = loss._edge.array if isinstance(loss, Tensor) else loss
    return float(values if np.ndim(values) == 0 else np.sum(values))


def _warn(words: str) -> None:
    warnings.warn(words, FlowWarning, stacklevel=users_depth())
