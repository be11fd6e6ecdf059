"""Finds free places for the numbers and letters beside the lines.

A label never covers a box, a title or another label. If there is no room, only the
tooltip shows it. Boxes are never moved to make room, so a picture has the same layout
with and without gradients.

Read next: `titles.py`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache

from minigrad.drawing.arrange.geometry import Curve, Point
from minigrad.drawing.read.operation_symbols import text_width
from minigrad.drawing.style import SMALL

CELL = 60.0
BESIDE = 14.0  # points: a label further from a line is not taken for its number
Rect = tuple[float, float, float, float]


class Room:
    """Rectangles that are taken, in a grid of cells for quick look-up."""

    def __init__(self) -> None:
        self.cells: dict[tuple[int, int], list[tuple[Rect, str]]] = {}

    def take(self, rect: Rect, owner: str = "") -> None:
        """Mark a rectangle as taken."""
        for cell in self._cells(rect):
            self.cells.setdefault(cell, []).append((rect, owner))

    def trace(self, curve: Curve, owner: str = "") -> None:
        """Mark the points along a line as taken."""
        for k in range(0, len(curve) - 3, 3):
            (ax, ay), (bx, by), (cx, cy), (dx, dy) = curve[k : k + 4]
            count = max(2, min(40, int(math.hypot(dx - ax, dy - ay) / 7)))
            for p, q, r, s in weights(count):
                x = p * ax + q * bx + r * cx + s * dx
                y = p * ay + q * by + r * cy + s * dy
                cell = (int(x // CELL), int(y // CELL))  # `owners` looks over borders
                point = ((x - 1, y - 1, x + 1, y + 1), owner)
                self.cells.setdefault(cell, []).append(point)

    def owners(self, rect: Rect) -> set[str]:
        """Whose things it lies over."""
        a, b, c, d = rect
        return {
            owner
            for cell in self._cells((a - 1, b - 1, c + 1, d + 1))
            for (e, f, g, h), owner in self.cells.get(cell, ())
            if a < g and c > e and b < h and d > f
        }

    def nearest(self, rect: Rect) -> dict[str, float]:
        """How far it is from whose things, of those that are near."""
        a, b, c, d = rect
        found: dict[str, float] = {}
        for cell in self._cells((a - BESIDE, b - BESIDE, c + BESIDE, d + BESIDE)):
            for (e, f, g, h), owner in self.cells.get(cell, ()):
                far = math.hypot(max(a - g, 0.0, e - c), max(b - h, 0.0, f - d))
                if far < found.get(owner, BESIDE):
                    found[owner] = far
        return found

    def free(self, rect: Rect) -> bool:
        """Does it lie over nothing that is taken?"""
        return not self.owners(rect)

    @staticmethod
    def _cells(rect: Rect) -> list[tuple[int, int]]:
        xs = range(int(rect[0] // CELL), int(rect[2] // CELL) + 1)
        ys = range(int(rect[1] // CELL), int(rect[3] // CELL) + 1)
        return [(x, y) for x in xs for y in ys]


def bezier(piece: Sequence[Point], t: float) -> Point:
    """The point of a Bezier piece at t."""
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = piece
    p, q, r, s = bernstein(t)
    return p * ax + q * bx + r * cx + s * dx, p * ay + q * by + r * cy + s * dy


def bernstein(t: float) -> tuple[float, float, float, float]:
    """What each of the four points of a piece counts at t."""
    u = 1 - t
    return u**3, 3 * u * u * t, 3 * u * t * t, t**3


@cache
def weights(count: int) -> list[tuple[float, float, float, float]]:
    """The same at count + 1 places, evenly spaced."""
    return [bernstein(number / count) for number in range(count + 1)]


def around(point: Point, text: str) -> Rect:
    """The rectangle of a label whose middle is the point."""
    half = text_width(text, SMALL) / 2
    x, y = point
    return x - half - 1, y - SMALL * 0.7, x + half + 1, y + SMALL * 0.7


def places(curve: Curve, text: str) -> list[tuple[float, Point]]:
    """Points beside a line, from its middle towards its ends; the first figure says
    how far from the best place each is."""
    half = text_width(text, SMALL) / 2
    found = []
    pieces = (len(curve) - 1) // 3
    for part in (0.5, 0.42, 0.58, 0.34, 0.66, 0.26, 0.74, 0.18, 0.82):
        k = min(int(part * pieces), pieces - 1)
        t = part * pieces - k
        a, b, c, d = curve[3 * k : 3 * k + 4]
        x, y = bezier((a, b, c, d), t)
        ahead = bezier((a, b, c, d), min(1.0, t + 0.05))
        behind = bezier((a, b, c, d), max(0.0, t - 0.05))
        dx, dy = ahead[0] - behind[0], ahead[1] - behind[1]
        length = math.hypot(dx, dy) or 1.0
        nx, ny = -dy / length, dx / length  # across the line
        # As near as the label's rectangle can be without touching a straight line.
        away = abs(nx) * (half + 1) + abs(ny) * SMALL * 0.7 + 3
        late = abs(part - 0.5) * 4
        found += [
            (late, (x + nx * away, y + ny * away)),
            (late + 0.1, (x - nx * away, y - ny * away)),
        ]
    return found


def best_place(
    curve: Curve, text: str, first: Point | None, line: str, room: Room, lines: Room
) -> Point | None:
    """Where the label stands best: over no box, title or label, not over lines if that
    can be had, and nearer to its own line than to others; None if there is no room."""
    options = places(curve, text)
    if first is not None:
        options.insert(0, (-1.0, first))
    best, least = None, 13.0
    for cost, point in options:
        if cost >= least:
            continue
        rect = around(point, text)
        if not room.free(rect):
            continue
        over = lines.owners(rect)
        cost += 3 * (line in over) + 2 * ("frame" in over)
        cost += 6 * len(over - {line, "frame"})
        near = lines.nearest(rect)
        own = near.get(line, BESIDE)
        if any([far <= own for k, far in near.items() if k not in (line, "frame")]):
            cost += 8  # it would be taken for the number of another line
        if cost < least:
            best, least = point, cost
    return best
