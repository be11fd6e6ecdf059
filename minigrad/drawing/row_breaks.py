"""Breaks a long loop into rows: of so many steps, or as many as fit a width.

Read next: `minigrad/drawing/read/` (from the graph to boxes and lines).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minigrad.drawing.arrange.layout import Layout
from minigrad.drawing.read.picture import Picture
from minigrad.engine.errors import ArgumentError
from minigrad.reading.text import clean

PIXEL = 0.75  # points
PAD = 14.4  # points around a picture


def check(picture: Picture, wrap: Any, width: Any) -> None:
    """ArgumentError for numbers that make no sense, or a graph without time steps."""
    whole = isinstance(wrap, int) and not isinstance(wrap, bool) and wrap >= 1
    if wrap is not None and not whole:
        raise ArgumentError(
            "draw: wrap is not a number of steps",
            expect="wrap, the time steps of one row: 1 or more",
            actual=clean(f"wrap={wrap!r}", 60),
            hint="wrap=5 breaks ten steps into two rows",
        )
    number = isinstance(width, int | float) and not isinstance(width, bool)
    if width is not None and not (number and width > 0):
        raise ArgumentError(
            "draw: width is not a number of pixels",
            expect="width above 0, in pixels of a screen (96 to the inch)",
            actual=clean(f"width={width!r}", 60),
            hint="width=1920 fits a slide",
        )
    given = "wrap" if wrap is not None else "width" if width is not None else None
    if given and not picture.columns:
        raise ArgumentError(
            f"draw: {given} is for loops over time, and there is none",
            expect="a graph with time steps",
            actual=f"{len(picture.nodes)} operations, no time steps",
            hint="mark the steps of a loop of your own with mg.time_step(t)",
        )


def pixels(layout: Layout) -> float:
    """How wide a picture is, in pixels."""
    left = min((x - w / 2 for x, _, w, _ in layout.boxes.values()), default=0.0)
    return (layout.width - min(left, 0.0) + 2 * PAD) / PIXEL


def fitting(
    steps: int, width: float, laid: Callable[[int], Layout]
) -> tuple[int, Layout]:
    """The largest number of steps per row that fits the width, and its layout.

    laid  the layout with so many steps per row
    Raises ArgumentError if one step alone is wider.
    """
    count = steps
    while True:
        layout = laid(count)
        needed = pixels(layout)
        if needed <= width:
            return count, layout
        if count == 1:
            raise ArgumentError(
                "draw: one step is wider than the picture may be",
                expect=f"width={needed:.0f} or more",
                actual=f"width={width:g}",
                hint='level="gate" and level="cell" are narrower than level="op"',
            )
        count = max(1, min(count - 1, int(count * width / needed)))
