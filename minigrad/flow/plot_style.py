"""The style of flow's plots: colours, markers, and axes of powers of ten.

Sizes over hundreds of powers of ten are plotted as their log10 on a plain axis, because
a log axis silently drops values that are exactly zero. Values that have no place on the
axis are marked at its edge: zeros at the bottom, values that are not finite at the top.

Read next: `gradient_plots.py`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.pages.plots import BLUE, GREEN, ORANGE, PURPLE, blank_figure
from minigrad.reading.text import clean

GREY, INK = "#6b7580", "#1d2733"
LOOKS = [  # markers and dashes for print without colours
    {"color": ORANGE, "marker": "o"},
    {"color": BLUE, "marker": "s"},
    {"color": GREEN, "marker": "^"},
    {"color": PURPLE, "marker": "D"},
    {"color": "#8a6d00", "marker": "v"},
    {"color": GREY, "marker": "P"},
]
SMALLEST = math.log10(np.finfo(float).tiny)  # float64's full precision ends here


def safe(text: object, longest: int = 44) -> str:
    """User text for a plot: clean, and never taken for a formula."""
    return clean(text, longest).replace("$", r"\$")


def new_axes(width: float = 6.4, height: float = 4.0) -> Any:
    """Axes of a figure of their own, which notebooks and galleries show."""
    from matplotlib import pyplot

    _, axes = pyplot.subplots(figsize=(width, height), layout="constrained")
    return axes


def new_figure(width: float, height: float, rows: int = 1, columns: int = 1) -> Any:
    """A figure for a page, which no notebook shows; and its axes, (rows, columns)."""
    figure = blank_figure(width, height)
    return figure, figure.subplots(rows, columns, squeeze=False)


def say(axes: Any, text: str) -> Any:
    """Write into empty axes why there is nothing to show."""
    axes.set_axis_off()
    axes.text(
        0.5,
        0.5,
        text,
        ha="center",
        va="center",
        wrap=True,
        transform=axes.transAxes,
        color=INK,
    )
    return axes


def power_axis(axes: Any, logs: Sequence[np.ndarray]) -> tuple[float, float]:
    """Make the y axis one of powers of ten for these logarithms; returns its ends."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator

    values = np.concatenate([np.asarray(log, float).ravel() for log in logs])
    values = values[np.isfinite(values)]
    low, high = (values.min(), values.max()) if values.size else (-1.0, 0.0)
    room = max(0.06 * (high - low), 0.3)
    low, high = low - room, high + room
    axes.set_ylim(low, high)
    long = high - low > 3
    if long:
        axes.yaxis.set_major_locator(MaxNLocator(nbins=7, integer=True))
    else:  # 1, 2, 5, 10, ...
        powers = range(math.floor(low), math.ceil(high) + 1)
        ticks = [power + math.log10(digit) for power in powers for digit in (1, 2, 5)]
        axes.yaxis.set_major_locator(FixedLocator(ticks))
        axes.set_ylim(low, high)
    axes.yaxis.set_major_formatter(FuncFormatter(_power if long else _decimal))
    axes.grid(True, axis="y", alpha=0.3)
    return low, high


def _power(x: float, _: Any) -> str:
    """A tick of a long axis: 10^-12."""
    return "1" if round(x) == 0 else f"$10^{{{round(x)}}}$"


def _decimal(x: float, _: Any) -> str:
    """A tick of a short axis: 0.2."""
    return f"{10**x:.3g}" if abs(x) < 4 else f"{10**x:.0e}"


def log_line(axes: Any, x: np.ndarray, logs: np.ndarray, **look: Any) -> None:
    """A line of logarithms. Hollow markers: below float64's range, size kept apart.

    Where a value is exactly zero, or not finite, the line is interrupted and the place
    is marked by `edge_marks`, once the axis has its ends.
    """
    logs = np.asarray(logs, float)
    finite = np.isfinite(logs)
    every = max(1, len(logs) // 12)
    style = {"linewidth": 1.8, "markersize": 5, "markevery": every, **look}
    axes.plot(x, np.where(finite, logs, np.nan), **style)
    under = finite & (logs < SMALLEST)
    if under.any():
        axes.plot(
            x[under],
            logs[under],
            linestyle="none",
            marker=style.get("marker") or "o",
            markersize=style["markersize"],
            markevery=every,
            markerfacecolor="white",
            markeredgecolor=style.get("color", INK),
            zorder=4,
        )


def _not_finite(logs: np.ndarray) -> np.ndarray:
    return np.isnan(logs) | np.isposinf(logs)


def edge_marks(
    axes: Any, lines: Sequence[np.ndarray], looks: Sequence[dict[str, str]]
) -> None:
    """Mark what has no place on a log axis, and say in words what the marks mean.

    lines  logarithms, whose entry k stands at x = k
    """
    low, high = axes.get_ylim()
    notes = []
    for words, marker, level, test in (
        ("exactly 0 (▽ at the bottom)", "v", low, np.isneginf),
        ("not finite (× at the top)", "x", high, _not_finite),
    ):
        for logs, look in zip(lines, looks, strict=True):
            (where,) = np.nonzero(test(logs))
            if len(where):
                kind = {"edgecolors": look["color"], "facecolors": "white"}
                if marker == "x":
                    kind = {"color": look["color"]}
                level_of_all = np.full(len(where), level)
                options = {"marker": marker, "s": 30, "clip_on": False, "zorder": 5}
                axes.scatter(where, level_of_all, **options, **kind)
                notes.append(words)
    if any((np.isfinite(logs) & (logs < SMALLEST)).any() for logs in lines):
        axes.axhline(SMALLEST, color=GREY, linewidth=1, linestyle=":")
        notes.append("hollow, below the dotted line: underflows float64")
    if notes:
        axes.text(
            0.01,
            0.03,
            "\n".join(dict.fromkeys(notes)),
            transform=axes.transAxes,
            fontsize=8,
            color=INK,
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 2},
        )
