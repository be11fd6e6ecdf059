"""Watches a training: how far back gradients reach, what gates do, what is clipped.

    monitor = mg.Monitor(folder="run", every=20)
    Trainer(..., callbacks=[monitor])            # or, in a loop of your own, after
    monitor.watch(loss, norm=norm, max_norm=1.0) # loss.backward() and clipping

Every `every` batches it measures the graph of the current batch, which costs a backward
pass or less; for the other batches it stores two numbers. It never changes a `.grad`.

Read next: `protocols.py`.
"""

from __future__ import annotations

import os
import warnings
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from minigrad.engine.errors import ArgumentError, DTypeError, MinigradWarning
from minigrad.engine.tensor import Tensor
from minigrad.engine.user_code import users_depth
from minigrad.flow.findings import Warned, clipping, warnings_of
from minigrad.flow.observation import LoopReading, read_loops
from minigrad.pages.notebook_view import View, Viewed
from minigrad.reading.earlier_graph import REMEDY, EarlierGraph
from minigrad.reading.loops import loops

RECENT = 100  # batches over which clipping is counted


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


class Monitor(Viewed):
    """A callback that measures gradients and gates during training, and warns.

    every     look at every so many batches, the first among them
    folder    where `close` writes monitor.html and monitor.csv; None: nowhere
    tell      called with the words of each warning, once per kind and loop. By default
              Python's `warnings.warn` with `FlowWarning`
    most      looks that are kept: when there are twice as many, every other one is
              dropped, so that a long run needs no more memory than a short one

    seen      the looks, oldest first
    warnings  what was warned of, each kind of each loop as it was last seen
    first_warned   {(kind, loop): the step at which it was first seen}
    steps, clipped   batches so far, and how many of them were clipped
    """

    def __init__(
        self,
        folder: str | os.PathLike[str] | None = None,
        *,
        every: int = 20,
        tell: Callable[[str], object] | None = None,
        most: int = 500,
    ) -> None:
        for name, value in (("every", every), ("most", most)):
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ArgumentError(
                    f"Monitor({name}={value!r}): not a number of batches",
                    expect=f"{name}: a whole number, 1 or more",
                    actual=repr(value),
                    hint="every=20 costs a few per cent of the training",
                )
        self.folder = None if folder is None else Path(folder)
        self.every, self.most = every, most
        self.tell = tell or _warn
        self.seen: list[Seen] = []
        self.first_warned: dict[tuple[str, str], int] = {}
        self._warned: dict[tuple[str, str], Warned] = {}
        self.steps = self.clipped = 0
        self._recent: deque[bool] = deque(maxlen=RECENT)
        self._since: list[bool] = []
        self._earlier = EarlierGraph()

    @property
    def warnings(self) -> list[Warned]:
        """The warnings so far, in the order in which they first appeared."""
        return list(self._warned.values())

    # --------------------------------------------------------- a trainer's callbacks

    def wants_graph(self, step: int) -> bool:
        """Will the batch of this step be looked at? It needs its graph then."""
        return self.steps % self.every == 0

    def on_batch(self, report: Any) -> None:
        """After each batch: `report` has loss, step, epoch, norm and clipped."""
        self._record(
            getattr(report, "loss", None),
            getattr(report, "norm", None),
            bool(getattr(report, "clipped", False)),
            getattr(report, "step", None),
            int(getattr(report, "epoch", 0) or 0),
        )

    def close(self) -> None:
        """End of training: write the page and the table, if there is a folder."""
        if self.folder is not None:
            self.save(self.folder)

    # --------------------------------------------------------- a loop of one's own

    def watch(
        self,
        loss: Tensor,
        *,
        norm: float | None = None,
        max_norm: float | None = None,
        epoch: int = 0,
    ) -> None:
        """Give the monitor one batch, while its graph exists.

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
        self._record(loss, norm, clipped, None, epoch)

    def _record(
        self, loss: Any, norm: Any, clipped: bool, step: int | None, epoch: int
    ) -> None:
        number, self.steps = self.steps, self.steps + 1
        self.clipped += clipped
        self._recent.append(clipped)
        self._since.append(clipped)
        self._look_back(loss, self.steps if step is None else int(step))
        if number % self.every or not isinstance(loss, Tensor):
            return
        look = Seen(
            self.steps if step is None else int(step),
            epoch,
            float(loss.data.sum()),
            float("nan") if norm is None else float(norm),
            float(np.mean(self._since)),
            read_loops(loss, loops([loss._edge])),
        )
        self._since = []
        self._keep(look)
        found = warnings_of(look.readings)
        if not look.readings and number == 0:
            found.append(Warned("no loops", "", _NO_LOOPS))
        found += clipping(float(np.mean(self._recent)), len(self._recent))
        for warned in found:
            self._warn(warned, look.step)

    def _look_back(self, loss: Any, step: int) -> None:
        """Warn if the batch's graph reaches back into earlier batches."""
        if isinstance(loss, Tensor):
            reached = self._earlier.reached(loss._edge)
            if reached is not None:
                words = _CARRIED.format(reached)
                self._warn(Warned("carried state", "", words), step)

    def _keep(self, look: Seen) -> None:
        self.seen.append(look)
        if len(self.seen) >= 2 * self.most:
            self.seen = self.seen[::2]

    def _warn(self, warned: Warned, step: int) -> None:
        """Store the warning; tell it if this kind is new for this loop."""
        name = warned.kind, warned.loop
        first = self.first_warned.setdefault(name, step)
        self._warned[name] = warned
        if first == step:
            self.tell(str(warned))

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


_NO_LOOPS = (
    "the loss has no loop over time, so there is nothing to measure by distance: "
    "compute each step within mg.time_step(t), or use models.unroll"
)

_CARRIED = (
    "the loss reaches back into earlier batches, so each batch takes more time and "
    f"memory than the one before: {{}}; {REMEDY}"
)


def _warn(words: str) -> None:
    warnings.warn(words, FlowWarning, stacklevel=users_depth())
