"""How time, memory and the first call grow with the length of a sequence.

Read next: `speed_report.py`.
"""

from __future__ import annotations

import gc
import math
import sys
import time
import tracemalloc
from collections.abc import Iterator
from dataclasses import dataclass

from minigrad.comparing.same_step import SIZES, compiled, eager, problem

LENGTHS = (10, 100, 1000, 10_000)
WAYS = {"minigrad": eager, "minigrad, compiled": compiled}


@dataclass
class Grown:
    """One length: milliseconds per step, and of the first call; MB that a step needs at
    the highest, and the whole process so far: with the longer first calls."""

    way: str
    T: int
    ms: float
    first_ms: float
    megabytes: float
    process: float


def growth(
    kind: str, seconds: float, size: str = "S", processor: bool = False
) -> Iterator[Grown]:
    """Longer and longer sequences, as long as the seconds last.

    processor  time the processor's work instead of looking at the clock
    """
    clock = time.process_time if processor else time.perf_counter
    end = time.perf_counter() + seconds
    for T in LENGTHS:
        for way, make in WAYS.items():
            if time.perf_counter() > end:
                return
            given = problem(kind, SIZES[size]._replace(T=T))
            begun = clock()
            runner = make(given)
            runner.step()
            first = clock() - begun
            best = float("inf")
            runner.step()  # a compiled step is traced a second time
            for _ in range(3):
                begun = clock()
                runner.step()
                best = min(best, clock() - begun)
            gc.collect()
            tracemalloc.start()
            try:
                runner.step()
                highest = tracemalloc.get_traced_memory()[1]
            finally:
                tracemalloc.stop()
            megabytes = (highest + runner.kept()) / 1e6
            yield Grown(way, T, 1e3 * best, 1e3 * first, megabytes, _process())


def _process() -> float:
    """The most memory that this process has taken so far, in MB; NaN on Windows."""
    try:
        import resource
    except ImportError:
        return math.nan
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (1e6 if sys.platform == "darwin" else 1e3)  # bytes there, else KiB
