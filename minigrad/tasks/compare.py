"""Is one method better than another, or is it luck? The paired bootstrap."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from minigrad.errors import DataError
from minigrad.random import generator


class Difference(NamedTuple):
    """How much a statistic of one method exceeds that of another, on the same rows.

    value      on the rows as they are
    low, high  95 % interval over resampled rows
    above      share of the resamples in which it is above zero
    """

    value: float
    low: float
    high: float
    above: float

    @property
    def certain(self) -> bool:
        """Does the interval leave out zero?"""
        return self.low > 0 or self.high < 0


def paired_bootstrap(
    own: Any,
    other: Any,
    statistic: Callable[..., Any] = np.mean,
    *,
    block: int = 1,
    count: int = 2000,
    rng: Any = 0,
) -> Difference:
    """statistic(own) - statistic(other), with an interval from resampled rows.

    Both methods are resampled by the same rows, so that what makes a row hard for both
    cancels.

    own, other  (n,) one number per row, such as the squared error
    statistic   of the numbers along `axis=-1`: np.mean, or `root_mean`
    block       rows that are drawn together: days in a row are alike, and drawing them
                one by one would make the interval too narrow
    count       resamples
    Errors:  DataError unless both have the same rows, at least two blocks of them.
    Source:  Efron & Tibshirani 1993, "An Introduction to the Bootstrap", ch. 13.
             Blocks: Künsch 1989, "The jackknife and the bootstrap for general
             stationary observations"; they go round, as in Politis & Romano 1992.
    """
    own, other = np.asarray(own, float), np.asarray(other, float)
    n = len(own)
    if own.shape != other.shape or own.ndim != 1 or n < 2 * block:
        raise DataError(
            "paired_bootstrap: rows that cannot be compared",
            expect=f"two arrays (n,), n at least {2 * block}",
            actual=f"{own.shape} and {other.shape}",
            hint="one number per held-out row, in the same order",
        )
    starts = generator(rng).integers(0, n, (count, -(-n // block)))
    rows = ((starts[..., None] + np.arange(block)) % n).reshape(count, -1)[:, :n]
    drawn = statistic(own[rows], axis=-1) - statistic(other[rows], axis=-1)
    low, high = np.quantile(drawn, (0.025, 0.975))
    value = statistic(own, axis=-1) - statistic(other, axis=-1)
    return Difference(
        float(value), float(low), float(high), float(np.mean(np.asarray(drawn) > 0))
    )


def root_mean(values: Any, axis: int = -1) -> Any:
    """The root of the mean: of squared errors, the RMSE."""
    return np.sqrt(np.mean(values, axis=axis))
