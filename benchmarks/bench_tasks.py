"""Tasks trained with several seeds: mean and spread of the held-out figures; time, and
sequences per second (with validation), beside the promise that a training keeps.

python -m benchmarks.bench_tasks [TASK ...] [--seeds 5]
"""

import argparse
import os
import tempfile
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from rich.console import Console
from rich.table import Table

from minigrad import tasks

PROMISE = 300  # seconds that a task's default training may take on two cores


def study(name, seeds):
    """Rows for a table: the figures of each method over the seeds, and the speed."""
    found, seconds, rates = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(seeds):
            started = time.perf_counter()
            trained = tasks.train(name, folder=folder, seed=seed, page=False)
            seconds.append(time.perf_counter() - started)
            found.append(trained.figures)
            steps = trained.history[-1]["step"]
            rates.append(steps * trained.settings.batch_size / trained.seconds)
    task, rows = trained.task, []
    for method, figures in found[0].items():
        cells = []
        for figure in figures:
            values = np.array([figures[method][figure] for figures in found])
            cells.append(f"{figure} {task.shown(figure, values.mean())}")
            if np.ptp(values) > 0:
                cells[-1] += f" ± {task.shown(figure, values.std(ddof=1))}"
        rows.append((name, method, ", ".join(cells)))
    longest = max(seconds)
    kept = "kept" if longest <= PROMISE else "BROKEN"
    speed = f"{max(rates):,.0f} sequences per second; the longest run {longest:.0f} s "
    rows.append((name, "", f"{speed}(at most {PROMISE}: {kept})"))
    return rows


def main(words=()):
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("tasks", nargs="*", default=list(tasks.TASKS))
    parser.add_argument("--seeds", type=int, default=5)
    options = parser.parse_args(words)
    table = Table("task", "method", "held out, mean ± deviation over seeds")
    table.title = f"Tasks, {options.seeds} seeds"
    for name in options.tasks:
        for row in study(name, options.seeds):
            table.add_row(*row)
    Console(width=110).print(table)


if __name__ == "__main__":
    import sys

    main(sys.argv[1:])
