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

from minigrad import models
from minigrad.data.batching import batches
from minigrad.data.files import SEPARATORS, day
from minigrad.data.scaling import Scaling
from minigrad.engine.errors import DataError
from minigrad.engine.tensor import Tensor
from minigrad.nn.losses import mse
from minigrad.tasks.days import (
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
from minigrad.tasks.task import Prepared, Section, Table, Task, Trained
from minigrad.tasks.task_options import Option, common


class Weather(Task):
    """The task of predicting tomorrow's highest temperature: see the module."""

    name = "weather"
    help = "tomorrow's highest temperature, from the days before"
    example = "2015-07-04"
    file = "columns date, temp_max, temp_min, precipitation, wind; one row per day"
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
    )
    monitor = "rmse"
    learned = (
        "Mean square of the error, in squares of the temperature's standard deviation, "
        "with dropout."
    )
    units: ClassVar = {"rmse": "{:.3f} °C", "mae": "{:.3f} °C"}

    def prepare(self, settings: SimpleNamespace) -> Prepared:
        """The series in windows, in three parts that follow each other."""
        series, n = read_series(settings.data), settings.days
        last, held = borders(len(series.dates), n, settings.data)
        scaling = Scaling(features(series)[:last])
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
        cuts = (targets < last, (targets >= last) & (targets < held), targets >= held)
        names = "training", "validation", "held out"
        parts = {
            name: parts_of(series, targets[cut], scaling, n)
            for name, cut in zip(names, cuts, strict=True)
        }
        lines = [
            f"{name}: {len(part.dates):,} days, {part.dates[0]} to {part.dates[-1]}"
            for name, part in parts.items()
        ]
        train, validation, test = parts.values()
        example = None if settings.data is None else str(test.dates[-1])
        return Prepared(train, validation, test, reading, lines, example)

    def configure(self, settings: SimpleNamespace, data: Prepared) -> dict[str, Any]:
        """The arguments of `models.forecaster.Forecaster`."""
        return {
            "inputs": data.train.x.shape[-1],
            "hidden": settings.hidden,
            "cell": settings.cell,
            "layers": settings.layers,
            "dropout": settings.dropout,
        }

    def build(self, config: dict[str, Any], weights: Any, noise: Any) -> Any:
        """A `Forecaster`."""
        return models.Forecaster(**config, rng=weights, noise=noise)

    def batches(self, data: Prepared, settings: SimpleNamespace, rng: Any) -> Any:
        """(x (B, T, F), target (B,) scaled) in a new order each epoch."""
        train, scaling = data.train, data.reading["scaling"].feature(0)
        target = scaling(train.celsius).astype("float32")
        return batches(train.x, target, batch_size=settings.batch_size, rng=rng)

    def loss(self, model: Any, batch: Any) -> Tensor:
        """The mean squared error, in squares of the deviation."""
        x, target = batch
        return mse(model(x.swapaxes(0, 1)), target)

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

    def predict(self, trained: Trained, text: str) -> list[Section]:
        """The forecast for a date of the data, or for the day after a file's last.

        text  a date (2015-07-04); a .csv or .tsv file like the one of the training;
              or nothing: the day after the training's own data
        """
        text, reading = text.strip(), trained.reading
        own = os.path.splitext(text)[1].lower() in SEPARATORS
        series = read_series(text if own else reading["data"])
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
        if row < len(series.dates):
            rows.append(["what came", f"{series.values[row, 0]:.1f}"])
        lines = []
        if trained.figures:
            error = next(iter(trained.figures.values()))["rmse"]
            lines = [
                f"About two of three forecasts have an error below {error:.1f} °C."
            ]
        table = Table(f"Highest temperature on {when}", ["", "°C"], rows)
        return [Section("", lines, [table])]


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
