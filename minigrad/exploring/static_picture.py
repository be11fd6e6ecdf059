"""Draws the results of one setting as one picture, for where no script may run.

Read next: `minigrad/flow/` (how gradients travel).
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Any

import numpy as np

from minigrad.exploring.result_kinds import Grid, Lines
from minigrad.pages.plots import blank_figure, svg

PLOTS = 6  # at most so many
WIDTH, HEIGHT = 4.6, 3.0  # of one plot, in inches
FLOOR = 1e-18  # of a logarithmic axis


def picture(title: str, setting: str, results: Mapping[str, Any]) -> str:
    """An SVG: numbers and words as text, curves and heat maps as plots.

    setting  the values of the parameters, in words
    results  by name, as `Exploration.at` returns them; drawings are left out
    """
    shown = {name: value for name, value in results.items() if not _is_svg(value)}
    plots = {n: v for n, v in shown.items() if isinstance(v, Lines | Grid | np.ndarray)}
    words = [setting] + [
        f"{name.replace('_', ' ')}: {f'{value:.5g}' if type(value) is float else value}"
        for name, value in shown.items()
        if name not in plots
    ]
    lines = [line for text in words for line in textwrap.wrap(text, 100)]
    plots = dict(list(plots.items())[:PLOTS])
    rows = -(-len(plots) // 2)
    top = 0.6 + 0.22 * len(lines)
    figure = blank_figure(2 * WIDTH, top + max(rows, 0.2) * HEIGHT)
    figure.set_layout_engine(
        "constrained", rect=(0, 0, 1, 1 - top / figure.get_figheight())
    )
    figure.text(0.02, 1 - 0.25 / figure.get_figheight(), title, size=13, weight="bold",
                va="center", parse_math=False)  # fmt: skip
    for k, line in enumerate(lines):
        down = 0.25 + 0.26 + 0.22 * k
        figure.text(0.02, 1 - down / figure.get_figheight(), line, size=9.5,
                    va="center", parse_math=False)  # fmt: skip
    for k, (name, value) in enumerate(plots.items()):
        axes = figure.add_subplot(rows, 2, k + 1)
        axes.set_title(name.replace("_", " "), size=10, parse_math=False)
        if isinstance(value, np.ndarray):
            value = Lines({name: value}) if value.ndim == 1 else Grid(_flat(value))
        if isinstance(value, Lines):
            _curves(axes, value)
        else:
            _heat_map(axes, value)
    return svg(figure).decode()


def _curves(axes: Any, lines: Lines) -> None:
    """Curves, with their names where there are several."""
    drawn = []
    for name, (x, y) in lines.series.items():
        drawn.append(y)
        x = np.arange(len(y)) if x is None else x
        (curve,) = axes.plot(x, y, marker=".", markersize=4, linewidth=1.2)
        curve.set_label(name if not name.startswith("_") else f" {name}")
    numbers = np.concatenate([y[np.isfinite(y)] for y in drawn])
    positive = numbers[numbers > 0]
    log = lines.log
    if log is None and len(positive):
        log = bool(numbers.min() >= 0 and positive.max() > 1000 * positive.min())
    if log and len(positive):
        axes.set_yscale("log")
        axes.set_ylim(bottom=max(positive.min() / 2, FLOOR * positive.max()))
    if lines.labels:
        axes.set_xticks(range(len(lines.labels)), lines.labels, rotation=45, size=8)
        for label in axes.get_xticklabels():
            label.set_parse_math(False)
    if lines.xlim:
        axes.set_xlim(lines.xlim)
    axes.set_xlabel(lines.xlabel, size=8.5, parse_math=False)
    axes.set_ylabel(lines.ylabel, size=8.5, parse_math=False)
    axes.grid(True, alpha=0.3)
    if 1 < len(lines.series) <= 12:
        legend = axes.legend(
            fontsize=7, frameon=False, ncols=1 + len(lines.series) // 5
        )
        for text in legend.get_texts():
            text.set_parse_math(False)


def _heat_map(axes: Any, grid: Grid) -> None:
    """A heat map: blue below zero, orange above."""
    from matplotlib.colors import LinearSegmentedColormap

    colours = LinearSegmentedColormap.from_list("", ["#5696cd", "#ffffff", "#eea448"])
    finite = np.abs(grid.values[np.isfinite(grid.values)])
    most = float(finite.max(initial=0.0)) or 1.0
    image = axes.imshow(grid.values, cmap=colours, vmin=-most, vmax=most, aspect="auto",
                        interpolation="nearest")  # fmt: skip
    axes.figure.colorbar(image, ax=axes)
    if grid.columns and len(grid.columns) <= 30:
        axes.set_xticks(range(len(grid.columns)), grid.columns, rotation=45, size=8)
        for label in axes.get_xticklabels():
            label.set_parse_math(False)


def _flat(array: np.ndarray) -> np.ndarray:
    return array.reshape(-1, array.shape[-1])


def _is_svg(value: Any) -> bool:
    return isinstance(value, str) and value.lstrip().startswith("<svg")
