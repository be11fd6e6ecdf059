"""Lets `dot` lay out the inside of a tile, once for all tiles that are alike.

`dot` sees one tile at a time: its boxes, its gates as clusters, and *ports*, points at
which lines enter and leave. So the steps of an unrolled network look alike by
construction, and the time is that of a few small graphs. The plan of the states
(`tile_plan.py`) keeps their ways straight.

Two passes: the first finds the ranks, the second puts a state's entry to the left of
all that share its rank, and its exit to the right.

Read next: `dot_output.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from minigrad.drawing.arrange.tile_plan import Plan, reach
from minigrad.drawing.arrange.tile_sketch import Ports, Sketch, Variant
from minigrad.reading.text import clean


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
    out += [*_ports(ports, plan), *_ranks(sketch, ports), *_lines(sketch, plan)]
    out += [f"{a} -> {b} [style=invis minlen=0]" for a, b in orders]
    return "\n".join([*out, "}"])


def _ports(ports: Ports, plan: Plan) -> Iterator[str]:
    """The points at which lines and states enter and leave, and their lines."""
    for k, targets in enumerate(ports.inputs):
        yield f"i{k} [shape=point width=0.02]"
        for t in targets:
            yield f"i{k} -> b{t} [id=i{k}_{t} weight=2 tailport=n]"
    for source in ports.outputs:
        yield f"o{source} [shape=point width=0.02]"
        yield f"b{source} -> o{source} [id=o{source} arrowhead=none]"
    for k, targets in ports.state_in.items():
        entry = plan.entry[k]
        if targets == (entry,):
            continue  # no branches: the line is drawn without dot's help
        yield f"s{k} [shape=point width=0.02]"
        for t in targets:
            how = "minlen=0 weight=50" if t == entry else "constraint=false"
            yield f"s{k} -> b{t} [id=s{k}_{t} {how}]"


def _ranks(sketch: Sketch, ports: Ports) -> Iterator[str]:
    """Of a tile that is read from the bottom up: inputs below, outputs above."""
    if sketch.flow == "BT" and ports.inputs:
        names = " ".join(f"i{k}" for k in range(len(ports.inputs)))
        yield f"{{rank=source {names}}}"
    if sketch.flow == "BT" and ports.outputs:
        names = " ".join(f"o{source}" for source in ports.outputs)
        yield f"{{rank=sink {names}}}"


def _lines(sketch: Sketch, plan: Plan) -> Iterator[str]:
    """The lines between boxes, and unseen ones that keep the states' ways straight."""
    flat = set(plan.flat)
    for k, (tail, head) in enumerate(sketch.lines):
        if (tail, head) in flat:
            yield f"b{tail} -> b{head} [id=e{k} minlen=0 weight=50]"
        elif (tail, head) in plan.turned:
            yield f"b{head} -> b{tail} [id=e{k} dir=back]"
        else:
            yield f"b{tail} -> b{head} [id=e{k}]"
    lines = set(sketch.lines)
    for box in plan.alone:  # nothing beside it: the line has to pass on both sides
        onward = reach(sketch, {box})
        others = [k for k in range(len(sketch.sizes)) if k not in onward]
        sinks = [
            k for k in others if not any(t == k and h not in onward for t, h in lines)
        ]
        for k in sinks:
            if (k, box) not in lines:
                yield f"b{k} -> b{box} [style=invis]"
    for a, b in plan.level:
        if a != b and (a, b) not in lines:
            yield f"b{a} -> b{b} [style=invis minlen=0 weight=50]"


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
