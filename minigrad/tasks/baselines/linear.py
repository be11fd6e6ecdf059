"""Classifies texts by their words without order: TF-IDF and logistic regression.

    model = LogisticRegression(texts, labels)        # labels (n,) or (n, K) of 0 and 1
    model.logits(others)                             # (m, K)

Only single words and pairs of neighbouring words count: how often they occur, and how
rare they are. This is a strong baseline: a recurrent network can only add word order.

Read next: `ridge.py`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from minigrad.data import tokenize

STEPS = 400
CLOSE = 1e-3  # the largest gradient at which the search ends, relative to C


class Rows:
    """A sparse matrix (n, features): of each row some columns and their values."""

    def __init__(self, rows: list[dict[int, float]], width: int) -> None:
        self.shape = (len(rows), width)
        lengths = [len(row) for row in rows]
        self.row = np.repeat(np.arange(len(rows)), lengths)
        self.column = np.array([c for row in rows for c in row], dtype=np.int64)
        self.value = np.array([v for row in rows for v in row.values()])

    def __matmul__(self, weights: np.ndarray) -> np.ndarray:
        """(n, features) times (features, K)."""
        return self._summed(self.row, self.value[:, None] * weights[self.column], 0)

    def transposed_times(self, errors: np.ndarray) -> np.ndarray:
        """(features, n) times (n, K)."""
        return self._summed(self.column, self.value[:, None] * errors[self.row], 1)

    def _summed(self, where: np.ndarray, terms: np.ndarray, axis: int) -> np.ndarray:
        columns = [np.bincount(where, t, self.shape[axis]) for t in terms.T]
        return np.stack(columns, axis=1)


class LogisticRegression:
    """One logistic regression per label, on TF-IDF of words and pairs of neighbours.

    Minimises |w|^2 / 2 + C * sum of the cross-entropies, per label, b apart.

    texts     n texts; `tokenize` cuts them
    labels    (n,) or (n, K), true or false
    C         how much the data count against |w|^2: chosen on a validation part
    pairs     are pairs of neighbouring words features too?
    min_count a feature is in so many texts at least

    A text's features: (1 + ln count) * (1 + ln((1 + n) / (1 + texts that have it))),
    then scaled to length 1.
    """

    def __init__(
        self,
        texts: Sequence[str],
        labels: np.ndarray,
        *,
        C: float = 10.0,
        pairs: bool = True,
        min_count: int = 2,
    ) -> None:
        self._pairs = pairs
        found = [self._features(text) for text in texts]
        spread = Counter(feature for counts in found for feature in counts)
        often = [feature for feature, n in spread.items() if n >= min_count]
        self._index = {feature: k for k, feature in enumerate(often)}
        n = len(texts)
        self._rarity = np.array([1 + np.log((1 + n) / (1 + spread[f])) for f in often])
        wanted = np.asarray(labels, dtype=float).reshape(n, -1)
        self.weights, self.bias = _fit(self._rows(found), wanted, C)

    def logits(self, texts: Sequence[str]) -> np.ndarray:
        """(m, K): above 0 where the label is more likely than not."""
        return self._rows([self._features(t) for t in texts]) @ self.weights + self.bias

    def _features(self, text: str) -> Counter[str]:
        words = tokenize(text)
        both = [f"{a} {b}" for a, b in pairwise(words)]
        return Counter(words + both if self._pairs else words)

    def _rows(self, found: list[Counter[str]]) -> Rows:
        rows = []
        for counts in found:
            row = {
                self._index[f]: (1 + np.log(n)) * self._rarity[self._index[f]]
                for f, n in counts.items()
                if f in self._index
            }
            length = np.sqrt(sum(v * v for v in row.values())) or 1.0
            rows.append({k: v / length for k, v in row.items()})
        return Rows(rows, len(self._index))


def _fit(x: Rows, y: np.ndarray, C: float) -> tuple[np.ndarray, np.ndarray]:
    """Nesterov's accelerated descent, restarted whenever the loss rises.

    The step is 1 over a bound of the curvature, C |X|^2 / 4 + 1. O'Donoghue & Candes
    2015, "Adaptive restart for accelerated gradient schemes".
    """
    n, width = x.shape
    rate = 1 / (1.1 * C * (_largest(x) + n) / 4 + 1)
    old = new = ahead = np.zeros((width + 1, y.shape[1]))
    t = 1.0
    for _ in range(STEPS):
        z = x @ ahead[:-1] + ahead[-1]
        error = C * (0.5 * (1 + np.tanh(z / 2)) - y)
        slope = np.vstack([x.transposed_times(error) + ahead[:-1], error.sum(0)])
        if np.abs(slope).max() < CLOSE * C:
            break
        new = ahead - rate * slope
        if np.sum(slope * (new - old)) > 0:
            t, ahead = 1.0, old
            continue
        further = (1 + np.sqrt(1 + 4 * t * t)) / 2
        ahead, old, t = new + (t - 1) / further * (new - old), new, further
    return new[:-1], new[-1]


def _largest(x: Rows) -> float:
    """The largest eigenvalue of X'X, by the power method."""
    v = np.ones((x.shape[1], 1))
    size = 1.0
    for _ in range(15):
        v = x.transposed_times(x @ v)
        size = float(np.linalg.norm(v)) or 1.0
        v /= size
    return size
