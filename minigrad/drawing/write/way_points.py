"""Where lines enter a step, in DOT text without places: for a `dot` of one's own.

dot leads a line around a frame if its end is not at the frame's edge. So a line from a
bar first goes to a name in the lowest rank of the step (x_2), and a state first goes to
a name beside the box that it comes from (h_2), both in the frame of the step that reads
it. What a loop begins with (h_0) takes the place of that name, so that dot finds the
same things in all steps, and puts them into the same order.

Read next: `dot_attributes.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

from minigrad.drawing.read.picture import Box, Line, Picture, Tile


@dataclass(frozen=True, slots=True)
class WayPoint:
    """A name within a step's frame, through which a line goes.

    tile   the step
    ranks  how many ranks it is above the box that reads the line; None: below it
    """

    id: str
    tile: str
    ranks: int | None = None


def way_points(picture: Picture) -> dict[str, WayPoint]:
    """The way points of a picture, by the line that goes through them."""
    if not picture.recurrent:
        return {}
    steps = [tile for tile in picture.tiles.values() if tile.kind == "step"]
    tile_of = {key: tile for tile in steps for key in tile.boxes}
    ranks = {tile.id: _ranks(picture, tile) for tile in steps}
    found = {}
    for line in picture.lines:
        tile, tail = tile_of.get(line.head), picture.boxes[line.tail]
        if tile is None or tail.backward or picture.boxes[line.head].backward:
            continue
        if tail.kind == "bar":
            found[line.id] = WayPoint(f"w_{line.id}", tile.id)
            continue
        before = tile_of.get(line.tail)
        if line.kind == "state" and before is not None and before is not tile:
            above = ranks[before.id][line.tail] - ranks[tile.id][line.head]
            if above > 0:
                found[line.id] = WayPoint(f"w_{line.id}", tile.id, above)
    return found


def beginnings(
    picture: Picture, ways: dict[str, WayPoint]
) -> dict[str, tuple[Box, int | None]]:
    """The lines from what a loop begins with, to the step that it begins with: the box
    that stands for it, and the ranks by which it is above the line's end (None: it is
    beside the step), as in the other steps."""
    rows: dict[str, list[list[str]]] = {}
    places: dict[str, tuple[str, int]] = {}  # the row of a box, and which of its step
    for tile in picture.tiles.values():
        if tile.kind == "step":
            made = [key for key in tile.boxes if picture.boxes[key].nodes]
            rows.setdefault(tile.row, []).append(made)
            places |= {key: (tile.row, k) for k, key in enumerate(made)}
    entering = {
        (line.head): line.id
        for line in picture.lines
        if line.kind == "state" and line.head in places and line.tail in places
    }
    found: dict[str, tuple[Box, int | None]] = {}
    for line in picture.lines:
        ghost = picture.boxes[line.tail]
        if ghost.kind != "input" or line.head not in places:
            continue
        row, k = places[line.head]
        alike = [made[k] for made in rows[row] if k < len(made)]
        later = [entering[key] for key in alike if key in entering]
        if later:
            way = ways.get(later[0])
            found[line.id] = ghost, None if way is None else way.ranks
    return found


def _ranks(picture: Picture, tile: Tile) -> dict[str, int]:
    """The rank of each box of a step: the longest way to it from those that only read
    weights, inputs and other steps."""
    inside = {k for k in tile.boxes if picture.boxes[k].nodes}
    lines = [ln for ln in picture.lines if ln.tail in inside and ln.head in inside]
    rank = dict.fromkeys(tile.boxes, 0)
    for _ in range(len(inside)):
        moved = False
        for line in lines:
            if rank[line.head] <= rank[line.tail]:
                rank[line.head] = rank[line.tail] + 1
                moved = True
        if not moved:
            break
    return rank


def through(line: Line, way: WayPoint, style: str) -> list[str]:
    """The two statements of a line that goes through a way point."""
    first = f'{line.tail} -> {way.id} [{style} arrowhead="none"'
    if way.ranks is None:
        return [
            f'{first} label=""]',
            f'{way.id} -> {line.head} [id="{line.id}" {style}]',
        ]
    back = downward(line, way.id, way.ranks, style)
    return [f'{first} xlabel=""]', back]


def gates_in_order(picture: Picture, tile: Tile) -> list[str]:
    """Statements that put the gates of a step that are boxes, and equally far from its
    inputs, side by side in the order in which they were computed."""
    ranks = _ranks(picture, tile)
    level: dict[int, list[str]] = {}
    for key in tile.boxes:
        if picture.boxes[key].kind == "gate" and not picture.boxes[key].backward:
            level.setdefault(ranks[key], []).append(key)
    out = []
    for gates in level.values():
        if len(gates) > 1:
            out.append("{rank=same " + " ".join(gates) + "}")
            out.append(" -> ".join(gates) + " [style=invis]")
    return out


def downward(line: Line, above: str, ranks: int, style: str) -> str:
    """The statement of a line that comes down to its end, from so many ranks above."""
    back = f'dir="back" constraint="true" weight=1 minlen={ranks}'
    return f'{line.head} -> {above} [id="{line.id}" {style} {back}]'
