"""Runs many settings in a good order, within a budget, and keeps what was found.

Read next: `lab_page.py`.
"""

from __future__ import annotations

import importlib
import os
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from minigrad.engine.errors import ArgumentError, one_of
from minigrad.lab.lab_nets import CELLS, STARTS
from minigrad.lab.lab_results import Setting, read_result, told
from minigrad.lab.lab_run import run_one
from minigrad.lab.long_lag_task import LongLagTask
from minigrad.tasks.job_processes import side_by_side
from minigrad.tasks.task_folder import Claimed, folder_of

# name -> where its class is; imported when asked for
TASKS = {
    "adding": ("summed_pairs", "Adding"),
    "multiplication": ("summed_pairs", "Multiplication"),
    "copy-memory": ("copy_memory", "CopyMemory"),
    "temporal-order-6a": ("temporal_order", "TemporalOrder6a"),
    "temporal-order-6b": ("temporal_order", "TemporalOrder6b"),
    "embedded-reber": ("reber_grammar", "EmbeddedReber"),
    "continual-reber": ("continual_reber", "ContinualReber"),
    "two-sequence": ("latch_and_parity", "TwoSequence"),
    "parity": ("latch_and_parity", "Parity"),
}
WORTH = 2.0  # seconds: with less left of a budget no run is begun


def lab_task(name: str) -> LongLagTask:
    """The task of this name, as a new object. ArgumentError if there is none."""
    one_of("task", name, tuple(TASKS))
    module, attribute = TASKS[name]
    return getattr(importlib.import_module(f"minigrad.lab.{module}"), attribute)()


class Book(NamedTuple):
    """What a call of `repeat` found.

    task      the task
    results   one dict per run that was made, as `run_one` returns it
    left_out  the settings that were not begun
    folder    where the files are
    """

    task: LongLagTask
    results: list[dict[str, Any]]
    left_out: list[Setting]
    folder: Path


def settings(
    task: LongLagTask,
    cells: Iterable[str],
    lags: Iterable[int | None],
    seeds: int | Sequence[int],
    *,
    hidden: int | None = None,
    lr: float | None = None,
    batch: int | None = None,
    start: str = "chrono",
    most: int | None = None,
) -> list[Setting]:
    """All runs, in the order in which they are made: every cell's first seed first.

    Errors:  ArgumentError for other cells, a lag below the task's least, a cell, lag or
             seed that is given twice, and numbers that are not positive.
    """
    one_of("start", start, STARTS)
    cells, steps = list(cells), [task.check_lag(lag) for lag in lags]
    for cell in cells:
        one_of("cell", cell, tuple(CELLS))
    drawn = list(range(seeds)) if isinstance(seeds, int) else list(seeds)
    for name, values in (("cells", cells), ("lags", steps), ("seeds", drawn)):
        _once(task, name, values)
    numbers = {"hidden": hidden, "lr": lr, "batch": batch, "most": most}
    own: dict[str, Any] = {
        k: getattr(task, k) if v is None else v for k, v in numbers.items()
    }
    for name, value in own.items():
        if not value > 0:
            raise ArgumentError(
                f"lab {task.name}: {name} has to be positive",
                expect="more than 0",
                actual=str(value),
                hint=f"the default is {getattr(task, name)}",
            )
    return [
        Setting(task.name, cell, lag, seed, start=start, **own)
        for lag in steps
        for seed in drawn
        for cell in cells
    ]


def _once(task: LongLagTask, name: str, values: list[Any]) -> None:
    if not values:
        raise ArgumentError(
            f"lab {task.name}: no {name}",
            expect="one or more",
            actual="none",
            hint=f"leave out --{name} for the default",
        )
    if len(set(values)) < len(values):
        again = next(v for k, v in enumerate(values) if v in values[:k])
        raise ArgumentError(
            f"lab {task.name}: {again} is there twice among the {name}",
            expect="each one once: the same run gives the same result",
            actual=", ".join(map(str, values)),
            hint="leave the second one out",
        )
    bad = [v for v in values if isinstance(v, int) and v < 0]
    if bad:
        raise ArgumentError(
            f"lab {task.name}: {bad[0]} among the {name}",
            expect="whole numbers, 0 or more",
            actual=str(bad[0]),
            hint="--seeds 10 means the seeds 0 to 9",
        )


def repeat(
    task: str,
    *,
    cells: Iterable[str] = ("rnn", "lstm", "gru"),
    lags: Iterable[int | None] = (None,),
    seeds: int | Sequence[int] = 1,
    folder: str | os.PathLike[str] | None = None,
    budget: float | None = None,
    workers: int = 1,
    scheduler: str | None = None,
    tell: Callable[[str], None] = lambda words: None,
    **options: Any,
) -> Book:
    """Run a task with some cells, lags and seeds; go on where it was stopped.

    cells      names of `CELLS`
    lags       None: the paper's own
    seeds      a number of seeds, or the seeds themselves
    folder     where results are kept; None: the user's data folder
    budget     seconds: what does not fit is left out, and a run that is not at its end
               is saved. None: all of it
    workers    processes, through `dask.distributed`; scheduler: an address of one
    tell       is told of each run, in words
    options    hidden, lr, batch, start, most: None for the task's own

    Errors:  ArgumentError for what does not fit (`settings`), and for a folder in use;
             SetupError where workers are asked for without `distributed`.
    """
    found = lab_task(task)
    wanted = settings(found, cells, lags, seeds, **options)
    if budget is not None and not budget > 0:
        raise ArgumentError(
            f"lab {task}: a budget of {budget:g} seconds",
            expect="more than 0",
            actual=f"{budget:g}",
            hint="--budget 60",
        )
    place = folder_of(f"lab-{task}", folder)
    until = time.monotonic() + budget if budget is not None else float("inf")
    with Claimed(place):
        if workers > 1 or scheduler is not None:
            results = spread(wanted, place, until, workers, scheduler, tell)
            left: list[Setting] = []
        else:
            results, left = in_turn(wanted, place, until, tell)
    return Book(found, results, left, place)


def one(setting: Setting, folder: Path, seconds: float) -> dict[str, Any]:
    """Make one run, or go on with it: `run_one` for its task."""
    return run_one(lab_task(setting.task), setting, folder, seconds)


def spread(
    wanted: Sequence[Setting],
    folder: Path,
    until: float,
    workers: int,
    scheduler: str | None,
    tell: Callable[[str], None],
) -> list[dict[str, Any]]:
    """Make the runs side by side: each gets its share of the time that is left."""
    known = {s: read_result(folder, s) for s in wanted}
    results = [r for r in known.values() if r is not None and r["finished"]]
    todo = [s for s in wanted if (r := known[s]) is None or not r["finished"]]
    # Each process has its own clock: it is told how long, not until when.
    share = (until - time.monotonic()) / max(1, -(-len(todo) // max(1, workers)))
    jobs = [(s, folder, share) for s in todo]
    results += side_by_side(one, jobs, workers, scheduler, lambda r: tell(told(r)))
    order = {s.name: k for k, s in enumerate(wanted)}
    return sorted(results, key=lambda r: order[Setting(**r["setting"]).name])


def in_turn(
    wanted: Sequence[Setting], folder: Path, until: float, tell: Callable[[str], None]
) -> tuple[list[dict[str, Any]], list[Setting]]:
    """Make the runs one after the other: what was found, and what was not begun."""
    results, left = [], []
    spent: list[float] = []
    for k, setting in enumerate(wanted):
        known = read_result(folder, setting)
        remaining = until - time.monotonic()
        if (known is None or not known["finished"]) and remaining < WORTH:
            if known is None:
                left.append(setting)
            else:
                results.append(known)
            continue
        began = time.monotonic()
        result = one(setting, folder, remaining)
        took = time.monotonic() - began
        if took > 1:
            spent.append(took)
        results.append(result)
        rest = [s for s in wanted[k + 1 :] if read_result(folder, s) is None]
        tell(told(result) + _time_left(spent, len(rest)))
    return results, left


def _time_left(spent: list[float], runs: int) -> str:
    if not runs or not spent:
        return ""
    minutes = sum(spent) / len(spent) * runs / 60
    return f"; {runs} more, about {max(1, round(minutes))} min"
