"""The exercises of lessons 11 to 14: words, gates on trial, weather, tags.

Read next: `search_exercises.py`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import minigrad as mg
from minigrad.lessons.exercises.exercise import Exercise


def _positive(rng: np.random.Generator, n: int = 9) -> np.ndarray:
    return np.round(rng.gamma(2.0, 3.0, n), 3)


def _rows(rng: np.random.Generator) -> tuple[list[list[int]], int, str]:
    """Sequences of numbers from 1, some shorter and some longer than the length."""
    lengths = [1, *rng.integers(2, 8, 4).tolist(), 7]
    rows = [rng.integers(1, 99, int(n)).tolist() for n in lengths]
    return rows, int(rng.integers(2, 6)), str(rng.choice(["end", "beginning"]))


def _padded(rows: list[list[int]], maxlen: int, keep: str, after: bool = False) -> Any:
    cut = "pre" if keep == "end" else "post"
    side = "post" if after else "pre"
    ways: dict[str, Any] = {"maxlen": maxlen, "truncating": cut, "padding": side}
    return mg.data.pad_sequences(rows, **ways)


def _gate_at(rng: np.random.Generator) -> tuple[np.ndarray, list[str], str]:
    """A gate (T,), the words of a sentence, one of which is once in it."""
    words = ["the", "film", "is", "long", "and", "sad"][: int(rng.integers(5, 7))]
    order = [0, *(1 + rng.permutation(len(words) - 1))]
    return rng.random(len(words)), [words[k] for k in order], "and"


def _at_word(f: np.ndarray, words: list[str], word: str) -> float:
    k = words.index(word)
    return f[k] - np.delete(f, k).mean()


def _starts(rng: np.random.Generator) -> tuple[list[int], list[int], int]:
    """The days with which windows start, shuffled before they are split."""
    days, length = rng.permutation(60), int(rng.integers(3, 9))
    return days[:9].tolist(), days[9:21].tolist(), length


def _seen(train: list[int], test: list[int], length: int) -> list[bool]:
    """Is the day of a test window's target a day of a training window?"""
    return [any(s <= t + length < s + length for s in train) for t in test]


def _softmax(z: np.ndarray) -> np.ndarray:
    e = np.exp(z - z.max())
    return e / e.sum()


def _counts(rng: np.random.Generator) -> tuple[int, int, int]:
    right = int(rng.integers(2, 40))
    given = int(rng.integers(2, 40))
    return right, given, int(rng.integers(1, min(right, given) + 1))


def _f1(right: int, given: int, both: int) -> float:
    return 2 * both / (right + given)


def _normal(given: Any, numbers: np.ndarray) -> str:
    """An interval for a mean: is it near that of the normal distribution?"""
    try:
        low, high = (float(end) for end in given)
    except (TypeError, ValueError):
        return "it has to return two numbers: the lower and the upper end"
    mean, half = numbers.mean(), 1.96 * numbers.std() / np.sqrt(len(numbers))
    if not low < mean < high:
        return "the mean itself is not inside"
    if (high - low) > 6 * half:
        return "it is far too wide: it holds the numbers, not their mean"
    if not 0.75 < (high - low) / (2 * half) < 1.3:
        return f"it is {(high - low) / (2 * half):.2g} times as wide as it should be"
    return ""


EXERCISES = (
    Exercise(
        11, 1, "padded(rows, maxlen, keep)",
        "the rows, lists of numbers, as one array (len(rows), maxlen): zeros stand in "
        'front of short ones, and long ones keep their "end" or their "beginning"',
        _rows, _padded,
        {"the zeros belong in front":
            lambda rows, maxlen, keep: _padded(rows, maxlen, keep, after=True),
         "the end and the beginning are the wrong way round":
            lambda rows, maxlen, keep: _padded(
                rows, maxlen, "beginning" if keep == "end" else "end")},
    ),
    Exercise(
        11, 2, "perplexity_of_equal_chances(V)",
        "the perplexity of a model that gives all V words the same probability",
        lambda rng: (int(rng.integers(2, 9999)),), lambda V: V,
        {"that is the cross-entropy: the perplexity is its exponential":
            lambda V: np.log(V)},
    ),
    Exercise(
        11, 3, "at_temperature(logits, tau)",
        "the probabilities at temperature tau",
        lambda rng: (rng.standard_normal(6), float(rng.uniform(0.3, 3))),
        lambda logits, tau: _softmax(logits / tau),
        {"the logits are divided by tau, not multiplied":
            lambda logits, tau: _softmax(logits * tau),
         "tau is not used": lambda logits, tau: _softmax(logits)},
    ),
    Exercise(
        12, 1, "kept(f)",
        "how much of the memory of the first word is left at the end, on average over "
        "the units: f are the forget gates (T, H), and the first word writes at step 0",
        lambda rng: (rng.uniform(0.4, 1, (int(rng.integers(3, 9)), 4)),),
        lambda f: f[1:].prod(axis=0).mean(),
        {"the gate at step 0 acts before the first word is written":
            lambda f: f.prod(axis=0).mean(),
         "first multiply over time, then take the mean":
            lambda f: f[1:].mean(axis=1).prod()},
    ),
    Exercise(
        12, 2, "at_word(f, words, word)",
        "how much higher the forget gate is at this word than at the other words of "
        "its sentence, on average: f (T,) has one number for each of the words",
        _gate_at, _at_word,
        {"that is the gate itself: subtract its mean at the other words":
            lambda f, words, word: f[words.index(word)],
         "the word itself is in the mean as well":
            lambda f, words, word: f[words.index(word)] - f.mean(),
         "that is the next word": lambda f, words, word: _at_word(
            np.roll(f, -1), words, word)},
    ),
    Exercise(
        12, 3, "interval(numbers)",
        "a 95 % interval for the mean of some numbers, by the bootstrap: two numbers",
        lambda rng: (rng.normal(5, 2, 100),), judge=_normal,
    ),
    Exercise(
        13, 1, "seen(train, test, length)",
        "for each test window: is its target one of the days of a training window? A "
        "window is the day on which it starts; it has `length` days, and its target is "
        "the day after them",
        _starts, _seen,
        {"that only finds training windows that start one day later":
            lambda train, test, length: [t + 1 in train for t in test],
         "that asks whether the windows overlap: where is the target?":
            lambda train, test, length: [
                any(abs(s - t) < length for s in train) for t in test]},
    ),
    Exercise(
        13, 2, "best_constants(y)",
        "the constants that minimise the mean squared and the mean absolute error: two "
        "numbers",
        lambda rng: (_positive(rng),), lambda y: [y.mean(), np.median(y)],
        {"the two have changed places": lambda y: [np.median(y), y.mean()]},
    ),
    Exercise(
        13, 3, "persistence(sigma)",
        "the RMSE of persistence for white noise with this standard deviation",
        lambda rng: (float(rng.uniform(0.2, 5)),), lambda sigma: np.sqrt(2) * sigma,
        {"that is the RMSE of the mean: persistence has two random numbers":
            lambda sigma: sigma,
         "that is its square": lambda sigma: 2 * sigma**2},
    ),
    Exercise(
        14, 1, "micro_f1(right, given, both)",
        "the micro F1, if there are so many right tags, so many given, so many in both",
        _counts, _f1,
        {"that is the precision": lambda r, g, b: b / g,
         "that is the recall": lambda r, g, b: b / r,
         "that is the arithmetic mean of the two":
            lambda r, g, b: (b / g + b / r) / 2},
    ),
    Exercise(
        14, 2, "f1(precision, recall)",
        "F1 as the harmonic mean of precision and recall",
        lambda rng: tuple(rng.uniform(0.1, 1, 2)), lambda p, r: 2 * p * r / (p + r),
        {"that is the arithmetic mean": lambda p, r: (p + r) / 2,
         "that is the geometric mean": lambda p, r: np.sqrt(p * r)},
    ),
    Exercise(
        14, 3, "least_probability(right, given, both)",
        "which probability of one more tag makes giving it worth while: with a higher "
        "one the F1 grows, if as much is expected to be right as the probability says",
        _counts, lambda right, given, both: both / (right + given),
        {"that is the F1: it is half of it": lambda r, g, b: 2 * b / (r + g),
         "one half would be for the number of right answers, not for the F1":
            lambda r, g, b: 0.5,
         "that is the precision": lambda r, g, b: b / g},
    ),
)  # fmt: skip
