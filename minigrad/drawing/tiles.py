"""Every tile of a picture, laid out: alike tiles share one layout.

Read next: `arrange.py` (where the tiles go).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from minigrad.drawing import judge, template
from minigrad.drawing.model import Line, Picture, Tile
from minigrad.drawing.style import box_size
from minigrad.drawing.template import Laid, Plan, Ports, Sketch, Variant

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
    inputs: dict[tuple, int] = field(default_factory=dict)
    states: dict[tuple, int] = field(default_factory=dict)
    values: dict[tuple, tuple] = field(default_factory=dict)  # (how, value) -> targets


class Tiles:
    """Works out the sketches, has them laid out, and keeps the results."""

    def __init__(self, picture: Picture, run: Runner, lying: bool) -> None:
        self.picture = picture
        self.tile_of = {key: box.tile for key, box in picture.boxes.items()}
        self.columns = {column: k for k, column in enumerate(picture.columns)}
        self.slots = self._state_slots()
        self.initial = self._initial_ghosts()
        self.ends = {line.id: self._ends(line) for line in picture.lines}
        self.layouts: dict[str, TileLayout] = {}
        self._lay_out(run, lying)

    # ------------------------------------------------------------- kinds of lines

    def _ordinals(self, tile: Tile) -> dict[int, int]:
        numbers = sorted(
            n for key in tile.boxes for n in self.picture.boxes[key].nodes
        )
        return {n: k for k, n in enumerate(numbers)}

    def _state_slots(self) -> dict[str, set[tuple[int, int]]]:
        """Per row: which input of which operation of a step takes the state."""
        slots: dict[str, set[tuple[int, int]]] = {}
        ordinals: dict[str, dict[int, int]] = {}
        for line in self.picture.lines:
            if line.kind != "state":
                continue
            tile = self.picture.tiles[self.tile_of[line.head]]
            if tile.kind != "step":
                continue
            if tile.id not in ordinals:
                ordinals[tile.id] = self._ordinals(tile)
            for number, k in line.uses:
                slots.setdefault(tile.row, set()).add((ordinals[tile.id][number], k))
        return slots

    def _takes_state(self, line: Line) -> bool:
        """Does the line bring what is state at the other steps? (The initial state.)"""
        tile = self.picture.tiles[self.tile_of[line.head]]
        slots = self.slots.get(tile.row)
        if not slots or tile.kind != "step":
            return False
        ordinals = self._ordinals(tile)
        return all((ordinals[n], k) in slots for n, k in line.uses)

    def _initial_ghosts(self) -> set[str]:
        """The ghosts of initial states: they stand to the left of the first step."""
        heads: dict[str, list[Line]] = {}
        for line in self.picture.lines:
            if self.picture.boxes[line.tail].kind in ("input", "weight", "constant"):
                heads.setdefault(line.tail, []).append(line)
        return {
            key
            for key, lines in heads.items()
            if all(self._takes_state(line) for line in lines)
        }

    def _ends(self, line: Line) -> Ends:
        a = self.picture.tiles[self.tile_of[line.tail]]
        b = self.picture.tiles[self.tile_of[line.head]]
        if line.tail in self.initial:
            return Ends("ghost", "entry")
        if a.id == b.id:
            return Ends("inside", "inside")
        near = False
        if a.column is not None and b.column is not None and a.row == b.row:
            near = abs(self.columns[a.column] - self.columns[b.column]) == 1
        tail = "exit" if near else "out"
        head = "entry" if near else "in"
        if line.kind == "input" and self._takes_state(line):
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
                tuple(tuple(s.name for s in box.clusters) for box in shown),
                tuple((index[line.tail], index[line.head]) for line in lines),
                flow if tile.kind == "step" or lying else "LR",
            )
            place = TileLayout(tile, boxes, Laid(), sketch)
            place.lines = {line.id: k for k, line in enumerate(lines)}
            self.layouts[tile.id] = place
            ports = sketches.setdefault(sketch, Ports())
            if tile.kind in ("bar", "elision"):
                continue
            self._ports(place, index, ports, crossing_out, crossing_in)
        for ports in sketches.values():
            _unite(ports)
        made = self._run_all(sketches, run)
        reverse = {row.id for row in self.picture.rows if row.reverse}
        for place in self.layouts.values():
            laid = made[place.sketch]
            if place.tile.row in reverse and place.tile.kind == "step":
                laid = made.setdefault((place.sketch, "mirrored"), template.mirrored(laid))
            place.laid = laid
            ports = sketches[place.sketch]
            place.inputs = {targets: k for k, targets in enumerate(ports.inputs)}
            place.states = {
                targets: next(
                    k for k, all_ in enumerate(ports.state_in) if set(targets) <= set(all_)
                )
                for (how, *_), targets in place.values.items()
                if how == "entry"
            }

    def _ports(self, place, index, ports, crossing_out, crossing_in) -> None:
        """Add what enters and leaves this tile to the ports of its kind."""
        tile = place.tile.id
        for line in crossing_out.get(tile, ()):
            if line.tail not in index:
                continue
            where = ports.state_out if self.ends[line.id].tail == "exit" else ports.outputs
            where[index[line.tail]] = None
        values: dict[tuple, list[int]] = {}
        for line in crossing_in.get(tile, ()):
            value = (self.ends[line.id].head, line.tail, line.source)
            values.setdefault(value, []).append(index[line.head])
        for (how, *value), targets in values.items():
            key = tuple(sorted(set(targets)))
            (ports.state_in if how == "entry" else ports.inputs)[key] = None
            place.values[(how, *value)] = key

    def _run_all(self, sketches: dict[Sketch, Ports], run: Runner) -> dict:
        """Both passes of every sketch; a single box needs no engine."""
        made: dict = {}
        todo = []
        for sketch, ports in sketches.items():
            if len(sketch.sizes) == 1 and not sketch.lines and not any(sketch.clusters):
                made[sketch] = _single(sketch, ports)
            elif not sketch.sizes:
                made[sketch] = Laid()
            else:
                todo.append((sketch, ports, template.plan_states(sketch, ports)))
        if todo:
            made.update(_best(todo, run))
        return made


def _unite(ports: Ports) -> None:
    """A state that goes to some boxes here and to more of them there is one state."""
    united: list[set[int]] = []
    for targets in ports.state_in:
        found = set(targets)
        apart = []
        for other in united:
            if other & found:
                found |= other
            else:
                apart.append(other)
        united = [*apart, found]
    ports.state_in = {tuple(sorted(found)): None for found in united}


def _best(todo: list[tuple[Sketch, Ports, Plan]], run: Runner) -> dict[Sketch, Laid]:
    """Have each sketch laid out in a few ways, in two passes; keep the best."""
    tries = []
    for sketch, ports, plan in todo:
        stateful = bool(ports.state_in or ports.state_out)
        for variant in VARIANTS if stateful and len(sketch.sizes) <= MANY else PLAIN:
            tries.append((sketch, ports, plan, variant))
    first = template.read_json(
        run([template.text(*each, []) for each in tries]), len(tries)
    )
    found: dict[Sketch, list[Laid]] = {}
    again = []
    for each, result in zip(tries, first, strict=True):
        sketch, ports, plan, _ = each
        laid = template.parse(sketch, result)
        found.setdefault(sketch, []).append(laid)
        if ports.state_in or ports.state_out:
            again.append((each, template.ranks(sketch, ports, plan, laid)))
    if again:
        texts = [template.text(*each, orders) for each, orders in again]
        second = template.read_json(run(texts), len(texts))
        for (each, _), result in zip(again, second, strict=True):
            found[each[0]].append(template.parse(each[0], result))
    best = {}
    for sketch, ports, plan in todo:
        options = found[sketch]
        if ports.state_in or ports.state_out:
            options = [*options, *map(template.mirrored, options)]
        for laid in options:
            template.finish(sketch, ports, plan, laid)
            judge.frames(sketch, laid)
        best[sketch] = min(
            options, key=lambda laid: judge.score(sketch, ports, plan, laid)
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
    count = len(ports.state_in) + 1
    for k, targets in enumerate(ports.state_in):
        laid.ports[("s", k)] = (0, h * (count - 1 - k) / count)
        laid.branches.update({("s", k, t): [] for t in targets})
    for source in ports.state_out:
        laid.ports[("z", source)] = (w, y)
        laid.branches[("z", source, source)] = []
    return laid
