"""Computes the place of every column, row, tile and box.

Columns are as wide as their widest tile, rows as high as their highest. The belt of a
state is at one height in all tiles of a row, so that it runs straight through.

Read next: `routes.py` (the lines between the tiles).
"""

from __future__ import annotations

from minigrad.drawing.arrange.geometry import Point
from minigrad.drawing.arrange.layout import Layout
from minigrad.drawing.arrange.tiles import TileLayout, Tiles
from minigrad.drawing.read.operation_symbols import text_width
from minigrad.drawing.read.picture import Column, Picture, Tile
from minigrad.drawing.style import SIZE, box_size

PAD = 10.0  # between a tile's border and what is in it
TITLE = 16.0  # height of a tile's title
COLUMN_GAP = 30.0
ROW_GAP = 44.0
LANE = 7.0


class Grid:
    """Puts the tiles of a picture, and their boxes, where they belong."""

    def __init__(self, picture: Picture, tiles: Tiles) -> None:
        self.picture = picture
        self.tiles = tiles
        self.layout = Layout()
        self.corner: dict[str, Point] = {}  # tile -> where its (0, 0) is
        self.row_number = {row.id: k for k, row in enumerate(picture.rows)}
        self.crossing = self._crossings()
        self.joined = self._joined()
        self._columns()
        self._rows()
        for place in self.tiles.layouts.values():
            self._place(place)
        self._place_bars()

    def tile(self, box: str) -> Tile:
        """The tile of a box."""
        return self.picture.tiles[self.picture.boxes[box].tile]

    def row(self, tile: Tile) -> int:
        """The number of a tile's row, from below."""
        return self.row_number[tile.row]

    # ------------------------------------------------------------- columns and rows

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
        for column in self.picture.columns:
            lanes = self.crossing.get(column, 0)
            x += max(0.0, lanes - 1) * LANE
            self.column_x[column] = (x, x + widths[column])
            x += widths[column] + COLUMN_GAP
        self.right = x - COLUMN_GAP if self.picture.columns else 0.0

    def _crossings(self) -> dict[Column, int]:
        """How many lines need the gap to the left of each column."""
        count: dict[Column, int] = {}
        for line in self.picture.lines:
            a, b = self.tile(line.tail), self.tile(line.head)
            if a.id != b.id and abs(self.row(a) - self.row(b)) > 1:
                column = b.column or a.column
                if column is not None:
                    count[column] = count.get(column, 0) + 1
        return count

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
        found = [sum(self.column_x[c]) / 2 for c in self.joined.get(place.tile.id, ())]
        return sum(found) / len(found) if found else self.right / 2

    def _joined(self) -> dict[str, list[Column]]:
        """For each tile, the columns that its lines lead to, one for each line."""
        joined: dict[str, list[Column]] = {}
        for line in self.picture.lines:
            for mine, other in ((line.tail, line.head), (line.head, line.tail)):
                column = self.tile(other).column
                if column is not None:
                    joined.setdefault(self.tile(mine).id, []).append(column)
        return joined

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
        for place in places:
            if place.tile.kind == "elision":
                heights[place.tile.id] = place.laid.height / 2
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
                other = self.tile(line.head if line.tail == key else line.tail)
                if other.column is not None:
                    xs += self.column_x[other.column]
        width = box_size(self.picture.boxes[key])[0]
        if not xs:
            return 0.0, max(width, self.right)
        return min(xs), max(max(xs), min(xs) + width)
