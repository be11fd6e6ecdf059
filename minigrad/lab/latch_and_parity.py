"""The two-sequence (latch) problem and parity: one bit kept, or one bit turned over.

Read next: `reber_grammar.py`.
"""

from __future__ import annotations

import numpy as np

from minigrad.lab.long_lag_task import LongLagTask, Sequences, drawn_lengths

_BATCHES = (
    "The whole gradient is used, by Adam with a falling learning rate, in batches.",
)


class TwoSequence(LongLagTask):
    """Experiment 3a: which of two beginnings did the sequence have?"""

    name = "two-sequence"
    help = "which of two beginnings had a long noisy sequence (latch)"
    source = "Hochreiter & Schmidhuber 1997, experiment 3a; Bengio et al. 1994"
    inputs, outputs = 1, 1
    least = 10
    most = 27_380
    tolerance = 0.2
    in_a_row = 256
    blocks, cells_per_block = 3, 1
    input_bias, output_bias = (-1.0, -3.0, -5.0), (-2.0, -4.0, -6.0)
    output_has_bias = False
    rules = (
        "A sequence has T to T + T/10 numbers. The first N = 3 are 1 in class 1 and -1 "
        "in class 2; all later ones are Gaussian noise with mean 0 and variance 0.2.",
        "The target at the end is 1 for class 1 and 0 for class 2.",
        "Right: an absolute error below 0.2. Solved: none of the last 256 sequences "
        "was wrong (the paper asks this of 256 random test sequences, ST1).",
    )
    deviations = _BATCHES
    informing = 3  # the paper's N

    def sequences(self, rng: np.random.Generator, lag: int, count: int) -> Sequences:
        steps, lengths = drawn_lengths(rng, lag, count)
        one = rng.integers(0, 2, count)
        x = rng.normal(0, np.sqrt(0.2), (steps, count))
        x[: self.informing] = 2 * one - 1
        target = one[:, None].astype(np.float32)
        return Sequences(x[..., None].astype(np.float32), target, lengths)

    def baseline(self, lag: int) -> float:
        return 0.25


class Parity(LongLagTask):
    """Parity: is the number of ones in a long sequence odd?"""

    name = "parity"
    help = "is the number of ones in a sequence odd or even"
    source = "Bengio, Simard & Frasconi 1994; Hochreiter & Schmidhuber 1996"
    inputs, outputs = 1, 1
    least = 2
    most = 100_000
    tolerance = 0.3
    blocks, cells_per_block = 2, 2
    rules = (
        "A sequence has T to T + T/10 numbers, each 1 or -1 by a fair coin.",
        "The target at the end is 1 if the number of ones is odd, else 0.",
        "Right: an absolute error below 0.3. Solved: the last 2,000 sequences right "
        "(our criterion).",
        "Random guessing of weights solves parity faster than any gradient does: the "
        "paper of 1997 says so, and leaves it out for that reason.",
    )
    deviations = _BATCHES

    def sequences(self, rng: np.random.Generator, lag: int, count: int) -> Sequences:
        steps, lengths = drawn_lengths(rng, lag, count)
        ones = rng.integers(0, 2, (steps, count))
        read = np.where(np.arange(steps)[:, None] < lengths, ones, 0)
        target = (read.sum(axis=0) % 2)[:, None].astype(np.float32)
        return Sequences((2 * ones - 1)[..., None].astype(np.float32), target, lengths)

    def baseline(self, lag: int) -> float:
        return 0.25
