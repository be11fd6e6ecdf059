"""The continual embedded Reber grammar: a stream of strings without end.

Read next: `lab_nets.py`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import minigrad as mg
from minigrad.engine.tensor import Tensor
from minigrad.lab.long_lag_task import Sequences, one_hot
from minigrad.lab.reber_grammar import (
    ReberTask,
    allowed,
    embedded_string,
    most_active,
    numbers_of,
)
from minigrad.nn.losses import mse

CHUNK = 60  # symbols of a stream between two updates
EARLY = 100  # symbols after which the states are looked at first
PIECE = 2000  # symbols of a test stream that are read in one go


class ContinualReber(ReberTask):
    """Gers et al. 2000: strings one after the other, and no one says where one ends."""

    name = "continual-reber"
    help = "predict the embedded Reber grammar in an endless stream"
    source = "Gers, Schmidhuber & Cummins 2000, section 4"
    carry = True
    most = 80_000
    hidden, lr, batch = 32, 1e-2, 16
    blocks, cells_per_block = 4, 2
    input_bias = (-0.5, -1.0, -1.5, -2.0)
    output_bias = (-0.5, -1.0, -1.5, -2.0)
    output_has_bias = True
    outputs_see_inputs = True
    streams, longest = 10, 100_000
    rules = (
        "Strings of the embedded Reber grammar follow each other without a sign of "
        "where one ends; the state is never set back.",
        "Right: at every step the symbols that may follow are the most active outputs.",
        "Measured: on ten new streams of 100,000 symbols, the symbols until the first "
        "mistake. A stream without one is perfect. Reading ends when each stream has "
        "had a mistake, but not before 2,000 symbols.",
        f"Solved: the last 2,000 stretches, {2000 * CHUNK:,} symbols, were right (our "
        "criterion).",
    )
    deviations = (
        f"Sixteen streams at once; an update every {CHUNK} symbols by Adam with a "
        "falling rate, and the state goes on. A stream ends with a stretch in which "
        "there was a mistake, after 1,920 symbols at the latest, and a new one begins "
        "with a fresh state. The paper learns from one stream, ends it at the mistake "
        "itself, and updates at every symbol by a truncated gradient.",
        "lstm and noforget have 32 cells with gates of their own. lstm1997 and "
        "lstm2000 are the paper's nets of 4 blocks of 2 cells.",
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

    def test(self, run: Any, rng: np.random.Generator, lag: int) -> dict[str, float]:
        """Streams without a mistake, symbols until the first, and how c grew.

        Reading ends when every stream has had a mistake, but not before PIECE symbols.
        """
        waiting: list[list[Any]] = [[] for _ in range(self.streams)]
        longest = min(PIECE, self.longest) if self.brief else self.longest
        first = np.full(self.streams, longest)
        state, read, losses, sizes = None, 0, [], {}
        least = min(PIECE, longest)
        while read < least or (read < longest and (first > read).any()):
            steps = EARLY if read == 0 else PIECE - read % PIECE
            steps = min(steps, longest - read)
            made = self.stretch(waiting, rng, steps)
            output, state = run(made, state=state, carry=True)
            may = made.target[..., self.outputs :] > 0.5
            wrong = ~most_active(output, may)
            here = np.where(wrong.any(axis=0), read + wrong.argmax(axis=0), first)
            first, read = np.minimum(first, here), read + steps
            losses.append(self.loss(mg.tensor(output), made).item() * steps)
            kept = state[1] if isinstance(state, tuple) else state
            sizes[read] = float(np.abs(kept.data).mean())
        return {
            "perfect": int((first == longest).sum()),
            "of": self.streams,
            "wrong": int((first < longest).sum()),
            "symbols": float(first.mean()),
            "read": read,
            "loss": sum(losses) / read,
            "state early": sizes[min(sizes)],
            "state at the end": sizes[read],
        }
