"""Spreads runs over processes, or over a cluster, through `dask.distributed`.

Read next: `lab_book.py`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from minigrad.engine.errors import ArgumentError
from minigrad.lab.lab_results import Setting, read_result, told


def spread(
    run: Callable[[Setting, Path, float], dict[str, Any]],
    wanted: Sequence[Setting],
    folder: Path,
    until: float,
    workers: int,
    scheduler: str | None,
    tell: Callable[[str], None],
) -> tuple[list[dict[str, Any]], list[Setting]]:
    """Make the runs side by side: what was found, and what was not begun.

    run        makes one run for so many seconds at most; it is sent to the processes
    workers    processes of this machine, one thread each
    scheduler  the address of a cluster's scheduler; it needs the same folder

    Errors: ArgumentError where `distributed` is missing, or no scheduler answers.
    """
    distributed = _distributed()
    known = {s: read_result(folder, s) for s in wanted}
    results = [r for r in known.values() if r is not None and r["finished"]]
    todo = [s for s in wanted if (r := known[s]) is None or not r["finished"]]
    seconds = until - time.monotonic()
    with _client(distributed, workers, scheduler) as client:
        # Each process has its own clock: it is told how long, not until when.
        share = seconds / max(1, -(-len(todo) // max(1, workers)))
        waiting = [client.submit(run, s, folder, share, pure=False) for s in todo]
        for future in distributed.as_completed(waiting):
            result = future.result()
            results.append(result)
            tell(told(result))
    order = {s.name: k for k, s in enumerate(wanted)}
    return sorted(results, key=lambda r: order[Setting(**r["setting"]).name]), []


def _distributed() -> Any:
    try:
        import distributed
    except ImportError:
        raise ArgumentError(
            "lab: more than one process needs the package distributed",
            expect="distributed, which is installed with the extra `lab`",
            actual="it is not installed",
            hint="pip install 'minigrad[lab]', or leave out --workers and --scheduler",
        ) from None
    return distributed


def _client(distributed: Any, workers: int, scheduler: str | None) -> Any:
    if scheduler is None:
        return distributed.Client(
            n_workers=workers, threads_per_worker=1, dashboard_address=None
        )
    try:
        return distributed.Client(scheduler, timeout="10s")
    except (OSError, ValueError, TimeoutError) as error:
        raise ArgumentError(
            f"lab: no scheduler answers at {scheduler}",
            expect="the address of a running scheduler, such as tcp://10.0.0.5:8786",
            actual=f"{type(error).__name__}: {error}"[:200],
            hint="start one with `dask scheduler`, or use --workers 4",
        ) from None
