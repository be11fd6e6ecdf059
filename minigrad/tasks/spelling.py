"""Turns words into numbers: one for the word, and one for each piece of its spelling.

`SpelledWords` in `models/word_models.py` turns these numbers into vectors.

Read next: `name_figures.py` (how well names are found).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from minigrad.data import Vocabulary, pad_sequences
from minigrad.tasks.sequences import padded

SHORTEST = 2  # letters of a piece, the ends of a word counted as letters
LETTERS = 40  # of a word are read, and no more


def pieces_of(word: str, longest: int) -> list[str]:
    """The runs of letters in a word, its ends marked: tom -> <t, to, om, m>, <to, ...

    Source: Bojanowski et al. 2017, "Enriching word vectors with subword information",
    section 3.2.
    """
    whole = f"<{word[:LETTERS]}>"
    return [
        whole[start : start + length]
        for length in range(SHORTEST, longest + 1)
        for start in range(len(whole) - length + 1)
    ]


class Numbers(NamedTuple):
    """Sentences as `models.WordTagger` reads them: each different word once.

    words (U,), pieces (U, K), places (T, B), mask (T, B)
    """

    words: np.ndarray
    pieces: np.ndarray
    places: np.ndarray
    mask: np.ndarray


class Reader:
    """Turns words into numbers with what a model has saved (`Prepared.reading`)."""

    def __init__(self, reading: dict[str, Any]) -> None:
        self.words: Vocabulary = reading["words"]
        self._pieces: Vocabulary = reading["pieces"]
        self._longest: int = reading["longest"]
        self._known: dict[str, tuple[int, list[int]]] = {}

    def numbers(self, sentences: list[list[str]]) -> Numbers:
        """Some sentences, padded at the end."""
        different: dict[str, int] = {}
        for sentence in sentences:
            for word in sentence:
                different.setdefault(word, len(different))
        found = [self._read(word) for word in different]
        places, mask = padded([[different[w] for w in s] for s in sentences])
        pieces = pad_sequences([pieces for _, pieces in found], padding="post")
        return Numbers(np.array([word for word, _ in found]), pieces, places, mask)

    def _read(self, word: str) -> tuple[int, list[int]]:
        """The number of a word, and those of its pieces that are known."""
        if word not in self._known:
            pieces = self._pieces.encode(pieces_of(word, self._longest))
            self._known[word] = (
                self.words.encode([word])[0],
                [piece for piece in pieces if piece > 1],
            )
        return self._known[word]
