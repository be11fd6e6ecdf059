"""The papers' experiments with long time lags, several seeds each, in one table.

python -m benchmarks.bench_lab [EXPERIMENT ...] [-o FOLDER] [--budget SECONDS]

The runs are kept in the folder (your data folder): the same command goes on where it
was stopped, and shows the table of what is there. `--budget` is of each experiment.
"""

import argparse
import os
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

from rich.console import Console
from rich.table import Table

from minigrad import lab
from minigrad.lab.lab_page import groups, spread_of
from minigrad.lab.published_figures import PUBLISHED

# experiment -> cells, seeds
SETTINGS = {
    "adding": (("lstm",), 10),
    "multiplication": (("lstm", "gru"), 3),
    "copy-memory": (("gru", "lstm", "rnn"), 1),
    "temporal-order-6a": (("lstm", "gru", "rnn"), 5),
    "temporal-order-6b": (("lstm", "gru"), 3),
    "embedded-reber": (("lstm",), 10),
    "continual-reber": (("lstm1997", "lstm2000"), 3),
    "two-sequence": (("lstm", "gru", "rnn"), 5),
    "parity": (("lstm", "gru"), 3),
}


def rows_of(book):
    """Rows for the table: a cell's seeds, and the first that was published."""
    rows = []
    for (cell, _), runs in groups(book.results).items():
        solved = sorted(r["solved_at"] for r in runs if r["solved_at"] is not None)
        ended = [r for r in runs if r["finished"]]
        wrong = sum(r["test"]["wrong"] for r in runs)
        of = sum(r["test"]["of"] for r in runs)
        losses = [r["test"]["loss"] for r in runs]
        if book.task.carry:
            learned = f"{of - wrong:.0f} of {of:.0f} streams"
            symbols = sum(r["test"]["symbols"] for r in runs) / len(runs)
            when = f"first mistake after {symbols:,.0f} symbols"
        else:
            learned = f"{len(solved)} of {len(ended)} seeds"
            when = spread_of(solved) if solved else "-"
        error = f"{sum(losses) / len(losses):.2g}"
        rows.append([book.task.name, cell, learned, when, f"{wrong} of {of}", error])
    constant = f"{book.task.baseline(book.task.lag or 0):.2g}"
    rows.append(["", "a constant answer", "", "", "", constant])
    for found in PUBLISHED[book.task.name][:1]:
        rows.append(["", f"published: {found.net}", found.result, "", "", ""])
    return rows


def main(words=()):
    """Run what is left of the experiments, and print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("experiments", nargs="*", default=list(SETTINGS))
    parser.add_argument("-o", "--output", type=Path)
    parser.add_argument("--budget", type=float)
    options = parser.parse_args(words)
    folder, console = options.output, Console(width=118)
    table = Table("experiment", "cell", "learned", "sequences", "test: wrong", "loss")
    for name in options.experiments:
        cells, seeds = SETTINGS[name]
        book = lab.repeat(
            name,
            cells=cells,
            seeds=seeds,
            folder=None if folder is None else folder / name,
            budget=options.budget,
            tell=console.print,
        )
        for row in rows_of(book):
            table.add_row(*row)
        table.add_section()
    console.print(table)


if __name__ == "__main__":
    import sys

    main(sys.argv[1:])
