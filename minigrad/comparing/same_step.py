"""What is timed: the gradients of all weights, for the sum of all outputs of a layer.

Everyone gets the same input and weights, laid out as minigrad's cells have them: W_x
(D, G*H), W_h (H, G*H), b (G*H,), and for a GRU b_h (H,), in float32.

Read next: `rivals_numpy.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

import minigrad as mg
from minigrad.models import GRU, LSTM, RNN

Array = np.ndarray
Gradients = dict[str, Array]
Step = Callable[[], Any]  # one training step without the update
KINDS = {"LSTM": LSTM, "GRU": GRU, "RNN": RNN}
GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}


class Size(NamedTuple):
    """Steps, sequences in the batch, numbers per step, units."""

    T: int
    B: int
    D: int
    H: int


SIZES = {
    "1x16": Size(50, 1, 16, 16),
    "8x32": Size(50, 8, 32, 32),
    "S": Size(50, 16, 32, 64),
    "M": Size(100, 32, 128, 128),
    "L": Size(50, 64, 256, 512),
}


class Problem(NamedTuple):
    """What everyone is given.

    x        (T, B, D)
    weights  by name, as minigrad's cells have them
    """

    kind: str
    size: Size
    x: Array
    weights: Gradients


class Runner(NamedTuple):
    """One way to do it: a step to be timed, what it computed, and the bytes that it
    keeps from step to step, if they are known."""

    step: Step
    gradients: Callable[[], Gradients]
    kept: Callable[[], int] = lambda: 0


def problem(kind: str, size: Size, seed: int = 0) -> Problem:
    """Random input and weights for a kind of layer."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(size[:3]).astype("float32")
    model = KINDS[kind](size.D, size.H, dtype="float32", rng=rng)
    weights = {name: np.array(p.data) for name, p in named(model).items()}
    return Problem(kind, size, x, weights)


def named(model: Any) -> dict[str, Any]:
    """The weights of a layer by their names in its cell."""
    return {name.rpartition(".")[2]: p for name, p in model.named_parameters()}


def model_of(given: Problem) -> Any:
    """minigrad's layer with these weights."""
    size = given.size
    model = KINDS[given.kind](size.D, size.H, dtype="float32")
    for name, p in named(model).items():
        p.data = given.weights[name]
    return model


def eager(given: Problem) -> Runner:
    """minigrad as it is: recorded and differentiated anew in every step."""
    model, x = model_of(given), mg.tensor(given.x)

    def step() -> None:
        model.zero_grad()
        output, _ = model(x)
        output.sum().backward()

    return Runner(step, lambda: {n: p.grad.data for n, p in named(model).items()})


def compiled(given: Problem) -> Runner:
    """The same step through `mg.compile`."""
    model, x = model_of(given), mg.tensor(given.x)

    def step(x: Any) -> None:
        model.zero_grad()
        output, _ = model(x)
        output.sum().backward()

    replayed = mg.compile(step)
    return Runner(
        lambda: replayed(x),
        lambda: {n: p.grad.data for n, p in named(model).items()},
        lambda: sum(report.memory for report in replayed.explain()),
    )
