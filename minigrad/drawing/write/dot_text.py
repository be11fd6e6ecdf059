"""The picture as DOT text: with positions for rendering, or without, for any reader.

The text is the same for the same program: ids are numbers in the order of creation.
User text only ever appears quoted, as labels and tooltips; no URL, no style sheet, no
image and no HTML-like label is written.

Read next: `dot_items.py`.
"""

from __future__ import annotations

from typing import Any

from minigrad.drawing.arrange.layout import Layout, Rect
from minigrad.drawing.read.operation_symbols import text_width
from minigrad.drawing.read.picture import Box, Picture, Tile
from minigrad.drawing.style import (
    FONT,
    LIGHT,
    LIT,
    SIZE,
    SMALL,
    Theme,
    hue,
    mix,
)
from minigrad.drawing.write.dot_attributes import attributes, label, pairs, quote
from minigrad.drawing.write.dot_items import Items
from minigrad.drawing.write.dot_statements import Statements
from minigrad.drawing.write.legend import legend
from minigrad.engine.scope import Scope
from minigrad.reading.text import clean


class Writer:
    """Writes one picture."""

    def __init__(
        self,
        picture: Picture,
        theme: Theme = LIGHT,
        layout: Layout | None = None,
        faint: frozenset[str] = frozenset(),
        lit: frozenset[str] = frozenset(),
    ) -> None:
        """`faint`: boxes that are only hinted at; `lit`: steps that stand out."""
        self.picture = picture
        self.theme = theme
        self.layout = layout
        self.faint = faint
        self.lit = lit
        self.clusters = picture.cluster_ids()
        self.out = Statements()
        self.items = Items(picture, theme, layout, faint, self.out)
        # What many clusters share
        self.looks: dict[tuple[Any, ...], tuple[str, str, str]] = {}
        self.by_tile: dict[str, list[Tile]] = {}
        for tile in picture.tiles.values():
            self.by_tile.setdefault(tile.row, []).append(tile)

    def text(self) -> str:
        """The whole DOT text."""
        self._head()
        for row in self.picture.rows:
            tiles = sorted(
                self.by_tile.get(row.id, []), key=lambda t: t.column or (-1, 0)
            )
            if row.kind == "step":
                self._open(f"cluster_{row.id}", (row.title,), self._row_style(row.id))
                self.items.beside({tile.id for tile in tiles})
            for tile in tiles:
                self._tile(tile)
            if row.kind == "step":
                self.out.append("}")
        self.out += legend(self.picture, self.theme, self.layout is not None)
        if self.layout is None:
            self._order()
        for line in self.picture.lines:
            self.items.line(line)
        self.out.append("}")
        return self.out.text()

    # ------------------------------------------------------------- the frame

    def _head(self) -> None:
        theme = self.theme
        graph = {
            "bgcolor": theme.paper,
            "fontname": FONT,
            "fontsize": SIZE,
            "fontcolor": theme.ink,
            "rankdir": "BT" if self.picture.recurrent else "LR",
            "nodesep": 0.22,
            "ranksep": 0.3,
            "outputorder": "edgesfirst" if self.layout else None,
            "tooltip": quote(clean(self.picture.title or "minigrad", 80)),
        }
        if not self.layout and self.picture.recurrent:
            graph["labelloc"] = "b"  # which is above where ranks grow upwards
        if self.layout:
            graph["splines"] = "true"
            graph["pad"] = 0.2
        self.out.append("digraph minigrad {")
        self.out.append(f"graph {attributes(graph)}")
        node = {"fontname": FONT, "fontsize": SIZE, "fontcolor": theme.ink}
        node |= {"shape": "box", "color": theme.faint, "margin": "0.03,0.02"}
        self.out.append(f"node {attributes(node)}")
        edge = {"fontname": FONT, "fontsize": SMALL, "fontcolor": theme.quiet}
        edge |= {"color": theme.faint, "arrowsize": 0.6, "penwidth": 1}
        self.out.append(f"edge {attributes(edge)}")

    def _open(self, name: str, words: tuple[str, ...], style: dict[str, Any]) -> None:
        self.out.append(f"subgraph {name} {{")
        self.out.append(f"graph {attributes({'label': label(words), **style})}")

    def _title_at(
        self, rect: Rect, words: str, size: float, key: object
    ) -> dict[str, Any]:
        """Where a cluster's title stands, and its extent."""
        assert self.layout is not None
        width = text_width(words, size)
        x0, y0, x1, y1 = rect
        x, y = self.layout.titles.get(key, ((x0 + x1) / 2, y1 - size * 0.85))
        return {
            "bb": f"{x0:.2f},{y0:.2f},{x1:.2f},{y1:.2f}",
            "lp": f"{x:.2f},{y:.2f}",
            "lwidth": f"{width / 72:.3f}",
            "lheight": f"{size * 1.2 / 72:.3f}",
        }

    def _row_style(self, row: str) -> dict[str, Any]:
        title = next(r.title for r in self.picture.rows if r.id == row)
        style = {"class": "row", "id": row, "peripheries": 0, "fontsize": SIZE}
        style |= {"labeljust": "l", "fontcolor": self.theme.quiet}
        if self.layout:
            rects = [
                self.layout.tiles[t.id]
                for t in self.by_tile.get(row, [])
                if t.id in self.layout.tiles
            ]
            rect = (
                min(r[0] for r in rects), min(r[1] for r in rects),
                max(r[2] for r in rects), max(r[3] for r in rects),
            )  # fmt: skip
            style |= self._title_at(rect, title, SIZE, row)
        return style

    def _tile(self, tile: Tile) -> None:
        step = tile.kind == "step"
        if step:
            style: dict[str, object] = {"class": "step", "id": tile.id}
            style |= {"style": "rounded,filled", "fillcolor": self.theme.tile}
            style |= {"color": self.theme.edge, "fontcolor": self.theme.quiet}
            if self.picture.boxes[tile.boxes[0]].backward:
                style["fillcolor"] = mix(self.theme.backward, self.theme.tile, 0.06)
                style["color"] = mix(self.theme.backward, self.theme.tile, 0.4)
            style["peripheries"] = 1
            if tile.id in self.lit:
                style |= {"color": LIT[self.theme.name], "penwidth": 3}
                style["fontcolor"] = LIT[self.theme.name]
            elif self._is_faint(tile.boxes):
                pale = mix(self.theme.edge, self.theme.paper, 0.4)
                style |= {"color": pale, "fillcolor": self.theme.paper}
                style["fontcolor"] = mix(self.theme.quiet, self.theme.paper, 0.35)
            if self.layout:
                rect = self.layout.tiles[tile.id]
                style |= self._title_at(rect, tile.title, SIZE, (tile.id, ()))
            shown = tile.title if self.picture.level != "cell" else ""
            self._open(f"cluster_{tile.id}", (shown,), style)
        boxes: dict[tuple[Any, ...], list[Box]] = {(): []}  # path of clusters -> boxes
        # Path -> the paths one longer
        inner: dict[tuple[Any, ...], list[tuple[Any, ...]]] = {}
        for key in tile.boxes:
            box = self.picture.boxes[key]
            if self.items.begins(key):
                continue
            path = box.clusters
            while path not in boxes:
                boxes[path] = []
                inner.setdefault(path[:-1], []).append(path)
                path = path[:-1]
            boxes[box.clusters].append(box)
        stack: list[Any] = [()]
        while stack:
            path = stack.pop()
            if path is None:
                self.out.append("}")
                continue
            if path:
                self._cluster(tile, path)
                stack.append(None)
            for box in boxes[path]:
                self.items.box(box)
            stack += inner.get(path, [])[::-1]
        if step:
            self.items.names_of_lines(tile.id)
            self.out.append("}")

    def _cluster(self, tile: Tile, path: tuple[Scope, ...]) -> None:
        """A gate, or another scope, around boxes."""
        name = self.clusters[tile.id, path]
        key = (path[-1], tile.kind == "step")
        words, first, style = self.looks.get(key) or self._cluster_looks(*key)
        place = ""
        if self.faint:
            place = self._faded_cluster(tile, path)
        if self.layout:
            names = tuple(str(level) for level in path)
            rect = self.layout.clusters.get((tile.id, names))
            if rect:
                place += " " + pairs(
                    self._title_at(rect, words, SMALL, (tile.id, names))
                )
        self.out.append(
            f'subgraph cluster_{name} {{\ngraph [{first} id="{name}" {style}{place}]'
        )

    def _cluster_looks(self, record: Scope, step: bool) -> tuple[str, str, str]:
        """The title of a cluster, and its looks as DOT: made once for all steps."""
        ground = self.theme.tile if step else self.theme.paper
        gate = record.kind == "gate"
        colour = hue(record.index if gate else None)
        words = clean(record)
        first = f'label={label((words,))} class="{"gate" if gate else "scope"}"'
        style = {
            "style": "rounded,filled" if gate else "rounded,filled,dashed",
            "color": mix(colour, ground, 0.7),
            "fillcolor": mix(colour, ground, self.theme.tint),
            "fontsize": SMALL,
            "fontcolor": self.theme.quiet,
            "penwidth": 1,
        }
        self.looks[record, step] = words, first, pairs(style)
        return self.looks[record, step]

    def _is_faint(self, boxes: list[str]) -> bool:
        """Is all of it only hinted at?"""
        return bool(self.faint) and self.faint.issuperset(boxes)

    def _faded_cluster(self, tile: Tile, path: tuple[Scope, ...]) -> str:
        """How a gate looks that has not been computed yet."""
        known = self.picture.boxes
        inside = [k for k in tile.boxes if known[k].clusters[: len(path)] == path]
        if not self._is_faint(inside):
            return ""
        pale = mix(self.theme.faint, self.theme.paper, 0.22)
        paper = self.theme.paper
        return f' color="{pale}" fillcolor="{paper}" fontcolor="{pale}"'

    # ------------------------------------------------------------- the rest

    def _order(self) -> None:
        """An invisible root with ordered lines to the steps keeps them in order."""
        firsts, fed = [], set()
        for row in self.picture.rows:
            if row.kind != "step":
                continue
            tiles = [t for t in self.by_tile.get(row.id, []) if t.boxes]
            tiles.sort(key=lambda tile: tile.column or (0, 0))
            below = {
                way.tile: way.id
                for way in self.items.ways.values()
                if way.ranks is None
            }
            firsts = [below.get(tile.id, tile.boxes[0]) for tile in tiles]
            fed = {tile.boxes[0] for tile in tiles}
            break
        if len(firsts) > 1:
            self.out.append('root [style=invis ordering=out label="" width=0]')
            self.out += [f"root -> {name} [style=invis]" for name in firsts]
            # What feeds the steps stands below all that is in them, not beside them.
            heads = {line.tail for line in self.picture.lines if line.head in fed}
            bars = [
                box.id
                for box in self.picture.boxes.values()
                if box.kind == "bar" and box.id in heads
            ]
            self.out += [f"{bar} -> root [style=invis]" for bar in bars]
