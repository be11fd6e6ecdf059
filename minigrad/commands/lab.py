"""`minigrad lab`: lists the experiments of the papers, or repeats one of them.

Read next: `check.py`.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from minigrad.engine.errors import ArgumentError

HELP = "repeat the papers' experiments with long time lags"
EXAMPLE = "minigrad lab embedded-reber --cells lstm,rnn --budget 60"
NARROW = 60  # columns of a terminal: the papers are left out below it
OWN = ("hidden", "lr", "batch", "start", "most")  # options of the runs themselves


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this command to the parser."""
    add = parser.add_argument
    add("task", nargs="?", help="the experiment (without it: list all)")
    add(
        "--cells",
        default="rnn,lstm,gru",
        metavar="A,B",
        help="rnn, irnn, lstm, noforget, lstm1997, lstm2000, peephole, coupled, gru",
    )
    add("--lags", metavar="N,M", help="time lags (the paper's own)")
    add("--seeds", default="1", metavar="N", help="how many seeds, or 3,5,8 (1)")
    add(
        "--budget",
        type=float,
        metavar="SECONDS",
        help="do what fits in this time, and say what was left out (all of it)",
    )
    add("--workers", type=int, default=1, metavar="N", help="processes (1)")
    add("--scheduler", metavar="ADDRESS", help="of a dask cluster, instead")
    add("--hidden", type=int, metavar="N", help="units (the task's own)")
    add("--lr", type=float, metavar="RATE", help="learning rate (the task's own)")
    add("--batch", type=int, metavar="N", help="sequences per update (the task's own)")
    add("--most", type=int, metavar="N", help="sequences until a run gives up")
    add(
        "--start",
        default="chrono",
        help="chrono: gates keep for up to the lag (default); plain: forget bias 1",
    )
    add(
        "-o",
        "--output",
        type=Path,
        metavar="FOLDER",
        help="where results are kept (your data folder)",
    )


def run(options: argparse.Namespace) -> None:
    """List or repeat. Raises MinigradError for what cannot be done."""
    from rich.console import Console

    console = Console()
    if options.task is None:
        _list(console)
        return
    from minigrad import lab
    from minigrad.lab.lab_page import sections, write_page
    from minigrad.tasks.task_page import show

    seeds = _numbers("--seeds", options.seeds)
    book = lab.repeat(
        options.task,
        cells=[name.strip() for name in options.cells.split(",")],
        lags=[None] if options.lags is None else _numbers("--lags", options.lags),
        seeds=seeds[0] if len(seeds) == 1 and "," not in options.seeds else seeds,
        folder=options.output,
        budget=options.budget,
        workers=options.workers,
        scheduler=options.scheduler,
        tell=lambda words: console.print(words, markup=False, highlight=False),
        **{name: getattr(options, name) for name in OWN},
    )
    found = sections(book)
    for section in found:
        show(console, section)
    path = write_page(book, found)
    console.print(f"\nwritten to {path}", soft_wrap=True, markup=False, highlight=False)


def _list(console: Any) -> None:
    from rich.table import Table

    from minigrad import lab

    narrow = console.width < NARROW
    names = ["experiment", "what", "lag", "from"][: 3 if narrow else 4]
    table = Table(*names, title="minigrad lab NAME")
    table.columns[0].no_wrap = True  # what is to be typed
    for name in lab.TASKS:
        task = lab.lab_task(name)
        lag = "-" if task.lag is None else str(task.lag)
        table.add_row(*[name, task.help, lag, task.source][: len(names)])
    console.print(table)


def _numbers(option: str, text: str) -> list[int]:
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise ArgumentError(
            f"{option} {text}: not whole numbers",
            expect="a whole number, or several with commas",
            actual=repr(text),
            hint=f"{option} 5, or {option} 50,100",
        ) from None
