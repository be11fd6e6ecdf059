"""The base class of a lab task: its sequences, its error, and when it counts as solved.

Read next: `summed_pairs.py`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

import minigrad as mg
from minigrad.engine.errors import ArgumentError
from minigrad.engine.tensor import Tensor
from minigrad.nn.losses import mse


class Sequences(NamedTuple):
    """Some sequences with what is to be said about them.

    x        (T, B, D) float32
    target   what `LongLagTask.loss` takes: (B, K) at the end, or (T, B, ...) per step
    lengths  (B,) where sequences end at different steps, or None; x is padded to the
             longest that can be, so that few shapes come
    fresh    (B,) booleans: where the state that was carried over does not count
    first    the step, counted from 0, from which on something has to be remembered
    """

    x: np.ndarray
    target: np.ndarray
    lengths: np.ndarray | None = None
    first: int = 0
    fresh: np.ndarray | None = None


class Recent(NamedTuple):
    """The latest training sequences, `LongLagTask.in_a_row` of them or fewer.

    right  (n,) was each one right?   errors  (n,) its error
    """

    right: np.ndarray
    errors: np.ndarray


class LongLagTask:
    """What differs between the tasks of the papers. A subclass says all of it.

    name, help, source    for the command and its page
    inputs, outputs       numbers per step, and numbers to say
    squash                are the outputs sigmoids (the papers'), or logits?
    at_end                is there one answer, at a sequence's end, or one per step?
    lag                   the paper's own lag; None: the task has no such number
    reach                 where there is no lag: for how many steps gates keep at first
    least                 the smallest lag for which the rules make sense
    in_a_row              how many recent sequences the criterion looks at
    tolerance             largest absolute error of a sequence that is right
    most                  training sequences until a run gives up
    blocks, cells_per_block, input_bias, output_bias, scale    the net of the paper
    hidden, lr, batch     ours, for all cells
    rules                 what the paper says of its sequences and its criterion
    deviations            where we depart from it
    carry                 does the state go on from batch to batch?
    last_right            (B,) whether the batch before was right, in the same epoch
    brief                 True: `test` may read less, as the run is not at its end
    tests_itself          is the criterion asked of `test`, every `in_a_row` sequences?
    """

    name = ""
    help = ""
    source = ""
    inputs = 1
    outputs = 1
    squash = True
    at_end = True
    lag: int | None = 100
    reach = 30
    least = 10
    in_a_row = 2000
    tolerance = 0.04
    most = 100_000
    blocks, cells_per_block = 2, 2
    input_bias: Any = 0.0
    output_bias: Any = 0.0
    scale = 0.1
    cell_bias = True
    output_has_bias = True
    outputs_see_inputs = False
    hidden, lr, batch = 16, 1e-2, 20
    rules: tuple[str, ...] = ()
    deviations: tuple[str, ...] = ()
    carry = False
    last_right: np.ndarray | None = None
    brief = False
    tests_itself = False
    units = "mean squared error"

    def sequences(self, rng: np.random.Generator, lag: int, count: int) -> Sequences:
        """So many new sequences, by the paper's rules."""
        raise NotImplementedError

    def loss(self, output: Tensor, made: Sequences) -> Tensor:
        """The error that is learned from: a scalar."""
        return mse(output, made.target)

    def late_loss(self, output: Tensor, made: Sequences) -> Tensor:
        """The part of the loss that is farthest from what it depends on."""
        return self.loss(output, made)

    def errors(self, output: np.ndarray, made: Sequences) -> np.ndarray:
        """The largest absolute error of each sequence, (B,): by NumPy alone."""
        return np.abs(output - made.target).max(axis=-1)

    def right(self, output: np.ndarray, made: Sequences) -> np.ndarray:
        """Is each sequence processed correctly? (B,) booleans."""
        return self.errors(output, made) < self.tolerance

    def baseline(self, lag: int) -> float:
        """The loss of the best constant answer."""
        raise NotImplementedError

    def solved(self, recent: Recent, lag: int) -> bool:
        """The stopping criterion, asked after every batch."""
        enough = len(recent.right) >= self.in_a_row
        return enough and bool(recent.right.all())

    def begin(self, rng: np.random.Generator) -> None:
        """Called once before a run: draws what all of it shares."""

    def epoch_begins(self) -> None:
        """Called before each epoch: nothing of the last one is left."""

    def test(self, run: Any, rng: np.random.Generator, lag: int) -> dict[str, float]:
        """Figures on new sequences. `run(made)` gives the outputs as an array."""
        wrong, losses, count = 0, [], 2560
        for _ in range(count // 256):
            made = self.sequences(rng, lag, 256)
            output = run(made)
            wrong += int((~self.right(output, made)).sum())
            losses.append(self.loss(mg.tensor(output), made).item())
        return {"wrong": wrong, "of": count, "loss": float(np.mean(losses))}

    def check_lag(self, lag: int | None) -> int:
        """The lag to use. ArgumentError if it is below the least, or there is none."""
        if self.lag is None:
            if lag is not None:
                raise ArgumentError(
                    f"lab {self.name}: its lag is the grammar's own",
                    expect="no --lags",
                    actual=f"--lags {lag}",
                    hint="leave it out",
                )
            return 0
        if lag is None:
            return self.lag
        if isinstance(lag, bool) or not isinstance(lag, int) or lag < self.least:
            raise ArgumentError(
                f"lab {self.name}: the lag {lag} is too short for its rules",
                expect=f"a whole number, {self.least} or more",
                actual=str(lag),
                hint=f"the paper has {self.lag}",
            )
        return lag


def one_hot(symbols: np.ndarray, count: int) -> np.ndarray:
    """(..., count) float32 with a one at each symbol."""
    return np.eye(count, dtype=np.float32)[symbols]


def drawn_lengths(
    rng: np.random.Generator, lag: int, count: int
) -> tuple[int, np.ndarray]:
    """The longest length that can be, and one for each sequence: (B,) whole numbers.

    They are between the lag and a tenth more, as in the paper of 1997.
    """
    longest = lag + lag // 10
    return longest, rng.integers(lag, longest + 1, count)
