"""Predicts the next word of a text, or the next character.

Both tasks use the same network and the same training: truncated backpropagation through
time, with the state carried from batch to batch. They differ in what a token is.

Read next: `text_passages.py` (its data and figures).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np

import minigrad as mg
from minigrad import models
from minigrad.data import tokenize
from minigrad.data.files import read_as, read_text
from minigrad.engine.errors import DataError
from minigrad.engine.tensor import Tensor
from minigrad.tasks.baselines import NGram
from minigrad.tasks.known_words import seen, strangers, vocabulary_for
from minigrad.tasks.repeated_texts import repeated_passages
from minigrad.tasks.statistics import paired
from minigrad.tasks.task import (
    Prepared,
    Section,
    Table,
    Task,
    Trained,
    first_askable,
)
from minigrad.tasks.task_options import Option, common
from minigrad.tasks.text_passages import CONTEXT, Chunks, Passage, bits
from minigrad.tasks.writing import QUESTIONS, continued, read_through, suggestions

LEAST = 500  # tokens of a text, of which the tenth is still something
LINE_END = "\N{DOWNWARDS ARROW WITH CORNER LEFTWARDS}"  # as it is shown in a line
BLOCK = 100  # tokens in a row that the bootstrap keeps together


class NextToken(Task):
    """The part that the two tasks share. A subclass defines what a token is."""

    file = "plain text, UTF-8 or with a mark of its encoding"
    remembered = ("min_count",)
    questions = QUESTIONS
    carry = True
    learned = "Cross-entropy in nats, with dropout; 1 nat is 1.44 bits."
    order = 3  # of the n-grams it is compared with
    token = "word"
    asked = 6  # tokens of a user's text, as an example
    tied = False

    def cut(self, text: str) -> list[str]:
        """The text as tokens."""
        raise NotImplementedError

    def join(self, tokens: Sequence[str]) -> str:
        """The tokens as text."""
        raise NotImplementedError

    def figures(self, bits: float) -> dict[str, float]:
        """The figures of a mean of so many bits per token."""
        raise NotImplementedError

    def prepare(
        self, settings: SimpleNamespace, known: dict[str, Any] | None = None
    ) -> Prepared:
        """The text in three parts that follow each other: 80, 10 and 10 %."""
        text, notes = _read(settings)
        tokens = self.cut(text)
        if len(tokens) < LEAST:
            raise DataError(
                f"{settings.data}: too short to learn from",
                expect=f"{LEAST} {self.token}s or more",
                actual=f"{len(tokens)}",
                hint="give a longer text",
            )
        parts = mg.data.split(tokens, (0.8, 0.1, 0.1), shuffle=False)
        vocabulary = vocabulary_for("tokens", known, [parts[0]], settings.min_count)
        numbers = [np.array(vocabulary.encode(part)) for part in parts]
        nothing = numbers[0][:0]
        before = nothing, numbers[0][-CONTEXT:], numbers[1][-CONTEXT:]
        train, validation, test = map(Passage, before, numbers)
        unknown = float((numbers[2] == 1).mean())
        lines = [
            *read_as(notes),
            f"{len(tokens):,} {self.token}s in the order of the text: "
            f"{len(parts[0]):,} for training, {len(parts[1]):,} to choose the epoch, "
            f"{len(parts[2]):,} held out.",
            f"{len(vocabulary) - 2:,} different {self.token}s, "
            f"{seen(known, settings.min_count)}. {_unknown(unknown)}",
            *strangers(known, [numbers[0].tolist()], f"{self.token}s"),
        ]
        start = self.join(parts[2][: self.asked]).strip().split("\n")[0]
        example = None if settings.data is None else first_askable([start])
        reading = {"tokens": vocabulary}
        cautions = repeated_passages(self.join(parts[0]), self.join(parts[2]))
        return Prepared(train, validation, test, reading, lines, example, cautions)

    def configure(self, settings: SimpleNamespace, data: Prepared) -> dict[str, Any]:
        """The arguments of `LanguageModel`."""
        return {
            "tokens": len(data.reading["tokens"]),
            "kind": settings.cell,
            "embedding_size": settings.hidden if self.tied else settings.embedding,
            "hidden_size": settings.hidden,
            "num_layers": settings.layers,
            "dropout": [settings.embedding_dropout, settings.dropout],
            "tied": self.tied,
        }

    def build(self, config: dict[str, Any], weights: Any, noise: Any) -> Any:
        """A `LanguageModel`."""
        return models.LanguageModel(**config, rng=weights, noise=noise)

    def batches(self, data: Prepared, settings: SimpleNamespace, rng: Any) -> Chunks:
        """The training part in strands of steps: see `Chunks`."""
        size = settings.batch_size, settings.steps
        return Chunks(data.train.tokens, *size, rng)

    def loss(self, model: Any, batch: Any, state: Any = None) -> tuple[Tensor, Any]:  # type: ignore[override]
        """The mean cross-entropy in nats, and the state to go on with."""
        x, y = batch
        logits, state = model(x, state)
        return mg.losses.cross_entropy(logits, y), state

    def evaluate(
        self, model: Any, part: Passage, reading: dict[str, Any]
    ) -> dict[str, float]:
        """Bits per token, as the task shows them."""
        return self.figures(float(bits(model, part).mean()))

    def baselines(self, data: Prepared) -> dict[str, dict[str, float]]:
        """The n-grams, and how often each token occurs."""
        single = self._counted(data, 1)
        return {
            f"{self.order}-grams, Kneser-Ney": self.figures(self._ngrams(data).mean()),
            f"how often each {self.token} occurs": self.figures(single.mean()),
        }

    def examples(self, trained: Trained, data: Prepared) -> list[Section]:
        """The comparison with n-grams, suggestions and samples."""
        ours, theirs = bits(trained.model, data.test), self._ngrams(data)
        size = min(BLOCK, -(-len(ours) // 10))
        count = len(ours) // size
        first, second = (
            b[: count * size].reshape(count, size).mean(axis=1) for b in (ours, theirs)
        )
        gain = paired(lambda k: first[k].mean() - second[k].mean(), count)
        line = (
            f"The network minus {self.order}-grams with Kneser-Ney smoothing, which "
            "saw the same text: "
            + gain.told(
                f"bits per {self.token}",
                f"{count} stretches of {size} {self.token}s",
            )
        )
        shown = [Section("Compared with counting", lines=[line])]
        return shown + self.example_answered(trained, data)

    def predict(self, trained: Trained, text: str, **asked: Any) -> list[Section]:
        """The likeliest next tokens, and possible continuations of the text."""
        question = SimpleNamespace(temperature=0.8, top=8, length=60, seed=0)
        vars(question).update(asked)
        vocabulary = trained.reading["tokens"]
        tokens = vocabulary.encode(self.cut(text), need_known=True)
        read = read_through(trained.model, tokens)  # once: it may be a whole book
        found = suggestions(trained.model, tokens, question.top, read=read)
        rows = [[_shown(vocabulary.words[k]), f"{p:.1%}"] for k, p in found]
        table = Table("Next", [self.token, "probability"], rows)
        lines = []
        for temperature in sorted({0.5, question.temperature, 1.0}):
            made = continued(
                trained.model,
                tokens,
                question.length,
                temperature,
                question.seed,
                read=read,
            )
            written = self.join([vocabulary.words[k] for k in made])
            whole = f"{text}{written}".replace("\n", LINE_END)
            lines.append(f"at temperature {temperature:g}:  {whole}")
        return [
            Section(f"After: {text}", tables=[table]),
            Section("It might continue like this", lines=lines),
        ]

    def _ngrams(self, data: Prepared) -> np.ndarray:
        """Bits of each held-out token by n-grams of the task's order."""
        return self._counted(data, self.order)

    def _counted(self, data: Prepared, order: int) -> np.ndarray:
        key = id(data), order
        if key not in self._known:
            counts = NGram([data.train.tokens.tolist()], order, self._size(data))
            kept = data.test.before.tolist()
            whole = [kept + data.test.tokens.tolist()]
            self._known[key] = counts.bits(whole, skip=len(kept))
        return self._known[key]

    @cached_property
    def _known(self) -> dict[Any, np.ndarray]:
        return {}

    def _size(self, data: Prepared) -> int:
        return len(data.reading["tokens"])


class NextWord(NextToken):
    """The next word of Alice's Adventures in Wonderland, or of your own text."""

    name = "next-word"
    help = "which word comes next"
    example = "Alice was beginning to get very"
    options = (
        *common(
            cell="lstm", hidden=128, dropout=0.5, epochs=16, lr=5e-3, batch_size=16
        ),
        Option("embedding_dropout", 0.4, "share of the word vectors dropped", below=1),
        Option("steps", 35, "words that a gradient goes back", least=1),
        Option("min_count", 2, "words seen less often are unknown", least=1),
    )
    monitor = "perplexity"
    tied = True
    units: ClassVar = {"perplexity": "{:.1f}", "bits": "{:.3f}"}

    def cut(self, text: str) -> list[str]:
        """Words and marks, in lower case."""
        return tokenize(text)

    def join(self, tokens: Sequence[str]) -> str:
        """With a space before each word, and none before a mark that ends something."""
        return "".join(t if t in ".,;:!?)'" else f" {t}" for t in tokens)

    def figures(self, bits: float) -> dict[str, float]:
        """Perplexity: as if the model chose among this many equally likely words."""
        return {"perplexity": 2.0**bits, "bits": bits}


class NextCharacter(NextToken):
    """The next character of Alice's Adventures in Wonderland, or of another text."""

    name = "next-character"
    help = "which character comes next"
    example = "The Queen said, `"
    token = "character"
    order = 5
    asked = 20
    options = (
        *common(cell="gru", hidden=160, dropout=0.3, epochs=30, lr=1e-2, batch_size=16),
        Option("embedding", 32, "numbers per character", least=1),
        Option("embedding_dropout", 0.1, "share of the vectors dropped", below=1),
        Option("steps", 60, "characters that a gradient goes back", least=1),
        Option("min_count", 1, "characters seen less often are unknown", least=1),
    )
    monitor = "bits"
    units: ClassVar = {"bits": "{:.3f}"}

    def cut(self, text: str) -> list[str]:
        """Every character, line ends too."""
        return [*text]

    def join(self, tokens: Sequence[str]) -> str:
        """As they are."""
        return "".join(tokens)

    def figures(self, bits: float) -> dict[str, float]:
        """Bits per character."""
        return {"bits": bits}


def _read(settings: SimpleNamespace) -> tuple[str, list[str]]:
    """The text, and what was interpreted: of the user's file, or the package's."""
    if settings.data is None:
        return mg.data.alice(), []
    text = read_text(settings.data, encoding=settings.encoding)
    return text, text.notes


def _unknown(share: float) -> str:
    if share == 0:
        return "They cover the whole held-out part."
    told = f"{share:.1%}" if share >= 0.001 else "Less than 0.1%"
    return f"{told} of the held-out part is not among them and is read as one unknown."


def _shown(token: str) -> str:
    return {" ": "(space)", "\n": "(line end)"}.get(token, token)
