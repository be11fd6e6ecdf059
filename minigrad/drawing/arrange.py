"""Where everything goes: tiles in their grid, lines between the tiles.

Columns are as wide as their widest tile, rows as high as their highest. The belt of a
state is at one height in all tiles of a row, so that it runs straight through. Lines
that do not go to a neighbour run through the gaps between rows and columns, each in a
lane of its own.

Read next: `dot.py` (writes it down).
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

from minigrad.drawing.geometry import (
    Curve,
    Point,
    curve_length,
    join,
    rounded,
    shift,
    straight,
)
from minigrad.drawing.labels import Room, around, best_place
from minigrad.drawing.model import Column, Line, Picture, Tile
from minigrad.drawing.style import SIZE, SMALL, box_size
from minigrad.drawing.tiles import TileLayout, Tiles
from minigrad.drawing.titles import place_titles, title_rects
from minigrad.drawing.words import text_width

PAD = 10.0  # between a tile's border and what is in it
TITLE = 16.0  # height of a tile's title
COLUMN_GAP = 30.0
ROW_GAP = 44.0
LANE = 7.0
Rect = tuple[float, float, float, float]  # x0, y0, x1, y1


@dataclass
class Layout:
    """Where everything is, in points."""

    boxes: dict[str, tuple[float, float, float, float]] = field(default_factory=dict)
    tiles: dict[str, Rect] = field(default_factory=dict)
    clusters: dict[tuple[str, tuple[str, ...]], Rect] = field(default_factory=dict)
    lines: dict[str, Curve] = field(default_factory=dict)
    labels: dict[str, Point] = field(default_factory=dict)  # line -> where its label is
    branches: set[str] = field(default_factory=set)  # side ways of a value: drawn thin
    titles: dict[object, Point] = field(default_factory=dict)  # see `titles.py`
    rows: dict[str, Rect] = field(default_factory=dict)
    width: float = 0.0
    height: float = 0.0


class Arranger:
    """Puts the tiles of a picture into the grid."""

    def __init__(self, picture: Picture, tiles: Tiles) -> None:
        self.picture = picture
        self.tiles = tiles
        self.layout = Layout()
        self.corner: dict[str, Point] = {}  # tile -> where its (0, 0) is
        self.lanes: dict[object, int] = {}
        self.row_number = {row.id: k for k, row in enumerate(picture.rows)}

    def arrange(self) -> Layout:
        """Positions of everything."""
        self._columns()
        self._rows()
        for place in self.tiles.layouts.values():
            self._place(place)
        self._place_bars()
        self._place_ghosts()
        for line in self.picture.lines:
            self.layout.lines[line.id] = self._route(line)
        self._branches()
        place_titles(self.picture, self.layout)
        self._bounds()
        return self.layout

    def label(self, words: dict[str, str]) -> None:
        """Find room for what stands beside the lines (by line)."""
        room = Room()
        for x, y, w, h in self.layout.boxes.values():
            room.take((x - w / 2, y - h / 2, x + w / 2, y + h / 2))
        for rect in title_rects(self.picture, self.layout):
            room.take(rect)
        lines = Room()
        for line in self.picture.lines:
            lines.trace(self.layout.lines[line.id], line.id)
        for a, b, c, d in [*self.layout.tiles.values(), *self.layout.clusters.values()]:
            for edge in ((a, b, a, d), (c, b, c, d), (a, b, c, b), (a, d, c, d)):
                lines.take(edge, "frame")
        by_need = sorted(self.picture.lines, key=lambda line: line.kind != "state")
        for line in by_need:
            text = words.get(line.id)
            if not text:
                continue
            curve = self.layout.lines[line.id]
            known = line.label and line.id not in self.layout.branches
            crossing = self.tiles.ends[line.id].tail != "inside"
            first = self._label_place(line, text) if known and crossing else None
            point = best_place(curve, text, first, line.id, room, lines)
            if point is not None:
                room.take(around(point, text))
                self.layout.labels[line.id] = point

    def _branches(self) -> None:
        """A value that goes to several boxes of a tile: the shortest way is its own,
        the others are branches."""
        ways: dict[tuple, list[Line]] = {}
        for line in self.picture.lines:
            if line.label and line.source is not None:
                key = (line.tail, line.source, self.picture.boxes[line.head].tile)
                ways.setdefault(key, []).append(line)
        for lines in ways.values():
            lengths = [curve_length(self.layout.lines[line.id]) for line in lines]
            main = lengths.index(min(lengths))
            self.layout.branches.update(
                line.id for k, line in enumerate(lines) if k != main
            )

    # ------------------------------------------------------------- the grid

    def _columns(self) -> None:
        """The x of each column."""
        widths: dict[Column, float] = dict.fromkeys(self.picture.columns, 0.0)
        margin = 0.0
        for place in self.tiles.layouts.values():
            if place.tile.column is not None:
                w = max(place.laid.width, text_width(place.tile.title, SIZE)) + 2 * PAD
                widths[place.tile.column] = max(widths[place.tile.column], w)
        for key in self.tiles.initial:
            margin = max(margin, box_size(self.picture.boxes[key])[0] + 30)
        for row in self.picture.rows:
            margin = max(margin, text_width(row.title, SIZE) + 24)
        self.column_x: dict[Column, tuple[float, float]] = {}
        x = margin
        crossing = self._crossings()
        for column in self.picture.columns:
            lanes = crossing.get(column, 0)
            x += max(0.0, lanes - 1) * LANE
            self.column_x[column] = (x, x + widths[column])
            x += widths[column] + COLUMN_GAP
        self.right = x - COLUMN_GAP if self.picture.columns else 0.0

    def _crossings(self) -> dict[Column, int]:
        """How many lines need the gap to the left of each column."""
        count: dict[Column, int] = {}
        for line in self.picture.lines:
            a, b = self._tile(line.tail), self._tile(line.head)
            if a.id != b.id and abs(self._row(a) - self._row(b)) > 1:
                column = b.column or a.column
                if column is not None:
                    count[column] = count.get(column, 0) + 1
        return count

    def _tile(self, box: str) -> Tile:
        return self.picture.tiles[self.picture.boxes[box].tile]

    def _row(self, tile: Tile) -> int:
        return self.row_number[tile.row]

    def _rows(self) -> None:
        """The y of each row, and the corner of each tile."""
        y = 0.0
        by_row: dict[str, list[TileLayout]] = {}
        for place in self.tiles.layouts.values():
            by_row.setdefault(place.tile.row, []).append(place)
        for row in self.picture.rows:
            places = by_row.get(row.id, [])
            if not places:
                continue
            below = self._alignment(places) if row.kind == "step" else {}
            low = max((below.get(p.tile.id, 0.0) for p in places), default=0.0)
            high = max(
                (p.laid.height - below.get(p.tile.id, 0.0) for p in places), default=0.0
            )
            extra = 2 * PAD + TITLE if row.kind == "step" else 0.0
            beside = 0.0
            for place in places:
                tile = place.tile
                corner_y = y + (PAD if row.kind == "step" else 0.0)
                corner_y += low - below.get(tile.id, 0.0)
                if tile.column is not None:
                    x0, x1 = self.column_x[tile.column]
                    corner_x = (x0 + x1 - place.laid.width) / 2
                else:
                    corner_x, beside = beside, beside + place.laid.width + 30
                self.corner[tile.id] = (corner_x, corner_y)
            self._spread(row.kind, places, beside)
            top = y + low + high + extra
            self.layout.rows[row.id] = (0.0, y, self.right, top)
            y = top + ROW_GAP

    def _spread(self, kind: str, places: list[TileLayout], beside: float) -> None:
        """Outside tiles stand over or under the columns that they are joined to."""
        if kind != "outside" or not self.picture.columns:
            return
        x = 0.0
        wanted = sorted(places, key=lambda p: (self._wish(p), p.tile.first))
        for place in wanted:
            left = max(x, self._wish(place) - place.laid.width / 2)
            self.corner[place.tile.id] = (left, self.corner[place.tile.id][1])
            x = left + place.laid.width + 30

    def _wish(self, place: TileLayout) -> float:
        """The x that an outside tile's neighbours have, on average."""
        found = []
        for line in self.picture.lines:
            for mine, other in ((line.tail, line.head), (line.head, line.tail)):
                column = self._tile(other).column
                if self._tile(mine) is place.tile and column:
                    x0, x1 = self.column_x[column]
                    found.append((x0 + x1) / 2)
        return sum(found) / len(found) if found else self.right / 2

    def _alignment(self, places: list[TileLayout]) -> dict[str, float]:
        """The height of the state's belt in each tile: it is to be the same for all."""
        heights = {}
        for place in places:
            ports = [
                point[1]
                for (kind, _), point in place.laid.ports.items()
                if kind in "sz" and place.tile.kind == "step"
            ]
            if place.tile.kind == "elision":
                continue
            heights[place.tile.id] = max(ports, default=place.laid.height / 2)
        middle = sorted(heights.values())[len(heights) // 2] if heights else 0.0
        for place in places:
            if place.tile.kind == "elision":
                heights[place.tile.id] = place.laid.height / 2
                heights[place.tile.id] += (middle * 0) if middle else 0
        return heights

    # ------------------------------------------------------------- boxes

    def _place(self, place: TileLayout) -> None:
        tile, laid = place.tile, place.laid
        if tile.kind == "bar":
            return
        cx, cy = self.corner[tile.id]
        if tile.kind == "elision":
            _, y0, _, y1 = self.layout.rows[tile.row]
            w = place.sketch.sizes[0][0]
            self.layout.boxes[place.boxes[0]] = (cx + w / 2, (y0 + y1) / 2, w, y1 - y0)
            return
        for k, (x, y) in laid.boxes.items():
            w, h = place.sketch.sizes[k]
            self.layout.boxes[place.boxes[k]] = (cx + x, cy + y, w, h)
        for path, (a, b, c, d) in laid.clusters.items():
            self.layout.clusters[(tile.id, path)] = (cx + a, cy + b, cx + c, cy + d)
        if tile.kind == "step":
            assert tile.column is not None
            x0, x1 = self.column_x[tile.column]
            y0, y1 = self.layout.rows[tile.row][1], self.layout.rows[tile.row][3]
            self.layout.tiles[tile.id] = (x0, y0, x1, y1)

    def _place_bars(self) -> None:
        """A bar spans the columns that it is joined to; what feeds it is at left."""
        for place in self.tiles.layouts.values():
            if place.tile.kind != "bar":
                continue
            y0 = self.corner[place.tile.id][1]
            x = -16.0
            bars = [k for k in place.boxes if self.picture.boxes[k].kind == "bar"]
            for key in place.boxes:
                w, h = box_size(self.picture.boxes[key])
                if key not in bars:
                    self.layout.boxes[key] = (x - w / 2 - 10, y0 + 13, w, h)
                    x -= w + 16
            for key in bars:
                x0, x1 = self._span(key)
                self.layout.boxes[key] = ((x0 + x1) / 2, y0 + 13, x1 - x0, 26.0)

    def _span(self, key: str) -> tuple[float, float]:
        xs: list[float] = []
        for line in self.picture.lines:
            if key in (line.tail, line.head):
                other = self._tile(line.head if line.tail == key else line.tail)
                if other.column is not None:
                    xs += self.column_x[other.column]
        width = box_size(self.picture.boxes[key])[0]
        if not xs:
            return 0.0, max(width, self.right)
        return min(xs), max(max(xs), min(xs) + width)

    def _place_ghosts(self) -> None:
        """Initial states: to the side of the first step, at the height of the entry."""
        wanted: dict[str, dict[str, float]] = {}  # tile -> ghost -> its entry's height
        for line in self.picture.lines:
            if line.tail in self.tiles.initial:
                ghosts = wanted.setdefault(self._tile(line.head).id, {})
                ghosts.setdefault(line.tail, self._entry(line)[1])
        crossing = self._crossings()
        for tile_id, ghosts in wanted.items():
            tile = self.picture.tiles[tile_id]
            x0, _, x1, _ = self.layout.tiles[tile_id]
            reverse = self.picture.rows[self._row(tile)].reverse
            assert tile.column is not None
            lanes = 0 if reverse else LANE * crossing.get(tile.column, 0)
            names = sorted(ghosts, key=lambda key: ghosts[key])
            sizes = [box_size(self.picture.boxes[key]) for key in names]
            heights = [ghosts[key] for key in names]
            for (w, h), key, y in zip(sizes, names, apart(heights, sizes), strict=True):
                x = x1 + 24 + w / 2 if reverse else x0 - 24 - lanes - w / 2
                self.layout.boxes[key] = (x, y, w, h)

    # ------------------------------------------------------------- lines

    def _value_key(self, line: Line) -> tuple[str, int, TileLayout]:
        """Which port of the head's tile the line goes through."""
        place = self.tiles.layouts[self._tile(line.head).id]
        how = self.tiles.ends[line.id].head
        if how == "entry":
            return "s", self.tiles.states.of[line.id], place
        targets = place.values[(line.tail, line.source)]
        return "i", place.inputs[targets], place

    def _entry(self, line: Line) -> Point:
        """Where the line enters the head's tile: at its border."""
        tile = self._tile(line.head)
        kind, k, place = self._value_key(line)
        cx, cy = self.corner[tile.id]
        x, y = place.laid.ports[(kind, k)]
        return cx + x, cy + y

    def _route(self, line: Line) -> Curve:
        ends = self.tiles.ends[line.id]
        if ends.tail == "inside":
            place = self.tiles.layouts[self._tile(line.head).id]
            if place.tile.kind == "bar":
                return self._beside_bar(line)
            return shift(
                place.laid.lines[place.lines[line.id]], *self.corner[place.tile.id]
            )
        start, first, side_a = self._leave(line)
        last, end, side_b = self._arrive(line)
        way = join(first, self._between(line, start, end, side_a, side_b), last)
        beside = 4.0 * self._lane(("parallel", line.tail, line.head, line.source))
        return shift(way, beside, -beside)

    def _beside_bar(self, line: Line) -> Curve:
        x, y, w, _ = self.layout.boxes[line.tail]
        bx, by, bw, _ = self.layout.boxes[line.head]
        return straight((x + w / 2, y), (bx - bw / 2, by))

    def _leave(self, line: Line) -> tuple[Point, Curve, str]:
        """Where the line leaves its tail's tile, how it gets there, on which side."""
        tile = self._tile(line.tail)
        place = self.tiles.layouts[tile.id]
        x, y, w, h = self.layout.boxes.get(line.tail, (0, 0, 0, 0))
        if line.tail in self.tiles.initial:
            reverse = self.picture.rows[self._row(tile)].reverse
            return (x - w / 2 if reverse else x + w / 2, y), [], "side"
        how = self.tiles.ends[line.id].tail
        if tile.kind == "bar":
            return (x, y), [], "bar"
        if tile.kind == "elision":
            if how == "out":
                return (x, y + h / 2), [], "top"
            return (x, y), [], "elision"
        k = box = place.boxes.index(line.tail)
        cx, cy = self.corner[tile.id]
        kind = "o"
        if how == "exit":
            kind, k = "z", self.tiles.states.of[line.id]
        px, py = place.laid.ports[(kind, k)]
        curve = shift(place.laid.branches[(kind, k, box)], cx, cy)
        return (cx + px, cy + py), curve, "side" if kind == "z" else "top"

    def _arrive(self, line: Line) -> tuple[Curve, Point, str]:
        """How the line gets on from its head's border, where it enters, which side."""
        tile = self._tile(line.head)
        x, y, _, h = self.layout.boxes.get(line.head, (0, 0, 0, 0))
        if tile.kind == "bar":
            return [], (x, y), "bar"
        if tile.kind == "elision":
            if self.tiles.ends[line.id].head == "in":
                return [], (x, y - h / 2), "bottom"
            return [], (x, y), "elision"
        kind, k, place = self._value_key(line)
        cx, cy = self.corner[tile.id]
        px, py = place.laid.ports[(kind, k)]
        curve = place.laid.branches[(kind, k, place.boxes.index(line.head))]
        side = "side" if kind == "s" else "bottom"
        return shift(curve, cx, cy), (cx + px, cy + py), side

    def _between(
        self, line: Line, start: Point, end: Point, side_a: str, side_b: str
    ) -> Curve:
        """The way from tile to tile."""
        a, b = self._tile(line.tail), self._tile(line.head)
        if side_a == "elision" or side_b == "elision":
            return self._beside_elision(line, start, end, side_a)
        if side_a == "side" and side_b == "side":
            if abs(start[1] - end[1]) < 1.0:
                return straight(start, (end[0], start[1]))
            lane = self._lane(("side", b.id))
            x = self._gap(a, b, line) + (lane % 3 - 1) * 6
            return rounded([start, (x, start[1]), (x, end[1]), end])
        if side_a == "bar":
            x, y, w, h = self.layout.boxes[line.tail]
            start = (min(max(end[0], x - w / 2 + 4), x + w / 2 - 4), y + h / 2)
        if side_b == "bar":
            x, y, w, h = self.layout.boxes[line.head]
            end = (min(max(start[0], x - w / 2 + 4), x + w / 2 - 4), y - h / 2)
        return self._vertical(a, b, start, end, side_b, line)

    def _beside_elision(
        self, line: Line, start: Point, end: Point, side_a: str
    ) -> Curve:
        """To or from "... 94 steps ...": level with the other end."""
        if side_a == "elision":
            x, _, w, _ = self.layout.boxes[line.tail]
            way = 1 if end[0] > x else -1
            return straight((x + way * w / 2, end[1]), end)
        x, _, w, _ = self.layout.boxes[line.head]
        way = 1 if start[0] > x else -1
        return straight(start, (x + way * w / 2, start[1]))

    def _label_place(self, line: Line, text: str) -> Point:
        """Beside the line, between the tiles, where nothing else is."""
        a, b = self._tile(line.tail), self._tile(line.head)
        curve = self.layout.lines[line.id]
        half = text_width(text, SMALL) / 2
        if line.kind == "state" and a.row == b.row:
            x = self._gap(a, b, line)
            if a.kind == "elision":
                x = curve[-1][0] - half - 8
            near = min(curve, key=lambda point: abs(point[0] - x))
            return x, (curve[-1] if abs(near[0] - x) > 40 else near)[1] + 8
        x, y = self._arrive(line)[1]
        if b.id in self.layout.tiles:  # under the border of the step
            y = self.layout.tiles[b.id][1] + 5
        return x + half + 4, y - 14

    def _gap(self, a: Tile, b: Tile, line: Line) -> float:
        """The middle of the gap between two neighbouring tiles."""
        rect = self.layout.tiles.get(b.id, (0.0, 0.0, 0.0, 0.0))
        if line.tail in self.tiles.initial:
            x = self.layout.boxes[line.tail][0]
            return rect[0] - 12 if x < rect[0] else rect[2] + 12
        other = self.layout.tiles.get(a.id, rect)
        if other[0] < rect[0]:
            return (other[2] + rect[0]) / 2
        return (rect[2] + other[0]) / 2

    def _lane(self, where: object) -> int:
        number = self.lanes[where] = self.lanes.get(where, -1) + 1
        return number

    def _vertical(
        self, a: Tile, b: Tile, start: Point, end: Point, side_b: str, line: Line
    ) -> Curve:
        """Upwards from row to row: straight to the next, else beside the columns."""
        ra, rb = self._row(a), self._row(b)
        if side_b == "side":  # into a state's entry, from below
            left, _, right, _ = self.layout.tiles[b.id]
            beside = 12 + LANE * self._lane(("entry", b.id))
            x0 = right + beside if self.picture.rows[rb].reverse else left - beside
            mid = start[1] + 12
            return rounded([start, (start[0], mid), (x0, mid), (x0, end[1]), end])
        top_a = self.layout.rows[a.row][3]
        low_b = self.layout.rows[b.row][1]
        if rb == ra + 1:
            if abs(start[0] - end[0]) < 1:
                return straight(start, end)
            y = (top_a + low_b) / 2
            return rounded([start, (start[0], y), (end[0], y), end])
        column = b.column or a.column
        if column is None:
            y = top_a + 10
            x = self.right + 20 + LANE * self._lane("right")
        else:
            lane = self._lane((column, "gap"))
            x = self.column_x[column][0] - 10 - LANE * lane
            y = top_a + 12 + 3 * (lane % 4)
        if a.kind == "bar" and b.column is not None:  # up the gap from the bar itself
            start = (x, start[1])
            return rounded([start, (x, low_b - 14), (end[0], low_b - 14), end])
        if b.kind == "bar" and a.column is not None:
            return rounded([start, (start[0], y), (x, y), (x, end[1])])
        way = [start, (start[0], y), (x, y), (x, low_b - 14), (end[0], low_b - 14), end]
        return rounded(way)

    def _bounds(self) -> None:
        """Shift everything so that the picture starts at (0, 0)."""
        xs = [x - w / 2 for x, _, w, _ in self.layout.boxes.values()]
        xs += [r[0] for r in self.layout.tiles.values()]
        self.layout.width = max(
            [x + w / 2 for x, _, w, _ in self.layout.boxes.values()]
            + [r[2] for r in self.layout.tiles.values()],
            default=0.0,
        )
        self.layout.height = max((r[3] for r in self.layout.rows.values()), default=0.0)
        self.left = min(xs, default=0.0)


def apart(heights: list[float], sizes: list[tuple[float, float]]) -> list[float]:
    """Heights, from low to high, moved apart so that nothing overlaps."""
    step = max((h for _, h in sizes), default=0.0) + 6
    if all(b - a >= step for a, b in itertools.pairwise(heights)):
        return heights
    middle = (heights[0] + heights[-1]) / 2
    return [middle + (k - (len(heights) - 1) / 2) * step for k in range(len(heights))]
