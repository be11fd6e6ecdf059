"""A list of names from a user's file: one a line, or the column of a table.

Read next: `autotagging.py`.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import NamedTuple

from minigrad.data.files import read_text
from minigrad.data.layouts import SEPARATORS, plain_name
from minigrad.data.tables import Columns, parse_table
from minigrad.data.text_encoding import Text
from minigrad.engine.errors import DataError

LONGEST = 40  # letters
LEAST = 20  # names
NUMBERED = re.compile(r"\d+\s*[.):]\s*(?=\D)")  # 1. Anna
TITLES = "name", "firstname", "givenname", "forename", "vorname", "names"
TABLE = 0.8  # of the lines have as many separators as most: it is a table


class NameList(NamedTuple):
    """Different names in lower case, in alphabetical order; what was interpreted."""

    names: list[str]
    notes: list[str]


def read_names(path: str, encoding: str | None = None) -> NameList:
    """The names in a user's file.

    Errors:  DataError, with the line, for a line that is longer than a name; for a
             table in which no column is called name; for fewer than LEAST names.
    """
    text = read_text(path, encoding=encoding)
    given = _column(text, path)
    notes = [*text.notes, *given.notes]
    names = set()
    for line, field in zip(given.lines, given["name"], strict=True):
        name = field.strip().lower()
        if len(name) > LONGEST:
            raise DataError(
                f"{path}, line {line}: longer than a name",
                expect=f"at most {LONGEST} letters",
                actual=f"{len(name)}: {name[:40]!r}...",
                hint="one name a line",
            )
        if name:
            names.add(name)
    if len(names) < LEAST:
        raise DataError(
            f"{path}: too few names to learn from",
            expect=f"{LEAST} different names or more",
            actual=str(len(names)),
            hint="one name a line",
        )
    return NameList(sorted(names), notes)


def _column(text: Text, path: str) -> Columns:
    """The column of names of a table, or the lines of a list."""
    lines = text.split("\n")
    title = next((line for line in lines if line.strip()), "")
    separator = _separator(lines)
    if title.lstrip()[:1] in ("[", "{"):
        raise DataError(
            f"{path}: not a list of names",
            expect="one name a line",
            actual=f"JSON: {title.strip()[:40]}",
            hint="write the names into a text file, one a line",
        )
    if separator is None:
        return _lines(lines, title)
    cells = [plain_name(cell.strip(' "')) for cell in title.split(separator)]
    called = next((name for name in TITLES if name in cells), None)
    if called is None:
        raise _table(lines, separator, path)
    column = title.split(separator)[cells.index(called)].strip(' "')
    table = parse_table(text, {column: str}, separator=separator, source=path)
    table.notes.append(f"the column {column!r} of a table")
    table["name"] = table[column]
    return table


def _lines(lines: list[str], title: str) -> Columns:
    """A list, one name a line; its first line may say what it is."""
    names = Columns(name=lines)
    names.lines, names.notes = list(range(1, len(lines) + 1)), []
    quoted = [line.strip() for line in lines if line.strip()]
    if all(len(n) > 2 and n[0] == n[-1] == '"' for n in quoted):
        names["name"] = [line.strip().strip('"') for line in lines]
        names.notes.append("names in quotation marks")
    if quoted and all(map(NUMBERED.match, quoted)):
        names["name"] = [NUMBERED.sub("", line.strip()) for line in lines]
        names.notes.append("names with numbers before them")
    if plain_name(title.strip(' "')) in TITLES:
        names["name"][lines.index(title)] = ""
        names.notes.append(f"the first line, {title.strip()!r}, as a header")
    return names


def _separator(lines: list[str]) -> str | None:
    """What parts the fields, if the lines are those of a table."""
    some = [line for line in lines[:2000] if line.strip()]
    for mark in SEPARATORS:
        counts = Counter(line.count(mark) for line in some)
        number, times = counts.most_common(1)[0]
        if mark != " " and number and times >= TABLE * len(some):
            return mark
    return None


def _table(lines: list[str], separator: str, path: str) -> DataError:
    """The error for a table that does not say which column has the names."""
    rows = [line.split(separator) for line in lines[:2000] if line.strip()]
    width = len(rows[0])
    rows = [row for row in rows if len(row) == width]

    def different(k: int) -> int:
        return len({row[k] for row in rows if row[k].strip(' "').isalpha()})

    place = max(range(width), key=different)
    none = different(place) < LEAST
    header = [chr(ord("a") + k % 26) for k in range(width)]
    header[place] = "name"
    number = next(k for k, line in enumerate(lines, 1) if line.strip())
    return DataError(
        f"{path}, line {number}: a table where names are expected",
        expect="one name a line, or a table in which a column is called name",
        actual=f"{width} fields: {lines[number - 1][:60]}",
        hint="no column has names: is it the right file?"
        if none
        else f"write this line above all others: {separator.join(header)}",
    )
