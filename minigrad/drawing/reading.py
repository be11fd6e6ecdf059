"""From the graph to a picture: which box, which tile, which line.

Everything is decided from the nodes' scopes: the `step` record gives the column, the
`layer` record the row, the `gate` record and records of the user's own the
sub-clusters. What is in no step is outside. One pass over the nodes, oldest first; no
recursion.

Read next: `places.py` (rows and columns), `elide.py`.
"""

from __future__ import annotations

from collections import Counter

from minigrad.drawing.formula import formulas
from minigrad.drawing.model import Box, Line, Picture, Tile, Use
from minigrad.drawing.places import Places
from minigrad.drawing.words import ARITHMETIC, operation, tag_name
from minigrad.graph import Leaf, Node, ancestors
from minigrad.scope import Scope
from minigrad.words import clean, shape_text

BARS = {"unstack": "unstack: one step at a time,", "stack": "stack: all steps,"}
LEVELS = ("op", "gate", "cell")


def read(sources: list[Node | Leaf | None], level: str) -> Picture:
    """The picture of everything that the sources were computed from."""
    return Reader(ancestors(sources), level).picture(sources)


class Reader:
    """Makes the boxes and lines of one picture."""

    def __init__(self, nodes: list[Node], level: str) -> None:
        self.nodes = nodes
        self.level = level
        self.numbers = {node: number for number, node in enumerate(nodes)}
        self.places = Places(nodes, self.numbers)
        self.boxes: dict[str, Box] = {}
        self.lines: list[Line] = []
        self.tiles: dict[str, Tile] = {}
        self.box_of: list[str] = [""] * len(nodes)
        self.merged: dict[tuple, Line] = {}
        self.leaves: dict[Leaf, list] = {}  # leaf -> [edge, uses]
        self.leaf_numbers: dict[Leaf, int] = {}

    def picture(self, sources: list[Node | Leaf | None]) -> Picture:
        """Read the whole graph."""
        for number, node in enumerate(self.nodes):
            self._add_tile(number)
            self._add_box(number, node)
        for number, node in enumerate(self.nodes):
            for k in range(len(node.edges)):
                self._add_line(number, node, k)
        self._name_boxes()
        return Picture(
            self.level,
            self.nodes,
            self.boxes,
            self.lines,
            self.tiles,
            self.places.rows,
            self.places.columns,
            self._legend(),
            outputs=[self.box_of[self.numbers[s]] for s in sources if type(s) is Node],
        )

    # ------------------------------------------------------------- tiles and boxes

    def _add_tile(self, number: int) -> None:
        key = self.places.tile[number]
        if key not in self.tiles:
            place = self.places.place[key]
            self.tiles[key] = Tile(
                key, place.kind, place.row, place.column, place.title, number
            )

    def _add_box(self, number: int, node: Node) -> None:
        tile = self.tiles[self.places.tile[number]]
        clusters = self.places.clusters[number]
        kind, key, clusters = self._group(number, tile, clusters)
        box = self.boxes.get(key)
        if box is None:
            box = self.boxes[key] = Box(key, kind, (), tile.id, clusters)
            tile.boxes.append(key)
        box.nodes.append(number)
        box.backward = box.backward or self.places.back[number]
        self.box_of[number] = key

    def _group(
        self, number: int, tile: Tile, clusters: tuple[Scope, ...]
    ) -> tuple[str, str, tuple[Scope, ...]]:
        """The kind and the id of a node's box, and the clusters around that box."""
        if tile.kind == "bar":
            return "bar", f"n{number}", ()
        if self.level == "cell" and tile.kind == "step":
            return "cell", f"{tile.id}_cell", ()
        if self.level != "op" and clusters:
            depth = 1 if self.level == "cell" else len(clusters)
            kept = clusters[:depth]
            for k, level in enumerate(kept):
                if level.kind == "gate":
                    kept = kept[: k + 1]
            name = self.places.cluster_id(tile.id, kept)
            kind = "gate" if kept[-1].kind == "gate" else "group"
            return kind, name, kept[:-1]
        if self.level == "gate" and tile.kind == "step":
            return "group", f"{tile.id}_s{self.places.stage[number]}", ()
        return "op", f"n{number}", clusters

    def _name_boxes(self) -> None:
        for box in self.boxes.values():
            if not box.nodes:
                continue
            last = self.nodes[box.nodes[-1]]
            box.array = None if last.primitive.multiple else last.array
            shape = shape_text(last.outputs[0].shape) if last.outputs else ""
            gate = self._gate(box)
            box.letter = gate.index if gate else None
            if box.kind in ("op", "bar"):
                self._name_operation(box, last, shape)
                continue
            if box.kind == "cell":
                tile = self.tiles[box.tile]
                words: tuple[str, ...] = (tile.title or "step",)
            elif gate and box.kind == "gate":
                words = (clean(gate.name),)
            else:
                words = self._formula(box)
            box.lines = (*words, shape) if shape else words

    def _gate(self, box: Box) -> Scope | None:
        """The gate that a box is, or lies in."""
        for level in self.places.clusters[box.nodes[-1]]:
            if level.kind == "gate":
                return level
        return None

    def _name_operation(self, box: Box, node: Node, shape: str) -> None:
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
        if len(box.nodes) > 1 and self.places.clusters[box.nodes[0]]:
            return (clean(self.places.clusters[box.nodes[0]][-1].name),)
        written = formulas(self.nodes, self.numbers, box.nodes)
        if written and not box.backward:
            return written
        counted = Counter(operation(self.nodes[n]) for n in box.nodes)
        words = [w if n == 1 else f"{n} {w}" for w, n in counted.items()]
        lines = [", ".join(words[k : k + 3]) for k in range(0, min(len(words), 9), 3)]
        return tuple(clean(line) for line in lines)

    # ------------------------------------------------------------- lines and ghosts

    def _add_line(self, number: int, node: Node, k: int) -> None:
        edge = node.edges[k]
        head = self.box_of[number]
        source = edge.source
        if source is None and len(self.boxes[head].nodes) > 1:
            return  # a constant is part of what a box of several operations does
        if type(source) is Node and self._looked_up(source, node):
            tail = self._saved(source, edge, head)
            value: tuple[int | str, int] = (tail, 0)
            kind = "saved"
        elif type(source) is Node:
            origin = self.numbers[source]
            tail = self.box_of[origin]
            if tail == head and self.level != "op":
                return
            value = (origin, edge.index)
            kind = self.places.line_kind(origin, number)
        else:
            tail = self._ghost(edge, number, head, k)
            value = (tail, 0)
            kind = self.boxes[tail].kind
        key = (number, k) if self.level == "op" else (value, head)
        line = self.merged.get(key)
        if line is None:
            line = Line(f"e{len(self.lines)}", tail, head, kind, source=value)
            self.merged[key] = line
            self.lines.append(line)
            line.label = self._value_name(source, edge, kind, tail)
        line.uses.append((number, k))

    def _looked_up(self, source: Node, node: Node) -> bool:
        """Does a rule of the backward pass use a value of the forward pass?"""
        back = self.places.back
        return node.origin is not None and not back[self.numbers[source]]

    def _saved(self, source: Node, edge, head: str) -> str:
        """The small box that stands for a forward value in the backward graph."""
        tile = self.tiles[self.boxes[head].tile]
        number = self.numbers[source]
        key = f"v{number}_{edge.index}_{tile.id}"
        if key not in self.boxes:
            letter = self._letter_of(source)
            name = tag_name(source, edge.index) or letter or operation(source)
            shape = shape_text(edge.array.shape)
            lines = (clean(name, 16), shape) if shape else (clean(name, 16),)
            box = Box(key, "saved", lines, tile.id, array=edge.array)
            box.clusters = self.boxes[head].clusters if tile.kind == "step" else ()
            box.saved = self.box_of[number]
            self.boxes[key] = box
            tile.boxes.append(key)
        return key

    def _value_name(self, source, edge, kind: str, tail: str) -> str:
        """What is written on a line: the state's letter, or which part of the input."""
        if type(source) is not Node:
            return ""
        name = tag_name(source, edge.index)
        if name is not None:
            return clean(name, 16)
        if kind == "state":
            return self._letter_of(source)
        if source.origin is not None:
            return ""
        if kind == "input" and source.primitive.name == "unstack":
            before = source.edges[0].source
            named = type(before) is Leaf and before.name
            return f"{clean(named, 12) if named else 'x'}[{edge.index}]"
        return ""

    def _letter_of(self, node: Node) -> str:
        """The letter of the gate a value comes from; looked for behind a mask too."""
        for _ in range(3):
            for level in node.scope[::-1]:
                if level.kind == "gate":
                    return clean(level.index or "", 8)
            before = [e.source for e in node.edges if type(e.source) is Node]
            if node.primitive.name != "where" or not before:
                return ""
            node = before[0] if len(before) == 1 else before[-2]
        return ""

    def _ghost(self, edge, number: int, head: str, k: int) -> str:
        """The id of the small box that stands for one use of a user's tensor."""
        tile = self.tiles[self.boxes[head].tile]
        leaf = edge.source
        if leaf is None:
            key = f"k{number}_{k}"
            kind = "constant"
        else:
            entry = self.leaves.setdefault(leaf, [edge, 0])
            entry[1] += 1
            key = f"l{self._leaf_number(leaf)}_{tile.id}"
            kind = "weight" if edge.requires_grad else "input"
        if key not in self.boxes:
            array = edge.array
            shape = shape_text(array.shape)
            lines = self._ghost_lines(leaf, array, shape)
            box = Box(key, kind, lines, tile.id, leaf=leaf, array=array)
            box.clusters = self.boxes[head].clusters if tile.kind == "step" else ()
            self.boxes[key] = box
            tile.boxes.append(key)
        return key

    def _leaf_number(self, leaf: Leaf) -> int:
        return self.leaf_numbers.setdefault(leaf, len(self.leaf_numbers))

    @staticmethod
    def _ghost_lines(leaf: Leaf | None, array, shape: str) -> tuple[str, ...]:
        if leaf is not None and leaf.name:
            name = clean(
                leaf.name.rpartition(".")[2] if len(leaf.name) < 400 else leaf.name
            )
            return (name, shape) if shape else (name,)
        if array.size == 1:
            return (f"{array.item():.4g}",)
        if array.size and not array.any():
            return ("zeros", shape)
        return ("tensor" if leaf else "constant", shape)

    def _legend(self) -> list[Use]:
        """Every tensor of the user's that is trained or used more than once."""
        uses = []
        for leaf, (edge, count) in self.leaves.items():
            if edge.requires_grad:
                name = clean(leaf.name) if leaf.name else "tensor"
                uses.append(
                    Use(leaf, name, edge.array.shape, count, edge.requires_grad)
                )
        return uses
