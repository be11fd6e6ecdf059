"""Plots forecasts with the measured temperatures, and lists the worst days.

Read next: `session.py` (the order of it all).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.pages.plots import BLUE, blank_figure, plain_axes
from minigrad.tasks.days import Days
from minigrad.tasks.task import Section, Table

MONTHS = 60  # days in a picture


def pictures(own: np.ndarray, part: Days) -> Section:
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
