"""The inside of a tile, laid out by `dot` once for all tiles that are alike.

`dot` sees one tile at a time: its boxes, its gates as clusters, and *ports*, points at
which lines enter and leave. So the steps of an unrolled network look alike by
construction, and the time is that of a few small graphs. Two constraints make the way
of the state straight: a *belt* (the short way from a state's entry to its exit: x and
+ of an LSTM's cell state) is kept in one rank; and where the way is long, entry and
exit are kept in one rank, with what lies between the belt and the exit hanging down
from the belt.

Two passes: the first finds the ranks, the second puts a state's entry to the left of
all that share its rank, and its exit to the right.

Read next: `arrange.py`.
"""

from __future__ import annotations

import itertools
import json
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from minigrad.drawing.geometry import Curve, Point, mirror, rounded, straight
from minigrad.errors import DrawingError
from minigrad.words import clean

NEAR = 6  # the longest way of an only state that is laid out as a belt


@dataclass(frozen=True)
class Sketch:
    """What `dot` is told of a tile. Boxes are numbered; all fields are hashable.

    sizes     (width, height) of each box
    clusters  the path of clusters of each box: tuples of titles
    lines     (tail, head) of each line inside
    states    what the row's states are: tiles of rows with other states are not alike
    """

    sizes: tuple[tuple[float, float], ...]
    clusters: tuple[tuple[str, ...], ...]
    lines: tuple[tuple[int, int], ...]
    flow: str = "BT"
    states: tuple = ()


@dataclass(frozen=True)
class Variant:
    """One of the ways in which a tile is tried; the best is kept (`judge.py`).

    free     gates on the way of a state are no clusters for dot, which then keeps the
             order of that way; their frames are drawn around their boxes afterwards:
             0 none, 1 those with an end of a long way, 2 those on a belt too
    turned   the boxes are given to dot in reverse order
    """

    free: int
    turned: bool


@dataclass
class Ports:
    """Where lines enter and leave: the union over all tiles that are alike."""

    inputs: dict[tuple, None] = field(default_factory=dict)  # (targets of one value)
    outputs: dict[int, None] = field(default_factory=dict)  # source
    state_in: dict[int, tuple[int, ...]] = field(default_factory=dict)  # -> targets
    state_out: dict[int, int] = field(default_factory=dict)  # state -> source


@dataclass
class Laid:
    """A tile laid out; (0, 0) is its lower left corner."""

    width: float = 0.0
    height: float = 0.0
    boxes: dict[int, Point] = field(default_factory=dict)
    clusters: dict[tuple[str, ...], tuple[float, float, float, float]] = field(
        default_factory=dict
    )
    lines: dict[int, Curve] = field(default_factory=dict)
    ports: dict[tuple, Point] = field(default_factory=dict)
    branches: dict[tuple, Curve] = field(default_factory=dict)  # (port, box) -> curve


def _way(sketch: Sketch, starts: tuple[int, ...], end: int) -> list[int]:
    """The shortest way from a start to the end, both included; [] if there is none."""
    onward: dict[int, list[int]] = {}
    for tail, head in sketch.lines:
        onward.setdefault(tail, []).append(head)
    came: dict[int, int | None] = dict.fromkeys(starts)
    queue = deque(starts)
    while queue:
        here = queue.popleft()
        if here == end:
            way = [here]
            while (before := came[way[-1]]) is not None:
                way.append(before)
            return way[::-1]
        for there in onward.get(here, ()):
            if there not in came:
                came[there] = here
                queue.append(there)
    return []


@dataclass
class Plan:
    """How the states run through the tile."""

    flat: list[tuple[int, int]] = field(default_factory=list)  # lines within a rank
    level: list[tuple[int, int]] = field(default_factory=list)  # (entry, exit)
    turned: set[tuple[int, int]] = field(default_factory=set)  # lines that run down
    entry: dict[int, int] = field(default_factory=dict)  # state -> its first box
    alone: list[int] = field(default_factory=list)  # belts of one box

    def bound(self, free: int) -> set[int]:
        """The boxes whose place on a state's way is fixed."""
        pairs = [*self.level, *(self.flat if free == 2 else ())]
        return {k for pair in pairs for k in pair}


def plan_states(sketch: Sketch, ports: Ports) -> Plan:
    """Choose belts, levels and the lines that run down."""
    plan = Plan()
    ways = []
    for state, targets in ports.state_in.items():
        plan.entry[state] = targets[0]
        if state in ports.state_out:
            way = _way(sketch, targets, ports.state_out[state])
            if way:
                ways.append((state, way))
    ways.sort(key=lambda pair: len(pair[1]))
    used: set[int] = set()
    belts: set[int] = set()
    for state, way in ways:
        plan.entry[state] = way[0]
        limit = NEAR if len(ways) == 1 else 3
        if len(way) <= limit and not used & set(way) and _closed(sketch, way):
            plan.flat += list(itertools.pairwise(way))
            plan.alone += way if len(way) == 1 else []
            belts.update(way)
        elif way[0] != way[-1]:
            plan.level.append((way[0], way[-1]))
        used.update(way)
    for _, end in plan.level:
        plan.turned |= _hanging(sketch, belts, end)
    return plan


def _closed(sketch: Sketch, way: list[int]) -> bool:
    """Does nothing leave the way and come back? Then it fits into one rank."""
    steps = set(itertools.pairwise(way))
    out = {h for t, h in sketch.lines if t in way and (t, h) not in steps}
    return not (out - set(way) and _reach(sketch, out - set(way)) & set(way)) and not (
        out & set(way)
    )


def _reach(sketch: Sketch, starts: set[int]) -> set[int]:
    """Everything that can be reached from the starts, themselves included."""
    seen = set(starts)
    changed = True
    while changed:
        changed = False
        for tail, head in sketch.lines:
            if tail in seen and head not in seen:
                seen.add(head)
                changed = True
    return seen


def _hanging(sketch: Sketch, belts: set[int], end: int) -> set[tuple[int, int]]:
    """The lines from a belt down to `end`, and all that lead into `end`."""
    above = _reach(sketch, belts)
    if end not in above:
        return set()
    back = Sketch(sketch.sizes, (), tuple((h, t) for t, h in sketch.lines))
    below = (above & _reach(back, {end})) - belts
    turned = set()
    for tail, head in sketch.lines:
        if head == end or (head in below and (tail in below or tail in belts)):
            turned.add((tail, head))
    return turned


def freed(sketch: Sketch, plan: Plan, free: int) -> tuple[tuple[str, ...], ...]:
    """The boxes' clusters, without those that hold a box on a state's way."""
    loose = {sketch.clusters[k][:1] for k in plan.bound(free)} - {()}
    return tuple(() if path[:1] in loose else path for path in sketch.clusters)


def text(
    sketch: Sketch,
    ports: Ports,
    plan: Plan,
    variant: Variant,
    orders: list[tuple[str, str]],
) -> str:
    """DOT text of one tile. `orders`: (left, right) pairs known to share a rank."""
    out = [
        "digraph {",
        f"graph [rankdir={sketch.flow} nodesep=0.24 ranksep=0.36 fontsize=9]",
        'node [shape=box fixedsize=true label="" fontsize=9]',
        "edge [arrowsize=0.6]",
    ]
    paths = freed(sketch, plan, variant.free) if variant.free else sketch.clusters
    _clusters(sketch, paths, variant.turned, out)
    for k, targets in enumerate(ports.inputs):
        out.append(f"i{k} [shape=point width=0.02]")
        out += [f"i{k} -> b{t} [id=i{k}_{t} weight=2 tailport=n]" for t in targets]
    for source in ports.outputs:
        out.append(f"o{source} [shape=point width=0.02]")
        out.append(f"b{source} -> o{source} [id=o{source} arrowhead=none]")
    for k, targets in ports.state_in.items():
        entry = plan.entry[k]
        if targets == (entry,):
            continue  # no branches: the line is drawn without dot's help
        out.append(f"s{k} [shape=point width=0.02]")
        for t in targets:
            how = "minlen=0 weight=50" if t == entry else "constraint=false"
            out.append(f"s{k} -> b{t} [id=s{k}_{t} {how}]")
    if sketch.flow == "BT" and ports.inputs:
        names = " ".join(f"i{k}" for k in range(len(ports.inputs)))
        out.append(f"{{rank=source {names}}}")
    if sketch.flow == "BT" and ports.outputs:
        names = " ".join(f"o{source}" for source in ports.outputs)
        out.append(f"{{rank=sink {names}}}")
    flat = set(plan.flat)
    for k, (tail, head) in enumerate(sketch.lines):
        if (tail, head) in flat:
            out.append(f"b{tail} -> b{head} [id=e{k} minlen=0 weight=50]")
        elif (tail, head) in plan.turned:
            out.append(f"b{head} -> b{tail} [id=e{k} dir=back]")
        else:
            out.append(f"b{tail} -> b{head} [id=e{k}]")
    lines = set(sketch.lines)
    for box in plan.alone:  # nothing beside it: the line has to pass on both sides
        onward = _reach(sketch, {box})
        others = [k for k in range(len(sketch.sizes)) if k not in onward]
        sinks = [
            k for k in others if not any(t == k and h not in onward for t, h in lines)
        ]
        for k in sinks:
            if (k, box) not in lines:
                out.append(f"b{k} -> b{box} [style=invis]")
    for a, b in plan.level:
        if a != b and (a, b) not in lines:
            out.append(f"b{a} -> b{b} [style=invis minlen=0 weight=50]")
    out += [f"{a} -> {b} [style=invis minlen=0]" for a, b in orders]
    return "\n".join([*out, "}"])


def _clusters(
    sketch: Sketch, wanted: tuple[tuple[str, ...], ...], turned: bool, out: list[str]
) -> None:
    """The boxes, each inside its clusters."""
    tree: dict[tuple[str, ...], list[int]] = {}
    paths: dict[tuple[str, ...], None] = {}
    for k, path in list(enumerate(wanted))[:: -1 if turned else 1]:
        tree.setdefault(path, []).append(k)
        for depth in range(len(path) + 1):
            paths.setdefault(path[:depth])
    names = {path: name for name, path in cluster_names(sketch).items()}
    stack: list[Any] = [()]
    while stack:
        path = stack.pop()
        if path == "close":
            out.append("}")
            continue
        if path:
            title = "m" * max(1, round(len(clean(path[-1])) * 0.62))
            out.append(f'subgraph {names[path]} {{ label="{title}" margin=6 labelloc=b')
            stack.append("close")
        for k in tree.get(path, ()):
            w, h = sketch.sizes[k]
            out.append(f"b{k} [width={w / 72:.4f} height={h / 72:.4f}]")
        depth = len(path) + 1
        stack += [p for p in paths if len(p) == depth and p[:-1] == path]


def cluster_names(sketch: Sketch) -> dict[str, tuple[str, ...]]:
    """The clusters' names in `text`, and their paths."""
    paths: dict[tuple[str, ...], None] = {}
    for path in sketch.clusters:
        for depth in range(len(path) + 1):
            paths.setdefault(path[:depth])
    return {f"cluster_{k}": path for k, path in enumerate(paths) if path}


def parse(sketch: Sketch, made: dict) -> Laid:
    """Positions from what `dot -Tjson0` says."""
    laid = Laid()
    if "bb" not in made or len(made.get("objects", ())) < len(sketch.sizes):
        raise nonsense(str(made)[:100])
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


def read_json(made: bytes, count: int) -> list[dict]:
    """Several JSON documents, one after the other. DrawingError if they are not."""
    decoder = json.JSONDecoder()
    found, at, words = [], 0, made.decode(errors="replace")
    try:
        for _ in range(count):
            while words[at : at + 1].isspace():
                at += 1
            thing, at = decoder.raw_decode(words, at)
            found.append(thing)
    except ValueError:
        raise nonsense(f"{len(found)} layouts, then: {words[at : at + 60]!r}") from None
    return found


def nonsense(actual: str) -> DrawingError:
    """The error for an engine whose answer is no layout."""
    return DrawingError(
        "draw: the engine's answer is not a layout",
        expect="positions of every box, as JSON",
        actual=clean(actual, 160),
        hint="is this Graphviz? minigrad doctor tries it",
    )
