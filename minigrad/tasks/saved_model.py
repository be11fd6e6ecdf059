"""Loads a trained model from its file, and checks that this version can use it.

Read next: `task_page.py`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from minigrad.data.scaling import Scaling
from minigrad.data.vocabulary import Vocabulary
from minigrad.engine.errors import CheckpointError, MinigradError
from minigrad.nn.init import at_most
from minigrad.tasks.task import Task, Trained
from minigrad.tasks.task_folder import RUN, folder_of
from minigrad.tasks.task_options import settings as checked
from minigrad.training.run_file import Run, read_run

# What `Prepared.reading` may hold beside JSON: each has to_dict and from_dict.
READERS: dict[str, Any] = {"Vocabulary": Vocabulary, "Scaling": Scaling}


def load(name: str, folder: str | os.PathLike[str] | None = None) -> Trained:
    """The saved model of a task; for an unfinished run, the best model so far.

    Raises CheckpointError if there is none, or it is of another task or damaged.
    """
    from minigrad.tasks import task

    found = task(name)
    run = read_task(found, folder_of(name, folder) / RUN)
    return trained_from(found, run)


def read_task(task: Task, path: Path) -> Run:
    """The run in this file; CheckpointError if it is none of this task."""
    if not path.exists():
        raise CheckpointError(
            f"there is no saved run of {task.name}",
            expect=str(path),
            actual="no such file",
            hint=f"minigrad train {task.name}"
            + ("" if path.parent == folder_of(task.name) else f" -o {path.parent}"),
        )
    run = read_run(path)
    found = run.about.get("task")
    if found != task.name:
        raise CheckpointError(
            f"{path} belongs to another task",
            expect=task.name,
            actual=repr(found)[:60],
            hint=f"choose the folder of a {task.name} run with -o FOLDER",
        )
    return run


def trained_from(task: Task, run: Run, model: Any = None) -> Trained:
    """What a run's file holds, ready to use; CheckpointError if it does not fit."""
    about = run.about
    try:
        settings = checked(task.options, about["settings"])
        reading = Reading(task, reading_from_json(about["reading"]))
        for name in reading.keys() & vars(settings).keys():
            if reading[name] != getattr(settings, name):
                raise ValueError(f"two values of {name}")
        _check_figures(about["figures"])
        if model is None:
            # Its sizes are words of a file: they may not make it allocate.
            entries = sum(array.size for array in run.weights.values())
            with at_most(2 * entries):  # some weights are drawn anew after their start
                model = task.build(about["config"], 0, 0)
            model.load_state_dict(run.weights)
            model.eval()
        return Trained(
            task=task,
            model=model,
            settings=settings,
            config=about["config"],
            reading=reading,
            figures=about["figures"],
            history=run.progress["history"],
            seconds=float(run.progress["seconds"]),
        )
    except MinigradError as error:
        raise outdated(task, str(error).splitlines()[0]) from None
    except (LookupError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise outdated(task, f"{type(error).__name__}: {error}") from None


class Reading(dict[str, Any]):
    """The saved parts that turn an input into numbers. CheckpointError if one lacks."""

    def __init__(self, task: Task, found: Mapping[str, Any]) -> None:
        super().__init__(found)
        self._task = task

    def __missing__(self, name: str) -> Any:
        raise outdated(self._task, f"nothing with the name {name!r}")


def _check_figures(figures: Any) -> None:
    """ValueError unless they are numbers by name by method, or there are none yet."""
    for found in figures.values():
        if not all(isinstance(value, int | float) for value in found.values()):
            raise ValueError("figures that are not numbers")


def outdated(task: Task, actual: str) -> CheckpointError:
    """The error for a file that another version of a task wrote."""
    return CheckpointError(
        f"the saved run does not fit this version of the task {task.name}",
        expect="a run that this version wrote",
        actual=actual,
        hint=f"train again: minigrad train {task.name} --anew",
    )


def reading_to_json(reading: Mapping[str, Any]) -> dict[str, Any]:
    """What turns an input into numbers, as JSON."""
    saved = {}
    for name, value in reading.items():
        kind = type(value).__name__
        known = READERS.get(kind) is type(value)
        saved[name] = [kind, value.to_dict()] if known else ["", value]
    return saved


def reading_from_json(saved: Mapping[str, Any]) -> dict[str, Any]:
    """What `reading_to_json` wrote, as it was."""
    return {
        name: READERS[kind].from_dict(value) if kind else value
        for name, (kind, value) in saved.items()
    }
