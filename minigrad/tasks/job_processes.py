"""Runs jobs side by side in processes, or on a cluster, through `dask.distributed`.

Read next: `sequences.py`.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from typing import Any

from minigrad.engine.errors import ArgumentError, SetupError


def available() -> bool:
    """Is `dask.distributed` installed?"""
    return importlib.util.find_spec("distributed") is not None


def side_by_side(
    run: Callable[..., Any],
    jobs: Sequence[tuple[Any, ...]],
    workers: int,
    scheduler: str | None = None,
    done: Callable[[Any], Any] = lambda result: None,
) -> list[Any]:
    """[run(*job) for job in jobs], each in a process of its own thread.

    run        a function of a module, which is sent to the processes
    workers    processes of this machine
    scheduler  the address of a cluster's scheduler, instead of them
    done       is told each result as soon as it is there

    Errors: SetupError where `dask.distributed` is missing; ArgumentError if no
            scheduler answers; what `run` raises.
    """
    if not available():
        raise SetupError(
            "more than one process needs the package distributed",
            expect="distributed, which is installed with the extra `sweeps`",
            actual="it is not installed",
            hint="pip install 'minigrad[sweeps]', or one process: without --workers "
            "and --scheduler",
        )
    import distributed

    with _client(distributed, workers, scheduler) as client:
        # Each job is to be done, whatever was computed before: pure=False.
        waiting = [client.submit(run, *job, pure=False) for job in jobs]
        for future in distributed.as_completed(waiting):
            done(future.result())
        return client.gather(waiting)


def _client(distributed: Any, workers: int, scheduler: str | None) -> Any:
    if scheduler is None:
        return distributed.Client(
            n_workers=workers, threads_per_worker=1, dashboard_address=":0"
        )
    try:
        return distributed.Client(scheduler, timeout="10s")
    except (OSError, ValueError, TimeoutError) as error:
        raise ArgumentError(
            f"no scheduler answers at {scheduler}",
            expect="the address of a running scheduler, such as tcp://10.0.0.5:8786",
            actual=f"{type(error).__name__}: {error}"[:200],
            hint="start one with `dask scheduler`, or use processes of this machine",
        ) from None
