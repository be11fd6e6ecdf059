"""A run that starts from the weights and the vocabulary of a saved model.

Its options are those of the saved run, but for the data and what is said otherwise. An
option that would make a model of another shape cannot be changed.

Read next: `task_page.py`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from minigrad.engine.errors import ArgumentError, MinigradError
from minigrad.tasks.saved_model import (
    outdated,
    read_task,
    saved_reading,
    saved_settings,
)
from minigrad.tasks.task import Prepared, Task
from minigrad.tasks.task_folder import RUN
from minigrad.tasks.task_options import settings as checked
from minigrad.training.run_file import Run

ANEW = "data", "encoding", "fill", "scale", "separator"  # they are of the data
FREE = "dropout", "word_dropout"  # in a model's configuration, but not its shape


class Start:
    """A saved model to go on from: its run, options, reading and weights.

    task   its task
    place  the folder given to `minigrad train -o`, or the file of a run

    Errors:  CheckpointError if there is none, or it is of another task or damaged.
    """

    def __init__(self, task: Task, place: str | os.PathLike[str]) -> None:
        path = Path(place)
        self.task = task
        self.path = path if path.is_file() else path / RUN
        self.run: Run = read_task(task, self.path, "--from")
        self.settings = saved_settings(task, self.run)
        self.reading = saved_reading(task, self.run)

    def chosen(self, given: Mapping[str, Any]) -> SimpleNamespace:
        """The options of the new run; ArgumentError for one that has to stay."""
        kept = {k: v for k, v in vars(self.settings).items() if k not in ANEW}
        found = checked(self.task.options, {**kept, **given})
        for name in self.task.remembered:
            if getattr(found, name) != getattr(self.settings, name):
                raise self._fixed(name, getattr(found, name))
        return found

    def check(self, settings: SimpleNamespace, data: Prepared) -> None:
        """ArgumentError naming the option that asks for a model of another shape."""

        def shape(found: SimpleNamespace) -> dict[str, Any]:
            config = self.task.configure(found, data)
            return {k: v for k, v in config.items() if k not in FREE}

        own = shape(self.settings)
        for name, value in vars(settings).items():
            changed = SimpleNamespace(**{**vars(self.settings), name: value})
            if name not in ANEW and shape(changed) != own:
                raise self._fixed(name, value)
        self.task.configure(settings, data)  # the last word: a task may remember it

    def _fixed(self, name: str, value: Any) -> ArgumentError:
        said = name.replace("_", "-")
        return ArgumentError(
            f"--from goes on with a saved model: {name} cannot be changed",
            expect=f"{name} = {getattr(self.settings, name)}",
            actual=f"{name} = {value}",
            hint=f"leave out --{said}, or train a new model without --from",
        )

    def load_into(self, model: Any) -> None:
        """Put the saved weights into a model that was built anew."""
        try:
            model.load_state_dict(self.run.weights)
        except MinigradError as error:
            raise outdated(self.task, str(error).splitlines()[0]) from None
