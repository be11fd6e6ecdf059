"""The temporal order problems 6a and 6b of 1997: which symbol came first?

Read next: `copy_memory.py`.
"""

from __future__ import annotations

import numpy as np

from minigrad.lab.long_lag_task import (
    LongLagTask,
    Recent,
    Sequences,
    drawn_lengths,
    one_hot,
)

SYMBOLS = "EBabcdXY"  # the start, the end, distractors, and what matters
_SAME = (
    "With another lag than 100 the places move in proportion (Pascanu et al. 2013).",
    "The whole gradient is used, by Adam with a falling learning rate, in batches; the "
    "paper has a truncated gradient and one sequence at a time.",
)


class _TemporalOrder(LongLagTask):
    """Symbols X or Y at some places, of which the order is to be told."""

    inputs = len(SYMBOLS)
    tolerance = 0.3
    least = 20
    places: tuple[tuple[int, int], ...] = ()  # for a lag of 100

    def sequences(self, rng: np.random.Generator, lag: int, count: int) -> Sequences:
        steps, lengths = drawn_lengths(rng, lag, count)
        symbols = rng.integers(2, 6, (steps, count))
        rows = np.arange(count)
        symbols[0] = 0
        symbols[lengths - 1, rows] = 1
        answer = np.zeros(count, int)
        for low, high in self.places:
            at = rng.integers(low * lag // 100, high * lag // 100 + 1, count)
            chosen = rng.integers(0, 2, count)
            symbols[at, rows] = 6 + chosen
            answer = 2 * answer + chosen
        x, target = one_hot(symbols, self.inputs), one_hot(answer, self.outputs)
        return Sequences(x, target, lengths)

    def baseline(self, lag: int) -> float:
        """The squared error of saying 1/K for each of the K classes."""
        k = self.outputs
        return (1 / k) * (1 - 1 / k)

    def solved(self, recent: Recent, lag: int) -> bool:
        return super().solved(recent, lag) and float(recent.errors.mean()) < 0.1


class TemporalOrder6a(_TemporalOrder):
    """Experiment 6a: two symbols, four classes."""

    name = "temporal-order-6a"
    help = "tell the order of two symbols far apart"
    source = "Hochreiter & Schmidhuber 1997, experiment 6a"
    outputs = 4
    most = 31_390
    blocks, cells_per_block = 2, 2
    input_bias = (-2.0, -4.0)
    places = ((10, 20), (50, 60))
    rules = (
        "A sequence of 100 to 110 symbols starts with E and ends with B; between them "
        "are random symbols from a, b, c, d, but X or Y at one of the steps 10 to 20 "
        "and at one of the steps 50 to 60.",
        "At the end the class is said: XX, XY, YX or YY, one output for each.",
        "Right: all outputs have an error below 0.3. Solved: the last 2,000 training "
        "sequences were right, and their mean error was below 0.1.",
    )
    deviations = _SAME


class TemporalOrder6b(_TemporalOrder):
    """Experiment 6b: three symbols, eight classes."""

    name = "temporal-order-6b"
    help = "tell the order of three symbols far apart"
    source = "Hochreiter & Schmidhuber 1997, experiment 6b"
    outputs = 8
    most = 571_100
    blocks, cells_per_block = 3, 2
    input_bias = (-2.0, -4.0, -6.0)
    places = ((10, 20), (33, 43), (66, 76))
    rules = (
        "As 6a, with three symbols X or Y: at steps 10 to 20, 33 to 43 and 66 to 76.",
        "At the end one of eight classes is said, one output for each.",
        "Right and solved: as in 6a.",
    )
    deviations = _SAME
