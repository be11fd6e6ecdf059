"""Reads one-line descriptions of programs and their tags, and makes numbers of them.

Read next: `tag_fields.py`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from minigrad.data.fields import sentence
from minigrad.data.files import read_table
from minigrad.engine.errors import DataError
from minigrad.tasks.tag_fields import Tags, tags_of

LEAST = 10  # descriptions


class Described(NamedTuple):
    """Some descriptions: their text, words as numbers, and tags (n, K) of 0 and 1."""

    texts: list[str]
    tokens: list[list[int]]
    tags: np.ndarray


class Tagged(NamedTuple):
    """Texts, the tags of each, and what was interpreted."""

    texts: Sequence[str]
    tags: Sequence[Tags]
    notes: list[str]


def read_tagged(
    path: str, encoding: str | None = None, separator: str | None = None
) -> Tagged:
    """The texts and tags of a user's table.

    Errors:  those of `read_table` and `tags_of`; DataError for fewer than two tags.
    """
    table = read_table(path, {"text": sentence, "tags": str}, encoding=encoding)
    found, notes = tags_of(table["tags"], table.lines, path, separator)
    counts = Counter(tag for tags in found for tag in tags)
    if len(counts) < 2:
        raise DataError(
            f"{path}: all texts have the same tag",
            expect="two different tags or more",
            actual=", ".join(map(repr, counts)) or "no tag at all",
            hint="tags stand in one column, with commas between them",
        )
    return Tagged(table["text"], found, [*table.notes, *notes])
