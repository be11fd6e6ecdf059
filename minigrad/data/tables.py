"""Text with columns (CSV, TSV) into lists, each malformed row an error with its line.

Read next: `shipped.py` (the package's own tables).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from minigrad.engine.errors import DataError


class Columns(dict[str, list[Any]]):
    """One list per column, and `lines`: where each row ends in the file, from 1."""

    lines: list[int]


def parse_table(
    text: str,
    columns: Mapping[str, Callable[[str], Any]],
    *,
    separator: str,
    source: str,
) -> Columns:
    """Read the named columns of a table whose first line names all of them.

    In tab-separated text a quotation mark is an ordinary character (reviews are full of
    them); in comma-separated text it quotes a field, as spreadsheets write it.

    Args:
        text: the table.
        columns: which columns, and what makes a value of each field (str, float, ...);
            a converter says no by raising ValueError.
        separator: "," or a tab.
        source: what the table is called in messages: a file's name.

    Returns: one list per column, all equally long; `.lines` has each row's line.
    Errors:  DataError, with the line's number, for a header without these columns, a
             row of another number of fields, a field that its converter refuses, and a
             table without rows.
    """
    import csv  # not needed to import minigrad: read when a table is
    import io

    lines = csv.reader(
        io.StringIO(text, newline=""),
        delimiter=separator,
        quoting=csv.QUOTE_NONE if separator == "\t" else csv.QUOTE_MINIMAL,
        strict=True,
    )
    table = Columns({name: [] for name in columns})
    table.lines = []
    try:
        header = next(lines, [])
        places = _places(header, columns, source)
        for fields in lines:
            if not fields:  # a blank line
                continue
            where = f"{source}, line {lines.line_num}"
            if len(fields) != len(header):
                raise DataError(
                    f"{where}: not as many fields as columns",
                    expect=f"{len(header)} fields: {', '.join(header)}",
                    actual=f"{len(fields)} fields",
                    hint="is a separator missing, or one too many in a field?",
                )
            table.lines.append(lines.line_num)
            for name, convert in columns.items():
                value = _converted(fields[places[name]], name, convert, where)
                table[name].append(value)
    except csv.Error as reason:
        limit = csv.field_size_limit()
        raise _malformed(f"{source}, line {lines.line_num}", reason, limit) from None
    if not any(table.values()):
        raise DataError(
            f"{source}: no rows",
            expect="a header and at least one row",
            actual="none",
            hint="is this the right file?",
        )
    return table


def _places(
    header: list[str], columns: Mapping[str, Any], source: str
) -> dict[str, int]:
    """Where each column stands; DataError for one that is missing, or there twice."""
    missing = [name for name in columns if name not in header]
    if missing:
        raise DataError(
            f"{source}, line 1: column {missing[0]!r} is missing",
            expect=f"a header with {', '.join(columns)}",
            actual=", ".join(header)[:80] or "an empty line",
            hint="the first line names the columns",
        )
    twice = [name for name in columns if header.count(name) > 1]
    if twice:
        raise DataError(
            f"{source}, line 1: two columns are called {twice[0]!r}",
            expect="each column once",
            actual=", ".join(header)[:80],
            hint="rename one of them",
        )
    return {name: header.index(name) for name in columns}


def _converted(field: str, name: str, convert: Callable[[str], Any], where: str) -> Any:
    """A field's value; DataError if its converter refuses it."""
    try:
        return convert(field)
    except ValueError as reason:
        raise DataError(
            f"{where}: unreadable {name}",
            expect=f"{name}: {getattr(convert, '__name__', 'a value')}",
            actual=repr(field[:60]),
            hint=str(reason),
        ) from None


def _malformed(where: str, reason: Exception, limit: int) -> DataError:
    """The error for a row that the csv module could not take apart."""
    if "larger than field limit" in str(reason):
        return DataError(
            f"{where}: a field that does not end",
            expect=f"at most {limit:,} characters in a field",
            actual="more",
            hint="cut the text; or is a quotation mark left open before it?",
        )
    return DataError(
        f"{where}: not a well-formed row",
        expect="fields parted by the separator, quotes closed",
        actual=str(reason),
        hint="look at the quotation marks in and before this line",
    )
