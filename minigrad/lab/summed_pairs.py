"""The adding and the multiplication problem of 1997: two marked numbers of many.

Read next: `temporal_order.py`.
"""

from __future__ import annotations

import numpy as np

from minigrad.lab.long_lag_task import (
    LongLagTask,
    Recent,
    Sequences,
    drawn_lengths,
)

_COMMON = (
    "A sequence has T to T + T/10 steps of two numbers: a random value and a mark.",
    "One of the first ten steps is marked by 1, then one of the first T/2 - 1 that are "
    "not yet marked; the first and the last step have the mark -1, all others 0.",
)
_SAME = (
    "The whole gradient is used, by Adam with a falling learning rate, in batches; the "
    "paper has a truncated gradient and one sequence at a time.",
)


class _MarkedPair(LongLagTask):
    """What the two problems share: values, marks, and where the marks may be."""

    inputs = 2
    least = 20
    blocks, cells_per_block = 2, 2
    input_bias = (-3.0, -6.0)
    neutral = 0.0  # what the first value counts as where the first step is marked
    low = -1.0

    def combined(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """The target from the two marked values, (B,)."""
        raise NotImplementedError

    def sequences(self, rng: np.random.Generator, lag: int, count: int) -> Sequences:
        steps, lengths = drawn_lengths(rng, lag, count)
        values = rng.uniform(self.low, 1, (steps, count))
        marks = np.zeros((steps, count))
        rows = np.arange(count)
        marks[0] = marks[lengths - 1, rows] = -1
        first = rng.integers(0, 10, count)
        second = rng.integers(0, lag // 2 - 2, count)
        second += second >= first  # one of those that are not yet marked
        marks[first, rows] = marks[second, rows] = 1
        # "In the rare case where the first pair of the sequence gets marked"
        values[0, (first == 0) | (second == 0)] = self.neutral
        target = self.combined(values[first, rows], values[second, rows])
        x = np.stack([values, marks], axis=-1).astype(np.float32)
        return Sequences(x, target[:, None].astype(np.float32), lengths)


class Adding(_MarkedPair):
    """Experiment 4: say the sum of the two marked values."""

    name = "adding"
    help = "add the two marked numbers of a long sequence"
    source = "Hochreiter & Schmidhuber 1997, experiment 4"
    most = 74_000
    rules = (
        *_COMMON,
        "Values are uniform in [-1, 1]; the target at the end is 0.5 + (X1 + X2) / 4. "
        "Where the first step is marked, its value is 0.",
        "Right: an absolute error below 0.04. Solved: the last 2,000 training "
        "sequences were right, and their mean error was below 0.01.",
    )
    deviations = _SAME

    def combined(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        return 0.5 + (first + second) / 4

    def baseline(self, lag: int) -> float:
        """1/24: the variance of (X1 + X2) / 4, where the first step is not marked."""
        return 1 / 24

    def solved(self, recent: Recent, lag: int) -> bool:
        return super().solved(recent, lag) and float(recent.errors.mean()) < 0.01


class Multiplication(_MarkedPair):
    """Experiment 5: say the product of the two marked values."""

    name = "multiplication"
    help = "multiply the two marked numbers of a long sequence"
    source = "Hochreiter & Schmidhuber 1997, experiment 5"
    most = 482_000
    neutral, low = 1.0, 0.0
    rules = (
        *_COMMON,
        "Values are uniform in [0, 1]; the target at the end is X1 * X2. Where the "
        "first step is marked, its value is 1.",
        "Right: an absolute error below 0.04. Solved: at most 140 of the last 2,000 "
        "training sequences were wrong (the paper's first criterion).",
    )
    deviations = _SAME

    def combined(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        return first * second

    def baseline(self, lag: int) -> float:
        """7/144: the variance of X1 * X2, where the first step is not marked."""
        return 7 / 144

    def solved(self, recent: Recent, lag: int) -> bool:
        enough = len(recent.right) >= self.in_a_row
        return enough and int((~recent.right).sum()) <= 140
