"""Where each operation belongs: tile, row, column, clusters, stage.

A *band* is the row of one layer in one direction. Operations of a step that are in no
layer lie in bands before, between or after the layers, by what they depend on. Two
calls (an encoder and a decoder, or one model twice) are two runs: their columns stand
one after the other, unless the second reads the first step by step (then they are
rows).

Read next: `box_labels.py`.
"""

from __future__ import annotations

from collections import Counter
from functools import cached_property
from typing import Any, NamedTuple

from minigrad.drawing.read.picture import Column, Row
from minigrad.drawing.read.scope_levels import spots
from minigrad.engine.graph import Node
from minigrad.engine.scope import Scope
from minigrad.reading.backward_passes import Passes
from minigrad.reading.text import clean


class Place(NamedTuple):
    """Where a tile is."""

    kind: str
    row: str
    column: Column | None
    title: str


class Places:
    """For each operation, by number: its tile, its spot, its stage in the tile."""

    def __init__(self, nodes: list[Node], numbers: dict[Node, int]) -> None:
        self.nodes = nodes
        self._numbers = numbers
        self.sources = [
            tuple([numbers[e.source] for e in node.edges if type(e.source) is Node])
            for node in nodes
        ]
        self.spots = spots(nodes)
        self.passes = passes = Passes(nodes)
        self.part = [passes.of(node) for node in nodes]
        self.words = [passes.named(part) for part in self.part]
        self.origin = [numbers.get(node.origin) for node in nodes]  # type: ignore[arg-type]
        self.column = self._columns()
        self.columns = sorted({c for c in self.column if c is not None})
        self.band = self._bands() if self.columns else [None] * len(nodes)
        self.bars = self._bars() if self.columns else set()
        self.level = self._levels()
        self.rows: list[Row] = []
        self._texts: dict[tuple[Any, ...], str] = {}
        self.place: dict[str, Place] = {}
        self.tile = self._tiles()
        self._cluster_ids: dict[tuple[Any, ...], str] = {}

    def cluster_id(self, tile: str, path: tuple[Scope, ...]) -> str:
        """A short name for a cluster: the same for the same program."""
        return self._cluster_ids.setdefault(
            (tile, path), f"{tile}_c{len(self._cluster_ids)}"
        )

    # ------------------------------------------------------------- columns and bands

    def _columns(self) -> list[Column | None]:
        """Each step operation's column: (run, step)."""
        runs: dict[tuple[Scope, ...], int] = {}
        links: dict[tuple[Any, ...], set[int]] = {}
        for n, spot in enumerate(self.spots):
            if spot.step is None:
                continue
            runs.setdefault(spot.prefix, len(runs))
            for m in self._read(n):
                other = self.spots[m]
                if other.prefix != spot.prefix and other.step == spot.step:
                    key = other.prefix, spot.prefix
                    links.setdefault(key, set()).add(spot.step)
        for (first, second), steps in links.items():
            if len(steps) > 1:  # the second loop reads the first step by step
                runs[second] = runs[first]
        order = {run: k for k, run in enumerate(dict.fromkeys(runs.values()))}
        return [
            None if spot.step is None else (order[runs[spot.prefix]], spot.step)
            for spot in self.spots
        ]

    def _read(self, n: int) -> list[int]:
        """What an operation reads. Of a stack that is taken apart again it is what was
        stacked at that place, even if all entries were changed in between."""
        found = []
        for edge in self.nodes[n].edges:
            source: Any = edge.source
            if type(source) is Node and source.primitive.name == "unstack":
                index, steps = edge.index, source.edges[0].array.shape[0]
                source = source.edges[0].source
                while type(source) is Node and source.primitive.name != "stack":
                    same = source.edges and source.edges[0].array.shape[:1] == (steps,)
                    source = source.edges[0].source if same else None
                if type(source) is Node and len(source.edges) == steps:
                    source = source.edges[index].source
            if type(source) is Node:
                found.append(self._numbers[source])
        return found

    def _bands(self) -> list[tuple[Any, ...] | None]:
        """Each step operation's band: (prefix, layer or None, part, height)."""
        bands: list[tuple[Any, ...] | None] = []
        height: list[int] = []  # the layers below, within the same step
        layered = {spot.prefix for spot in self.spots if spot.layer is not None}
        for n, (spot, part) in enumerate(zip(self.spots, self.part, strict=True)):
            if spot.step is None:
                bands.append(None)
                height.append(0)
            elif spot.layer is not None:
                bands.append((spot.prefix, spot.layer, part))
                layer = spot.layer[0]
                height.append(1000 - layer if part.backward else layer + 1)
            else:
                below = [
                    height[m]
                    for m in self.sources[n]
                    if self.spots[m].step == spot.step and self.part[m] == part
                ]
                here = max(below, default=0)
                key = here if spot.prefix in layered else 0
                bands.append((spot.prefix, None, part, key))
                height.append(here)
        return bands

    def _bars(self) -> set[int]:
        """Outside operations that touch several columns: they span a row."""
        touched: dict[int, set[Any]] = {}
        for n, column in enumerate(self.column):
            for m in self.sources[n]:
                if column is not None and self.column[m] is None:
                    touched.setdefault(m, set()).add(column)
                if column is None and self.column[m] is not None:
                    touched.setdefault(n, set()).add(self.column[m])
        # The unstack of an initial state has several outputs but feeds one column;
        # that of an input does so only where there is one step.
        one_step = len({step for _, step in self.columns}) == 1
        return {
            n
            for n, found in touched.items()
            if len(found) > 1
            or (one_step and self.nodes[n].primitive.name == "unstack")
        }

    # ------------------------------------------------------------- rows

    def _above(self, n: int) -> tuple[int, ...]:
        """What a backward operation stands above, though it does not come from it."""
        if self.nodes[n].origin is None:
            return ()
        origin = self.origin[n]
        return self.before[n] if origin is None else (origin,)

    @cached_property
    def before(self) -> list[tuple[int, ...]]:
        """For each operation the last one before it of another part, if any."""
        found: list[tuple[int, ...]] = []
        for n, part in enumerate(self.part):
            same = n and self.part[n - 1].number == part.number
            found.append(found[-1] if same else (n - 1,) if n else ())
        return found

    def _levels(self) -> list[int]:
        """How far up each group is: a band, a bar, or an outside operation."""
        group: list[Any] = [n if b is None else b for n, b in enumerate(self.band)]
        members: dict[Any, list[int]] = {}
        for n, key in enumerate(group):
            members.setdefault(key, []).append(n)
        level: dict[Any, int] = {}
        for key, inside in members.items():  # in the order of their first operations
            heavy = isinstance(key, tuple) or key in self.bars
            up = 0
            for n in inside:
                for m in (*self.sources[n], *self._above(n)):
                    other = group[m]
                    # Known if it began earlier; a loop's two bands may feed each other.
                    if other in level:
                        rise = heavy or isinstance(other, tuple) or other in self.bars
                        up = max(up, level[other] + rise)
            level[key] = up
        return [level[key] for key in group]

    def _tiles(self) -> list[str]:
        """Rows from bottom to top, and the tile of every operation."""
        rows: dict[tuple[Any, ...], Row] = {}
        pools = self._outside_pools()
        keys = [self._row(n, rows) for n in range(len(self.nodes))]
        for k, key in enumerate(sorted(rows)):
            rows[key].id = f"r{k}"
            self.rows.append(rows[key])
        tiles = []
        names: dict[tuple[Any, ...], str] = {}  # of the tiles of steps
        for n, column in enumerate(self.column):
            row = rows[keys[n]].id
            if column is not None:
                tile = names.get((row, column))
                if tile is None:
                    run, step = column
                    name = f"{row}_t{run}_{step}" if run else f"{row}_t{step}"
                    tile = names[row, column] = name.replace("-", "m")
                    self.place[tile] = Place("step", row, column, f"step {step}")
            elif n in self.bars:
                tile = f"{row}_bar"
                self.place[tile] = Place("bar", row, None, "")
            else:
                tile = f"{row}_out{pools.get(n, 0)}"
                if tile not in self.place:
                    self.place[tile] = Place("outside", row, None, "")
            tiles.append(tile)
        return tiles

    def _row(self, n: int, rows: dict[tuple[Any, ...], Row]) -> tuple[Any, ...]:
        """The key of an operation's row, which sorts as the rows lie; adds the row."""
        band = self.band[n]
        if band is not None:
            number, reverse = band[1] if band[1] is not None else (0, False)
            reverse = reverse != self.part[n].backward
            key = (self.level[n], 1, number, reverse, self._written(band))
            if key not in rows:
                rows[key] = Row("", "step", self._row_title(n), reverse)
        elif n in self.bars:
            key = (self.level[n], 2, n, False, "")
            rows[key] = Row("", "bar")
        else:
            key = (self.level[n], 0, 0, False, "")
            if key not in rows:
                rows[key] = Row("", "outside")
        return key

    @cached_property
    def _layers(self) -> Counter[tuple[Scope, ...]]:
        """How many layers and directions each loop has."""
        found = {(s.prefix, s.layer) for s in self.spots if s.layer is not None}
        return Counter(prefix for prefix, _ in found)

    def _written(self, band: tuple[Any, ...]) -> str:
        """A band as text: something to sort by."""
        if band not in self._texts:
            self._texts[band] = str(band)
        return self._texts[band]

    def _row_title(self, n: int) -> str:
        spot = self.spots[n]
        words = [clean(record.name) for record in spot.prefix]
        several = any(record.kind == "loop" for record in spot.prefix)
        if self.words[n]:
            words.insert(0, f"{self.words[n]}:")
        if spot.layer is not None and (not several or self._layers[spot.prefix] > 1):
            number, reverse = spot.layer
            words.append(f"layer {number}" + (" reverse" if reverse else ""))
        kind = clean(spot.cell.upper() if len(spot.cell) < 5 else spot.cell)
        if kind and not (several and spot.prefix[0].name.startswith(kind)):
            words.append(kind)
        return ", ".join(words).replace(":,", ":")

    def _outside_pools(self) -> dict[int, int]:
        """Outside operations that hang together on one level share a tile."""
        if not self.columns:
            return {}  # nothing recurrent: one tile
        parent: dict[int, int] = {}

        def root(n: int) -> int:
            while parent[n] != n:
                parent[n] = parent[parent[n]]
                n = parent[n]
            return n

        for n, column in enumerate(self.column):
            if column is None and n not in self.bars:
                parent[n] = n
                for m in self.sources[n]:
                    if m in parent and self.level[m] == self.level[n]:
                        a, b = root(m), root(n)
                        parent[max(a, b)] = min(a, b)
        return {n: root(n) for n in parent}

    # ------------------------------------------------------------- within a tile

    @cached_property
    def stage(self) -> list[int]:
        """How many times the way to an operation has entered or left a gate."""
        stages: list[int] = []
        for n in range(len(self.nodes)):
            stage = 0
            for m in self.sources[n]:
                if self.tile[m] == self.tile[n]:
                    crossed = self.spots[m].clusters != self.spots[n].clusters
                    stage = max(stage, stages[m] + int(crossed))
            stages.append(stage)
        return stages

    def line_kind(self, origin: int, number: int) -> str:
        """state (same row, another step), input, output or data."""
        a, b = self.column[origin], self.column[number]
        if a is None:
            return "data" if b is None else "input"
        if b is None:
            return "output"
        if a != b:
            return "state"
        return "data" if self.band[origin] == self.band[number] else "output"
