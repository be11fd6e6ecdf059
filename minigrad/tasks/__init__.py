"""Real work on real data: what can be trained, asked, and read about on a page.

    from minigrad import tasks

    trained = tasks.train("weather", seed=1)     # what `minigrad train weather` does
    trained = tasks.load("weather")              # the model that was saved by it
    print(trained.predict("july.csv"))

A task says what its data, its model and its figures are (`task.py`; `weather.py` is
one). Everything else is here once for all: the order of a training (`session.py`),
where its files are, the page, what is told in the terminal. Then come the other tasks,
each with its data and its figures, and in `baselines/` what they have to beat.

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
    "autotagging": ("minigrad.tasks.autotagging", "Autotagging"),
    "name-tagging": ("minigrad.tasks.name_tagging", "NameTagging"),
}


def task(name: str) -> Any:
    """The task of this name, an object of its class; ArgumentError for other names."""
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
