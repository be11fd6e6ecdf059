"""Weather: predicts tomorrow's highest temperature from the days before (30 of them).

The parts follow each other in time: the last quarter is held out, and the fifth before
it is used to choose the epoch. A window may contain days of the part before, as it
would in real use: only the day to predict decides to which part it belongs.

Read next: `days.py` (how the series is read and cut).
"""

from __future__ import annotations

import os
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np

from minigrad.data.batching import batches
from minigrad.data.fields import day
from minigrad.data.files import read_as, table_ending
from minigrad.data.scaling import Scaling
from minigrad.engine.errors import DataError
from minigrad.tasks.days import (
    WEEK,
    Days,
    Series,
    borders,
    features,
    parts_of,
    read_series,
    windows,
)
from minigrad.tasks.forecast_figures import figures, forecast, guesses, verdict
from minigrad.tasks.forecast_plots import pictures
from minigrad.tasks.forecasting import Forecasting
from minigrad.tasks.task import Prepared, Section, Table, Trained
from minigrad.tasks.task_options import ENCODING, Option, common

FILL = Option(
    "fill",
    0,
    "missing days in a row that take the values of the day before, at most; alone: 3",
    below=366,
    bare=3,
)


class Weather(Forecasting):
    """The task of predicting tomorrow's highest temperature: see the module."""

    name = "weather"
    help = "tomorrow's highest temperature, from the days before"
    example = "2015-07-04"
    file = (
        "columns date, temp_max, temp_min (°C), precipitation (mm), wind; one row per "
        "day (CSV or TSV)"
    )
    options = (
        *common(
            hidden=24,
            dropout=0.2,
            epochs=40,
            lr=1e-2,
            patience=12,
            weight_decay=0.01,
        ),
        Option("days", 30, "how many past days the network reads", least=1, below=366),
        FILL,
    )
    questions = (ENCODING, FILL)
    monitor = "rmse"
    learned = (
        "Mean square of the error, in squares of the temperature's standard deviation, "
        "with dropout."
    )
    units: ClassVar = {"rmse": "{:.3f} °C", "mae": "{:.3f} °C"}

    def prepare(
        self, settings: SimpleNamespace, known: dict[str, Any] | None = None
    ) -> Prepared:
        """The series in windows, in three parts that follow each other."""
        series, n = _series(settings), settings.days
        last, held = borders(len(series.dates), n, settings.data)
        if known is None:
            scaling = Scaling(features(series)[:last])
        else:
            scaling = known["scaling"]
        if np.ptp(series.values[:last, 0]) == 0:
            raise DataError(
                f"{settings.data}: temp_max never changes in the training part",
                expect="a series that varies",
                actual=f"{series.values[0, 0]:g} on all of the first {last} days",
                hint="is it the right column?",
            )
        reading = {
            "scaling": scaling,
            "days": n,
            "data": settings.data,
        }
        targets = np.arange(n, len(series.dates))
        targets = targets[series.measured[targets]]
        cuts = (targets < last, (targets >= last) & (targets < held), targets >= held)
        fewest = min(int(cut.sum()) for cut in cuts)
        if fewest < WEEK:
            raise DataError(
                f"{settings.data}: too few days have a highest temperature",
                expect=f"{WEEK} or more in each of the three parts",
                actual=f"{fewest} in one of them",
                hint="a series with fewer gaps",
            )
        names = "training", "validation", "held out"
        parts = {
            name: parts_of(series, targets[cut], scaling, n)
            for name, cut in zip(names, cuts, strict=True)
        }
        lines = read_as(series.notes)
        lines += [
            f"{name}: {len(part.dates):,} days, {part.dates[0]} to {part.dates[-1]}"
            for name, part in parts.items()
        ]
        train, validation, test = parts.values()
        example = None if settings.data is None else str(test.dates[-1])
        cautions = [*series.cautions]
        return Prepared(train, validation, test, reading, lines, example, cautions)

    def batches(self, data: Prepared, settings: SimpleNamespace, rng: Any) -> Any:
        """(x (B, T, F), target (B,) scaled) in a new order each epoch."""
        train, scaling = data.train, data.reading["scaling"].feature(0)
        target = scaling(train.celsius).astype("float32")
        return batches(train.x, target, batch_size=settings.batch_size, rng=rng)

    def evaluate(
        self, model: Any, part: Days, reading: dict[str, Any]
    ) -> dict[str, float]:
        """The RMSE and MAE of the forecasts, in degrees."""
        return figures(forecast(model, part.x, reading) - part.celsius)

    def baselines(self, data: Prepared) -> dict[str, dict[str, float]]:
        """Persistence, and ridge regression on the same windows."""
        truth = data.test.celsius
        return {name: figures(guess - truth) for name, guess in guesses(data).items()}

    def examples(self, trained: Trained, data: Prepared) -> list[Section]:
        """The comparison with the baselines, and forecasts with the measured values."""
        own = forecast(trained.model, data.test.x, data.reading)
        return [verdict(own, data), pictures(own, data.test)]

    def predict(
        self,
        trained: Trained,
        text: str,
        encoding: str | None = None,
        fill: int = 0,
    ) -> list[Section]:
        """The forecast for a date of the data, or for the day after a file's last.

        text  a date (2015-07-04); a .csv or .tsv file like the one of the training;
              or nothing: the day after the training's own data
        encoding, fill  of that file: see `read_series`
        """
        text, reading, learned = text.strip(), trained.reading, trained.settings
        own = bool(table_ending(text)) or os.path.isfile(text)
        if own:
            fill = max(fill, learned.fill)
            series = read_series(text, encoding=encoding, fill=fill)
        else:
            series = _series(learned)
        when = _after(series) if own or not text else _date(text)
        first, n = series.dates[0], reading["days"]
        row = int((when - first).astype(int))
        if not n <= row <= len(series.dates):
            raise DataError(
                f"no forecast for {when}: some of the {n} days before it are missing",
                expect=f"a day from {first + n} to {series.dates[-1] + 1}",
                actual=str(when),
                hint="give a file with the days before it: minigrad predict weather "
                "FILE.csv",
            )
        guess = float(
            forecast(trained.model, windows(series, row, reading), reading)[0]
        )
        rows = [
            ["forecast", f"{guess:.1f}"],
            ["the day before", f"{series.values[row - 1, 0]:.1f}"],
        ]
        if row < len(series.dates) and series.measured[row]:
            rows.append(["what came", f"{series.values[row, 0]:.1f}"])
        lines = [*read_as(series.notes), *series.cautions] if own else []
        if trained.figures:
            error = next(iter(trained.figures.values()))["rmse"]
            lines.append(
                f"About two of three forecasts have an error below {error:.1f} °C."
            )
        table = Table(f"Highest temperature on {when}", ["", "°C"], rows)
        return [Section("", lines, [table])]


def _series(settings: SimpleNamespace) -> Series:
    """The series that a run is trained on."""
    if settings.data is None:
        return read_series(None)
    return read_series(settings.data, encoding=settings.encoding, fill=settings.fill)


def _after(series: Series) -> Any:
    return series.dates[-1] + np.timedelta64(1, "D")


def _date(text: str) -> Any:
    try:
        return np.datetime64(day(text), "D")
    except ValueError as error:
        raise DataError(
            f"predict weather: {text[:60]!r} is neither a date nor a table",
            expect="a date (2015-07-04), or a file that ends in .csv or .tsv",
            actual=repr(text[:60]),
            hint=str(error),
        ) from None
