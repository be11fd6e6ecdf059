"""Runs a training of a task: prepares, trains or resumes, measures and saves.

Read next: `task_trainer.py`.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from minigrad.data.files import read_bytes
from minigrad.engine.errors import (
    ArgumentError,
    CheckpointError,
    DataError,
)
from minigrad.engine.scope import no_grad
from minigrad.tasks.fine_tuning import Start
from minigrad.tasks.saved_model import (
    read_task,
    reading_to_json,
    saved_reading,
    saved_settings,
    trained_from,
)
from minigrad.tasks.task import MODEL, Prepared, Task, Trained
from minigrad.tasks.task_folder import PREVIOUS, RUN, UNFINISHED, Claimed, folder_of
from minigrad.tasks.task_options import settings as checked
from minigrad.tasks.task_trainer import trainer_of
from minigrad.training import Trainer, generators
from minigrad.training.run_file import Run, read_run, write_run

LONGER = "epochs", "patience"  # what may grow when a run is resumed


class Session:
    """One training of a task; call its methods in the order below.

    name      the task
    folder    where its files are (`folder_of`); `claim` it first
    resume    go on from the run that is there, with its options; more epochs than it
              had lengthen it
    start     the folder (or file) of a saved model to go on from: `fine_tuning.py`
    given     the options that were said
    """

    def __init__(
        self,
        name: str,
        folder: str | os.PathLike[str] | None = None,
        resume: bool = False,
        start: str | os.PathLike[str] | None = None,
        **given: Any,
    ) -> None:
        from minigrad.tasks import task

        if resume and start is not None:
            raise ArgumentError(
                "--resume and --from: one of them",
                expect="--resume to go on with a run, --from to start one",
                actual="both",
                hint="a run that was started with --from needs --resume alone",
            )

        if given.get("data") is not None:  # it is found again from any folder
            given["data"] = os.path.abspath(str(given["data"]))
        self.task: Task = task(name)
        self.folder = folder_of(name, folder)
        self.path = self.folder / RUN
        self.resume = resume
        self.saved = read_task(self.task, self.path) if resume else None
        self.settings = checked(self.task.options, given)
        self.start = None if start is None else Start(self.task, start)
        self.longer = False
        if self.saved is not None:
            self.settings, self.longer = _same(self.task, self.saved, given)
        if self.start is not None:
            self.settings = self.start.chosen(given)

    def prepare(self) -> Prepared:
        """Read the data. CheckpointError if the data of a resumed run have changed."""
        digest = _digest(self.settings.data)
        if self.saved is not None and self.saved.about.get("data") != digest:
            raise DataError(
                "the run cannot be resumed because its data have changed",
                expect=f"{self.settings.data or 'the data of the package'} as it was",
                actual="different content",
                hint="put the old file back, or start again without --resume",
            )
        known = None
        if self.start is not None:
            known = self.start.reading
        elif self.saved is not None and self._started_from():
            known = saved_reading(self.task, self.saved)
        self.data = self.task.prepare(self.settings, known)
        if self.start is not None:
            self.start.check(self.settings, self.data)
        if known is not None:
            self.data.lines.insert(
                0,
                f"Starts from the weights and vocabulary of {self._started_from()}.",
            )
        self._digest = digest
        return self.data

    def trainer(self, callbacks: Sequence[Any] = (), compile: bool = False) -> Trainer:
        """Everything built: a Trainer, at its start or where the run was left."""
        task, settings = self.task, self.settings
        seeds = generators(settings.seed, "weights", "order", "noise")
        weights, order, noise = seeds
        self.config = task.configure(settings, self.data)
        model = task.build(self.config, weights, noise)
        if self.start is not None:
            self.start.load_into(model)
        batches = task.batches(self.data, settings, order)
        trainer = trainer_of(
            task,
            settings,
            self.data,
            model,
            batches,
            callbacks=callbacks,
            compile=compile,
            checkpoint=self.path,
            about=self._about({}),
        )
        if self.saved is not None:
            trainer.load(self.saved)
            if self.longer:
                trainer.waited = 0  # it is to go on, even if nothing got better
        else:
            self._make_room()
        return trainer

    def _about(self, figures: dict[str, Any]) -> dict[str, Any]:
        return {
            "task": self.task.name,
            "settings": vars(self.settings),
            "config": self.config,
            "reading": reading_to_json(self.data.reading),
            "data": self._digest,
            "figures": figures,
            "start": str(self._started_from() or ""),
        }

    def _started_from(self) -> Any:
        """The model that this run, or the one it resumes, was started from."""
        if self.start is not None:
            return self.start.path
        return self.saved.about.get("start") if self.saved is not None else None

    def _make_room(self) -> None:
        """Move a finished run aside; ArgumentError if there is an unfinished one."""
        if self._there() == "unfinished":
            raise ArgumentError(
                f"there is an unfinished run in {self.folder}",
                expect="--resume, --anew, or another folder",
                actual="none of them",
                hint="--resume continues it; --anew starts again and keeps a copy",
            )
        self.put_aside()

    def put_aside(self) -> None:
        """Rename the run that is there. Only a finished one replaces the previous."""
        found = self._there()
        if found:
            name = PREVIOUS if found == "finished" else UNFINISHED
            os.replace(self.path, self.folder / name)

    def _there(self) -> str:
        """Which run is in the folder: finished, unfinished, damaged, or none ("")."""
        if not self.path.exists():
            return ""
        try:
            return "finished" if read_run(self.path).about["figures"] else "unfinished"
        except (CheckpointError, KeyError):
            return "damaged"

    def finish(self, trainer: Trainer) -> Trained:
        """Measure the model and the baselines on the held-out part, and save."""
        with no_grad():
            own = self.task.evaluate(trainer.model, self.data.test, self.data.reading)
        figures = {MODEL: own, **self.task.baselines(self.data)}
        # The file has the weights of the last epoch, from where the run can be made
        # longer, and the best ones; the model has only these.
        run = read_run(self.path)
        about = self._about(figures)
        write_run(self.path, dict(run.arrays), about, run.progress)
        return trained_from(self.task, read_run(self.path), trainer.model)


def train(
    name: str,
    *,
    folder: str | os.PathLike[str] | None = None,
    resume: bool = False,
    start: str | os.PathLike[str] | None = None,
    anew: bool = False,
    callbacks: Sequence[Any] = (),
    page: bool = True,
    compile: bool = False,
    **options: Any,
) -> Trained:
    """Train a task to its end, save it and write its page; what the command does.

    name       one of `TASKS`
    folder     where its files are; None: the user's data folder
    resume     go on with the run that is in the folder, with its options; with a larger
               `epochs` (or `patience`) also with one that is at its end
    start      the folder of a saved model: train it further, on other data
    anew       put an unfinished run in the folder aside
    callbacks  see `Trainer`; `Progress()` shows a bar
    compile    trace the training step and replay it: see `mg.compile`
    options    those of the task: epochs, seed, cell, data ...

    Errors:  ArgumentError for other names and options, and for a folder in use;
             DataError for data that cannot be used; CheckpointError for a run that
             cannot be resumed. After Ctrl-C `Stopped`: the run is saved.
    """
    from minigrad.tasks.task_page import write

    session = Session(name, folder, resume, start, **options)
    with Claimed(session.folder):
        data = session.prepare()
        if anew:
            session.put_aside()
        trainer = session.trainer(callbacks, compile)
        trainer.fit()
        trained = session.finish(trainer)
        if page:
            write(session.folder, trained, data)
    return trained


def _same(
    task: Task, run: Run, given: Mapping[str, Any]
) -> tuple[SimpleNamespace, bool]:
    """The options of a run that is resumed, and whether it is made longer.

    Raises ArgumentError if others were given. Only `LONGER` may grow.
    """
    saved, longer = saved_settings(task, run), False
    for name, value in vars(checked(task.options, given)).items():
        old = getattr(saved, name)
        if name not in given or value == old:
            continue
        if name in LONGER and value > old:
            setattr(saved, name, value)
            longer = True
            continue
        more = "it may grow, but not shrink; " * (name in LONGER)
        raise ArgumentError(
            f"--resume uses the options of the saved run, but {name} differs",
            expect=f"{name} = {old}",
            actual=f"{name} = {value}",
            hint=f"{more}leave out --{name.replace('_', '-')}, or start again",
        )
    return saved, longer


def _digest(path: str | None) -> str:
    """What the data are: the hash of the user's file, or the package's version."""
    if path is None:
        return "of the package"
    return hashlib.sha256(read_bytes(path)).hexdigest()
