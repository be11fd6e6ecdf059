"""The picture as DOT text: with positions for rendering, or without, for any reader.

The text is the same for the same program: ids are numbers in the order of creation.
User text only ever appears quoted, as labels and tooltips; no URL, no style sheet, no
image and no HTML-like label is written.

Read next: `drawing.py`.
"""

from __future__ import annotations

from minigrad.drawing.arrange import Layout, Rect
from minigrad.drawing.dress import (
    attributes,
    box_style,
    label,
    line_style,
    line_words,
    pairs,
    position,
    quote,
    title,
)
from minigrad.drawing.legend import legend
from minigrad.drawing.model import Box, Line, Picture, Tile
from minigrad.drawing.style import (
    FONT,
    HEAT,
    LIGHT,
    LIT,
    SIZE,
    SMALL,
    Theme,
    box_size,
    font_size,
    gradient_style,
    heat_colours,
    heat_height,
    hue,
    mix,
    text_of,
)
from minigrad.drawing.words import text_width
from minigrad.words import clean, number

TITLED = 20_000  # boxes: larger pictures have no tooltips


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
        self.titled = len(picture.boxes) <= TITLED
        self.out: list[str] = []
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
            for tile in tiles:
                self._tile(tile)
            if row.kind == "step":
                self.out.append("}")
        self.out += legend(self.picture, self.theme, self.layout is not None)
        if self.layout is None:
            self._order()
        for line in self.picture.lines:
            self._line(line)
        self.out.append("}\n")
        return "\n".join(self.out)

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
            "tooltip": quote(self.picture.title or "minigrad"),
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

    def _open(self, name: str, words: tuple[str, ...], style: dict) -> None:
        self.out.append(f"subgraph {name} {{")
        self.out.append(f"graph {attributes({'label': label(words), **style})}")

    def _title_at(self, rect: Rect, words: str, size: float, key: object) -> dict:
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

    def _row_style(self, row: str) -> dict:
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
        tree: dict[tuple, list[Box]] = {}
        paths: dict[tuple, None] = {(): None}
        for key in tile.boxes:
            box = self.picture.boxes[key]
            tree.setdefault(box.clusters, []).append(box)
            for depth in range(len(box.clusters) + 1):
                paths.setdefault(box.clusters[:depth])
        stack: list = [()]
        while stack:
            path = stack.pop()
            if path is None:
                self.out.append("}")
                continue
            if path:
                self._cluster(tile, path, tree)
                stack.append(None)
            for box in tree.get(path, ()):
                self._box(box)
            depth = len(path) + 1
            stack += [p for p in paths if len(p) == depth and p[:-1] == path][::-1]
        if step:
            self.out.append("}")

    def _cluster(self, tile: Tile, path: tuple, tree: dict) -> None:
        """A gate, or another scope, around boxes."""
        record = path[-1]
        ground = self.theme.tile if tile.kind == "step" else self.theme.paper
        gate = record.kind == "gate"
        colour = hue(record.index if gate else None)
        name = self.clusters[(tile.id, path)]
        style: dict[str, object] = {"class": "gate" if gate else "scope", "id": name}
        style |= {"style": "rounded,filled", "color": mix(colour, ground, 0.7)}
        style |= {"fillcolor": mix(colour, ground, self.theme.tint), "fontsize": SMALL}
        if not gate:
            style["style"] = "rounded,filled,dashed"
        style |= {"penwidth": 1, "fontcolor": self.theme.quiet}
        boxes = [
            b.id for p, found in tree.items() if p[: len(path)] == path for b in found
        ]
        if self._is_faint(boxes):
            pale = mix(self.theme.faint, self.theme.paper, 0.22)
            style |= {"color": pale, "fillcolor": self.theme.paper, "fontcolor": pale}
        words = clean(record.name)
        if self.layout:
            names = tuple(level.name for level in path)
            rect = self.layout.clusters.get((tile.id, names))
            if rect:
                style |= self._title_at(rect, words, SMALL, (tile.id, names))
        self._open(f"cluster_{name}", (words,), style)

    # ------------------------------------------------------------- boxes and lines

    def _box(self, box: Box) -> None:
        if self.layout:
            x, y, w, h = self.layout.boxes[box.id]
            place = f' pos="{x:.2f},{y:.2f}"'
        else:
            w, h = box_size(box)
            place = ""
        rounded = box.round and not box.values
        if self.titled:
            place += f" tooltip={quote(title(box, self.picture.nodes))}"
        text = text_of(box)
        if box.heat and self.layout:  # room under the text
            text += ("",) * max(1, round(heat_height(box) / font_size(box) / 1.2))
        self.out.append(
            f'{box.id} [id="{box.id}" class="{box.kind}" label={label(text)}'
            f' width="{w / 72:.3f}" height="{h / 72:.3f}"{place}'
            f" {box_style(self.theme, box.kind, box.letter, rounded, box.shade)}"
            f"{self._faded(box.id)}]"
        )
        if box.heat and self.layout and box.id not in self.faint:
            self._heat(box)

    def _is_faint(self, boxes: list[str]) -> bool:
        """Is all of it only hinted at?"""
        return bool(self.faint) and self.faint.issuperset(boxes)

    def _faded(self, *boxes: str) -> str:
        """How things look that have not happened yet (in frames)."""
        if not self.faint.intersection(boxes):
            return ""
        pale = mix(self.theme.faint, self.theme.paper, 0.22)
        kind = self.picture.boxes[boxes[0]].kind if len(boxes) == 1 else ""
        style = {"": "solid", "weight": "dashed", "bar": "solid"}.get(kind, "rounded")
        return (
            f' color="{pale}" fontcolor="{pale}" fillcolor="{self.theme.paper}"'
            f' style="{style}"'
        )

    def _heat(self, box: Box) -> None:
        """The heat map of a box: a striped strip for each row, in its lower part."""
        assert self.layout is not None
        x, y, w, h = self.layout.boxes[box.id]
        for k, row in enumerate(box.heat):
            at = y - h / 2 + 5 + HEAT * (len(box.heat) - k - 0.5)
            self.out.append(
                f'{box.id}_heat{k} [id="{box.id}_heat{k}" class="heat" label=""'
                f' pos="{x:.2f},{at:.2f}" width="{(w - 12) / 72:.3f}"'
                f' height="{HEAT / 72:.3f}" style="striped" penwidth="0.4"'
                f' tooltip="heat map" color="{self.theme.faint}"'
                f' fillcolor="{heat_colours(self.theme, row)}"]'
            )

    def _line(self, line: Line) -> None:
        more = ""
        if self.picture.scale and not self.picture.plain:
            size = line.gradient
            more += " " + pairs(gradient_style(self.theme, size, self.picture.scale))
        if line.gradient is not None:
            more += f' tooltip="gradient {number(line.gradient)}"'
        words = line_words(line)
        if self.layout:
            more += f' pos="{position(self.layout.lines[line.id])}"'
            named = line.id not in self.layout.branches
            placed = line.id in self.layout.labels
            words = line_words(line, named) if placed else ""
            if words:
                x, y = self.layout.labels[line.id]
                more += f' lp="{x:.2f},{y:.2f}"'
            if line.kind == "state" and line.id in self.layout.branches:
                more = f' penwidth="1.3"{more}'
        if words:
            more += f" label={quote(words)}"
        style = line_style(self.theme, line.kind, self.layout is None)
        more += self._faded(line.tail, line.head)
        names = f'id="{line.id}" class="{line.kind}"'
        self.out.append(f"{line.tail} -> {line.head} [{names}{style}{more}]")

    # ------------------------------------------------------------- the rest

    def _order(self) -> None:
        """An invisible root with ordered lines to the steps keeps them in order."""
        firsts = []
        for row in self.picture.rows:
            if row.kind != "step":
                continue
            tiles = [t for t in self.by_tile.get(row.id, []) if t.boxes]
            tiles.sort(key=lambda tile: tile.column or (0, 0))
            firsts = [tile.boxes[0] for tile in tiles]
            break
        if len(firsts) > 1:
            self.out.append('root [style=invis ordering=out label="" width=0]')
            self.out += [f"root -> {name} [style=invis]" for name in firsts]
