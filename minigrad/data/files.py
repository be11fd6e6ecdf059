"""Files of a user's own: tables and texts, each fault an error that names its line.

    reviews = read_table("reviews.csv", {"text": some_text, "rating": finite})
    reviews["rating"], reviews.lines       # the values, and the line of each row
    reviews.notes                          # such as ["semicolons between the fields"]

Read next: `unpacking.py`.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from minigrad.data.tables import Columns, parse_table
from minigrad.data.text_encoding import Text, text_of
from minigrad.data.unpacking import CSV, LARGEST, PANDAS
from minigrad.engine.calls import checked_call
from minigrad.engine.errors import DataError

# The separator that a file's ending speaks of; None: it says nothing of it.
TABLES = {".csv": ",", ".tsv": "\t", ".tab": "\t", ".txt": None, ".dat": None, "": None}
JSON = (".json", ".jsonl", ".ndjson")
PACKED = (".gz", ".bz2", ".xz", ".zip")


@checked_call
def read_table(
    path: str | os.PathLike[str],
    columns: Mapping[str, Callable[[str], Any]],
    *,
    encoding: str | None = None,
) -> Columns:
    """The named columns of a CSV or TSV file with a header.

    columns   which columns, and what makes a value of each field: `finite`,
              `some_text`, `sentence`, `day`, or any function that says no by raising
              ValueError
    encoding  its name, such as "cp1252"; None: what the file's mark says, else UTF-8

    Commas, semicolons, tabs or bars may separate the fields, whatever the ending says;
    a column's name may be spelled "Temp Max" for temp_max; numbers may have a decimal
    comma; dates may be written 31.5.2024. The file may be packed (gzip, zip ...).

    Returns one list per column; `lines`: the line of each row in the file; `notes`:
             what was interpreted, in words, such as "decimal commas".
    Errors:  DataError for a file that cannot be read, another ending, and all that
             `parse_table` refuses, with the line and what was expected there.
    """
    ending = table_ending(path)
    if Path(path).suffix.lower() in JSON:
        lines = '")' if Path(path).suffix.lower() == ".json" else '", lines=True)'
        raise DataError(
            f"{os.fspath(path)}: JSON is not read as a table",
            expect="a file that ends in .csv (commas) or .tsv (tabs)",
            actual=Path(path).suffix,
            hint=PANDAS.format("json")
            .format(path=os.fspath(path))
            .replace('")', lines),
        )
    if ending is None:
        raise DataError(
            f"{os.fspath(path)}: is it a table?",
            expect="a file that ends in .csv (commas) or .tsv (tabs)",
            actual=Path(path).suffix,
            hint=CSV,
        )
    text = read_text(path, encoding=encoding)
    table = parse_table(text, columns, separator=TABLES[ending], source=os.fspath(path))
    table.notes = [*text.notes, *table.notes]
    return table


def table_ending(path: str | os.PathLike[str]) -> str | None:
    """ ".csv" for data.csv, and for data.csv.gz; None if it is no ending of a table."""
    place = Path(path)
    if place.suffix.lower() in PACKED:
        place = place.with_suffix("")
    return place.suffix.lower() if place.suffix.lower() in TABLES else None


@checked_call
def read_text(path: str | os.PathLike[str], *, encoding: str | None = None) -> Text:
    """The text of a file, line ends as \\n, without a byte-order mark.

    encoding  its name, such as "cp1252"; None: what the file's mark says, else UTF-8

    Returns a str with `notes`: what was interpreted, such as ["UTF-16"].
    Errors:  DataError for a file that is missing, empty, too large, not in this
             encoding (with the line), or no text at all; ArgumentError for an encoding
             that there is not.
    """
    content = read_bytes(path)
    return text_of(content, os.fspath(path), encoding)


def read_as(notes: Sequence[str]) -> list[str]:
    """The line that tells a user what was interpreted; none if nothing was."""
    return [f"Read as: {'; '.join(notes)}."] if notes else []


def read_bytes(path: str | os.PathLike[str]) -> bytes:
    """The content of a file of data.

    Errors:  DataError for a file that is missing, too large, or none: a folder, or a
             device or pipe, which may have no end.
    """
    if not isinstance(path, str | bytes | os.PathLike):
        raise DataError(
            f"{path!r:.60} is not a path",
            expect="the name of a file",
            actual=type(path).__name__,
            hint='mg.data.read_text("text.txt")',
        )
    try:
        found = os.stat(path)
        if stat.S_ISREG(found.st_mode) and found.st_size > LARGEST:
            size = f"{found.st_size:,} bytes"
            raise _wrong(path, f"at most {LARGEST:,} bytes", size, "cut it")
        if not (stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode)):
            hint = "write it to a file first"
            raise _wrong(path, "a file", "a device or a pipe", hint)
        return Path(path).read_bytes()
    except (OSError, ValueError) as error:  # a path with a zero in it is a ValueError
        if isinstance(error, DataError):
            raise
        reason = getattr(error, "strerror", None) or str(error)
        raise _wrong(path, "a file of data", reason, "check the path") from None


def _wrong(path: Any, expect: str, actual: str, hint: str) -> DataError:
    return DataError(
        f"{os.fspath(path)} cannot be used", expect=expect, actual=actual, hint=hint
    )
