"""Measures gates over many sentences, as they are and held open or shut.

Read next: `gate_verdicts.py` (whether the stories of the textbooks hold).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from minigrad.engine.quiet import quietly
from minigrad.reading.replay import evaluate, value_of
from minigrad.tasks.sequences import padded
from minigrad.tasks.statistics import Difference, Interval, difference, interval
from minigrad.trial.review_corpus import Corpus
from minigrad.trial.what_if import clamp_nodes


class Seen:
    """Some sentences and what a reader computed for them: all that a verdict needs.

    tokens, mask   (T, B)
    lengths        (B,) words per sentence
    """

    def __init__(self, reader: Any, sentences: Sequence[Sequence[int]]) -> None:
        self.tokens, self.mask = padded(sentences)
        self.lengths = self.mask.sum(0)
        self.trace, _, self.logits = reader.read(self.tokens, self.mask)
        self._loop = self.trace.layer(0)

    def gate(self, letter: str) -> np.ndarray:
        """Mean over the units at each step, (T, B); NaN at padding."""
        if letter not in self._means:
            values = self._loop[letter].mean(axis=-1)
            self._means[letter] = np.where(self.mask, values, np.nan)
        return self._means[letter]

    @cached_property
    def _means(self) -> dict[str, np.ndarray]:
        return {}

    @property
    def letters(self) -> list[str]:
        """The gates proper that the cell has."""
        return [k for k in self._loop.names if k in "iforz"]

    def final(self, logits: np.ndarray | None = None) -> np.ndarray:
        """The logit after the last word of each sentence, (B,)."""
        values = self.logits.data if logits is None else logits
        return values[self.lengths - 1, np.arange(len(self.lengths))]

    def held(self, letter: str, value: float, where: np.ndarray) -> np.ndarray:
        """The final logits (B,) with a gate held at a value where `where` (T, B) is."""
        nodes = clamp_nodes(self._loop, letter, value)

        def held_at(t: int) -> Callable[[np.ndarray], np.ndarray]:
            # Only there: the gates of the other sentences still follow their states.
            rows = where[t][:, None]
            return lambda made: np.where(rows, made.dtype.type(value), made)

        adjusted = {nodes[t]: held_at(t) for t in nodes if where[t].any()}
        output = self.logits.node
        with quietly():
            return self.final(value_of(output, evaluate(output, {}, adjusted)))


class AtWord(NamedTuple):
    """A gate's values at one word, in sentences with the word and without it.

    within   the gate at the word minus its mean over the other words of the sentence
    against  the gate at the word, compared with the gate at the same relative position
             in equally many sentences without the word: the difference and Cohen's d
    level    the gate's mean at the word
    spread   its standard deviation over all words
    """

    within: Interval
    against: Difference
    level: float
    spread: float


def at_word(seen: Seen, letter: str, word: int) -> AtWord | None:
    """Measure a gate at a word, in the sentences that do not start with it.

    None if fewer than ten sentences have the word, or fewer than ten lack it.
    """
    at = places(seen, word)
    having = np.flatnonzero(at.any(axis=0))
    lacking = np.flatnonzero(~(seen.tokens == word).any(axis=0) & (seen.lengths > 2))
    if min(len(having), len(lacking)) < 10:
        return None
    values = seen.gate(letter)
    steps = at[:, having].argmax(axis=0)
    here = values[steps, having]
    apart = np.where(at, np.nan, values)[:, having]
    share = np.resize(steps / seen.lengths[having], len(lacking))  # of the sentence
    there = values[(share * seen.lengths[lacking]).astype(int), lacking]
    return AtWord(
        interval(here - np.nanmean(apart, axis=0)),
        difference(here, there),
        float(here.mean()),
        float(np.nanstd(values)),
    )


def places(seen: Seen, word: int) -> np.ndarray:
    """(T, B): True where the word is, once per sentence and never at its start.

    Its first place after the start counts, in sentences of three words or more.
    """
    at = (seen.tokens == word) & seen.mask & (seen.lengths > 2)
    at[0] = False
    first = at.argmax(axis=0)
    only = np.zeros_like(at)
    only[first, np.arange(at.shape[1])] = True
    return only & at


def strong_words(corpus: Corpus, least: int = 8) -> tuple[set[int], set[int]]:
    """Words that say most about a sentence's side, and words that say least.

    Only the training part is used, and only words of `least` sentences or more. For
    each word it takes the share of positive sentences among those with the word. The
    tenth of the words furthest from the average says most, the nearest half least.
    """
    count = np.zeros(len(corpus.vocabulary))
    positive = np.zeros(len(corpus.vocabulary))
    for sentence, label in zip(corpus.train, corpus.train_labels, strict=True):
        words = list(set(sentence))
        count[words] += 1
        positive[words] += bool(label)
    known = np.flatnonzero(count >= least)
    known = known[known > 1]
    mean = corpus.train_labels.mean()
    # In units of what chance would give: a rare word's share strays further.
    away = np.abs(positive[known] / count[known] - mean) * np.sqrt(count[known])
    order = known[np.argsort(away)]
    tenth, half = len(order) // 10, len(order) // 2
    return set(order[len(order) - tenth :].tolist()), set(order[:half].tolist())


def by_words(seen: Seen, letter: str, first: set[int], second: set[int]) -> Difference:
    """Compare a gate at the words of one set and of another, at every occurrence."""
    values = seen.gate(letter)
    groups = [
        values[np.isin(seen.tokens, list(words)) & seen.mask]
        for words in (first, second)
    ]
    return difference(*groups)
