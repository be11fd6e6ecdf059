"""Divides the census names into parts, and puts random names into marked places.

A sentence has another name each time it is read, so the network cannot learn the names
of the text by heart. It can learn how names are spelled, and which words are next to
them.

Read next: `spelling.py` (words as numbers).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

import minigrad as mg
from minigrad.tasks.name_labels import OTHER, TITLES, Marked, ordinary_words, stem
from minigrad.tasks.sequences import bucketed, padded
from minigrad.tasks.spelling import Numbers, Reader

ORDINARY = 0.2  # of the names drawn are ordinary words too: Will, May, Grace
FREQUENT = 1000  # of each census list: the names from which these are taken
KNOWN = 300  # of each list: familiar names; all of them train
FAMILIAR = 0.3  # of the names drawn for training are familiar
ANYTHING = 0.2  # of them are any word of the text
OFTEN = 3  # times a training sentence with a name is read in an epoch
LEAST = 10  # names that are ordinary words; where there are fewer none is drawn


class Names(NamedTuple):
    """Names to draw from, in lower case.

    proper    names that are not ordinary words
    ordinary  names that are also ordinary words
    familiar  the most frequent of `proper`
    anything  words that are on no list. They are used in training, to show that any
              word in the place of a name may be a name
    """

    proper: Sequence[str]
    ordinary: Sequence[str] = ()
    familiar: Sequence[str] = ()
    anything: Sequence[str] = ()

    def all(self) -> list[str]:
        """Every name, once."""
        return [*self.proper, *self.ordinary, *self.familiar]

    def draw(self, count: int, rng: np.random.Generator) -> list[str]:
        """Draw some names at random; every fifth is also an ordinary word."""
        shares = [
            (self.ordinary, ORDINARY),
            (self.familiar, FAMILIAR),
            (self.anything, ANYTHING),
        ]
        kinds = [(words, share if words else 0.0) for words, share in shares]
        kinds.append((self.proper, 1.0 - sum(share for _, share in kinds)))
        ends = np.cumsum([share for _, share in kinds[:-1]])
        which = np.searchsorted(ends, rng.random(count), side="right")
        pools = [kinds[k][0] for k in which]
        return [pool[rng.integers(len(pool))] for pool in pools]


class Filled(NamedTuple):
    """Sentences in lower case with a name in each place, and which words are names."""

    words: list[list[str]]
    places: list[np.ndarray]


def names_in_parts(train: Marked) -> list[Names]:
    """The census names for training, validation and test; no name is in two of them.

    A name counts as an ordinary word if the training sentences have it in lower case.
    Only frequent ones are drawn: among the rare names of the list are "In" and "My".
    """
    ordinary = ordinary_words(train.plain())
    rank = _ranks()
    listed = sorted(rank.keys() - TITLES - OTHER)
    both = [n.lower() for n in listed if n.lower() in ordinary and rank[n] < FREQUENT]
    others = [n for n in listed if n.lower() not in ordinary]
    rarer = [n.lower() for n in others if rank[n] >= KNOWN]
    proper = mg.data.split(rarer, (0.7, 0.1, 0.2), rng=0)
    too: list[list[str]] = [[], [], []]
    if len(both) >= LEAST:
        too = list(mg.data.split(both, (0.6, 0.2, 0.2), rng=0))
    known, *later = (Names(*pair) for pair in zip(proper, too, strict=True))
    familiar = [n.lower() for n in others if rank[n] < KNOWN]
    words = {word for word in ordinary if word.isalpha()}  # and none like "it's"
    anything = sorted(words - {name.lower() for name in rank})
    return [known._replace(familiar=familiar, anything=anything), *later]


def _ranks() -> dict[str, int]:
    """The place of each name on its census list, the most frequent is 0."""
    names, lists = mg.data.first_names()
    rank: dict[str, int] = {}
    place = {"F": 0, "M": 0}
    for name, which in zip(names, lists, strict=True):
        rank[name] = min(rank.get(name, len(names)), place[which])
        place[which] += 1
    return rank


def filled(marked: Marked, names: Names, rng: np.random.Generator) -> Filled:
    """Sentences with names drawn for their places."""
    words = []
    for sentence, places in zip(*marked, strict=True):
        new = [word.lower() for word in sentence]
        where = np.flatnonzero(places)
        for k, name in zip(where, names.draw(len(where), rng), strict=True):
            new[k] = name + new[k][len(stem(new[k])) :]
        words.append(new)
    return Filled(words, list(marked.places))


class Refilled:
    """The training sentences in batches, with new names in every epoch.

    A batch is what the network reads, and which words are names: 0 or 1, (T, B).
    """

    def __init__(
        self, marked: Marked, names: Names, reader: Reader, size: int, rng: Any
    ) -> None:
        self.rng = rng
        self._marked, self._names, self._reader = marked, names, reader
        rows = [
            row
            for row, places in enumerate(marked.places)
            for _ in range(OFTEN if places.any() else 1)
        ]
        lengths = [marked.words[row] for row in rows]
        self._rows = bucketed(lengths, rows, size=size, rng=rng)

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[tuple[Numbers, np.ndarray]]:
        for _, rows in self._rows:
            words, places = filled(self._marked.rows(rows), self._names, self.rng)
            wanted, _ = padded([p.astype(int) for p in places])
            yield self._reader.numbers(words), wanted.astype("float32")
