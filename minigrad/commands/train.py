"""`minigrad train TASK`: trains a model, saves it, and writes its figures and a page.

Read next: `predict.py`.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

HELP = "train a model on real data and compare it with simple baselines"
EXAMPLE = "minigrad train weather --epochs 20 --seed 1 -o my-weather"
# not a task's
OWN = {"command", "run", "task", "output", "resume", "start", "anew", "monitor"}
OWN |= {"export", "seeds", "scheduler", "compile"}


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add one subcommand per task, with that task's options, to the parser."""
    from minigrad.tasks import TASKS, task
    from minigrad.tasks.task_options import add_options

    tasks = parser.add_subparsers(dest="task", metavar="TASK", required=True)
    for name in TASKS:
        found = task(name)
        own = tasks.add_parser(
            name,
            help=found.help,
            description=found.help,
            epilog="Defaults are in parentheses. Ctrl-C stops after the current "
            "batch and saves; --resume continues. Your own file needs: " + found.file,
        )
        own.add_argument(
            "-o",
            "--output",
            type=Path,
            metavar="FOLDER",
            help="where to save the model and its page (your data folder)",
        )
        own.add_argument(
            "--resume",
            action="store_true",
            help="continue a stopped run; with more --epochs also a complete one",
        )
        own.add_argument(
            "--from",
            dest="start",
            type=Path,
            metavar="FOLDER",
            help="train a saved model further on other data, starting from its "
            "weights, vocabulary and options",
        )
        own.add_argument(
            "--anew", action="store_true", help="start again; the old run is kept"
        )
        own.add_argument(
            "--monitor",
            action="store_true",
            help="watch the gradients; also write monitor.html and monitor.csv",
        )
        own.add_argument(
            "--compile",
            action="store_true",
            help="trace the training step and replay it, which is faster",
        )
        own.add_argument(
            "--export",
            choices=("onnx", "torch", "keras"),
            help="also write the trained network for onnxruntime, PyTorch or Keras",
        )
        own.add_argument(
            "--seeds",
            type=int,
            metavar="N",
            help="train N times, from seeds in a row, and show means and deviations",
        )
        own.add_argument(
            "--scheduler",
            metavar="ADDRESS",
            help="with --seeds: of a running scheduler of dask.distributed",
        )
        add_options(own, found.options)


def run(options: argparse.Namespace) -> None:
    """Train. Raises MinigradError for bad input; KeyboardInterrupt after Ctrl-C."""
    if options.seeds is not None or options.scheduler is not None:
        _sweep(options)
        return
    from minigrad.tasks.terminal_training import train_and_tell

    train_and_tell(
        options.task,
        options.output,
        resume=options.resume,
        start=options.start,
        anew=options.anew,
        monitor=options.monitor,
        compile=options.compile,
        export=_exporter(options.export),
        **{k: v for k, v in vars(options).items() if k not in OWN},
    )


def _sweep(options: argparse.Namespace) -> None:
    """Train from several seeds and show the table."""
    from rich.console import Console

    from minigrad.engine.errors import ArgumentError
    from minigrad.tasks import task, task_page
    from minigrad.tasks.seed_sweep import sweep, sweep_table
    from minigrad.tasks.task import Section

    single = ("resume", "start", "anew", "monitor", "export")
    said = [name for name in single if getattr(options, name)]
    if said or options.seeds is None:
        raise ArgumentError(
            "train: these options do not go together",
            expect="--seeds N, with --scheduler or without, and the task's own options",
            actual="--scheduler alone" if not said else f"--seeds with {said}",
            hint="minigrad train weather --seeds 10",
        )
    console = Console()
    runs = sweep(
        options.task,
        options.seeds,
        options.output,
        scheduler=options.scheduler,
        tell=lambda text: console.print(text, highlight=False, markup=False),
        compile=options.compile,
        **{k: v for k, v in vars(options).items() if k not in OWN},
    )
    table = sweep_table(task(options.task), runs)
    task_page.show(console, Section("", tables=[table]))
    for run in runs:
        where = f"seed {run.seed}: {run.folder}"
        console.print(where, highlight=False, markup=False, soft_wrap=True)


def _exporter(kind: str | None) -> Any:
    """What writes the trained network for another library, or None."""
    if kind is None:
        return None
    from minigrad.interop.exported_files import export, ready

    ready(kind)  # a package that is missing is an error now, not after the training
    return lambda trained, folder: export(trained, kind, folder)
