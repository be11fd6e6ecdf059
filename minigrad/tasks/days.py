"""Reads a series of days, divides it into parts, and cuts windows of past days.

Read next: `gaps.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from minigrad.data.fields import day, finite_or_gap
from minigrad.data.files import read_table
from minigrad.data.scaling import Scaling
from minigrad.data.shipped import seattle_weather
from minigrad.engine.errors import DataError
from minigrad.tasks.gaps import COLUMNS, Rows, made_whole

WEEK = 7


class Series(NamedTuple):
    """Days in a row.

    dates     (n,) datetime64[D]
    values    (n, 4), in the order COLUMNS
    measured  (n,) False for a day whose highest temperature was filled in
    notes     what was interpreted in reading them; cautions: what may be wrong
    """

    dates: np.ndarray
    values: np.ndarray
    measured: np.ndarray
    notes: Sequence[str] = ()
    cautions: Sequence[str] = ()


class Days(NamedTuple):
    """A part: the days to predict. dates (N,); x (N, T, F) scaled; celsius (N,) what
    the highest temperature was, and `before` (N,) what it was on the day before."""

    dates: np.ndarray
    x: np.ndarray
    celsius: np.ndarray
    before: np.ndarray


def read_series(
    path: str | None, *, encoding: str | None = None, fill: int = 0
) -> Series:
    """The series of a user's file, or the package's; days without a gap.

    encoding  of the file; None: what its mark says, else UTF-8
    fill      so many missing days in a row take the values of the day before them

    Raises DataError, with the line, for a value that is no finite number, for values
    that cannot be, and for a longer gap.
    """
    if path is None:
        own = seattle_weather()
        values = np.stack([getattr(own, name) for name in COLUMNS], axis=1)
        return Series(own.dates, values, np.ones(len(values), bool))
    kinds: dict[str, Callable[[str], Any]] = {"date": day}
    kinds.update(dict.fromkeys(COLUMNS, finite_or_gap))
    table = read_table(path, kinds, encoding=encoding)
    dates = np.array(table["date"], "datetime64[D]")
    values = np.array([table[name] for name in COLUMNS]).T
    whole = made_whole(Rows(dates, values, np.array(table.lines)), path, fill)
    notes = [*table.notes, *whole.notes]
    return Series(whole.dates, whole.values, whole.measured, notes, whole.cautions)


def borders(count: int, days: int, path: str | None) -> tuple[int, int]:
    """The first rows to predict of the validation part and of the held-out part."""
    held = int(0.75 * count)
    last = int(0.8 * held)
    if last - days < 2 * days or count - held < 2 * WEEK:
        raise DataError(
            f"{path or 'the series'}: too few days",
            expect=f"at least {max(5 * days + 10, 60)} rows for --days {days}",
            actual=f"{count} rows",
            hint="a longer series, or fewer --days",
        )
    return last, held


def features(series: Series) -> np.ndarray:
    """The network's inputs for each day (n, 6): the columns and the time of year."""
    year = series.dates.astype("datetime64[Y]")
    angle = 2 * np.pi * (series.dates - year).astype(float) / 365.25
    columns = series.values.copy()
    columns[:, 2] = np.sqrt(np.maximum(columns[:, 2], 0))  # rain is a skewed thing
    return np.column_stack([columns, np.sin(angle), np.cos(angle)])


def parts_of(series: Series, rows: np.ndarray, scaling: Scaling, days: int) -> Days:
    """The windows before the days with these row numbers."""
    x = scaling(features(series)).astype("float32")
    celsius = series.values[:, 0]
    windows = np.stack([x[row - days : row] for row in rows])
    return Days(series.dates[rows], windows, celsius[rows], celsius[rows - 1])


def windows(series: Series, row: int, reading: dict[str, Any]) -> np.ndarray:
    """The days before a row, as a batch of one (1, T, F)."""
    x = reading["scaling"](features(series)).astype("float32")
    return x[None, row - reading["days"] : row]
