"""Trains a task from several seeds: how far do the figures depend on the start?

`minigrad train weather --seeds 10` calls `sweep`. Where `dask.distributed` is installed
the trainings run beside each other, else one after another: with the same tables.

Read next: `job_processes.py`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from minigrad.engine.errors import ArgumentError
from minigrad.tasks.job_processes import available, side_by_side
from minigrad.tasks.session import train
from minigrad.tasks.task import MODEL, Figures, Table
from minigrad.tasks.task_folder import folder_of

MOST = 1000


class SeedRun(NamedTuple):
    """One training of a sweep: its seed, its folder, and its held-out figures."""

    seed: int
    folder: str
    figures: dict[str, Figures]


def sweep(
    name: str,
    seeds: int,
    folder: str | os.PathLike[str] | None = None,
    *,
    scheduler: str | None = None,
    tell: Callable[[str], Any] = lambda text: None,
    **options: Any,
) -> list[SeedRun]:
    """Train a task from `seeds` seeds in a row; what each gave, in that order.

    folder     each run is in a folder within it: seed-0, seed-1 ...
    scheduler  the address of a running scheduler of dask.distributed; None: a cluster
               on this machine if dask.distributed is installed, else one by one
    tell       is told what happens, in words
    options    those of the task; `seed` is the first of the seeds

    Errors:  those of `tasks.train`; ArgumentError for another number of seeds;
             SetupError for a scheduler without dask.distributed.
    """
    whole = isinstance(seeds, int) and not isinstance(seeds, bool)
    if not whole or not 2 <= seeds <= MOST:
        raise ArgumentError(
            f"--seeds {seeds!r}: not a number of trainings",
            expect=f"2 to {MOST}",
            actual=repr(seeds),
            hint="minigrad train weather --seeds 10",
        )
    first = int(options.pop("seed", None) or 0)
    place = folder_of(name, folder)
    jobs = [(name, str(place / f"seed-{k}"), k) for k in range(first, first + seeds)]
    if available() or scheduler is not None:
        workers = min(len(jobs), os.cpu_count() or 1)
        calls = [(*job, options) for job in jobs]
        if scheduler is None:
            tell(f"dask.distributed: {workers} processes")
        return side_by_side(_one, calls, workers, scheduler)
    tell("dask.distributed is not installed: the trainings run one after another")
    found = []
    for job in jobs:
        found.append(_one(*job, options))
        tell(f"seed {job[2]}: done")
    return found


def _one(name: str, folder: str, seed: int, options: dict[str, Any]) -> SeedRun:
    trained = train(name, folder=folder, seed=seed, **options)
    return SeedRun(seed, folder, trained.figures)


def sweep_table(task: Any, runs: Sequence[SeedRun]) -> Table:
    """The figures of each run, then means and standard deviations, baselines too.

    The deviation is that of a sample (n - 1). Baselines vary where they draw, too.
    """
    names = list(runs[0].figures[MODEL])
    rows = [
        [f"seed {run.seed}", *(task.shown(n, run.figures[MODEL][n]) for n in names)]
        for run in runs
    ]
    for who in runs[0].figures:
        cells = []
        for n in names:
            values = [run.figures[who].get(n, float("nan")) for run in runs]
            mean, spread = float(np.mean(values)), float(np.std(values, ddof=1))
            cells.append(f"{task.shown(n, mean)} ± {task.shown(n, spread)}")
        rows.append([f"{who}, mean ± sd", *cells])
    return Table(f"Held out, {len(runs)} seeds", ["", *map(task.label, names)], rows)
