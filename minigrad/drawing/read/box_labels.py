"""What is written in each box and beside each line: names, letters, formulas, shapes.

Read next: `gradient_outputs.py`.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from minigrad.drawing.read.box_formula import formulas
from minigrad.drawing.read.operation_symbols import ARITHMETIC, operation, symbol
from minigrad.drawing.read.picture import Box, Tile
from minigrad.drawing.read.placement import Places
from minigrad.engine.graph import Node
from minigrad.engine.scope import Scope
from minigrad.reading.backward_passes import adds_gradients
from minigrad.reading.names import Names, given_name
from minigrad.reading.text import clean, shape_text

BARS = {"unstack": "unstack: one step at a time,", "stack": "stack: all steps,"}


class Labels:
    """Labels the boxes of one graph."""

    def __init__(self, nodes: list[Node], names: Names, places: Places) -> None:
        self.nodes = nodes
        self.names = names
        self.places = places

    def box(self, box: Box, tile: Tile) -> None:
        """Write down what a box of operations shows."""
        last = self.nodes[box.nodes[-1]]
        if not last.primitive.multiple:
            box.array, box.name = last.array, str(self.names.result(last))
        outputs = last.outputs
        shape = shape_text(outputs[0].shape) if outputs else ""
        if box.kind in ("group", "cell") and last.primitive.multiple:
            shape = shape_text(last.edges[0].array.shape)  # of what it takes apart
        gate = self._gate(box)
        box.letter = gate.index if gate else None
        if box.kind in ("op", "bar"):
            self._operation(box, last, shape)
            return
        if box.kind == "cell":
            words: tuple[str, ...] = (tile.title or "step",)
            if not self.places.spots[box.nodes[-1]].cell:  # between the layers, say
                words = (*words, *self._formula(box))
        elif gate and box.kind == "gate":
            words = (clean(gate.name),)
        else:
            words = self._formula(box)
        box.lines = (*words, shape) if shape else words

    def _gate(self, box: Box) -> Scope | None:
        """The gate that a box is, or lies in."""
        for level in self.places.spots[box.nodes[-1]].clusters:
            if level.kind == "gate":
                return level
        return None

    def _operation(self, box: Box, node: Node, shape: str) -> None:
        word = operation(node)
        if given_name(node):
            word = f"{self.names.result(node)} = {word}"
        if adds_gradients(node):
            whole = box.kind == "op"
            box.lines = (word, "gradients") if whole else (f"{word} gradients",)
            return
        if node.origin is not None:
            inside = self.places.origin[box.nodes[-1]] is not None
            rule = f"∂ {operation(node.origin) if inside else symbol(node.origin)}"
            box.lines = (word, rule) if box.kind == "op" else (f"{word}, {rule}",)
            return
        if box.kind == "bar" and node.primitive.multiple and len(node.outputs) > 1:
            shape = f"{shape} each"
        if box.kind == "bar" and node.primitive.name in BARS:
            box.lines = (f"{BARS[node.primitive.name]} {shape}",)
            return
        gate = box.letter is not None
        box.round = gate and node.primitive.name in ARITHMETIC and len(word) < 3
        plain = box.round or not shape
        box.lines = (word,) if plain else (word, shape)

    def _formula(self, box: Box) -> tuple[str, ...]:
        """Several operations outside gates, as words: "x W_x + h W_h + b"."""
        if len(box.nodes) > 1 and self.places.spots[box.nodes[0]].clusters:
            return (clean(self.places.spots[box.nodes[0]].clusters[-1].name),)
        written = formulas(self.nodes, self.names, box.nodes)
        if written and not box.backward:
            return written
        counted = Counter(operation(self.nodes[n]) for n in box.nodes)
        words = [w if n == 1 else f"{n} {w}" for w, n in counted.items()]
        lines = [", ".join(words[k : k + 3]) for k in range(0, min(len(words), 9), 3)]
        return tuple(clean(line) for line in lines)


def line_label(names: Names, edge: Any, kind: str) -> str:
    """What is written on a line: a name of the user's, a state, a part of the input."""
    source = edge.source
    if not isinstance(source, Node):
        return ""
    part = source.primitive.name == "unstack" and kind == "input"
    if kind != "state" and not part and not given_name(source, edge.index):
        return ""
    return str(names.named(source, edge.index) or "")


def ghost_lines(names: Names, edge: Any) -> tuple[str, ...]:
    """What a ghost shows: its name, or its number, and its shape."""
    array = edge.array
    if array.size == 1 and names.known(edge) is None:  # a number without a name
        return (f"{array.item():.4g}",)
    shape = shape_text(array.shape)
    if not given_name(edge.source) and array.size and not array.any():
        shape = f"zeros {shape}"
    name = str(names.of(edge))
    return (name, shape) if shape else (name,)


def full_name(names: Names, edge: Any) -> str:
    """A tensor in the legend: its symbol, and its name in full where that says more."""
    symbol, given = str(names.of(edge)), given_name(edge.source)
    return symbol if given in ("", symbol) else f"{symbol} = {clean(given)}"
