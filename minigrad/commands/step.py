"""`minigrad step rnn|lstm|gru`: shows the events of a small network, one at a time.

On a terminal it waits for keys; into a pipe or a file it prints every event.

Read next: `flow.py`.
"""

from __future__ import annotations

import argparse
import os
import sys
from typing import Any

import minigrad as mg
from minigrad.commands.demo_network import (
    KINDS,
    demo_output,
    mean_square,
    network_arguments,
    unrollable,
    words_and_steps,
)
from minigrad.engine.errors import ArgumentError, DataError
from minigrad.reading.text import clean

HELP = "step through a network, forward and backward, one operation at a time"
EXAMPLE = 'minigrad step lstm --steps 3 --until "receives W_h"'
LARGEST = 1 << 30  # bytes of a file that is read


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this command to the parser."""
    add = parser.add_argument
    add("model", nargs="?", choices=KINDS, help="the cell")
    add("--load", metavar="FILE", help="show events from a .json file instead")
    add("--steps", type=int, help="time steps (3, or one per word)")
    add("--sentence", metavar="WORDS", help="the words to read, one per step")
    add("-o", "--output", metavar="FILE", help="write .html (the player), .json, .gif")
    add("--level", choices=("cell", "gate", "op"), default="op", help="detail (op)")
    add("--from", dest="first", type=int, default=0, metavar="N", help="first (0)")
    add("--to", dest="last", type=int, metavar="N", help="last, with --all")
    add(
        "--until",
        action="append",
        default=[],
        metavar="CONDITION",
        help='"norm < 1e-6", "receives W_h", "nan" or "inf": start at this event; '
        "with --all: stop at it",
    )
    add("--all", action="store_true", help="print every event, without waiting")
    add("--lines", action="store_true", help="read one command per line: for scripts")
    network_arguments(parser)


def run(options: argparse.Namespace) -> None:
    """Make the events or read them, and play them."""
    steps = _steps(options)
    last = len(steps.events) - 1
    for name, number in (("--from", options.first), ("--to", options.last)):
        if number is not None and not 0 <= number <= last:
            raise ArgumentError(
                f"{name} {number}: there is no such event",
                expect=f"a number from 0 to {last}",
                actual=str(number),
                hint="events are counted from 0",
            )
    for condition in options.until:  # a wrong one is an error now, not later
        steps.until(condition, last)
    if options.output is not None:
        steps.save(options.output, words=(options.sentence or "").split() or None)
        size = os.path.getsize(options.output)
        print(f"{options.output}: {len(steps)} events, {size / 1000:.0f} kB")
        return
    from minigrad.stepping.play.keyboard import open_keys
    from minigrad.stepping.play.terminal_player import play, print_all

    watched = sys.stdout.isatty() and sys.stdin is not None
    if options.all or not (watched or options.lines):
        print_all(steps, options.first, options.last, options.until)
        return
    play(steps, options.first, options.until, keys=open_keys(options.lines))


def _steps(options: argparse.Namespace) -> Any:
    """The events of a small network, or of a file."""
    if (options.model is None) == (options.load is None):
        raise ArgumentError(
            "step: give either a network or a file",
            expect=f"one of {', '.join(KINDS)}, or --load FILE",
            actual="both" if options.load else "neither",
            hint=EXAMPLE,
        )
    if options.load is not None:
        return mg.Steps.from_json(_read(options.load))
    words, steps = words_and_steps("step", options, 3)
    unrollable("step", options, steps)
    _, output = demo_output(options, steps, words)
    title = f"{options.model.upper()}, {steps} steps"
    return mg.steps(mean_square(output), level=options.level, title=title)


def _read(path: str) -> bytes:
    """A file's bytes; DataError if it cannot be read."""
    try:
        size = os.path.getsize(path)
        if size > LARGEST:
            raise OSError(f"the file is too large: {size:,} bytes")
        with open(path, "rb") as file:
            return file.read(LARGEST + 1)
    except OSError as error:
        raise DataError(
            f"step: {clean(path, 120)} cannot be read",
            expect="a file that Steps.to_json, or .save, wrote",
            actual=clean(error.strerror or str(error), 120),
            hint="check the path",
        ) from None
