"""`minigrad draw rnn|lstm|gru`: draws an unrolled network; no Python code is needed.

Read next: `demo_network.py`.
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
from minigrad.engine.errors import ArgumentError, one_of
from minigrad.reading.plain_letters import is_unicode

HELP = "draw an unrolled RNN, LSTM or GRU"
EXAMPLE = "minigrad draw lstm --steps 5 --level gate -o lstm.svg"
LEVELS = ("cell", "gate", "op")


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this command to the parser."""
    parser.add_argument("model", choices=KINDS, help="the cell")
    add = network_arguments(parser).add_argument
    add("--steps", type=int, metavar="T", help="time steps (5, or one per word)")
    add("--sentence", metavar="WORDS", help="the words to read, one per step")
    add = parser.add_argument_group("the picture").add_argument
    add(
        "-o", "--output", metavar="FILE", help="svg, png, pdf, html or dot (prints DOT)"
    )
    add(
        "--frames",
        metavar="FOLDER",
        help="one picture per step, for slides; FILE.pdf: all in one PDF",
    )
    add(
        "--form",
        choices=("svg", "png", "pdf"),
        default="svg",
        help="what the frames are (svg)",
    )
    add(
        "--level",
        choices=LEVELS,
        default="gate",
        help="one box per step, gate or operation (gate)",
    )
    add("--values", action="store_true", help="show numbers and heat maps in boxes")
    add("--gradients", action="store_true", help="show how large each gradient is")
    add("--backward", action="store_true", help="also draw the backward pass")
    add("--theme", choices=("light", "dark"), default="light", help="colours (light)")
    add("--fold", action="store_true", help="draw the cell once, its states as loops")
    add("--max-steps", type=int, default=10, metavar="N",
        help="steps to draw; more: the middle is left out (10)")  # fmt: skip
    add("--wrap", type=int, metavar="N", help="rows of N steps, for slides and pages")
    add("--width", type=float, metavar="PIXELS",
        help="rows of as many steps as fit this width")  # fmt: skip
    add("--timeout", type=float, metavar="S", help="seconds before dot is stopped (60)")


def run(options: argparse.Namespace) -> None:
    """Make the network, run it once, draw it."""
    words, steps = words_and_steps("draw", options, 5)
    unrollable("draw", options, steps)
    _check_files(options, steps)
    drawing = mg.draw(
        _drawn(options, steps, words),
        level=options.level,
        values=options.values,
        gradients=options.gradients,
        max_steps=options.max_steps,
        words=words or None,
        fold=options.fold,
        wrap=options.wrap,
        width=options.width,
        theme=options.theme,
        timeout=options.timeout,
        title=f"{options.model.upper()}, {steps} steps",
    )
    if options.frames:
        made = drawing.frames(options.frames, options.form)
        sys.stdout.write(f"{options.frames}: {_count(made)}\n")
    if options.output is None:
        if not options.frames:
            sys.stdout.write(_encodable(drawing.dot))
        return
    drawing.save(options.output)
    size = os.path.getsize(options.output)
    sys.stdout.write(f"{options.output}: {drawing.counts}, {size / 1000:.0f} kB\n")


def _count(made: list[str]) -> str:
    """What was written: frames, or one file of them."""
    return f"{len(made)} frames" if len(made) != 1 else "all frames"


def _encodable(dot: str) -> str:
    """DOT text for standard output: Graphviz takes it for UTF-8, and reads "&#1084;"
    where the output is in another encoding."""
    if is_unicode(sys.stdout):
        return dot
    return dot.encode("ascii", "xmlcharrefreplace").decode()


def _check_files(options: argparse.Namespace, steps: int) -> None:
    """Raise ArgumentError before any work if the picture cannot be drawn or written."""
    from minigrad.drawing.drawing import LARGEST
    from minigrad.drawing.write.picture_files import FORMATS

    ending = os.path.splitext(options.output or "x.dot")[1].removeprefix(".").lower()
    one_of("ending", ending, FORMATS)
    if min(steps, options.max_steps) > LARGEST and (ending != "dot" or options.frames):
        raise ArgumentError(
            f"draw: {min(steps, options.max_steps)} steps are too many for one picture",
            expect=f"at most {LARGEST} boxes",
            actual=f"--steps {steps} --max-steps {options.max_steps}",
            hint="--max-steps 10 leaves out the middle; a .dot file may have any size",
        )


def _drawn(options: argparse.Namespace, steps: int, words: list[str]) -> Any:
    """What is drawn: the outputs, a loss of them, or its recorded gradients."""
    model, output = demo_output(options, steps, words)
    if options.backward:
        parameters = list(model.parameters())
        return list(mg.grad(mean_square(output), parameters, create_graph=True))
    return mean_square(output) if options.gradients else output
