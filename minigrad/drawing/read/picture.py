"""What a picture consists of: boxes, lines, clusters and tiles, as plain data.

    graph --(read_graph.py)--> Picture --(elision.py)--> Picture
    Picture --(arrangement.py)--> Layout
    Picture, Layout --(dot_text.py)--> DOT text

A *box* stands for one operation, one gate, one cell, or one use of a user's tensor (a
*ghost*). A *line* stands for the edges of the graph between two boxes. A *tile* is what
belongs to one time step of one layer; tiles form a grid: columns are steps, from left
to right, rows are layers, from bottom to top. What lies outside the steps is in tiles
of its own; an operation that joins or parts many steps (stack, unstack) is a *bar* that
spans its row.

Read next: `read_graph.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from minigrad.engine.graph import Leaf, Node
from minigrad.engine.scope import Scope

Column = tuple[int, int]  # (which run of the time loop, time step)


@dataclass(slots=True)
class Box:
    """One box.

    kind  op, gate, cell, group, bar: operations; elision: steps left out; ghosts:
          weight, input, constant, and saved (a forward value in the backward graph)
    """

    id: str
    kind: str
    lines: tuple[str, ...]  # what is written in it
    tile: str
    clusters: tuple[Scope, ...] = ()  # sub-clusters it lies in, outermost first
    nodes: list[int] = field(default_factory=list)  # the operations it stands for
    leaf: Leaf | None = None
    array: Any = None  # the value it shows, where it shows one
    round: bool = False  # a circle: elementwise arithmetic inside a gate
    letter: str | None = None  # the gate's letter: its colour
    name: str = ""  # what its value is called: f_2, v_41
    values: tuple[str, ...] = ()  # numbers to show under the lines
    heat: tuple[tuple[float, ...], ...] = ()  # a small array, -1..1: its heat map
    shade: float | None = None  # how strong its colour is, 0..1, by its value
    widest: str = ""  # the widest of the values of all boxes that are alike
    backward: bool = False  # a node of a recorded backward pass
    saved: str = ""  # of a ghost of a forward value: the box that made it


@dataclass(slots=True)
class Line:
    """One line. `kind`: data, state, weight, input, output, tie."""

    id: str
    tail: str
    head: str
    kind: str
    label: str = ""
    uses: list[tuple[int, int]] = field(default_factory=list)  # (operation, input)
    source: tuple[Any, int] | None = None  # which value flows along it
    gradient: float | None = None  # the size of the gradient that flows back along it


@dataclass(slots=True)
class Tile:
    """A rectangle of the grid. `kind`: step, outside, bar, elision."""

    id: str
    kind: str
    row: str
    column: Column | None
    title: str = ""
    first: int = 0  # the number of its first operation: for order
    boxes: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Row:
    """A row of tiles. `reverse`: its time runs from right to left."""

    id: str
    kind: str  # step, bar, outside
    title: str = ""
    reverse: bool = False


@dataclass(slots=True)
class Use:
    """A legend entry: a user's tensor, and how often the forward pass uses it."""

    leaf: Leaf
    name: str
    shape: tuple[int, ...]
    count: int
    parameter: bool  # of a module, or a plain tensor with a gradient
    backward: int = 0  # how often a recorded backward pass reads it
    values: tuple[str, ...] = ()  # minimum, maximum and mean, where they are shown


@dataclass(slots=True)
class Picture:
    """Everything that is drawn, in order of creation; nothing about where."""

    level: str
    nodes: list[Node]
    boxes: dict[str, Box]
    lines: list[Line]
    tiles: dict[str, Tile]
    rows: list[Row]  # from bottom to top
    columns: list[Column]
    legend: list[Use]
    title: str = ""
    hidden_nodes: int = 0  # operations that elision hides
    hidden_lines: int = 0
    scale: Any = None  # the scale of the gradients, where they are shown
    plain: bool = False  # only the legend shows it: lines look as without gradients
    outputs: list[str] = field(default_factory=list)  # the boxes of the drawn tensors

    def cluster_ids(self) -> dict[tuple[str, tuple[Scope, ...]], str]:
        """The id of every cluster inside a tile: (tile, path) -> name."""
        names: dict[tuple[str, tuple[Scope, ...]], str] = {}
        for tile in self.tiles.values():
            count = 0
            for path in dict.fromkeys(self.boxes[key].clusters for key in tile.boxes):
                for depth in range(1, len(path) + 1):
                    if (tile.id, path[:depth]) not in names:
                        names[(tile.id, path[:depth])] = f"{tile.id}_g{count}"
                        count += 1
        return names

    @property
    def recurrent(self) -> bool:
        """Is there a time axis?"""
        return bool(self.columns)
