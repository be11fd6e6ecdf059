"""The film reviews as numbers, in the parts of the sentiment task.

Read next: `what_if.py` (what if a word, or a gate, had been another).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

import minigrad as mg
from minigrad.data import Vocabulary
from minigrad.tasks.rated_sentences import LONGEST as ALL  # as read by the task
from minigrad.tasks.rated_sentences import parts

LONGEST = 40  # words; longer sentences are cut for training (one in a hundred is)


class Corpus(NamedTuple):
    """Sentences as numbers, and whether they are positive: two parts."""

    vocabulary: Vocabulary
    train: list[list[int]]
    train_labels: np.ndarray
    held_out: list[list[int]]
    held_out_labels: np.ndarray

    @property
    def majority(self) -> float:
        """The held-out accuracy of always saying what is more frequent in training."""
        answer = self.train_labels.mean() >= 0.5
        return float((self.held_out_labels == answer).mean())


def corpus(vocabulary: Vocabulary | None = None) -> Corpus:
    """The clear cases of the film reviews, with the held-out part of the task.

    The vocabulary is of the training part alone: words only held-out sentences have are
    unknown, as a user's may be. A saved model brings its own.
    """
    reviews = mg.data.movie_reviews()
    train, validation, held_out = parts(reviews.ratings)
    rows = np.concatenate([train, validation]), held_out
    texts = [[reviews.texts[k] for k in part] for part in rows]
    vocabulary = vocabulary or Vocabulary(texts[0], min_count=3)
    encoded = [
        [vocabulary.encode(text)[:longest] for text in part]
        for part, longest in zip(texts, (LONGEST, ALL), strict=True)
    ]
    labels = [reviews.ratings[part] > 0 for part in rows]
    return Corpus(vocabulary, encoded[0], labels[0], encoded[1], labels[1])
