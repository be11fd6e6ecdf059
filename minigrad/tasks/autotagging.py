"""Autotagging: predicts the tags of a one-line description of a program.

The network is in `models/taggers.py`.

Read next: `described_programs.py` (its data).
"""

from __future__ import annotations

from functools import cached_property
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np

import minigrad as mg
from minigrad import models
from minigrad.data.files import read_as
from minigrad.engine.errors import DataError
from minigrad.engine.tensor import Tensor
from minigrad.tasks.baselines import LogisticRegression
from minigrad.tasks.described_programs import LEAST, Described, Tagged, read_tagged
from minigrad.tasks.known_words import seen, strangers, vocabulary_for
from minigrad.tasks.repeated_texts import repeated
from minigrad.tasks.sequences import bucketed, padded
from minigrad.tasks.statistics import f1, paired
from minigrad.tasks.tag_figures import always, chances, figures, of_tag
from minigrad.tasks.task import (
    Prepared,
    Section,
    Table,
    Task,
    Trained,
    enough,
    first_askable,
)
from minigrad.tasks.task_options import Option, common

MOST_TAGS = 1000


class Autotagging(Task):
    """The task of giving several tags to a text, such as a program's purpose."""

    name = "autotagging"
    help = "which tags go with a text, several at once"
    example = "graphical viewer for chess games"
    file = (
        "columns text and tags (CSV or TSV), the tags with commas, semicolons or bars "
        "between them, or as lists; a text may have none"
    )
    options = (
        *common(
            hidden=48, dropout=0.8, epochs=18, batch_size=64, lr=1e-2, clip_norm=5.0
        ),
        Option("embedding", 200, "numbers per word", least=1),
        Option("word_dropout", 0.25, "share of words hidden while training", below=1),
        Option("min_count", 2, "words seen less often are unknown", least=1),
        Option("threshold", 0.35, "give a tag from this probability on", below=1),
        Option(
            "separator",
            None,
            "what stands between the tags of your file",
            unsaid="as the file shows",
        ),
    )
    remembered = ("min_count",)
    monitor = "micro F1"
    better = "higher"
    learned = "Cross-entropies of a text's tags, added up, in nats, with dropout."
    units: ClassVar = {"micro F1": "{:.3f}", "macro F1": "{:.3f}"}

    def prepare(
        self, settings: SimpleNamespace, known: dict[str, Any] | None = None
    ) -> Prepared:
        """Parts of 68, 12 and 20 %; tags are those of the training part."""
        texts, tags, notes = (
            Tagged(*mg.data.program_tags(), [])
            if settings.data is None
            else read_tagged(settings.data, settings.encoding, settings.separator)
        )
        enough(settings.data, "descriptions", len(texts), LEAST)
        rows, test = mg.data.split(len(texts), (0.8, 0.2), rng=0)
        train, validation = mg.data.split(rows, (0.85, 0.15), rng=1)
        names = sorted({tag for k in train for tag in tags[k]})
        if known is not None:
            names, others = known["tags"], set(names) - set(known["tags"])
            notes += _left_out(others, names)
        if not 2 <= len(names) <= MOST_TAGS:
            raise DataError(
                "autotagging: the number of different tags",
                expect=f"2 to {MOST_TAGS}",
                actual=f"{len(names)}",
                hint="tags stand in one column, with commas between them",
            )
        vocabulary = vocabulary_for(
            "words", known, (texts[k] for k in train), settings.min_count
        )
        columns = {name: column for column, name in enumerate(names)}

        def described(rows: np.ndarray) -> Described:
            table = np.zeros((len(rows), len(names)), bool)
            for row, k in enumerate(rows):
                table[row, [columns[tag] for tag in tags[k] if tag in columns]] = True
            chosen = [texts[k] for k in rows]
            tokens = [vocabulary.encode(t) or [1] for t in chosen]
            return Described(chosen, tokens, table)

        parts = [described(rows) for rows in (train, validation, test)]
        reading = {
            "words": vocabulary,
            "tags": names,
            "threshold": settings.threshold,
        }
        without = sum(not each for each in tags)
        lines = [
            *read_as(notes),
            f"{len(texts):,} descriptions with {len(names)} different tags, "
            f"{np.mean([len(t) for t in tags]):.1f} per text on average: "
            f"{len(train):,} for training, {len(validation):,} to choose the epoch, "
            f"{len(test):,} held out.",
            f"{len(vocabulary) - 2:,} words, {seen(known, settings.min_count)}. A tag "
            f"is given if its chance is above {settings.threshold:g}.",
            *strangers(known, parts[0].tokens, "words"),
        ]
        if without:
            lines.append(f"{without:,} have no tag: examples of none of them.")
        if settings.data is None:
            lines.append(
                "Programs of one family read nearly alike and may stand on both sides: "
                "that flatters every method a little. A tag that is absent may merely "
                "not have been given by anyone."
            )
        example = None if settings.data is None else first_askable(parts[2].texts)
        cautions = repeated(parts[0].texts, parts[2].texts, "descriptions")
        return Prepared(parts[0], parts[1], parts[2], reading, lines, example, cautions)

    def configure(self, settings: SimpleNamespace, data: Prepared) -> dict[str, Any]:
        """The arguments of `TextTagger`."""
        return {
            "words": len(data.reading["words"]),
            "tags": len(data.reading["tags"]),
            "kind": settings.cell,
            "embedding_size": settings.embedding,
            "hidden_size": settings.hidden,
            "num_layers": settings.layers,
            "dropout": settings.dropout,
            "word_dropout": settings.word_dropout,
        }

    def build(self, config: dict[str, Any], weights: Any, noise: Any) -> Any:
        """A `TextTagger`."""
        return models.TextTagger(**config, rng=weights, noise=noise)

    def batches(self, data: Prepared, settings: SimpleNamespace, rng: Any) -> Any:
        """Descriptions of similar length, and their tags."""
        part = data.train
        wanted = part.tags.astype("float32")
        return bucketed(part.tokens, wanted, size=settings.batch_size, rng=rng)

    def ready(self, batch: Any) -> Any:
        """Tokens (T, B), their mask, and the tags (B, tags) to be given."""
        sequences, wanted = batch
        return *padded(sequences), wanted

    def loss(self, model: Any, batch: Any) -> Tensor:
        """The cross-entropies of all tags of a text, summed; the mean over texts."""
        tokens, mask, wanted = batch
        logits = model(tokens, mask=mask)
        total = mg.losses.binary_cross_entropy(logits, wanted, reduction="sum")
        return total / float(len(wanted))

    def evaluate(
        self, model: Any, part: Described, reading: dict[str, Any]
    ) -> dict[str, float]:
        """F1 over all tags given (micro), and the mean of the tags' own (macro)."""
        return figures(chances(model, part) > reading["threshold"], part.tags)

    def baselines(self, data: Prepared) -> dict[str, dict[str, float]]:
        """TF-IDF with logistic regression; always the most frequent tags."""
        frequent = np.argsort(-data.train.tags.sum(axis=0))
        best = max(
            range(1, len(frequent) + 1),
            key=lambda n: f1(always(frequent[:n], data.train.tags), data.train.tags),
        )
        given = always(frequent[:best], data.test.tags)
        return {
            "TF-IDF, logistic regression": figures(self._weighed(data), data.test.tags),
            f"always the {best} most frequent": figures(given, data.test.tags),
        }

    def examples(self, trained: Trained, data: Prepared) -> list[Section]:
        """The comparison with TF-IDF, the figures of each tag, some descriptions."""
        part, reading = data.test, trained.reading
        given = chances(trained.model, part) > reading["threshold"]
        theirs = self._weighed(data)

        def gain(rows: np.ndarray) -> float:
            wanted = part.tags[rows]
            return f1(given[rows], wanted) - f1(theirs[rows], wanted)

        found = paired(gain, len(given), draws=1000)
        rows = [
            [
                tag,
                int(part.tags[:, k].sum()),
                *(f"{x:.2f}" for x in of_tag(given[:, k], part.tags[:, k])),
                f"{of_tag(theirs[:, k], part.tags[:, k])[2]:.2f}",
            ]
            for k, tag in enumerate(reading["tags"])
        ]
        header = ["tag", "held out", "precision", "recall", "F1", "F1 of TF-IDF"]
        count = min(8, len(part.texts))
        some = np.random.default_rng(0).choice(len(part.texts), count, replace=False)
        shown = [
            [part.texts[k], _names(given[k], reading), _names(part.tags[k], reading)]
            for k in some
        ]
        return [
            Section(
                "Compared with words without order",
                lines=[
                    "The network minus TF-IDF with logistic regression: "
                    + found.told("micro F1", f"{len(given):,} descriptions")
                ],
            ),
            Section("Each tag", tables=[Table("Held out", header, rows)]),
            Section(
                "Some held-out descriptions",
                tables=[Table("Examples", ["text", "given", "wanted"], shown)],
            ),
        ]

    def predict(self, trained: Trained, text: str) -> list[Section]:
        """The likeliest tags and their probabilities."""
        tokens = trained.reading["words"].encode(text, need_known=True)
        part = Described([text], [tokens], np.zeros((1, 0)))
        found = chances(trained.model, part)[0]
        limit = trained.reading["threshold"]
        order = np.argsort(-found)
        shown = [k for k in order if found[k] > limit] or list(order[:3])
        rows = [[trained.reading["tags"][k], f"{found[k]:.0%}"] for k in shown]
        title = "Tags" if found.max() > limit else f"None above {limit:.0%}; nearest"
        return [Section(text, tables=[Table(title, ["tag", "chance"], rows)])]

    def _weighed(self, data: Prepared) -> np.ndarray:
        """The tags given by TF-IDF with logistic regression: booleans (n, K).

        C = 3 and the limit of 0.27, logit -1, were the best on the validation part.
        """
        if id(data) not in self._known:
            model = LogisticRegression(data.train.texts, data.train.tags, C=3.0)
            self._known[id(data)] = model.logits(data.test.texts) > -1.0
        return self._known[id(data)]

    @cached_property
    def _known(self) -> dict[int, np.ndarray]:
        return {}


def _names(row: np.ndarray, reading: dict[str, Any]) -> str:
    return ", ".join(np.array(reading["tags"])[row]) or "none"


def _left_out(others: set[str], names: list[str]) -> list[str]:
    """Which tags of a file a model that is trained further cannot give, in words."""
    if not others:
        return []
    shown = ", ".join(sorted(others)[:5]) + ", ..." * (len(others) > 5)
    return [
        f"{len(others):,} tags that are not among the {len(names):,} of the model left "
        f"out ({shown})"
    ]
