"""What is written in the boxes: symbols of operations, names, shapes, and safe text.

User text (names of tensors and scopes) passes through `clean` once; quoting for DOT,
XML and JSON is done where those are written.

Read next: `elision.py`.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from minigrad.engine.graph import Node
from minigrad.reading.formula_printers import SIGNS
from minigrad.reading.text import clean, number

SYMBOLS = SIGNS | {
    "add": "+",
    "subtract": "−",
    "multiply": "×",
    "divide": "÷",
    "negative": "−x",
    "sigmoid": "σ",
    "absolute": "|x|",
    "add_at": "add at",
    "sum_to": "sum to",
}
ARITHMETIC = {"add", "subtract", "multiply", "divide", "negative"}


def operation(node: Node) -> str:
    """An operation's symbol or name: "σ", "matmul"."""
    name = node.primitive.name
    symbol = SYMBOLS.get(name, name.replace("_", " "))
    if name == "power" and node.edges[1].array.size == 1:
        return f"power {node.edges[1].array.item():.4g}"
    return symbol


def short(value: float) -> str:
    """A number with two digits that count, for pictures: 0.31, -1.2e-07."""
    value = float(value)
    if value == 0 or value - value != 0:
        return number(value)
    text = f"{value:.2g}" if abs(value) < 100 else f"{value:.3g}"
    text = text.replace("e-0", "e-").replace("e+0", "e").replace("e+", "e")
    return text.replace("-", "−", 1) if value < 0 else text


def node_title(node: Node, number: int) -> str:
    """A line about an operation: for tooltips."""
    shapes = ", ".join(str(edge.array.shape) for edge in node.edges)
    outs = [array.shape for array in node.outputs[:4]]
    more = ", ..." if len(node.outputs) > 4 else ""
    made = ", ".join(map(str, outs)) + more
    words = f"#{number} {node.primitive.name}: {shapes} -> {made}"
    if node.scope:
        levels = [clean(level) for level in node.scope if level.name]
        words += " in " + " / ".join(levels[:6]) if levels else ""
    return clean(words, 300)


# The width of a character, in parts of the font's size: DejaVu Sans, the widest of the
# fonts that usually stand in for Helvetica, so that a label fits whatever is installed.
_NARROW = set("ijl.,:;'|!()[]{} ·")
_MIDDLE = set('ftrI-/\\"1')
_BROAD = set("mwMW@%—…�→⋯")


@lru_cache(maxsize=8192)
def text_width(text: str, size: float) -> float:
    """About how wide a text is, in points; never less than it is."""
    total = 0.0
    for char in text:
        if char in _NARROW:
            total += 0.40
        elif char in _MIDDLE:
            total += 0.50
        elif char in _BROAD or unicodedata.east_asian_width(char) in "WF":
            total += 1.06
        elif char.isupper():
            total += 0.76
        else:
            total += 0.64
    return total * size * 1.06 + 1  # engines round the widths of glyphs, mostly up
