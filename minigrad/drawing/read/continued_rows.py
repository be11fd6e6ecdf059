"""Leaves out of rows what another row shows: the input in front, and what comes after.

Read next: `folding.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from minigrad.drawing.read.picture import Box, Line, Picture
from minigrad.reading.text import shape_text


def without_repeats(rows: Sequence[Picture]) -> list[Picture]:
    """The pictures of the rows of a long loop, from its first steps to its last.

    The first row alone has what stands before the loop, the bar of the inputs for one:
    in later rows a step reads x_3 by name. The last row alone has what comes after the
    loop. With a recorded backward pass, or where something stands between, rows stay
    whole.
    """
    if any(box.backward for row in rows for box in row.boxes.values()):
        return list(rows)
    last = len(rows) - 1
    return [_trimmed(row, k > 0, k < last) for k, row in enumerate(rows)]


def _trimmed(picture: Picture, before: bool, after: bool) -> Picture:
    """One row without what is before its steps, or after them."""
    steps = [k for k, row in enumerate(picture.rows) if row.kind == "step"]
    if not steps:
        return picture
    kept = picture.rows[steps[0] if before else 0 :]
    if after:
        kept = kept[: len(kept) - (len(picture.rows) - 1 - steps[-1])]
    if before and len(steps) == 1:  # the first row has said which layer it is
        kept = [replace(row, title="") for row in kept]
    names = {row.id for row in kept}
    tiles = {key: tile for key, tile in picture.tiles.items() if tile.row in names}
    boxes = {key: box for key, box in picture.boxes.items() if box.tile in tiles}
    lines = []
    for line in picture.lines:
        if line.tail in boxes and line.head in boxes:
            lines.append(line)
        elif line.head in boxes and tiles[boxes[line.head].tile].kind == "step":
            ghost = _by_name(picture, line, boxes[line.head])
            boxes[ghost.id] = ghost
            tile = tiles[ghost.tile]
            tiles[tile.id] = replace(tile, boxes=[*tile.boxes, ghost.id])
            lines.append(replace(line, tail=ghost.id, label=""))
    outputs = [key for key in picture.outputs if key in boxes]
    return replace(
        picture, rows=kept, tiles=tiles, boxes=boxes, lines=lines, outputs=outputs
    )


def _by_name(picture: Picture, line: Line, head: Box) -> Box:
    """The small box that stands in a step for a value of the row above."""
    tail = picture.boxes[line.tail]
    array = None
    if line.source is not None and isinstance(line.source[0], int):
        array = picture.nodes[line.source[0]].outputs[line.source[1]]
    words = [line.label or tail.name or tail.lines[0]]
    if array is not None and array.shape:
        words.append(shape_text(array.shape))
    return Box(
        f"{line.id}_in", "input", tuple(words), head.tile, head.clusters, array=array
    )
