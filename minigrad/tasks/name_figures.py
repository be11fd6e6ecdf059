"""How well names are found, beside lists and in one direction; what the data are.

Read next: `minigrad/trial/` (the gates of a trained model).
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
    "How the labels were made: in Alice the first names are known. In the reviews a "
    "first name has a capital letter, is on the census list, and is no ordinary word "
    "there, no place, day or title; of several names in a row the last is a surname "
    "and no first name."
)
LIMITS = (
    " Surnames are not wanted, and many are spelled like first names; first names that "
    "the census list lacks (Otar, Gianni) are labelled wrong, and who finds them is "
    "counted wrong."
)


def chances(
    model: Any, sentences: list[list[str]], reading: dict[str, Any]
) -> list[np.ndarray]:
    """The chance of each word to be a name, one array per sentence."""
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
    """What looking words up in lists can do, and what it cannot.

    ordinary  the names held out that are ordinary words too
    """
    told = (
        "The list of the training names holds what the network was taught, and none of "
        "the names held out. The list of all names holds these too, though no real "
        "list holds the names that are still to come; but In, My and So are on it, and "
        "are given wherever they stand. Without the words that the training text has "
        "in lower case it gives fewer wrong ones"
    )
    missed = ", but misses every Will and May" if ordinary else ""
    return Section("Beside lists of names", lines=[f"{told}{missed}."])


def listed(part: Filled, names: Iterable[str]) -> np.ndarray:
    """Which words are on a list of names, with or without 's."""
    known = set(names)
    return np.array([stem(word) in known for s in part.words for word in s])


def compared(
    part: Filled, both: list[np.ndarray], one: np.ndarray, ordinary: Iterable[str]
) -> Section:
    """Two directions beside one: F1 over sentences, and what kind of name is found.

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
            ("names that are nothing else", wanted & ~words_too),
            ("names that are ordinary words too", wanted & words_too),
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
    """Some held-out sentences with names, what is given as one in brackets."""
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
    table = Table("In brackets: what is given as a name", ["sentence", "names"], rows)
    return Section("Some held-out sentences", tables=[table])


def described(
    rows: Sequence[np.ndarray], test: Filled, names: list[Names], shipped: bool
) -> list[str]:
    """What the data are, how the labels were made, and what that proves.

    rows     the numbers of the sentences that train, choose the epoch, are held out
    shipped  are they the package's sentences, or a user's?
    """
    train, choose, held_out = (len(part) for part in rows)
    share = np.concatenate(test.places).mean()
    known, _, later = names
    made, limits = (LABELS, LIMITS) if shipped else ("The file marks the names.", "")
    made += " Their places are filled with first names of the census, drawn at random."
    if later.ordinary:
        made += (
            f" One name in {1 / ORDINARY:g} is an ordinary word too (Will, May, "
            f"Grace): {len(known.ordinary)} of these train, {len(later.ordinary)} are "
            "held out."
        )
    return [
        f"{train + choose + held_out:,} sentences, of which {train:,} train, "
        f"{choose:,} choose the epoch, {held_out:,} are held out. {share:.1%} of the "
        "held-out words and marks are names.",
        f"{made} All letters are in lower case.",
        f"{len(known.all()):,} names train, {len(later.all()):,} are held out. The "
        f"{KNOWN} most frequent of the women's and of the men's names that are not "
        "ordinary words all train, so that everyday names are known; and in training "
        f"one place in {1 / ANYTHING:g} gets any word of the text, for anything may be "
        "a name. No name of the held-out part is in another part, and no sentence "
        "either, unless the text repeats it.",
        "What this measures: how well a first name that was never seen is told by its "
        "spelling and by the words around it, in sentences of this kind. It does not "
        "show that names are found as well in other texts or languages." + limits,
    ]
