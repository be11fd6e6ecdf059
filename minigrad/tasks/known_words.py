"""The vocabulary of a task: made from its training part, or that of a saved model.

Read next: `repeated_texts.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from minigrad.data.vocabulary import Vocabulary
from minigrad.engine.errors import DataError

UNKNOWN = 1  # the number of every word that is not in the vocabulary


def vocabulary_for(
    name: str, known: Mapping[str, Any] | None, texts: Iterable[Any], min_count: int = 1
) -> Vocabulary:
    """The vocabulary called `name` of a model to go on from; else one of the texts."""
    if known is not None:
        found: Vocabulary = known[name]
        return found
    return Vocabulary(texts, min_count=min_count)


def seen(known: Mapping[str, Any] | None, count: int) -> str:
    """Which words are known: "seen 2 times or more in the training part"."""
    if known is not None:
        return "those of the model"
    often = "" if count == 1 else f" {count} times or more"
    return f"seen{often} in the training part"


def strangers(
    known: Mapping[str, Any] | None, encoded: Iterable[Iterable[int]], what: str
) -> list[str]:
    """A sentence: how much of the training part the model to go on from cannot know.

    what  "words", "letters"

    Errors:  DataError if it knows nothing of it.
    """
    if known is None:
        return []
    numbers = [number for row in encoded for number in row]
    unknown = sum(number == UNKNOWN for number in numbers)
    if unknown == len(numbers):
        raise DataError(
            f"--from: the model knows none of the {what} of these data",
            expect=f"some {what} that the model was trained on",
            actual=f"{len(numbers):,} {what}, all unknown",
            hint="is it the same language? Without --from a new model is trained",
        )
    share = unknown / len(numbers)
    return [f"{share:.1%} of the {what} in the training part are new to the model."]
