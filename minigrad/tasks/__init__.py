"""Trains models on real data, saves them, and uses them to answer questions.

    from minigrad import tasks

    trained = tasks.train("weather", seed=1)     # what `minigrad train weather` does
    trained = tasks.load("weather")              # the model that was saved by it
    print(trained.predict("july.csv"))

A task defines its data, its model and its figures (`task.py`; `weather.py` is an
example). All tasks share the rest: the order of a training (`session.py`), the folder
of its files, the page, and the terminal output. The other tasks follow, each with its
data and its figures; `baselines/` has the simple methods to compare with.

Read next: `task.py` (what a task is).
"""

from __future__ import annotations

import importlib
from typing import Any

from minigrad.engine.errors import one_of
from minigrad.tasks.saved_model import load
from minigrad.tasks.session import train
from minigrad.tasks.task import Prepared, Section, Table, Task, Trained

# name -> where its class is; imported when asked for
TASKS = {
    "sentiment": ("minigrad.tasks.sentiment", "Sentiment"),
    "next-word": ("minigrad.tasks.next_token", "NextWord"),
    "next-character": ("minigrad.tasks.next_token", "NextCharacter"),
    "first-names": ("minigrad.tasks.first_names", "FirstNames"),
    "weather": ("minigrad.tasks.weather", "Weather"),
    "series": ("minigrad.tasks.series", "SeriesForecast"),
    "autotagging": ("minigrad.tasks.autotagging", "Autotagging"),
    "translation": ("minigrad.tasks.translation", "Translation"),
    "name-tagging": ("minigrad.tasks.name_tagging", "NameTagging"),
}


def task(name: str) -> Any:
    """The task with this name, as an object of its class. ArgumentError if unknown."""
    one_of("task", name, tuple(TASKS))
    module, attribute = TASKS[name]
    return getattr(importlib.import_module(module), attribute)()


__all__ = [
    "TASKS",
    "Prepared",
    "Section",
    "Table",
    "Task",
    "Trained",
    "load",
    "task",
    "train",
]
