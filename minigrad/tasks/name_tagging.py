"""Name tagging: says for each word of a sentence whether it is a first name.

All text is in lower case, and no held-out name occurs in training. So a name has to be
recognised by its spelling and by the words around it. The task compares a network that
reads in both directions with one that reads in one direction.

The network is in `models/taggers.py`.

Read next: `name_labels.py` (its data).
"""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np

import minigrad as mg
from minigrad import models
from minigrad.data import Vocabulary, tokenize
from minigrad.engine.errors import DataError
from minigrad.engine.tensor import Tensor
from minigrad.tasks.name_figures import (
    LIMIT,
    about_lists,
    chances,
    compared,
    described,
    figures,
    listed,
    tagged,
)
from minigrad.tasks.name_filling import (
    Filled,
    Names,
    Refilled,
    filled,
    names_in_parts,
)
from minigrad.tasks.name_labels import Marked, ordinary_words, read, shipped
from minigrad.tasks.spelling import Numbers, Reader, pieces_of
from minigrad.tasks.task import Prepared, Section, Table, Task, Trained, first_askable
from minigrad.tasks.task_options import Option, common
from minigrad.tasks.task_trainer import trainer_of
from minigrad.training import generators

RARE = 3  # pieces of fewer different words have no vector


class NameTagging(Task):
    """Whether each word is a first name, by a network that reads in both directions."""

    name = "name-tagging"
    help = "which words of a sentence are first names"
    example = "Army core told: Major Tom is a great battle commander"
    file = "text, one sentence per line, with a star before each name: then *Tom came"
    options = (
        *common(cell="gru", hidden=32, dropout=0.3, epochs=4, lr=1e-2),
        Option("embedding", 32, "numbers per word, and per piece of a word", least=1),
        Option("longest", 4, "letters in a piece of a word, at most", 2, below=21),
        Option("word_dropout", 0.2, "share of words read as pieces only", below=1),
        Option("min_count", 3, "words seen less often are unknown", least=1),
        Option("directions", 2, "2: also read from the end", least=1, below=3),
    )
    monitor = "F1"
    better = "higher"
    learned = "Cross-entropy of a word in nats, with dropout."
    units: ClassVar = dict.fromkeys(("F1", "precision", "recall"), "{:.3f}")

    def prepare(self, settings: SimpleNamespace) -> Prepared:
        """Sentences and names in parts of 70, 10 and 20 %."""
        marked = shipped() if settings.data is None else read(settings.data)
        rows = mg.data.split(len(marked.words), (0.7, 0.1, 0.2), rng=0)
        train, validation, test = (marked.rows(part) for part in rows)
        if not any(places.any() for places in train.places):
            raise DataError(
                "name-tagging: no word of the training part is marked as a name",
                expect="a star before each name: then *Tom came",
                actual="no star",
                hint="mark the names, in most sentences",
            )
        names = names_in_parts(train)
        known, choosing, held_out = names
        reading = _reading(train, known, settings)
        # three times, with other names each time: less depends on chance
        thrice = validation.rows([*range(len(validation.words))] * 3)
        later = (
            filled(thrice, choosing, np.random.default_rng(0)),
            filled(test, held_out, np.random.default_rng(1)),
        )
        told = described(rows, later[1], names, settings.data is None)
        example = None if settings.data is None else first_askable(_with_names(test))
        return Prepared((train, names), *later, reading, told, example)

    def configure(self, settings: SimpleNamespace, data: Prepared) -> dict[str, Any]:
        """The arguments of `WordTagger`."""
        self._settings = settings
        return {
            "words": len(data.reading["words"]),
            "pieces": len(data.reading["pieces"]),
            "kind": settings.cell,
            "bidirectional": settings.directions == 2,
            "embedding_size": settings.embedding,
            "hidden_size": settings.hidden,
            "num_layers": settings.layers,
            "dropout": settings.dropout,
            "word_dropout": settings.word_dropout,
        }

    def build(self, config: dict[str, Any], weights: Any, noise: Any) -> Any:
        """A `WordTagger`."""
        return models.WordTagger(**config, rng=weights, noise=noise)

    def batches(self, data: Prepared, settings: SimpleNamespace, rng: Any) -> Refilled:
        """Sentences of similar length, with names drawn for this epoch."""
        marked, (known, *_) = data.train
        return Refilled(marked, known, Reader(data.reading), settings.batch_size, rng)

    def loss(self, model: Any, batch: tuple[Numbers, np.ndarray]) -> Tensor:
        """The mean cross-entropy of a word."""
        numbers, wanted = batch
        entropy = mg.losses.binary_cross_entropy
        return entropy(model(*numbers), wanted, mask=numbers.mask)

    def evaluate(
        self, model: Any, part: Filled, reading: dict[str, Any]
    ) -> dict[str, float]:
        """F1, precision and recall of names, over all words."""
        return figures(_given(model, part, reading), np.concatenate(part.places))

    def baselines(self, data: Prepared) -> dict[str, dict[str, float]]:
        """The same network in one direction; lists of names that are looked up."""
        marked, (known, *_) = data.train
        wanted = np.concatenate(data.test.places)
        census = {name.lower() for name in mg.data.first_names().names}
        lists = {
            "look-up: training names": known.all(),
            "look-up: all names, held-out too": census,
            "look-up: all but ordinary words": census - ordinary_words(marked.plain()),
        }
        return {
            "in one direction": figures(self._one_way(data), wanted),
            **{
                who: figures(listed(data.test, names), wanted)
                for who, names in lists.items()
            },
        }

    def examples(self, trained: Trained, data: Prepared) -> list[Section]:
        """Two directions compared with one, by kind of name; some tagged sentences."""
        _, (*_, held_out) = data.train
        each = chances(trained.model, data.test.words, trained.reading)
        return [
            about_lists(held_out.ordinary),
            compared(data.test, each, self._one_way(data), held_out.ordinary),
            tagged(data.test, each),
            *self.example_answered(trained, data),
        ]

    def predict(self, trained: Trained, text: str) -> list[Section]:
        """The probability that each word is a name."""
        words = tokenize(text)
        vocabulary = trained.reading["words"]
        vocabulary.encode(words, need_known=True)
        (found,) = chances(trained.model, [words], trained.reading)
        rows = [
            [
                word + ("" if word in vocabulary else " (unknown)"),
                f"{p:.0%}",
                "name" if p > LIMIT else "",
            ]
            for word, p in zip(words, found, strict=True)
        ]
        table = Table("Each word", ["word", "chance", ""], rows)
        line = f"Above {LIMIT:.0%}: a first name. All text is read in lower case."
        return [Section(text, lines=[line], tables=[table])]

    def _one_way(self, data: Prepared) -> np.ndarray:
        """What a network in one direction gives, trained in the same way: booleans."""
        if getattr(self, "_known", (None,))[0] is not data:
            settings = self._settings
            config = {**self.configure(settings, data), "bidirectional": False}
            weights, order, noise = generators(settings.seed, "one", "way", "only")
            model = self.build(config, weights, noise)
            batches = self.batches(data, settings, order)
            trainer_of(self, settings, data, model, batches).fit()
            self._known = data, _given(model, data.test, data.reading)
        return self._known[1]


def _given(model: Any, part: Filled, reading: dict[str, Any]) -> np.ndarray:
    """Which words the model takes for names: booleans, over all words."""
    return np.concatenate(chances(model, part.words, reading)) > LIMIT


def _with_names(part: Marked) -> Iterator[str]:
    """The sentences in which somebody is named."""
    pairs = zip(*part, strict=True)
    return (" ".join(words) for words, places in pairs if places.any())


def _reading(train: Marked, known: Names, settings: SimpleNamespace) -> dict[str, Any]:
    """The words and the pieces of words that have a vector of their own.

    Only familiar names have one. The others are read by their pieces, as the held-out
    names will be.
    """
    plain = [[word.lower() for word in words] for words in train.plain()]
    familiar = [[*known.familiar]] * settings.min_count
    different = {word for words in [*plain, known.all()] for word in words}
    pieces = [pieces_of(word, settings.longest) for word in sorted(different)]
    return {
        "words": Vocabulary(plain + familiar, min_count=settings.min_count),
        "pieces": Vocabulary(pieces, min_count=RARE),
        "longest": settings.longest,
    }
