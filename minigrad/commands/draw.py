"""`minigrad draw rnn|lstm|gru`: a picture of an unrolled network, without a program.

Read next: `drawing.py`.
"""

from __future__ import annotations

import argparse
import os
import sys
from typing import Any

from minigrad.engine.errors import ArgumentError, one_of

HELP = "draw an unrolled RNN, LSTM or GRU"
EXAMPLE = "minigrad draw lstm --steps 5 --level gate -o lstm.svg"
LEVELS = ("cell", "gate", "op")
VARIANTS = {  # which variants each model has
    "rnn": ("activation",),
    "lstm": ("peephole", "couple"),
    "gru": ("reset", "update"),
}


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command understands."""
    parser.add_argument("model", choices=tuple(VARIANTS), help="the cell")
    add = network_arguments(parser).add_argument
    add("--steps", type=int, metavar="T", help="time steps (5, or one per word)")
    add("--sentence", metavar="WORDS", help="what is read: names the steps")
    add = parser.add_argument_group("the picture").add_argument
    add(
        "-o", "--output", metavar="FILE", help=".svg .png .pdf .html or .dot; none: DOT"
    )
    add("--frames", metavar="FOLDER", help="a numbered SVG per step, for slides")
    add(
        "--level",
        choices=LEVELS,
        default="gate",
        help="a box per step, gate, operation",
    )
    add("--values", action="store_true", help="numbers and heat maps in the boxes")
    add("--gradients", action="store_true", help="the size of each gradient")
    add("--backward", action="store_true", help="the backward graph above the forward")
    add("--theme", choices=("light", "dark"), default="light", help="the paper")
    add("--max-steps", type=int, default=10, metavar="N",
        help="longer sequences lose their middle (10)")  # fmt: skip
    add("--timeout", type=float, metavar="S", help="seconds until dot is stopped (60)")


def network_arguments(parser: argparse.ArgumentParser) -> Any:
    """The sizes and variants of a network, for any command that makes one: a group."""
    group = parser.add_argument_group("the network")
    add = group.add_argument
    add("--layers", type=int, default=1, metavar="N", help="one above the other")
    add("--bidirectional", action="store_true", help="a second cell, from the end")
    add("--inputs", type=int, default=3, metavar="D", help="input size (3)")
    add("--hidden", type=int, default=4, metavar="H", help="hidden size (4)")
    add("--batch", type=int, default=1, metavar="B", help="sequences at a time (1)")
    add("--activation", choices=("tanh", "relu"), help="rnn: of the state")
    add("--peephole", choices=("current", "previous"), help="lstm: gates see c")
    add("--couple", choices=("forget", "input"), help="lstm: one gate from the other")
    add("--reset", choices=("after", "before"), help="gru: the matmul")
    add("--update", choices=("keep", "take"), help="gru: what z does to the old state")
    add("--seed", type=int, default=0, metavar="N", help="of weights and inputs (0)")
    return group


def run(options: argparse.Namespace) -> None:
    """Make the network, run it once, draw it."""
    words = (options.sentence or "").split()
    if options.sentence is not None and not words:
        raise ArgumentError(
            "--sentence has no words",
            expect="words with spaces between them",
            actual=repr(options.sentence[:60]),
            hint='minigrad draw lstm --sentence "I loved the movie"',
        )
    steps = len(words) or (5 if options.steps is None else options.steps)
    if words and options.steps is not None and options.steps != len(words):
        raise ArgumentError(
            f"--steps {options.steps} and a sentence of {len(words)} words",
            expect="one step per word",
            actual=f"{len(words)} words",
            hint="leave out --steps",
        )
    if steps < 1 or options.batch < 1:
        raise ArgumentError(
            "draw: nothing to unroll",
            expect="--steps and --batch of 1 or more",
            actual=f"--steps {steps} --batch {options.batch}",
            hint="minigrad draw lstm --steps 5",
        )
    from minigrad.drawing import draw
    from minigrad.drawing.drawing import FORMATS, LARGEST
    from minigrad.drawing.write.picture_files import in_folder

    ending = os.path.splitext(options.output or "x.dot")[1].removeprefix(".").lower()
    one_of("ending", ending, FORMATS)  # all that can be refused is refused at once
    for path in filter(
        None, (options.output, options.frames and options.frames + "/x")
    ):
        in_folder(path)
    if min(steps, options.max_steps) > LARGEST and (ending != "dot" or options.frames):
        raise ArgumentError(
            f"draw: {min(steps, options.max_steps)} steps are too many to lay out",
            expect=f"at most {LARGEST} boxes",
            actual=f"--steps {steps} --max-steps {options.max_steps}",
            hint="--max-steps 10 leaves out the middle; a .dot file may have any size",
        )
    output = run_model(options, steps)
    drawing = draw(
        output,
        level=options.level,
        values=options.values,
        gradients=options.gradients,
        max_steps=options.max_steps,
        words=words or None,
        theme=options.theme,
        timeout=options.timeout,
        title=f"{options.model.upper()}, {steps} steps",
    )
    if options.frames:
        made = drawing.frames(options.frames)
        sys.stdout.write(f"{options.frames}: {len(made)} frames\n")
    if options.output is None:
        if not options.frames:
            sys.stdout.write(drawing.dot)
        return
    drawing.save(options.output)
    size = os.path.getsize(options.output)
    sys.stdout.write(f"{options.output}: {drawing.counts}, {size / 1000:.0f} kB\n")


def run_model(options: argparse.Namespace, steps: int) -> Any:
    """The tensor to draw: the outputs, a loss of them, or its recorded gradient.

    options  what `network_arguments` reads; with `gradients` it is a scalar loss
    """
    import minigrad as mg
    from minigrad import models

    given = {}
    for names in VARIANTS.values():
        for name in names:
            value = getattr(options, name)
            if value is None:
                continue
            if name not in VARIANTS[options.model]:
                raise ArgumentError(
                    f"--{name} is no variant of {options.model}",
                    expect=", ".join(f"--{n}" for n in VARIANTS[options.model]),
                    actual=f"--{name} {value}",
                    hint="minigrad draw --help tells which model has which variant",
                )
            given[name] = value
    mg.manual_seed(options.seed)
    make = {"rnn": models.RNN, "lstm": models.LSTM, "gru": models.GRU}[options.model]
    model = make(
        options.inputs,
        options.hidden,
        options.layers,
        bidirectional=options.bidirectional,
        rng=options.seed,
        **given,
    )
    import numpy as np

    rng = np.random.default_rng(options.seed)
    x = rng.standard_normal((steps, options.batch, options.inputs))
    output = model(mg.tensor(x, name="x"))[0]
    if not (options.gradients or options.backward):
        return output
    loss = (output * output).mean()
    if not options.backward:
        return loss
    grads = mg.grad(loss, list(model.parameters()), create_graph=True)
    return list(grads)
