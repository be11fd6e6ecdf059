"""Times that can be compared: alternating, the best of many, one thread."""

import os

for variable in ("OMP", "OPENBLAS", "MKL"):  # before NumPy and PyTorch are imported
    os.environ.setdefault(f"{variable}_NUM_THREADS", "1")

import platform  # noqa: E402
import time  # noqa: E402


def best_of(calls, seconds=2.0, rounds=5):
    """{name: best time in seconds}; the calls take turns, so that noise meets all."""
    best = dict.fromkeys(calls, float("inf"))
    for call in calls.values():
        call()
    for _ in range(rounds):
        for name, call in calls.items():
            until = time.perf_counter() + seconds / rounds / len(calls)
            while True:
                start = time.perf_counter()
                call()
                end = time.perf_counter()
                best[name] = min(best[name], end - start)
                if end > until:
                    break
    return best


def machine():
    """The machine, in a line."""
    import numpy

    name = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            name = next(s.split(": ")[1].strip() for s in file if "model name" in s)
    except (OSError, StopIteration):
        pass
    return (
        f"{name}, {os.cpu_count()} cores, one thread, Python "
        f"{platform.python_version()}, NumPy {numpy.__version__}"
    )
