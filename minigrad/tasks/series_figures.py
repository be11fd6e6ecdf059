"""MAE, RMSE and MASE of forecasts, with intervals; the band; what the baselines say.

Read next: `series_views.py`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.engine.scope import no_grad
from minigrad.tasks.baselines import forecasters
from minigrad.tasks.series_parts import Ahead
from minigrad.tasks.statistics import Interval, paired
from minigrad.tasks.task import Prepared, Section, Table

LAST = "the same as the last value"
INSIDE = 0.9  # share of the values that the band is made to hold
ORIGINS = 4  # stretches of the held-out part that are told apart


def forecast(model: Any, part: Ahead, reading: dict[str, Any]) -> np.ndarray:
    """Forecasts (N,) in the units of the series."""
    with no_grad():
        change = model(part.x.swapaxes(0, 1)).data
    return part.origin + reading["scales"]["change"] * change.astype(float)


def figures(
    guess: np.ndarray, part: Ahead, reading: dict[str, Any]
) -> dict[str, float]:
    """MASE divides the MAE by the mean change over a season in the training part.

    Source: Hyndman & Koehler 2006, "Another look at measures of forecast accuracy".
    """
    errors = guess - part.truth
    mae = float(np.abs(errors).mean())
    return {
        "MASE": mae / reading["scales"]["step"],
        "MAE": mae,
        "RMSE": float(np.sqrt((errors**2).mean())),
    }


def guesses(data: Prepared) -> dict[str, np.ndarray]:
    """The baselines' forecasts of the held-out values."""
    reading, test = data.reading, data.test
    y = np.array(reading["y"])
    h, m = reading["h"], reading["m"]
    found = {LAST: forecasters.last_value(y, test.rows, h)}
    if m > 1:
        found["the same as last season"] = forecasters.last_season(y, test.rows, h, m)
    found["on along the drift"] = forecasters.drift(y, test.rows, h)
    smooth = forecasters.smoothing(y, int(data.validation.rows[-1]), test.rows, h, m)
    if smooth is not None:
        found["exponential smoothing"] = smooth
    found["ridge regression on the window"] = forecasters.ridge_on_lags(
        data.train, data.validation, test
    )
    return found


def band(model: Any, data: Prepared) -> float:
    """Half the width of the band: the error that INSIDE of the validation part keeps.

    Source: split conformal prediction, Lei et al. 2018. Neighbouring values are not
    independent, so that the share is only about right.
    """
    part = data.validation
    errors = np.abs(forecast(model, part, data.reading) - part.truth)
    rank = min(len(errors), int(np.ceil(INSIDE * (len(errors) + 1))))
    return float(np.sort(errors)[rank - 1])


def gain(own: np.ndarray, other: np.ndarray, part: Ahead, block: int) -> Interval:
    """The difference of the MAE to other forecasts, with its interval."""
    mine, theirs = np.abs(own - part.truth), np.abs(other - part.truth)
    return paired(
        lambda k: float(mine[k].mean() - theirs[k].mean()), len(mine), block=block
    )


def sure(own: np.ndarray, data: Prepared) -> str:
    """The held-out figures, each with its interval, in a sentence."""
    part, reading = data.test, data.reading
    block = _block(reading)

    def figure(name: str) -> str:
        def of(k: np.ndarray) -> float:
            return figures(own[k], part._replace(truth=part.truth[k]), reading)[name]

        value, low, high = paired(of, len(own), block=block)
        return f"{name} {value:.3g} ({low:.3g} to {high:.3g})"

    told = ", ".join(map(figure, ("MASE", "MAE", "RMSE")))
    return f"{told}: bootstrap over {len(own):,} values in blocks of {block}, 95 %."


def _block(reading: dict[str, Any]) -> int:
    """How many values in a row are drawn together: they are alike."""
    return int(max(reading["m"], 2 * reading["h"], 4))


def verdict(own: np.ndarray, data: Prepared) -> Section:
    """The figures' intervals, a sentence per baseline, and a plain one about the last
    value."""
    part, block = data.test, _block(data.reading)
    found = guesses(data)
    lines = [sure(own, data)]
    lines += [
        f"Against {name}: MAE "
        + gain(own, guess, part, block).told(
            "", f"{len(own):,} values in blocks", "+.3g"
        )
        for name, guess in found.items()
    ]
    first = gain(own, found[LAST], part, block)
    if not (first.clear and first.value < 0):
        lines.append(
            "The network is not clearly better than saying that the next value is the "
            "last one. For prices this is what one has to expect: what could be known "
            "of tomorrow is in today's price already."
        )
    if "exponential smoothing" not in found:
        lines.append(
            "Exponential smoothing was left out: pip install 'minigrad[series]'."
        )
    return Section("Better than the baselines?", lines)


def by_origin(own: np.ndarray, data: Prepared, when: Any) -> Table:
    """The MAE of the network and of the last value in stretches of the held-out."""
    part = data.test
    rows = []
    for some in np.array_split(np.arange(len(own)), ORIGINS):
        errors = np.abs(own[some] - part.truth[some])
        last = np.abs(part.origin[some] - part.truth[some])
        first, end = when(int(part.rows[some[0]])), when(int(part.rows[some[-1]]))
        row = [f"{first} to {end}", len(some), f"{errors.mean():.3g}"]
        rows.append([*row, f"{last.mean():.3g}"])
    header = ["predicted", "values", "MAE, the model", "MAE, last value"]
    return Table("Each value from its own origin, stretch by stretch", header, rows)
