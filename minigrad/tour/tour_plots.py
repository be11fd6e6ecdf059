"""The tour's pictures: the graph, gates over the words, how far back gradients reach.

Read next: `tour_report.py`.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np

from minigrad.drawing import Drawing, draw
from minigrad.pages.dark_plots import dark_too
from minigrad.pages.plots import BLUE, GREEN, ORANGE, blank_figure
from minigrad.tasks.sentence_reading import Reading
from minigrad.trial.heat_maps import means

STYLES = {  # markers for print without colours
    "rnn": {"color": ORANGE, "marker": "o"},
    "lstm": {"color": BLUE, "marker": "s"},
    "gru": {"color": GREEN, "marker": "^"},
}


def _save(figure: Any, folder: Path, name: str) -> None:
    import matplotlib

    with matplotlib.rc_context({"svg.hashsalt": "minigrad", "svg.fonttype": "none"}):
        text = io.StringIO()
        figure.savefig(text, format="svg", metadata={"Date": None})
    (folder / f"{name}.svg").write_text(dark_too(text.getvalue()), encoding="utf-8")
    figure.savefig(folder / f"{name}.png", dpi=120)


def reach(folder: Path, trained: dict[str, Reading], fresh: dict[str, Reading]) -> None:
    """|d(final logit)/d(word t)| for each cell, before and after training; log scale.

    The values are relative to the last word, so the curves show the effect of distance.
    """
    words = next(iter(trained.values())).words
    figure = blank_figure(max(6.4, 0.62 * len(words) + 2.2), 4.4)
    axes = figure.add_subplot()
    positions = np.arange(len(words))
    for kind, reading in trained.items():
        for source, label, look in (
            (fresh[kind], "before training", {"linestyle": "--", "alpha": 0.55}),
            (reading, "trained", {"linestyle": "-", "linewidth": 2}),
        ):
            values = (
                source.reach / source.reach[-1] if source.reach[-1] else source.reach
            )
            shown = np.where(values > 0, values, np.nan)
            axes.plot(
                positions,
                shown,
                label=f"{kind.upper()}, {label}",
                **STYLES[kind],
                **look,
            )
    axes.set_yscale("log")
    axes.set_xticks(positions, words, rotation=40, ha="right")
    axes.set_ylabel("gradient at the word, relative to the last word")
    axes.set_title("How strongly each word influences the final sentiment")
    axes.grid(True, axis="y", alpha=0.3)
    axes.legend(fontsize=8, ncols=2)
    _save(figure, folder, "gradient")


def gates(folder: Path, reading: Reading) -> None:
    """The heat map of the LSTM's gates and states over the words."""
    _save(means(reading), folder, "gates")


def picture(reading: Reading, engine: str | None = None) -> Drawing:
    """The graph of a reading: a step per word, a box per gate with its mean value."""
    return draw(
        reading.trace.output,
        level="gate",
        values="mean",
        words=reading.words,
        max_steps=12,
        title="The LSTM, word by word",
        engine=engine,
    )


def graph(folder: Path, reading: Reading) -> None:
    """The graph as text, pictures, and a page: graph.dot, .svg, .png, .html."""
    drawing = picture(reading)
    for ending in ("dot", "svg", "png", "html"):
        drawing.save(folder / f"graph.{ending}")
