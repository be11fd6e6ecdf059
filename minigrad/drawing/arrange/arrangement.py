"""Places everything of a picture: the grid, the lines, the titles and the line labels.

Read next: `tiles.py`.
"""

from __future__ import annotations

from typing import Any

from minigrad.drawing.arrange.geometry import curve_length
from minigrad.drawing.arrange.grid import Grid
from minigrad.drawing.arrange.layout import Layout
from minigrad.drawing.arrange.line_labels import Room, around, best_place
from minigrad.drawing.arrange.routes import Router
from minigrad.drawing.arrange.tiles import Tiles
from minigrad.drawing.arrange.titles import place_titles, title_rects
from minigrad.drawing.read.picture import Line, Picture


class Arranger:
    """Arranges one picture."""

    def __init__(self, picture: Picture, tiles: Tiles) -> None:
        self.picture = picture
        self.tiles = tiles
        grid = Grid(picture, tiles)
        self.router = Router(grid)
        self.layout = grid.layout
        self.lines = Room()  # where lines run
        self.room = Room()  # where boxes, titles and labels are

    def arrange(self) -> Layout:
        """Positions of everything."""
        self.router.place_ghosts()
        for line in self.picture.lines:
            self.layout.lines[line.id] = self.router.route(line)
        self._widen_bars()
        self._branches()
        for name, curve in self.layout.lines.items():
            self.lines.trace(curve, name)
        for x, y, w, h in self.layout.boxes.values():
            self.room.take((x - w / 2, y - h / 2, x + w / 2, y + h / 2))
        place_titles(self.picture, self.layout, self.lines, self.room)
        self._bounds()
        return self.layout

    def label(self, words: dict[str, str]) -> None:
        """Find room for what stands beside the lines (by line)."""
        room, lines = self.room, self.lines
        for rect in title_rects(self.picture, self.layout):
            room.take(rect)
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
            first = self.router.label_place(line, text) if known and crossing else None
            point = best_place(curve, text, first, line.id, room, lines)
            if point is not None:
                room.take(around(point, text))
                self.layout.labels[line.id] = point

    def _widen_bars(self) -> None:
        """A bar reaches to every line that begins or ends at it."""
        reach: dict[str, list[float]] = {}
        for line in self.picture.lines:
            curve = self.layout.lines[line.id]
            for key, (x, _) in ((line.tail, curve[0]), (line.head, curve[-1])):
                if self.picture.boxes[key].kind == "bar":
                    reach.setdefault(key, []).append(x)
        for key, xs in reach.items():
            x, y, w, h = self.layout.boxes[key]
            inside = [at for at in xs if abs(at - x) < w / 2 - 4]
            outside = [at for at in xs if at not in inside and abs(at - x) > w / 2 + 1]
            left = min([x - w / 2, *[at - 6 for at in outside]])
            right = max([x + w / 2, *[at + 6 for at in outside]])
            self.layout.boxes[key] = ((left + right) / 2, y, right - left, h)
        for line in self.picture.lines:  # what stands beside a bar ends at its side
            if line.head in reach and self.tiles.ends[line.id].tail == "inside":
                self.layout.lines[line.id] = self.router.route(line)

    def _branches(self) -> None:
        """A value that goes to several boxes of a tile: the shortest way is its own,
        the others are branches."""
        ways: dict[tuple[Any, ...], list[Line]] = {}
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

    def _bounds(self) -> None:
        """How far the picture reaches to the right, and up."""
        self.layout.width = max(
            [x + w / 2 for x, _, w, _ in self.layout.boxes.values()]
            + [r[2] for r in self.layout.tiles.values()],
            default=0.0,
        )
        self.layout.height = max((r[3] for r in self.layout.rows.values()), default=0.0)
