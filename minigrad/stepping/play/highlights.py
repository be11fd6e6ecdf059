"""Finds the boxes and lines that an event marks in the drawing, for frames.

now   the operation (a highlighter's stroke around it)
in    what goes in: the boxes, and the lines they come along
out   what comes out: backward, where a contribution goes
todo  what has not happened yet: it is veiled

`stage.js` does the same for the page.

Read next: `films.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from minigrad.stepping.play.drawing_links import offset, ties
from minigrad.stepping.record.events import (
    Carried,
    Contribution,
    Event,
    Forward,
    Gradient,
    Stacked,
)

Point = tuple[float, float]
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Mark:
    """A box (left, top, width, height) or a line (points of a Bezier curve), in the
    points of the SVG."""

    kind: str
    box: Box = (0.0, 0.0, 0.0, 0.0)
    line: tuple[Point, ...] = ()
    width: float = 3.0

    def points(self, per_curve: int = 12) -> list[Point]:
        """Points along the line, for who can only paint straight ones."""
        found = [self.line[0]]
        for k in range(0, len(self.line) - 3, 3):
            a, b, c, d = self.line[k : k + 4]
            for n in range(1, per_curve + 1):
                t = n / per_curve
                s = 1 - t
                weights = s * s * s, 3 * s * s * t, 3 * s * t * t, t * t * t
                pairs = list(zip(weights, (a, b, c, d), strict=True))
                x, y = (sum(w * point[k] for w, point in pairs) for k in (0, 1))
                found.append((x, y))
        return found


class Marks:
    """Finds the marks of each event of `steps` in one drawing."""

    def __init__(self, steps: Any, drawing: Any, svg: str) -> None:
        self.steps = steps
        self.ties = ties(steps, drawing, svg)
        right, down = offset(drawing, svg)
        self.lines = {
            name: tuple([(x + right, down - y) for x, y in curve])
            for name, curve in drawing.layout.lines.items()
        }
        self.first: dict[str, int] = {}  # box -> the event at which it has happened
        for event in steps.events:
            if event.forward:
                self.first.setdefault(self.ties["boxes"][event.operation], event.number)
        of_operations = set(self.ties["boxes"].values())
        for tail, head in self.ties["ends"].values():
            if tail not in of_operations:
                at = self.first.get(head, 0)
                self.first[tail] = min(at, self.first.get(tail, at))

    def of(self, event: Event) -> list[Mark]:
        """The marks of an event; what is veiled first."""
        marks = [
            self._box(key, "todo")
            for key, first in self.first.items()
            if first > event.number and key in self.ties["areas"]
        ]
        if isinstance(event, Gradient | Carried | Stacked):
            marks += [self._box(key, "out") for key in self._of_target(event.target)]
            used = [self.ties["boxes"][k] for k in getattr(event, "operations", ())]
            return marks + [self._box(key, "in") for key in dict.fromkeys(used)]
        assert event.operation is not None
        main = self.ties["boxes"][event.operation]
        lines: dict[str, str] = {}
        boxes: dict[str, str] = {}
        if isinstance(event, Contribution):
            self._along(event.operation, event.input, "out", lines, boxes)
        else:
            if isinstance(event, Forward):
                for k in range(len(self.steps.operations[event.operation].inputs)):
                    self._along(event.operation, k, "in", lines, boxes)
            kind = "out" if isinstance(event, Forward) else "in"
            for line in self.ties["leaving"].get(event.operation, ()):
                lines.setdefault(line, kind)
        boxes.pop(main, None)
        marks += [self._line(name, kind) for name, kind in lines.items()]
        marks += [self._box(key, kind) for key, kind in boxes.items()]
        return [*marks, self._box(main, "now", 7.0, 3.0)]

    def _along(
        self,
        operation: int,
        k: int,
        kind: str,
        lines: dict[str, str],
        boxes: dict[str, str],
    ) -> None:
        """An input of an operation: the line, and the box at its other end."""
        line = self.ties["lines"].get(f"{operation},{k}")
        if line is not None:
            lines[line] = kind
            boxes[self.ties["tails"][line]] = kind

    def _of_target(self, target: int) -> list[str]:
        value = self.steps.values[target]
        if value.operation is not None:
            return [self.ties["boxes"][value.operation]]
        return self.ties["ghosts"].get(target, [])

    def _box(self, key: str, kind: str, width: float = 3.0, out: float = 0.0) -> Mark:
        x, y, w, h = self.ties["areas"][key]
        box = x - out, y - out, w + 2 * out, h + 2 * out
        return Mark(kind, box, width=width)

    def _line(self, name: str, kind: str) -> Mark:
        return Mark(kind, line=self.lines[name])
