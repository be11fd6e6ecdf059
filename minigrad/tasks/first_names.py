"""First names: predicts the next letter of a name, and makes up new names.

Read next: `name_lists.py`.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, ClassVar, NamedTuple

import numpy as np

import minigrad as mg
from minigrad import models
from minigrad.data.files import read_as
from minigrad.engine.errors import DataError
from minigrad.engine.functions import log_softmax
from minigrad.engine.scope import no_grad
from minigrad.engine.tensor import Tensor
from minigrad.tasks.baselines import NGram
from minigrad.tasks.known_words import strangers, vocabulary_for
from minigrad.tasks.name_lists import LONGEST, NameList, read_names
from minigrad.tasks.sequences import bucketed, padded, portions
from minigrad.tasks.statistics import paired
from minigrad.tasks.task import Prepared, Section, Table, Task, Trained, first_askable
from minigrad.tasks.task_options import Option, common
from minigrad.tasks.writing import QUESTIONS, continued, suggestions

END = 0  # stands before and after a name: the number of padding is free here
ORDER = 4  # of the n-grams: the best of 2 to 6 on the validation part


class Names(NamedTuple):
    """Some names, in lower case and as numbers: END, letters, END."""

    names: list[str]
    tokens: list[list[int]]


class FirstNames(Task):
    """The task of predicting names letter by letter."""

    name = "first-names"
    help = "which letter comes next in a first name, and new names"
    example = "Mar"
    file = "one name a line, or a table in which a column is called name"
    options = (
        *common(cell="gru", hidden=96, dropout=0.3, epochs=20, lr=5e-3, batch_size=64),
        Option("embedding", 24, "numbers per letter", least=1),
    )
    questions = tuple(o for o in QUESTIONS if o.name != "length")
    monitor = "bits"
    units: ClassVar = {"bits": "{:.3f}"}
    learned = "Cross-entropy in nats, with dropout; 1 nat is 1.44 bits."

    def prepare(
        self, settings: SimpleNamespace, known: dict[str, Any] | None = None
    ) -> Prepared:
        """Different names in parts of 80, 10 and 10 %."""
        path = settings.data
        given = _shipped() if path is None else read_names(path, settings.encoding)
        train, validation, test = _parts(given.names)
        letters = vocabulary_for("letters", known, ([*name] for name in train))

        def part(names: list[str]) -> Names:
            tokens = [[END, *letters.encode([*name]), END] for name in names]
            return Names(names, tokens)

        parts = [part(names) for names in (train, validation, test)]
        lines = [
            *read_as(given.notes),
            f"{len(given.names):,} different names: {len(train):,} for training, "
            f"{len(validation):,} to choose the epoch, {len(test):,} held out.",
            f"{len(letters) - 2} different letters, all in lower case; the end of a "
            "name counts as one more letter.",
            *strangers(known, ([*t[1:-1]] for t in parts[0].tokens), "letters"),
        ]
        example = None if path is None else first_askable(n[:3] for n in test)
        reading = {"letters": letters}
        return Prepared(parts[0], parts[1], parts[2], reading, lines, example)

    def configure(self, settings: SimpleNamespace, data: Prepared) -> dict[str, Any]:
        """The arguments of `LanguageModel`."""
        return {
            "tokens": len(data.reading["letters"]),
            "kind": settings.cell,
            "embedding_size": settings.embedding,
            "hidden_size": settings.hidden,
            "num_layers": settings.layers,
            "dropout": [0.0, settings.dropout],
        }

    def build(self, config: dict[str, Any], weights: Any, noise: Any) -> Any:
        """A `LanguageModel`."""
        return models.LanguageModel(**config, rng=weights, noise=noise)

    def batches(self, data: Prepared, settings: SimpleNamespace, rng: Any) -> Any:
        """Names of similar length."""
        return bucketed(data.train.tokens, size=settings.batch_size, rng=rng)

    def ready(self, batch: Any) -> Any:
        """Tokens (T, B) and their mask."""
        return padded(batch)

    def loss(self, model: Any, batch: Any) -> Tensor:
        """The mean cross-entropy of a letter, in nats; padding does not count."""
        tokens, mask = batch
        logits, _ = model(tokens[:-1], mask=mask[1:])
        return mg.losses.cross_entropy(logits, tokens[1:], mask=mask[1:])

    def evaluate(
        self, model: Any, part: Names, reading: dict[str, Any]
    ) -> dict[str, float]:
        """Bits per letter, the end of each name among them."""
        return {"bits": float(np.concatenate(bits(model, part)).mean())}

    def baselines(self, data: Prepared) -> dict[str, dict[str, float]]:
        """The n-grams, and how often each letter occurs."""
        return {
            f"{n}-grams, Kneser-Ney" if n > 1 else "how often each letter occurs": {
                "bits": float(np.concatenate(_counted(data, n)).mean())
            }
            for n in (ORDER, 1)
        }

    def examples(self, trained: Trained, data: Prepared) -> list[Section]:
        """The comparison with n-grams, and names that the network invented."""
        ours, theirs = (
            [np.array([b.sum(), len(b)]) for b in each]
            for each in (bits(trained.model, data.test), _counted(data, ORDER))
        )
        first, second = np.array(ours), np.array(theirs)

        def gain(rows: np.ndarray) -> float:
            letters = first[rows, 1].sum()
            return (first[rows, 0].sum() - second[rows, 0].sum()) / letters

        found = paired(gain, len(first))
        line = (
            f"The network minus {ORDER}-grams with Kneser-Ney smoothing, which saw the "
            "same names: " + found.told("bits per letter", f"{len(first)} names")
        )
        return [
            Section("Compared with counting", lines=[line]),
            *self.predict(trained, ""),
            *self.example_answered(trained, data),
        ]

    def predict(
        self,
        trained: Trained,
        text: str,
        **asked: Any,
    ) -> list[Section]:
        """The likeliest next letters, and names that begin so.

        For a model of the package's names it also says which names were in the
        training part; a user's own file may no longer exist.
        """
        question = SimpleNamespace(temperature=0.8, top=8, seed=0)
        vars(question).update(asked)
        start = text.strip().lower()
        if len(start) > LONGEST:
            raise DataError(
                "predict first-names: longer than a name",
                expect=f"at most {LONGEST} letters",
                actual=f"{len(start):,}",
                hint="give the beginning of one name",
            )
        letters = trained.reading["letters"]
        tokens = [END, *(letters.encode([*start], need_known=True) if start else [])]
        shipped = trained.settings.data is None
        learned = set(_parts(_shipped().names)[0]) if shipped else set()
        found = suggestions(trained.model, tokens, question.top, end=END)
        rows = [[letters.words[k] if k else "(end)", f"{p:.1%}"] for k, p in found]
        made: list[str] = []
        for seed in range(question.seed, question.seed + 50):
            drawn = continued(
                trained.model, tokens, LONGEST, question.temperature, seed, end=END
            )
            name = start + "".join(letters.words[k] for k in drawn)
            if name not in made:
                made.append(name)
        names = [
            [name.capitalize(), *([_kind(name in learned)] if shipped else [])]
            for name in made[:10]
        ]
        after = f"After {start.capitalize()}" if start else "At the start of a name"
        return [
            Section(
                after,
                tables=[
                    Table("The next letter", ["letter", "probability"], rows),
                    Table("New names", ["name", ""][: 1 + shipped], names),
                ],
            )
        ]


def bits(model: Any, part: Names) -> list[np.ndarray]:
    """-log2 p of each letter and of the end, one array per name."""
    found: list[Any] = [None] * len(part.tokens)
    with no_grad():
        for rows, tokens, mask in portions(part.tokens):
            logits, _ = model(tokens[:-1], mask=mask[1:])
            chances = log_softmax(logits).data / np.log(2)
            each = -np.take_along_axis(chances, tokens[1:, :, None], axis=2)[..., 0]
            for column, row in enumerate(rows):
                found[row] = each[mask[1:, column], column]
    return found


def _parts(names: list[str]) -> Any:
    """The names to learn from, to choose the epoch by, and held out."""
    return mg.data.split(names, (0.8, 0.1, 0.1), rng=0)


def _shipped() -> NameList:
    return NameList(sorted({n.lower() for n in mg.data.first_names().names}), [])


def _kind(learned: bool) -> str:
    return "in the training data" if learned else "new"


def _counted(data: Prepared, order: int) -> list[np.ndarray]:
    counts = NGram(data.train.tokens, order, len(data.reading["letters"]))
    return [counts.bits([name], skip=1) for name in data.test.tokens]
