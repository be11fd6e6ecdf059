"""The training loop: forward, backward, clip, step, validation, checkpoints.

What a run is at some moment is its weights, the optimiser's arrays, the position
(epoch, batch, step), the random states and the figures so far. All of it is in the
checkpoint, so that a resumed run computes what the first one would have computed.

Read next: `recorded_step.py` (one step of it).
"""

from __future__ import annotations

import itertools
import math
import os
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from typing import Any

from minigrad.engine.calls import checked_call
from minigrad.engine.errors import (
    ArgumentError,
    CheckpointError,
    DataError,
    one_of,
)
from minigrad.engine.known_names import KnownNames
from minigrad.engine.scope import no_grad
from minigrad.training import resume, trainer_checks
from minigrad.training.compiled_step import EAGER, CompiledStep
from minigrad.training.interrupts import Interruptible, Stopped
from minigrad.training.processes import Processes
from minigrad.training.randomness import found_generators, set_states, states
from minigrad.training.recorded_step import RecordedStep
from minigrad.training.reports import EpochReport, Report, Sums
from minigrad.training.run_file import Run, read_run


class Trainer(KnownNames):
    """A training run.

        trainer = Trainer(model, optimizer, loss, batches, epochs=5)
        history = trainer.fit()

    model      a Module; `train()` and `eval()` are called on it
    optimizer  of its parameters. The schedule's factors are on the `lr` it has now
    loss       loss(model, batch) -> scalar Tensor; with `carry`
               loss(model, batch, state) -> (scalar, new state)
    batches    what can be looped over once per epoch: `mg.data.batches(...)`, a list.
               If it draws random numbers, the generator has to be an attribute of it
    epochs     how many passes, at most
    validate   validate(model) -> {name: figure}, called after each epoch with dropout
               off and nothing recorded
    monitor    the figure of `validate` that says which epoch is best; the best weights
               are put back at the end. None: the first figure
    better     "lower" or "higher"
    patience   stop after so many epochs without a better figure; None: never
    clip_norm  the largest norm of the gradient (`mg.clip_grad_norm_`); None: any
    schedule   schedule(step) -> factor on the learning rate (`schedules.py`)
    carry      truncated backpropagation through time: each batch continues the last,
               and gets the state that it left, cut off from its graph. Each epoch
               starts from None
    callbacks  objects with `on_batch(report)`, `on_epoch(report)` or both (`Report`).
               What such an object's `state_dict()` gives (JSON) is saved, and given
               back to one of the same class; one that was not there starts anew
    checkpoint the file to write, at the end of each epoch and every `save_seconds`
    about      JSON to save in it: configuration, vocabulary, scaling
    ready      ready(batch) -> what the loss gets: what NumPy does to a batch, padding
    compile    the step by `mg.compile`: the loss function has to be one that it can
               trace, on batches of a few shapes. Batches that a callback wants the
               graph of (`wants_graph(step)`, as a Monitor's) stay eager
    comm       MPI.COMM_WORLD of mpi4py: several processes train one network. `batches`
               gives each its own part of the rows, equally many batches of equal size;
               gradients are averaged, so that all make the same step. Process 0 writes
               the checkpoint, is heard by the callbacks, and its figures count. One
               that fails ends all. Dropout after a resume is process 0's everywhere

    Errors:  ArgumentError for arguments that do not fit; NonFiniteError when the loss
             or a gradient is not finite, with the row of the data that made it so;
             GraphError at the first batch if nothing would be trained: a loss cut from
             the parameters, an optimiser of other parameters; CheckpointError from
             saving and loading; DataError if an epoch has no batch. After Ctrl-C:
             `Stopped`. A warning if the loss reaches back into earlier batches
    Source:  truncation: Williams & Peng 1990, "An efficient gradient-based algorithm
             for on-line training of recurrent network trajectories".
    """

    @checked_call
    def __init__(
        self,
        model: Any,
        optimizer: Any,
        loss: Callable[..., Any],
        batches: Iterable[Any],
        *,
        epochs: int,
        validate: Callable[[Any], dict[str, float]] | None = None,
        monitor: str | None = None,
        better: str = "lower",
        patience: int | None = None,
        clip_norm: float | None = None,
        schedule: Any = None,
        carry: bool = False,
        callbacks: Sequence[Any] = (),
        checkpoint: str | os.PathLike[str] | None = None,
        save_seconds: float = 30.0,
        about: dict[str, Any] | None = None,
        ready: Callable[[Any], Any] | None = None,
        compile: bool = False,
        comm: Any = None,
    ) -> None:
        one_of("better", better, ("lower", "higher"))
        trainer_checks.arguments(
            loss=loss,
            batches=batches,
            epochs=epochs,
            validate=validate,
            patience=patience,
            monitor=monitor,
            clip_norm=clip_norm,
            schedule=schedule,
        )
        self.model, self.optimizer, self.loss = model, optimizer, loss
        self.batches, self.epochs = batches, int(epochs)
        self.validate, self.monitor, self.patience = validate, monitor, patience
        self.sign = 1.0 if better == "lower" else -1.0
        self.clip_norm = math.inf if clip_norm is None else float(clip_norm)
        self.schedule, self.base_lr = schedule, float(optimizer.lr)
        self.carry = carry
        self.processes = None if comm is None else Processes(comm, compile)
        self.first = self.processes is None or self.processes.rank == 0
        self.callbacks = list(callbacks) if self.first else []
        self.checkpoint, self.save_seconds = checkpoint, save_seconds
        self.about = about or {}

        self.epoch = self.batch = self.step = 0  # what is done
        self.carried: Any = None
        self.sums = Sums()
        self.history: list[EpochReport] = []
        self.best: dict[str, Any] | None = None  # weights
        self.best_figure, self.waited = math.inf, 0
        self.generators = found_generators(model=model, batches=batches)
        self.at_start_of_epoch = states(self.generators)
        self.seconds = 0.0  # of computing, over all that was resumed
        self._saved_at = 0.0
        self.signal = Interruptible()
        self.recorded = RecordedStep(self)
        self.ready = ready
        self.compiled = CompiledStep(self) if compile else None

    # ------------------------------------------------------------- the loop

    def fit(self) -> list[EpochReport]:
        """Train to the end; the best weights are in the model then.

        Returns one EpochReport per epoch. After Ctrl-C or SIGTERM the batch
        that runs is finished, the checkpoint is written, and `Stopped` is raised.
        """
        self._saved_at = started = time.monotonic()
        before = self.seconds
        try:
            with self._together(), Interruptible() as signal:
                self.signal = signal
                while not self.done:
                    for _ in self._epoch():
                        self.seconds = before + time.monotonic() - started
                        self._after_batch(signal)
                    self._end_epoch()
                    self._stop_if_asked(signal)
        finally:
            for callback in self.callbacks:
                getattr(callback, "close", lambda: None)()
        self.restore_best()
        return self.history

    @property
    def done(self) -> bool:
        """Is the run at its end: all epochs, or nothing better for too long?"""
        waited_enough = self.patience is not None and self.waited >= self.patience
        return self.epoch >= self.epochs or waited_enough

    def _epoch(self) -> Iterable[None]:
        """The batches of this epoch that are still to do, one step each."""
        self.model.train()
        for batch in self._remaining():
            self._one(batch)
            yield
        if self.batch == 0:
            raise DataError(
                "Trainer: an epoch has no batches",
                expect="batches that can be looped over again in each epoch",
                actual="none",
                hint="mg.data.batches(...) or a list; a generator is used up",
            )

    def _one(self, batch: Any) -> None:
        """A step, counted and told. Its graph lives no longer than this call."""
        report = self._train_on(batch)
        alone = self.processes is None
        self.sums.add(report, float(report.loss) if alone else self.recorded.mean_loss)
        self._tell("on_batch", report)

    def _remaining(self) -> Iterable[Any]:
        """This epoch's batches from where it stands.

        In the middle of an epoch the random states of its start are put back, the
        batches that are done are passed over, and the states of now put back again.
        """
        if self.batch == 0:
            self.at_start_of_epoch = states(self.generators)
            self.carried = None
            self.sums = Sums()
            return iter(self.batches)
        now = states(self.generators)
        set_states(self.generators, self.at_start_of_epoch)
        rest = iter(self.batches)
        passed = sum(1 for _ in itertools.islice(rest, self.batch))
        if passed < self.batch:
            raise CheckpointError(
                "the run cannot be resumed: its epochs have become shorter",
                expect=f"more than {self.batch} batches in an epoch",
                actual=f"{passed}",
                hint="resume with the data and the batch size of the first run",
            )
        set_states(self.generators, now)
        return rest

    def _train_on(self, batch: Any) -> Report:
        """One step of the optimiser."""
        if self.schedule is not None:
            factor = trainer_checks.factor_of(self.schedule(self.step))
            self.optimizer.lr = self.base_lr * factor
        found = None
        batch = batch if self.ready is None else self.ready(batch)
        if self.compiled is not None and not self._stays_eager():
            found = self.compiled.train_on(batch, self.carried)
        if found is not None:
            loss, norm, self.carried = found
        else:
            loss, norm = self.recorded.train_on(batch)
        self.step += 1
        self.batch += 1
        return self._report(
            loss=loss,
            norm=norm,
            clipped=norm > self.clip_norm,
            lr=self.optimizer.lr,
            max_norm=self.clip_norm,
            optimizer=self.optimizer,
        )

    def _report(self, **figures: Any) -> Report:
        """These figures, and where the run stands."""
        return Report(
            model=self.model,
            step=self.step,
            epoch=self.epoch,
            epochs=self.epochs,
            batch=self.batch,
            batches=_length(self.batches),
            **figures,
        )

    def _stays_eager(self) -> bool:
        """Is the graph of this batch wanted: by first checks, or by a callback?"""
        ask = [getattr(c, "wants_graph", None) for c in self.callbacks]
        return self.recorded.batches < EAGER or any(
            [wants is not None and wants(self.step + 1) for wants in ask]
        )

    def _after_batch(self, signal: Interruptible) -> None:
        """Save if it is time to; stop if that was asked for."""
        late = time.monotonic() - self._saved_at >= self.save_seconds
        if self._asked(signal) or late:
            self.save()
        self._stop_if_asked(signal)

    def _stop_if_asked(self, signal: Interruptible) -> None:
        """Raise Stopped if it was asked for: what is done is saved by now."""
        if self._asked(signal):
            raise Stopped("training was stopped", self.checkpoint)

    def _asked(self, signal: Interruptible) -> bool:
        """Is it to stop now? Several processes stop after the same step."""
        return signal.asked if self.processes is None else self.processes.asked

    def _together(self) -> Any:
        """Where the other processes are told of an error, if there are any."""
        if self.processes is None:
            return nullcontext()
        return self.processes.together(self.model)

    def _end_epoch(self) -> None:
        """Validation, the epoch's line of history, early stopping, the checkpoint."""
        metrics: dict[str, float] = {}
        if self.validate is not None:
            self.model.eval()
            with no_grad():
                metrics = trainer_checks.figures_of(self.validate(self.model))
        if self.processes is not None:
            metrics = self.processes.figures(metrics)
        better = self._judge(metrics)
        sums, count = self.sums, self.sums.batches
        line = EpochReport(
            epoch=self.epoch,
            step=self.step,
            loss=sums.loss / count,
            norm=sums.norm / count,
            largest_norm=sums.largest_norm,
            clipped=sums.clipped / count,
            lr=sums.lr,
            metrics=metrics,
            best=better,
        )
        self.history.append(line)
        report = self._report(
            loss=line.loss,
            norm=line.norm,
            clipped=line.clipped,
            lr=line.lr,
            metrics=metrics,
            best=better,
        )
        self._tell("on_epoch", report)
        self.epoch, self.batch = self.epoch + 1, 0
        self.save()

    def _judge(self, metrics: dict[str, float]) -> bool:
        """Is this epoch the best so far? If so its weights are kept."""
        if not metrics:
            return False
        name = self.monitor or next(iter(metrics))
        if name not in metrics:
            raise ArgumentError(
                f"Trainer(monitor={name!r}): validation gives no such figure",
                expect=", ".join(metrics),
                actual=repr(name),
                hint="monitor one of these",
            )
        figure = self.sign * metrics[name]
        if figure < self.best_figure:  # never for a NaN
            self.best_figure, self.waited = figure, 0
            self.best = self.model.state_dict()
            return True
        self.waited += 1
        return False

    def _tell(self, event: str, report: Report) -> None:
        for listener in (self.schedule, *self.callbacks):
            hear = getattr(listener, event, None)
            if hear is not None:
                hear(report)

    def restore_best(self) -> None:
        """Put the best weights into the model, if validation chose any."""
        if self.best is not None:
            self.model.load_state_dict(self.best)
        self.model.eval()

    # ------------------------------------------------------------- saving and loading

    def save(self) -> None:
        """Write the checkpoint, if there is a file to write. Whole or not at all."""
        if self.checkpoint is not None and self.first:
            resume.write(self, self.checkpoint)
        self._saved_at = time.monotonic()

    def load(self, run: Run | None = None) -> None:
        """Go on from a run: the one given, or that of the checkpoint's file.

        Raises CheckpointError, with nothing changed, if it is of another model.
        """
        if run is None:
            if self.checkpoint is None:
                raise ArgumentError(
                    "Trainer.load(): there is no checkpoint to load",
                    expect="Trainer(..., checkpoint=path), or load(read_run(path))",
                    actual="checkpoint=None",
                    hint="pass the path",
                )
            run = read_run(self.checkpoint)
        resume.restore(self, run)


def _length(batches: Any) -> int | None:
    return len(batches) if hasattr(batches, "__len__") else None
