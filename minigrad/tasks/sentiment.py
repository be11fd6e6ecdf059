"""Sentiment: says whether a sentence sounds positive, after each of its words.

`minigrad/trial/` measures what the gates of the trained model do.

Read next: `rated_sentences.py` (its data).
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np

import minigrad as mg
from minigrad.data.files import read_as
from minigrad.engine.scope import GATES
from minigrad.engine.tensor import Tensor
from minigrad.tasks.baselines import LogisticRegression
from minigrad.tasks.known_words import seen, strangers, vocabulary_for
from minigrad.tasks.rated_sentences import (
    CLEAR,
    LONGEST,
    Rated,
    Sentences,
    clear,
    parts,
    read_rated,
)
from minigrad.tasks.repeated_texts import contradictory, repeated
from minigrad.tasks.sentence_reading import read, words_of
from minigrad.tasks.sequences import at_the_end, bucketed, last_steps, padded
from minigrad.tasks.statistics import Interval, paired
from minigrad.tasks.task import (
    Prepared,
    Section,
    Table,
    Task,
    Trained,
    first_askable,
)
from minigrad.tasks.task_options import Option, common

SO_FAR = 0.3  # how much the sentiment after every word counts beside the last


class Sentiment(Task):
    """The sentiment of a sentence, after each of its words."""

    name = "sentiment"
    help = "is a sentence positive or negative, after each word"
    example = "I loved the movie, but the ending was disappointing"
    file = (
        "columns rating and text (CSV or TSV). Ratings run from -4, the worst, to 4, "
        "or from 1 to 5, 0 to 1 and so on if both ends occur; or they are the words "
        "positive and negative"
    )
    options = (
        *common(hidden=32, dropout=0.5, epochs=10, lr=3e-3, patience=4),
        Option("embedding", 64, "numbers per word", least=1),
        Option("word_dropout", 0.05, "share of words hidden while training", below=1),
        Option("min_count", 2, "words seen less often are unknown", least=1),
        Option(
            "scale",
            None,
            "worst and best rating of your file, such as 1,5",
            unsaid="as the file shows",
        ),
    )
    remembered = ("min_count",)
    monitor = "loss"
    units: ClassVar = {"accuracy": "{:.1%}"}
    learned = (
        "Cross-entropy in nats after the last word, plus "
        f"{SO_FAR:g} times its mean after every word, with dropout. Do not compare it "
        "with the loss on the validation part."
    )

    def prepare(
        self, settings: SimpleNamespace, known: dict[str, Any] | None = None
    ) -> Prepared:
        """Parts of 75, 10 and 15 %; sentences without a clear side only train."""
        texts, ratings, notes = (
            Rated(*mg.data.movie_reviews(), [])
            if settings.data is None
            else read_rated(settings.data, settings.encoding, settings.scale)
        )
        rows, validation, test = parts(ratings, settings.data)
        clear = np.flatnonzero(np.abs(ratings) >= CLEAR)
        unclear = np.flatnonzero(np.abs(ratings) < CLEAR)
        vocabulary = vocabulary_for(
            "words", known, (texts[k] for k in rows), settings.min_count
        )
        others = (
            f" The {len(unclear):,} others, closer to zero, are trained on as well."
            if len(unclear)
            else ""
        )

        def sentences(rows: np.ndarray) -> Sentences:
            chosen = [texts[k] for k in rows]
            tokens = [vocabulary.encode(text)[:LONGEST] or [1] for text in chosen]
            return Sentences(chosen, tokens, ratings[rows])

        train, held = sentences(np.concatenate([rows, unclear])), sentences(test)
        return Prepared(
            train,
            sentences(validation),
            held,
            {"words": vocabulary},
            [
                *read_as(notes),
                f"{len(texts):,} sentences with a rating, of which "
                f"{len(texts) - len(unclear):,} are {CLEAR:g} or more from zero: "
                f"{len(rows):,} of these for training, {len(validation):,} to choose "
                f"the epoch, {len(test):,} held out.{others}",
                "The network learns the logistic function of the rating. An answer is "
                "right if it is on the right side after the last word.",
                f"{len(vocabulary) - 2:,} words, {seen(known, settings.min_count)}; "
                "all others are read as one unknown word. Of a longer sentence the "
                f"first {LONGEST} words are read.",
                *strangers(known, train.tokens, "words"),
            ],
            None if settings.data is None else first_askable(held.texts),
            [
                *repeated(train.texts, held.texts, "sentences"),
                *contradictory(
                    [texts[int(k)] for k in clear], (ratings[clear] > 0).tolist()
                ),
            ],
        )

    def configure(self, settings: SimpleNamespace, data: Prepared) -> dict[str, Any]:
        """The arguments of `SentimentReader`."""
        return {
            "words": len(data.reading["words"]),
            "kind": settings.cell,
            "embedding_size": settings.embedding,
            "hidden_size": settings.hidden,
            "num_layers": settings.layers,
            "dropout": settings.dropout,
            "word_dropout": settings.word_dropout,
        }

    def build(self, config: dict[str, Any], weights: Any, noise: Any) -> Any:
        """A `SentimentReader`."""
        from minigrad import models

        return models.SentimentReader(**config, rng=weights, noise=noise)

    def batches(self, data: Prepared, settings: SimpleNamespace, rng: Any) -> Any:
        """Batches of sentences of similar length, with their targets."""
        part = data.train
        return bucketed(part.tokens, part.chances, size=settings.batch_size, rng=rng)

    def ready(self, batch: Any) -> Any:
        """Tokens (T, B), their mask, that of the last words, and the chances (B,)."""
        sequences, chances = batch
        tokens, mask = padded(sequences)
        return tokens, mask, last_steps(mask), chances

    def loss(self, model: Any, batch: Any) -> Tensor:
        """Cross-entropy after the last word, plus a small part of it after each word.

        Without the second part the sentiment "so far" would mean nothing.
        """
        tokens, mask, ends, chances = batch
        logits = model(tokens, mask=mask)
        target = np.broadcast_to(chances, logits.shape)
        entropy = mg.losses.binary_cross_entropy
        every = entropy(logits, target, mask=mask)
        return entropy(logits, target, mask=ends) + SO_FAR * every

    def evaluate(
        self, model: Any, part: Sentences, reading: dict[str, Any]
    ) -> dict[str, float]:
        """The share of sentences whose side is right, and the mean cross-entropy."""
        logits = at_the_end(model, part.tokens)
        right = (logits > 0) == part.positive
        wrong_side = np.where(part.positive, -logits, logits)
        return {
            "accuracy": float(right.mean()),
            "loss": float(np.logaddexp(0, wrong_side).mean()),
        }

    def baselines(self, data: Prepared) -> dict[str, dict[str, float]]:
        """Always the more frequent side; words and pairs without their order."""
        often = (data.train.ratings[clear(data.train)] > 0).mean() >= 0.5
        held = data.test.positive
        return {
            "TF-IDF, logistic regression": {
                "accuracy": float((_weighed(data) == held).mean())
            },
            "the more frequent side": {"accuracy": float((held == often).mean())},
        }

    def examples(self, trained: Trained, data: Prepared) -> list[Section]:
        """The comparison with TF-IDF, sentences word by word, the worst mistakes."""
        part = data.test
        logits = at_the_end(trained.model, part.tokens)
        right = (logits > 0) == part.positive
        theirs = _weighed(data) == part.positive
        gain = paired(lambda k: right[k].mean() - theirs[k].mean(), len(right))
        points = Interval(*(100 * value for value in gain))
        return [
            Section(
                "Compared with words without order",
                lines=[
                    "The network's accuracy minus that of TF-IDF with logistic "
                    "regression: "
                    + points.told(
                        "percentage points", f"{len(right):,} sentences", "+.1f"
                    ),
                ],
            ),
            *self.example_answered(trained, data),
            mistakes(part, logits),
        ]

    def predict(self, trained: Trained, text: str) -> list[Section]:
        """The sentiment after each word, with the means of the gates."""
        found = read(trained.model, trained.reading["words"], words_of(text))
        names = [k for k in ("f", "i", "o", "r", "z", "c", "h") if k in found.gates]
        rows = [
            [
                word if found.known[t] else f"{word} (?)",
                f"{found.sentiment[t]:.0%}",
                *(f"{found.gates[k][t]:.2f}" for k in names),
            ]
            for t, word in enumerate(found.words)
        ]
        header = ["word", "positive", *(GATES[k] for k in names)]
        lines = [f"{found.sentiment[-1]:.0%} positive after the last word."]
        if not found.known.all():
            lines.append("(?): this word was not in the training data.")
        return [
            Section(
                f"{text}",
                lines=lines,
                tables=[
                    Table(
                        "After each word (means over the units; of states and "
                        "candidates, of their size)",
                        header,
                        rows,
                    )
                ],
            )
        ]


def mistakes(part: Sentences, logits: np.ndarray, most: int = 8) -> Section:
    """The sentences whose side is wrong, the surest first."""
    wrong = np.flatnonzero((logits > 0) != part.positive)
    sure = wrong[np.argsort(-np.abs(logits[wrong]), kind="stable")][:most]
    rows = [
        [part.texts[k], f"{part.ratings[k]:+.1f}", f"{_chance(logits[k]):.0%}"]
        for k in sure
    ]
    title = "Wrong answers, the surest first"
    if not rows:
        return Section(title, ["There are none among the held-out sentences."])
    header = ["sentence", "rating", "positive"]
    return Section(title, tables=[Table("Held out", header, rows)])


def _weighed(data: Prepared) -> np.ndarray:
    """The answers of TF-IDF with logistic regression on the held-out part: booleans.

    Trained on the clear cases of the training part; C = 10, pairs and min_count = 2
    were the best of 16 settings on the validation part.
    """
    rows = clear(data.train)
    texts = [data.train.texts[k] for k in rows]
    model = LogisticRegression(texts, data.train.positive[rows])
    return model.logits(data.test.texts)[:, 0] > 0


def _chance(logit: float) -> float:
    return 0.5 * (1 + float(np.tanh(logit / 2)))
