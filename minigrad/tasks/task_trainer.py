"""Builds the Trainer of a task's model from the task's options.

Read next: `task_folder.py`.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from minigrad.nn.optim import AdamW
from minigrad.tasks.task import Prepared, Task
from minigrad.training import Trainer

MANY = 1000  # steps: in fewer, a trace of each length takes more time than it saves


def trainer_of(
    task: Task,
    settings: SimpleNamespace,
    data: Prepared,
    model: Any,
    batches: Any,
    compile: bool = False,
    **more: Any,
) -> Trainer:
    """A Trainer, at its start. `more` goes to it: callbacks, checkpoint, about."""
    steps = settings.epochs * len(batches)
    return Trainer(
        model,
        AdamW(model.parameters(), lr=settings.lr, weight_decay=settings.weight_decay),
        task.loss,
        batches,
        epochs=settings.epochs,
        validate=lambda model: task.evaluate(model, data.validation, data.reading),
        monitor=task.monitor,
        better=task.better,
        patience=settings.patience,
        clip_norm=settings.clip_norm or None,
        schedule=task.schedule(settings, steps),
        carry=task.carry,
        ready=task.ready,
        compile=compile or (steps >= MANY and task.compiled(settings)),
        **more,
    )
