"""Attributes of DOT: quoting, and the looks of each kind of box and line.

What depends on the kind alone is written once and kept.

Read next: `legend.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from minigrad.drawing.arrange.geometry import Curve
from minigrad.drawing.read.operation_symbols import node_title, short
from minigrad.drawing.read.picture import Box, Line
from minigrad.drawing.style import GHOSTS, SMALL, Theme, hue, mix
from minigrad.engine.graph import Node
from minigrad.reading.text import clean

BACKWARD = 0.14  # how much of the backward pass's colour is in its boxes


@lru_cache(maxsize=4096)
def quote(text: str) -> str:
    """Text as a quoted DOT string that shows exactly that text."""
    text = text.replace("&", "&amp;").replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'


@lru_cache(maxsize=4096)
def label(lines: tuple[str, ...]) -> str:
    """Several lines of text as one quoted DOT string."""
    return '"' + "\\n".join(quote(line)[1:-1] for line in lines) + '"'


def pairs(values: Mapping[str, object]) -> str:
    """name=value ...; what begins with a quotation mark is quoted already."""
    parts = []
    for name, value in values.items():
        if value is not None and value != "":
            text = str(value)
            parts.append(f"{name}={text}" if text[0] == '"' else f'{name}="{text}"')
    return " ".join(parts)


def attributes(values: Mapping[str, object]) -> str:
    """[name=value ...]"""
    return f"[{pairs(values)}]"


@lru_cache(maxsize=512)
def box_style(
    theme: Theme,
    kind: str,
    letter: str | None,
    round: bool,
    shade: float | None = None,
    backward: bool = False,
) -> str:
    """The looks of a box, as DOT. Boxes of a backward pass have corners."""
    style: dict[str, object] = {}
    if kind in GHOSTS:
        style = {"fontsize": SMALL, "fontcolor": theme.quiet}
    if kind == "constant":
        style["shape"] = "plaintext"
    elif kind == "weight":
        style |= {"style": "dashed", "color": theme.weight, "fontcolor": theme.weight}
    elif kind == "input":
        style |= {"style": "rounded", "color": theme.input, "fontcolor": theme.input}
    elif kind == "saved":
        style |= {"style": "dotted,rounded", "color": theme.faint}
    elif kind == "elision":
        style |= {"style": "dashed,rounded", "fontcolor": theme.quiet}
    elif kind == "bar":
        style |= {"style": "filled", "fillcolor": theme.tile, "color": theme.faint}
    else:
        colour = hue(letter)
        part = theme.strong if shade is None else 0.05 + 0.65 * shade
        fill = mix(colour, theme.box, part) if letter else theme.box
        line = mix(colour, theme.ink, 0.8) if letter else theme.faint
        style |= {"style": "filled,rounded", "fillcolor": fill, "color": line}
        if round:
            style |= {"shape": "ellipse", "style": "filled", "margin": 0}
    if backward:
        style |= {"style": "filled", "color": theme.backward}
        if not letter:
            style["fillcolor"] = mix(theme.backward, theme.box, BACKWARD)
    return pairs(style)


@lru_cache(maxsize=64)
def line_style(theme: Theme, kind: str, free: bool, backward: bool = False) -> str:
    """The looks of a line, as DOT. `free`: dot is to lay it out, but not by it.
    `backward`: a gradient flows along it, in a recorded backward pass."""
    style: dict[str, object] = {}
    if kind == "state":
        style = {"penwidth": 2.2, "color": theme.ink}
        if free:
            style |= {"constraint": "false", "weight": 0}
    elif kind == "weight":
        style = {"color": theme.weight, "arrowsize": 0.45}
    elif kind == "input":
        style = {"color": theme.input}
    elif kind == "saved":
        style = {"style": "dashed", "arrowsize": 0.45}
    if backward and kind != "weight" and kind != "saved":
        style["color"] = theme.backward
    return " " + pairs(style) if style else ""


def title(box: Box, nodes: list[Node]) -> str:
    """Everything worth knowing about a box, in a line: its tooltip."""
    if box.kind in ("op", "bar") and box.nodes:
        number = box.nodes[0]
        words = node_title(nodes[number], number)
        origin = nodes[number].origin
        if origin is not None:
            words += f" (from the rule of {origin.primitive.name})"
        return words
    if box.array is not None and box.kind in GHOSTS:
        return clean(f"{box.lines[0]}: {box.array.dtype} {box.array.shape}", 300)
    if box.nodes:
        return f"{' '.join(box.lines)}: {len(box.nodes)} operations"
    return " ".join(box.lines)


def line_words(line: Line, named: bool = True) -> str:
    """What stands beside a line: a name, the size of a gradient, or both."""
    name = line.label if named else ""
    if line.gradient is None:
        return name
    return f"{name} {short(line.gradient)}".strip()


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
