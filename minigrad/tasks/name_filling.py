"""Names drawn for the marked places, and words as the numbers of their pieces.

Each time a sentence is read another name stands in it, so that the network cannot learn
the names of the text by heart. What it can learn is how names are spelled, and between
which words they stand.

Read next: `models/tagging.py`, which reads the numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

import minigrad as mg
from minigrad.data import Vocabulary, pad_sequences
from minigrad.tasks.name_labels import TITLES, Marked, ordinary_words, stem
from minigrad.tasks.sequences import bucketed, padded

ORDINARY = 0.2  # of the names drawn are ordinary words too: Will, May, Grace
FREQUENT = 1000  # of each list: the names from which these are taken
ANY = 0.1  # of the places for training get any word, and count as names
OFTEN = 3  # times a training sentence with a name is read in an epoch
LEAST = 10  # ordinary words among the names, or none is drawn
SHORTEST = 2  # letters of a piece of a word, its ends counted as letters


class Names(NamedTuple):
    """Names to draw from, in lower case: they are nothing else, or words too."""

    proper: list[str]
    ordinary: list[str]

    def draw(self, count: int, rng: np.random.Generator) -> list[str]:
        """Some names; every fifth is an ordinary word too."""
        kinds = [self.proper, self.ordinary if self.ordinary else self.proper]
        which = (rng.random(count) < ORDINARY).astype(int)
        return [str(rng.choice(kinds[k])) for k in which]


class Filled(NamedTuple):
    """Sentences in lower case with a name in each place, and which words are names."""

    words: list[list[str]]
    places: list[np.ndarray]


def names_in_parts(train: Marked) -> list[Names]:
    """The census names for training, validation and test: none is in two of them.

    A name counts as an ordinary word if the training sentences have it in lower case
    and it is among the frequent ones: the list has "In" and "My" too, far down.
    """
    census = mg.data.first_names()
    ordinary = ordinary_words(train.words)
    rank: dict[str, int] = {}
    for which in ("F", "M"):
        names = [n for n, found in zip(*census, strict=True) if found == which]
        for k, name in enumerate(names):
            rank[name] = min(rank.get(name, k), k)
    listed = sorted(rank.keys() - TITLES)
    proper = [n.lower() for n in listed if n.lower() not in ordinary]
    both = [n.lower() for n in listed if n.lower() in ordinary and rank[n] < FREQUENT]
    parts = mg.data.split(proper, (0.7, 0.1, 0.2), rng=0)
    if len(both) < LEAST:
        return [Names(part, []) for part in parts]
    kinds = zip(parts, mg.data.split(both, (0.6, 0.2, 0.2), rng=0), strict=True)
    return [Names(*pair) for pair in kinds]


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


# ------------------------------------------------------------- words as numbers


def pieces_of(word: str, longest: int) -> list[str]:
    """The runs of letters in a word, its ends marked: tom -> <t, to, om, m>, <to, ...

    Source: Bojanowski et al. 2017, "Enriching word vectors with subword information",
    section 3.2.
    """
    whole = f"<{word}>"
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
    """From words to numbers, by what a model has saved (`Prepared.reading`)."""

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
