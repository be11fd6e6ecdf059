"""Heat maps of one sentence: gates by word, every unit by word, and gates held.

Read next: `trial_sections.py`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.engine.scope import GATES
from minigrad.pages.dark_plots import BRIGHT, DEEP
from minigrad.pages.plots import blank_figure
from minigrad.tasks.sentence_reading import Reading

SIGNED = "chgn"  # states and candidates: from -1 to 1 (c: further), not from 0 to 1


def means(reading: Reading) -> Any:
    """Gates and states (rows) over the words (columns), with numbers."""
    letters = [k for k in "fiorzch" if k in reading.gates]
    table = np.array([*(reading.gates[k] for k in letters), reading.sentiment])
    names = [*(GATES[k] for k in letters), "sentiment"]
    figure = blank_figure(_width(reading), 0.55 * len(names) + 1.2)
    axes = figure.add_subplot()
    image = axes.imshow(table, cmap="cividis", vmin=0, vmax=1, aspect="auto")
    for (row, column), value in np.ndenumerate(table):
        shade = BRIGHT if value < 0.55 else DEEP
        at = {"ha": "center", "va": "center", "color": shade, "fontsize": 8}
        axes.text(column, row, f"{value:.2f}", **at)
    _words(axes, reading)
    axes.set_yticks(range(len(names)), names)
    axes.set_title("Gates, word by word (means over the units; states: mean size)")
    figure.colorbar(image, ax=axes, shrink=0.8)
    return figure


def units(reading: Reading) -> Any:
    """Every gate and state of every unit: a panel each, units (rows) over words.

    Units stand in the same order in all panels: by how much their cell state (or
    hidden state) ends above or below zero.
    """
    letters = [k for k in "figorznch" if k in reading.units]
    last = reading.units["c" if "c" in letters else "h"][-1]
    order = np.argsort(last)
    columns = 2
    rows = -(-len(letters) // columns)
    figure = blank_figure(
        2 * max(3.6, 0.34 * len(reading.words) + 1.4), 2.5 * rows + 0.8
    )
    panels = figure.subplots(rows, columns, sharex=True, squeeze=False).ravel()
    for axes, letter in zip(panels, letters, strict=False):
        values = reading.units[letter][:, order].T
        signed = letter in SIGNED
        far = max(1.0, float(np.abs(values).max())) if signed else 1.0
        image = axes.imshow(
            values,
            cmap="RdBu_r" if signed else "cividis",
            vmin=-far if signed else 0,
            vmax=far,
            aspect="auto",
            interpolation="nearest",
        )
        axes.set_title(GATES[letter], fontsize=10)
        axes.set_yticks([])
        figure.colorbar(image, ax=axes, shrink=0.9)
        _words(axes, reading)
    for axes in panels[len(letters) :]:
        axes.set_visible(False)
    figure.supylabel("units", fontsize=9)
    return figure


def held(reading: Reading, tables: dict[str, np.ndarray]) -> Any:
    """How the final sentiment moves if a gate is shut or open at one word.

    tables  {letter: (2, T)} the final sentiment with the gate at 0, and at 1
    """
    rows = np.concatenate(list(tables.values())) - reading.sentiment[-1]
    names = [f"{GATES[k]} {how}" for k in tables for how in ("shut", "open")]
    far = max(0.05, float(np.abs(rows).max()))
    figure = blank_figure(_width(reading), 0.5 * len(names) + 1.2)
    axes = figure.add_subplot()
    image = axes.imshow(rows, cmap="RdBu_r", vmin=-far, vmax=far, aspect="auto")
    for (row, column), value in np.ndenumerate(rows):
        if abs(value) >= 0.005:
            shade = BRIGHT if abs(value) > 0.6 * far else DEEP
            at = {"ha": "center", "va": "center", "color": shade, "fontsize": 8}
            axes.text(column, row, f"{value:+.2f}", **at)
    _words(axes, reading)
    axes.set_yticks(range(len(names)), names)
    axes.set_title("Change of the final sentiment if a gate is held at one word")
    figure.colorbar(image, ax=axes, shrink=0.8)
    return figure


def _width(reading: Reading) -> float:
    return max(6.4, 0.66 * len(reading.words) + 2.6)


def _words(axes: Any, reading: Reading) -> None:
    # A dollar sign would start a formula.
    words = [word.replace("$", r"\$") for word in reading.words]
    axes.set_xticks(range(len(words)), words, rotation=40, ha="right", fontsize=9)
