"""Pictures of large graphs: time, `dot` included, and memory, each in a process of its
own. The memory is the whole process' at its highest: Python, NumPy, the graph and the
picture."""

from benchmarks.timing import machine  # isort: skip (sets the threads)

import json
import os
import subprocess
import sys

from rich.console import Console
from rich.table import Table

SETUP = """
import json, time
import numpy as np
import minigrad as mg
from minigrad.models import LSTM

def lstm(steps):
    return LSTM(3, 4, rng=0)(mg.tensor(np.zeros((steps, 1, 3)), name="x"))[0]

def chain(count):
    y = mg.tensor(np.ones(3), requires_grad=True, name="x")
    for _ in range(count):
        y = mg.tanh(y)
    return y

mg.draw(lstm(2)).dot  # what is imported and made once
"""
RUN = """
best = float("inf")
for _ in range(ROUNDS):
    start = time.perf_counter()
    drawing = mg.draw(y, LEVEL, max_steps=None)
    made = drawing.dot if TEXT else drawing.svg()
    best = min(best, time.perf_counter() - start)
    size, counts = len(made) / 1e6, drawing.counts
    del drawing, made

def memory():
    try:
        import resource, sys
    except ImportError:  # not on Windows
        return 0.0
    unit = 1e6 if sys.platform == "darwin" else 1e3
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit

print(json.dumps([best, memory(), size, counts]))
"""
CASES = [  # what, program, level, only text?, promised seconds, promised MB
    ("LSTM, T = 10, op, SVG", "lstm(10)", "op", False, 0.5, None),
    ("LSTM, T = 100, op, SVG", "lstm(100)", "op", False, 3.0, None),
    ("LSTM, T = 1000, cell, SVG", "lstm(1000)", "cell", False, 3.0, None),
    ("LSTM, T = 5890, op, DOT", "lstm(5890)", "op", True, 2.0, 500),
    ("a chain of 100,000, op, DOT", "chain(100_000)", "op", True, 2.0, 500),
]


def measure(program, level, text, rounds=3):
    """(seconds, MB, megabytes of the picture, what is in it)."""
    settings = f"ROUNDS, LEVEL, TEXT = {rounds}, {level!r}, {text}\n"
    made = subprocess.run(
        [sys.executable, "-c", SETUP + f"y = {program}\n" + settings + RUN],
        env=os.environ,
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(made.stdout)


def main():
    """Print the table."""
    table = Table(title="Pictures: seconds (best of 3) and memory")
    table.add_column("picture")
    for name in ("s", "aim", "MB", "aim ", "file, MB"):
        table.add_column(name, justify="right")
    table.add_column("what is drawn")
    for what, program, level, text, aim, most in CASES:
        seconds, memory, size, counts = measure(program, level, text)
        row = (f"{seconds:.2f}", f"{aim:.1f}", f"{memory:.0f}", str(most or ""))
        table.add_row(what, *row, f"{size:.1f}", counts)
    console = Console(width=130)
    console.print(table)
    console.print(machine(), highlight=False)


if __name__ == "__main__":
    main()
