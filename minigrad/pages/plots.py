"""Matplotlib figures for pages: what every reader that plots has in common.

Read next: `minigrad/drawing/` (a graph as a picture).
"""

from __future__ import annotations

import io
from typing import Any

from minigrad.pages.dark_plots import dark_too

# Okabe & Ito's colours, told apart by colour-blind readers.
BLUE, ORANGE, GREEN, PURPLE = "#0072B2", "#D55E00", "#009E73", "#CC79A7"


def blank_figure(width: float, height: float) -> Any:
    """A figure that no window and no notebook shows, without axes; inches."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def plain_axes(figure: Any) -> Any:
    """Axes of a figure, with a faint grid and no frame above and at the right."""
    axes = figure.subplots()
    axes.grid(True, alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    return axes


def svg(figure: Any) -> bytes:
    """The figure as an SVG file, light and dark: the same bytes each time."""
    import matplotlib

    file = io.BytesIO()
    with matplotlib.rc_context({"svg.hashsalt": "minigrad", "svg.fonttype": "path"}):
        figure.savefig(file, format="svg", metadata={"Date": None})
    return dark_too(file.getvalue().decode()).encode()
