"""The embedded Reber grammar: strings whose last symbol but one depends on the second.

Read next: `continual_reber.py`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import minigrad as mg
from minigrad.engine.tensor import Tensor
from minigrad.lab.long_lag_task import LongLagTask, Recent, Sequences, one_hot
from minigrad.nn.losses import mse

SYMBOLS = "BTSXPVE"
# state -> its two exits: (symbol, next state); state 6 has one, and the string ends
GRAMMAR: dict[int, tuple[tuple[str, int], ...]] = {
    0: (("B", 1),),
    1: (("T", 2), ("P", 3)),
    2: (("S", 2), ("X", 4)),
    3: (("T", 3), ("V", 5)),
    4: (("X", 3), ("S", 6)),
    5: (("P", 4), ("V", 6)),
    6: (("E", 7),),
}
STRINGS = 256  # in the training and in the test set
TOGETHER = 16  # strings are padded to a multiple of so many steps: few shapes come


def reber_string(rng: np.random.Generator) -> tuple[list[str], list[set[str]]]:
    """A string of the grammar, and what may follow after each of its symbols."""
    symbols, follow, state = [], [], 0
    while state != 7:
        exits = GRAMMAR[state]
        symbol, state = exits[int(rng.integers(len(exits)))]
        symbols.append(symbol)
        follow.append({s for s, _ in GRAMMAR.get(state, ())})
    return symbols, follow


def embedded_string(rng: np.random.Generator) -> tuple[list[str], list[set[str]]]:
    """B, T or P, a string of the grammar, the same T or P, E; and what may follow."""
    outer = "TP"[int(rng.integers(2))]
    symbols, follow = reber_string(rng)
    follow[-1] = {outer}  # only the second symbol of all says which
    return (
        ["B", outer, *symbols, outer, "E"],
        [{"T", "P"}, {"B"}, *follow, {"E"}, set()],
    )


def numbers_of(symbols: list[str]) -> list[int]:
    return [SYMBOLS.index(symbol) for symbol in symbols]


def allowed(follow: list[set[str]]) -> np.ndarray:
    return np.array([[symbol in may for symbol in SYMBOLS] for may in follow])


class ReberTask(LongLagTask):
    """What the two tasks share: symbols, squared error, what a right prediction is."""

    inputs = outputs = len(SYMBOLS)
    at_end = False
    lag = None
    blocks, cells_per_block = 4, 1
    output_bias = (-1.0, -2.0, -3.0, -4.0)
    scale = 0.2
    cell_bias = False
    output_has_bias = False

    def baseline(self, lag: int) -> float:
        """The squared error of the frequencies of the symbols, whatever was read."""
        rng = np.random.default_rng(0)
        said = np.concatenate(
            [numbers_of(embedded_string(rng)[0])[1:] for _ in range(1000)]
        )
        shares = np.bincount(said, minlength=len(SYMBOLS)) / len(said)
        return float((shares * (1 - shares)).mean())


class EmbeddedReber(ReberTask):
    """Experiment 1: predict the next symbols of strings, the last but one included."""

    name = "embedded-reber"
    help = "predict the symbols of the embedded Reber grammar"
    source = "Hochreiter & Schmidhuber 1997, experiment 1"
    most = 40_000
    in_a_row = 512
    tests_itself = True
    hidden, lr, batch = 16, 1e-2, 4
    rules = (
        "B, then T or P, a string of the Reber grammar, the same T or P again, then E; "
        "where the grammar has two ways, both are equally likely.",
        "256 strings to train on and 256 to test, drawn anew for each seed; the next "
        "symbol is to be predicted at every step.",
        "Right: at every step the symbols that may follow are the most active outputs. "
        "Solved: all strings of both sets are right (asked every 512 sequences).",
    )
    deviations = (
        "The whole gradient is used, by Adam, in batches of 4 strings; the paper has "
        "a truncated gradient and one string at a time.",
    )

    def __init__(self) -> None:
        self.sets: tuple[Sequences, Sequences] | None = None
        self.done = False

    def begin(self, rng: np.random.Generator) -> None:
        """Draw the training set and the test set."""
        train, test = (
            _padded([embedded_string(rng) for _ in range(STRINGS)]) for _ in range(2)
        )
        self.sets = train, test

    def sequences(self, rng: np.random.Generator, lag: int, count: int) -> Sequences:
        if self.sets is None:
            return _padded([embedded_string(rng) for _ in range(count)])
        rows = rng.integers(0, STRINGS, count)
        return _rows(self.sets[0], rows)

    def loss(self, output: Tensor, made: Sequences) -> Tensor:
        return mse(output, made.target[..., : self.outputs], mask=_real(made))

    def late_loss(self, output: Tensor, made: Sequences) -> Tensor:
        assert made.lengths is not None
        steps = np.arange(len(made.x))[:, None]
        outer = steps == made.lengths - 2  # where the second symbol comes again
        return mse(output, made.target[..., : self.outputs], mask=outer)

    def errors(self, output: np.ndarray, made: Sequences) -> np.ndarray:
        """The mean absolute error per symbol of each string, (B,)."""
        real = _real(made)[..., None]
        away = np.abs(output - made.target[..., : self.outputs])
        return np.asarray((away * real).sum((0, 2)) / (real.sum((0, 2)) * self.outputs))

    def right(self, output: np.ndarray, made: Sequences) -> np.ndarray:
        may = made.target[..., self.outputs :] > 0.5
        return (most_active(output, may) | ~_real(made)).all(axis=0)

    def solved(self, recent: Recent, lag: int) -> bool:
        return self.done

    def test(self, run: Any, rng: np.random.Generator, lag: int) -> dict[str, float]:
        assert self.sets is not None
        found: dict[str, float] = {}
        for name, part in zip(("training", "test"), self.sets, strict=True):
            output = run(part)
            found[f"{name} wrong"] = int((~self.right(output, part)).sum())
            found["loss"] = self.loss(mg.tensor(output), part).item()
        found["wrong"] = found["training wrong"] + found["test wrong"]
        found["of"] = 2 * STRINGS
        self.done = found["wrong"] == 0
        return found


def most_active(output: np.ndarray, may: np.ndarray) -> np.ndarray:
    """Are the symbols that may follow (..., K) the most active outputs? (...)."""
    least = np.where(may, output, np.inf).min(axis=-1)
    most = np.where(may, -np.inf, output).max(axis=-1)
    return np.asarray(least > most)


def _padded(strings: list[tuple[list[str], list[set[str]]]]) -> Sequences:
    """Strings side by side, without their last symbol, after which nothing follows."""
    lengths = np.array([len(symbols) - 1 for symbols, _ in strings])
    steps, count = -(-int(lengths.max()) // TOGETHER) * TOGETHER, len(strings)
    x = np.zeros((steps, count, len(SYMBOLS)), np.float32)
    target = np.zeros((steps, count, 2 * len(SYMBOLS)), np.float32)
    for k, (symbols, follow) in enumerate(strings):
        numbers, n = np.array(numbers_of(symbols)), lengths[k]
        x[:n, k] = one_hot(numbers[:-1], len(SYMBOLS))
        target[:n, k, : len(SYMBOLS)] = one_hot(numbers[1:], len(SYMBOLS))
        target[:n, k, len(SYMBOLS) :] = allowed(follow)[:-1]
    return Sequences(x, target, lengths, first=1)


def _rows(part: Sequences, rows: np.ndarray) -> Sequences:
    assert part.lengths is not None
    lengths = part.lengths[rows]
    steps = -(-int(lengths.max()) // TOGETHER) * TOGETHER
    return Sequences(part.x[:steps, rows], part.target[:steps, rows], lengths, 1)


def _real(made: Sequences) -> np.ndarray:
    assert made.lengths is not None
    return np.arange(len(made.x))[:, None] < made.lengths
