"""Compiled is eager: training steps and random programs, replayed.

Read next: `damaged_files.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import minigrad as mg
from minigrad import models
from minigrad.checking.expressions import draw, run
from minigrad.checking.operations import MINIGRAD
from minigrad.checking.outcome import Effort, Outcome


def compiled_steps(effort: Effort) -> Outcome:
    """Loss and gradients of RNN, LSTM and GRU by mg.compile, against the same step."""
    outcome = Outcome("compiled", "training steps, replayed", 1e-12, "of the largest")
    for number in effort.rounds(3):
        rng = np.random.default_rng((effort.seed, number))
        kind = (models.RNN, models.LSTM, models.GRU)[number % 3]
        T, B, D, H = (int(n) for n in rng.integers(1, [9, 5, 5, 7]))
        model = kind(D, H, rng=rng)

        def step(x: Any, model: Any = model) -> mg.Tensor:
            for p in model.parameters():
                p.grad = None
            loss = (model(x)[0] ** 2.0).mean()
            loss.backward()
            return loss

        inputs = [rng.standard_normal((T, B, D)) for _ in range(4)]
        figure = _difference(step, list(model.parameters()), inputs)
        outcome.measure(figure, f"{kind.__name__}({D}, {H}), {T} steps, batch of {B}")
    return outcome


def compiled_programs(effort: Effort) -> Outcome:
    """Values of random programs by mg.compile, against the same programs."""
    outcome = Outcome("compiled", "random programs, replayed", 1e-12, "relative")
    for number in effort.rounds():
        rng = np.random.default_rng((effort.seed, number, 9))
        made = draw(rng, int(rng.integers(3, 16)))

        def program(*inputs: Any, made: Any = made) -> mg.Tensor:
            given = iter(inputs)
            return run(made, MINIGRAD, lambda _: next(given))[0]

        compiled = mg.compile(program)
        worst = 0.0
        for _ in range(3):  # two calls are traced, the third is replayed
            inputs = [mg.tensor(rng.standard_normal(a.shape)) for a in made.inputs]
            eager = float(program(*inputs))
            size = max(abs(eager), 1.0)
            worst = max(worst, abs(float(compiled(*inputs)) - eager) / size)
        outcome.measure(worst, str(made))
    return outcome


def _difference(
    step: Callable[..., Any],
    parameters: Sequence[mg.Tensor],
    inputs: Sequence[np.ndarray],
) -> float:
    """The largest difference of the loss and of a gradient, relative to its largest."""
    compiled = mg.compile(step)
    worst = 0.0
    for x in inputs:
        found = [
            compiled(x).data,
            *[p.grad.data for p in parameters if p.grad is not None],
        ]
        expected = [
            step(x).data,
            *[p.grad.data for p in parameters if p.grad is not None],
        ]
        for one, other in zip(found, expected, strict=True):
            size = float(np.abs(other).max(initial=0.0)) or 1.0
            worst = max(worst, float(np.abs(one - other).max(initial=0.0)) / size)
    return worst
