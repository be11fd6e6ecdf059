"""The exercises of lessons 6 to 10: LSTM, GRU, variants, both directions.

Read next: `data_exercises.py`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad import models
from minigrad.lessons.exercises.exercise import Exercise


def _sigmoid(z: Any) -> Any:
    return 1 / (1 + np.exp(-np.asarray(z, float)))


def _sizes(rng: np.random.Generator) -> tuple[int, int]:
    return int(rng.integers(1, 40)), int(rng.integers(2, 60))


def _numbers(model: Any) -> int:
    return sum(p.size for p in model.parameters())


def _gates(rng: np.random.Generator) -> tuple[np.ndarray]:
    return (_sigmoid(rng.standard_normal((int(rng.integers(2, 6)), 3))),)


def _both(rng: np.random.Generator) -> tuple[Any, Any, np.ndarray]:
    one, other = (models.GRUCell(2, 3, rng=int(rng.integers(1000))) for _ in "ab")
    return one, other, rng.standard_normal((4, 2, 2))


def _joined(forward: Any, backward: Any, x: np.ndarray) -> np.ndarray:
    one = models.unroll(forward, x, forward.zero_state(2)).output.data
    other = models.unroll(backward, x, backward.zero_state(2), reverse=True).output.data
    return np.concatenate([one, other], axis=2)


def _not_reversed(forward: Any, backward: Any, x: np.ndarray) -> np.ndarray:
    one = models.unroll(forward, x, forward.zero_state(2)).output.data
    other = models.unroll(backward, x, backward.zero_state(2)).output.data
    return np.concatenate([one, other], axis=2)


def _counts(given: Any, T: int) -> str:
    """Do these gates make an LSTM's memory count its steps?"""
    try:
        f, i, g = (float(value) for value in given)
    except (TypeError, ValueError):
        return "it has to return three numbers: f, i and g"
    if not (0 <= f <= 1 and 0 <= i <= 1 and -1 <= g <= 1):
        return "gates are in [0, 1], and a candidate is in [-1, 1]"
    c = 0.0
    for _ in range(T):
        c = f * c + i * g
    if abs(c - T) < 1e-9:
        return ""
    return f"after {T} steps the memory is {c:.4g}"


def _width(D: int, H: int) -> int:
    """The widest GRU with no more weights than an LSTM of width H."""
    most = 4 * H * (D + H + 1)
    width = 1
    while _gru(D, width + 1) <= most:
        width += 1
    return width


def _gru(D: int, H: int) -> int:
    return 3 * H * (D + H + 1) + H  # b_h: the bias inside r * (h U + b_h)


EXERCISES = (
    Exercise(
        6, 1, "left(bias, steps)",
        "how much of a memory is left if the forget gate has this bias, and input and "
        "hidden state are zero",
        lambda rng: (float(rng.uniform(-1, 4)), int(rng.integers(1, 40))),
        lambda bias, steps: _sigmoid(bias) ** steps,
        {"that is one step": lambda bias, steps: _sigmoid(bias),
         "the bias is not the gate: the gate is its sigmoid":
            lambda bias, steps: bias**steps},
    ),
    Exercise(
        6, 2, "counting_gates(T)",
        "f, i and g (three numbers), so that c is exactly T after T steps from c = 0",
        lambda rng: (int(rng.integers(2, 60)),), judge=_counts,
    ),
    Exercise(
        6, 3, "learned(D, H)",
        "how many numbers are learned in an LSTM with D inputs and H units",
        _sizes, lambda D, H: _numbers(models.LSTM(D, H, rng=0)),
        {"the biases are missing": lambda D, H: 4 * H * (D + H),
         "that is one gate: there are four blocks": lambda D, H: H * (D + H + 1)},
    ),
    Exercise(
        7, 1, "bias_for(half_life)",
        "the forget bias with which half of a memory is left after this many steps",
        lambda rng: (float(rng.uniform(1, 100)),),
        lambda T: -np.log(2 ** (1 / T) - 1),
        {"that is the rule of Tallec and Ollivier: 1 - f = 1 / T":
            lambda T: np.log(T - 1) if T > 1 else np.nan},
    ),
    Exercise(
        7, 2, "direct_path(f)",
        "what the path through c alone keeps, if the forget gates are f (T, H): (H,)",
        _gates, lambda f: f.prod(axis=0),
        {"that is a sum: the gates are multiplied": lambda f: f.sum(axis=0)},
    ),
    Exercise(
        7, 3, "gru_path(z, update)",
        'the same for a GRU with update gates z (T, H); update is "keep" or "take"',
        lambda rng: (*_gates(rng), str(rng.choice(["keep", "take"]))),
        lambda z, update: (z if update == "keep" else 1 - z).prod(axis=0),
        {"the two conventions are the wrong way round":
            lambda z, update: (1 - z if update == "keep" else z).prod(axis=0)},
    ),
    Exercise(
        8, 1, "learned(D, H)",
        'how many numbers an LSTM(peephole="current", couple="forget") learns',
        _sizes,
        lambda D, H: _numbers(
            models.LSTM(D, H, peephole="current", couple="forget", rng=0)),
        {"there are three gates with weights, not four":
            lambda D, H: 4 * H * (D + H + 1) + 3 * H,
         "the gate that is left out has no peephole either":
            lambda D, H: 3 * H * (D + H + 1) + 3 * H},
    ),
    Exercise(
        9, 1, "next_state(z, h, n)",
        "the new state of a GRU in which z = 1 keeps the old one",
        lambda rng: (*_gates(rng), *rng.uniform(-1, 1, (2, 3))),
        lambda z, h, n: z * h + (1 - z) * n,
        {"there z = 1 takes the new state": lambda z, h, n: (1 - z) * h + z * n},
    ),
    Exercise(
        9, 3, "widest_gru(D, H)",
        "the width of the largest GRU that has no more weights and biases than an LSTM "
        "with D inputs and H units",
        _sizes, _width,
    ),
    Exercise(
        10, 1, "bidirectional(forward, backward, x)",
        "the output (T, B, 2H) of two cells that read x (T, B, D), one from each end",
        _both, _joined,
        {"the second cell reads from the beginning, too": _not_reversed},
    ),
    Exercise(
        10, 3, "cells(num_layers, bidirectional)",
        "how many cells such a network has",
        lambda rng: (int(rng.integers(1, 7)), bool(rng.integers(2))),
        lambda n, both: n * (2 if both else 1),
    ),
)  # fmt: skip
