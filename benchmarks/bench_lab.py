"""The papers' experiments with long time lags, several seeds each, in one table.

python -m benchmarks.bench_lab [EXPERIMENT ...] [-o FOLDER] [--budget SECONDS]

The runs are kept in the folder (your data folder): the same command goes on where it
was stopped, and shows the table of what is there. `--budget` is of each experiment.
When all runs of all experiments are at their end, it writes docs/lab_table.rst and
docs/lab_curves.svg, which the page on results shows.
"""

import argparse
import os
from pathlib import Path
from typing import NamedTuple

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from rich.console import Console
from rich.table import Table

from minigrad import lab
from minigrad.lab.lab_nets import CELLS
from minigrad.lab.lab_page import COLOURS, groups
from minigrad.lab.published_figures import PUBLISHED
from minigrad.pages.plots import blank_figure, svg
from minigrad.training.checkpoint import write_whole

DOCS = Path(__file__).parents[1] / "docs"
HEADER = ("experiment", "net", "chance", "learned", "sequences", "wrong", "loss")


class Runs(NamedTuple):
    """Runs of one experiment with the same options, as `lab.repeat` takes them."""

    task: str
    cells: tuple[str, ...]
    seeds: int
    options: dict


RUNS = (
    Runs("adding", ("lstm",), 10, {}),
    Runs("multiplication", ("lstm", "gru"), 3, {}),
    Runs("temporal-order-6a", ("lstm", "gru", "rnn"), 5, {}),
    Runs("temporal-order-6b", ("lstm", "gru"), 3, {}),
    Runs("two-sequence", ("lstm", "gru", "rnn"), 5, {}),
    Runs("embedded-reber", ("lstm",), 10, {}),
    Runs("copy-memory", ("gru",), 1, {}),
    Runs("copy-memory", ("lstm", "rnn"), 1, {"lr": 3e-3, "most": 320_000}),
    Runs("continual-reber", ("lstm", "noforget"), 3, {}),
    Runs("parity", ("lstm", "gru"), 3, {}),
)


def rows_of(books):
    """Rows of one experiment's books: a cell's seeds, and what was published."""
    task, rows = books[0].task, []
    for book in books:
        rows += [_row(task, cell, runs) for (cell, _), runs in _groups(book)]
    constant = f"{task.baseline(task.lag or 0):.2g}"
    rows.append(["a constant answer", "", "", "", "", constant])
    for found in PUBLISHED[task.name]:
        if found.lag not in ("500", "1000"):
            rows.append([f"published: {found.net}", "", "", found.result, "", ""])
    return [[task.name if row is rows[0] else "", *row] for row in rows]


def _groups(book):
    return groups(book.results).items()


def _row(task, cell, runs):
    tests = [run["test"] for run in runs]
    chance = f"{np.mean([run['at_start']['chance'] for run in runs]):.2f}"
    wrong, of = (sum(test[name] for test in tests) for name in ("wrong", "of"))
    error = f"{np.mean([test['loss'] for test in tests]):.2g}"
    solved = sorted(r["solved_at"] for r in runs if r["solved_at"] is not None)
    ended = [run for run in runs if run["finished"]]
    learned = f"{len(solved)} of {len(ended)} seed{'s' * (len(ended) != 1)}"
    if solved:
        when = f"{solved[0]:,}" + f" to {solved[-1]:,}" * (len(solved) > 1)
    else:
        when = f"not within {max(run['sequences'] for run in runs):,}"
    what = " streams" * task.carry
    return [cell, chance, learned, when, f"{wrong:,} of {of:,}{what}", error]


def rst(rows):
    """The table of the documentation."""
    lines = [
        ".. Made by ``python -m benchmarks.bench_lab``: do not edit.",
        "",
        ".. list-table::",
        "    :header-rows: 1",
        "    :widths: 16 24 8 12 22 12 8",
        "",
    ]
    for row in (HEADER, *rows):
        for k, cell in enumerate(row):
            text = f"``{cell}``" if k == 0 and cell and row is not HEADER else cell
            lines.append(f"    {'* ' if k == 0 else '  '}- {text}".rstrip())
    return "\n".join(lines) + "\n"


def curves(books):
    """A figure: the training error of every run, experiment by experiment."""
    rows = -(-len(books) // 3)
    figure = blank_figure(9.6, 2.4 * rows)
    grid = list(figure.subplots(rows, 3, squeeze=False).flat)
    for axes in grid[len(books) :]:
        axes.set_visible(False)
    for axes, parts in zip(grid, books.values(), strict=False):
        task = parts[0].task
        for result in [result for book in parts for result in book.results]:
            cell, curve = result["setting"]["cell"], np.array(result["curve"])
            colour = COLOURS[list(CELLS).index(cell) % len(COLOURS)]
            axes.plot(*curve.T, color=colour, linewidth=0.9)
            if result["solved_at"] is not None:
                at = result["solved_at"]
                axes.plot(at, np.interp(at, *curve.T), "o", color=colour, ms=3)
        constant = task.baseline(task.lag or 0)
        axes.axhline(constant, color="#666666", linestyle=":")
        axes.set(yscale="log", title=task.name)
        axes.set_ylim(bottom=min(axes.get_ylim()[0], constant / 4))
        axes.xaxis.set_major_formatter(lambda x, _: f"{x / 1000:g}k")
    cells = {r["setting"]["cell"] for b in books.values() for p in b for r in p.results}
    for cell in [cell for cell in CELLS if cell in cells]:
        colour = COLOURS[list(CELLS).index(cell) % len(COLOURS)]
        figure.axes[0].plot([], [], color=colour, label=cell)
    figure.legend(loc="outside lower center", ncols=len(cells), frameon=False)
    return figure


def main(words=()):
    """Run what is left of the experiments, and print the table."""
    names = list(dict.fromkeys(runs.task for runs in RUNS))
    parser = argparse.ArgumentParser()
    parser.add_argument("experiments", nargs="*", default=names)
    parser.add_argument("-o", "--output", type=Path)
    parser.add_argument("--budget", type=float)
    options = parser.parse_args(words)
    books, console, folder = {}, Console(width=150), options.output
    for task, cells, seeds, own in RUNS:
        if task not in options.experiments:
            continue
        book = lab.repeat(
            task,
            cells=cells,
            seeds=seeds,
            folder=None if folder is None else folder / task,
            budget=options.budget,
            tell=lambda words, task=task: console.print(f"{task}: {words}"),
            **own,
        )
        books.setdefault(task, []).append(book)
    table, rows = Table(*HEADER), []
    for parts in books.values():
        rows += rows_of(parts)
        for row in rows_of(parts):
            table.add_row(*row)
        table.add_section()
    console.print(table)
    every = [book for parts in books.values() for book in parts]
    whole = not any(b.left_out for b in every) and list(books) == names
    if whole and all(run["finished"] for b in every for run in b.results):
        write_whole(DOCS / "lab_table.rst", rst(rows).encode())
        write_whole(DOCS / "lab_curves.svg", svg(curves(books)))


if __name__ == "__main__":
    import sys

    main(sys.argv[1:])
