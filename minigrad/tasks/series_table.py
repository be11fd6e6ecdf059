"""Reads one column of any table as a series, with its time and with other columns.

Read next: `series_parts.py`.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

import minigrad as mg
from minigrad.data.date_spelling import MONTHS, date_spelling
from minigrad.data.fields import day, finite_or_gap
from minigrad.data.files import read_table
from minigrad.engine.errors import DataError
from minigrad.tasks.gaps import filled, longest_gap, marks_to_gaps

_STAMP = re.compile(r"\d{4}[-/]\d{1,2}[-/]\d{1,2}[T ]\d{1,2}:\d{2}.*")
_MONTH = re.compile(r"(\d{4})[-/M]?(0[1-9]|1[0-2])")
_YEAR = re.compile(r"[12]\d{3}(?:\.0)?")
_QUARTER = re.compile(r"(\d{4})[- ]?[Qq]([1-4])|[Qq]([1-4])[-/ ]?(\d{4})")
_NAMED = re.compile(r"([A-Za-z]{3,9})[-. ]+(\d{4})|(\d{4})[-. ]+([A-Za-z]{3,9})")


class Series(NamedTuple):
    """Steps in a row.

    times     (n,) datetime64[s], or row numbers where there is no time
    names     the target first, then the inputs
    values    (n, columns), gaps filled with the value before
    measured  (n,) False where the target was filled in
    notes     what was interpreted; cautions: what may be wrong
    """

    times: np.ndarray
    names: tuple[str, ...]
    values: np.ndarray
    measured: np.ndarray
    notes: list[str]
    cautions: list[str]

    def when(self, row: int) -> str:
        """The time of a row in words; rows after the end are counted on."""
        if self.times.dtype.kind != "M":
            return f"row {row + 1}"
        if row < len(self.times):
            return _short(self.times[row])
        step = np.median(np.diff(self.times[-min(len(self.times), 30) :]).astype(int))
        later = (row - len(self.times) + 1) * int(step)
        return _short(self.times[-1] + np.timedelta64(later, "s"))


def _short(time: Any) -> str:
    text = str(time).replace("T", " ")
    return text.removesuffix(":00").removesuffix(" 00:00")


def read_series_table(
    path: str,
    target: str,
    time: str | None = None,
    inputs: Sequence[str] = (),
    *,
    encoding: str | None = None,
    fill: int = 0,
) -> Series:
    """The column `target` of a file as a series, in the order of the column `time`.

    time    None: rows are steps, in the order of the file
    inputs  other columns that the network reads
    fill    so many missing values in a row are filled with the one before them, at most

    Errors:  DataError for columns that are not there, values that are no numbers, times
             that are there twice, a longer gap, and a target without a value.
    """
    names = (target, *inputs)
    if len(set(names)) < len(names) or time in names:
        raise DataError(
            "series: the same column is named twice",
            expect="the target, the time and the inputs as different columns",
            actual=", ".join(filter(None, (time, *names))),
            hint="the network reads the target's own past anyway",
        )
    kinds: dict[str, Any] = dict.fromkeys(names, finite_or_gap)
    if time is not None:
        kinds = {time: str, **kinds}
    table = read_table(path, kinds, encoding=encoding)
    values = np.array([table[name] for name in names]).T
    notes = list(table.notes)
    lines = np.array(table.lines)
    times = np.arange(len(values))
    if time is not None:
        times, told = moments(table[time], table.lines, path)
        notes += told
        times, values, lines = _in_order(times, values, lines, path, notes)
    return _whole(times, names, values, lines, path, fill, notes)


def moments(
    fields: Sequence[str], lines: Sequence[int], path: str
) -> tuple[np.ndarray, list[str]]:
    """Times (n,) datetime64[s] from texts: 2014-05-31 12:00, 31.5.2014, May 2014, 2014.

    Errors: DataError, with the line, for a text that is no time.
    """
    texts = [field.strip() for field in fields]
    for read in (_years, _months, _quarters, _named_months):
        if (plain := read(texts)) is not None:
            what = read.__name__.strip("_").replace("_", " ")
            return np.array(plain, "datetime64[s]"), [what]
    spelling = None
    made = []
    if not any(map(_STAMP.fullmatch, texts)):
        spelling = date_spelling(fields, lines, path)
    for line, text in zip(lines, texts, strict=True):
        try:
            if spelling is None:
                found = datetime.datetime.fromisoformat(text.replace("/", "-"))
                made.append(np.datetime64(found.replace(tzinfo=None), "s"))
            else:
                made.append(np.datetime64(day(spelling.plain(text)), "s"))
        except ValueError as reason:
            raise DataError(
                f"{path}, line {line}: unreadable time",
                expect="a date, or a date and a time of day",
                actual=repr(text[:60]),
                hint=str(reason),
            ) from None
    return np.array(made), list(spelling.notes) if spelling else []


def _years(texts: Sequence[str]) -> list[str] | None:
    return [t[:4] for t in texts] if all(map(_YEAR.fullmatch, texts)) else None


def _months(texts: Sequence[str]) -> list[str] | None:
    """2014-05, 201405 and 2014M05, as 2014-05."""
    if not all(map(_MONTH.fullmatch, texts)) or len(set(map(len, texts))) > 1:
        return None
    return [f"{t[:4]}-{t[-2:]}" for t in texts]


def _quarters(texts: Sequence[str]) -> list[str] | None:
    """2014-Q2 and Q2 2014, as their first month."""
    found = [m for m in map(_QUARTER.fullmatch, texts) if m]
    if len(found) < len(texts):
        return None
    return [f"{m[1] or m[4]}-{3 * int(m[2] or m[3]) - 2:02d}" for m in found]


def _named_months(texts: Sequence[str]) -> list[str] | None:
    """May 2014 and 2014-May, as 2014-05."""
    found = [m for m in map(_NAMED.fullmatch, texts) if m]
    names = [(m[1] or m[4])[:3].lower() for m in found]
    if len(found) < len(texts) or not set(names) <= set(MONTHS):
        return None
    return [
        f"{m[2] or m[3]}-{MONTHS.index(name) + 1:02d}"
        for m, name in zip(found, names, strict=True)
    ]


def _in_order(
    times: np.ndarray,
    values: np.ndarray,
    lines: np.ndarray,
    path: str,
    notes: list[str],
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    order = np.argsort(times, kind="stable")
    if (order != np.arange(len(order))).any():
        notes.append("rows put in the order of time")
    times, values, lines = times[order], values[order], lines[order]
    again = np.flatnonzero(np.diff(times) == np.timedelta64(0, "s")) + 1
    for k in again:
        if not np.array_equal(values[k], values[k - 1], equal_nan=True):
            raise DataError(
                f"{path}, line {lines[k]}: {_short(times[k])} is there twice",
                expect="one row for each time",
                actual=f"line {lines[k - 1]} has other values for it",
                hint="are there several series in the file? Give one of them",
            )
    if again.size:
        notes.append(f"rows that were there twice: {again.size:,} left out")
    kept = np.delete(np.arange(len(times)), again)
    return times[kept], values[kept], lines[kept]


def _whole(
    times: np.ndarray,
    names: tuple[str, ...],
    values: np.ndarray,
    lines: np.ndarray,
    path: str,
    fill: int,
    notes: list[str],
) -> Series:
    values = values.copy()
    marks = marks_to_gaps(values, names)
    notes += marks
    known = ~np.isnan(values)
    for k, name in enumerate(names):
        if not known[:, k].any():
            raise DataError(
                f"{path}: {name} has no value in any row",
                expect="numbers",
                actual=f"{len(values):,} rows without",
                hint="is it the right column?",
            )
    first = int(known.argmax(axis=0).max())
    last = len(known) - int(known[:, 0][::-1].argmax())
    if first or last < len(known):
        cut = first + len(known) - last
        notes.append(f"rows at the ends without a value: {cut:,} left out")
    times, values, lines = (a[first:last] for a in (times, values, lines))
    gap = np.isnan(values)
    longest = max(longest_gap(gap[:, k]) for k in range(len(names)))
    if longest > fill:
        k = int(gap.any(axis=1).argmax())
        lacking = ", ".join(n for n, no in zip(names, gap[k], strict=True) if no)
        count = int(gap.any(axis=1).sum())
        lack = f"rows that lack something: {count:,}, at most {longest:,} in a row"
        raise DataError(
            f"{path}, line {lines[k]}: no value of {lacking}",
            expect="a value in each row",
            actual="; ".join([*marks, lack]),
            hint=f"--fill {longest} gives them the value before; they are read, and "
            "never predicted",
        )
    if longest:
        count = int(gap.any(axis=1).sum())
        notes.append(f"gaps in {count:,} rows filled with the value before")
    measured = ~gap[:, 0]
    cautions = _cautions(times)
    return Series(times, names, filled(values), measured, notes, cautions)


def _cautions(times: np.ndarray) -> list[str]:
    """A sentence if the steps of time are of different length."""
    if times.dtype.kind != "M" or len(times) < 3:
        return []
    steps = np.diff(times).astype(int) / 86400
    usual = float(np.median(steps))
    longer = int((steps > 1.5 * usual).sum())
    if not longer or (usual > 27 and steps.max() < 367):  # months are not equally long
        return []
    return [
        f"A step is a row: most are {_days(usual)} apart, {longer:,} are further (the "
        f"longest {steps.max():g} days). The network does not see the difference."
    ]


def _days(count: float) -> str:
    return "a day" if count == 1 else f"{count:g} days"


def shipped(example: str) -> Series:
    """The package's own series: "co2" or "prices" (of MSFT)."""
    if example == "co2":
        weekly = mg.data.weekly_co2()
        times, values, names = weekly.dates, weekly.co2[:, None], ("co2",)
        note = "the mean of a week; gaps filled with the week before"
    else:
        stocks = mg.data.stock_prices()
        column = stocks.names.index("MSFT")
        times, values = stocks.dates, stocks.prices[:, column : column + 1]
        names, note = ("MSFT",), "the price of a stock, month by month"
    measured = ~np.isnan(values[:, 0])
    seconds = times.astype("datetime64[s]")
    return Series(seconds, names, filled(values), measured, [note], [])
