"""Where each operation belongs: tile, row, column, clusters, stage.

A *band* is the row of one layer in one direction. Operations of a step that are in no
layer lie in bands before, between or after the layers, by what they depend on. Two
loops under different names (an encoder and a decoder) are two runs: their columns stand
one after the other, unless the second reads the first step by step (then they are
rows).

Read next: `reading.py`.
"""

from __future__ import annotations

from typing import NamedTuple

from minigrad.drawing.model import Column, Row
from minigrad.graph import Node
from minigrad.scope import Scope
from minigrad.words import clean

SUMS = {"add", "sum_to", "astype", "add_at"}  # what adds up gradients


class Place(NamedTuple):
    """Where a tile is."""

    kind: str
    row: str
    column: Column | None
    title: str


class Places:
    """For each operation, by number: its tile, its clusters, its stage in the tile."""

    def __init__(self, nodes: list[Node], numbers: dict[Node, int]) -> None:
        self.nodes = nodes
        self.sources = [
            [numbers[e.source] for e in node.edges if type(e.source) is Node]
            for node in nodes
        ]
        self.step: list[int | None] = []
        self.clusters: list[tuple[Scope, ...]] = []
        self.prefix: list[tuple[Scope, ...]] = []
        self.layer: list[tuple[int, bool] | None] = []
        self.cell: list[str] = []
        self.origin = [numbers.get(node.origin) for node in nodes]  # type: ignore[arg-type]
        self.back: list[bool] = []
        for number in range(len(nodes)):
            self._take_apart(number)
        forward = [n for n, back in enumerate(self.back) if not back]
        self.last_forward = max(forward, default=0)
        self.run = self._runs()
        self.band = self._bands()
        self._find_bars()
        self._levels()
        self._tiles()
        self._stages()
        self._cluster_ids: dict[tuple, str] = {}

    # ------------------------------------------------------------- scopes

    def _take_apart(self, number: int) -> None:
        """A scope's records, sorted by what they say about the place."""
        node = self.nodes[number]
        self.back.append(node.origin is not None)
        if node.origin is None and not node.scope and node.primitive.name in SUMS:
            before = [m for m in self.sources[number] if self.back[m]]
            if before:
                self._join(max(before, key=lambda m: (self.step[m] is not None, m)))
                return
        step = layer = None
        cell = ""
        prefix: list[Scope] = []
        clusters: list[Scope] = []
        for record in node.scope:
            if record.kind == "step" and step is None:
                step = record.index
            elif record.kind == "layer" and layer is None:
                layer = record.index
            elif record.kind == "cell" and not cell:
                cell = record.name
            elif step is None and layer is None and not cell:
                prefix.append(record)
            else:
                clusters.append(record)
        if step is None:
            clusters = [r for r in node.scope if r.kind != "step"]
            prefix = []
        self.step.append(step)
        self.layer.append(layer if step is not None else None)
        self.cell.append(cell)
        self.prefix.append(tuple(prefix))
        self.clusters.append(tuple(clusters))

    def _join(self, other: int) -> None:
        """Gradients are added up between rules: with the latest that is added."""
        self.back[-1] = True
        self.step.append(self.step[other])
        self.layer.append(self.layer[other])
        self.cell.append(self.cell[other])
        self.prefix.append(self.prefix[other])
        self.clusters.append(())

    def cluster_id(self, tile: str, path: tuple[Scope, ...]) -> str:
        """A short name for a cluster: the same for the same program."""
        return self._cluster_ids.setdefault(
            (tile, path), f"{tile}_c{len(self._cluster_ids)}"
        )

    # ------------------------------------------------------------- runs and bands

    def _runs(self) -> dict[tuple[Scope, ...], int]:
        """For each prefix, which run of columns it has."""
        runs: dict[tuple[Scope, ...], int] = {}
        links: dict[tuple, set[int]] = {}
        for n, step in enumerate(self.step):
            if step is None:
                continue
            runs.setdefault(self.prefix[n], len(runs))
            for m in self.sources[n]:
                if self.step[m] == step and self.prefix[m] != self.prefix[n]:
                    key = self.prefix[m], self.prefix[n]
                    links.setdefault(key, set()).add(step)
        for (first, second), steps in links.items():
            if len(steps) > 1:
                runs[second] = runs[first]
        order = {run: k for k, run in enumerate(dict.fromkeys(runs.values()))}
        return {prefix: order[run] for prefix, run in runs.items()}

    def _bands(self) -> list[tuple | None]:
        """Each step operation's band: (prefix, layer or None, backward?, height)."""
        bands: list[tuple | None] = []
        height: list[int] = []  # the layers below, within the same step
        layered = {
            p for p, la in zip(self.prefix, self.layer, strict=True) if la is not None
        }
        for n, step in enumerate(self.step):
            if step is None:
                bands.append(None)
                height.append(0)
                continue
            layer, back = self.layer[n], self.back[n]
            below = [
                height[m]
                for m in self.sources[n]
                if self.step[m] == step and self.back[m] == back
            ]
            here = max(below, default=0)
            if layer is not None:
                bands.append((self.prefix[n], layer, back))
                height.append(1000 - layer[0] if back else layer[0] + 1)
            else:
                key = here if self.prefix[n] in layered else 0
                bands.append((self.prefix[n], None, back, key))
                height.append(here)
        return bands

    def _find_bars(self) -> None:
        """Outside operations that touch several columns: they span a row."""
        columns: dict[int, set] = {}
        for n, step in enumerate(self.step):
            for m in self.sources[n]:
                if step is not None and self.step[m] is None:
                    columns.setdefault(m, set()).add(self._column(n))
                if step is None and self.step[m] is not None:
                    columns.setdefault(n, set()).add(self._column(m))
        self.bars = {
            n
            for n, found in columns.items()
            if len(found) > 1 or self.nodes[n].primitive.name == "unstack"
        }
        # The unstack of an initial state has several outputs but feeds one column.
        self.bars = {n for n in self.bars if len(columns[n]) > 1 or self._one_step()}

    def _one_step(self) -> bool:
        return len({s for s in self.step if s is not None}) == 1

    def _column(self, n: int) -> Column:
        step = self.step[n]
        assert step is not None
        return self.run[self.prefix[n]], step

    # ------------------------------------------------------------- rows

    def _above(self, n: int) -> tuple[int, ...]:
        """What a backward operation stands above, though it does not come from it."""
        if self.nodes[n].origin is None:
            return ()
        origin = self.origin[n]
        return (self.last_forward,) if origin is None else (origin,)

    def _levels(self) -> None:
        """How far up each group is: a band, a bar, or an outside operation."""
        group: list[object] = []
        for n, band in enumerate(self.band):
            group.append(band if band is not None else n)
        first: dict[object, int] = {}
        for n, key in enumerate(group):
            first.setdefault(key, n)
        below: dict[object, set] = {key: set() for key in first}
        for n, key in enumerate(group):
            for m in [*self.sources[n], *self._above(n)]:
                other = group[m]
                if other != key and first[other] < first[key]:
                    below[key].add(other)
        level: dict[object, int] = {}
        for key in sorted(first, key=lambda k: first[k]):
            heavy = isinstance(key, tuple) or key in self.bars
            level[key] = max(
                (
                    level[other]
                    + int(heavy or isinstance(other, tuple) or other in self.bars)
                    for other in below[key]
                ),
                default=0,
            )
        self.level = [level[key] for key in group]

    def _tiles(self) -> None:
        """Rows from bottom to top, and the tile of every operation."""
        rows: dict[tuple, Row] = {}
        self.tile: list[str] = []
        self.place: dict[str, Place] = {}
        pools = self._outside_pools()
        keys = []
        written: dict[tuple, str] = {}  # bands as text: something to sort by
        for n, band in enumerate(self.band):
            if band is not None:
                number, reverse = band[1] if band[1] is not None else (0, False)
                reverse = reverse != self.back[n]
                text = written.get(band) or written.setdefault(band, str(band))
                key = (self.level[n], 1, number, reverse, text)
                if key not in rows:
                    rows[key] = Row("", "step", self._row_title(n), reverse)
            elif n in self.bars:
                key = (self.level[n], 2, n, False, "")
                rows[key] = Row("", "bar")
            else:
                key = (self.level[n], 0, 0, False, "")
                if key not in rows:
                    rows[key] = Row("", "outside")
            keys.append(key)
        for k, key in enumerate(sorted(rows)):
            rows[key].id = f"r{k}"
        self.rows = [rows[key] for key in sorted(rows)]
        columns = {self._column(n) for n, s in enumerate(self.step) if s is not None}
        self.columns = sorted(columns)
        for n, band in enumerate(self.band):
            row = rows[keys[n]].id
            if band is not None:
                run, step = column = self._column(n)
                name = f"{row}_t{run}_{step}" if run else f"{row}_t{step}"
                tile = name.replace("-", "m")
                if tile not in self.place:
                    self.place[tile] = Place("step", row, column, f"step {step}")
            elif n in self.bars:
                tile = f"{row}_bar"
                self.place[tile] = Place("bar", row, None, "")
            else:
                tile = f"{row}_out{pools[n]}"
                self.place.setdefault(tile, Place("outside", row, None, ""))
            self.tile.append(tile)

    def _row_title(self, n: int) -> str:
        words = [clean(record.name) for record in self.prefix[n]]
        if self.back[n]:
            words.insert(0, "backward:")
        layer = self.layer[n]
        if layer is not None:
            words.append(f"layer {layer[0]}" + (" reverse" if layer[1] else ""))
        if self.cell[n]:
            cell = self.cell[n]
            words.append(clean(cell.upper() if len(cell) < 5 else cell))
        return ", ".join(words).replace(":,", ":")

    def _outside_pools(self) -> dict[int, int]:
        """Outside operations that hang together on one level share a tile."""
        parent: dict[int, int] = {}

        def root(n: int) -> int:
            while parent[n] != n:
                parent[n] = parent[parent[n]]
                n = parent[n]
            return n

        for n, step in enumerate(self.step):
            if step is None and n not in self.bars:
                parent[n] = n
                for m in self.sources[n]:
                    if m in parent and self.level[m] == self.level[n]:
                        a, b = root(m), root(n)
                        parent[max(a, b)] = min(a, b)
        if not any(step is not None for step in self.step):
            return dict.fromkeys(parent, 0)  # nothing recurrent: one tile
        return {n: root(n) for n in parent}

    # ------------------------------------------------------------- within a tile

    def _stages(self) -> None:
        """How many times the way to an operation has entered or left a gate."""
        self.stage: list[int] = []
        for n in range(len(self.nodes)):
            stage = 0
            for m in self.sources[n]:
                if self.tile[m] == self.tile[n]:
                    crossed = self.clusters[m] != self.clusters[n]
                    stage = max(stage, self.stage[m] + int(crossed))
            self.stage.append(stage)

    def line_kind(self, origin: int, number: int) -> str:
        """state (same row, another step), input, output or data."""
        a, b = self.step[origin], self.step[number]
        if a is not None and b is not None:
            if self._column(origin) != self._column(number):
                return "state"
            return "data" if self.band[origin] == self.band[number] else "output"
        if a is None and b is not None:
            return "input"
        return "output" if a is not None else "data"
