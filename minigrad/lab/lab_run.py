"""Trains one net on one task until it counts as solved, and says what was found.

A run is kept in two files of its folder: what was found so far (JSON), and the weights
with the state of the run, from which it goes on (`Trainer`).

Read next: `lab_book.py`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

import minigrad as mg
from minigrad.engine.tensor import Tensor
from minigrad.engine.tracing import outside
from minigrad.lab.lab_nets import LabNet
from minigrad.lab.lab_results import Setting, read_result, write_result
from minigrad.lab.long_lag_task import LongLagTask, Recent, Sequences
from minigrad.lab.start_evidence import evidence
from minigrad.nn.optim import Adam
from minigrad.training import Trainer, cosine, generators

EPOCH = 32  # batches
FEW = 200  # updates: a run of fewer is over before a trace of its step pays


class OutOfTime(Exception):
    """The time for this run is over; it is saved."""


class Batches:
    """New sequences without end, in epochs of `EPOCH` batches."""

    def __init__(
        self, task: LongLagTask, setting: Setting, rng: Any, watch: Watch
    ) -> None:
        self.task, self.setting, self.rng, self.watch = task, setting, rng, watch

    def __len__(self) -> int:
        return EPOCH

    def __iter__(self) -> Iterator[Sequences]:
        self.task.epoch_begins()
        for k in range(EPOCH):
            known = self.watch.epoch[k - 1 : k]
            self.task.last_right = np.array(known[0]) if k and known else None
            yield self.task.sequences(self.rng, self.setting.lag, self.setting.batch)


class Watch:
    """Follows a run: the latest sequences, the criterion, the clock.

    It is a callback of the Trainer, and the loss tells it what the net said.
    """

    def __init__(self, task: LongLagTask, setting: Setting, until: float) -> None:
        self.task, self.setting, self.until = task, setting, until
        self.right: list[bool] = []
        self.epoch: list[list[bool]] = []  # the same, batch by batch of this epoch
        self.errors: list[float] = []
        self.sequences = 0
        self.solved_at: int | None = None
        self.trainer: Any = None
        self.test: Any = None

    def heard(self, output: np.ndarray, made: Sequences) -> None:
        """What the net said about a batch."""
        right = self.task.right(output, made).tolist()
        self.right += right
        self.epoch = [*self.epoch[: EPOCH - 1], right]
        self.errors += self.task.errors(output, made).astype(float).tolist()
        del self.right[: -self.task.in_a_row], self.errors[: -self.task.in_a_row]
        self.sequences += made.x.shape[1]

    def listen(self, output: Tensor, made: Sequences) -> None:
        """`heard` with arrays, in each replay of a compiled step, too."""
        arrays = {
            name: part
            for name, part in made._asdict().items()
            if not isinstance(part, int | None)
        }

        def heard(said: np.ndarray, *parts: np.ndarray) -> None:
            given: dict[str, Any] = dict(zip(arrays, parts, strict=True))
            self.heard(said, made._replace(**given))

        outside(heard, output, *arrays.values())

    def on_batch(self, report: Any) -> None:
        """After an update: is it solved, or is the time over?"""
        self._judge()
        if time.monotonic() > self.until:
            self.trainer.save()
            raise OutOfTime

    def _judge(self) -> None:
        recent = Recent(np.array(self.right), np.array(self.errors))
        if self.solved_at is None and self.task.solved(recent, self.setting.lag):
            self.solved_at = self.sequences
            self.trainer.epochs = 0  # this epoch is the last

    def on_epoch(self, report: Any) -> None:
        """After `EPOCH` batches: the test is asked, if the criterion is of it."""
        self.epoch = []
        every = max(1, round(self.task.in_a_row / (EPOCH * self.setting.batch)))
        if self.task.tests_itself and (report.epoch + 1) % every == 0:
            self.test()
            self._judge()

    def state_dict(self) -> dict[str, Any]:
        """What is saved, as JSON."""
        return {
            "right": self.right,
            "epoch": self.epoch,
            "errors": self.errors,
            "sequences": self.sequences,
            "solved_at": self.solved_at,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from there."""
        self.right, self.errors = list(state["right"]), list(state["errors"])
        self.epoch = list(state.get("epoch", []))
        self.sequences, self.solved_at = state["sequences"], state["solved_at"]


def run_one(
    task: LongLagTask, setting: Setting, folder: Path, seconds: float = float("inf")
) -> dict[str, Any]:
    """Train, or go on, for so many seconds at most; returns what was found, as JSON.

    "finished" is False where the time ended first: the same call goes on from there.
    FEW steps or more are compiled (`mg.compile`). A run that was stopped and went on
    agrees within rounding with one that was not; one of fewer steps, in every bit.
    """
    known = read_result(folder, setting)
    if known is not None and known["finished"]:
        return known
    weights, order, first, last = generators(
        setting.seed, "weights", "order", "task", "test"
    )
    task.begin(first)
    net = LabNet(
        task, setting.cell, setting.hidden, setting.lag, setting.start, weights
    )
    watch = Watch(task, setting, time.monotonic() + seconds)
    began = evidence(net, task.sequences(np.random.default_rng(0), setting.lag, 16))
    task.epoch_begins()
    trainer = _trainer(task, setting, net, order, watch, folder)
    watch.trainer = trainer
    watch.test = lambda: task.test(net.run, last, setting.lag)
    if trainer.checkpoint.exists():
        trainer.load()
    if watch.solved_at is not None:  # it was stopped between that and the epoch's end
        trainer.epochs = 0
    try:
        trainer.fit()
        finished = True
    except OutOfTime:
        finished = False
    task.brief = not finished
    made = task.sequences(np.random.default_rng(0), setting.lag, 16)
    found = {
        "finished": finished,
        "sequences": watch.sequences,
        "solved_at": watch.solved_at,
        "weights": sum(p.size for p in net.parameters()),
        "curve": [
            [(line.epoch + 1) * EPOCH * setting.batch, line.loss]
            for line in trainer.history
        ],
        "seconds": trainer.seconds,
        "at_start": began,
        "at_end": evidence(net, made),
        "test": task.test(net.run, np.random.default_rng(1), setting.lag),
    }
    write_result(folder, setting, found)
    return {"setting": setting._asdict(), **found}


def _trainer(
    task: LongLagTask,
    setting: Setting,
    net: LabNet,
    order: Any,
    watch: Watch,
    folder: Path,
) -> Any:
    def loss(net: LabNet, made: Sequences, state: Any = None) -> Any:
        if state is not None and made.fresh is not None:
            fresh, bare = made.fresh[:, None], not isinstance(state, tuple)
            parts = [mg.where(fresh, 0, part) for part in ([state] if bare else state)]
            state = parts[0] if bare else tuple(parts)
        output, state = net(made, state)
        watch.listen(output, made)
        value = task.loss(output, made)
        return (value, state) if task.carry else value

    epochs = max(1, -(-setting.most // (EPOCH * setting.batch)))
    return Trainer(
        net,
        Adam(net.parameters(), lr=setting.lr),
        loss,
        Batches(task, setting, order, watch),
        epochs=epochs,
        clip_norm=1.0,
        schedule=cosine(epochs * EPOCH, last=0.02),
        carry=task.carry,
        callbacks=[watch],
        checkpoint=folder / f"{setting.name}.safetensors",
        about={"setting": list(setting)},
        compile=setting.most >= FEW * setting.batch,
    )
