"""Finds, in each row, the lines that carry each state from step to step.

A *slot* is an input of an operation of a step, both counted within the step. The slots
that one value from the step before goes to are one state: h, say, or c. What comes to
the same slots of the first step is the initial state.

Read next: `tile_sketch.py`.
"""

from __future__ import annotations

from typing import Any

from minigrad.drawing.read.picture import Line, Picture, Tile
from minigrad.drawing.style import GHOSTS

Slot = tuple[int, int, int]  # operation, input, and how many operations the step has


class States:
    """The states of every row, and the state that each line carries."""

    def __init__(self, picture: Picture) -> None:
        self.picture = picture
        self.ordinals: dict[str, dict[int, int]] = {}
        self.slots: dict[str, list[set[Slot]]] = {}  # row -> the slots of each state
        # (row, operation within step, output)
        self.sources: dict[tuple[Any, ...], int] = {}
        self.of: dict[str, int] = {}  # line -> its state
        self._find()
        self._name()
        self.initial = self._initial()

    def tile(self, box: str) -> Tile:
        """The tile of a box."""
        return self.picture.tiles[self.picture.boxes[box].tile]

    def _ordinal(self, tile: Tile, number: int) -> int:
        if tile.id not in self.ordinals:
            numbers = sorted(
                n for key in tile.boxes for n in self.picture.boxes[key].nodes
            )
            self.ordinals[tile.id] = {n: k for k, n in enumerate(numbers)}
        return self.ordinals[tile.id][number]

    def _slots_of(self, line: Line) -> set[Slot]:
        tile = self.tile(line.head)
        return {
            (self._ordinal(tile, number), k, len(self.ordinals[tile.id]))
            for number, k in line.uses
        }

    def _is_state(self, line: Line) -> bool:
        """Does the line lead from one step to another of the same row?"""
        a, b = self.tile(line.tail), self.tile(line.head)
        return line.kind == "state" and a.row == b.row

    def _find(self) -> None:
        """Slots that take one value belong together."""
        values: dict[tuple[Any, ...], set[Slot]] = {}
        for line in self.picture.lines:
            if self._is_state(line) and self.tile(line.head).kind == "step":
                head = self.tile(line.head)
                key = (head.row, head.id, line.tail, line.source)
                values.setdefault(key, set()).update(self._slots_of(line))
        for (row, *_), found in values.items():
            united, apart = set(found), []
            for other in self.slots.get(row, []):
                if other & united:
                    united |= other
                else:
                    apart.append(other)
            self.slots[row] = [*apart, united]
        for groups in self.slots.values():
            groups.sort(key=min)

    def _state(self, row: str, slots: set[Slot]) -> int | None:
        for k, group in enumerate(self.slots.get(row, ())):
            if slots <= group:
                return k
        return None

    def _name(self) -> None:
        """The state of each line; of lines to hidden steps, by where they come from."""
        later = []
        for line in self.picture.lines:
            head, tail = self.tile(line.head), self.tile(line.tail)
            if head.kind != "step":
                if self._is_state(line):
                    later.append(line)
                continue
            if not (self._is_state(line) or tail.kind in ("outside", "bar", "step")):
                continue
            if tail.kind == "step" and not self._is_state(line):
                ghost = self.picture.boxes[line.tail].kind in GHOSTS
                if not ghost:
                    continue
            state = self._state(head.row, self._slots_of(line))
            if state is None:
                continue
            self.of[line.id] = state
            if tail.kind == "step" and self._is_state(line) and line.source:
                number, index = line.source
                key = (tail.row, self._ordinal(tail, number), index)
                self.sources.setdefault(key, state)
        for line in later:
            tail = self.tile(line.tail)
            if tail.kind == "step" and line.source:
                number, index = line.source
                key = (tail.row, self._ordinal(tail, number), index)
                if key not in self.sources:
                    self.sources[key] = self._by_name(line, tail.row)
                self.of[line.id] = self.sources[key]

    def _by_name(self, line: Line, row: str) -> int:
        """The state of a line from the only step that is shown: that of a line into it
        with the same letter, else one that no other line has."""
        letter = line.label.partition("_")[0]
        taken = {s for (r, *_), s in self.sources.items() if r == row}
        for other in self.picture.lines:
            state = self.of.get(other.id)
            same = other.label.partition("_")[0] == letter
            if state is not None and state not in taken and same:
                if self.tile(other.head).row == row:
                    return state
        count = max(len(self.slots.get(row, ())), len(taken) + 1)
        return next(k for k in range(count + 1) if k not in taken)

    def _initial(self) -> set[str]:
        """The ghosts that bring nothing but the initial state."""
        lines: dict[str, list[Line]] = {}
        for line in self.picture.lines:
            if self.picture.boxes[line.tail].kind in GHOSTS:
                lines.setdefault(line.tail, []).append(line)
        return {
            key
            for key, found in lines.items()
            if all(line.id in self.of for line in found)
            and self.tile(key).kind == "step"
        }

    def signature(self, row: str) -> tuple[Any, ...]:
        """What tells one row's states from another's: for tiles that look alike."""
        return tuple(tuple(sorted(group)) for group in self.slots.get(row, ()))
