"""Reads the output of `dot` about tiles: positions of boxes, lines and ports.

Nothing of the answer is trusted: an engine that answers nonsense is one clear error.

Read next: `tile_score.py`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from minigrad.drawing.arrange.geometry import (
    Curve,
    mirror,
    rounded,
    straight,
)
from minigrad.drawing.arrange.tile_layout import cluster_names
from minigrad.drawing.arrange.tile_plan import Plan
from minigrad.drawing.arrange.tile_sketch import Laid, Ports, Sketch
from minigrad.engine.errors import DrawingError
from minigrad.reading.text import clean


def read(made: bytes, sketches: Sequence[Sketch]) -> list[Laid]:
    """The layouts of several tiles: JSON documents, one after the other.

    Raises DrawingError if they are not.
    """
    decoder = json.JSONDecoder()
    found: list[Laid] = []
    at, words = 0, made.decode(errors="replace")
    try:
        for sketch in sketches:
            while words[at : at + 1].isspace():
                at += 1
            thing, end = decoder.raw_decode(words, at)
            found.append(_laid(sketch, thing))
            at = end
    except (AttributeError, LookupError, RecursionError, TypeError, ValueError):
        words = f"{len(found)} layouts, then: {words[at : at + 60]!r}"
        raise nonsense(words) from None
    return found


def nonsense(actual: str) -> DrawingError:
    """The error for an engine whose answer is no layout."""
    return DrawingError(
        "draw: the engine's answer is not a layout",
        expect="positions of every box, as JSON",
        actual=clean(actual, 160),
        hint="is this Graphviz? minigrad doctor tries it",
    )


def _laid(sketch: Sketch, made: dict[str, Any]) -> Laid:
    """Positions from what `dot -Tjson0` says of one tile."""
    laid = Laid()
    x0, y0, x1, y1 = map(float, made["bb"].split(","))
    laid.width, laid.height = x1 - x0, y1 - y0
    names = cluster_names(sketch)
    for thing in made.get("objects", ()):
        name = thing["name"]
        if name in names and "bb" in thing:
            a, b, c, d = map(float, thing["bb"].split(","))
            laid.clusters[names[name]] = (a - x0, b - y0, c - x0, d - y0)
        elif "pos" in thing:
            x, y = map(float, thing["pos"].split(","))
            point = (x - x0, y - y0)
            if name[0] == "b":
                laid.boxes[int(name[1:])] = point
            else:
                laid.ports[(name[0], int(name[1:]))] = point
    for edge in made.get("edges", ()):
        key = edge.get("id")
        if key is None or "pos" not in edge:
            continue
        curve = _curve(edge["pos"], x0, y0)
        if key[0] == "e":
            laid.lines[int(key[1:])] = curve
        else:
            port, _, box = key.partition("_")
            target = int(box) if box else int(port[1:])
            laid.branches[(port[0], int(port[1:]), target)] = curve
    if laid.boxes.keys() != set(range(len(sketch.sizes))):
        raise LookupError("a box has no place")
    return laid


def mirrored(laid: Laid) -> Laid:
    """The same layout seen in a mirror: time from right to left."""
    w = laid.width
    return Laid(
        w,
        laid.height,
        {k: (w - x, y) for k, (x, y) in laid.boxes.items()},
        {p: (w - c, b, w - a, d) for p, (a, b, c, d) in laid.clusters.items()},
        {k: mirror(curve, w) for k, curve in laid.lines.items()},
        {k: (w - x, y) for k, (x, y) in laid.ports.items()},
        {k: mirror(curve, w) for k, curve in laid.branches.items()},
    )


def _curve(pos: str, x0: float, y0: float) -> Curve:
    """A curve from DOT's "e,x,y x,y x,y ...", from the tail to the tip of the arrow."""
    tip = start = None
    points: Curve = []
    for word in pos.split(";")[0].split():
        kind, *rest = word.split(",")
        if kind in "es":
            point = (float(rest[0]) - x0, float(rest[1]) - y0)
            if kind == "e":
                tip = point
            else:
                start = point
        else:
            points.append((float(kind) - x0, float(rest[0]) - y0))
    if start is not None:  # a line that runs down was given to dot the other way round
        points = points[::-1]
        tip = start
    if tip is not None:
        last = points[-1]
        points += [last, tip, tip]
    return points


def finish(sketch: Sketch, ports: Ports, plan: Plan, laid: Laid) -> None:
    """Add the ports that dot was not told of, level with their boxes."""
    shared: dict[tuple[str, int], list[int]] = {}
    for k, _targets in ports.state_in.items():
        if ("s", k) not in laid.ports:
            shared.setdefault(("s", plan.entry[k]), []).append(k)
    for k, source in ports.state_out.items():
        shared.setdefault(("z", source), []).append(k)
    lanes: dict[tuple[str, int], int] = {}
    for (kind, box), states in shared.items():
        (x, y), (w, h) = laid.boxes[box], sketch.sizes[box]
        for number, k in enumerate(sorted(states)):
            at = y + h * ((number + 1) / (len(states) + 1) - 0.5)
            way = -1 if kind == "s" else 1
            if _blocked(sketch, laid, box, at, way):
                lane = lanes[kind, round(y)] = lanes.get((kind, round(y)), 0) + 1
                over = y + h / 2 + 3 + 5.0 * lane
                port = (x + way * (w / 2 + 10), over)
                path = [port, (x + way * w / 6, over), (x + way * w / 6, y + h / 2)]
                laid.ports[(kind, k)] = port
                laid.branches[(kind, k, box)] = rounded(path[::-way], 5)
                laid.height = max(laid.height, over + 8)
            elif kind == "s":
                start, end = (x - w / 2 - 10, at), (x - w / 2, at)
                laid.ports[("s", k)] = start
                laid.branches[(kind, k, box)] = straight(start, end)
            else:
                start, end = (x + w / 2, at), (x + w / 2 + 10, at)
                laid.ports[("z", k)] = end
                laid.branches[(kind, k, box)] = straight(start, end)


def _blocked(sketch: Sketch, laid: Laid, box: int, at: float, way: int) -> bool:
    """Are there boxes on the level way from a box to the tile's border?"""
    x = laid.boxes[box][0]
    return any(
        k != box and (u - x) * way > 0 and abs(v - at) < sketch.sizes[k][1] / 2 + 1
        for k, (u, v) in laid.boxes.items()
    )


def ranks(
    sketch: Sketch, ports: Ports, plan: Plan, laid: Laid
) -> list[tuple[str, str]]:
    """(left, right) pairs that put each state's entry leftmost, its exit rightmost."""
    rows: dict[int, list[str]] = {}
    for k, (_, y) in laid.boxes.items():
        rows.setdefault(round(y), []).append(f"b{k}")
    known = {(f"b{a}", f"b{b}") for a, b in [*plan.flat, *plan.level]}
    orders = []
    for k, targets in ports.state_in.items():
        entry = plan.entry[k]
        row = rows.get(round(laid.boxes[entry][1]), ())
        if entry in plan.alone:
            continue
        orders += [(f"b{entry}", name) for name in row if name != f"b{entry}"]
        if targets != (entry,):
            orders += [(f"s{k}", name) for name in row if name != f"b{entry}"]
    for source in ports.state_out.values():
        if source in plan.alone:
            continue
        row = rows.get(round(laid.boxes[source][1]), ())
        orders += [(name, f"b{source}") for name in row if name != f"b{source}"]
    kept: dict[tuple[str, str], None] = {}
    for a, b in orders:
        if (a, b) not in known and (b, a) not in kept:
            kept[(a, b)] = None
    return list(kept)
