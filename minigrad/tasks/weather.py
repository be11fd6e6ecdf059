"""Tomorrow's highest temperature, from the last 30 days.

The parts follow each other in time: the last quarter is held out, the fifth before it
chooses the epoch. A window may reach back into the part before, as it would in use:
only the day to be predicted decides where it belongs.
"""

from __future__ import annotations

import datetime
import os
from itertools import pairwise
from types import SimpleNamespace
from typing import Any, ClassVar, NamedTuple

import numpy as np

from minigrad.data.batching import batches
from minigrad.data.files import SEPARATORS, day, finite, read_table
from minigrad.data.scaling import Scaling
from minigrad.data.shipped import seattle_weather
from minigrad.errors import DataError
from minigrad.losses import mse
from minigrad.recurrent import models
from minigrad.scope import no_grad
from minigrad.tasks.base import Prepared, Section, Table, Task, Trained
from minigrad.tasks.options import Option, common
from minigrad.tasks.statistics import paired
from minigrad.tensor import Tensor

COLUMNS = ("temp_max", "temp_min", "precipitation", "wind")
RIDGES = (0.1, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0)
WEEK = 7  # days that the bootstrap draws together


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


class Weather(Task):
    """See the module, and `Task`."""

    name = "weather"
    help = "tomorrow's highest temperature, from the last 30 days"
    example = "2015-07-04"
    file = "columns date, temp_max, temp_min, precipitation, wind; one row per day"
    options = (
        *common(
            hidden=16,
            dropout=0.2,
            epochs=40,
            patience=8,
            weight_decay=0.01,
        ),
        Option("days", 30, "days that are read", least=1, below=366),
    )
    monitor = "rmse"
    units: ClassVar = {"rmse": "{:.3f} °C", "mae": "{:.3f} °C"}

    def prepare(self, settings: SimpleNamespace) -> Prepared:
        """The series in windows, in three parts that follow each other."""
        series, n = read_series(settings.data), settings.days
        last, held = _borders(len(series.dates), n, settings.data)
        scaling = Scaling(_features(series)[:last])
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
            name: _days(series, targets[cut], scaling, n)
            for name, cut in zip(names, cuts, strict=True)
        }
        lines = [
            f"{name}: {len(part.dates):,} days, {part.dates[0]} to {part.dates[-1]}"
            for name, part in parts.items()
        ]
        train, validation, test = parts.values()
        return Prepared(train, validation, test, reading, lines)

    def configure(self, settings: SimpleNamespace, data: Prepared) -> dict[str, Any]:
        """The arguments of `models.weather.Forecaster`."""
        return {
            "inputs": data.train.x.shape[-1],
            "hidden": settings.hidden,
            "cell": settings.cell,
            "layers": settings.layers,
            "dropout": settings.dropout,
        }

    def build(self, config: dict[str, Any], weights: Any, noise: Any) -> Any:
        """A `Forecaster`."""
        return models().Forecaster(**config, rng=weights, noise=noise)

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
            _forecast(trained.model, _windows(series, row, reading), reading)[0]
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


# ------------------------------------------------------------- reading


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
                hint="one row per day, in order, none missing and none twice",
            )
    columns = [table[name] for name in COLUMNS]
    return Series(np.array(dates, "datetime64[D]"), np.array(columns).T)


def _borders(count: int, days: int, path: str | None) -> tuple[int, int]:
    """The first rows to predict of the validation part and of the held-out part."""
    held = int(0.75 * count)
    last = int(0.8 * held)
    if last - days < 2 * days or count - held < 2 * WEEK:
        raise DataError(
            f"{path or 'the series'}: too few days",
            expect=f"at least {max(5 * days + 10, 60)} rows, to read {days} days",
            actual=f"{count} rows",
            hint="a longer series, or fewer --days",
        )
    return last, held


def _features(series: Series) -> np.ndarray:
    """What is read of each day (n, 6): the columns, and where in the year it is."""
    year = series.dates.astype("datetime64[Y]")
    angle = 2 * np.pi * (series.dates - year).astype(float) / 365.25
    columns = series.values.copy()
    columns[:, 2] = np.sqrt(np.maximum(columns[:, 2], 0))  # rain is a skewed thing
    return np.column_stack([columns, np.sin(angle), np.cos(angle)])


def _days(series: Series, rows: np.ndarray, scaling: Scaling, days: int) -> Days:
    x = scaling(_features(series)).astype("float32")
    celsius = series.values[:, 0]
    windows = np.stack([x[row - days : row] for row in rows])
    return Days(series.dates[rows], windows, celsius[rows], celsius[rows - 1])


def _windows(series: Series, row: int, reading: dict[str, Any]) -> np.ndarray:
    """The days before a row, as a batch of one (1, T, F)."""
    x = reading["scaling"](_features(series)).astype("float32")
    return x[None, row - reading["days"] : row]


def _after(series: Series) -> Any:
    return series.dates[-1] + 1


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
    """Forecasts of two ridge regressions for the held-out days.

    One reads the highest temperatures alone, one all that the network reads. Each is
    given what makes it strongest: its penalty is chosen on the validation part, and
    then it is fitted to the training and validation parts together.
    """
    scaling = data.reading["scaling"].feature(0)
    found = {}
    for name, features in (
        ("ridge regression, highest temperatures alone", [0]),
        ("ridge regression, all that the network reads", slice(None)),
    ):
        parts = [
            (part.x[:, :, features].reshape(len(part.x), -1), scaling(part.celsius))
            for part in (data.train, data.validation, data.test)
        ]
        (x, y), (vx, vy), (tx, _) = [(a.astype(float), b) for a, b in parts]

        def error(penalty: float, x=x, y=y, vx=vx, vy=vy) -> float:
            return float(np.mean((_ridge(x, y, vx, penalty) - vy) ** 2))

        best = min(RIDGES, key=error)
        both = np.concatenate([x, vx]), np.concatenate([y, vy])
        found[name] = scaling.back(_ridge(*both, tx, best))
    return found


def _ridge(x: Any, y: Any, new: Any, penalty: float) -> np.ndarray:
    """Least squares with a penalty on all weights but the constant, as one lstsq."""
    means = x.mean(axis=0), y.mean()
    rows = np.sqrt(penalty) * np.eye(x.shape[1])
    a = np.concatenate([x - means[0], rows])
    b = np.concatenate([y - means[1], np.zeros(len(rows))])
    weights = np.linalg.lstsq(a, b, rcond=None)[0]
    return (new - means[0]) @ weights + means[1]


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
        luck = "more than luck" if found.clear else "within the noise of these days"
        low, high = (f"{v:+.2f}".replace("-", "\N{MINUS SIGN}") for v in found[1:])
        lines.append(
            f"Against {name}: the RMSE is {abs(found.value):.2f} °C {word}, 95 % "
            f"interval {low} to {high} (weeks drawn again): {luck}."
        )
    lines.append(
        "Differences of a few hundredths of a degree mean little: another year has "
        "other days."
    )
    return Section("Better than the baselines?", lines)


def _pictures(own: np.ndarray, part: Days) -> Section:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.4, 3.2), layout="constrained")
    axes = figure.subplots()
    shown = slice(0, 120)
    axes.plot(
        part.dates[shown], part.celsius[shown], color="#444444", label="what came"
    )
    axes.plot(part.dates[shown], own[shown], color="#0072B2", label="forecast")
    axes.set_ylabel("highest temperature, °C")
    axes.grid(True, alpha=0.3)
    axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    errors = own - part.celsius
    worst = np.argsort(-np.abs(errors))[:5]
    rows = [
        [
            str(part.dates[k]),
            *(f"{v:.1f}" for v in (part.before[k], own[k], part.celsius[k])),
        ]
        for k in worst
    ]
    table = Table("", ["date", "day before", "forecast", "what came"], rows)
    return Section(
        "Forecasts",
        tables=[table],
        figures=[
            (figure, "The first 120 held-out days. The table: its five worst days.")
        ],
    )
