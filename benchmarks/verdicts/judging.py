"""Fits `d.chance` on one part of the table of outcomes, and judges it on the other.

The measurements are made anew each time, from the first batch's graph alone: the table
holds who learned, and nothing that the diagnosis says.

Read next: `report.py`.
"""

from typing import NamedTuple

import numpy as np

from minigrad.flow.chance import mean_kept

from .training_runs import norms_at_the_start

CLEAN = 0


class Case(NamedTuple):
    """A configuration, whether it learned, and log10 of what was left on the way."""

    configuration: object
    learned: int
    left: float


def measured(outcomes, configurations):
    """A case for each of these configurations that the table has."""
    cases = []
    for c in configurations:
        if c in outcomes:
            left = mean_kept(norms_at_the_start(c), c.lag)
            cases.append(Case(c, outcomes[c]["learned"], left))
    return cases


def fit(cases):
    """START, LEFT and FAR of `minigrad/flow/chance.py`: the logistic curve of greatest
    likelihood for the clean cases, both outcomes weighted alike, with a weak prior on
    the two slopes. Newton's method, with steps of bounded length."""
    clean = [case for case in cases if case.configuration.noisy == CLEAN]
    lags = [case.configuration.lag for case in clean]
    x = np.array(
        [[1.0, case.left, np.log10(lag)] for case, lag in zip(clean, lags, strict=True)]
    )
    y = np.array([case.learned for case in clean], float)
    weights = np.where(y == 1, 0.5 / y.mean(), 0.5 / (1 - y.mean()))
    prior = np.array([0.0, 0.1, 0.1])
    w = np.zeros(3)
    for _ in range(300):
        p = 1 / (1 + np.exp(-np.clip(x @ w, -40, 40)))
        gradient = x.T @ (weights * (y - p)) - prior * w
        curvature = (x * (weights * p * (1 - p))[:, None]).T @ x + np.diag(prior)
        step = np.linalg.solve(curvature + 1e-9 * np.eye(3), gradient)
        w = w + step * min(1.0, 2.0 / np.abs(step).max())
        if np.abs(step).max() < 1e-10:
            break
    return w


def area(scores, learned):
    """The AUC: how often one that learned has the higher score; NaN without both."""
    scores, learned = np.asarray(scores, float), np.asarray(learned, bool)
    above, below = scores[learned][:, None], scores[~learned][None]
    if not above.size or not below.size:
        return float("nan")
    return float((above > below).mean() + 0.5 * (above == below).mean())


def balanced(chances, learned):
    """Balanced accuracy of "chance of one half or more"; NaN without both."""
    said, learned = np.asarray(chances) >= 0.5, np.asarray(learned, bool)
    if learned.all() or not learned.any():
        return float("nan")
    return float((said[learned].mean() + (~said[~learned]).mean()) / 2)


def expected_error(chances, learned, bins=5):
    """Mean distance between chance and share of those that learned, over fifths of the
    range (the expected calibration error)."""
    chances, learned = np.asarray(chances, float), np.asarray(learned, float)
    places = np.minimum((chances * bins).astype(int), bins - 1)
    gaps = []
    for k in set(places):
        inside = places == k
        gaps.append(
            inside.mean() * abs(chances[inside].mean() - learned[inside].mean())
        )
    return float(sum(gaps))
