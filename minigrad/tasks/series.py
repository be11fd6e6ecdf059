"""Series: forecasts a column of any table, beside the baselines that forecasters use.

Read next: `series_table.py` (how the table is read).
"""

from __future__ import annotations

import os
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np

from minigrad.data.batching import batches
from minigrad.data.files import read_as, table_ending
from minigrad.engine.errors import ArgumentError, DataError
from minigrad.tasks.forecasting import Forecasting
from minigrad.tasks.series_figures import (
    INSIDE,
    LAST,
    band,
    by_origin,
    figures,
    forecast,
    guesses,
    verdict,
)
from minigrad.tasks.series_parts import (
    LEAST,
    Ahead,
    borders,
    part_of,
    scales,
    window_of,
)
from minigrad.tasks.series_table import Series, read_series_table, shipped
from minigrad.tasks.series_views import drawn_from, forecast_picture, ledger_picture
from minigrad.tasks.task import Prepared, Section, Table, Trained
from minigrad.tasks.task_options import ENCODING, Option, common

FILL = Option(
    "fill",
    0,
    "missing values in a row that take the value before, at most; alone: 3",
    below=10_000,
    bare=3,
)
OWN = {"co2": {"season": 52, "window": 26}, "prices": {"season": 1, "window": 12}}


class SeriesForecast(Forecasting):
    """The task of forecasting one column of a table: see the module."""

    name = "series"
    help = "forecast any column of any table"
    example = ""
    file = (
        "a column of numbers (--target), and best one of times (--time); one row per "
        "step (CSV or TSV)"
    )
    options = (
        *common(
            hidden=24,
            dropout=0.1,
            epochs=30,
            lr=5e-3,
            patience=8,
            weight_decay=0.01,
            clip_norm=5.0,
        ),
        Option("target", None, "the column to forecast", unsaid="the example's"),
        Option("time", None, "the column of times", unsaid="rows are steps"),
        Option("inputs", None, "other columns to read, such as A,B", unsaid="none"),
        Option("horizon", 1, "steps ahead", least=1, below=1000),
        Option("season", 0, "steps in a season; 0: none known", below=10_000),
        Option("window", 0, "steps that are read; 0: 30, or a season", below=2000),
        Option("example", "co2", "without --data", choices=("co2", "prices")),
        FILL,
    )
    questions = (ENCODING, FILL)
    monitor = "MASE"
    learned = "Mean squared error of the change, in squares of its deviation."
    units: ClassVar = {"MASE": "{:.3f}", "MAE": "{:.4g}", "RMSE": "{:.4g}"}

    def prepare(
        self, settings: SimpleNamespace, known: dict[str, Any] | None = None
    ) -> Prepared:
        """Windows in three parts that follow each other in time."""
        series = _series(settings)
        reading: dict[str, Any] = _asked(settings)
        n, h, m = reading["n"], reading["h"], reading["m"]
        count = len(series.times)
        last, held = borders(count, n, h, settings.data)
        reading["scales"] = scales(series, last, reading)
        if known is not None:
            reading["scales"] = known["scales"]
        reading["y"] = series.values[:, 0].tolist()
        reading["names"] = list(series.names)
        back = max(n - 1 + h, m * -(-h // m) if m > 1 else 0)
        rows = np.arange(back, count)
        rows = rows[series.measured[rows]]
        cuts = (rows < last, (rows >= last) & (rows < held), rows >= held)
        fewest = min(int(cut.sum()) for cut in cuts)
        if fewest < LEAST:
            raise DataError(
                f"{settings.data or 'series'}: too few values to predict",
                expect=f"{LEAST} or more in each of the three parts",
                actual=f"{fewest} in one of them",
                hint="a longer series, fewer gaps, a shorter --window or --season",
            )
        parts = [part_of(series, rows[cut], reading) for cut in cuts]
        lines = read_as(series.notes)
        named = ("training", "validation", "held out")
        lines += [
            f"{name}: {len(part.rows):,} values, {series.when(int(part.rows[0]))} to "
            f"{series.when(int(part.rows[-1]))}"
            for name, part in zip(named, parts, strict=True)
        ]
        lines.append(
            f"{h} step{'s' * (h > 1)} ahead from {n} values; every number is scaled by "
            "the training part alone."
        )
        self._series = series
        train, validation, test = parts
        return Prepared(
            train, validation, test, reading, lines, cautions=series.cautions
        )

    def batches(self, data: Prepared, settings: SimpleNamespace, rng: Any) -> Any:
        """(x (B, T, F), the scaled change (B,)) in a new order each epoch."""
        train, change = data.train, data.reading["scales"]["change"]
        target = ((train.truth - train.origin) / change).astype("float32")
        return batches(train.x, target, batch_size=settings.batch_size, rng=rng)

    def evaluate(
        self, model: Any, part: Ahead, reading: dict[str, Any]
    ) -> dict[str, float]:
        """MASE, MAE and RMSE."""
        return figures(forecast(model, part, reading), part, reading)

    def baselines(self, data: Prepared) -> dict[str, dict[str, float]]:
        """Last, season, drift, smoothing, ridge."""
        return {
            name: figures(guess, data.test, data.reading)
            for name, guess in guesses(data).items()
        }

    def examples(self, trained: Trained, data: Prepared) -> list[Section]:
        """The judgement, the forecast with its band, and what it was drawn from."""
        model, part = trained.model, data.test
        own = forecast(model, part, data.reading)
        half = band(model, data)
        inside = float((np.abs(own - part.truth) <= half).mean())
        series, name = self._series, data.reading["names"][0]
        picture = forecast_picture(part, own, half, series.times, name)
        caption = (
            f"The band is the forecast \N{PLUS-MINUS SIGN} {half:.3g}, which held "
            f"{INSIDE:.0%} of the validation part. It holds {inside:.0%} of the "
            "held-out part."
        )
        share = drawn_from(model, part.x[-1])
        when = series.when(int(part.rows[-1]))
        return [
            verdict(own, data),
            Section(
                "The forecast",
                tables=[by_origin(own, data, series.when)],
                figures=[(picture, caption)],
            ),
            Section(
                "Which past it was drawn from",
                [
                    f"The ledger of the forecast of {when}: which share of its "
                    "gradient (for the recurrent layer's input weights) comes from "
                    "each of the steps that were read."
                ],
                figures=[(ledger_picture(share), "One bar for each step.")],
            ),
        ]

    def predict(
        self,
        trained: Trained,
        text: str,
        encoding: str | None = None,
        fill: int = 0,
    ) -> list[Section]:
        """The forecast after the end of the training's data, or of another file.

        Errors: DataError for a file that is no table, or too short.
        """
        text, learned, reading = text.strip(), trained.settings, trained.reading
        if text and not (table_ending(text) or os.path.isfile(text)):
            raise DataError(
                f"predict series: {text[:60]!r} is no table",
                expect="nothing, or a file that ends in .csv or .tsv",
                actual=repr(text[:60]),
                hint="minigrad predict series newer.csv",
            )
        if text:
            series = _read(text, learned, encoding, max(fill, learned.fill))
        else:
            series = _series(learned)
        count, n = len(series.times), reading["n"]
        if count < n:
            raise DataError(
                "predict series: too few rows",
                expect=f"{n} or more, which the network reads",
                actual=f"{count}",
                hint="give a file with the rows before them, too",
            )
        x = window_of(series, count - 1, reading)
        y = series.values[-1:, 0]
        part = Ahead(np.array([count]), x[None], y, y)
        guess = float(forecast(trained.model, part, reading)[0])
        share = drawn_from(trained.model, x)
        strongest = np.argsort(-share)[:5]
        when = series.when(count - 1 + reading["h"])
        rows = [["forecast", f"{guess:.6g}"], ["the last value", f"{y[0]:.6g}"]]
        past = [
            [series.when(count - n + int(k)), f"{series.values[count - n + k, 0]:.6g}",
             f"{share[k]:.0%}"]
            for k in strongest
        ]  # fmt: skip
        lines = [*read_as(series.notes), *series.cautions] if text else []
        if trained.figures:
            own = next(iter(trained.figures.values()))["MAE"]
            last = trained.figures.get(LAST, {}).get("MAE", float("nan"))
            lines.append(
                f"On the held-out part its mean absolute error was {own:.4g}; that of "
                f"the last value was {last:.4g}."
            )
        return [
            Section(
                "",
                lines,
                [
                    Table(f"{series.names[0]}, {when}", ["", ""], rows),
                    Table(
                        "Drawn most from (the ledger)",
                        ["step", "value", "share"],
                        past,
                    ),
                ],
                [(ledger_picture(share), "One bar for each step.")],
            )
        ]


def _asked(settings: SimpleNamespace) -> dict[str, Any]:
    """n values read, h steps ahead, m steps in a season: as given, or sensible ones."""
    own = OWN[settings.example] if settings.data is None else {}
    season = settings.season or own.get("season", 0)
    window = settings.window or own.get("window", 0) or min(max(30, season), 60)
    if window < 2:
        raise ArgumentError(
            f"--window {window}: too few values to read",
            expect="2 or more",
            actual=str(window),
            hint="--window 30",
        )
    return {"n": window, "h": settings.horizon, "m": season}


def _series(settings: SimpleNamespace) -> Series:
    """The series that a run is trained on."""
    if settings.data is None:
        if settings.target or settings.time or settings.inputs:
            raise ArgumentError(
                "series: --target, --time and --inputs name columns of your file",
                expect="--data FILE beside them",
                actual="no file",
                hint="minigrad train series --data sales.csv --target sold --time day",
            )
        return shipped(settings.example)
    if not settings.target:
        raise ArgumentError(
            "series: which column is to be forecast?",
            expect="--target COLUMN",
            actual="none",
            hint="minigrad train series --data sales.csv --target sold --time day",
        )
    return _read(settings.data, settings, settings.encoding, settings.fill)


def _read(
    path: str, settings: SimpleNamespace, encoding: str | None, fill: int
) -> Series:
    if not settings.target:
        raise ArgumentError(
            "predict series: this model was trained on the package's own series",
            expect="no file",
            actual=path,
            hint="train on your file first: minigrad train series --data FILE --target "
            "COLUMN",
        )
    inputs = [name.strip() for name in (settings.inputs or "").split(",")]
    return read_series_table(
        path,
        settings.target,
        settings.time,
        [name for name in inputs if name],
        encoding=encoding,
        fill=fill,
    )
