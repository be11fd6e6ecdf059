"""Reads one-line descriptions of programs and their tags, and makes numbers of them.

Read next: `tag_figures.py`.
"""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

import numpy as np

import minigrad as mg
from minigrad.data.files import read_table, sentence
from minigrad.engine.errors import DataError

LEAST = 10  # descriptions


class Described(NamedTuple):
    """Some descriptions: their text, words as numbers, and tags (n, K) of 0 and 1."""

    texts: list[str]
    tokens: list[list[int]]
    tags: np.ndarray


def read(path: str | None) -> tuple[list[str], list[tuple[str, ...]]]:
    """Texts and tags: of the user's table, or the package's."""
    if path is None:
        programs = mg.data.program_tags()
        return list(programs.texts), list(programs.tags)
    table = read_table(path, {"text": sentence, "tags": _tags})
    counts = Counter(tag for tags in table["tags"] for tag in tags)
    if len(counts) < 2:
        raise DataError(
            f"{path}: all texts have the same tag",
            expect="two different tags or more",
            actual=", ".join(map(repr, counts)),
            hint="tags stand in one column, with commas between them",
        )
    return table["text"], table["tags"]


def _tags(field: str) -> tuple[str, ...]:
    tags = tuple(sorted({tag.strip() for tag in field.split(",") if tag.strip()}))
    if not tags:
        raise ValueError("a text without tags cannot be used: leave it out")
    return tags


_tags.__name__ = "tags with commas between them"
