"""`minigrad predict TASK "input"`: uses the model that `minigrad train TASK` saved.

Read next: `trial.py`.
"""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path

HELP = "use a model that was trained and saved"
EXAMPLE = "minigrad predict weather"
OWN = ("command", "run", "task", "input", "model", "page")  # not questions of a task


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add one subcommand per task, with its input and its options, to the parser."""
    from minigrad.tasks import TASKS, task
    from minigrad.tasks.task_options import add_options

    tasks = parser.add_subparsers(dest="task", metavar="TASK", required=True)
    for name in TASKS:
        found = task(name)
        example = f" {shlex.quote(found.example)}" if found.example else ""
        own = tasks.add_parser(
            name,
            help=found.help,
            description=found.help,
            epilog=f"example: minigrad predict {name}{example}",
        )
        own.add_argument("input", nargs="*", help="what to read")
        own.add_argument(
            "--model",
            type=Path,
            metavar="FOLDER",
            help="the folder with the model (your data folder)",
        )
        own.add_argument(
            "--page",
            type=Path,
            metavar="FILE",
            help="write the answer as a page, too, with its pictures",
        )
        add_options(own, found.questions)


def run(options: argparse.Namespace) -> None:
    """Load and ask. Raises MinigradError if there is no model, or no answer."""
    from rich.console import Console

    from minigrad.tasks import load
    from minigrad.tasks.task_page import show, write_answer

    trained = load(options.task, options.model)
    asked = {k: v for k, v in vars(options).items() if k not in OWN}
    console = Console()
    answer = trained.predict(" ".join(options.input), **asked)
    for section in answer:
        show(console, section)
    if options.page is not None:
        write_answer(options.page, trained, answer)
        words = f"page with pictures: {options.page}"
        console.print(words, markup=False, highlight=False, soft_wrap=True)
