"""Pictures of a forecast: the values with the band, and the past it was drawn from.

Read next: `minigrad/trial/` (the gates of a trained model).
"""

from __future__ import annotations

from typing import Any

import numpy as np

import minigrad as mg
from minigrad.pages.plots import BLUE, ORANGE, blank_figure, plain_axes
from minigrad.tasks.series_parts import Ahead

SHOWN = 120  # values in a picture


def drawn_from(model: Any, x: np.ndarray) -> np.ndarray:
    """The ledger of one forecast (T,): the share of its gradient from each step read.

    x (T, F). The norms of the items of the recurrent layer's input weights.
    """
    with mg.enable_grad():
        value = model(x[:, None])
        weight = model.recurrent.cells[0].W_x
        norms = mg.ledger(value.sum(), [weight]).norms(weight)[0][: len(x)]
    return norms / max(float(norms.sum()), 1e-300)


def ledger_picture(share: np.ndarray) -> Any:
    """Bars: the share of each step before the origin."""
    figure = blank_figure(6.4, 2.6)
    axes = plain_axes(figure)
    axes.bar(np.arange(-len(share) + 1, 1), 100 * share, color=ORANGE)
    axes.set_xlabel("steps before the origin (0: the last value known)")
    axes.set_ylabel("share of the gradient, %")
    return figure


def forecast_picture(
    part: Ahead, own: np.ndarray, half: float, times: np.ndarray, name: str
) -> Any:
    """The last values of the held-out part with the forecasts and their band."""
    figure = blank_figure(7.6, 3.2)
    axes = plain_axes(figure)
    some = slice(max(0, len(own) - SHOWN), None)
    when = times[part.rows[some]]
    axes.fill_between(
        when, own[some] - half, own[some] + half, color=BLUE, alpha=0.15, linewidth=0
    )
    axes.plot(when, part.truth[some], color="#444444", label="what came")
    axes.plot(when, own[some], "--", color=BLUE, label="forecast")
    if times.dtype.kind == "M":
        from matplotlib.dates import ConciseDateFormatter

        locator = axes.xaxis.get_major_locator()
        axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))
    axes.set_ylabel(name)
    axes.legend(frameon=False)
    return figure
