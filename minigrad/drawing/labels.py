"""Where the numbers and letters beside the lines go: into free room, or nowhere.

A label never lies over a box, a title or another label; where there is no room it is
left to the tooltip. Boxes are never moved to make room: the picture with gradients has
the layout of the one without.

Read next: `dot.py`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from minigrad.drawing.geometry import Curve, Point
from minigrad.drawing.style import SMALL
from minigrad.drawing.words import text_width

CELL = 60.0
Rect = tuple[float, float, float, float]


class Room:
    """Rectangles that are taken, in a grid of cells for quick look-up."""

    def __init__(self) -> None:
        self.cells: dict[tuple[int, int], list[Rect]] = {}

    def take(self, rect: Rect) -> None:
        """Mark a rectangle as taken."""
        for cell in self._cells(rect):
            self.cells.setdefault(cell, []).append(rect)

    def trace(self, curve: Curve) -> None:
        """Mark the points along a line as taken."""
        for k in range(0, len(curve) - 3, 3):
            a, b, c, d = curve[k : k + 4]
            count = max(2, min(40, int(math.dist(a, d) / 7)))
            for number in range(count + 1):
                x, y = bezier((a, b, c, d), number / count)
                self.take((x - 1, y - 1, x + 1, y + 1))

    def free(self, rect: Rect) -> bool:
        """Does it lie over nothing that is taken?"""
        a, b, c, d = rect
        return not any(
            a < g and c > e and b < h and d > f
            for cell in self._cells(rect)
            for e, f, g, h in self.cells.get(cell, ())
        )

    @staticmethod
    def _cells(rect: Rect) -> list[tuple[int, int]]:
        xs = range(int(rect[0] // CELL), int(rect[2] // CELL) + 1)
        ys = range(int(rect[1] // CELL), int(rect[3] // CELL) + 1)
        return [(x, y) for x in xs for y in ys]


def bezier(piece: Sequence[Point], t: float) -> Point:
    """The point of a Bezier piece at t."""
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = piece
    u = 1 - t
    p, q, r, s = u**3, 3 * u * u * t, 3 * u * t * t, t**3
    return p * ax + q * bx + r * cx + s * dx, p * ay + q * by + r * cy + s * dy


def around(point: Point, text: str) -> Rect:
    """The rectangle of a label whose middle is the point."""
    half = text_width(text, SMALL) / 2
    x, y = point
    return x - half, y - SMALL * 0.7, x + half, y + SMALL * 0.7


def places(curve: Curve, text: str) -> list[Point]:
    """Points beside the middle of a line, and on towards its ends."""
    half = text_width(text, SMALL) / 2
    found = []
    pieces = (len(curve) - 1) // 3
    for part in (0.5, 0.35, 0.65, 0.2, 0.8):
        k = min(int(part * pieces), pieces - 1)
        t = part * pieces - k
        a, b, c, d = curve[3 * k : 3 * k + 4]
        x, y = bezier((a, b, c, d), t)
        flat = abs(d[1] - a[1]) < abs(d[0] - a[0])
        if flat:
            found += [(x, y + 8), (x, y - 8)]
        found += [(x + half + 4, y), (x - half - 4, y)]
    return found
