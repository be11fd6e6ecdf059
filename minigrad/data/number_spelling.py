"""How a table writes its numbers: 1234.5 or 1234,5, with or without 1,234 or 1.234.

One field may be ambiguous ("1,234"); all the numbers of a table together seldom are. If
they are, it is an error: a number must not be read as another one a thousand times as
large.

Read next: `date_spelling.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from minigrad.engine.errors import DataError

POWER = r"(?:[eE][+-]?\d+)?"
COMMA = re.compile(rf"[+-]?(?:\d+,\d*|,\d+){POWER}")  # 1,5
COMMA_GROUPS = re.compile(r"[+-]?\d{1,3}(?:,\d{3})+(?:\.\d*)?")  # 1,234 or 1,234.5
POINT = re.compile(rf"[+-]?(?:\d+\.\d*|\.\d+){POWER}")  # 1.5
POINT_GROUPS = re.compile(r"[+-]?\d{1,3}(?:\.\d{3})+(?:,\d*)?")  # 1.234 or 1.234,5
# 1 234 as in France, with any blank, and 1'234 as in Switzerland
BLANK_GROUPS = re.compile(
    r"[+-]?\d{1,3}(?:[ \u00a0\u2009\u202f'\u2019]\d{3})+(?:[.,]\d*)?"
)
BLANKS = re.compile(r"[ \u00a0\u2009\u202f'\u2019]")
MINUS = "\N{MINUS SIGN}"


class NumberSpelling(NamedTuple):
    """How numbers are written. `notes` says it, where it is not the usual way."""

    decimal_comma: bool = False
    groups: bool = False  # is the other mark used between thousands?
    notes: tuple[str, ...] = ()

    def plain(self, field: str) -> str:
        """A number as Python writes it: "1.234,5" -> "1234.5"; other fields as is."""
        text = field.strip().replace(MINUS, "-")
        if BLANK_GROUPS.fullmatch(text):
            text = BLANKS.sub("", text)
        if self.decimal_comma:
            if POINT_GROUPS.fullmatch(text):
                text = text.replace(".", "")
            return text.replace(",", ".") if COMMA.fullmatch(text) else text
        if self.groups and COMMA_GROUPS.fullmatch(text):
            return text.replace(",", "")
        return text


def number_spelling(
    columns: Mapping[str, Sequence[str]],
    lines: Sequence[int],
    separator: str,
    source: str,
) -> NumberSpelling:
    """How the numbers in some columns of a table are written.

    columns    the fields of each column; lines: the line of each row
    separator  of the table: with semicolons a comma is a decimal comma

    Errors:  DataError if some have a decimal comma and others a decimal point, or if
             all with a comma could be meant either way.
    """
    # The first (line, field) of each kind: of what proves one spelling or the other,
    # and of what could be both.
    first: dict[str, tuple[int, str]] = {}
    for line, text in _numbers(columns, lines):
        kind = _kind(text)
        if kind not in first or line < first[kind][0]:
            first[kind] = line, text
    comma = first.get("comma") or first.get("1.234,5")
    point = first.get("point") or first.get("1,234.5")
    if separator == ";" and first.keys() <= {"comma?", "point?", ""}:
        comma = first.get("comma?")
    if comma and point:
        raise DataError(
            f"{source}, line {comma[0]}: decimal commas and decimal points",
            expect="one way to write numbers in the whole table",
            actual=f"{comma[1]!r} here, {point[1]!r} in line {point[0]}",
            hint="write all of them with a point",
        )
    if comma or "1.234.567" in first:
        groups = bool(first.keys() & {"point?", "1.234.567", "1.234,5"})
        told = ["decimal commas"] * bool(comma) + ["points between thousands"] * groups
        return NumberSpelling(True, groups, tuple(told))
    if point or "1,234,567" in first:
        groups = bool(first.keys() & {"comma?", "1,234,567", "1,234.5"})
        return NumberSpelling(False, groups, ("commas between thousands",) * groups)
    if "comma?" in first:
        line, text = first["comma?"]
        raise DataError(
            f"{source}, line {line}: is the comma of {text!r} a decimal comma?",
            expect="numbers like 12.5, or commas that can be told apart",
            actual=f"{text!r}: 1.234 or 1234? No number of the table shows it",
            hint="write them with a point, or without thousands",
        )
    return NumberSpelling()


def _numbers(
    columns: Mapping[str, Sequence[str]], lines: Sequence[int]
) -> Iterator[tuple[int, str]]:
    """(line, field) of every field that has a comma or a point."""
    for fields in columns.values():
        for line, field in zip(lines, fields, strict=True):
            if "," in field or "." in field:
                text = field.strip().replace(MINUS, "-")
                yield line, BLANKS.sub("", text)


def _kind(text: str) -> str:
    """What a number shows: "comma" or "point" is its decimal mark, with "?" perhaps.

    "1,234,567" and the like: there are marks between thousands; "" is no number.
    """
    both = "," in text and "." in text
    if COMMA_GROUPS.fullmatch(text):
        return "1,234.5" if both else "comma?" if text.count(",") == 1 else "1,234,567"
    if POINT_GROUPS.fullmatch(text):
        return "1.234,5" if both else "point?" if text.count(".") == 1 else "1.234.567"
    if COMMA.fullmatch(text):
        return "comma"
    return "point" if POINT.fullmatch(text) else ""
