"""The chance that what lies some steps back can be learned as the network stands.

    chance(norms, 20)       # 0..1, from the gradient's norms by distance

The gradient that the last state passes on is measured at every distance. What is left
of it after `lag` steps, against what there is at the last state, and how many steps
these are, decide almost alone whether a network learns from there. How they do was
fitted to networks that were trained: `python -m benchmarks.verdicts`, and the page on
verdicts in the documentation.

Read next: `loop_findings.py`.
"""

from __future__ import annotations

import numpy as np

# Fitted by `python -m benchmarks.verdicts`: the log-odds are
# START + LEFT * log10(what is left of the gradient) + FAR * log10(lag).
START, LEFT, FAR = 8.74, 1.09, -3.19
LOWEST = -12.0  # of log10: less than that is nothing, in whatever precision
HIGHEST = 0.0  # a gradient that grows with distance is no better than one that stays


def kept(norms: np.ndarray, lag: int) -> float:
    """log10 of what is left of the gradient `lag` steps before the last state.

    Beyond the first state the curve is continued, with the mean slope of its farther
    half. It is between LOWEST and HIGHEST; NaN if the norms are not finite, or zero at
    the last state.
    """
    norms = np.asarray(norms, float)
    if not len(norms) or not norms[0] > 0 or not np.isfinite(norms).all():
        return float("nan")
    with np.errstate(divide="ignore"):
        logs = np.maximum(np.log10(norms) - np.log10(norms[0]), LOWEST)
    last = len(logs) - 1
    if lag > last:
        first = last // 2
        slope = (logs[last] - logs[first]) / (last - first) if last else 0.0
        return float(np.clip(logs[last] + slope * (lag - last), LOWEST, HIGHEST))
    return float(min(logs[lag], HIGHEST))


def chance_of(log: float, lag: int) -> float:
    """The chance where 10**log of the gradient is left after `lag` steps; 0 for NaN."""
    if np.isnan(log):
        return 0.0
    odds = START + LEFT * log + FAR * np.log10(max(lag, 1))
    return float(1 / (1 + np.exp(-odds)))


def chance(norms: np.ndarray, lag: int) -> float:
    """The chance that what lies `lag` steps back is learned; see `kept`. Where the
    gradient is exactly zero it is 0."""
    if lag < len(norms) and norms[lag] == 0:
        return 0.0
    return chance_of(kept(norms, lag), lag)


def farthest(norms: np.ndarray, most: int = 10_000) -> int:
    """The largest lag up to which the chance stays at least one half."""
    lag = 0
    while lag < most and chance(norms, lag + 1) >= 0.5:
        lag += 1
    return lag
