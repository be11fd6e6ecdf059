"""Saves a training run to its file and restores it, so that it can be resumed.

Read next: `run_file.py` (the file itself).
"""

from __future__ import annotations

import os
from dataclasses import asdict
from typing import Any, Protocol

from minigrad.engine.errors import CheckpointError
from minigrad.training.randomness import set_states, states
from minigrad.training.reports import EpochReport, Sums
from minigrad.training.run_file import Run, put_together, taken_apart, write_run

WRONG = AttributeError, LookupError, RecursionError, TypeError, ValueError


class Resumable(Protocol):
    """What of a `Trainer` the rest of its run depends on."""

    model: Any
    optimizer: Any
    schedule: Any
    callbacks: list[Any]
    about: dict[str, Any]
    epoch: int
    batch: int
    step: int
    sums: Sums
    history: list[EpochReport]
    best: dict[str, Any] | None
    best_figure: float
    waited: int
    carried: Any
    base_lr: float
    generators: dict[str, Any]
    at_start_of_epoch: Any
    seconds: float

    @property
    def done(self) -> bool: ...


def write(trainer: Resumable, path: str | os.PathLike[str]) -> None:
    """Write the run as it is now. Errors: those of `mg.save`."""
    arrays, form = taken_apart(trainer.carried)
    parts: dict[str, Any] = {"model": trainer.model, "optimizer": trainer.optimizer}
    if trainer.best is not None:
        parts["best"] = trainer.best
    if arrays:
        parts["carried"] = {str(k): array for k, array in enumerate(arrays)}
    progress = {
        "epoch": trainer.epoch,
        "batch": trainer.batch,
        "step": trainer.step,
        "done": trainer.done,
        "sums": asdict(trainer.sums),
        "history": [asdict(line) for line in trainer.history],
        "best": trainer.best_figure,
        "waited": trainer.waited,
        "carried": form,
        "base_lr": trainer.base_lr,
        "random": states(trainer.generators),
        "random_at_start": trainer.at_start_of_epoch,
        "schedule": _state(trainer.schedule),
        "callbacks": [[type(x).__name__, _state(x)] for x in trainer.callbacks],
        "seconds": trainer.seconds,
    }
    write_run(path, parts, trainer.about, progress)


def restore(trainer: Resumable, run: Run) -> None:
    """Put a run back into a Trainer that was built as the saved one was.

    Raises CheckpointError, with the weights and generators as they were, if the run is
    of another model, optimiser or kind of schedule.
    """
    found = run.progress
    try:
        history = [_line(EpochReport, line) for line in found["history"]]
        sums = _line(Sums, found["sums"])
        epoch, batch, step = (int(found[name]) for name in ("epoch", "batch", "step"))
        best_figure, waited = float(found["best"]), int(found["waited"])
        base_lr, seconds = float(found["base_lr"]), float(found["seconds"])
        carried = _carried(run)
        schedule = found["schedule"]
        if (schedule is None) != (_state(trainer.schedule) is None):
            raise ValueError("one has a schedule with a state, the other none")
        callbacks = [(str(name), state) for name, state in found["callbacks"]]
        random, random_at_start = found["random"], found["random_at_start"]
    except WRONG as error:
        raise CheckpointError(
            "the checkpoint is of another kind of run",
            expect="a run with the same kind of schedule",
            actual=f"{type(error).__name__}: {str(error)[:80]}",
            hint="build the Trainer as it was built when it was saved",
        ) from None
    best = _arrays(trainer, run, random)
    if schedule is not None:
        trainer.schedule.load_state_dict(schedule)
    for callback in trainer.callbacks:  # each takes the first state of its class
        name = type(callback).__name__
        k = next((k for k, (n, _) in enumerate(callbacks) if n == name), None)
        state = None if k is None else callbacks.pop(k)[1]
        if state is not None:
            callback.load_state_dict(state)
    trainer.epoch, trainer.batch, trainer.step = epoch, batch, step
    trainer.history, trainer.sums, trainer.carried = history, sums, carried
    trainer.best, trainer.best_figure, trainer.waited = best, best_figure, waited
    trainer.base_lr, trainer.seconds = base_lr, seconds
    trainer.at_start_of_epoch = random_at_start


def _arrays(trainer: Resumable, run: Run, random: Any) -> dict[str, Any] | None:
    """Weights, generators and the optimiser's arrays, all of them or none.

    Returns the best weights, if there are any; whether they fit is tried here.
    """
    before = trainer.model.state_dict(), states(trainer.generators)
    best = any(name.startswith("best.") for name in run.arrays)
    try:
        if best:
            trainer.model.load_state_dict(run.arrays.part("best"))
        trainer.model.load_state_dict(run.arrays.part("model"))
        set_states(trainer.generators, random)
        trainer.optimizer.load_state_dict(run.arrays.part("optimizer"))
    except CheckpointError:
        trainer.model.load_state_dict(before[0])
        set_states(trainer.generators, before[1])
        raise
    return run.arrays.part("best") if best else None


def _line(kind: type[Any], saved: Any) -> Any:
    """A report of figures from JSON; ValueError if they are none."""
    line = kind(**saved)
    for name, value in asdict(line).items():
        wanted = dict if name == "metrics" else bool if name == "best" else int | float
        numbers = value.values() if isinstance(value, dict) else [value]
        if not (
            isinstance(value, wanted)
            and all(isinstance(number, int | float) for number in numbers)
        ):
            raise ValueError(f"{name} is {value!r:.40}")
    return line


def _carried(run: Run) -> Any:
    """The state carried from batch to batch."""
    count = sum(name.startswith("carried.") for name in run.arrays)
    arrays = [run.arrays[f"carried.{k}"] for k in range(count)]
    return put_together(arrays, run.progress["carried"])


def _state(listener: Any) -> Any:
    save = getattr(listener, "state_dict", None)
    return None if save is None else save()
