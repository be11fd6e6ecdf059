"""The copy memory problem: ten symbols, a long wait, and the ten symbols again.

Read next: `latch_and_parity.py`.
"""

from __future__ import annotations

import math

import numpy as np

from minigrad.engine.tensor import Tensor
from minigrad.lab.long_lag_task import LongLagTask, Recent, Sequences, one_hot
from minigrad.nn.losses import cross_entropy

ALPHABET, SYMBOLS = 8, 10
BLANK, MARK = ALPHABET, ALPHABET + 1


class CopyMemory(LongLagTask):
    """Remember ten symbols over a delay, and say them in order when asked."""

    name = "copy-memory"
    help = "repeat ten symbols after a delay"
    source = (
        "Hochreiter & Schmidhuber 1997; as in Arjovsky, Shah & Bengio 2016, section 4.1"
    )
    inputs, outputs = ALPHABET + 2, ALPHABET + 1
    squash, at_end = False, False
    least = 1
    most = 960_000
    hidden, lr, batch = 96, 4e-3, 32
    units = "cross-entropy per step, nats"
    rules = (
        "Ten symbols of an alphabet of 8; blanks; a mark at step T + 9; ten blanks: "
        "T + 20 steps in all.",
        "Blanks are to be said until the mark, then the ten symbols in their order.",
        "The best answer without a memory has 10 ln 8 / (T + 20) nats per step.",
        "Solved: the mean over the last 2,000 training sequences is below a tenth of "
        "that (the papers show curves; this criterion is ours).",
    )
    deviations = ("Adam, in batches; the papers use RMSProp.",)

    def sequences(self, rng: np.random.Generator, lag: int, count: int) -> Sequences:
        symbols = rng.integers(0, ALPHABET, (SYMBOLS, count))
        steps = lag + 2 * SYMBOLS
        read = np.full((steps, count), BLANK)
        read[:SYMBOLS] = symbols
        read[lag + SYMBOLS - 1] = MARK
        said = np.full((steps, count), BLANK)
        said[-SYMBOLS:] = symbols
        return Sequences(one_hot(read, self.inputs), said)

    def loss(self, output: Tensor, made: Sequences) -> Tensor:
        return cross_entropy(output, made.target)

    def late_loss(self, output: Tensor, made: Sequences) -> Tensor:
        return cross_entropy(output[-1], made.target[-1])

    def errors(self, output: np.ndarray, made: Sequences) -> np.ndarray:
        """The cross-entropy per step of each sequence, (B,)."""
        z = output - output.max(axis=-1, keepdims=True)
        right = np.take_along_axis(z, made.target[..., None], axis=-1)[..., 0]
        return (np.log(np.exp(z).sum(axis=-1)) - right).mean(axis=0)

    def right(self, output: np.ndarray, made: Sequences) -> np.ndarray:
        """Are all ten symbols the most likely ones?"""
        said = output[-SYMBOLS:].argmax(axis=-1)
        return (said == made.target[-SYMBOLS:]).all(axis=0)

    def baseline(self, lag: int) -> float:
        return SYMBOLS * math.log(ALPHABET) / (lag + 2 * SYMBOLS)

    def solved(self, recent: Recent, lag: int) -> bool:
        enough = len(recent.errors) >= self.in_a_row
        return enough and float(recent.errors.mean()) < self.baseline(lag) / 10
