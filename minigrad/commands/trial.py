"""`minigrad trial "a sentence"`: tests what the gates of the sentiment model really do.

Read next: `open_weights.py`.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from minigrad.engine.errors import ArgumentError

if TYPE_CHECKING:
    from minigrad.trial.trial_sections import Held

SENTENCE = "I loved the movie, but the ending was disappointing"
HELP = "test what the gates of your trained sentiment model really do"
EXAMPLE = (
    'minigrad trial "I loved it, but it was long" --replace but=and --clamp f=1@but'
)


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this command to the parser."""
    parser.add_argument("sentence", nargs="?", default=SENTENCE, help="what to read")
    parser.add_argument(
        "--replace",
        action="append",
        default=[],
        metavar="OLD=NEW",
        help="replace one word by another; may be given several times",
    )
    parser.add_argument(
        "--clamp",
        action="append",
        default=[],
        metavar="GATE=VALUE[@WORD]",
        help="hold a gate (LSTM: f, i, o; GRU: r, z) at a value from 0 to 1, at one "
        "word or at every word",
    )
    parser.add_argument(
        "--model",
        type=Path,
        metavar="FOLDER",
        help="the folder with the sentiment model (your data folder)",
    )
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        default=Path("minigrad-trial.html"),
        metavar="FILE",
        help="the page to write (minigrad-trial.html)",
    )


def run(options: argparse.Namespace) -> None:
    """Run the trial and write its page. MinigradError if a question cannot be asked."""
    from rich.console import Console

    from minigrad.tasks import load
    from minigrad.tasks.task_page import show
    from minigrad.trial.trial_sections import sections, write_page

    found = sections(
        load("sentiment", options.model),
        options.sentence,
        [replaced(text) for text in options.replace],
        [held(text) for text in options.clamp],
    )
    console = Console()
    for section in found:
        show(console, section)
    write_page(options.output, options.sentence, found)
    console.print(f"\npage with pictures: [bold]{options.output}[/]", highlight=False)


def replaced(text: str) -> tuple[str, str]:
    """Parse OLD=NEW into two words in lower case. ArgumentError for anything else."""
    old, sign, new = (part.strip() for part in text.lower().partition("="))
    if not (sign and old and new):
        raise ArgumentError(
            f"--replace {text!r} does not name two words",
            expect="OLD=NEW, one word each",
            actual=repr(text),
            hint="--replace but=and",
        )
    return old, new


def held(text: str) -> Held:
    """Parse GATE=VALUE or GATE=VALUE@WORD. ArgumentError for anything else."""
    from minigrad.trial.trial_sections import Held

    gate, _, rest = text.strip().partition("=")
    number, at, word = rest.partition("@")
    try:
        value = float(number)
    except ValueError:
        value = None
    if not gate or value is None or (at and not word):
        raise ArgumentError(
            f"--clamp {text!r} does not name a gate and a value",
            expect="GATE=VALUE or GATE=VALUE@WORD",
            actual=repr(text),
            hint="--clamp f=1 holds the forget gate open; --clamp f=0@but only there",
        )
    return Held(gate.strip(), value, word.strip().lower() or None)
