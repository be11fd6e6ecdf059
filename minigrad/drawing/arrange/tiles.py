"""Lays out every tile of a picture; tiles that are alike share one layout.

Read next: `state_lines.py` (the lines that run through).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from minigrad.drawing.arrange import dot_output, tile_layout, tile_score
from minigrad.drawing.arrange.state_lines import States
from minigrad.drawing.arrange.tile_plan import Plan, plan_states
from minigrad.drawing.arrange.tile_sketch import (
    Laid,
    Ports,
    Sketch,
    Variant,
)
from minigrad.drawing.read.picture import Line, Picture, Tile
from minigrad.drawing.style import box_size

PLAIN = (Variant(0, False),)
VARIANTS = tuple(Variant(a, b) for a in (0, 1, 2) for b in (False, True))
MANY = 120  # boxes in a tile: larger tiles are laid out in one way only
Runner = Callable[[list[str]], bytes]  # DOT texts -> dot's JSON


@dataclass
class Ends:
    """How a line that leaves its tile meets the tiles at its ends.

    Each end is "inside", "out"/"in" (through the top/bottom), or "exit"/"entry" (a
    state, through the sides).
    """

    tail: str
    head: str


@dataclass
class TileLayout:
    """A tile, its layout, and where each of its boxes is in it."""

    tile: Tile
    boxes: list[str]
    laid: Laid
    sketch: Sketch
    lines: dict[str, int] = field(default_factory=dict)  # line -> number inside
    inputs: dict[tuple[int, ...], int] = field(default_factory=dict)
    # Value -> its targets
    values: dict[tuple[Any, ...], tuple[Any, ...]] = field(default_factory=dict)


class Tiles:
    """Works out the sketches, has them laid out, and keeps the results."""

    def __init__(self, picture: Picture, run: Runner, lying: bool) -> None:
        self.picture = picture
        self.tile_of = {key: box.tile for key, box in picture.boxes.items()}
        self.columns = {column: k for k, column in enumerate(picture.columns)}
        self.states = States(picture)
        self.initial = self.states.initial
        self.ends = {line.id: self._ends(line) for line in picture.lines}
        self.layouts: dict[str, TileLayout] = {}
        self._lay_out(run, lying)

    # ------------------------------------------------------------- kinds of lines

    def _ends(self, line: Line) -> Ends:
        a = self.picture.tiles[self.tile_of[line.tail]]
        b = self.picture.tiles[self.tile_of[line.head]]
        if line.tail in self.initial:
            return Ends("ghost", "entry")
        if a.id == b.id:
            loop = line.kind == "state" and line.id in self.states.of  # folded
            return Ends("exit", "entry") if loop else Ends("inside", "inside")
        near = known = False
        if line.kind == "state":
            known = line.id in self.states.of or "elision" in (a.kind, b.kind)
        if a.column is not None and b.column is not None and a.row == b.row:
            near = abs(self.columns[a.column] - self.columns[b.column]) == 1
        tail = "exit" if near and known else "out"
        head = "entry" if near and known else "in"
        if line.kind == "input" and line.id in self.states.of:
            head = "entry"
        return Ends(tail, head)

    # ------------------------------------------------------------- sketches

    def _lay_out(self, run: Runner, lying: bool) -> None:
        flow = "LR" if lying else "BT"
        sketches: dict[Sketch, Ports] = {}
        inside: dict[str, list[Line]] = {}
        crossing_out: dict[str, list[Line]] = {}
        crossing_in: dict[str, list[Line]] = {}
        for line in self.picture.lines:
            ends = self.ends[line.id]
            if ends.tail == "inside":
                inside.setdefault(self.tile_of[line.head], []).append(line)
                continue
            crossing_out.setdefault(self.tile_of[line.tail], []).append(line)
            crossing_in.setdefault(self.tile_of[line.head], []).append(line)
        for tile in self.picture.tiles.values():
            boxes = [key for key in tile.boxes if key not in self.initial]
            index = {key: k for k, key in enumerate(boxes)}
            shown = [self.picture.boxes[key] for key in boxes]
            lines = inside.get(tile.id, [])
            sketch = Sketch(
                tuple(box_size(box) for box in shown),
                tuple(tuple(str(s) for s in box.clusters) for box in shown),
                tuple((index[line.tail], index[line.head]) for line in lines),
                flow if tile.kind == "step" or lying else "LR",
                self.states.signature(tile.row) if tile.kind == "step" else (),
            )
            place = TileLayout(tile, boxes, Laid(), sketch)
            place.lines = {line.id: k for k, line in enumerate(lines)}
            self.layouts[tile.id] = place
            ports = sketches.setdefault(sketch, Ports())
            if tile.kind in ("bar", "elision"):
                continue
            self._ports(place, index, ports, crossing_out, crossing_in)
        made = self._run_all(sketches, run)
        reverse = {row.id for row in self.picture.rows if row.reverse}
        for place in self.layouts.values():
            laid = made[place.sketch]
            if place.tile.row in reverse and place.tile.kind == "step":
                laid = made.setdefault(
                    (place.sketch, "mirrored"), dot_output.mirrored(laid)
                )
            place.laid = laid
            ports = sketches[place.sketch]
            place.inputs = {targets: k for k, targets in enumerate(ports.inputs)}

    def _ports(
        self,
        place: TileLayout,
        index: Mapping[str, int],
        ports: Ports,
        crossing_out: Mapping[str, list[Line]],
        crossing_in: Mapping[str, list[Line]],
    ) -> None:
        """Add what enters and leaves this tile to the ports of its kind."""
        tile = place.tile.id
        for line in crossing_out.get(tile, ()):
            if line.tail not in index:
                continue
            if self.ends[line.id].tail == "exit":
                ports.state_out[self.states.of[line.id]] = index[line.tail]
            else:
                ports.outputs[index[line.tail]] = None
        values: dict[tuple[Any, ...], list[int]] = {}
        for line in crossing_in.get(tile, ()):
            if self.ends[line.id].head == "entry":
                state = self.states.of[line.id]
                known = ports.state_in.get(state, ())
                ports.state_in[state] = tuple(sorted({*known, index[line.head]}))
            else:
                value = (line.tail, line.source)
                values.setdefault(value, []).append(index[line.head])
        for value, targets in values.items():
            key = tuple(sorted(set(targets)))
            ports.inputs[key] = None
            place.values[value] = key

    def _run_all(self, sketches: dict[Sketch, Ports], run: Runner) -> dict[Any, Laid]:
        """Both passes of every sketch; a single box needs no engine."""
        made: dict[Any, Laid] = {}
        todo = []
        for sketch, ports in sketches.items():
            if len(sketch.sizes) == 1 and not sketch.lines and not any(sketch.clusters):
                made[sketch] = _single(sketch, ports)
            elif not sketch.sizes:
                made[sketch] = Laid()
            else:
                todo.append((sketch, ports, plan_states(sketch, ports)))
        if todo:
            made.update(_best(todo, run))
        return made


def _best(todo: list[tuple[Sketch, Ports, Plan]], run: Runner) -> dict[Sketch, Laid]:
    """Have each sketch laid out in a few ways, in two passes; keep the best."""
    tries = []
    for sketch, ports, plan in todo:
        stateful = bool(ports.state_in or ports.state_out)
        for variant in VARIANTS if stateful and len(sketch.sizes) <= MANY else PLAIN:
            tries.append((sketch, ports, plan, variant))
    first = dot_output.read(
        run([tile_layout.text(*each, []) for each in tries]),
        [each[0] for each in tries],
    )
    found: dict[Sketch, list[Laid]] = {}
    again = []
    for each, laid in zip(tries, first, strict=True):
        sketch, ports, plan, _ = each
        found.setdefault(sketch, []).append(laid)
        if ports.state_in or ports.state_out:
            again.append((each, dot_output.ranks(sketch, ports, plan, laid)))
    if again:
        texts = [tile_layout.text(*each, orders) for each, orders in again]
        sketches = [each[0] for each, _ in again]
        for sketch, laid in zip(
            sketches, dot_output.read(run(texts), sketches), strict=True
        ):
            found[sketch].append(laid)
    best = {}
    for sketch, ports, plan in todo:
        options = found[sketch]
        if ports.state_in or ports.state_out:
            options = [*options, *map(dot_output.mirrored, options)]
        for laid in options:
            dot_output.finish(sketch, ports, plan, laid)
            tile_score.frames(sketch, laid)
        best[sketch] = min(
            options, key=lambda laid: tile_score.score(sketch, ports, plan, laid)
        )
    return best


def _single(sketch: Sketch, ports: Ports) -> Laid:
    """A tile of one box."""
    [(w, h)] = sketch.sizes
    x, y = w / 2, h / 2
    laid = Laid(w, h, {0: (x, y)})
    for k, targets in enumerate(ports.inputs):
        laid.ports[("i", k)] = (x, 0)
        laid.branches.update({("i", k, t): [] for t in targets})
    for source in ports.outputs:
        laid.ports[("o", source)] = (x, h)
        laid.branches[("o", source, source)] = []
    plan = plan_states(sketch, ports)
    dot_output.finish(sketch, ports, plan, laid)
    return laid
