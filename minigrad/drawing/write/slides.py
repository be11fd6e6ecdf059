"""A numbered sequence of pictures for slides: step after step, forward and backward.

The layout is that of the whole picture; what has not happened yet is faint. In the
backward frames the gradients appear, from the last step to the first.

Read next: `picture_page.py`.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import NamedTuple

from minigrad.drawing.read.picture import Picture


class Frame(NamedTuple):
    """One frame: its name, the picture to write, the boxes that are faint (not computed
    yet), and the tiles of the current step."""

    name: str
    picture: Picture
    faint: frozenset[str]
    lit: frozenset[str]


def frames(picture: Picture) -> Iterator[Frame]:
    """The frames in order; backward ones only where gradients are shown."""
    moment = {box.id: _moment(picture, box.tile) for box in picture.boxes.values()}
    last = max(moment.values(), default=0)
    bare = _without_gradients(picture)
    for now in range(last + 1):
        faint = frozenset(key for key, when in moment.items() if when > now)
        yield Frame(f"forward-{now}", bare, faint, _lit(picture, moment, now))
    if picture.scale is None:
        return
    for now in range(last, -1, -1):
        shown = copy.copy(bare)
        shown.plain = False
        shown.lines = [
            line if moment[line.head] >= now else plain
            for line, plain in zip(picture.lines, bare.lines, strict=True)
        ]
        lit = _lit(picture, moment, now)
        yield Frame(f"backward-{last - now}", shown, frozenset(), lit)


def _lit(picture: Picture, moment: dict[str, int], now: int) -> frozenset[str]:
    """The steps that are computed at this moment."""
    return frozenset(
        tile.id
        for tile in picture.tiles.values()
        if tile.kind == "step" and any(moment[key] == now for key in tile.boxes)
    )


def _moment(picture: Picture, tile_id: str) -> int:
    """When a tile is computed: the number of its step in its row's direction."""
    tile = picture.tiles[tile_id]
    count = len(picture.columns)
    if tile.column is None:
        rows = {row.id: k for k, row in enumerate(picture.rows)}
        steps = [k for k, row in enumerate(picture.rows) if row.kind == "step"]
        return 0 if not steps or rows[tile.row] < steps[0] else count
    number = picture.columns.index(tile.column)
    reverse = next(row.reverse for row in picture.rows if row.id == tile.row)
    return count - 1 - number if reverse else number


def _without_gradients(picture: Picture) -> Picture:
    """The same picture, before backward."""
    bare = copy.copy(picture)
    bare.plain = True  # the legend stays: nothing moves from frame to frame
    bare.lines = [copy.copy(line) for line in picture.lines]
    for line in bare.lines:
        line.gradient = None
    return bare
