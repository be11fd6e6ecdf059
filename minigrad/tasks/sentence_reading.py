"""Records what happens inside a sentiment reader while it reads one sentence.

Read next: `next_token.py` (another task).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

import minigrad as mg
from minigrad.data import Vocabulary, tokenize
from minigrad.engine.errors import DataError
from minigrad.engine.scope import enable_grad

MOST_WORDS = 60


class Reading(NamedTuple):
    """What one reader computed for one sentence of T words; H units.

    known       (T,) booleans: is the word in the vocabulary?
    sentiment   (T,) probability of "positive" after each word
    gates       {letter: (T,)}: the mean over the units after each word; for the cell
                state c and the hidden state h, and for candidates, the mean size
    units       {letter: (T, H)}: every gate and state of every unit
    reach       (T,) |d(final logit)/d(x_t)|: how strongly each word acts on the result
    logits      (T,) the logits behind `sentiment`, with their graph
    x           the word vectors (T, 1, E), a leaf of it
    trace       of the recurrent layer
    """

    words: list[str]
    known: np.ndarray
    sentiment: np.ndarray
    gates: dict[str, np.ndarray]
    units: dict[str, np.ndarray]
    reach: np.ndarray
    logits: Any
    x: Any
    trace: Any


def words_of(sentence: str) -> list[str]:
    """The sentence's words and marks. Raises DataError for none, or too many."""
    words = tokenize(sentence)
    if not words:
        raise DataError(
            "the sentence has no words",
            expect="at least one word",
            actual=repr(sentence[:60]),
            hint='for example "I loved the movie, but the ending was bad"',
        )
    if len(words) > MOST_WORDS:
        raise DataError(
            f"the sentence has {len(words)} words: too many for one table",
            expect=f"at most {MOST_WORDS} words and marks",
            actual=repr(sentence[:60]) + "...",
            hint="give one of its sentences",
        )
    return words


def read(reader: Any, vocabulary: Vocabulary, words: list[str]) -> Reading:
    """Read the words; see `Reading`.

    reader  a `models.SentimentReader`
    Raises DataError if none of the words is known.
    """
    tokens = np.array(vocabulary.encode(words, need_known=True))
    trace, x, logits = reader.read(tokens[:, None])
    with enable_grad():
        logits = logits.squeeze(1)
        (gradient,) = mg.grad(logits[len(words) - 1], [x])
    units = {letter: trace[letter][:, 0] for letter in trace.names}
    return Reading(
        words,
        np.array([word in vocabulary for word in words]),
        chance(logits.data),
        {k: (np.abs(v) if k in "hcgn" else v).mean(axis=1) for k, v in units.items()},
        units,
        np.linalg.norm(gradient.data[:, 0], axis=1),
        logits,
        x,
        trace,
    )


def chance(logits: Any) -> Any:
    """The probabilities of some logits."""
    return 0.5 * (1 + np.tanh(np.asarray(logits, dtype=float) / 2))
