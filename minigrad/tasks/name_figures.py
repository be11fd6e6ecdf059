"""Measures how well names are found, and compares with lists and one direction.

Read next: `translation.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from minigrad.engine.primitives.elementwise import sigmoid
from minigrad.engine.scope import no_grad
from minigrad.tasks.name_filling import ANYTHING, KNOWN, ORDINARY, Filled, Names
from minigrad.tasks.name_labels import stem
from minigrad.tasks.sequences import by_length
from minigrad.tasks.spelling import Reader
from minigrad.tasks.statistics import f1, paired
from minigrad.tasks.task import Section, Table

LIMIT = 0.4  # chance from which a word is given as a name: by the validation part
SHOWN = 8  # sentences
LABELS = (
    "How the labels were made: in Alice all first names are known. In the reviews a "
    "word counts as a first name if it has a capital letter and is on the census list, "
    "and if it is not an ordinary word there, a place, a day or a title. Of several "
    "names in a row, the last one is a surname and does not count."
)
LIMITS = (
    " The labels have limits: surnames do not count, but many are spelled like first "
    "names; and first names that are not on the census list (Otar, Gianni) have the "
    "wrong label, so a model that finds them is counted as wrong."
)


def chances(
    model: Any, sentences: list[list[str]], reading: dict[str, Any]
) -> list[np.ndarray]:
    """The probability that each word is a name, one array per sentence."""
    reader = Reader(reading)
    found: list[Any] = [None] * len(sentences)
    with no_grad():
        for rows in by_length(sentences):
            numbers = reader.numbers([sentences[k] for k in rows])
            values = sigmoid(model(*numbers)).data
            for column, row in enumerate(rows):
                found[row] = values[numbers.mask[:, column], column]
    return found


def figures(given: np.ndarray, wanted: np.ndarray) -> dict[str, float]:
    """F1, precision and recall of booleans, one per word."""
    right = float((given & wanted).sum())
    return {
        "F1": f1(given, wanted),
        "precision": right / max(given.sum(), 1),
        "recall": right / max(wanted.sum(), 1),
    }


def about_lists(ordinary: Sequence[str]) -> Section:
    """A section of text: what looking words up in lists can do, and what it cannot.

    ordinary  the held-out names that are also ordinary words
    """
    told = (
        "The list of training names has the names that the network learned from, and "
        "none of the held-out names. The list of all names has both; a real list would "
        "not have the names of the future. But In, My and So are also on this list, so "
        "it takes them for names everywhere. If the words that the training text has "
        "in lower case are removed, the list makes fewer mistakes"
    )
    missed = ", but it misses every Will and May" if ordinary else ""
    return Section("Compared with lists of names", lines=[f"{told}{missed}."])


def listed(part: Filled, names: Iterable[str]) -> np.ndarray:
    """Which words are on a list of names, with or without 's."""
    known = set(names)
    return np.array([stem(word) in known for s in part.words for word in s])


def compared(
    part: Filled, both: list[np.ndarray], one: np.ndarray, ordinary: Iterable[str]
) -> Section:
    """Two directions compared with one: F1 over sentences, and by kind of name.

    both      chances in both directions, per sentence
    one       what is given in one direction, over all words
    ordinary  the names that are ordinary words too
    """
    given, wanted = np.concatenate(both) > LIMIT, np.concatenate(part.places)
    ends = np.cumsum([len(words) for words in part.words])[:-1]
    by_sentence = [np.split(values, ends) for values in (given, one, wanted)]

    def gain(rows: np.ndarray) -> float:
        ours, theirs, truth = (
            np.concatenate([values[k] for k in rows]) for values in by_sentence
        )
        return f1(ours, truth) - f1(theirs, truth)

    found = paired(gain, len(both), draws=300)
    words_too = listed(part, ordinary)
    kinds = [
        (title, kind)
        for title, kind in (
            ("names that are not ordinary words", wanted & ~words_too),
            ("names that are also ordinary words", wanted & words_too),
        )
        if kind.any()
    ]
    rows = [
        [title, int(kind.sum()), f"{given[kind].mean():.0%}", f"{one[kind].mean():.0%}"]
        for title, kind in kinds
    ]
    header = ["", "held out", "found in both directions", "in one"]
    return Section(
        "Does it help to know what follows?",
        lines=[
            "F1 in both directions minus F1 in one: "
            + found.told("", f"{len(both):,} sentences")
        ],
        tables=[Table("By kind of name", header, rows)] if rows else [],
    )


def tagged(part: Filled, found: list[np.ndarray]) -> Section:
    """Some held-out sentences, with brackets around what the model calls a name."""
    having = [k for k, places in enumerate(part.places) if places.any()]
    rng = np.random.default_rng(0)
    rows = []
    for k in rng.choice(having, min(SHOWN, len(having)), replace=False):
        words = part.words[k]
        given = [
            f"[{w}]" if p > LIMIT else w for w, p in zip(words, found[k], strict=True)
        ]
        names = [w for w, name in zip(words, part.places[k], strict=True) if name]
        rows.append([" ".join(given), ", ".join(names)])
    table = Table(
        "In brackets: what the model calls a name", ["sentence", "names"], rows
    )
    return Section("Some held-out sentences", tables=[table])


def described(
    rows: Sequence[np.ndarray], test: Filled, names: list[Names], shipped: bool
) -> list[str]:
    """Paragraphs: what the data are, how the labels were made, what this can show.

    rows     the numbers of the sentences that train, choose the epoch, are held out
    shipped  are they the package's sentences, or a user's?
    """
    train, choose, held_out = (len(part) for part in rows)
    share = np.concatenate(test.places).mean()
    known, _, later = names
    made, limits = (LABELS, LIMITS) if shipped else ("The file marks the names.", "")
    made += " Random first names from the census are put in their places."
    if later.ordinary:
        made += (
            f" One name in {1 / ORDINARY:g} is also an ordinary word (Will, May, "
            f"Grace): {len(known.ordinary)} of these are used in training, "
            f"{len(later.ordinary)} are held out."
        )
    return [
        f"{train + choose + held_out:,} sentences: {train:,} for training, "
        f"{choose:,} to choose the epoch, {held_out:,} held out. {share:.1%} of the "
        "held-out words and marks are names.",
        f"{made} All letters are in lower case.",
        f"{len(known.all()):,} names are used in training, {len(later.all()):,} are "
        f"held out. The {KNOWN} most frequent women's names and men's names that are "
        "not ordinary words are all used in training, so the network knows everyday "
        f"names. In training, one place in {1 / ANYTHING:g} gets any word of the text, "
        "because any word may be a name. No held-out name is in another part, and no "
        "held-out sentence either, unless the text repeats it.",
        "What this measures: how well a new first name is recognised by its spelling "
        "and by the words around it, in sentences of this kind. It does not show that "
        "names are found as well in other texts or languages." + limits,
    ]
