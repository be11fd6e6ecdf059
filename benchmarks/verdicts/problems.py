"""The problems whose answer lies `lag` steps back, as batches of sequences.

    x, target = make("bit", lag=20, batch=32, rng=rng, noisy=False)

The sequence has lag + 1 steps, and the answer is asked for after the last one. What
decides it is at step 0, or begins there: a bit; two numbers to be added; two symbols
whose order is asked for. Clean: the second of the two follows soon, and nothing else
happens. Noisy: as in the papers, the second is somewhere in the second half, and there
are other inputs at every step, which have to be told apart from what matters.

Read next: `networks.py`.
"""

import numpy as np

PROBLEMS = ("bit", "adding", "order")
INPUTS = 4  # channels, the same for all, so that one network fits every problem
CLASSES = {"bit": 2, "adding": 0, "order": 4}  # 0: a number


def make(problem, lag, batch, rng, noisy):
    """x (lag + 1, batch, 4) float32; the target, classes (batch,) or (batch, 1)."""
    return {"bit": _bit, "adding": _adding, "order": _order}[problem](
        lag + 1, batch, rng, noisy
    )


def _bit(steps, batch, rng, noisy):
    """One bit at step 0, as -1 or 1. Noisy: normal numbers in the bit's own channel."""
    x = np.zeros((steps, batch, INPUTS), "float32")
    bit = rng.integers(0, 2, batch)
    if noisy:
        x[:, :, 0] = rng.normal(size=(steps, batch))
    x[0, :, 0] = 2 * bit - 1
    x[0, :, 1] = 1
    x[-1, :, 2] = 1
    return x, bit


def _adding(steps, batch, rng, noisy):
    """Two marked numbers in [-1, 1], the first at step 0: their sum.

    Noisy: such numbers at every step, of which only two are marked (Hochreiter &
    Schmidhuber 1997).
    """
    x = np.zeros((steps, batch, INPUTS), "float32")
    numbers = rng.uniform(-1, 1, (steps, batch))
    second = _second(steps, batch, rng, noisy)
    rows = np.arange(batch)
    x[0, :, 1] = x[second, rows, 1] = 1
    x[:, :, 0] = numbers if noisy else numbers * x[:, :, 1]
    x[-1, :, 2] = 1
    return x, (numbers[0] + numbers[second, rows])[:, None].astype("float32")


def _order(steps, batch, rng, noisy):
    """Two symbols of two kinds, the first at step 0: which came in which order, four
    answers (temporal order, Hochreiter & Schmidhuber 1997).

    Noisy: other symbols at all other steps.
    """
    x = np.zeros((steps, batch, INPUTS), "float32")
    rows = np.arange(batch)
    if noisy:
        other = rng.integers(2, INPUTS, (steps, batch))
        np.put_along_axis(x, other[:, :, None], 1, axis=2)
    first, last = rng.integers(0, 2, (2, batch))
    second = _second(steps, batch, rng, noisy)
    for at, symbol in ((0, first), (second, last)):
        x[at, rows] = 0
        x[at, rows, symbol] = 1
    return x, 2 * first + last


def _second(steps, batch, rng, noisy):
    """The step of the second event: 1, 2 or 3, or somewhere in the second half."""
    low, high = (steps // 2, steps) if noisy else (1, 4)
    return rng.integers(max(1, low), high, batch)
