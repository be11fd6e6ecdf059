"""Is this word a name? Tagging every word, with what follows and without it.

The labels are made, not found: in sentences of Alice's Adventures in Wonderland and of
film reviews the places of first names are known by their capital letters, and every
time a sentence is read another name stands there. All is in lower case, and hardly any
name is in the vocabulary, so that the network has to tell a name by its place.

Read next: `models/tagging.py` (the network).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, ClassVar, NamedTuple

import numpy as np

import minigrad as mg
from minigrad.data import Vocabulary, tokenize
from minigrad.data.files import LONGEST, read_text
from minigrad.errors import DataError
from minigrad.optim import AdamW
from minigrad.recurrent import models
from minigrad.scope import no_grad
from minigrad.tasks.base import Prepared, Section, Table, Task, Trained
from minigrad.tasks.options import Option, common
from minigrad.tasks.sequences import bucketed, padded, portions
from minigrad.tasks.statistics import paired
from minigrad.tensor import Tensor
from minigrad.training import Trainer, generators
from minigrad.training.schedules import cosine

PEOPLE = frozenset(
    "Alice Bill Dinah William Mary Ann Mabel Pat Ada Elsie Lacie Tillie Edwin "
    "Edgar".split()
)  # first names of the book; the Queen, the Hatter and the Cat have none
WITHOUT = 300  # review sentences without a name, beside those that have one
ORDINARY = 0.2  # of the names drawn are ordinary words too: Will, May, Grace
SELDOM = 3  # a listed word seen less often in lower case is no ordinary word
LIMIT = 0.3  # chance from which a word is given as a name: by the validation part
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*|[^\w\s]")


class Marked(NamedTuple):
    """Sentences with places for names.

    words  per sentence, in lower case; places  True where a name stands
    """

    words: list[list[str]]
    places: list[np.ndarray]

    def rows(self, chosen: Any) -> Marked:
        """Some of the sentences, by their numbers."""
        words = [self.words[k] for k in chosen]
        return Marked(words, [self.places[k] for k in chosen])


class Filled(NamedTuple):
    """Sentences with a name drawn for each place: words, and which are names."""

    words: list[list[str]]
    tokens: list[np.ndarray]
    places: list[np.ndarray]


class Names(NamedTuple):
    """Names to draw from: those that are nothing else, and those that are words too."""

    proper: list[str]
    ordinary: list[str]

    def draw(self, count: int, rng: np.random.Generator) -> list[str]:
        """Some names; every fifth is an ordinary word too."""
        kinds = [self.proper, self.ordinary if self.ordinary else self.proper]
        which = (rng.random(count) < ORDINARY).astype(int)
        return [str(rng.choice(kinds[k])) for k in which]


class Refilled:
    """The training sentences, with new names in every epoch."""

    def __init__(
        self, marked: Marked, names: Names, vocabulary: Vocabulary, size: int, rng: Any
    ) -> None:
        self.rng = rng
        self._marked, self._names, self._vocabulary = marked, names, vocabulary
        self._rows = bucketed(
            marked.words, list(range(len(marked.words))), size=size, rng=rng
        )

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Filled]:
        for _, rows in self._rows:
            part = self._marked.rows(rows)
            yield filled(part, self._names, self._vocabulary, self.rng)


class NameTagging(Task):
    """Whether each word is a name, by a network that reads in both directions."""

    name = "name-tagging"
    help = "which words of a sentence are names, in both directions or in one"
    example = "Army core told: Major Tom is a great battle commander"
    file = "text, one sentence a line, a star before each name: then *Tom came"
    options = (
        *common(hidden=32, dropout=0.3, epochs=10, lr=1e-2, batch_size=16),
        Option("embedding", 32, "numbers per word", least=1),
        Option("min_count", 3, "words seen less often are unknown", least=1),
        Option("directions", 2, "2: what follows a word counts too", least=1, below=3),
    )
    monitor = "F1"
    better = "higher"
    units: ClassVar = dict.fromkeys(("F1", "precision", "recall"), "{:.3f}")

    def prepare(self, settings: SimpleNamespace) -> Prepared:
        """Sentences in parts of 70, 10 and 20 %, and names in two parts."""
        marked = _shipped() if settings.data is None else _read(settings.data)
        rows = mg.data.split(len(marked.words), (0.7, 0.1, 0.2), rng=0)
        train, validation, test = (marked.rows(part) for part in rows)
        if not any(places.any() for places in train.places):
            raise DataError(
                "name-tagging: no word of the training part is marked as a name",
                expect="a star before each name: then *Tom came",
                actual="no star",
                hint="mark the names, in most sentences",
            )
        plain = [
            [w for w, name in zip(*pair, strict=True) if not name]
            for pair in zip(train.words, train.places, strict=True)
        ]
        vocabulary = Vocabulary(plain, min_count=settings.min_count)
        listed = sorted({name.lower() for name in mg.data.first_names().names})
        some, others = mg.data.split(listed, (0.8, 0.2), rng=0)
        names = [_kinds(part, vocabulary) for part in (some, others)]
        later = [
            filled(part, names[1], vocabulary, np.random.default_rng(k))
            for k, part in enumerate((validation, test))
        ]
        share = np.concatenate(test.places).mean()
        lines = [
            f"{len(marked.words):,} sentences, of which {len(train.words):,} train, "
            f"{len(validation.words):,} choose the epoch, {len(test.words):,} are held "
            f"out. {share:.1%} of the held-out words and marks are names.",
            "How the labels were made: a name is a capitalised word on the list of "
            "names in Alice, and in reviews one on the census list of first names "
            "that is not the first of its sentence and no ordinary word there. Its "
            "place is then filled with a name drawn at random, one in "
            f"{1 / ORDINARY:g} of them an ordinary word too (Will, May, Grace). "
            "Sentences and names of the held-out part are in no other part; all "
            "letters are small.",
            "What that proves: that the place of a name in such sentences can be told "
            "from the words around it. It does not prove that other people's names, "
            "or surnames and places, are found in other texts; and where the list is "
            "wrong about a review (a title, a foreign name) so is the label.",
        ]
        reading = {"words": vocabulary}
        return Prepared((train, names[0]), later[0], later[1], reading, lines)

    def configure(self, settings: SimpleNamespace, data: Prepared) -> dict[str, Any]:
        """The arguments of `WordTagger`."""
        self._settings = settings
        return {
            "words": len(data.reading["words"]),
            "kind": settings.cell,
            "bidirectional": settings.directions == 2,
            "embedding_size": settings.embedding,
            "hidden_size": settings.hidden,
            "num_layers": settings.layers,
            "dropout": settings.dropout,
        }

    def build(self, config: dict[str, Any], weights: Any, noise: Any) -> Any:
        """A `WordTagger`."""
        return models().WordTagger(**config, rng=weights, noise=noise)

    def batches(self, data: Prepared, settings: SimpleNamespace, rng: Any) -> Refilled:
        """Sentences of like length, with names drawn for this epoch."""
        marked, names = data.train
        words = data.reading["words"]
        return Refilled(marked, names, words, settings.batch_size, rng)

    def loss(self, model: Any, batch: Filled) -> Tensor:
        """The mean cross-entropy of a word."""
        tokens, mask = padded(batch.tokens)
        wanted, _ = padded([p.astype(int) for p in batch.places])
        logits = model(tokens, mask=mask)
        entropy = mg.losses.binary_cross_entropy
        return entropy(logits, wanted.astype("float32"), mask=mask)

    def evaluate(
        self, model: Any, part: Filled, reading: dict[str, Any]
    ) -> dict[str, float]:
        """F1, precision and recall of names, over all words."""
        given = np.concatenate(chances(model, part.tokens)) > LIMIT
        return _figures(given, np.concatenate(part.places))

    def baselines(self, data: Prepared) -> dict[str, dict[str, float]]:
        """The same network in one direction; the list of names; unknown words."""
        wanted = np.concatenate(data.test.places)
        return {
            "in one direction": _figures(self._one_way(data), wanted),
            "all words on the list of names": _figures(_listed(data.test), wanted),
            "all unknown words": _figures(
                np.concatenate(data.test.tokens) == 1, wanted
            ),
        }

    def examples(self, trained: Trained, data: Prepared) -> list[Section]:
        """Two directions beside one, names that are words too, tagged sentences."""
        part = data.test
        each = chances(trained.model, part.tokens)
        given = np.concatenate(each) > LIMIT
        one, wanted = self._one_way(data), np.concatenate(part.places)
        ends = np.cumsum([len(t) for t in part.tokens])[:-1]
        by_sentence = [np.split(values, ends) for values in (given, one, wanted)]

        def gain(rows: np.ndarray) -> float:
            ours, theirs, truth = (
                np.concatenate([values[k] for k in rows]) for values in by_sentence
            )
            return _f1(ours, truth) - _f1(theirs, truth)

        found = paired(gain, len(each), draws=300)
        verdict = "a clear difference" if found.clear else "that may be chance"
        known = np.concatenate(part.tokens) > 1
        hard = wanted & known
        rows = [
            ["in both directions", f"{_share(given[hard]):.0%}"],
            ["in one direction", f"{_share(one[hard]):.0%}"],
        ]
        title = f"Found of {hard.sum()} names that are known as words (will, grace)"
        return [
            Section(
                "Does it help to know what follows?",
                lines=[
                    f"F1 in both directions {found.value:+.3f} beside one (paired "
                    f"bootstrap over {len(each)} sentences, 95 %: {found.low:+.3f} to "
                    f"{found.high:+.3f}): {verdict}."
                ],
                tables=[Table(title, ["", "found"], rows)] if hard.any() else [],
            ),
            _sentences(part, each),
            *self.example_answered(trained),
        ]

    def predict(self, trained: Trained, text: str) -> list[Section]:
        """The chance of each word to be a name."""
        words = tokenize(text)
        vocabulary = trained.reading["words"]
        tokens = np.array(vocabulary.encode(words, need_known=True))
        (found,) = chances(trained.model, [tokens])
        rows = [
            [
                word + ("" if word in vocabulary else " (unknown)"),
                f"{p:.0%}",
                "name" if p > LIMIT else "",
            ]
            for word, p in zip(words, found, strict=True)
        ]
        table = Table("Each word", ["word", "chance", ""], rows)
        return [Section(text, tables=[table])]

    def _one_way(self, data: Prepared) -> np.ndarray:
        """What a network in one direction gives, trained in the same way: booleans."""
        if getattr(self, "_known", (None,))[0] is not data:
            settings = SimpleNamespace(**vars(self._settings))
            config = {**self.configure(settings, data), "bidirectional": False}
            weights, order, noise = generators(settings.seed, "one", "way", "only")
            model = self.build(config, weights, noise)
            batches = self.batches(data, settings, order)
            trainer = Trainer(
                model,
                AdamW(model.parameters(), lr=settings.lr, weight_decay=0.0),
                self.loss,
                batches,
                epochs=settings.epochs,
                validate=lambda m: self.evaluate(m, data.validation, data.reading),
                better="higher",
                clip_norm=settings.clip_norm or None,
                schedule=cosine(settings.epochs * len(batches), last=0.02),
            )
            trainer.fit()
            found = np.concatenate(chances(model, data.test.tokens)) > LIMIT
            self._known = data, found
        return self._known[1]


# ------------------------------------------------------------- sentences and names


def filled(
    marked: Marked, names: Names, vocabulary: Vocabulary, rng: np.random.Generator
) -> Filled:
    """Sentences with names drawn for their places."""
    words, tokens = [], []
    for sentence, places in zip(*marked, strict=True):
        new = list(sentence)
        where = np.flatnonzero(places)
        for k, name in zip(where, names.draw(len(where), rng), strict=True):
            new[k] = name
        words.append(new)
        tokens.append(np.array(vocabulary.encode(new)))
    return Filled(words, tokens, list(marked.places))


def _kinds(names: list[str], vocabulary: Vocabulary) -> Names:
    return Names(
        [name for name in names if name not in vocabulary],
        [name for name in names if name in vocabulary],
    )


def _shipped() -> Marked:
    """Sentences of Alice, and of the film reviews."""
    listed = set(mg.data.first_names().names)
    paragraphs = re.split(r"\n\s*\n", mg.data.alice().replace("_", ""))
    book = [
        _WORD.findall(sentence)
        for paragraph in paragraphs
        for sentence in re.split(r"(?<=[.!?:;])\s+", " ".join(paragraph.split()))
    ]
    marked = [(s, [w in PEOPLE for w in s]) for s in book if len(s) > 2]
    reviews = [_WORD.findall(text) for text in mg.data.movie_reviews().texts]
    small = Counter(word for s in reviews for word in s if word.islower())
    with_names: list[Any] = []
    without: list[Any] = []
    for s in reviews:
        names = [w in listed and small[w.lower()] < SELDOM for w in s]
        names[:1] = [False]  # a capital there says nothing
        (with_names if any(names) else without).append((s, names))
    marked += with_names + without[:WITHOUT]
    return Marked(
        [[w.lower() for w in s] for s, _ in marked],
        [np.array(names) for _, names in marked],
    )


def _read(path: str) -> Marked:
    """Sentences of the user's: one a line, a star before each name."""
    found: list[tuple[list[str], list[bool]]] = []
    for number, line in enumerate(read_text(path).split("\n"), 1):
        words, places = [], []
        star = False
        for word in _WORD.findall(line):
            if word == "*" and not star:
                star = True
                continue
            if star and not word[0].isalpha():
                raise DataError(
                    f"{path}, line {number}: a star without a name",
                    expect="a word right after the star: *Tom",
                    actual=line.strip()[:60],
                    hint="stars mark names, and nothing else",
                )
            words.append(word.lower())
            places.append(star)
            star = False
        if star:
            raise DataError(
                f"{path}, line {number}: a star at the end of the line",
                expect="a word right after the star: *Tom",
                actual=line.strip()[:60],
                hint="stars mark names, and nothing else",
            )
        if len(words) > LONGEST:
            raise DataError(
                f"{path}, line {number}: too long a sentence",
                expect=f"at most {LONGEST:,} words and marks",
                actual=f"{len(words):,}: {line.strip()[:40]} ...",
                hint="one sentence a line",
            )
        if words:
            found.append((words, places))
    if len(found) < 10:
        raise DataError(
            f"{path}: too few sentences to learn from",
            expect="10 or more, one a line",
            actual=str(len(found)),
            hint="a longer file",
        )
    return Marked([w for w, _ in found], [np.array(p) for _, p in found])


# ------------------------------------------------------------- figures


def chances(model: Any, sentences: list[np.ndarray]) -> list[np.ndarray]:
    """The chance of each word to be a name, one array per sentence."""
    found: list[Any] = [None] * len(sentences)
    with no_grad():
        for rows, tokens, mask in portions(sentences):
            values = 0.5 * (1 + np.tanh(model(tokens, mask=mask).data / 2))
            for column, row in enumerate(rows):
                found[row] = values[mask[:, column], column]
    return found


def _figures(given: np.ndarray, wanted: np.ndarray) -> dict[str, float]:
    right = float((given & wanted).sum())
    return {
        "F1": _f1(given, wanted),
        "precision": right / max(given.sum(), 1),
        "recall": right / max(wanted.sum(), 1),
    }


def _f1(given: np.ndarray, wanted: np.ndarray) -> float:
    return float(2 * (given & wanted).sum() / max(given.sum() + wanted.sum(), 1))


def _share(values: np.ndarray) -> float:
    return float(values.mean()) if values.size else 0.0


def _listed(part: Filled) -> np.ndarray:
    names = {name.lower() for name in mg.data.first_names().names}
    return np.array([word in names for words in part.words for word in words])


def _sentences(part: Filled, found: list[np.ndarray]) -> Section:
    """Some held-out sentences, what is given as a name in brackets."""
    having = [k for k, places in enumerate(part.places) if places.any()]
    some = np.random.default_rng(0).choice(having, min(8, len(having)), replace=False)
    rows = []
    for k in some:
        words = part.words[k]
        given = [
            f"[{w}]" if p > LIMIT else w for w, p in zip(words, found[k], strict=True)
        ]
        names = [w for w, name in zip(words, part.places[k], strict=True) if name]
        rows.append([" ".join(given), ", ".join(names)])
    table = Table("In brackets: given", ["sentence", "names"], rows)
    return Section("Some held-out sentences", tables=[table])
