"""A language model that counts: n-grams with interpolated Kneser-Ney smoothing.

    model = NGram(train, order=5, size=len(vocabulary))
    model.bits(held_out).mean()              # bits per token

A recurrent language model is compared with it. It uses only the last n - 1 tokens, and
how often each token followed them.

Read next: `linear.py`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import islice

import numpy as np

Gram = tuple[int, ...]


class NGram:
    """p(token | the n - 1 tokens before), n = order, by interpolated Kneser-Ney.

        p_n(w | u) = (max(c(u w) - D, 0) + D N(u) p_{n-1}(w | u')) / c(u)

    c(u w) counts, at the highest order, how often w followed u; below it, how many
    different tokens preceded u w. c(u) is its sum over w, N(u) the number of different
    w, u' is u without its first token, and D = n1 / (n1 + 2 n2), n1 and n2 being how
    many (u w) of that order were counted once and twice. Below the unigrams every token
    is equally likely.

    sequences  the training part: lists of whole numbers 0 .. size - 1
    order      n
    size       of the vocabulary

    Source: Kneser & Ney 1995, "Improved backing-off for m-gram language modeling", in
    the interpolated form of Chen & Goodman 1999, "An empirical study of smoothing
    techniques for language modeling".
    """

    def __init__(
        self, sequences: Sequence[Sequence[int]], order: int, size: int
    ) -> None:
        self.order, self.size = order, size
        self._levels = [
            _Level(_counted(sequences, n, top=n == order)) for n in range(1, order + 1)
        ]

    def probability(self, token: int, context: Sequence[int]) -> float:
        """p(token | context); only the last n - 1 tokens of the context count."""
        p = 1 / self.size
        for length in range(min(self.order - 1, len(context)) + 1):
            before = tuple(context[len(context) - length :])
            level = self._levels[length]
            total = level.total.get(before, 0)
            if not total:
                break  # never seen: nor was anything longer that ends so
            seen = max(level.counts.get((*before, token), 0) - level.discount, 0.0)
            p = (seen + level.discount * level.different[before] * p) / total
        return p

    def bits(self, sequences: Sequence[Sequence[int]], skip: int = 0) -> np.ndarray:
        """-log2 p of each token but the first `skip` of each sequence, in one array."""
        kept = self.order - 1
        found = [
            self.probability(sequence[k], sequence[max(0, k - kept) : k])
            for sequence in sequences
            for k in range(skip, len(sequence))
        ]
        return -np.log2(found)


class _Level:
    """The counts of one order, with the sums that the formula needs."""

    def __init__(self, counts: Counter[Gram]) -> None:
        self.counts = counts
        self.total: dict[Gram, int] = defaultdict(int)
        self.different: dict[Gram, int] = defaultdict(int)
        for gram, count in counts.items():
            self.total[gram[:-1]] += count
            self.different[gram[:-1]] += 1
        often = Counter(counts.values())
        # Where nothing was counted once D would be 0, and p of the unseen as well.
        self.discount = often[1] / (often[1] + 2 * often[2]) if often[1] else 0.5


def _counted(sequences: Sequence[Sequence[int]], n: int, top: bool) -> Counter[Gram]:
    """How often each n-gram occurs; below the top order, how many tokens precede it."""
    if top:
        return Counter(gram for sequence in sequences for gram in _grams(sequence, n))
    longer = {gram for sequence in sequences for gram in _grams(sequence, n + 1)}
    counts = Counter(gram[1:] for gram in longer)
    counts.update({tuple(s[:n]) for s in sequences if len(s) >= n})  # nothing precedes
    return counts


def _grams(sequence: Sequence[int], n: int) -> zip[Gram]:
    return zip(*[islice(sequence, k, None) for k in range(n)], strict=False)
