"""The continual embedded Reber grammar: a stream of strings without end.

Read next: `lab_nets.py`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import minigrad as mg
from minigrad.engine.tensor import Tensor
from minigrad.lab.long_lag_task import Recent, Sequences, one_hot
from minigrad.lab.reber_grammar import (
    ReberTask,
    allowed,
    embedded_string,
    most_active,
    numbers_of,
)
from minigrad.nn.losses import mse

CHUNK = 60  # symbols of a stream between two updates


class ContinualReber(ReberTask):
    """Gers et al. 2000: strings one after the other, and no one says where one ends."""

    name = "continual-reber"
    help = "the same in an endless stream, without resets"
    source = "Gers, Schmidhuber & Cummins 2000, section 4"
    carry = True
    most = 40_000
    in_a_row = 1
    hidden, lr, batch = 16, 1e-2, 4
    blocks, cells_per_block = 4, 2
    input_bias = (-0.5, -1.0, -1.5, -2.0)
    output_bias = (-0.5, -1.0, -1.5, -2.0)
    output_has_bias = True
    outputs_see_inputs = True
    streams, longest = 10, 2000
    rules = (
        "Strings of the embedded Reber grammar follow each other without a sign of "
        "where one ends; the state is never set back.",
        "Right: at every step the symbols that may follow are the most active outputs.",
        "Measured: on ten new streams, the symbols until the first mistake. A stream "
        "without one counts as perfect. The paper reads 100,000 symbols of each, this "
        "lab 2,000.",
    )
    deviations = (
        f"Four streams at once; an update every {CHUNK} symbols by Adam, and the state "
        "goes on. A stream ends with a stretch in which there was a mistake, after "
        "1,920 symbols at the latest, and a new one begins with a fresh state. The "
        "paper learns from one stream, ends it at the mistake itself, and updates at "
        "every symbol by a truncated gradient.",
        "A `sequence` is one stretch of a stream.",
    )

    def __init__(self) -> None:
        self.waiting: list[list[Any]] = []

    def sequences(self, rng: np.random.Generator, lag: int, count: int) -> Sequences:
        """The next stretch of each stream; call it with the same count each time.

        A stream in which there was a mistake (`last_right`) begins anew, with a fresh
        string and a fresh state.
        """
        if len(self.waiting) != count:
            self.waiting = [[] for _ in range(count)]
        right = self.last_right
        fresh = np.zeros(count, bool) if right is None else ~right
        for k in np.flatnonzero(fresh):
            self.waiting[k] = []
        return self.stretch(self.waiting, rng, CHUNK)._replace(fresh=fresh)

    def epoch_begins(self) -> None:
        """The streams end, and new ones begin."""
        self.waiting = []

    def stretch(
        self, waiting: list[list[Any]], rng: np.random.Generator, steps: int
    ) -> Sequences:
        """So many steps of each stream: `waiting` holds what was drawn and not read."""
        taken: list[list[np.ndarray]] = []
        for stream in waiting:
            while len(stream) < steps + 1:
                symbols, follow = embedded_string(rng)
                follow[-1] = {"B"}
                stream.extend(zip(numbers_of(symbols), allowed(follow), strict=True))
            pairs = zip(*stream[: steps + 1], strict=True)
            taken.append([np.array(part) for part in pairs])
            del stream[:steps]
        read = np.stack([part[0] for part in taken], axis=1)
        may = np.stack([part[1] for part in taken], axis=1)[:-1]
        target = np.concatenate([one_hot(read[1:], self.outputs), may], axis=-1)
        return Sequences(one_hot(read[:-1], self.inputs), target.astype(np.float32))

    def loss(self, output: Tensor, made: Sequences) -> Tensor:
        return mse(output, made.target[..., : self.outputs])

    def late_loss(self, output: Tensor, made: Sequences) -> Tensor:
        return mse(output[-1], made.target[-1, :, : self.outputs])

    def errors(self, output: np.ndarray, made: Sequences) -> np.ndarray:
        return np.abs(output - made.target[..., : self.outputs]).mean(axis=(0, 2))

    def right(self, output: np.ndarray, made: Sequences) -> np.ndarray:
        may = made.target[..., self.outputs :] > 0.5
        return np.asarray(most_active(output, may).all(axis=0))

    def solved(self, recent: Recent, lag: int) -> bool:
        return False  # the paper's runs, too, end by their length

    def test(self, run: Any, rng: np.random.Generator, lag: int) -> dict[str, float]:
        """Streams without a mistake, symbols until the first, and how c grew."""
        waiting: list[list[Any]] = [[] for _ in range(self.streams)]
        made = self.stretch(waiting, rng, self.longest)
        output, sizes = run(made, states=True)
        may = made.target[..., self.outputs :] > 0.5
        wrong = ~most_active(output, may)
        first = np.where(wrong.any(axis=0), wrong.argmax(axis=0), self.longest)
        found = {
            "perfect": int((first == self.longest).sum()),
            "of": self.streams,
            "wrong": int((first < self.longest).sum()),
            "symbols": float(first.mean()),
            "loss": self.loss(mg.tensor(output), made).item(),
        }
        if sizes is not None:
            found["state at 100"] = float(sizes[100])
            found["state at the end"] = float(sizes[-1])
        return found
