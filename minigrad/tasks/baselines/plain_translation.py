"""Translations without a network: the nearest sentence, a dictionary, the commonest.

Read next: `forecasters.py`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

Tokens = Sequence[Sequence[int]]
PORTION = 256  # sentences that are compared at once


def nearest(train: Tokens, asked: Tokens, words: int) -> np.ndarray:
    """For each sentence asked the row of the training sentence nearest to it.

    Nearest: the largest F1 of the sets of words; the first of equals.
    words  size of the vocabulary
    """
    known = _sets(train, words)
    sizes = known.sum(axis=1)
    rows = []
    for start in range(0, len(asked), PORTION):
        some = _sets(asked[start : start + PORTION], words)
        common = some @ known.T
        rows.append((2 * common / (some.sum(axis=1)[:, None] + sizes)).argmax(axis=1))
    return np.concatenate(rows)


def _sets(sentences: Tokens, words: int) -> np.ndarray:
    found = np.zeros((len(sentences), words), np.float32)
    for k, sentence in enumerate(sentences):
        found[k, list(set(sentence))] = 1
    return found


def dictionary(sources: Tokens, targets: Tokens) -> dict[int, int]:
    """For each source word the target word that goes with it best.

    Best: the largest 2 n(s, t) / (n(s) + n(t)), the n counting sentences (Dice).
    """
    of_source: Counter[int] = Counter()
    of_target: Counter[int] = Counter()
    of_both: Counter[tuple[int, int]] = Counter()
    for source, target in zip(sources, targets, strict=True):
        of_source.update(set(source))
        of_target.update(set(target))
        of_both.update((s, t) for s in set(source) for t in set(target))
    best: dict[int, tuple[float, int]] = {}
    for (s, t), n in of_both.items():
        score = 2 * n / (of_source[s] + of_target[t])
        best[s] = max(best.get(s, (0.0, t)), (score, t))
    return {s: t for s, (_, t) in best.items()}


def commonest(texts: Sequence[str]) -> str:
    """The translation that occurs most often; the first of equals."""
    return Counter(texts).most_common(1)[0][0]
