"""`minigrad tour`: trains three small networks, looks inside, and writes one folder.

Read next: `tutorial.py`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

SENTENCE = "I loved the movie, but the ending was disappointing"
HELP = "train three small networks, read a sentence with them, and look inside"
EXAMPLE = 'minigrad tour "The plot is thin, but the actors are wonderful"'


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this command to the parser."""
    parser.add_argument("sentence", nargs="?", default=SENTENCE, help="what to read")
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        default=Path("minigrad-tour"),
        help="folder to write (minigrad-tour)",
    )
    parser.add_argument(
        "--saved",
        action="store_true",
        help="use the LSTM that minigrad train sentiment saved, if there is one",
    )
    parser.add_argument("--seed", type=int, default=0, help="random seed (0)")


def run(options: argparse.Namespace) -> None:
    """The tour. Raises MinigradError for a sentence it cannot read."""
    from minigrad.tour.guide import tour

    tour(options.sentence, options.output, seed=options.seed, use_saved=options.saved)
