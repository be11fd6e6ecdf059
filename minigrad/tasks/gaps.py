"""A series of days made whole: in order, without marks for "no value", gaps filled.

A gap is filled only if the user says so (`--fill 3`): with the values of the day before
it, which is all that could be known then. Such a day is read, and never predicted.
Values between those before and after would tell the model of the future.

Read next: `forecast_figures.py`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from minigrad.engine.errors import DataError

COLUMNS = ("temp_max", "temp_min", "precipitation", "wind")
NEVER_NEGATIVE = ("precipitation", "wind")
ZERO = -273.15  # °C: nothing is colder
HOT = 60.0  # °C: no day in the shade ever was hotter
MOST_DAYS = 200_000  # more than five centuries: a slip in a date
DAY = np.timedelta64(1, "D")


class Rows(NamedTuple):
    """dates (n,) datetime64[D]; values (n, 4), NaN for none; lines (n,), 0: no line."""

    dates: np.ndarray
    values: np.ndarray
    lines: np.ndarray

    def at(self, chosen: np.ndarray) -> Rows:
        """Some of the rows."""
        return Rows(self.dates[chosen], self.values[chosen], self.lines[chosen])


class Whole(NamedTuple):
    """A series without gaps: dates (n,), values (n, 4); measured (n,): False for a day
    whose highest temperature was filled in; notes and cautions, in words."""

    dates: np.ndarray
    values: np.ndarray
    measured: np.ndarray
    notes: list[str]
    cautions: list[str]


def made_whole(rows: Rows, path: str, fill: int) -> Whole:
    """The series of the rows of a file, in the order of the days.

    fill  so many missing days in a row are filled, at most

    Errors:  DataError with the line for a day that is there twice, a value that cannot
             be, and a gap that is longer than `fill`.
    """
    notes: list[str] = []
    rows = _in_order(rows, notes)
    rows = _once(rows, path, notes)
    values = rows.values.copy()
    marks = marks_to_gaps(values, COLUMNS, NEVER_NEGATIVE)
    notes += marks
    rows = rows._replace(values=values)
    _check_possible(rows, path)
    rows = _every_day(rows, path)
    kept = _without_ends(rows, path, notes)
    values = filled(rows.values)[kept]
    rows = rows.at(kept)
    gap = np.isnan(rows.values)
    longest = max(longest_gap(gap[:, k]) for k in range(len(COLUMNS)))
    if longest > fill:
        raise _gap_error(rows, path, longest, fill, marks)
    measured = ~gap[:, 0]
    if longest:
        count = int(gap.any(axis=1).sum())
        notes.append(
            f"gaps on {count:,} days filled with the values of the day before them"
        )
    hottest = values[:, 0].max()
    cautions = []
    if hottest > HOT:
        unit = "kelvins" if values[:, 1].min() > 150 else "°F"
        cautions.append(
            f"The highest temperature is {hottest:.1f}. If the file has {unit}, so "
            "have all figures here, though they are called °C."
        )
    return Whole(rows.dates, values, measured, notes, cautions)


# ------------------------------------------------------------- the days


def _in_order(rows: Rows, notes: list[str]) -> Rows:
    steps = np.diff(rows.dates) / DAY
    if (steps >= 0).all():
        return rows
    backwards = (steps <= 0).all()
    notes.append("the newest day first" if backwards else "days put in order")
    start = rows.at(np.arange(len(rows.dates))[::-1]) if backwards else rows
    return start.at(np.argsort(start.dates, kind="stable"))


def _once(rows: Rows, path: str, notes: list[str]) -> Rows:
    """Each day once: the same row again is left out, another one is an error."""
    again = np.flatnonzero(np.diff(rows.dates) == np.timedelta64(0, "D")) + 1
    for k in again:
        if not np.array_equal(rows.values[k], rows.values[k - 1], equal_nan=True):
            raise DataError(
                f"{path}, line {rows.lines[k]}: {rows.dates[k]} is there twice",
                expect="one row per day",
                actual=f"line {rows.lines[k - 1]} has other values for it",
                hint="is it hourly, or of several places? Give one row per day, of one "
                "place",
            )
    if again.size:
        notes.append(f"rows that were there twice: {again.size:,} left out")
    kept = np.ones(len(rows.dates), bool)
    kept[again] = False
    return rows.at(kept)


def _every_day(rows: Rows, path: str) -> Rows:
    """A row without values for each day that is missing."""
    place = ((rows.dates - rows.dates[0]) / DAY).astype(int)
    if place[-1] >= MOST_DAYS:
        k = int(np.argmax(np.diff(place))) + 1
        raise DataError(
            f"{path}, line {rows.lines[k]}: the day does not follow the one before",
            expect=f"{rows.dates[k - 1] + DAY}",
            actual=f"{rows.dates[k]}, {place[k] - place[k - 1]:,} days later",
            hint="is it a slip in the year?",
        )
    count = int(place[-1]) + 1
    values = np.full((count, len(COLUMNS)), np.nan)
    lines = np.zeros(count, int)
    values[place], lines[place] = rows.values, rows.lines
    return Rows(rows.dates[0] + np.arange(count) * DAY, values, lines)


def _without_ends(rows: Rows, path: str, notes: list[str]) -> np.ndarray:
    """The days from which on every column has had a value, without empty ones at the
    end."""
    known = ~np.isnan(rows.values)
    for k, name in enumerate(COLUMNS):
        if not known[:, k].any():
            raise DataError(
                f"{path}: {name} has no value on any day",
                expect="numbers in each of the columns",
                actual=f"{len(rows.dates):,} rows without",
                hint="is it the right column? One that is not needed: write 0 in it",
            )
    first = int(known.argmax(axis=0).max())
    last = len(known) - int(known.any(axis=1)[::-1].argmax())
    if first:
        notes.append(
            f"begins with {rows.dates[first]}, when every column has had a value "
            f"({first:,} days left out)"
        )
    if last < len(known):
        notes.append(f"{len(known) - last:,} days without a value at the end left out")
    return np.arange(first, last)


# ------------------------------------------------------------- the values


def marks_to_gaps(
    values: np.ndarray, names: Sequence[str], never_negative: Sequence[str] = ()
) -> list[str]:
    """Set numbers that stand for "no value" to NaN, in place; says which.

    values  (n, columns), one column per name
    """
    notes = []
    for column, name in enumerate(names):
        found = values[:, column]
        counts = Counter(found[~np.isnan(found)].tolist())
        for value in sorted(counts, key=abs, reverse=True)[:4]:
            others = np.array([other for other in counts if other != value])
            if _is_mark(value, others, name in never_negative):
                found[found == value] = np.nan
                times = counts.pop(value)
                notes.append(f"{value:g} in {name} as no value (in {times:,} rows)")
    return notes


def _is_mark(value: float, others: np.ndarray, never_negative: bool) -> bool:
    """Does a number stand for "no value"? -9999, 999.9 and their like, far outside.

    99 is one only if no other value is near: a heat wave in °F has a 98 too.
    """
    figures = f"{abs(value):.6f}".rstrip("0").replace(".", "")
    nines = len(figures) > 1 and len(set(figures)) == 1 and figures[0] in "6789"
    if not (nines or value in (-32768, 32767) or abs(value) >= 1e10):
        return False
    if not others.size:
        return False
    if value < 0 and never_negative:
        return True
    gap = float(np.abs(others - value).min())
    return gap > max(20.0, float(np.ptp(others)))


def _check_possible(rows: Rows, path: str) -> None:
    """DataError for values that cannot be."""
    high, low, rain, wind = rows.values.T
    checks = (
        ("temp_max", high, high < ZERO, f"{ZERO:g} °C or more"),
        ("temp_min", low, low < ZERO, f"{ZERO:g} °C or more"),
        ("precipitation", rain, rain < 0, "0 mm or more"),
        ("wind", wind, wind < 0, "0 m/s or more"),
    )
    for name, values, wrong, expect in checks:
        if wrong.any():
            k = int(wrong.argmax())
            raise DataError(
                f"{path}, line {rows.lines[k]}: {name} is {values[k]:g}",
                expect=expect,
                actual=f"{values[k]:g} here; {int(wrong.sum()):,} such rows",
                hint="does it stand for a missing value? Leave such fields empty, and "
                "say --fill 1 or more",
            )
    both = ~(np.isnan(high) | np.isnan(low))
    wrong = both & (high < low)
    if not wrong.any():
        return
    k, count = int(wrong.argmax()), int(wrong.sum())
    swapped = count > 0.5 * both.sum()
    raise DataError(
        f"{path}, line {rows.lines[k]}: temp_max is below temp_min",
        expect="the highest temperature of a day above its lowest",
        actual=f"{high[k]:g} and {low[k]:g}; so in {count:,} of {both.sum():,} rows",
        hint="are the two columns swapped? Swap their names in the header"
        if swapped
        else "correct the row, or empty both fields and say --fill 1 or more",
    )


def filled(values: np.ndarray) -> np.ndarray:
    """Each NaN replaced by the last number above it, if there is one (n, columns)."""
    row = np.where(np.isnan(values), 0, np.arange(len(values))[:, None])
    return np.take_along_axis(values, np.maximum.accumulate(row, axis=0), axis=0)


def longest_gap(gap: np.ndarray) -> int:
    """The most Trues in a row."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], gap.astype(int), [0]])))
    return int((edges[1::2] - edges[::2]).max()) if edges.size else 0


def _gap_error(
    rows: Rows, path: str, longest: int, fill: int, marks: Sequence[str]
) -> DataError:
    """What is missing first, and what to say to have it filled."""
    gap = np.isnan(rows.values)
    k = int(gap.any(axis=1).argmax())
    days, columns = int(gap.any(axis=1).sum()), gap[k]
    if rows.lines[k]:
        names = _and([name for name, no in zip(COLUMNS, columns, strict=True) if no])
        what = f"{path}, line {rows.lines[k]}: {names} of {rows.dates[k]} missing"
        expect, actual = "a value for each day", "; ".join(marks) or "none"
    else:
        following = k + int((rows.lines[k:] > 0).argmax())
        what = (
            f"{path}, line {rows.lines[following]}: the day does not follow the one "
            "before"
        )
        expect, actual = f"{rows.dates[k]}", f"{rows.dates[following]}"
    return DataError(
        what,
        expect=expect,
        actual=f"{actual}; days that lack something: {days:,}, at most {longest:,} in "
        "a row" + f", and --fill is {fill}" * bool(fill),
        hint=f"--fill {longest} gives them the values of the day before; they are "
        "read, and never predicted" + _long(longest),
    )


def _long(longest: int) -> str:
    if longest <= 14:
        return ""
    return ". So long a gap is better cut off: give the part before it, or after"


def _and(names: Sequence[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last
