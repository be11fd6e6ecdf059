"""From the graph to a picture: which box, which tile, which line.

Everything is decided from the nodes' scopes: the `step` record gives the column, the
`layer` record the row, the `gate` record and records of the user's own the
sub-clusters. What is in no step is outside. One pass over the nodes, oldest first; no
recursion.

Read next: `scope_levels.py` (where each operation belongs).
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

from minigrad.drawing.read.box_labels import (
    Labels,
    full_name,
    ghost_lines,
    line_label,
)
from minigrad.drawing.read.gradient_outputs import gradient_of
from minigrad.drawing.read.operation_symbols import operation
from minigrad.drawing.read.picture import Box, Line, Picture, Tile, Use
from minigrad.drawing.read.placement import Places
from minigrad.engine.graph import Leaf, Node, ancestors
from minigrad.engine.scope import Scope
from minigrad.nn.module import Parameter
from minigrad.reading.names import Names
from minigrad.reading.text import shape_text

LEVELS = ("op", "gate", "cell")


def read(sources: list[Node | Leaf | None], level: str) -> Picture:
    """The picture of everything that the sources were computed from."""
    return Reader(sources, level).picture(sources)


class Reader:
    """Makes the boxes and lines of one picture."""

    def __init__(self, sources: list[Node | Leaf | None], level: str) -> None:
        self.nodes = nodes = ancestors(sources)
        self.names = Names(nodes, *sources if len(sources) == 1 else ())
        self.level = level
        self.numbers = {node: number for number, node in enumerate(nodes)}
        self.places = Places(nodes, self.numbers)
        self.boxes: dict[str, Box] = {}
        self.lines: list[Line] = []
        self.tiles: dict[str, Tile] = {}
        self.box_of: list[Box] = []
        self.merged: dict[tuple[Any, ...], Line] = {}
        self.leaves: dict[Leaf, list[Any]] = {}  # leaf -> [number, edge, uses]

    @cached_property
    def made(self) -> dict[int, Node]:
        """What computed an array, by the array's id."""
        return {id(a): node for node in self.nodes for a in node.outputs}

    def picture(self, sources: list[Node | Leaf | None]) -> Picture:
        """Read the whole graph."""
        for number, node in enumerate(self.nodes):
            self._add_box(number, node)
        self.add_lines()
        labels = Labels(self.nodes, self.names, self.places)
        for box in self.boxes.values():
            if box.nodes:
                labels.box(box, self.tiles[box.tile])
        for source in sources:
            self._name_gradient(source)
        return Picture(
            self.level,
            self.nodes,
            self.boxes,
            self.lines,
            self.tiles,
            self.places.rows,
            self.places.columns,
            self._legend(),
            outputs=[
                self.box_of[self.numbers[s]].id for s in sources if type(s) is Node
            ],
        )

    def _name_gradient(self, source: Any) -> None:
        """A gradient that is drawn says of what it is: "dL/dW_h"."""
        if type(source) is Node and source.origin is not None:
            box = self.box_of[self.numbers[source]]
            of = gradient_of(source, self.names)
            if of and box.kind == "op":
                box.lines = (f"= dL/d{of}", *box.lines)

    # ------------------------------------------------------------- tiles and boxes

    def _add_box(self, number: int, node: Node) -> None:
        tile = self._tile(number)
        kind, key, clusters = self._group(number, tile)
        box = self.boxes.get(key)
        if box is None:
            box = self.boxes[key] = Box(key, kind, (), tile.id, clusters)
            tile.boxes.append(key)
        box.nodes.append(number)
        box.backward = box.backward or self.places.part[number].order > 0
        self.box_of.append(box)

    def _tile(self, number: int) -> Tile:
        """The tile of an operation; made for its first."""
        key = self.places.tile[number]
        tile = self.tiles.get(key)
        if tile is None:
            place = self.places.place[key]
            tile = self.tiles[key] = Tile(
                key, place.kind, place.row, place.column, place.title, number
            )
        return tile

    def _group(self, number: int, tile: Tile) -> tuple[str, str, tuple[Scope, ...]]:
        """The kind and the id of a node's box, and the clusters around that box."""
        clusters = self.places.spots[number].clusters
        if tile.kind == "bar":
            return "bar", f"n{number}", ()
        if self.level == "op":
            return "op", f"n{number}", clusters
        if self.level == "cell" and tile.kind == "step":
            return "cell", f"{tile.id}_cell", ()
        if clusters:
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

    # ------------------------------------------------------------- lines

    def add_lines(self) -> None:
        for number, node in enumerate(self.nodes):
            head = self.box_of[number]
            for k, edge in enumerate(node.edges):
                self.add_line(number, node, k, edge, head)

    def add_line(self, number: int, node: Node, k: int, edge: Any, head: Box) -> None:
        source = edge.source
        value: tuple[int | str, int]  # what flows along the line
        if type(source) is Node:
            origin = self.numbers[source]
            if self.places.passes.saved(node, source):
                tail = self._saved(source, edge, head)
                kind, value = "saved", (tail.id, 0)
            else:
                tail = self.box_of[origin]
                if tail is head and self.level != "op":
                    return
                kind = self.places.line_kind(origin, number)
                value = (origin, edge.index)
        else:
            if source is None and len(head.nodes) > 1:
                return  # a constant is part of what a box of several operations does
            tail = self._ghost(edge, number, head, k)
            kind, value = tail.kind, (tail.id, 0)
        if self.level != "op":
            known = self.merged.get((value, head.id))
            if known is not None:
                known.uses.append((number, k))
                return
        words = line_label(self.names, edge, kind)
        uses = [(number, k)]
        line = Line(f"e{len(self.lines)}", tail.id, head.id, kind, words, uses, value)
        self.lines.append(line)
        if self.level != "op":
            self.merged[value, head.id] = line

    # ------------------------------------------------------------- ghosts

    def _saved(self, source: Node, edge: Any, head: Box) -> Box:
        """The small box that stands for a forward value in the backward graph."""
        number = self.numbers[source]
        key = f"v{number}_{edge.index}_{head.tile}"
        box = self.boxes.get(key)
        if box is None:
            name = self.names.known(edge) or operation(source)
            shape = shape_text(edge.array.shape)
            lines = (str(name), shape) if shape else (str(name),)
            box = self._small(key, "saved", lines, head, edge)
            box.saved = self.box_of[number].id
        return box

    def _ghost(self, edge: Any, number: int, head: Box, k: int) -> Box:
        """The small box that stands for one use of a user's tensor."""
        leaf = edge.source
        if leaf is None:
            key, kind = f"k{number}_{k}", "constant"
        else:
            entry = self.leaves.get(leaf)
            if entry is None:
                entry = self.leaves[leaf] = [len(self.leaves), edge, 0, 0]
            entry[3 if self.nodes[number].origin else 2] += 1
            key = f"l{entry[0]}_{head.tile}"
            kind = "weight" if edge.requires_grad else "input"
        box = self.boxes.get(key)
        if box is None:
            lines = self._detached(edge) or ghost_lines(self.names, edge)
            box = self._small(key, kind, lines, head, edge)
            box.leaf = leaf
        return box

    def _detached(self, edge: Any) -> tuple[str, ...]:
        """What a ghost shows that is a value of the graph, handed on without it."""
        named = edge.source is not None and edge.source.name
        if edge.requires_grad or not edge.array.ndim or named:
            return ()
        found = self.made.get(id(edge.array))
        if found is None:
            return ()
        word = str(self.names.named(found) or operation(found))
        return f"{word}, detached", shape_text(edge.array.shape)

    def _small(
        self, key: str, kind: str, lines: tuple[str, ...], head: Box, edge: Any
    ) -> Box:
        """A ghost beside the box that uses it."""
        tile = self.tiles[head.tile]
        clusters = head.clusters if tile.kind == "step" else ()
        box = Box(key, kind, lines, tile.id, clusters, array=edge.array)
        self.boxes[key] = box
        tile.boxes.append(key)
        return box

    def _is_parameter(self, leaf: Leaf) -> bool:
        """Is it a module's, or an input or initial state that wants a gradient?"""
        if isinstance(leaf.owner(), Parameter):
            return True
        # A plain tensor, or its owner is gone, as in a graph from a file. What is taken
        # apart by steps, or begins a loop, is none.
        symbol = str(self.names.of(self.leaves[leaf][1])).partition("^")[0]
        if symbol in ("x", "h_0", "c_0", "h_init", "c_init"):
            return False
        return not any(
            edge.source is leaf and node.primitive.name == "unstack"
            for node in self.nodes
            for edge in node.edges
        )

    def _legend(self) -> list[Use]:
        """Every tensor of the user's that is trained."""
        return [
            Use(
                leaf,
                full_name(self.names, edge),
                edge.array.shape,
                count,
                self._is_parameter(leaf),
                backward,
            )
            for leaf, (_, edge, count, backward) in self.leaves.items()
            if edge.requires_grad
        ]
