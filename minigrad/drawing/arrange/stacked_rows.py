"""Puts pictures one below the other: a long loop in rows, as text is broken into lines.

Read next: `minigrad/drawing/write/` (from places to a file).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from minigrad.drawing.arrange.geometry import shift
from minigrad.drawing.arrange.layout import Layout, Rect
from minigrad.drawing.read.picture import Picture

GAP = 56.0  # between two rows


def together(rows: Sequence[Picture], whole: Picture) -> Picture:
    """One picture with the boxes, lines and tiles of all rows.

    rows   from the first steps to the last
    whole  the picture before it was broken: its legend and its columns
    """
    scales = [row.scale for row in rows if row.scale]
    scale = None
    if scales:  # a colour means the same in every row
        low, high = min(s.low for s in scales), max(s.high for s in scales)
        scale = replace(scales[0], low=low, high=high)
    shown = {tile.column for row in rows for tile in row.tiles.values()}
    return replace(
        whole,
        boxes={key: box for row in rows for key, box in row.boxes.items()},
        lines=[line for row in rows for line in row.lines],
        tiles={key: tile for row in rows for key, tile in row.tiles.items()},
        rows=[one for row in reversed(rows) for one in row.rows],
        columns=[column for column in whole.columns if column in shown],
        legend=rows[0].legend,
        scale=scale,
        outputs=rows[-1].outputs,
        hidden_nodes=0,
        hidden_lines=0,
    )


def stacked(layouts: Sequence[Layout]) -> Layout:
    """The layouts of some rows as one: the first at the top, all from the left."""
    made = Layout()
    up = 0.0
    for layout in reversed(layouts):
        _take(made, layout, up)
        up += layout.height + GAP
    made.height = up - GAP
    made.width = max(layout.width for layout in layouts)
    return made


def _take(made: Layout, layout: Layout, up: float) -> None:
    """Add what one layout has, moved upwards."""

    def moved(rect: Rect) -> Rect:
        return rect[0], rect[1] + up, rect[2], rect[3] + up

    made.boxes |= {k: (x, y + up, w, h) for k, (x, y, w, h) in layout.boxes.items()}
    made.tiles |= {k: moved(rect) for k, rect in layout.tiles.items()}
    made.clusters |= {k: moved(rect) for k, rect in layout.clusters.items()}
    made.rows |= {k: moved(rect) for k, rect in layout.rows.items()}
    made.lines |= {k: shift(curve, 0.0, up) for k, curve in layout.lines.items()}
    made.labels |= {k: (x, y + up) for k, (x, y) in layout.labels.items()}
    made.titles |= {k: (x, y + up) for k, (x, y) in layout.titles.items()}
    made.branches |= layout.branches
