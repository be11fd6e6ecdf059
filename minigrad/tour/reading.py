"""What happens inside a reader while it reads one sentence."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

import minigrad as mg
from minigrad.data import tokenize
from minigrad.errors import DataError
from minigrad.tour.reader import Reader
from minigrad.tour.training import Corpus

MOST_WORDS = 60


class Reading(NamedTuple):
    """One sentence through one reader; T words.

    known       (T,) booleans: is the word in the vocabulary?
    sentiment   (T,) probability of "positive" after each word
    gates       {letter: (T,)}: the mean over the units after each word; for the cell
                state c and the hidden state h the mean absolute value
    reach       (T,) |d(final logit)/d(x_t)|: how strongly each word is felt at the end
    """

    words: list[str]
    known: np.ndarray
    sentiment: np.ndarray
    gates: dict[str, np.ndarray]
    reach: np.ndarray
    logits: Any


def words_of(sentence: str) -> list[str]:
    """The sentence's words and marks. Raises DataError for none, or too many."""
    words = tokenize(sentence)
    if not words:
        raise DataError(
            "the sentence has no words",
            expect="at least one word",
            actual=repr(sentence[:60]),
            hint='try minigrad tour "I loved the movie, but the ending was bad"',
        )
    if len(words) > MOST_WORDS:
        raise DataError(
            f"the sentence has {len(words)} words: too many for a table to be read",
            expect=f"at most {MOST_WORDS} words and marks",
            actual=repr(sentence[:60]) + "...",
            hint="give one sentence of it",
        )
    return words


def read(reader: Reader, corpus: Corpus, words: list[str]) -> Reading:
    """Read the words; see `Reading`."""
    tokens = np.array(corpus.vocabulary.encode(words))
    trace, x, logits = reader.read(tokens)
    (gradient,) = mg.grad(logits[len(words) - 1], [x])
    gates = {}
    for letter in trace.names:
        values = trace[letter][:, 0]  # (T, H)
        gates[letter] = (np.abs(values) if letter in "hcgn" else values).mean(axis=1)
    return Reading(
        words,
        np.array([word in corpus.vocabulary for word in words]),
        1 / (1 + np.exp(-logits.data)),
        gates,
        np.linalg.norm(gradient.data[:, 0], axis=1),
        logits,
    )
