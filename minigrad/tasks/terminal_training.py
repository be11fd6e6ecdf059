"""Trains a task and prints its data, its progress, its figures, and the next command.

`minigrad train` calls `train_and_tell`; `tasks.train` does the same without output.

Read next: `seed_sweep.py` (the same from several seeds).
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console

from minigrad.engine.errors import MinigradError
from minigrad.flow.finding_lists import finding_lines
from minigrad.flow.monitor import Monitor
from minigrad.tasks import task_page
from minigrad.tasks.session import Session
from minigrad.tasks.task import Section, Trained
from minigrad.tasks.task_folder import Claimed
from minigrad.training import Progress, Stopped, Trainer


def train_and_tell(
    name: str,
    folder: str | os.PathLike[str] | None = None,
    *,
    resume: bool = False,
    start: str | os.PathLike[str] | None = None,
    anew: bool = False,
    monitor: bool = False,
    compile: bool = False,
    export: Callable[[Any, Path], Path] | None = None,
    console: Console | None = None,
    **options: Any,
) -> Trained:
    """Train a task to its end, save it, write its page, and tell what happens.

    name      one of `TASKS`
    folder    where its files are; None: the user's data folder
    resume    go on with the run that is in the folder, with its options
    start     the folder of a saved model: train it further, on other data
    anew      put an unfinished run in the folder aside
    monitor   watch the gradients, and write monitor.html and monitor.csv too
    compile   trace the training step and replay it, and tell the gain
    export    called at the end with what was trained and the folder; returns the path
              that it wrote
    console   None: the terminal
    options   those of the task: epochs, seed, cell, data ...

    Errors:  those of `tasks.train`; KeyboardInterrupt after Ctrl-C.
    """
    console = console or Console()
    session = Session(name, folder, resume, start, **options)
    task = session.task
    place = [] if folder is None else [str(folder)]
    with Claimed(session.folder):
        data = session.prepare()
        for line in [*data.lines, *data.cautions]:
            console.print(line, markup=False, highlight=False)
        console.print("* marks the best epoch so far on the validation part")
        if anew:
            session.put_aside()
        callbacks: list[Any] = [Progress(console, task.units)]
        watching = _monitor(console, session.folder) if monitor else None
        if watching is not None:
            callbacks.append(watching)
        trainer = session.trainer(callbacks, compile)
        if resume:
            console.print(_where(trainer, session.longer), highlight=False)
        with _how_to_go_on(console, session, trainer, place):
            trainer.fit()
            trained = session.finish(trainer)
            written = task_page.write(session.folder, trained, data)
            if export is not None:
                _tell(console, f"written to {export(trained, session.folder)}")
        if trainer.compiled is not None:
            console.print(trainer.compiled.gain(), highlight=False)
        figures = task_page.figures_table(trained)
        task_page.show(console, Section("", tables=[figures]))
    if watching is not None:
        lines = finding_lines(watching.findings) or ["nothing to report"]
        _tell(console, "\n".join(["What the monitor found:", *lines]))
        _tell(console, f"written to {session.folder / 'monitor.html'}")
    ask = ["minigrad", "predict", task.name]
    example = data.example or task.example
    ask += [example] if example else []
    ask += ["--model", *place] if place else []
    _tell(
        console,
        f"written to {session.path}\nwritten to {written}\nnext: {shlex.join(ask)}",
    )
    return trained


def _tell(console: Console, text: str) -> None:
    """Plain text, in which a path keeps to one line and can be copied."""
    console.print(text, highlight=False, markup=False, soft_wrap=True)


@contextmanager
def _how_to_go_on(
    console: Console, session: Session, trainer: Trainer, place: list[str]
) -> Iterator[None]:
    """If the training ends early: print what is saved and how to continue."""
    try:
        yield
    except (MinigradError, KeyboardInterrupt) as ended:
        if isinstance(ended, Stopped):
            told = f"stopped after {trainer.step:,} steps; saved to {session.path}"
        else:
            told = f"the run up to its last save is in {session.path}"
        if session.path.exists():
            again = ["minigrad", "train", session.task.name, "--resume"]
            again += ["-o", *place] if place else []
            mended = " (when this is fixed)" * isinstance(ended, MinigradError)
            _tell(console, f"{told}\nnext{mended}: {shlex.join(again)}")
        raise


def _monitor(console: Console, folder: Path) -> Monitor:
    """The gradient monitor, which prints its warnings above the progress bar."""

    def tell(words: str) -> None:
        console.print(f"monitor: {words}", markup=False, highlight=False)

    return Monitor(folder, tell=tell)


def _where(trainer: Trainer, longer: bool) -> str:
    if trainer.done:
        return "the run is already complete; more --epochs make it longer"
    told = f"continuing at epoch {trainer.epoch + 1}, batch {trainer.batch + 1}"
    rates = f", with the learning rates of a run of {trainer.epochs} epochs"
    return told + rates * longer
