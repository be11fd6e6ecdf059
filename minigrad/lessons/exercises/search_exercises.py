"""The exercises of lessons 15 and 16: attention, search with a beam, the lab.

Read next: `checking_answers.py`.
"""

from __future__ import annotations

import numpy as np

from minigrad import models
from minigrad.lessons.exercises.exercise import Exercise


def _handed(rng: np.random.Generator) -> tuple[int, int]:
    return int(rng.integers(2, 30)), int(rng.integers(4, 99))


def _scores(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Scores (T,), and where there is a word: not at the last one or two."""
    scores, mask = rng.standard_normal(6), np.ones(6, bool)
    mask[6 - int(rng.integers(1, 3)) :] = False
    return scores, mask


def _weights(scores: np.ndarray, mask: np.ndarray) -> np.ndarray:
    e = np.where(mask, np.exp(scores - scores.max()), 0.0)
    return e / e.sum()


def _everywhere(scores: np.ndarray, mask: np.ndarray) -> np.ndarray:
    return _weights(scores, np.ones_like(mask))


def _letters(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, int, int]:
    """Log-probabilities of a first letter (V,) and of the next (V, V); T, the width.

    The most probable first letter leads to a poor rest.
    """
    first, after = 1.2 * rng.standard_normal(4), 2.0 * rng.standard_normal((4, 4))
    after[int(first.argmax())] *= 0.1
    return _log_softmax(first), _log_softmax(after), int(rng.integers(3, 6)), 2


def _log_softmax(z: np.ndarray) -> np.ndarray:
    return z - np.log(np.exp(z).sum(axis=-1, keepdims=True))


def _beam(first: np.ndarray, after: np.ndarray, T: int, width: int) -> float:
    """The best score among those that a beam of this width keeps to the end."""
    last, scores = np.arange(len(first)), first
    for step in range(T):
        if step:
            made = scores[:, None] + after[last]  # (kept, V)
            scores, last = made.ravel(), np.tile(np.arange(len(first)), len(made))
        best = np.argsort(-scores, kind="stable")[:width]
        scores, last = scores[best], last[best]
    return float(scores[0])


def _lab_net(rng: np.random.Generator) -> tuple[int, int, int, int]:
    inputs, outputs, blocks, cells = rng.integers(1, 9, 4).tolist()
    return inputs, outputs, blocks, cells


def _of_1997(inputs: int, outputs: int, blocks: int, cells: int) -> int:
    return models.weight_count(inputs, outputs, blocks, cells, 2 * blocks)


def _blind(inputs: int, outputs: int, blocks: int, cells: int) -> int:
    """As many, if units saw the cells but not the gates."""
    units = blocks * cells
    return (units + 2 * blocks) * (inputs + units) + outputs * units + 2 * blocks


def _only_cells(inputs: int, outputs: int, blocks: int, cells: int) -> int:
    units = blocks * cells
    return units * (inputs + units) + outputs * units + 2 * blocks


EXERCISES = (
    Exercise(
        15, 1, "handed_on(T, H)",
        "how many numbers the decoder gets from a GRU that reads T letters forward "
        "with H units, without attention and with it: two numbers",
        _handed, lambda T, H: [H, H + T * H],
        {"with attention the last state is handed on as well":
            lambda T, H: [H, T * H],
         "without attention there is one state, not one per letter":
            lambda T, H: [T * H, H + T * H],
         "the two have changed places": lambda T, H: [H + T * H, H]},
    ),
    Exercise(
        15, 2, "attention(scores, mask)",
        "the weights of attention (T,) for scores (T,), where the mask (T,) is False "
        "at padded steps: they do not depend on the scores there",
        _scores, _weights,
        {"the padded steps get a weight": _everywhere,
         "the weights do not add up to 1: the softmax was taken over all steps":
            lambda scores, mask: _everywhere(scores, mask) * mask,
         "a score of 0 still has a weight: exp(0) is 1":
            lambda scores, mask: _everywhere(scores * mask, mask)},
    ),
    Exercise(
        15, 3, "beam_search(first, after, T, width)",
        "the score (the sum of log-probabilities) of the best string of T letters that "
        "a beam of this width finds: first (V,) is for the first letter, after[k] (V,) "
        "for what comes after letter k",
        _letters, _beam,
        {"that is a beam of 1: it takes the likeliest letter each time":
            lambda first, after, T, width: _beam(first, after, T, 1),
         "that is the best string of all: a beam drops all but a few after each letter":
            lambda first, after, T, width: _beam(first, after, T, 4**5)},
    ),
    Exercise(
        16, 1, "least_chance(seeds, labs)",
        "the chance of one seed with which all seeds succeed in one of so many labs",
        lambda rng: (int(rng.integers(3, 30)), int(rng.integers(5, 100))),
        lambda seeds, labs: (1 / labs) ** (1 / seeds),
        {"that is the chance that all seeds fail":
            lambda seeds, labs: 1 - (1 / labs) ** (1 / seeds),
         "chances of independent seeds are multiplied, not added":
            lambda seeds, labs: 1 / labs / seeds,
         "that is the chance for all of the seeds together":
            lambda seeds, labs: 1 / labs},
    ),
    Exercise(
        16, 2, "constant_error(n)",
        "the mean squared error of the best constant answer, if the target is the "
        "product of n independent numbers, uniform between 0 and 1",
        lambda rng: (int(rng.integers(2, 7)),), lambda n: 3.0**-n - 4.0**-n,
        {"that is the mean of the square: subtract the square of the mean":
            lambda n: 3.0**-n,
         "the variance of a product is not the product of the variances":
            lambda n: 12.0**-n,
         "that is the variance of a sum": lambda n: n / 12},
    ),
    Exercise(
        16, 3, "weights(inputs, outputs, blocks, cells)",
        "how many weights and biases the net of 1997 has with so many blocks of so "
        "many cells each, where only gates have biases, and the outputs see the cells",
        _lab_net, _of_1997,
        {"all units see the gates, too": _blind,
         "the gates have weights of their own": _only_cells,
         "the biases of the gates are missing":
            lambda i, o, b, c: _of_1997(i, o, b, c) - 2 * b,
         "the weights to the outputs are missing":
            lambda i, o, b, c: _of_1997(i, o, b, c) - o * b * c},
    ),
)  # fmt: skip
