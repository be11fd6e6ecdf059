"""The terms of an explanation as a picture: for notebooks that show no formulas.

Read next: `sympy_formula.py`.
"""

from __future__ import annotations

import numpy as np

from minigrad.explaining.terms import Explained
from minigrad.pages.plots import BLUE, ORANGE, blank_figure, plain_axes, svg
from minigrad.reading.text import clean, number

MOST = 60  # bars that are drawn: those nearest to the loss


def picture(e: Explained) -> str:
    """A bar for each term, in the order of backward, as SVG."""
    terms = e.terms[:MOST]
    values = np.array([float(np.real(term.value)) for term in terms])
    figure = blank_figure(7.4, min(9.0, 1.4 + 0.26 * len(terms)))
    axes = plain_axes(figure)
    shown = np.where(np.isfinite(values), values, 0.0)
    places = np.arange(len(terms))
    axes.barh(places, shown, color=np.where(values < 0, ORANGE, BLUE))
    for place, value in zip(places, values, strict=True):
        axes.annotate(
            f" {number(value)} ",
            (shown[place], place),
            ha="left" if value >= 0 else "right",
            va="center",
            fontsize=8,
        )
    names = [clean(term.place).replace("$", r"\$") for term in terms]
    axes.set_yticks(places, names, fontsize=8)
    axes.invert_yaxis()
    axes.margins(x=0.15)
    rest = len(e.terms) - len(terms)
    more = f", {rest} more" if rest else ""
    title = f"dL/d{clean(e.parameter)} = {number(e.value)}: {len(terms)} terms{more}"
    axes.set_title(title.replace("$", r"\$"))
    return svg(figure).decode()
