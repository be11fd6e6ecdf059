"""Marks the first names in sentences of Alice, of film reviews, or of a user's file.

In printed text a first name can be found by its capital letter, by the words next to
it, and by a list of names. This is how the marks are made. The network does not see
these hints: it reads lower case, with other names in the marked places
(`name_filling.py`).

Read next: `name_filling.py`.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Any, NamedTuple

import numpy as np

import minigrad as mg
from minigrad.data.files import LONGEST, read_text
from minigrad.engine.errors import DataError

PEOPLE = frozenset(
    "Alice Bill Dinah William Mary Ann Mabel Pat Ada Elsie Lacie Tillie Edwin "
    "Edgar".split()
)  # first names of the book; the Queen, the Hatter and the Cat have none
OTHER = frozenset(
    "Africa America Asia August Blair Cherish Cherry China Christian De Del Denver "
    "France German Golden Hai Hong India Irish Israel January June King La Le London "
    "Los Magnolia Margarita Marine Marquis Monty Na Oscar Palma Pandora Paris Roman "
    "Sade San Santa September Sunday Sunshine Trinity Tu Van Venice Ward Winter "
    "Yi".split()
)  # on the list of names, but places, days and titles of films in the reviews
BOTH = frozenset("Frank Grace Guy Mark Pat Rose".split())  # words, but not with capital
TITLES = frozenset(
    "Captain Colonel Director Directors Doctor Dr Earl Father Filmmaker Filmmakers "
    "General King Lady Lord Major Miss Mr Mrs Ms Prince Princess Private Queen Saint "
    "Sir St Uncle".split()
)  # what follows them may be a first name, and they are none
SELDOM = 3  # a word seen less often in lower case is no ordinary word
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*|[^\w\s]")


class Marked(NamedTuple):
    """Sentences with places for names.

    words   per sentence, as they are printed
    places  True where a first name stands, with or without the 's of a possessive
    """

    words: list[list[str]]
    places: list[np.ndarray]

    def rows(self, chosen: Any) -> Marked:
        """Some of the sentences, by their numbers."""
        words = [self.words[k] for k in chosen]
        return Marked(words, [self.places[k] for k in chosen])

    def plain(self) -> list[list[str]]:
        """The words that are no names."""
        return [
            [word for word, name in zip(*pair, strict=True) if not name]
            for pair in zip(*self, strict=True)
        ]


def stem(word: str) -> str:
    """The word without the 's of a possessive: tom's -> tom."""
    return word.removesuffix("'s")


def ordinary_words(sentences: list[list[str]]) -> set[str]:
    """The words that are printed in lower case more than once."""
    counts = Counter(word for s in sentences for word in s if word.islower())
    return {word for word, count in counts.items() if count >= SELDOM}


# ------------------------------------------------------------- of the package


def shipped() -> Marked:
    """Sentences of Alice, and of the film reviews."""
    book = [s for s in _sentences(mg.data.alice()) if len(s) > 2]
    in_book = [np.array([stem(w) in PEOPLE for w in s]) for s in book]
    reviews = [_WORD.findall(text) for text in mg.data.movie_reviews().texts]
    ordinary = ordinary_words(reviews)
    listed = set(mg.data.first_names().names) - OTHER - TITLES
    in_reviews = [_first_names(s, listed, ordinary) for s in reviews]
    return Marked(book + reviews, in_book + in_reviews)


def _sentences(text: str) -> list[list[str]]:
    """The words of each sentence; blank lines end one too."""
    paragraphs = re.split(r"\n\s*\n", text.replace("_", ""))
    return [
        _WORD.findall(sentence)
        for paragraph in paragraphs
        for sentence in re.split(r"(?<=[.!?:;])\s+", " ".join(paragraph.split()))
    ]


def _first_names(
    sentence: list[str], listed: set[str], ordinary: set[str]
) -> np.ndarray:
    """Which words are first names; the last of several names in a row is a surname."""
    proper = [
        word[0].isupper()
        and word not in TITLES
        and (stem(word).lower() not in ordinary or (k > 0 and stem(word) in BOTH))
        for k, word in enumerate(sentence)
    ]
    found: list[bool] = []
    for k, word in enumerate(sentence):
        follows = k > 0 and proper[k - 1] and not sentence[k - 1].endswith("'s")
        last = word.endswith("'s") or not any(proper[k + 1 : k + 2])
        surname = follows and (last or not found[-1])
        found.append(proper[k] and stem(word) in listed and not surname)
    return np.array(found)


# ------------------------------------------------------------- of a user's file


def read(path: str) -> Marked:
    """The sentences of a user's file: one per line, with a star before each name."""
    found = Marked([], [])
    for number, line in enumerate(read_text(path).split("\n"), 1):
        words: list[str] = []
        places: list[bool] = []
        star = False
        for word in _WORD.findall(line):
            if star and not word[0].isalpha():
                raise _wrong_star(path, number, line, "a star without a name")
            if word != "*":
                words.append(word)
                places.append(star)
            star = word == "*"
        if star:
            raise _wrong_star(path, number, line, "a star at the end of the line")
        if len(words) > LONGEST:
            raise DataError(
                f"{path}, line {number}: too long a sentence",
                expect=f"at most {LONGEST:,} words and marks",
                actual=f"{len(words):,}: {line.strip()[:40]} ...",
                hint="one sentence a line",
            )
        if words:
            found.words.append(words)
            found.places.append(np.array(places))
    if len(found.words) < 10:
        raise DataError(
            f"{path}: too few sentences to learn from",
            expect="10 or more, one a line",
            actual=str(len(found.words)),
            hint="a longer file",
        )
    return found


def _wrong_star(path: str, number: int, line: str, what: str) -> DataError:
    return DataError(
        f"{path}, line {number}: {what}",
        expect="a word right after the star, as in *Tom",
        actual=line.strip()[:60],
        hint="use a star only to mark a name",
    )
