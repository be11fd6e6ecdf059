"""Computes the curves of the lines, within tiles and between tiles.

Within a tile `dot` has drawn them. Lines to a tile that is not a neighbour run through
the gaps between rows and columns, each in its own lane.

Read next: `line_labels.py`.
"""

from __future__ import annotations

import itertools

from minigrad.drawing.arrange.geometry import (
    Curve,
    Point,
    join,
    rounded,
    shift,
    straight,
)
from minigrad.drawing.arrange.grid import LANE, Grid
from minigrad.drawing.arrange.tiles import TileLayout
from minigrad.drawing.read.operation_symbols import text_width
from minigrad.drawing.read.picture import Line, Tile
from minigrad.drawing.style import SMALL, box_size


class Router:
    """Finds the way of every line, and the places of initial states beside them."""

    def __init__(self, grid: Grid) -> None:
        self.grid = grid
        self.picture = grid.picture
        self.tiles = grid.tiles
        self.layout = grid.layout
        self.lanes: dict[object, int] = {}

    def place_ghosts(self) -> None:
        """Initial states: to the side of the first step, at the height of the entry."""
        wanted: dict[str, dict[str, float]] = {}  # tile -> ghost -> its entry's height
        for line in self.picture.lines:
            if line.tail in self.tiles.initial:
                ghosts = wanted.setdefault(self.grid.tile(line.head).id, {})
                ghosts.setdefault(line.tail, self._entry(line)[1])
        for tile_id, ghosts in wanted.items():
            tile = self.picture.tiles[tile_id]
            x0, _, x1, _ = self.layout.tiles[tile_id]
            reverse = self.picture.rows[self.grid.row(tile)].reverse
            assert tile.column is not None
            lanes = 0 if reverse else LANE * self.grid.crossing.get(tile.column, 0)
            names = sorted(ghosts, key=lambda key: ghosts[key])
            sizes = [box_size(self.picture.boxes[key]) for key in names]
            heights = [ghosts[key] for key in names]
            for (w, h), key, y in zip(sizes, names, apart(heights, sizes), strict=True):
                x = x1 + 24 + w / 2 if reverse else x0 - 24 - lanes - w / 2
                self.layout.boxes[key] = (x, y, w, h)

    def _value_key(self, line: Line) -> tuple[str, int, TileLayout]:
        """Which port of the head's tile the line goes through."""
        place = self.tiles.layouts[self.grid.tile(line.head).id]
        how = self.tiles.ends[line.id].head
        if how == "entry":
            return "s", self.tiles.states.of[line.id], place
        targets = place.values[(line.tail, line.source)]
        return "i", place.inputs[targets], place

    def _entry(self, line: Line) -> Point:
        """Where the line enters the head's tile: at its border."""
        tile = self.grid.tile(line.head)
        kind, k, place = self._value_key(line)
        cx, cy = self.grid.corner[tile.id]
        x, y = place.laid.ports[(kind, k)]
        return cx + x, cy + y

    def route(self, line: Line) -> Curve:
        """The way of a line."""
        ends = self.tiles.ends[line.id]
        if ends.tail == "inside":
            place = self.tiles.layouts[self.grid.tile(line.head).id]
            if place.tile.kind == "bar":
                return self._beside_bar(line)
            return shift(
                place.laid.lines[place.lines[line.id]], *self.grid.corner[place.tile.id]
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
        tile = self.grid.tile(line.tail)
        place = self.tiles.layouts[tile.id]
        x, y, w, h = self.layout.boxes.get(line.tail, (0, 0, 0, 0))
        if line.tail in self.tiles.initial:
            reverse = self.picture.rows[self.grid.row(tile)].reverse
            return (x - w / 2 if reverse else x + w / 2, y), [], "side"
        how = self.tiles.ends[line.id].tail
        if tile.kind == "bar":
            return (x, y), [], "bar"
        if tile.kind == "elision":
            if how == "out":
                return (x, y + h / 2), [], "top"
            return (x, y), [], "elision"
        k = box = place.boxes.index(line.tail)
        cx, cy = self.grid.corner[tile.id]
        kind = "o"
        if how == "exit":
            kind, k = "z", self.tiles.states.of[line.id]
        px, py = place.laid.ports[(kind, k)]
        curve = shift(place.laid.branches[(kind, k, box)], cx, cy)
        return (cx + px, cy + py), curve, "side" if kind == "z" else "top"

    def _arrive(self, line: Line) -> tuple[Curve, Point, str]:
        """How the line gets on from its head's border, where it enters, which side."""
        tile = self.grid.tile(line.head)
        x, y, _, h = self.layout.boxes.get(line.head, (0, 0, 0, 0))
        if tile.kind == "bar":
            return [], (x, y), "bar"
        if tile.kind == "elision":
            if self.tiles.ends[line.id].head == "in":
                return [], (x, y - h / 2), "bottom"
            return [], (x, y), "elision"
        kind, k, place = self._value_key(line)
        cx, cy = self.grid.corner[tile.id]
        px, py = place.laid.ports[(kind, k)]
        curve = place.laid.branches[(kind, k, place.boxes.index(line.head))]
        side = "side" if kind == "s" else "bottom"
        return shift(curve, cx, cy), (cx + px, cy + py), side

    def _between(
        self, line: Line, start: Point, end: Point, side_a: str, side_b: str
    ) -> Curve:
        """The way from tile to tile."""
        a, b = self.grid.tile(line.tail), self.grid.tile(line.head)
        if side_a == "elision" or side_b == "elision":
            return self._beside_elision(line, start, end, side_a)
        if a.id == b.id and line.tail not in self.tiles.initial:
            return self._back_into(a, start, end)
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

    def _back_into(self, tile: Tile, start: Point, end: Point) -> Curve:
        """A folded state: over the top of its step, back to the other side."""
        left, _, right, top = self.layout.tiles[tile.id]
        heights = {
            self._entry(line)[1]
            for line in self.picture.lines
            if line.kind == "state" and self.grid.tile(line.head).id == tile.id
        }
        lane = sorted(heights, reverse=True).index(end[1])  # the upper one inside
        high, beside = top + 10 + 16 * lane, 14 + LANE * lane
        a, b = (right + beside, left - beside)
        if start[0] < end[0]:  # time runs from right to left
            a, b = b, a
        corners = [(a, start[1]), (a, high), (b, high), (b, end[1])]
        return rounded([start, *corners, end])

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

    def label_place(self, line: Line, text: str) -> Point:
        """Beside the line, between the tiles, where nothing else is."""
        a, b = self.grid.tile(line.tail), self.grid.tile(line.head)
        curve = self.layout.lines[line.id]
        half = text_width(text, SMALL) / 2
        if a.id == b.id:
            left, _, right, _ = self.layout.tiles[a.id]
            return (left + right) / 2, max(y for _, y in curve) + 8
        if line.kind == "state" and a.row == b.row:
            x = self._gap(a, b, line)
            if a.kind == "elision":
                x = curve[-1][0] - half - 8
            elif b.kind == "elision" and a.id in self.layout.tiles:
                left, _, right, _ = self.layout.tiles[a.id]
                outer = right if curve[-1][0] > curve[0][0] else left
                x = (outer + curve[-1][0]) / 2
            near = min(curve, key=lambda point: abs(point[0] - x))
            return x, (curve[-1] if abs(near[0] - x) > 40 else near)[1] + 8
        x, y = self._arrive(line)[1]
        if self.tiles.ends[line.id].head == "entry":  # beside the way up to the entry
            return min(x for x, _ in curve) - half - 4, y - 14
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
        ra, rb = self.grid.row(a), self.grid.row(b)
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
            x = self.grid.right + 20 + LANE * self._lane("right")
        else:
            lane = self._lane((column, "gap"))
            x = self.grid.column_x[column][0] - 10 - LANE * lane
            y = top_a + 12 + 3 * (lane % 4)
        if a.kind == "bar" and b.column is not None:  # up the gap from the bar itself
            start = (x, start[1])
            return rounded([start, (x, low_b - 14), (end[0], low_b - 14), end])
        if b.kind == "bar" and a.column is not None:
            return rounded([start, (start[0], y), (x, y), (x, end[1])])
        way = [start, (start[0], y), (x, y), (x, low_b - 14), (end[0], low_b - 14), end]
        return rounded(way)


def apart(heights: list[float], sizes: list[tuple[float, float]]) -> list[float]:
    """Heights, from low to high, moved apart so that nothing overlaps."""
    step = max((h for _, h in sizes), default=0.0) + 6
    if all(b - a >= step for a, b in itertools.pairwise(heights)):
        return heights
    middle = (heights[0] + heights[-1]) / 2
    return [middle + (k - (len(heights) - 1) / 2) * step for k in range(len(heights))]
