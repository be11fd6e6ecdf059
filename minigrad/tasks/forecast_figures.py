"""Measures forecasts: errors in degrees, compared with those of simple baselines.

Read next: `forecast_plots.py`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.engine.scope import no_grad
from minigrad.tasks.baselines.ridge import ridge
from minigrad.tasks.days import WEEK
from minigrad.tasks.statistics import paired
from minigrad.tasks.task import Prepared, Section

RIDGES = (0.1, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0)  # penalties that are tried


def forecast(model: Any, x: np.ndarray, reading: dict[str, Any]) -> np.ndarray:
    """Degrees (N,) for windows (N, T, F)."""
    with no_grad():
        scaled = model(x.swapaxes(0, 1)).data
    return reading["scaling"].feature(0).back(scaled)


def figures(errors: np.ndarray) -> dict[str, float]:
    """The RMSE and MAE of an array of errors."""
    return {
        "rmse": float(np.sqrt(np.mean(errors**2))),
        "mae": float(np.mean(np.abs(errors))),
    }


def guesses(data: Prepared) -> dict[str, np.ndarray]:
    """The baselines' forecasts of the held-out days, in degrees."""
    return {"as today (persistence)": data.test.before, **_ridges(data)}


def _ridges(data: Prepared) -> dict[str, np.ndarray]:
    """Forecasts of three ridge regressions for the held-out days.

    The first reads only the highest temperatures of the same days, the second also the
    season, the third everything that the network reads. Each one gets an advantage: its
    penalty is chosen on the validation part, and then it is fitted to the training and
    validation parts together. The network learns from the training part alone.
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

        def error(
            penalty: float,
            x: np.ndarray = x,
            y: np.ndarray = y,
            vx: np.ndarray = vx,
            vy: np.ndarray = vy,
        ) -> float:
            return float(np.mean((ridge(x, y, vx, penalty) - vy) ** 2))

        best = min(RIDGES, key=error)
        both = np.concatenate([x, vx]), np.concatenate([y, vy])
        found[name] = scaling.back(ridge(*both, tx, best))
    return found


def verdict(own: np.ndarray, data: Prepared) -> Section:
    """A sentence per baseline: better or worse, by how much, with an interval."""
    truth = data.test.celsius
    mine = (own - truth) ** 2
    lines = []
    for name, guess in guesses(data).items():
        theirs = (guess - truth) ** 2

        def gain(k: np.ndarray, theirs: np.ndarray = theirs) -> float:
            return float(np.sqrt(mine[k].mean()) - np.sqrt(theirs[k].mean()))

        found = paired(gain, len(truth), block=WEEK)
        word = "lower" if found.value < 0 else "higher"
        luck = "a clear difference" if found.clear else "this may be chance"
        low, high = (f"{v:+.2f}".replace("-", "\N{MINUS SIGN}") for v in found[1:])
        lines.append(
            f"Against {name}: the RMSE is {abs(found.value):.2f} °C {word} (paired "
            f"bootstrap over weeks, 95 %: {low} to {high} °C): {luck}."
        )
    lines.append(
        "A difference of a few hundredths of a degree means little: it would change "
        "with other days."
    )
    return Section("Better than the baselines?", lines)
