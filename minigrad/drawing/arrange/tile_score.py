"""Scores the layouts of a tile by their coordinates, to choose the best one.

dot is free to order the boxes of a rank; asked in a few ways (`Variant`), and looked at
in the mirror too, one of its answers nearly always has the state's way straight, from
left to right, with nothing in between. That one is taken.

Read next: `grid.py` (where the tiles go).
"""

from __future__ import annotations

import itertools
import math

from minigrad.drawing.arrange.geometry import Curve, Point
from minigrad.drawing.arrange.tile_plan import Plan
from minigrad.drawing.arrange.tile_sketch import Laid, Ports, Sketch

MARGIN, TITLE = 6.0, 14.0  # around the boxes of a gate, and for its title


def frames(sketch: Sketch, laid: Laid) -> None:
    """Give every cluster that dot did not see a frame around its boxes."""
    members: dict[tuple[str, ...], list[int]] = {}
    for k, path in enumerate(sketch.clusters):
        for depth in range(1, len(path) + 1):
            members.setdefault(path[:depth], []).append(k)
    for path in sorted(members, key=len, reverse=True):
        if path in laid.clusters:
            continue
        rects = [_rect(sketch, laid, k) for k in members[path]]
        rects += [r for p, r in laid.clusters.items() if p[:-1] == path]
        x0, y0 = min(r[0] for r in rects), min(r[1] for r in rects)
        x1, y1 = max(r[2] for r in rects), max(r[3] for r in rects)
        wide = len(path[-1]) * 5.8 + 6
        more = max(0.0, wide - (x1 - x0) - 2 * MARGIN) / 2
        near = [
            _rect(sketch, laid, k)
            for k, own in enumerate(sketch.clusters)
            if own[: len(path)] != path
        ]
        left = max(  # rather to the right than over a neighbour
            (r[2] + 4 for r in near if r[2] <= x0 and r[1] < y1 and r[3] > y0),
            default=-math.inf,
        )
        start = max(x0 - MARGIN - more, min(left, x0 - 3))
        end = max(x1 + MARGIN + more, min(start + wide, x1 + MARGIN + 2 * more))
        laid.clusters[path] = (start, y0 - MARGIN, end, y1 + MARGIN + TITLE)
    _fit(laid)


def _fit(laid: Laid) -> None:
    """Move everything so that the frames too lie within the tile."""
    rects = laid.clusters.values()
    dx = -min([0.0, *(r[0] for r in rects)])
    dy = -min([0.0, *(r[1] for r in rects)])
    laid.width = max([laid.width, *(r[2] for r in rects)]) + dx
    laid.height = max([laid.height, *(r[3] for r in rects)]) + dy

    def move(points: Curve) -> Curve:
        return [(x + dx, y + dy) for x, y in points]

    laid.boxes = {k: move([point])[0] for k, point in laid.boxes.items()}
    laid.ports = {k: move([point])[0] for k, point in laid.ports.items()}
    laid.lines = {k: move(curve) for k, curve in laid.lines.items()}
    laid.branches = {k: move(curve) for k, curve in laid.branches.items()}
    laid.clusters = {
        p: (a + dx, b + dy, c + dx, d + dy) for p, (a, b, c, d) in laid.clusters.items()
    }


def _rect(sketch: Sketch, laid: Laid, k: int) -> tuple[float, float, float, float]:
    (x, y), (w, h) = laid.boxes[k], sketch.sizes[k]
    return x - w / 2, y - h / 2, x + w / 2, y + h / 2


def score(sketch: Sketch, ports: Ports, plan: Plan, laid: Laid) -> float:
    """How bad a layout is: obstacles to the state, frames over others, long lines."""
    bad = 0.0
    for k in ports.state_in:
        port = laid.ports[("s", k)]
        entry = plan.entry[k]
        bad += 240 * _between(sketch, laid, (0.0, port[1]), port, set())
        bad += 240 * _between(sketch, laid, port, laid.boxes[entry], {entry})
        bad += 80 * (port[0] > laid.boxes[entry][0])
        bad += _off(sketch, laid, entry, port)
    for k, source in ports.state_out.items():
        port, box = laid.ports[("z", k)], laid.boxes[source]
        bad += 240 * _between(sketch, laid, box, port, {source})
        bad += 240 * _between(sketch, laid, port, (laid.width, port[1]), set())
        bad += 80 * (port[0] < box[0]) + _off(sketch, laid, source, port)
    for a, b in [*plan.flat, *plan.level]:
        (ax, ay), (bx, by) = laid.boxes[a], laid.boxes[b]
        bad += 80 * (ax > bx) + 3 * abs(ay - by)
    bad += 300 * _overlaps(sketch, laid)
    bad += sum(_length(curve) for curve in laid.lines.values()) / 40
    bad += sum(_length(curve) for curve in laid.branches.values()) / 40
    for (kind, _, _), branch in laid.branches.items():
        if kind == "s":  # the state's way to other boxes is to cross little
            bad += 12 * sum(_cross(branch, curve) for curve in laid.lines.values())
    return bad + laid.width / 20


def _off(sketch: Sketch, laid: Laid, box: int, port: Point) -> float:
    """How far a state's port is from level with its box; over the others is far."""
    away = abs(port[1] - laid.boxes[box][1])
    return away + 200 * (away > sketch.sizes[box][1] / 2)


def _cross(a: Curve, b: Curve) -> int:
    """How often two curves cross, taken as straight between their points."""
    if not _near(a, b):
        return 0
    count = 0
    for p, q in itertools.pairwise(a[::3]):
        for r, s in itertools.pairwise(b[::3]):
            count += _side(p, q, r) != _side(p, q, s) and _side(r, s, p) != _side(
                r, s, q
            )
    return count


def _near(a: Curve, b: Curve) -> bool:
    """Do the rectangles around two curves meet?"""
    return all(
        min(p[k] for p in a) < max(p[k] for p in b)
        and min(p[k] for p in b) < max(p[k] for p in a)
        for k in (0, 1)
    )


def _side(a: Point, b: Point, c: Point) -> bool:
    """Is c to the left of the line from a to b?"""
    return (b[0] - a[0]) * (c[1] - a[1]) > (b[1] - a[1]) * (c[0] - a[0])


def _between(sketch: Sketch, laid: Laid, a: Point, b: Point, but: set[int]) -> int:
    """How many boxes lie on the level way from a to b."""
    x0, x1 = min(a[0], b[0]), max(a[0], b[0])
    count = 0
    for k, (x, y) in laid.boxes.items():
        w, h = sketch.sizes[k]
        if k not in but and abs(y - a[1]) < h / 2 and x + w / 2 > x0 and x - w / 2 < x1:
            count += 1
    return count


def _overlaps(sketch: Sketch, laid: Laid) -> int:
    """Boxes inside a frame that is not theirs, and frames over frames."""
    count = 0
    for path, (a, b, c, d) in laid.clusters.items():
        for k, own in enumerate(sketch.clusters):
            if own[: len(path)] != path:
                x0, y0, x1, y1 = _rect(sketch, laid, k)
                count += x1 > a and x0 < c and y1 > b and y0 < d
        for other, (e, f, g, h) in laid.clusters.items():
            if other > path and other[: len(path)] != path:
                count += g > a and e < c and h > b and f < d
    return count


def _length(curve: Curve) -> float:
    return sum(math.dist(a, b) for a, b in itertools.pairwise(curve))
