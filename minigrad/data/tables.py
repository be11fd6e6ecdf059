"""Text with columns (CSV, TSV) into lists, each malformed row an error with its line.

Read next: `layouts.py` (its separator and header).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from minigrad.data.fields import makes_dates, makes_numbers
from minigrad.data.layouts import Layout, find_layout
from minigrad.engine.errors import DataError

Rows = list[tuple[int, list[str]]]  # the line in which each row ends, and its fields


class Columns(dict[str, list[Any]]):
    """One list per column; `lines`: where each row ends in the file, from 1; `notes`:
    what was interpreted in reading the file, in words."""

    lines: list[int]
    notes: list[str]


def parse_table(
    text: str,
    columns: Mapping[str, Callable[[str], Any]],
    *,
    separator: str | None,
    source: str,
) -> Columns:
    """Read the named columns of a table in which a line names all of them.

    In tab-separated text a quotation mark is an ordinary character (reviews are full of
    them), unless the table can only be read otherwise; elsewhere it quotes a field, as
    spreadsheets write it. Numbers and dates may be spelled in other ways, such as 12,5:
    see `number_spelling` and `date_spelling`.

    Args:
        text: the table, with \\n at the line ends.
        columns: which columns, and what makes a value of each field (str, float, ...);
            a converter says no by raising ValueError.
        separator: the one to try first; None: the table has no usual one.
        source: what the table is called in messages: a file's name.

    Returns: one list per column, all equally long; `.lines` has each row's line.
    Errors:  DataError, with the line's number, for a header without these columns, a
             row of another number of fields, a field that its converter refuses, and a
             table without rows.
    """
    numeric = all(makes_numbers(c) or makes_dates(c) for c in columns.values())
    layout = find_layout(text, columns, separator, source, blanks=numeric)
    quoted = layout._replace(
        quoted=True, notes=(*layout.notes, "fields in quotation marks")
    )
    if layout.quoted or '"' not in text:
        return _converted(text, columns, layout, source)
    if _encloses(text):
        return _converted(text, columns, quoted, source)
    try:
        return _converted(text, columns, layout, source)
    except DataError:
        try:
            return _converted(text, columns, quoted, source)
        except DataError:
            pass
        raise


def _encloses(text: str) -> bool:
    """Do quotation marks enclose fields of a tab-separated text, for certain?

    They do if each field that begins with one ends with one, and one has "" inside.
    """
    fields = re.findall(r'(?:^|\t)("[^\t\n]*)', text, re.MULTILINE)
    enclosed = [re.fullmatch(r'"(?:[^"]|"")*"', field) for field in fields]
    return all(enclosed) and any('""' in field[1:-1] for field in fields)


def _converted(
    text: str,
    columns: Mapping[str, Callable[[str], Any]],
    layout: Layout,
    source: str,
) -> Columns:
    """The values of the table, which has this layout."""
    rows: Rows = []
    notes: list[str] = []
    try:
        _read_rows(text, layout, source, rows, notes)
    except DataError:  # which may come of a row further up that is too long
        _check_widths(rows, layout, _row_names(rows, layout), source)
        raise
    shift = _row_names(rows, layout)
    _check_widths(rows, layout, shift, source)
    if shift:
        notes.append("a first column without a name (R writes the rows' names)")
    table = Columns({name: [] for name in columns})
    table.lines = [line for line, _ in rows]
    table.notes = [*layout.notes, *notes]
    fields = {
        name: [row[place + shift] for _, row in rows]
        for name, place in layout.places.items()
    }
    plain = _spellings(fields, columns, table, layout, source)
    for k, line in enumerate(table.lines):
        for name, convert in columns.items():
            try:
                table[name].append(convert(plain[name](fields[name][k])))
            except ValueError as reason:
                hint = str(reason)
                if k == 0 and _are_units(rows):
                    hint = "is this a row of units? Leave it out"
                elif 0 < k == len(rows) - 1:
                    hint += ". A total, or a note, in the last row? Leave it out"
                raise DataError(
                    f"{source}, line {line}: unreadable {name}",
                    expect=f"{name}: {getattr(convert, '__name__', 'a value')}",
                    actual=repr(fields[name][k][:60]),
                    hint=hint,
                ) from None
    if not rows:
        raise DataError(
            f"{source}: no rows",
            expect="a header and at least one row",
            actual="none",
            hint="is this the right file?",
        )
    return table


def _spellings(
    fields: Mapping[str, list[str]],
    columns: Mapping[str, Callable[[str], Any]],
    table: Columns,
    layout: Layout,
    source: str,
) -> dict[str, Callable[[str], str]]:
    """What brings the fields of each column to the form that its converter knows."""
    # Read when a table is: their patterns take longer to compile than all imports here.
    from minigrad.data.date_spelling import date_spelling
    from minigrad.data.number_spelling import number_spelling

    numbers = {name: fields[name] for name in columns if makes_numbers(columns[name])}
    spelled = number_spelling(numbers, table.lines, layout.separator, source)
    table.notes += spelled.notes
    plain: dict[str, Callable[[str], str]] = dict.fromkeys(columns, str)
    plain.update(dict.fromkeys(numbers, spelled.plain))
    for name in columns:
        if makes_dates(columns[name]):
            dates = date_spelling(fields[name], table.lines, source)
            plain[name] = dates.plain
            table.notes += dates.notes
    return plain


# ------------------------------------------------------------- rows


def _rows(text: str, layout: Layout, source: str) -> Iterator[tuple[int, list[str]]]:
    """The line and the fields of each row below the header."""
    if layout.separator == " ":
        for number, line in enumerate(text.split("\n")[layout.header + 1 :]):
            yield number + layout.header + 2, line.split()
        return
    import csv  # not needed to import minigrad: read when a table is
    import io

    file = io.StringIO(text, newline="")
    for _ in range(layout.header):
        file.readline()
    rows = csv.reader(
        file,
        delimiter=layout.separator,
        quoting=csv.QUOTE_MINIMAL if layout.quoted else csv.QUOTE_NONE,
        strict=True,
    )
    try:
        next(rows)
        for fields in rows:
            yield layout.header + rows.line_num, fields
    except csv.Error as reason:
        at = layout.header + rows.line_num
        if "larger than field limit" in str(reason):
            raise DataError(
                f"{source}, line {at}: a field that does not end",
                expect=f"at most {csv.field_size_limit():,} characters in a field",
                actual="more",
                hint="cut the text; or is a quotation mark left open before it?",
            ) from None
        raise DataError(
            f"{source}, line {at}: not a well-formed row",
            expect="fields parted by the separator, quotes closed",
            actual=str(reason),
            hint='inside a quoted field a quotation mark is written twice, "", not \\"'
            if '\\"' in text
            else "look at the quotation marks in and before this line",
        ) from None


def _read_rows(
    text: str, layout: Layout, source: str, kept: Rows, notes: list[str]
) -> None:
    """Add the rows that hold something to `kept`, and what was left out to `notes`."""
    empty, again = 0, []
    for line, fields in _rows(text, layout, source):
        if not any(field.strip() for field in fields):
            empty += len(fields) > 1  # one is a blank line
        elif fields == layout.names:
            again.append(line)
        else:
            kept.append((line, fields))
    if empty:
        notes.append(f"empty rows: {empty:,} left out")
    if again:
        notes.append(f"the header, which stands again in line {again[0]}, left out")


def _row_names(rows: Rows, layout: Layout) -> int:
    """1 if there is a first column without a name, numbered from 1, as R writes it."""
    wider = [fields for _, fields in rows[:2] if len(fields) == len(layout.names) + 1]
    numbered = [fields[0].strip() for fields in wider] == ["1", "2"]
    return int(numbered and all(fields[-1].strip() for fields in wider))


def _are_units(rows: Rows) -> bool:
    """Has the first row no figure at all, and the second one some?"""
    figures = [any(map(str.isdigit, "".join(fields))) for _, fields in rows[:2]]
    return figures == [False, True]


def _check_widths(rows: Rows, layout: Layout, shift: int, source: str) -> None:
    """DataError for a row with more or fewer fields than the header has names.

    Blank fields at the end do not count: spreadsheets write some, or leave some out.
    """
    names = [""] * shift + layout.names
    least = max(k for k, name in enumerate(names) if name.strip()) + 1
    for line, fields in rows:
        while len(fields) > len(names) and not fields[-1].strip():
            fields.pop()
        if not least <= len(fields) <= len(names):
            raise DataError(
                f"{source}, line {line}: not as many fields as columns",
                expect=f"{len(names)} fields: {', '.join(names)}",
                actual=f"{len(fields)} fields",
                hint=_width_hint(fields, len(names), layout)
                + (" A note at the end? Leave it out" if line == rows[-1][0] else ""),
            )


def _width_hint(fields: list[str], count: int, layout: Layout) -> str:
    if len(fields) < count:
        return "is a separator missing, or the rest of the file?"
    if layout.separator != ",":
        return "one separator too many? A field that has one goes in quotation marks"
    if all(re.fullmatch(r"[\s\d.:/+-]*", field) for field in fields):
        return (
            "decimal commas? Put such numbers in quotation marks, or save the table "
            "with semicolons between the fields"
        )
    return "a comma in a text? Put the text in quotation marks"
