"""Boxes and lines as DOT statements; what is alike is put into words once.

Read next: `dot_statements.py`.
"""

from __future__ import annotations

from typing import Any

from minigrad.drawing.arrange.layout import Layout
from minigrad.drawing.read.picture import Box, Line, Picture
from minigrad.drawing.style import (
    HEAT,
    SMALL,
    Theme,
    box_size,
    font_size,
    gradient_style,
    heat_colours,
    heat_height,
    mix,
    text_of,
)
from minigrad.drawing.write.dot_attributes import (
    box_style,
    label,
    line_style,
    line_words,
    pairs,
    position,
    quote,
    title,
)
from minigrad.drawing.write.dot_statements import Statements
from minigrad.drawing.write.way_points import (
    beginnings,
    downward,
    gates_in_order,
    through,
    way_points,
)
from minigrad.reading.text import number

TITLED = 20_000  # boxes: larger pictures have no tooltips


class Items:
    """Writes the boxes and lines of one picture to the statements."""

    def __init__(
        self,
        picture: Picture,
        theme: Theme,
        layout: Layout | None,
        faint: frozenset[str],
        out: Statements,
    ) -> None:
        self.picture = picture
        self.theme = theme
        self.layout = layout
        self.faint = faint
        self.out = out
        self.titled = len(picture.boxes) <= TITLED
        self.ways = {} if layout else way_points(picture)
        self.begun = {} if layout else beginnings(picture, self.ways)
        placed: dict[str, bool] = {}  # in the step, above what reads it?
        for ghost, ranks in self.begun.values():
            placed[ghost.id] = placed.get(ghost.id, False) or ranks is not None
        self.begin_inside = {key for key, inside in placed.items() if inside}
        self.begin_beside = placed.keys() - self.begin_inside
        self.looks: dict[Any, Any] = {}  # what many boxes or lines share

    def box(self, box: Box) -> None:
        """Write a box, with its heat map."""
        texts = (box.lines, box.values, box.widest, len(box.heat))
        key = (box.kind, texts, box.letter, box.round, box.shade, box.backward)
        words, size, style = self.looks.get(key) or self._box_looks(box, key)
        place = ""
        if self.layout:
            x, y, w, h = self.layout.boxes[box.id]
            place = f' pos="{x:.2f},{y:.2f}"'
            size = f'width="{w / 72:.3f}" height="{h / 72:.3f}"'
        if self.titled:
            place += f" tooltip={quote(title(box, self.picture.nodes))}"
        if self.faint:
            style += self._faded(box.id)
        self.out.append(f'{box.id} [id="{box.id}" {words} {size}{place} {style}]')
        if box.heat and self.layout and box.id not in self.faint:
            self._heat(box)

    def _box_looks(self, box: Box, key: tuple[Any, ...]) -> tuple[str, str, str]:
        """Words, size and looks of a box as DOT: made once for all that are alike."""
        w, h = box_size(box)
        text = text_of(box)
        if box.heat and self.layout:  # room under the text
            text += ("",) * max(1, round(heat_height(box) / font_size(box) / 1.2))
        rounded = box.round and not box.values
        marked = box.backward and box.kind != "elision"
        kind = f"{box.kind} backward" if marked else box.kind
        self.looks[key] = (
            f'class="{kind}" label={label(text)}',
            f'width="{w / 72:.3f}" height="{h / 72:.3f}"',
            box_style(self.theme, box.kind, box.letter, rounded, box.shade, marked),
        )
        return self.looks[key]

    def _faded(self, *boxes: str) -> str:
        """How things look that have not happened yet (in frames)."""
        if not self.faint.intersection(boxes):
            return ""
        pale = mix(self.theme.faint, self.theme.paper, 0.22)
        kind = self.picture.boxes[boxes[0]].kind if len(boxes) == 1 else ""
        style = {"": "solid", "weight": "dashed", "bar": "solid"}.get(kind, "rounded")
        return (
            f' color="{pale}" fontcolor="{pale}" fillcolor="{self.theme.paper}"'
            f' style="{style}"'
        )

    def _heat(self, box: Box) -> None:
        """The heat map of a box: a striped strip for each row, in its lower part."""
        assert self.layout is not None
        x, y, w, h = self.layout.boxes[box.id]
        for k, row in enumerate(box.heat):
            at = y - h / 2 + 5 + HEAT * (len(box.heat) - k - 0.5)
            self.out.append(
                f'{box.id}_heat{k} [id="{box.id}_heat{k}" class="heat" label=""'
                f' pos="{x:.2f},{at:.2f}" width="{(w - 12) / 72:.3f}"'
                f' height="{HEAT / 72:.3f}" style="striped" penwidth="0.4"'
                f' tooltip="heat map" color="{self.theme.faint}"'
                f' fillcolor="{heat_colours(self.theme, row)}"]'
            )

    def begins(self, box: str) -> bool:
        """Is it what a loop begins with, and has a place of its own?"""
        return box in self.begin_inside or box in self.begin_beside

    def beside(self, tiles: set[str]) -> None:
        """Write what loops begin with that stands beside the first of these steps."""
        for box in self.picture.boxes.values():
            if box.id in self.begin_beside and box.tile in tiles:
                self.box(box)

    def names_of_lines(self, tile: str) -> None:
        """Write the names through which lines enter a step, what it begins with, and
        the order of its gates."""
        if self.layout is None and self.picture.recurrent:
            self.out += gates_in_order(self.picture, self.picture.tiles[tile])
        for box in self.picture.boxes.values():
            if box.id in self.begin_inside and box.tile == tile:
                self.box(box)
        for line in self.picture.lines:
            way = self.ways.get(line.id)
            if way is not None and way.tile == tile:
                words = label((line_words(line),))
                self.out.append(
                    f'{way.id} [class="way" label={words} shape="plaintext" '
                    f'fontsize={SMALL} fontcolor="{self.theme.quiet}" width="0.05" '
                    'height="0.05" margin="0.01,0.01"]'
                )

    def line(self, line: Line) -> None:
        """Write a line."""
        backward = self.picture.boxes[line.tail].backward
        key = line.kind, backward
        style = self.looks.get(key) or self._line_looks(*key)
        more = ""
        if self.picture.scale and not self.picture.plain:
            size = line.gradient
            more += " " + pairs(gradient_style(self.theme, size, self.picture.scale))
        if line.gradient is not None:
            more += f' tooltip="gradient {number(line.gradient)}"'
        words = line_words(line)
        if self.layout:
            more += f' pos="{position(self.layout.lines[line.id])}"'
            named = line.id not in self.layout.branches
            placed = line.id in self.layout.labels
            words = line_words(line, named) if placed else ""
            if words:
                x, y = self.layout.labels[line.id]
                more += f' lp="{x:.2f},{y:.2f}"'
            if line.kind == "state" and (
                line.id in self.layout.branches or backward  # sums, many side by side
            ):
                more = f' penwidth="1.3"{more}'
        if line.id in self.ways:
            self.out += through(line, self.ways[line.id], style + more)
            return
        if line.id in self.begun:
            _, ranks = self.begun[line.id]
            if ranks is not None:
                self.out.append(downward(line, line.tail, ranks, style + more))
                return
            more += ' constraint="false"'
        if words:
            # A label proper on a line that is not to count makes dot fail at times.
            free = line.kind == "state" and self.layout is None
            more += f" {'xlabel' if free else 'label'}={quote(words)}"
        if self.faint:
            more += self._faded(line.tail, line.head)
        self.out.append(f'{line.tail} -> {line.head} [id="{line.id}" {style}{more}]')

    def _line_looks(self, kind: str, backward: bool) -> str:
        """The looks of a kind of line, as DOT."""
        style = line_style(self.theme, kind, self.layout is None, backward)
        self.looks[kind, backward] = f'class="{kind}"{style}'
        return self.looks[kind, backward]
