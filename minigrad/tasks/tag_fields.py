"""The tags of a text from one field of a table, whatever stands between them.

    game,gui   game;gui   game|gui   ["game", "gui"]   <game><gui>   #game #gui

A text without a tag is an example of "none of them": most texts of real sets are.

Read next: `tag_figures.py`.
"""

from __future__ import annotations

import ast
import json
import re
from collections import Counter
from collections.abc import Sequence

from minigrad.engine.errors import DataError

SEPARATORS = {",": "commas", ";": "semicolons", "|": "vertical bars", "\n": "line ends"}
NO_TAG = frozenset("na n/a #n/a nan null none - [] {}".split()) | {""}
ANGLES = re.compile(r"(?:<[^<>]*>\s*)+")
Tags = tuple[str, ...]


def tags_of(
    fields: Sequence[str],
    lines: Sequence[int],
    source: str,
    separator: str | None = None,
) -> tuple[list[Tags], list[str]]:
    """The tags in each field, in alphabetical order, and what was interpreted.

    separator  what stands between tags; None: as the fields show

    Errors:  DataError with the line for a list that is none, and if two marks could be
             the separator.
    """
    given = [
        (line, "" if _is_none(field) else field.strip())
        for line, field in zip(lines, fields, strict=True)
    ]
    some = [field for _, field in given if field]
    notes: list[str] = []
    if separator is not None:
        found = [field.split(separator) for _, field in given]
    elif some and all(f[0] in "[({" and f[-1] in "])}" for f in some):
        notes.append("tags as lists")
        found = [_listed(field, line, source) for line, field in given]
    elif some and all(map(ANGLES.fullmatch, some)):
        notes.append("tags in angle brackets")
        found = [re.findall(r"<([^<>]*)>", field) for _, field in given]
    elif some and all(word[0] == "#" for field in some for word in field.split()):
        notes.append("tags with a # before them")
        found = [[word[1:] for word in field.split()] for _, field in given]
    else:
        mark = _separator(given, source)
        if mark != ",":
            notes.append(f"tags with {SEPARATORS[mark]} between them")
        found = [field.split(mark) for _, field in given]
    tags = [tuple(sorted({t.strip() for t in each if t.strip()})) for each in found]
    words = Counter(f.strip() for f in fields if _is_none(f) and f.strip(" []{}"))
    notes += [f"{word!r} as no tag ({n:,} rows)" for word, n in words.items()]
    return tags, notes


def _is_none(field: str) -> bool:
    """Does the field say that there is no tag?"""
    return field.strip().lower() in NO_TAG


def _separator(given: Sequence[tuple[int, str]], source: str) -> str:
    """The only mark that stands in the fields; a comma if there is none."""
    seen = {
        mark: next(((line, f) for line, f in given if mark in f), None)
        for mark in SEPARATORS
    }
    places = {mark: place for mark, place in seen.items() if place is not None}
    if len(places) > 1:
        (one, (line, field)), (two, (other, shown)) = list(places.items())[:2]
        raise DataError(
            f"{source}, line {line}: what stands between tags?",
            expect="one mark in the whole column",
            actual=f"{SEPARATORS[one]} in {field[:30]!r}, {SEPARATORS[two]} in "
            f"{shown[:30]!r} (line {other})",
            hint=f"say which, --separator '{one}' or --separator '{two}': the other "
            "mark is then a part of a tag",
        )
    if not places:
        _expect_single_tags(given, source)
    return next(iter(places), ",")


def _expect_single_tags(given: Sequence[tuple[int, str]], source: str) -> None:
    """DataError where blanks or slashes seem to stand between tags: the parts of most
    fields that have some are tags of other texts."""
    whole = {field for _, field in given if field}
    for mark, name in ((" ", "blanks"), ("/", "slashes")):
        joined = [(line, f) for line, f in given if mark in f]
        known = [(line, f) for line, f in joined if set(f.split(mark)) <= whole]
        if 2 * len(known) > len(joined) > 0:
            line, field = known[0]
            raise DataError(
                f"{source}, line {line}: what stands between tags?",
                expect="commas, semicolons or bars between the tags of a text",
                actual=f"{name} in {field[:40]!r}, and each of its parts is a tag of "
                "another text",
                hint=f"say --separator '{mark}' if they stand between tags; "
                "--separator ',' if they are a part of tags",
            )


def _listed(field: str, line: int, source: str) -> list[str]:
    """The tags in a list as JSON or Python writes it."""
    if not field:
        return []
    for read in (json.loads, ast.literal_eval):
        try:
            found = read(field)
        except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
            continue
        if isinstance(found, list | tuple | set) and all(
            isinstance(tag, str | int | float) for tag in found
        ):
            return [str(tag) for tag in found]
    raise DataError(
        f"{source}, line {line}: unreadable tags",
        expect='a list such as ["game", "gui"], as in the other rows',
        actual=repr(field[:60]),
        hint="write it like the others, or all of them with commas between the tags",
    )
