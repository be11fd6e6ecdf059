"""The chance that what lies some steps back can be learned as the network stands.

    chance(norms, 20)       # 0..1, from the gradient's norms by distance

The gradient that the last state passes on is measured at every distance. What is left
of it on the way to `lag` steps back, against what there is at the last state, and how
many steps these are, decide almost alone whether a network learns from there. What
counts is the mean over the way: a network learns to keep near things first, and what it
has learned there helps it to farther ones. The curve from these two numbers to a chance
was fitted to networks that were trained: `python -m benchmarks.verdicts`, and the page
on verdicts in the documentation.

Read next: `loop_findings.py`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

# Fitted by `python -m benchmarks.verdicts`: the log-odds are
# START + LEFT * log10(what is left of the gradient, in the geometric mean over the
# way) + FAR * log10(lag).
START, LEFT, FAR = 8.98, 1.76, -3.28
LOWEST = -12.0  # of log10: less than that is nothing, in whatever precision
HIGHEST = 0.0  # a gradient that grows with distance is no better than one that stays


def kept(norms: np.ndarray, lag: int) -> float:
    """log10 of what is left of the gradient `lag` steps before the last state.

    Beyond the first state the curve is continued, with the mean slope of its farther
    half. It is between LOWEST and HIGHEST; NaN if the norms are not finite, or zero at
    the last state.
    """
    logs = _logs(norms, lag)
    return float("nan") if logs is None else float(logs[lag])


def mean_kept(norms: np.ndarray, lag: int) -> float:
    """The mean of `kept` over the distances 1 to `lag`, where what was lost once counts
    as lost from there on; 0 for a lag of 0."""
    logs = _logs(norms, lag)
    return float("nan") if logs is None else float(_means(logs)[lag])


def _logs(norms: np.ndarray, most: int) -> np.ndarray | None:
    """`kept` at the distances 0 to `most`; None where it is NaN."""
    norms = np.asarray(norms, float)
    if not len(norms) or not norms[0] > 0 or not np.isfinite(norms).all():
        return None
    with np.errstate(divide="ignore"):
        logs = np.maximum(np.log10(norms) - np.log10(norms[0]), LOWEST)
    last = len(logs) - 1
    if most > last:
        first = last // 2
        slope = (logs[last] - logs[first]) / (last - first) if last else 0.0
        beyond = logs[last] + slope * np.arange(1, most - last + 1)
        logs = np.concatenate([logs, beyond])
    return np.clip(logs[: most + 1], LOWEST, HIGHEST)


def _means(logs: np.ndarray) -> np.ndarray:
    """`mean_kept` at every distance."""
    lost = np.minimum.accumulate(logs)[1:]
    return np.append(0.0, np.cumsum(lost) / np.arange(1, len(lost) + 1))


def chance_of(log: float, lag: int) -> float:
    """The chance at `lag` steps, where `mean_kept` is `log`; 0 for NaN."""
    return 0.0 if np.isnan(log) else float(1 / (1 + np.exp(-_odds(log, lag))))


def _odds(log: Any, lag: Any) -> Any:
    """The log-odds of it."""
    return START + LEFT * log + FAR * np.log10(np.maximum(lag, 1))


def chance(norms: np.ndarray, lag: int) -> float:
    """The chance that what lies `lag` steps back is learned; see `mean_kept`. Where the
    gradient is exactly zero it is 0."""
    if lag < len(norms) and norms[lag] == 0:
        return 0.0
    return chance_of(mean_kept(norms, lag), lag)


def farthest(norms: np.ndarray, most: int = 10_000) -> int:
    """The largest lag up to which the chance stays at least one half."""
    logs = _logs(norms, most)
    if logs is None:
        return 0
    likely = _odds(_means(logs), np.arange(most + 1)) >= 0
    inside = np.asarray(norms)[: most + 1]
    likely[: len(inside)] &= inside != 0
    return most if likely.all() else int(np.argmin(likely)) - 1
