"""The small network that several commands run: made, and unrolled over a random input.

    model = demo_model("lstm", inputs=3, hidden=4, seed=0)
    x = demo_input(steps=5, batch=1, inputs=3, seed=0)
    output, state = model(x)

`network_arguments` are its sizes and variants as options of a command.

Read next: `explore.py`.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

import numpy as np

import minigrad as mg
from minigrad.engine.errors import ArgumentError

VARIANTS = {  # which variants each kind of cell has
    "rnn": ("activation",),
    "lstm": ("peephole", "couple"),
    "gru": ("reset", "update"),
}
KINDS = tuple(VARIANTS)


def network_arguments(parser: argparse.ArgumentParser) -> Any:
    """The sizes and variants of a network, for any command that makes one: a group."""
    group = parser.add_argument_group("the network")
    add = group.add_argument
    add("--layers", type=int, default=1, metavar="N", help="layers, stacked (1)")
    add("--bidirectional", action="store_true", help="add a cell from the end")
    add("--inputs", type=int, default=3, metavar="D", help="input size (3)")
    add("--hidden", type=int, default=4, metavar="H", help="hidden size (4)")
    add("--batch", type=int, default=1, metavar="B", help="batch size (1)")
    add("--activation", choices=("tanh", "relu"), help="rnn: activation (tanh)")
    add("--peephole", choices=("current", "previous"), help="lstm: gates also read c")
    add("--couple", choices=("forget", "input"), help="lstm: one is 1 - the other")
    add("--reset", choices=("after", "before"), help="gru: r before matmul?")
    add("--update", choices=("keep", "take"), help="gru: keep h where z is 1?")
    add("--seed", type=int, default=0, metavar="N", help="random seed (0)")
    return group


def demo_model(
    kind: str, inputs: int, hidden: int, layers: int = 1, *, seed: int, **more: Any
) -> Any:
    """An RNN, LSTM or GRU with random weights.

    kind  "rnn", "lstm" or "gru"; `more`: what its class takes besides
    """
    from minigrad import models

    classes = {"rnn": models.RNN, "lstm": models.LSTM, "gru": models.GRU}
    return classes[kind](inputs, hidden, layers, rng=seed, **more)


def demo_input(
    steps: int, batch: int, inputs: int, seed: int, words: Sequence[str] | None = None
) -> Any:
    """A random input (T, B, D), a leaf called x; with words (T of them) one sample, in
    which the same word is the same vector."""
    rng = np.random.default_rng(seed)
    if words:
        vectors = {w: rng.standard_normal(inputs) for w in dict.fromkeys(words)}
        return mg.tensor(np.array([vectors[w] for w in words])[:, None], name="x")
    return mg.tensor(rng.standard_normal((steps, batch, inputs)), name="x")


def words_and_steps(
    command: str, options: argparse.Namespace, usual: int
) -> tuple[list[str], int]:
    """The words of the sentence, if there is one, and the number of steps.

    usual  how many steps there are if neither is given
    Raises ArgumentError if there are no words, or not one for each step.
    """
    words = (options.sentence or "").split()
    if options.sentence is not None and not words:
        raise ArgumentError(
            "--sentence contains no words",
            expect="words with spaces between them",
            actual=repr(options.sentence[:60]),
            hint=f'minigrad {command} lstm --sentence "I loved the movie"',
        )
    if words and options.steps is not None and options.steps != len(words):
        raise ArgumentError(
            f"--steps {options.steps} and a sentence of {len(words)} words",
            expect="one step per word",
            actual=f"{len(words)} words",
            hint="leave out --steps",
        )
    return words, len(words) or (usual if options.steps is None else options.steps)


def demo_output(
    options: argparse.Namespace, steps: int, words: Sequence[str] = ()
) -> tuple[Any, Any]:
    """The network that `network_arguments` describe, and its outputs over `steps`.

    options  what was parsed, with `model`: the kind of cell
    words    what is read: the same word is the same vector
    Raises ArgumentError for a variant that this cell has not.
    """
    mg.manual_seed(options.seed)
    model = demo_model(
        options.model,
        options.inputs,
        options.hidden,
        options.layers,
        seed=options.seed,
        bidirectional=options.bidirectional,
        **_variants(options),
    )
    one = words if options.batch == 1 else None
    x = demo_input(steps, options.batch, options.inputs, options.seed, one)
    return model, model(x)[0]


def mean_square(output: Any) -> Any:
    """A loss of some outputs: a scalar to go backward from."""
    return (output * output).mean()


def _variants(options: argparse.Namespace) -> dict[str, str]:
    """The variants that were asked for; ArgumentError for one of another cell."""
    given = {}
    for name in (name for names in VARIANTS.values() for name in names):
        value = getattr(options, name)
        if value is None:
            continue
        if name not in VARIANTS[options.model]:
            raise ArgumentError(
                f"--{name} is no variant of {options.model}",
                expect=", ".join(f"--{n}" for n in VARIANTS[options.model]),
                actual=f"--{name} {value}",
                hint="minigrad draw --help lists the variants of each model",
            )
        given[name] = value
    return given


def unrollable(command: str, options: argparse.Namespace, steps: int) -> None:
    """ArgumentError if there is no step, or no sample, to unroll the network over."""
    if steps < 1 or options.batch < 1:
        raise ArgumentError(
            f"{command}: there are no steps to run",
            expect="--steps and --batch of 1 or more",
            actual=f"--steps {steps} --batch {options.batch}",
            hint=f"minigrad {command} lstm --steps 5",
        )
