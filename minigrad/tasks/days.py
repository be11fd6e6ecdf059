"""Reads a series of days, divides it into parts, and cuts windows of past days.

Read next: `forecast_figures.py`.
"""

from __future__ import annotations

import datetime
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from minigrad.data.files import day, finite, read_table
from minigrad.data.scaling import Scaling
from minigrad.data.shipped import seattle_weather
from minigrad.engine.errors import DataError

COLUMNS = ("temp_max", "temp_min", "precipitation", "wind")
WEEK = 7


class Series(NamedTuple):
    """Days in a row. dates (n,) datetime64[D]; values (n, 4), in the order COLUMNS."""

    dates: np.ndarray
    values: np.ndarray


class Days(NamedTuple):
    """A part: the days to predict. dates (N,); x (N, T, F) scaled; celsius (N,) what
    the highest temperature was, and `before` (N,) what it was on the day before."""

    dates: np.ndarray
    x: np.ndarray
    celsius: np.ndarray
    before: np.ndarray


def read_series(path: str | None) -> Series:
    """The series of a user's file, or the package's; days without a gap.

    Raises DataError, with the line, for a value that is no finite number and for a day
    that does not follow the one before.
    """
    if path is None:
        own = seattle_weather()
        values = np.stack([getattr(own, name) for name in COLUMNS], axis=1)
        return Series(own.dates, values)
    table = read_table(path, {"date": day, **dict.fromkeys(COLUMNS, finite)})
    one = datetime.timedelta(days=1)
    dates = table["date"]
    for (before, after), line in zip(pairwise(dates), table.lines[1:], strict=True):
        if after - before != one:
            raise DataError(
                f"{path}, line {line}: the day does not follow the one before",
                expect=f"{before + one}",
                actual=f"{after}",
                hint="one row per day, in order, with no day missing or repeated",
            )
    columns = [table[name] for name in COLUMNS]
    return Series(np.array(dates, "datetime64[D]"), np.array(columns).T)


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
