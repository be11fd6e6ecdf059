"""Tomorrow's highest temperature, from the days before: 30, if nothing is said.

The parts follow each other in time: the last quarter is held out, the fifth before it
chooses the epoch. A window may reach back into the part before, as it would in use:
only the day to be predicted decides where it belongs.

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
from minigrad.engine.scope import no_grad
from minigrad.engine.tensor import Tensor
from minigrad.nn.losses import mse
from minigrad.pages.plots import BLUE, blank_figure, plain_axes
from minigrad.tasks.baselines.ridge import ridge
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
from minigrad.tasks.statistics import paired
from minigrad.tasks.task import Prepared, Section, Table, Task, Trained
from minigrad.tasks.task_options import Option, common

MONTHS = 60  # days in a picture
RIDGES = (0.1, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0)


class Weather(Task):
    """See the module, and `Task`."""

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
        Option("days", 30, "how many days before are read", least=1, below=366),
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
        """RMSE and MAE in degrees."""
        return _figures(_forecast(model, part.x, reading) - part.celsius)

    def baselines(self, data: Prepared) -> dict[str, dict[str, float]]:
        """Persistence, and ridge regression on the same windows."""
        truth = data.test.celsius
        return {name: _figures(guess - truth) for name, guess in _guesses(data).items()}

    def examples(self, trained: Trained, data: Prepared) -> list[Section]:
        """The comparison with the baselines, and forecasts beside what came."""
        own = _forecast(trained.model, data.test.x, data.reading)
        return [_verdict(own, data), _pictures(own, data.test)]

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
                f"no forecast for {when}: the {n} days before it are not all there",
                expect=f"a day from {first + n} to {series.dates[-1] + 1}",
                actual=str(when),
                hint="give a file with the days before it: minigrad predict weather "
                "FILE.csv",
            )
        guess = float(
            _forecast(trained.model, windows(series, row, reading), reading)[0]
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
                f"Two of three forecasts are off by less than {error:.1f} °C or so."
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


# ------------------------------------------------------------- forecasts and figures


def _forecast(model: Any, x: np.ndarray, reading: dict[str, Any]) -> np.ndarray:
    """Degrees (N,) for windows (N, T, F)."""
    with no_grad():
        scaled = model(x.swapaxes(0, 1)).data
    return reading["scaling"].feature(0).back(scaled)


def _figures(errors: np.ndarray) -> dict[str, float]:
    return {
        "rmse": float(np.sqrt(np.mean(errors**2))),
        "mae": float(np.mean(np.abs(errors))),
    }


def _guesses(data: Prepared) -> dict[str, np.ndarray]:
    """What the baselines say of the held-out days, in degrees."""
    return {"as today (persistence)": data.test.before, **_ridges(data)}


def _ridges(data: Prepared) -> dict[str, np.ndarray]:
    """Forecasts of three ridge regressions for the held-out days.

    One reads the highest temperatures of the same days alone, one the season too, one
    all that the network reads. Each is given what makes it strongest: its penalty is
    chosen on the validation part, and then it is fitted to the training and validation
    parts together, while the network learns from the training part alone.
    """
    scaling = data.reading["scaling"].feature(0)
    found = {}
    for name, kept in (
        ("ridge regression, highest temperatures", [0]),
        ("ridge regression, with the season", [0, 4, 5]),
        ("ridge regression, all that the network reads", slice(None)),
    ):
        parts = [
            (part.x[:, :, kept].reshape(len(part.x), -1), scaling(part.celsius))
            for part in (data.train, data.validation, data.test)
        ]
        (x, y), (vx, vy), (tx, _) = [(a.astype(float), b) for a, b in parts]

        def error(penalty: float, x=x, y=y, vx=vx, vy=vy) -> float:
            return float(np.mean((ridge(x, y, vx, penalty) - vy) ** 2))

        best = min(RIDGES, key=error)
        both = np.concatenate([x, vx]), np.concatenate([y, vy])
        found[name] = scaling.back(ridge(*both, tx, best))
    return found


def _verdict(own: np.ndarray, data: Prepared) -> Section:
    """Better than the baselines? In words, with intervals."""
    truth = data.test.celsius
    mine = (own - truth) ** 2
    lines = []
    for name, guess in _guesses(data).items():
        theirs = (guess - truth) ** 2

        def gain(k: np.ndarray, theirs: np.ndarray = theirs) -> float:
            return float(np.sqrt(mine[k].mean()) - np.sqrt(theirs[k].mean()))

        found = paired(gain, len(truth), block=WEEK)
        word = "lower" if found.value < 0 else "higher"
        luck = "a clear difference" if found.clear else "this may be chance"
        low, high = (f"{v:+.2f}".replace("-", "\N{MINUS SIGN}") for v in found[1:])
        lines.append(
            f"Beside {name}: the RMSE is {abs(found.value):.2f} °C {word} (paired "
            f"bootstrap over weeks, 95 %: {low} to {high} °C): {luck}."
        )
    lines.append(
        "A difference of a few hundredths of a degree means little: other days would "
        "give another one."
    )
    return Section("Better than the baselines?", lines)


def _pictures(own: np.ndarray, part: Days) -> Section:
    """Two months of the held-out part, and its worst days."""
    later = max(MONTHS, len(part.dates) // 2)
    stretches = [slice(0, MONTHS), slice(later, later + MONTHS)]
    figures = [
        (_lines(own, part, stretch), _caption(part.dates[stretch]))
        for stretch in stretches
        if len(part.dates[stretch]) > 1
    ]
    errors = own - part.celsius
    rows = []
    for k in np.argsort(-np.abs(errors))[:5]:
        found = part.before[k], own[k], part.celsius[k]
        rows.append([str(part.dates[k]), *(f"{v:.1f}" for v in found)])
    header = ["the worst days", "day before", "forecast", "what came"]
    table = Table("Highest temperature in °C", header, rows)
    return Section("Forecasts", tables=[table], figures=figures)


def _lines(own: np.ndarray, part: Days, stretch: slice) -> Any:
    from matplotlib.dates import ConciseDateFormatter

    figure = blank_figure(4.7, 3.1)
    axes = plain_axes(figure)
    dates = part.dates[stretch]
    axes.plot(dates, part.celsius[stretch], color="#444444", label="what came")
    axes.plot(dates, own[stretch], "--", color=BLUE, label="forecast")
    axes.set_ylabel("highest temperature, °C")
    axes.xaxis.set_major_formatter(ConciseDateFormatter(axes.xaxis.get_major_locator()))
    axes.legend(frameon=False)
    return figure


def _caption(dates: np.ndarray) -> str:
    return f"Held-out days, {dates[0]} to {dates[-1]}."
