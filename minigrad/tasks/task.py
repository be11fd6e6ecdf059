"""The base class of a task: its data, its model, its figures and its answers.

To add a task: (1) write its model in `models/`; (2) write a subclass of `Task`; (3) add
a line to `minigrad.tasks.TASKS`. `session.py` and `task_page.py` do the training loop,
the checkpoints, the commands and the page for all tasks.

Read next: `task_options.py`.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, ClassVar, NamedTuple

from minigrad.engine.errors import DataError, DTypeError
from minigrad.engine.tensor import Tensor
from minigrad.tasks.task_options import Option, common
from minigrad.tasks.task_options import settings as checked
from minigrad.training.schedules import cosine, warmup

Figures = dict[str, float]
MODEL = "the model"  # its row among the figures


class Table(NamedTuple):
    """Rows of text and numbers, for the terminal and the page.

    header  one name per column; the first column is aligned left, others right
    rows    each as long as the header; str or what `str` makes of it
    """

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[Any]]


class Section(NamedTuple):
    """A part of a page or of an answer. Its text is plain text, never HTML.

    lines    paragraphs
    tables   shown after them
    figures  matplotlib figures with captions: (figure, caption)
    """

    title: str
    lines: Sequence[str] = ()
    tables: Sequence[Table] = ()
    figures: Sequence[tuple[Any, str]] = ()


@dataclass
class Prepared:
    """The data of a task, made ready.

    train, validation, test   three parts without a common row, in the task's own form
    reading   what turns an input into numbers, by name: Vocabulary, Scaling (made from
              the training part alone), or plain JSON. It is saved with the model
    lines     what the data are, in words: how many rows, where the parts begin
    cautions  what in the data makes the figures mean less than they seem to
    example   an input for `predict` from the held-out part of a user's own data;
              None: the task's example fits
    """

    train: Any
    validation: Any
    test: Any
    reading: dict[str, Any]
    lines: list[str] = field(default_factory=list)
    example: str | None = None
    cautions: list[str] = field(default_factory=list)


@dataclass
class Trained:
    """A trained model with everything that is needed to use it.

    settings  the options of the training
    config    the arguments of the model
    reading   what turns an input into numbers (`Prepared.reading`)
    figures   on the held-out part: {"the model": {...}, "a baseline": {...}}
    history   one EpochReport per epoch, as a dict
    """

    task: Any
    model: Any
    settings: SimpleNamespace
    config: dict[str, Any]
    reading: dict[str, Any]
    figures: dict[str, Figures]
    history: list[dict[str, Any]]
    seconds: float

    def predict(self, text: str | os.PathLike[str], **asked: Any) -> list[Section]:
        """The model's answer to an input. DataError if the input cannot be read.

        asked  the task's `questions`, where it has any
        """
        if not isinstance(text, str | os.PathLike):
            raise DTypeError(
                f"predict: {text!r:.60} is not a text",
                expect="a str",
                actual=type(text).__name__,
                hint="one text, or the name of a file where the task reads files",
            )
        question = vars(checked(self.task.questions, asked))
        return self.task.predict(self, os.fspath(text), **question)


class Task:
    """The parts that differ between tasks. A subclass defines every method that raises.

    name, help   for the command line
    example      an input of `minigrad predict NAME INPUT`; None: it needs none
    file         what a user's own file (`--data`) has to hold, in words
    options      `common(epochs=..., ...)` and Options of its own
    questions    Options of `predict`, which it takes as keyword arguments
    monitor      the figure of `evaluate` that says which epoch is best
    better       "lower" or "higher"
    units        how figures are shown: {"rmse": "{:.2f} °C"}
    learned      what the training loss is, for the caption of its curve
    carry        is the state carried from batch to batch? `loss` then takes and returns
                 it (`Trainer`)
    remembered   options that only say how the reading is made: a model that is trained
                 further keeps its own
    """

    name = ""
    help = ""
    example: str | None = None
    file = ""
    options: tuple[Option, ...] = common()
    questions: tuple[Option, ...] = ()
    monitor = "loss"
    better = "lower"
    units: ClassVar[dict[str, str]] = {}
    learned = ""
    carry = False
    remembered: tuple[str, ...] = ()

    def prepare(
        self, settings: SimpleNamespace, known: dict[str, Any] | None = None
    ) -> Prepared:
        """Read the data (`settings.data` or the package's own) and make parts of it.

        known  the `reading` of a model to go on from: its vocabulary is used, and none
               is made. None: a new model

        The parts do not depend on `settings.seed`: what is held out stays held out.
        Raises DataError for data that cannot be used, with the line and what is wanted.
        """
        raise NotImplementedError

    def configure(self, settings: SimpleNamespace, data: Prepared) -> dict[str, Any]:
        """The arguments of the model, as JSON: sizes, and what is drawn from data."""
        raise NotImplementedError

    def build(self, config: dict[str, Any], weights: Any, noise: Any) -> Any:
        """The model. Generators: `weights` for its start, `noise` for its dropout."""
        raise NotImplementedError

    def batches(self, data: Prepared, settings: SimpleNamespace, rng: Any) -> Any:
        """The training part in batches; a new order, drawn from rng, in each epoch."""
        raise NotImplementedError

    def ready(self, batch: Any) -> Any:
        """What the loss gets of a batch: padded, as arrays. By NumPy alone."""
        return batch

    def loss(self, model: Any, batch: Any) -> Tensor:
        """The loss of a batch: a scalar."""
        raise NotImplementedError

    def evaluate(self, model: Any, part: Any, reading: dict[str, Any]) -> Figures:
        """Figures of the model on a part (validation after each epoch, then test)."""
        raise NotImplementedError

    def baselines(self, data: Prepared) -> dict[str, Figures]:
        """The same figures for simple methods on the same held-out part."""
        raise NotImplementedError

    def examples(self, trained: Trained, data: Prepared) -> list[Section]:
        """Further sections of the page: comparisons in words, and examples."""
        raise NotImplementedError

    def predict(self, trained: Trained, text: str) -> list[Section]:
        """The model's answer to a user's input, as sections."""
        raise NotImplementedError

    def example_answered(self, trained: Trained, data: Prepared) -> list[Section]:
        """What the model says to the example; nothing if it knows no word of it.

        A model trained on a user's own data may know none.
        """
        try:
            return self.predict(trained, data.example or self.example or "")
        except DataError:
            return []

    # ------------------------------------------------------------- may be overridden

    def schedule(self, settings: SimpleNamespace, steps: int) -> Any:
        """The learning-rate schedule of a run of so many steps."""
        rise = max(1, math.ceil(0.05 * steps))
        return warmup(rise, cosine(max(1, steps - rise), last=0.02))

    def compiled(self, settings: SimpleNamespace) -> bool:
        """Is a long training compiled, whether `--compile` is given or not?"""
        return False

    def label(self, name: str) -> str:
        """A figure's name, for a table: RMSE, but accuracy."""
        return name.upper() if name in ("rmse", "mae", "f1") else name.replace("_", " ")

    def shown(self, name: str, value: float) -> str:
        """A figure, as text."""
        if math.isnan(value):
            return "-"
        return self.units.get(name, "{:.4f}").format(value)


def enough(path: str | None, what: str, count: int, least: int) -> None:
    """DataError if a user's file has fewer rows than three parts can be made of."""
    if count < least:
        raise DataError(
            f"{path or 'the data'}: too few {what} to learn from",
            expect=f"{least} or more, to make three parts",
            actual=str(count),
            hint="a longer file",
        )


def first_askable(texts: Iterable[str]) -> str | None:
    """The first of some texts that can stand on a command line; None if none can."""
    return next((text for text in texts if text and text[0] != "-"), None)
