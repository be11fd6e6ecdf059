"""`minigrad predict TASK "input"`: ask the model that `minigrad train TASK` saved."""

from __future__ import annotations

import argparse
from pathlib import Path

HELP = "ask a saved model"
EXAMPLE = "minigrad predict weather"


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command understands."""
    from minigrad.tasks import TASKS

    parser.add_argument("task", choices=tuple(TASKS), help="which task")
    parser.add_argument("input", nargs="*", help="what to read: see the task")
    parser.add_argument(
        "--model",
        type=Path,
        metavar="FOLDER",
        help="the folder given to minigrad train -o (your data folder)",
    )


def run(options: argparse.Namespace) -> None:
    """Load and ask. Raises MinigradError if there is no model, or no answer."""
    from rich.console import Console

    from minigrad.tasks import load
    from minigrad.tasks.page import show

    trained = load(options.task, options.model)
    console = Console()
    for section in trained.predict(" ".join(options.input)):
        show(console, section)
