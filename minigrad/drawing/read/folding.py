"""A loop folded: the cell once, its states as arrows that lead back into it, "h × 6".

One step stands for all. The operations of the other steps are matched with its own, in
order; what they read is drawn where it differs in kind: the initial state of the first
step, say. Every use of a weight is counted.

Read next: `step_names.py`.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from difflib import SequenceMatcher
from typing import Any

from minigrad.drawing.read.picture import Column, Line, Picture
from minigrad.drawing.read.read_graph import Reader
from minigrad.engine.errors import DrawingError
from minigrad.engine.graph import Leaf, Node
from minigrad.reading.levels import letter_of
from minigrad.reading.text import clean


def read_folded(sources: list[Node | Leaf | None], level: str) -> Picture:
    """The folded picture of everything that the sources were computed from."""
    return FoldedReader(sources, level).picture(sources)


class FoldedReader(Reader):
    """Makes the boxes and lines of one picture, those of every loop once.

    stands_for  per operation the one that is drawn for it: itself, or one of the step
                that stands for all; None for what only some other step does
    """

    def __init__(self, sources: list[Node | Leaf | None], level: str) -> None:
        super().__init__(sources, level)
        if any(part.backward for part in self.places.part):
            raise DrawingError(
                "draw: a recorded backward pass cannot be folded",
                expect="the graph of a loss or an output, with fold=True",
                actual="a graph made with create_graph=True",
                hint="leave out fold=True, or draw the loss alone",
            )
        self.steps: dict[int, list[int]] = {}  # run -> its steps
        for run, step in self.places.columns:
            self.steps.setdefault(run, []).append(step)
        self.shown = {run: steps[len(steps) > 1] for run, steps in self.steps.items()}
        self.stands_for = self._matched()
        self.loops: dict[tuple[Any, ...], Line] = {}
        # What an input of a box comes from
        self.kinds: dict[tuple[int, int], set[Any]] = {}
        self.joined: dict[tuple[Any, ...], int] = {}  # (value, box) -> whose line it is
        self.uses: Counter[Any] = Counter()

    def picture(self, sources: list[Node | Leaf | None]) -> Picture:
        """Read the whole graph."""
        picture = super().picture(sources)
        picture.columns = [c for c in picture.columns if self._is_shown(c)]
        picture.lines.sort(key=lambda line: line.kind == "state")  # drawn over others
        for tile in picture.tiles.values():
            if tile.column is not None:
                tile.title = self._title(tile.column[0])
        for key, box in picture.boxes.items():
            if box.kind == "cell":
                box.lines = (picture.tiles[box.tile].title, *box.lines[1:])
            if box.kind == "weight" and picture.tiles[box.tile].kind == "step":
                box.lines = (*box.lines, f"× {self.uses[key]}")
        return picture

    def _title(self, run: int) -> str:
        steps = self.steps[run]
        return f"step t = {steps[0]} … {steps[-1]}" if len(steps) > 1 else "one step"

    def _is_shown(self, column: Column | None) -> bool:
        return column is None or self.shown[column[0]] == column[1]

    def _matched(self) -> list[int | None]:
        """For every operation the one that is drawn for it."""
        groups: dict[tuple[Any, ...], dict[int, list[int]]] = {}
        for n, column in enumerate(self.places.column):
            if column is not None:
                run, step = column
                group = groups.setdefault((run, self.places.band[n]), {})
                group.setdefault(step, []).append(n)
        found: list[int | None] = list(range(len(self.nodes)))
        for (run, _), steps in groups.items():
            kept = steps.get(self.shown[run], [])
            for step, numbers in steps.items():
                if step != self.shown[run]:
                    for n, mate in zip(
                        numbers, self._mates(numbers, kept), strict=True
                    ):
                        found[n] = mate
        return found

    def _mates(self, numbers: list[int], kept: list[int]) -> list[int | None]:
        ours, theirs = [[self._sign(n) for n in row] for row in (numbers, kept)]
        if ours == theirs:
            return list(kept)
        mates: list[int | None] = [None] * len(numbers)
        matcher = SequenceMatcher(None, ours, theirs, autojunk=False)
        for a, b, size in matcher.get_matching_blocks():
            mates[a : a + size] = kept[b : b + size]
        return mates

    def _sign(self, n: int) -> tuple[Any, ...]:
        return self.nodes[n].primitive.name, self.places.spots[n].clusters

    # ------------------------------------------------------------- boxes and lines

    def _add_box(self, number: int, node: Node) -> None:
        if self._is_shown(self.places.column[number]):
            super()._add_box(number, node)
        else:
            self.box_of.append(None)  # type: ignore[arg-type]

    def add_lines(self) -> None:
        """First what the shown steps and the outside read, then what else others do."""
        for n, mate in enumerate(self.stands_for):
            if mate is not None and mate != n:
                self.box_of[n] = self.box_of[mate]
        order = sorted(range(len(self.nodes)), key=lambda n: self.stands_for[n] != n)
        for number in order:
            mate = self.stands_for[number]
            if mate is not None:
                for k, edge in enumerate(self.nodes[number].edges):
                    self._add_folded(number, mate, k, edge)

    def _add_folded(self, number: int, mate: int, k: int, edge: Any) -> None:
        source, head = edge.source, self.box_of[mate]
        kind = self._comes_from(number, edge)
        if kind is None:
            return
        known = self.kinds.setdefault((mate, k), set())
        drawn = kind in known
        known.add(kind)
        if type(source) is Node:
            if drawn:
                return
            if kind[0] == "state":
                self._add_loop(number, mate, k, edge)
            else:
                origin = self.stands_for[self.numbers[source]]
                if self._is_joined(kind, head.id, self.numbers[source]):
                    return
                moved = edge if origin is None else _Moved(self.nodes[origin], edge)
                count = len(self.lines)
                self.add_line(mate, self.nodes[number], k, moved, head)
                for line in self.lines[count:]:
                    self._reword(line, source, edge.index)
            return
        if not drawn:
            self.add_line(mate, self.nodes[number], k, edge, head)
        elif edge.requires_grad:
            self.leaves[source][2] += 1
        if edge.requires_grad:
            self.uses[f"l{self.leaves[source][0]}_{head.tile}"] += 1

    def _reword(self, line: Line, source: Node, index: int) -> None:
        """x_1 stands for every x_t."""
        named = self.names.named(source, index)
        if line.label and named is not None and named.sub == str(index):
            if source.primitive.name == "unstack" and len(source.outputs) > 1:
                line.label = str(replace(named, sub="t"))

    def _is_joined(self, kind: tuple[Any, ...], head: str, number: int) -> bool:
        """Does this value of another step lead to the box already?"""
        return self.joined.setdefault((kind, head), number) != number

    def _comes_from(self, number: int, edge: Any) -> tuple[Any, ...] | None:
        """What kind of value an input is; alike ones are drawn once. None: left out."""
        source = edge.source
        if type(source) is not Node:
            return ("leaf", source) if edge.requires_grad else ("given",)
        n = self.numbers[source]
        origin = self.stands_for[n]
        if origin is None or self.box_of[origin] is None:
            return None
        a, b = self.places.column[n], self.places.column[number]
        if a is None:
            return "outside", n
        same = b is not None and a[0] == b[0] and a[1] != b[1]
        if same and self.places.band[n] == self.places.band[number]:
            return "state", origin, edge.index
        return "node", origin, edge.index

    def _add_loop(self, number: int, mate: int, k: int, edge: Any) -> None:
        """A state's arrow back into the step."""
        origin = self.stands_for[self.numbers[edge.source]]
        assert origin is not None
        tail, head = self.box_of[origin], self.box_of[mate]
        name = (tail.id, origin, edge.index, head.id)
        if self.level != "op" and name in self.loops:
            self.loops[name].uses.append((mate, k))
            return
        run = self.places.column[mate][0]  # type: ignore[index]
        words = clean(letter_of(edge.source), 8)
        count = f"{words} × {len(self.steps[run])}".strip()
        source = (origin, edge.index)
        line = Line(
            f"e{len(self.lines)}", tail.id, head.id, "state", count, [(mate, k)], source
        )
        self.lines.append(line)
        self.loops[name] = line


def _reword(line: Line, kind: tuple[Any, ...]) -> None:
    """x[1] stands for every x[t]."""
    if kind[0] == "outside" and line.label.endswith("]"):
        line.label = f"{line.label.rpartition('[')[0]}[t]"


class _Moved:
    """An edge that leads to what is drawn for its source."""

    __slots__ = ("array", "index", "requires_grad", "source")

    def __init__(self, source: Node, edge: Any) -> None:
        self.source, self.index = source, edge.index
        self.array, self.requires_grad = edge.array, edge.requires_grad
