"""`minigrad train TASK`: data, model, loop, checkpoint, figures, page."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path
from typing import Any

from minigrad.engine.errors import MinigradError

HELP = "train a model on real data: figures beside baselines, and a page"
EXAMPLE = "minigrad train weather --epochs 20 --seed 1 -o my-weather"
OWN = ("command", "run", "task", "output", "resume", "anew", "monitor")  # not a task's


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command understands: a task, and then the options of that task."""
    from minigrad.tasks import TASKS, task
    from minigrad.tasks.task_options import add_options

    tasks = parser.add_subparsers(dest="task", metavar="TASK", required=True)
    for name in TASKS:
        found = task(name)
        own = tasks.add_parser(
            name,
            help=found.help,
            description=found.help,
            epilog="Defaults stand in parentheses. Ctrl-C stops after the current "
            "batch and saves; --resume goes on. The file of your own has: "
            + found.file,
        )
        own.add_argument(
            "-o",
            "--output",
            type=Path,
            metavar="FOLDER",
            help="where the model and its page go (default: your data folder)",
        )
        own.add_argument("--resume", action="store_true", help="go on with a run")
        own.add_argument(
            "--anew", action="store_true", help="put an unfinished run aside"
        )
        own.add_argument(
            "--monitor",
            action="store_true",
            help="watch the gradients, and write monitor.html and monitor.csv too",
        )
        add_options(own, found.options)


def run(options: argparse.Namespace) -> None:
    """Train. Raises MinigradError for bad input; KeyboardInterrupt after Ctrl-C."""
    from rich.console import Console

    from minigrad.tasks import task_page
    from minigrad.tasks.session import Session
    from minigrad.tasks.task_folder import Claimed
    from minigrad.training import Progress, Stopped

    console = Console()
    given = {k: v for k, v in vars(options).items() if k not in OWN}
    session = Session(options.task, options.output, options.resume, **given)
    task = session.task
    folder = [] if options.output is None else [str(options.output)]
    again = ["minigrad", "train", task.name, "--resume"]
    again += ["-o", *folder] if folder else []
    with Claimed(session.folder):
        data = session.prepare()
        for line in data.lines:
            console.print(line, markup=False, highlight=False)
        console.print("*: the best epoch so far, on the validation part")
        if options.anew:
            session.put_aside()
        callbacks: list[Any] = [Progress(console, task.units)]
        if options.monitor:
            callbacks.append(_monitor(console, session.folder))
        trainer = session.trainer(callbacks)
        if options.resume:
            console.print(_where(trainer), highlight=False)
        try:
            trainer.fit()
            trained = session.finish(trainer)
            written = task_page.write(session.folder, trained, data)
        except (MinigradError, KeyboardInterrupt) as ended:
            if isinstance(ended, Stopped):
                told = f"stopped after {trainer.step:,} steps; saved to {session.path}"
            else:
                told = f"the run up to its last save is in {session.path}"
            if session.path.exists():
                mended = ", when this is mended" * isinstance(ended, MinigradError)
                told += f"\nnext{mended}: {shlex.join(again)}"
                console.print(told, highlight=False, markup=False, soft_wrap=True)
            raise
        task_page.show(
            console, task_page.Section("", tables=[task_page.figures_table(trained)])
        )
    if options.monitor:
        seen = session.folder / "monitor.html"
        console.print(
            f"written to {seen}", highlight=False, markup=False, soft_wrap=True
        )
    ask = ["minigrad", "predict", task.name]
    example = data.example or task.example
    ask += [example] if example else []
    ask += ["--model", *folder] if folder else []
    console.print(
        f"written to {session.path}\nwritten to {written}\nnext: {shlex.join(ask)}",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )


def _monitor(console: Any, folder: Path) -> Any:
    """The gradient monitor, saying its warnings above the progress bar."""
    from minigrad.flow.monitor import Monitor

    def tell(words: str) -> None:
        console.print(f"monitor: {words}", markup=False, highlight=False)

    return Monitor(folder, tell=tell)


def _where(trainer: Any) -> str:
    if trainer.done:
        return "the run is at its end already"
    return f"going on at epoch {trainer.epoch + 1}, batch {trainer.batch + 1}"
