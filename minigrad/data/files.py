"""Files of a user's own: tables and texts, each fault an error that names its line.

    reviews = read_table("reviews.csv", {"text": some_text, "rating": finite})
    reviews["rating"], reviews.lines       # the values, and the line of each row

Read next: `tables.py` (how a table is taken apart).
"""

from __future__ import annotations

import datetime
import math
import os
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from minigrad.data.tables import Columns, parse_table
from minigrad.data.vocabulary import tokenize
from minigrad.engine.errors import DataError

LARGEST = 1 << 28  # bytes: a quarter of a gigabyte of text
LONGEST = 1000  # words of a text that is trained on as a whole
SEPARATORS = {".csv": ",", ".tsv": "\t", ".tab": "\t"}


def read_table(
    path: str | os.PathLike[str], columns: Mapping[str, Callable[[str], Any]]
) -> Columns:
    """The named columns of a CSV or TSV file (by its ending), UTF-8, with a header.

    columns  which columns, and what makes a value of each field: `finite`, `some_text`,
             `sentence`, `day`, or any function that says no by raising ValueError

    Returns one list per column, and `lines`: the line of each row in the file.
    Errors:  DataError for a file that cannot be read, another ending, and all that
             `parse_table` refuses, with the line and what was expected there.
    """
    place = Path(path)
    separator = SEPARATORS.get(place.suffix.lower())
    if separator is None:
        raise DataError(
            f"{place}: is it a table?",
            expect="a file that ends in .csv (commas) or .tsv (tabs)",
            actual=place.suffix or "no ending",
            hint="rename it to what it is",
        )
    return parse_table(
        read_text(place), columns, separator=separator, source=os.fspath(path)
    )


def read_text(path: str | os.PathLike[str]) -> str:
    """The text of a UTF-8 file, line ends as \\n, without a byte-order mark.

    Errors:  DataError for a file that is missing, empty, too large, not UTF-8 (with the
             line), or no text at all.
    """
    return text_of(read_bytes(path), path)


def read_bytes(path: str | os.PathLike[str]) -> bytes:
    """The content of a file of data.

    Errors:  DataError for a file that is missing, too large, or none: a folder, or a
             device or pipe, which may have no end.
    """
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


def text_of(raw: bytes, path: str | os.PathLike[str]) -> str:
    """The text in the content of a file; see `read_text`, which calls it."""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"{path}, line {line}: not UTF-8",
            expect="text in UTF-8",
            actual=f"the byte 0x{raw[error.start]:02x} at {error.start}",
            hint="save it as UTF-8; Windows programs often write cp1252",
        ) from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise DataError(
            f"{path}, line {line}: not text",
            expect="letters, figures, marks",
            actual="a zero character",
            hint="is it a spreadsheet or an archive? Export it as CSV",
        )
    if not text.strip():
        raise _wrong(path, "some text", "an empty file", "is it the right file?")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _wrong(path: Any, expect: str, actual: str, hint: str) -> DataError:
    return DataError(
        f"{os.fspath(path)} cannot be used", expect=expect, actual=actual, hint=hint
    )


# ------------------------------------------------------------- what makes a value


def finite(field: str) -> float:
    """A number that is not NaN or infinite; ValueError says what is wrong."""
    try:
        number = float(field.replace("_", "?"))  # 1_0 is ten to Python alone
    except ValueError:
        gap = not field.strip()
        raise ValueError(
            "the field is empty: fill gaps first, or leave out the row"
            if gap
            else "a number is written like 12.5, with a point"
        ) from None
    if not math.isfinite(number):
        raise ValueError("fill gaps first, for instance with the value before")
    return number


def some_text(field: str) -> str:
    """Text that is not blank; ValueError otherwise."""
    if not field.strip():
        raise ValueError("a row without text says nothing: leave it out")
    return field


def sentence(field: str) -> str:
    """Text of at most LONGEST words and marks; ValueError for more, or none.

    All of it is read, and its steps are kept until the gradient has gone back.
    """
    count = len(tokenize(some_text(field)))
    if count > LONGEST:
        raise ValueError(f"it has {count:,} words and marks: cut it")
    return field


def day(field: str) -> datetime.date:
    """A date, written 2024-05-31 or 2024/05/31; ValueError otherwise."""
    try:
        return datetime.date.fromisoformat(field.strip().replace("/", "-"))
    except ValueError:
        raise ValueError("a date is written 2024-05-31") from None


finite.__name__, some_text.__name__, day.__name__ = "a finite number", "text", "a date"
sentence.__name__ = f"text of at most {LONGEST:,} words"
