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


def _counter(given: Any, size: float) -> str:
    """Does an LSTM(1, 1) with these weights count inputs of this size?"""
    lstm = models.LSTM(1, 1, rng=0)
    cell = lstm.cells[0]
    wrong = _set(cell, given)
    if wrong:
        return wrong
    for T in (5, 100):
        x = size * (np.random.default_rng(T).random((T, 1, 1)) < 0.5)
        trace = lstm.trace(x)
        counted, right = trace["c"][:, 0, 0], np.cumsum(x[:, 0, 0] > 0)
        if np.allclose(counted, right, rtol=1e-6):
            continue
        f, i = float(trace["f"].min()), float(trace["i"].min())
        if f < 1 - 1e-6:
            return f"the forget gate is {f:.6f}: a part of the count is lost"
        if i < 1 - 1e-6:
            return f"the input gate is {i:.6f}: not all of a one comes in"
        if np.abs(trace["g"][x == 0]).max(initial=0) > 1e-6:
            return "the candidate is not 0 where the input is 0"
        return f"after {T} steps the count is {counted[-1]:.6g}, not {right[-1]}"
    return ""


def _set(cell: Any, given: Any) -> str:
    """Set the weights of a cell; what is wrong with them."""
    names = ("W_x", "W_h", "b")
    if not isinstance(given, list | tuple) or len(given) != len(names):
        return "it has to return three arrays: W_x, W_h and b"
    for name, value in zip(names, given, strict=True):
        parameter = getattr(cell, name)
        array = np.asarray(value, float)
        if array.shape != parameter.shape:
            return f"{name} has shape {array.shape}, not {parameter.shape}"
        if not np.isfinite(array).all():
            return f"{name} is not finite: a large number will do"
        parameter.data = array
    return ""


def _stacked(rng: np.random.Generator) -> tuple[np.ndarray]:
    return (rng.standard_normal(12),)


def _seen_through_h(given: Any, b: np.ndarray) -> str:
    """Is h = tanh(c) with these biases, and are the other gates as they were?"""
    array = np.asarray(given, float)
    if array.shape != b.shape:
        return f"its shape is {array.shape}, and it should be {b.shape}"
    lstm = models.LSTM(2, 3, rng=0)
    cell = lstm.cells[0]
    moved = [k for k in cell.gates if (array != b)[cell.columns(k)].any()]
    cell.b.data = array
    trace = lstm.trace(np.random.default_rng(1).standard_normal((6, 1, 2)))
    others = [k for k in moved if k != "o"]
    if others:
        return f"the block of {others[0]} is changed: only one gate hides c"
    least = float(trace["o"].min())
    if least < 1 - 1e-6:
        return f"c is not to be seen in h yet: the output gate is {least:.3g}"
    return ""


def _update_gate(rng: np.random.Generator) -> tuple[Any, float]:
    cell = models.GRUCell(2, 3, rng=int(rng.integers(1000)))
    cell.b.data = rng.standard_normal(cell.b.shape)
    return cell, float(rng.uniform(0.5, 3))


def _raised(cell: Any, by: float, gate: str) -> np.ndarray:
    b = np.array(cell.b.data)
    b[cell.columns(gate)] += by
    return b


def _replaced(cell: Any, by: float) -> np.ndarray:
    b = np.array(cell.b.data)
    b[cell.columns("z")] = by
    return b


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
        8, 2, "counter(size)",
        "W_x (1, 4), W_h (1, 4) and b (4,) of an LSTM(1, 1), in the order i, f, g, o, "
        "so that its memory c is the number of ones so far. Each input is 0, or `size` "
        "for a one",
        lambda rng: (float(rng.uniform(0.5, 3)),), judge=_counter,
    ),
    Exercise(
        8, 3, "biases(b)",
        "the biases of an LSTM(2, 3), b (12,) in the order i, f, g, o, with one of the "
        "blocks changed, so that h shows all that a peephole would show: h = tanh(c)",
        _stacked, judge=_seen_through_h,
    ),
    Exercise(
        9, 1, "next_state(z, h, n)",
        "the new state of a GRU in which z = 1 keeps the old one",
        lambda rng: (*_gates(rng), *rng.uniform(-1, 1, (2, 3))),
        lambda z, h, n: z * h + (1 - z) * n,
        {"there z = 1 takes the new state": lambda z, h, n: (1 - z) * h + z * n},
    ),
    Exercise(
        9, 2, "keeping(cell, by)",
        "the biases cell.b of a GRU cell (gates r, z, n), with that of the update gate "
        "raised by this much, as an array; z = 1 keeps the old state",
        _update_gate, lambda cell, by: _raised(cell, by, "z"),
        {"that is the reset gate": lambda cell, by: _raised(cell, by, "r"),
         "the bias is set, not raised": _replaced,
         "it is lowered: then the state is forgotten sooner":
            lambda cell, by: _raised(cell, -by, "z")},
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
        10, 2, "best_share(names)",
        "the best share of right answers that a forward network can reach, if this "
        "share of the words are names, and nothing before a word says which",
        lambda rng: (float(rng.uniform(0.05, 0.95)),),
        lambda names: max(names, 1 - names),
        {"that is for one who guesses, as often as there are names":
            lambda names: names**2 + (1 - names) ** 2,
         "that is too little where most words are no names: then say 'no name'":
            lambda names: names,
         "half can be reached by tossing a coin": lambda names: 0.5},
    ),
    Exercise(
        10, 3, "cells(num_layers, bidirectional)",
        "how many cells such a network has",
        lambda rng: (int(rng.integers(1, 7)), bool(rng.integers(2))),
        lambda n, both: n * (2 if both else 1),
    ),
)  # fmt: skip
