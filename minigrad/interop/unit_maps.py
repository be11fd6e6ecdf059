"""Draws every unit of a recurrent layer: gates and states as heat maps over the steps.

Read next: `opened_page.py`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.engine.scope import GATES
from minigrad.pages.plots import blank_figure

SIGNED = "chgn"  # from -1 to 1 or further, not from 0 to 1


def unit_maps(loop: Any, sample: int = 0) -> Any:
    """A figure with a panel for each gate and state: units (rows) over steps.

    loop  what one cell did: it has `names`, and loop["f"] is (T, B, H)
    Units stand in the same order in all panels: by what their state is at the end.
    """
    letters = [letter for letter in "figorznch" if letter in loop.names]
    last = loop["c" if "c" in letters else "h"][-1, sample]
    order = np.argsort(last)
    rows = -(-len(letters) // 2)
    figure = blank_figure(10.4, 2.3 * rows + 0.8)
    panels = figure.subplots(rows, 2, sharex=True, squeeze=False).ravel()
    for axes, letter in zip(panels, letters, strict=False):
        values = loop[letter][:, sample][:, order].T
        signed = letter in SIGNED and values.min() < 0
        far = max(1.0, float(np.abs(values).max()))
        image = axes.imshow(
            values,
            cmap="RdBu_r" if signed else "cividis",
            vmin=-far if signed else 0,
            vmax=far,
            aspect="auto",
            interpolation="nearest",
        )
        axes.set_title(GATES.get(letter, letter), fontsize=10)
        axes.set_yticks([])
        figure.colorbar(image, ax=axes, shrink=0.9)
    for axes in panels[max(len(letters) - 2, 0) : len(letters)]:
        axes.set_xlabel("step")
        axes.tick_params(labelbottom=True)
    for axes in panels[len(letters) :]:
        axes.set_visible(False)
    figure.supylabel("units", fontsize=9)
    return figure
