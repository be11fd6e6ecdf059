"""How a table writes its dates: 2014-05-31, 31.5.2014, 5/31/2014, 31 May 2014 ...

"3/4/2014" is ambiguous; a column in which a 13 occurs is not.

Read next: `shipped.py` (the package's own tables).
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence
from typing import NamedTuple

from minigrad.engine.errors import DataError

TIME = (  # after a date: 12:00, 12:00:00.0, 3:15 pm, T12:00Z, 12:00 +01:00
    r"(?:[T ]+\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?: ?[AaPp][Mm])?"
    r"(?:Z| ?[+-]\d\d:?\d\d)?)?"
)
YEAR_FIRST = re.compile(rf"(\d{{4}})([-/.])(\d{{1,2}})\2(\d{{1,2}}){TIME}")
YEAR_LAST = re.compile(rf"(\d{{1,2}})([-/.])(\d{{1,2}})\2(\d{{4}}){TIME}")
COMPACT = re.compile(r"((?:19|20)\d{2})(\d{2})(\d{2})")
NAMED = re.compile(rf"(\d{{1,2}})[-. ]+([A-Za-z]{{3,9}})[-., ]+(\d{{4}}){TIME}")
NAMED_FIRST = re.compile(rf"([A-Za-z]{{3,9}})[. ]+(\d{{1,2}}),? +(\d{{4}}){TIME}")
EXCEL = re.compile(r"([2-6]\d{4})(?:[.,]0*)?")  # days since 1899-12-30: 1954 to 2091
MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()


class DateSpelling(NamedTuple):
    """How dates are written. `notes` says it, where it is not the usual way."""

    day_first: bool = True
    notes: tuple[str, ...] = ()

    def plain(self, field: str) -> str:
        """A date as 2014-05-31; a field that is written in no known way as it is."""
        text = field.strip()
        if found := YEAR_FIRST.fullmatch(text):
            year, _, month, day = found.groups()
        elif found := YEAR_LAST.fullmatch(text):
            day, _, month, year = found.groups()
            if not self.day_first:
                day, month = month, day
        elif found := COMPACT.fullmatch(text):
            year, month, day = found.groups()
        elif found := NAMED.fullmatch(text):
            day, month, year = found.groups()
        elif found := NAMED_FIRST.fullmatch(text):
            month, day, year = found.groups()
        elif found := EXCEL.fullmatch(text):
            first = datetime.date(1899, 12, 30)
            return str(first + datetime.timedelta(days=int(found.group(1))))
        else:
            return text
        if month.isalpha():
            name = month[:3].lower()
            if name not in MONTHS:
                return text
            month = str(MONTHS.index(name) + 1)
        return f"{year}-{int(month):02}-{int(day):02}"


def date_spelling(
    fields: Sequence[str], lines: Sequence[int], source: str
) -> DateSpelling:
    """How the dates of a column are written.

    Errors:  DataError if the day comes first in some and the month in others, or if
             nothing shows which.
    """
    notes = _kinds(fields)
    either: tuple[int, str] | None = None
    first: dict[bool, tuple[int, str]] = {}  # does the day come first? -> where seen
    for line, field in zip(lines, fields, strict=True):
        if found := YEAR_LAST.fullmatch(field.strip()):
            one, mark, two, _ = found.groups()
            if int(one) > 12 or mark == ".":  # a point: German, and its like
                first.setdefault(True, (line, field))
            elif int(two) > 12:
                first.setdefault(False, (line, field))
            else:
                either = either or (line, field)
    if len(first) == 2:
        (line, field), (other, shown) = first[True], first[False]
        raise DataError(
            f"{source}, line {line}: the day comes first here, and not in line {other}",
            expect="one way to write dates in the whole table",
            actual=f"{field.strip()!r} and {shown.strip()!r}",
            hint="write them as 2014-05-31",
        )
    if first:
        day_first = next(iter(first))
        order = "day, month, year" if day_first else "month, day, year"
        return DateSpelling(day_first, (f"dates as {order}", *notes))
    if either:
        raise DataError(
            f"{source}, line {either[0]}: is {either[1].strip()!r} a day and a month?",
            expect="dates that show their order, such as 31/5/2014",
            actual="no number above 12 in the days and months of the column",
            hint="write them as 2014-05-31",
        )
    return DateSpelling(True, notes)


def _kinds(fields: Sequence[str]) -> tuple[str, ...]:
    """What is unusual about the dates of a column, in words."""
    texts = [field.strip() for field in fields]
    kinds = (
        (COMPACT, "dates as 20140531"),
        (NAMED, "dates with the names of months"),
        (NAMED_FIRST, "dates with the names of months"),
        (EXCEL, "dates as Excel's day numbers"),
    )
    told = [name for kind, name in kinds if any(map(kind.fullmatch, texts))]
    if any(":" in text for text in texts):
        told.append("dates without their time of day")
    return tuple(dict.fromkeys(told))
