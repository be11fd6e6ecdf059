"""Points and curves: all lengths in points (1/72 inch), y upwards, as Graphviz has it.

A curve is a list of points for cubic Bezier pieces, as in DOT: first point, then three
per piece.

Read next: `arrangement.py`.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

Point = tuple[float, float]
Curve = list[Point]


def straight(a: Point, b: Point) -> Curve:
    """The line from a to b as one Bezier piece."""
    (ax, ay), (bx, by) = a, b
    third = ((bx - ax) / 3, (by - ay) / 3)
    return [
        a,
        (ax + third[0], ay + third[1]),
        (bx - third[0], by - third[1]),
        b,
    ]


def join(*curves: Curve) -> Curve:
    """Curves one after the other; gaps are bridged by straight lines."""
    whole: Curve = []
    for curve in curves:
        if not curve:
            continue
        if not whole:
            whole = list(curve)
            continue
        if math.dist(whole[-1], curve[0]) > 0.01:
            whole += straight(whole[-1], curve[0])[1:]
        whole += curve[1:]
    return whole


def rounded(points: Sequence[Point], radius: float = 10.0) -> Curve:
    """A path along straight pieces, with its corners rounded."""
    clean = [points[0]]
    for point in points[1:]:
        if math.dist(point, clean[-1]) > 0.01:
            clean.append(point)
    if len(clean) == 1:
        return [clean[0]] * 4
    curve: Curve = [clean[0]]
    for before, corner, after in zip(clean, clean[1:], clean[2:], strict=False):
        r = min(radius, math.dist(before, corner) / 2, math.dist(corner, after) / 2)
        enter, leave = toward(corner, before, r), toward(corner, after, r)
        curve += straight(curve[-1], enter)[1:]
        curve += [toward(corner, before, r * 0.45), toward(corner, after, r * 0.45)]
        curve.append(leave)
    return curve + straight(curve[-1], clean[-1])[1:]


def toward(a: Point, b: Point, distance: float) -> Point:
    """The point at a distance from a, in the direction of b."""
    whole = math.dist(a, b) or 1.0
    part = distance / whole
    return a[0] + (b[0] - a[0]) * part, a[1] + (b[1] - a[1]) * part


def shift(curve: Curve, dx: float, dy: float) -> Curve:
    """A curve moved."""
    return [(x + dx, y + dy) for x, y in curve]


def mirror(curve: Curve, width: float) -> Curve:
    """A curve seen in a mirror: x becomes width - x."""
    return [(width - x, y) for x, y in curve]


def curve_length(curve: Curve) -> float:
    """About how long a curve is: the length of its control polygon."""
    return sum(math.dist(a, b) for a, b in itertools.pairwise(curve))


def middle(curve: Curve) -> Point:
    """A point half-way along, on the piece in the middle."""
    pieces = (len(curve) - 1) // 3
    k = 3 * (pieces // 2)
    a, b, c, d = curve[k : k + 4]
    if pieces % 2 == 0 and pieces:
        return a
    return tuple(
        (p + 3 * q + 3 * r + s) / 8 for p, q, r, s in zip(a, b, c, d, strict=True)
    )  # type: ignore[return-value]
