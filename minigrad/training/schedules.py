"""Learning-rate schedules: from the step's number to a factor on the learning rate.

    schedule = warmup(100, cosine(1000))       # Trainer(..., schedule=schedule)

A schedule is any callable: schedule(step) -> factor, with step 0 for the first step.

Read next: `progress.py`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minigrad.engine.calls import checked_call, checked_methods
from minigrad.engine.errors import ArgumentError, one_of

Schedule = Callable[[int], float]


@checked_call
def constant(factor: float = 1.0) -> Schedule:
    """The same factor at every step."""
    return lambda step: factor


@checked_call
def linear(total: int, last: float = 0.0) -> Schedule:
    """From 1 at step 0 in a straight line to `last` at step `total`, then constant."""
    _count("linear", "total", total)
    return lambda step: 1 + (last - 1) * min(step / total, 1.0)


@checked_call
def cosine(total: int, last: float = 0.0) -> Schedule:
    """Half a cosine wave from 1 at step 0 to `last` at step `total`, then constant.

    Source: Loshchilov & Hutter 2017, "SGDR: stochastic gradient descent with warm
    restarts", eq. 5, without restarts.
    """
    _count("cosine", "total", total)

    def factor(step: int) -> float:
        done = min(step / total, 1.0)
        return last + (1 - last) * 0.5 * (1 + math.cos(math.pi * done))

    return factor


@checked_call
def exponential(half_life: float) -> Schedule:
    """Half as large every `half_life` steps."""
    _count("exponential", "half_life", half_life)
    return lambda step: 0.5 ** (step / half_life)


@checked_call
def inverse_root(offset: int = 1) -> Schedule:
    """1 until step `offset`, then sqrt(offset / step): Vaswani et al. 2017, eq. 3."""
    _count("inverse_root", "offset", offset)
    return lambda step: math.sqrt(offset / max(step, offset))


@checked_call
def steps(borders: Sequence[int], factor: float = 0.1) -> Schedule:
    """Multiplied by `factor` at each of the borders, which are step numbers."""
    return lambda step: factor ** sum(step >= border for border in borders)


@checked_call
def warmup(count: int, then: Schedule | None = None) -> Schedule:
    """Rises in a straight line over `count` steps, up to 1; then goes on as `then`.

    The first step's factor is 1 / count; `then` counts from its own step 0.
    """
    _count("warmup", "count", count)
    later = then or constant()
    return lambda step: (step + 1) / count if step < count else later(step - count)


@checked_methods
class Plateau:
    """Multiplies the learning rate when a validation figure has stopped to improve.

    metric    its name in `report.metrics`
    factor    what the rate is multiplied by
    patience  after how many epochs without an improvement
    better    "lower" or "higher"
    smallest  the factor does not fall below this
    """

    @checked_call
    def __init__(
        self,
        metric: str = "loss",
        factor: float = 0.5,
        patience: int = 2,
        better: str = "lower",
        smallest: float = 1e-3,
    ) -> None:
        one_of("better", better, ("lower", "higher"))
        if not 0 < factor < 1:
            raise ArgumentError(
                f"Plateau(factor={factor!r}): the rate would not fall",
                expect="0 < factor < 1",
                actual=repr(factor),
                hint="factor=0.5",
            )
        self.metric, self.factor, self.patience = metric, factor, patience
        self.sign = 1.0 if better == "lower" else -1.0
        self.smallest = smallest
        self.now, self.best, self.waited = 1.0, math.inf, 0

    def __call__(self, step: int) -> float:
        return self.now

    def on_epoch(self, report: Any) -> None:
        """Look at an epoch's figures."""
        if self.metric not in report.metrics:
            raise ArgumentError(
                f"Plateau(metric={self.metric!r}): validation gives no such figure",
                expect=", ".join(report.metrics) or "validate=..., which gives figures",
                actual=repr(self.metric),
                hint="watch one of these",
            )
        value = self.sign * report.metrics[self.metric]
        if value < self.best:
            self.best, self.waited = value, 0
            return
        self.waited += 1
        if self.waited > self.patience:
            self.now, self.waited = max(self.now * self.factor, self.smallest), 0

    def state_dict(self) -> dict[str, Any]:
        """What a resumed run needs."""
        return {"now": self.now, "best": self.best, "waited": self.waited}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a saved state."""
        self.now, self.best = float(state["now"]), float(state["best"])
        self.waited = int(state["waited"])


def _count(call: str, name: str, value: float) -> None:
    real = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
    if not real or not value > 0:
        raise ArgumentError(
            f"{call}({name}={value!r}): not a number of steps",
            expect=f"{name} > 0",
            actual=repr(value),
            hint="count optimiser steps: epochs * len(batches)",
        )
