"""What is written in each box and beside each line: names, letters, formulas, shapes.

Read next: `box_formula.py`.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from minigrad.drawing.read.box_formula import formulas
from minigrad.drawing.read.operation_symbols import ARITHMETIC, operation, tag_name
from minigrad.drawing.read.picture import Box, Tile
from minigrad.drawing.read.placement import Places
from minigrad.engine.graph import Leaf, Node
from minigrad.engine.scope import Scope
from minigrad.reading.levels import letter_of
from minigrad.reading.text import clean, shape_text

BARS = {"unstack": "unstack: one step at a time,", "stack": "stack: all steps,"}


class Names:
    """Names the boxes of one graph."""

    def __init__(
        self, nodes: list[Node], numbers: dict[Node, int], places: Places
    ) -> None:
        self.nodes = nodes
        self.numbers = numbers
        self.places = places

    def box(self, box: Box, tile: Tile) -> None:
        """Write down what a box of operations shows."""
        last = self.nodes[box.nodes[-1]]
        box.array = None if last.primitive.multiple else last.array
        outputs = last.outputs
        shape = shape_text(outputs[0].shape) if outputs else ""
        gate = self._gate(box)
        box.letter = gate.index if gate else None
        if box.kind in ("op", "bar"):
            self._operation(box, last, shape)
            return
        if box.kind == "cell":
            words: tuple[str, ...] = (tile.title or "step",)
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
        name = tag_name(node)
        word = operation(node)
        if name is not None:
            word = f"{clean(name, 24)} = {word}"
        if node.origin is not None:
            rule = f"∂ {operation(node.origin)}"
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
        written = formulas(self.nodes, self.numbers, box.nodes)
        if written and not box.backward:
            return written
        counted = Counter(operation(self.nodes[n]) for n in box.nodes)
        words = [w if n == 1 else f"{n} {w}" for w, n in counted.items()]
        lines = [", ".join(words[k : k + 3]) for k in range(0, min(len(words), 9), 3)]
        return tuple(clean(line) for line in lines)


def value_name(source: Any, edge: Any, kind: str) -> str:
    """What is written on a line: the state's letter, or which part of the input."""
    if type(source) is not Node:
        return ""
    name = tag_name(source, edge.index)
    if name is not None:
        return clean(name, 16)
    if kind == "state":
        return clean(letter_of(source), 8)
    if kind == "input" and source.origin is None and source.primitive.name == "unstack":
        before = source.edges[0].source
        if type(before) is Node and before.primitive.name == "stack":  # of states, say
            parts = [
                letter_of(e.source) for e in before.edges if type(e.source) is Node
            ]
            if any(parts):
                return clean(parts[min(edge.index, len(parts) - 1)], 8)
        named = type(before) is Leaf and before.name
        return f"{clean(named, 12) if named else 'x'}[{edge.index}]"
    return ""


def ghost_lines(leaf: Leaf | None, array: Any) -> tuple[str, ...]:
    """What a ghost shows: its name, or its number, and its shape."""
    shape = shape_text(array.shape)
    if leaf is not None and leaf.name:
        last = leaf.name.rpartition(".")[2] if len(leaf.name) < 400 else ""
        name = clean(last or leaf.name)
        return (name, shape) if shape else (name,)
    if array.size == 1:
        return (f"{array.item():.4g}",)
    if array.size and not array.any():
        return ("zeros", shape)
    return ("tensor" if leaf else "constant", shape)
