"""The forecasts to beat: last value, last season, drift, smoothing, ridge.

Read next: `sentiment.py`.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from minigrad.tasks.baselines.ridge import ridge

PENALTIES = (0.01, 0.1, 1.0, 10.0, 100.0)


def last_value(y: np.ndarray, rows: np.ndarray, horizon: int) -> np.ndarray:
    """As at the origin."""
    return y[rows - horizon]


def last_season(
    y: np.ndarray, rows: np.ndarray, horizon: int, season: int
) -> np.ndarray:
    """As in the same phase of the last season that is known at the origin."""
    return y[rows - season * -(-horizon // season)]


def drift(y: np.ndarray, rows: np.ndarray, horizon: int) -> np.ndarray:
    """On along the line from the first value to that at the origin."""
    origins = rows - horizon
    return y[origins] + horizon * (y[origins] - y[0]) / origins


def smoothing(
    y: np.ndarray, known: int, rows: np.ndarray, horizon: int, season: int
) -> np.ndarray | None:
    """Exponential smoothing with a damped trend, and a season where there is one.

    Its constants are fitted by statsmodels to the first `known` values; from each
    origin it then forecasts by its own recursion, which has seen all values so far.
    None where statsmodels is not installed.
    Source: Holt 1957; Winters 1960; Gardner & McKenzie 1985 for the damping.
    """
    try:
        from statsmodels.tsa.holtwinters import ExponentialSmoothing
    except ImportError:
        return None
    seasonal = 1 < season and 2 * season + 2 <= known
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a fit that is not perfect
        found = ExponentialSmoothing(
            y[:known],
            trend="add",
            damped_trend=True,
            seasonal="add" if seasonal else None,
            seasonal_periods=season if seasonal else None,
            initialization_method="heuristic",
        ).fit()
    return _smoothed(y, found.params, rows, horizon, season if seasonal else 1)


def _smoothed(
    y: np.ndarray, fitted: dict[str, Any], rows: np.ndarray, horizon: int, m: int
) -> np.ndarray:
    alpha, beta = fitted["smoothing_level"], fitted["smoothing_trend"]
    gamma, phi = fitted["smoothing_seasonal"], fitted["damping_trend"]
    level, trend = fitted["initial_level"], fitted["initial_trend"]
    seasons = list(fitted["initial_seasons"]) if m > 1 else [0.0]
    damped = float(sum(phi**k for k in range(1, horizon + 1)))
    ahead = np.full(len(y) + horizon, np.nan)
    for t, value in enumerate(y):
        s = seasons[t % m]
        before = level
        level = alpha * (value - s) + (1 - alpha) * (before + phi * trend)
        trend = beta * (level - before) + (1 - beta) * phi * trend
        if m > 1:
            seasons[t % m] = gamma * (value - before - phi * trend) + (1 - gamma) * s
        ahead[t + horizon] = level + damped * trend + seasons[(t + horizon) % m]
    return ahead[rows]


def ridge_on_lags(train: Any, validation: Any, test: Any) -> np.ndarray:
    """Ridge regression on the same windows, of the change since the origin.

    The penalty is chosen on the validation part; then it is fitted to both parts.
    """
    (x, y), (vx, vy), (tx, _) = (
        (p.x.reshape(len(p.x), -1).astype(float), p.truth - p.origin)
        for p in (train, validation, test)
    )
    scale = float(np.std(y)) or 1.0
    y, vy = y / scale, vy / scale

    def error(penalty: float) -> float:
        return float(((ridge(x, y, vx, penalty) - vy) ** 2).mean())

    best = min(PENALTIES, key=error)
    both = np.concatenate([x, vx]), np.concatenate([y, vy])
    return test.origin + scale * ridge(*both, tx, best)
