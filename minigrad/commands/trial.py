"""`minigrad trial "a sentence"`: the gates of the saved sentiment model on trial.

Read next: `doctor.py`.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from minigrad.engine.errors import ArgumentError

if TYPE_CHECKING:
    from minigrad.trial.trial_sections import Held

SENTENCE = "I loved the movie, but the ending was disappointing"
HELP = "what the gates of the saved sentiment model do: table, verdicts, what-ifs"
EXAMPLE = (
    'minigrad trial "I loved it, but it was long" --replace but=and --clamp f=1@but'
)


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command understands."""
    parser.add_argument("sentence", nargs="?", default=SENTENCE, help="what to read")
    parser.add_argument(
        "--replace",
        action="append",
        default=[],
        metavar="OLD=NEW",
        help="read another word in the place of one; may be given several times",
    )
    parser.add_argument(
        "--clamp",
        action="append",
        default=[],
        metavar="GATE=VALUE[@WORD]",
        help="hold a gate (f, i, o; of a GRU r, z) at 0 to 1, at one word or at all "
        "of them",
    )
    parser.add_argument(
        "--model",
        type=Path,
        metavar="FOLDER",
        help="the folder given to minigrad train sentiment -o (your data folder)",
    )
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        default=Path("minigrad-trial.html"),
        metavar="FILE",
        help="the page to write",
    )


def run(options: argparse.Namespace) -> None:
    """Read, ask what if, judge. Raises MinigradError for what cannot be asked."""
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
    console.print(f"\nwith pictures: [bold]{options.output}[/]", highlight=False)


def replaced(text: str) -> tuple[str, str]:
    """OLD=NEW, in lower case. Raises ArgumentError for anything else."""
    old, sign, new = (part.strip() for part in text.lower().partition("="))
    if not (sign and old and new):
        raise ArgumentError(
            f"--replace {text!r}: which word for which?",
            expect="OLD=NEW, one word each",
            actual=repr(text),
            hint="--replace but=and",
        )
    return old, new


def held(text: str) -> Held:
    """GATE=VALUE or GATE=VALUE@WORD. Raises ArgumentError for anything else."""
    from minigrad.trial.trial_sections import Held

    gate, _, rest = text.strip().partition("=")
    number, at, word = rest.partition("@")
    try:
        value = float(number)
    except ValueError:
        value = None
    if not gate or value is None or (at and not word):
        raise ArgumentError(
            f"--clamp {text!r}: which gate, at what?",
            expect="GATE=VALUE or GATE=VALUE@WORD",
            actual=repr(text),
            hint="--clamp f=1 holds the forget gate open; --clamp f=0@but only there",
        )
    return Held(gate.strip(), value, word.strip().lower() or None)
