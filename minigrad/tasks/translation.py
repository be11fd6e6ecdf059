"""Translation: an encoder and a decoder, from English to German or as a file says.

The network is in `models/translator.py`.

Read next: `sentence_pairs.py` (its data).
"""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, ClassVar

import minigrad as mg
from minigrad import models
from minigrad.data.files import read_as
from minigrad.engine.errors import DataError
from minigrad.engine.tensor import Tensor
from minigrad.tasks.known_words import seen, strangers, vocabulary_for
from minigrad.tasks.sentence_pairs import (
    BEGIN,
    END,
    LONGEST,
    Part,
    part_of,
    read_pairs,
    shipped,
    source_words,
    split_rows,
    target_words,
)
from minigrad.tasks.sequences import bucketed, padded
from minigrad.tasks.task import (
    Prepared,
    Section,
    Table,
    Task,
    Trained,
    first_askable,
)
from minigrad.tasks.task_options import Option, common
from minigrad.tasks.translation_figures import (
    exact_of,
    figures,
    intervals,
    metric,
    plain,
    text_of,
    translated,
)
from minigrad.tasks.translation_search import POWER, translations
from minigrad.tasks.translation_views import views

KINDS = ("additive", "multiplicative", "none")
NEAREST = "nearest training sentence"


class Translation(Task):
    """The task of translating short sentences: see the module."""

    name = "translation"
    help = "translate short sentences, with attention or without"
    example = "Where is my car?"
    file = (
        "two columns, a sentence and its translation, with tabs between them (or "
        "semicolons, bars, commas); a header may be there, other columns are not read"
    )
    options = (
        *(
            o._replace(choices=("gru", "lstm")) if o.name == "cell" else o
            for o in common(
                cell="gru",
                hidden=128,
                dropout=0.3,
                epochs=20,
                batch_size=64,
                lr=4e-3,
                patience=6,
            )
            if o.name != "layers"
        ),
        Option("embedding", 64, "numbers per word", least=1),
        Option("attention", "additive", "kind of attention", choices=KINDS),
        Option("directions", 2, "of the encoder", choices=(1, 2)),
        Option("own_words", 0.0, "share of own words read, at the end", below=1),
        Option("min_count", 2, "words seen less often are unknown", least=1),
        Option("beam", 4, "sentences kept in the search", least=1, below=101),
    )
    questions = (Option("beam", 4, "sentences kept in the search", least=1, below=101),)
    remembered = ("min_count",)
    monitor = "BLEU"
    better = "higher"
    learned = "Cross-entropy per word in nats; the right words before it were read."
    units: ClassVar = {"BLEU": "{:.1f}", "exact": "{:.1%}"}

    def prepare(
        self, settings: SimpleNamespace, known: dict[str, Any] | None = None
    ) -> Prepared:
        """Three parts that share no source sentence; the vocabularies of the first."""
        metric()  # else it would be missed after the training
        pairs = (
            shipped()
            if settings.data is None
            else read_pairs(settings.data, settings.encoding)
        )
        rows = split_rows(pairs.sources, settings.data)
        train = rows[0]
        source = vocabulary_for(
            "source",
            known,
            (source_words(pairs.sources[k]) for k in train),
            settings.min_count,
        )
        target = vocabulary_for(
            "target",
            known,
            ([BEGIN, *target_words(pairs.targets[k]), END] for k in train),
            settings.min_count,
        )
        beams = 1, 1, settings.beam  # to choose the epoch the greedy one is enough
        parts = [
            part_of(pairs, r, source, target, b)
            for r, b in zip(rows, beams, strict=True)
        ]
        lines = [
            *read_as(pairs.notes),
            f"{len(pairs.sources):,} pairs: {len(rows[0]):,} for training, "
            f"{len(rows[1]):,} to choose the epoch, {len(rows[2]):,} held out. No "
            "source sentence is in two parts.",
            f"{len(source) - 2:,} source words and {len(target) - 4:,} words to "
            f"translate into, {seen(known, settings.min_count)}.",
            *strangers(known, parts[0].source_tokens, "words"),
        ]
        test = parts[2]
        example = None if settings.data is None else first_askable(test.sources)
        reading = {"source": source, "target": target}
        return Prepared(parts[0], parts[1], test, reading, lines, example)

    def configure(self, settings: SimpleNamespace, data: Prepared) -> dict[str, Any]:
        """The arguments of `models.Translator`."""
        return {
            "sources": len(data.reading["source"]),
            "targets": len(data.reading["target"]),
            "kind": settings.cell,
            "attention": settings.attention,
            "embedding_size": settings.embedding,
            "hidden_size": settings.hidden,
            "directions": settings.directions,
            "dropout": settings.dropout,
        }

    def build(self, config: dict[str, Any], weights: Any, noise: Any) -> Any:
        """A `Translator`."""
        return models.Translator(**config, rng=weights, noise=noise)

    def batches(self, data: Prepared, settings: SimpleNamespace, rng: Any) -> Any:
        """Pairs whose sources are of similar length."""
        part = data.train
        return bucketed(
            part.source_tokens, part.target_tokens, size=settings.batch_size, rng=rng
        )

    def schedule(self, settings: SimpleNamespace, steps: int) -> Any:
        """As of every task; it also says which share of own words is read by now."""
        rate: Callable[[int], float] = super().schedule(settings, steps)

        def factor(step: int) -> float:
            self._own_now = settings.own_words * min(1.0, step / max(1, steps))
            return rate(step)

        return factor

    _own_now = 0.0

    def ready(self, batch: Any) -> Any:
        """Source tokens and mask, target tokens and mask, padded to even lengths."""
        return tuple([part for tokens in batch for part in padded(tokens, multiple=2)])

    def compiled(self, settings: SimpleNamespace) -> bool:
        """Yes, but for words of its own, which no replay can choose."""
        return settings.own_words == 0

    def loss(self, model: Any, batch: Any) -> Tensor:
        """The cross-entropy of each next word; padding does not count."""
        tokens, mask, words, real = batch
        model.own = self._own_now
        logits = model(tokens, words[:-1], mask)
        return mg.losses.cross_entropy(logits, words[1:], mask=real[1:])

    def evaluate(
        self, model: Any, part: Part, reading: dict[str, Any]
    ) -> dict[str, float]:
        """BLEU and exact matches."""
        return figures(translated(model, part, reading), part)

    def baselines(self, data: Prepared) -> dict[str, dict[str, float]]:
        """The nearest training sentence, a dictionary, the commonest translation."""
        return {name: figures(said, data.test) for name, said in plain(data).items()}

    def examples(self, trained: Trained, data: Prepared) -> list[Section]:
        """Intervals, the example looked into, and some held-out translations."""
        part = data.test
        said = translated(trained.model, part, data.reading)
        bleu, exact, gain = intervals(said, plain(data)[NEAREST], part)
        count = f"{len(said):,} sentences"
        lines = [
            f"BLEU {bleu.value:.1f} (bootstrap over {count}, 95 %: {bleu.low:.1f} to "
            f"{bleu.high:.1f}); exact {exact.value:.1f} % ({exact.low:.1f} to "
            f"{exact.high:.1f}).",
            f"BLEU against the {NEAREST}: " + gain.told("points", count, "+.1f"),
            "A sentence counts as exact if it is one of the translations in the data, "
            "letter by letter. Another right translation counts as wrong.",
        ]
        right = exact_of(said, part.references)
        exact_ones, others = right.nonzero()[0][:4], (~right).nonzero()[0][:8]
        rows = [
            [part.sources[part.first[k]], said[k], part.references[k][0]]
            for k in [*exact_ones, *others]
        ]
        header = ["source", "the model", "in the data"]
        title = f"{len(exact_ones)} that are exact, then {len(others)} that are not"
        table = Table(title, header, rows)
        return [
            Section("How sure are the figures?", lines),
            *self.example_answered(trained, data),
            Section("Held-out sentences", tables=[table]),
        ]

    def predict(self, trained: Trained, text: str, beam: int = 4) -> list[Section]:
        """The translation, where it looked, what the losses owe, and the beam.

        Errors: DataError for no word that is known, and for more than LONGEST words.
        """
        source, target = trained.reading["source"], trained.reading["target"]
        words = source_words(text)
        if len(words) > LONGEST:
            raise DataError(
                "predict translation: the sentence is too long",
                expect=f"at most {LONGEST} words and marks",
                actual=f"{len(words)}",
                hint="one sentence at a time",
            )
        numbers = source.encode(words, need_known=True)
        marks = target.index(BEGIN), target.index(END)
        model = trained.model
        (found,) = translations(model, [numbers], *marks, beam)
        said = text_of(found[0], target, words)
        lines = [f"Translation: {said or '(nothing: it ended at once)'}"]
        strange = [w for w, number in zip(words, numbers, strict=True) if number == 1]
        if strange:
            lines.append(f"Not in the training data: {', '.join(strange)}.")
        lines.append(
            f"Score: {found[0].score:.3f}. This is the logarithm of the translation's "
            f"probability, divided by its length to the power {POWER:g}."
        )
        return [
            Section(text, lines),
            *views(model, words, numbers, found, target),
        ]
