"""Reads sentences with a rating, makes numbers of them, and forms three parts.

Read next: `sentence_reading.py` (what happens inside a reader).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

import minigrad as mg
from minigrad.data.files import finite, read_table, some_text
from minigrad.engine.errors import DataError
from minigrad.tasks.task import enough

CLEAR = 1.0  # |rating| from which people agree on a side
LONGEST = 50  # words; longer sentences are cut for training (one in 200 is)
LEAST = 10  # sentences with a clear side


class Sentences(NamedTuple):
    """Some sentences: their text, words as numbers, and rating."""

    texts: list[str]
    tokens: list[list[int]]
    ratings: np.ndarray

    @property
    def positive(self) -> np.ndarray:
        """(n,) booleans: is the rating above zero?"""
        return self.ratings > 0

    @property
    def chances(self) -> np.ndarray:
        """(n,) the targets: near 1 or 0 for clear ratings, in between for others.

        The logistic function of the rating: 0.95 at 3, 0.73 at 1, 0.5 at 0.
        """
        return (0.5 * (1 + np.tanh(self.ratings / 2))).astype("float32")


def clear(part: Sentences) -> np.ndarray:
    """Row numbers of the clear cases of a part."""
    return np.flatnonzero(np.abs(part.ratings) >= CLEAR)


def parts(
    ratings: np.ndarray, path: str | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Row numbers of the clear cases: to train on, to choose by, held out."""
    clear = np.flatnonzero(np.abs(ratings) >= CLEAR)
    _check_sides(ratings[clear])
    enough(path, "sentences with a clear side", len(clear), LEAST)
    rows, test = mg.data.split(clear, (0.85, 0.15), rng=0)
    train, validation = mg.data.split(rows, (0.88, 0.12), rng=1)
    _check_sides(ratings[train])
    return train, validation, test


def _check_sides(ratings: np.ndarray) -> None:
    positive = int((ratings > 0).sum())
    if min(positive, len(ratings) - positive) < 1:
        raise DataError(
            "sentiment: all sentences are on one side",
            expect=f"ratings of {CLEAR:g} or more, and of -{CLEAR:g} or less",
            actual=f"{positive} positive, {len(ratings) - positive} negative",
            hint="ratings go from -4 (worst) to 4 (best); 0 is neither",
        )


def read_rated(path: str | None) -> tuple[list[str], np.ndarray]:
    """Texts and ratings: of the user's table, or the package's."""
    if path is None:
        reviews = mg.data.movie_reviews()
        return list(reviews.texts), reviews.ratings
    table = read_table(path, {"rating": finite, "text": some_text})
    return table["text"], np.array(table["rating"])
