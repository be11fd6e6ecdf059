"""The picture as DOT text: with positions for rendering, or without, for any reader.

The text is the same for the same program: ids are numbers in the order of creation.
User text only ever appears quoted, as labels and tooltips; no URL, no style sheet, no
image and no HTML-like label is written.

Read next: `drawing.py`.
"""

from __future__ import annotations

from minigrad.drawing.arrange import Layout, Rect
from minigrad.drawing.geometry import Curve
from minigrad.drawing.model import Box, Line, Picture, Tile
from minigrad.drawing.style import (
    ALARM,
    FONT,
    LIGHT,
    SIZE,
    SMALL,
    SMALL_TO_LARGE,
    Theme,
    box_size,
    font_size,
    gradient_style,
    heat_colours,
    hue,
    mix,
    text_of,
)
from minigrad.drawing.words import clean, number, shape_text, text_width


def quote(text: str) -> str:
    """Text as a quoted DOT string that shows exactly that text."""
    text = text.replace("&", "&amp;").replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'


def label(lines: tuple[str, ...]) -> str:
    """Several lines of text as one quoted DOT string."""
    return '"' + "\\n".join(quote(line)[1:-1] for line in lines) + '"'


def attributes(values: dict[str, object]) -> str:
    """[name=value ...]; strings that begin with a quote are quoted already."""
    parts = []
    for name, value in values.items():
        if value is None or value == "":
            continue
        text = str(value)
        parts.append(
            f"{name}={text if text[0] == chr(34) else chr(34) + text + chr(34)}"
        )
    return f"[{' '.join(parts)}]"


class Writer:
    """Writes one picture."""

    def __init__(
        self, picture: Picture, theme: Theme = LIGHT, layout: Layout | None = None
    ) -> None:
        self.picture = picture
        self.theme = theme
        self.layout = layout
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
        self._legend()
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

    def _title_at(self, rect: Rect, words: str, size: float, corner: str) -> dict:
        """Where a cluster's title stands, and its extent."""
        width = text_width(words, size)
        x0, y0, x1, y1 = rect
        x = {
            "top": (x0 + x1) / 2,
            "left": x0 + width / 2 + 8,
            "beside": x0 - width / 2 - 20,
        }[corner]
        y = y1 - size * 0.85
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
            style |= self._title_at(rect, title, SIZE, "beside")
        return style

    def _tile(self, tile: Tile) -> None:
        step = tile.kind == "step"
        if step:
            style: dict[str, object] = {"class": "step", "id": tile.id}
            style |= {"style": "rounded,filled", "fillcolor": self.theme.tile}
            style |= {"color": self.theme.edge, "fontcolor": self.theme.quiet}
            if self.layout:
                rect = self.layout.tiles[tile.id]
                style |= self._title_at(rect, tile.title, SIZE, "left")
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
        number = list(tree).index(path) if path in tree else len(tree)
        name = f"{tile.id}_g{number}"
        style: dict[str, object] = {"class": "gate" if gate else "scope", "id": name}
        style |= {"style": "rounded,filled", "color": mix(colour, ground, 0.7)}
        style |= {"fillcolor": mix(colour, ground, self.theme.tint), "fontsize": SMALL}
        if not gate:
            style["style"] = "rounded,filled,dashed"
        words = clean(record.name)
        if self.layout:
            names = tuple(level.name for level in path)
            rect = self.layout.clusters.get((tile.id, names))
            if rect:
                style |= self._title_at(rect, words, SMALL, "top")
        self._open(f"cluster_{name}", (words,), style)

    # ------------------------------------------------------------- boxes and lines

    def _box(self, box: Box) -> None:
        theme = self.theme
        w, h = box_size(box)
        style: dict[str, object] = {
            "id": box.id,
            "class": box.kind,
            "label": label(text_of(box)),
            "tooltip": quote(box.title or " ".join(box.lines)),
            "width": f"{w / 72:.3f}",
            "height": f"{h / 72:.3f}",
        }
        if font_size(box) != SIZE:
            style |= {"fontsize": font_size(box), "fontcolor": theme.quiet}
        style |= self._box_style(box)
        if self.layout:
            x, y, w, h = self.layout.boxes[box.id]
            style |= {"width": f"{w / 72:.3f}", "height": f"{h / 72:.3f}"}
            style["pos"] = f"{x:.2f},{y:.2f}"
        self.out.append(f"{box.id} {attributes(style)}")

    def _box_style(self, box: Box) -> dict[str, object]:
        theme = self.theme
        colour = hue(box.letter)
        fill = mix(colour, theme.box, theme.strong) if box.letter else theme.box
        if box.kind == "constant":
            return {"shape": "plaintext"}
        if box.kind == "weight":
            return {"style": "dashed", "color": theme.weight, "fontcolor": theme.weight}
        if box.kind == "input":
            return {"style": "rounded", "color": theme.input, "fontcolor": theme.input}
        if box.kind == "elision":
            return {"style": "dashed,rounded", "fontcolor": theme.quiet}
        style: dict[str, object] = {"style": "filled,rounded", "fillcolor": fill}
        style["color"] = mix(colour, theme.ink, 0.8) if box.letter else theme.faint
        if box.heat:
            style |= {"style": "striped", "fillcolor": heat_colours(theme, box.heat)}
            return style
        if box.round:
            style |= {"shape": "ellipse", "style": "filled", "margin": 0}
        if box.kind == "bar":
            style |= {"style": "filled", "fillcolor": theme.tile}
        return style

    def _line(self, line: Line) -> None:
        theme = self.theme
        style: dict[str, object] = {"id": line.id, "class": line.kind}
        if line.title:
            style["tooltip"] = quote(line.title)
        if line.kind == "state":
            style |= {"penwidth": 2.2, "color": theme.ink}
            if self.layout is None:
                style |= {"constraint": "false", "weight": 0}
        elif line.kind == "weight":
            style |= {"color": theme.weight, "arrowsize": 0.45}
        elif line.kind == "input":
            style["color"] = theme.input
        if self.picture.scale:
            style |= gradient_style(theme, line.gradient, self.picture.scale)
        words = line_words(line)
        if words and (self.layout is None or line.id in self.layout.labels):
            style["label"] = quote(words)
        if self.layout:
            curve = self.layout.lines[line.id]
            style["pos"] = position(curve)
            if line.id in self.layout.labels:
                x, y = self.layout.labels[line.id]
                style["lp"] = f"{x:.2f},{y:.2f}"
        self.out.append(f"{line.tail} -> {line.head} {attributes(style)}")

    # ------------------------------------------------------------- the rest

    def _legend(self) -> None:
        words: list[str] = []
        for use in self.picture.legend[:12]:
            times = "once" if use.count == 1 else f"{use.count} times"
            words.append(f"{use.name}  {shape_text(use.shape)}  used {times}")
        if words:
            words.insert(0, "parameters")
            self._legend_box(words)
        if self.picture.scale:
            self._scale(len(words))

    def _scale(self, above: int) -> None:
        """The legend of the gradients' colours: one box per colour."""
        scale, theme = self.picture.scale, self.theme
        ramp = SMALL_TO_LARGE[theme.name]
        y = -(above * SMALL * 1.25 + 62.0)
        texts = [(f"gradient of {scale.what}", theme.paper, theme.quiet)]
        for k, colour in enumerate(ramp):
            power = scale.low + (k + 0.5) * (scale.high - scale.low) / len(ramp)
            light = (theme.name == "light") == (k < len(ramp) // 2)
            ink = "#1B1F24" if light else "#FFFFFF"
            texts.append((f"{10**power:.0e}", colour, ink))
        texts.append(("0 dotted", theme.paper, theme.quiet))
        texts.append(("NaN, ∞ dashed", theme.paper, ALARM[theme.name]))
        x = 0.0
        for k, (words, fill, ink) in enumerate(texts):
            width = text_width(words, SMALL) + 10
            style: dict[str, object] = {
                "id": f"scale{k}", "class": "scale", "label": quote(words),
                "style": "filled", "fillcolor": fill, "color": fill, "fontcolor": ink,
                "fontsize": SMALL, "width": f"{width / 72:.3f}", "height": "0.25",
            }  # fmt: skip
            if self.layout:
                style["pos"] = f"{x + width / 2:.2f},{y:.2f}"
            self.out.append(f"scale{k} {attributes(style)}")
            x += width + 3

    def _legend_box(self, words: list[str]) -> None:
        """One entry per parameter: how often it is used."""
        if len(self.picture.legend) > 12:
            words.append(f"and {len(self.picture.legend) - 12} more")
        left = '"' + "".join(quote(line)[1:-1] + "\\l" for line in words) + '"'
        width = max(text_width(line, SMALL) for line in words) + 20
        height = len(words) * SMALL * 1.25 + 10
        style: dict[str, object] = {
            "id": "legend", "class": "legend", "label": left, "fontsize": SMALL,
            "style": "dashed", "color": self.theme.weight, "margin": "0.08,0.04",
            "fontcolor": self.theme.weight,
            "width": f"{width / 72:.3f}", "height": f"{height / 72:.3f}",
        }  # fmt: skip
        if self.layout:
            style["pos"] = f"{width / 2:.2f},{-height / 2 - 18:.2f}"
        self.out.append(f"legend {attributes(style)}")

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


def line_words(line: Line) -> str:
    """What stands beside a line: a name, the size of a gradient, or both."""
    if line.gradient is None:
        return line.label
    return f"{line.label} {number(line.gradient)}".strip()


def position(curve: Curve) -> str:
    """A curve as DOT's pos, with an arrow's tip of 6 points at its end."""
    *_, before, tip = curve
    points = list(curve)
    k = len(points) - 2
    while k > 0 and abs(points[k][0] - tip[0]) + abs(points[k][1] - tip[1]) < 0.1:
        k -= 1
    before = points[k]
    dx, dy = tip[0] - before[0], tip[1] - before[1]
    length = (dx * dx + dy * dy) ** 0.5 or 1.0
    back = min(6.0, length * 0.6)
    end = (tip[0] - dx / length * back, tip[1] - dy / length * back)
    points[-1] = end
    points[-2] = end if k < len(points) - 2 else points[-2]
    words = " ".join(f"{x:.2f},{y:.2f}" for x, y in points)
    return f"e,{tip[0]:.2f},{tip[1]:.2f} {words}"
