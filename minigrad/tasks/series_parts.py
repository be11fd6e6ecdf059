"""Cuts a series into windows with what came later, in parts that follow each other.

Read next: `series_figures.py`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from minigrad.engine.errors import DataError
from minigrad.tasks.series_table import Series

LEAST = 12  # values to predict in each part


class Ahead(NamedTuple):
    """A part: values to predict, each from its own origin `horizon` steps before.

    rows    (N,) the row of the series that is predicted
    x       (N, T, F) float32: what the network reads, up to the origin
    origin  (N,) the value at the origin;  truth (N,) the value that came
    """

    rows: np.ndarray
    x: np.ndarray
    origin: np.ndarray
    truth: np.ndarray


def borders(count: int, window: int, horizon: int, path: str | None) -> tuple[int, int]:
    """The first rows to predict of the validation part and of the held-out part."""
    held = int(0.75 * count)
    last = int(0.8 * held)
    if last - window - horizon < 2 * LEAST or count - held < LEAST:
        raise DataError(
            f"{path or 'the series'}: too few rows",
            expect=f"{int(1.7 * (window + horizon + 2 * LEAST)) + 4} or more for "
            f"--window {window} --horizon {horizon}",
            actual=f"{count}",
            hint="a longer series, or a shorter --window",
        )
    return last, held


def scales(series: Series, last: int, reading: dict[str, Any]) -> dict[str, Any]:
    """What numbers are divided by, of the training part alone (rows before `last`).

    near    the root mean square of a window's values minus its last one
    change  the standard deviation of the change over the horizon
    inputs  mean and deviation of each other column
    step    the mean size of the change over a season (or a step): MASE divides by it
    """
    y, h = series.values[:last, 0], reading["h"]
    m, n = max(1, reading["m"]), reading["n"]
    if np.ptp(y) == 0:
        raise DataError(
            f"series: {series.names[0]} never changes in the training part",
            expect="a series that varies",
            actual=f"{y[0]:g} in all of the first {last:,} rows",
            hint="is it the right column?",
        )
    windows = np.lib.stride_tricks.sliding_window_view(y, n)
    near = float(np.sqrt(((windows - windows[:, -1:]) ** 2).mean()))
    change = float(np.std(y[h:] - y[:-h]))
    others = series.values[:last, 1:]
    deviation = others.std(axis=0)
    step = np.abs(y[m:] - y[:-m]) if len(y) > m else np.abs(np.diff(y))
    return {
        "near": near or 1.0,
        "change": change or 1.0,
        "mean": others.mean(axis=0).tolist(),
        "deviation": np.where(deviation > 0, deviation, 1.0).tolist(),
        "step": float(step.mean()) or 1.0,
    }


def window_of(series: Series, origin: int, reading: dict[str, Any]) -> np.ndarray:
    """What the network reads at an origin, (T, F) float32.

    The target minus its value at the origin; the season's angle; the other columns
    """
    n, scale = reading["n"], reading["scales"]
    rows = np.arange(origin - n + 1, origin + 1)
    y = series.values[rows, 0]
    columns = [(y - y[-1]) / scale["near"]]
    if reading["m"] > 1:
        angle = 2 * np.pi * rows / reading["m"]
        columns += [np.sin(angle), np.cos(angle)]
    others = (series.values[rows, 1:] - scale["mean"]) / scale["deviation"]
    return np.column_stack([*columns, *others.T]).astype(np.float32)


def part_of(series: Series, rows: np.ndarray, reading: dict[str, Any]) -> Ahead:
    """The windows of the rows to predict."""
    origins = rows - reading["h"]
    x = np.stack([window_of(series, int(k), reading) for k in origins])
    y = series.values[:, 0]
    return Ahead(rows, x, y[origins], y[rows])
