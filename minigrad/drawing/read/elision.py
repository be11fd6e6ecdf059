"""Leaving out the middle of a long sequence: "... 94 steps ..." in place of its tiles.

Read next: `continued_rows.py`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from itertools import groupby
from typing import Any

from minigrad.drawing.read.picture import Box, Column, Line, Picture, Tile
from minigrad.engine.errors import ArgumentError
from minigrad.reading.text import clean


def choose(
    columns: list[Column],
    max_steps: int | None,
    first: int | None,
    last: int | None,
    steps: Collection[int] | None,
) -> set[Column]:
    """The columns to show: so many of every loop. Chosen steps count most, then `first`
    and `last`."""
    for name, value in (("max_steps", max_steps), ("first", first), ("last", last)):
        whole = isinstance(value, int) and not isinstance(value, bool)
        if value is not None and (not whole or value < (name == "max_steps")):
            raise ArgumentError(
                f"draw: {name}={value!r} is not a number of steps",
                expect=f"{name}: a whole number, or None",
                actual=repr(value),
                hint="max_steps=None draws every step",
            )
    if steps is not None:
        wanted = set(steps) if isinstance(steps, Iterable) else set()
        chosen = {column for column in columns if column[1] in wanted}
        if columns and not chosen:
            raise ArgumentError(
                "draw: none of the chosen steps is in the graph",
                expect=f"steps in {columns[0][1]}..{columns[-1][1]}",
                actual=clean(f"steps={steps!r}", 80),
                hint="time steps are counted from 0",
            )
        return chosen
    if first is None and last is None and max_steps is None:
        return set(columns)
    shown: set[Column] = set()
    for _, found in groupby(columns, lambda column: column[0]):
        run = list(found)
        if first is not None or last is not None:
            head, tail = first or 0, last or 0
        elif max_steps is None or len(run) <= max_steps:
            head, tail = len(run), 0
        else:
            head, tail = max_steps - max_steps // 2, max_steps // 2
        shown.update(run[:head], run[len(run) - tail :] if tail else [])
    return shown


def elide(picture: Picture, shown: set[Column]) -> Picture:
    """The picture with one box per row in place of each stretch of hidden steps."""
    if len(shown) == len(picture.columns):
        return picture
    gaps = _gaps(picture.columns, shown)
    stands_for: dict[str, str] = {}  # hidden box -> elision box
    boxes: dict[str, Box] = {}
    tiles: dict[str, Tile] = {}
    hidden_nodes = 0
    for tile in picture.tiles.values():
        if tile.column is None or tile.column in shown:
            tiles[tile.id] = tile
            boxes.update((key, picture.boxes[key]) for key in tile.boxes)
            continue
        number, start, count = gaps[tile.column]
        key = f"{tile.row}_gap{number}"
        if key not in tiles:
            words = ("⋯", str(count), "step" if count == 1 else "steps", "⋯")
            tiles[key] = Tile(key, "elision", tile.row, start, "", tile.first, [key])
            boxes[key] = Box(key, "elision", words, key)
        for name in tile.boxes:
            stands_for[name] = key
            box = picture.boxes[name]
            hidden_nodes += len(box.nodes)
            boxes[key].nodes += box.nodes
    lines, hidden_lines = _redirect(picture.lines, stands_for)
    columns = [
        c for c in picture.columns if c in shown or gaps.get(c, (0, None, 0))[1] == c
    ]
    return replace(
        picture,
        boxes=boxes,
        lines=lines,
        tiles=tiles,
        columns=columns,
        hidden_nodes=hidden_nodes,
        hidden_lines=hidden_lines,
        outputs=[stands_for.get(key, key) for key in picture.outputs],
    )


def in_rows(picture: Picture, shown: set[Column], count: int) -> list[Picture]:
    """The picture in rows of `count` of the steps that are shown, one picture per row.

    Each row is whole: what is before it and after it stands in a box at its side. Boxes
    and lines have other names in each row: "r1_n3".
    """
    columns = [column for column in picture.columns if column in shown]
    starts = range(0, len(columns), count)
    return [
        _renamed(elide(picture, set(columns[k : k + count])), f"r{number}_")
        for number, k in enumerate(starts)
    ]


def _renamed(picture: Picture, prefix: str) -> Picture:
    """A copy in which every box, line, tile and row has a prefix before its name."""

    def named(key: str) -> str:
        return prefix + key

    return replace(
        picture,
        boxes={
            named(key): replace(
                box,
                id=named(key),
                tile=named(box.tile),
                nodes=[*box.nodes],
                saved=named(box.saved) if box.saved else "",
            )
            for key, box in picture.boxes.items()
        },
        lines=[
            replace(
                line,
                id=named(line.id),
                tail=named(line.tail),
                head=named(line.head),
                uses=[*line.uses],
            )
            for line in picture.lines
        ],
        tiles={
            named(key): replace(
                tile,
                id=named(key),
                row=named(tile.row),
                boxes=[named(box) for box in tile.boxes],
            )
            for key, tile in picture.tiles.items()
        },
        rows=[replace(row, id=named(row.id)) for row in picture.rows],
        outputs=[named(key) for key in picture.outputs],
        legend=[replace(use) for use in picture.legend],
    )


def _gaps(
    columns: list[Column], shown: set[Column]
) -> dict[Column, tuple[int, Column, int]]:
    """For each hidden column: the number of its gap, the gap's start and its length."""
    stretches: list[list[Column]] = []
    open_stretch = False
    for column in columns:
        if column in shown:
            open_stretch = False
            continue
        if not open_stretch or stretches[-1][-1][0] != column[0]:
            stretches.append([])
        open_stretch = True
        stretches[-1].append(column)
    return {
        column: (number, stretch[0], len(stretch))
        for number, stretch in enumerate(stretches)
        for column in stretch
    }


def _redirect(lines: list[Line], stands_for: dict[str, str]) -> tuple[list[Line], int]:
    """Lines to and from hidden boxes, led to the boxes that stand for them."""
    kept: list[Line] = []
    merged: dict[tuple[Any, ...], Line] = {}
    hidden = 0
    for line in lines:
        tail = stands_for.get(line.tail)
        head = stands_for.get(line.head)
        if tail is None and head is None:
            kept.append(line)
            continue
        a, b = tail or line.tail, head or line.head
        if a == b:
            hidden += 1
            continue
        key = (a, b) if (tail and head) or line.source is None else (a, b, line.source)
        if head and not tail and line.kind == "input":
            key = (a, b)
        known = merged.get(key)
        if known is None:
            kind = line.kind
            new = Line(line.id, a, b, kind, line.label, [*line.uses], line.source)
            merged[key] = new
            kept.append(new)
        else:
            known.uses += line.uses
            hidden += 1
            if head and line.kind == "input":
                known.label = _range(known.label, line.label)
    return kept, hidden


def _range(first: str, last: str) -> str:
    """x[5] and x[94] as "x[5…94]"."""
    name, _, start = first.rstrip("]").partition("[")
    end = last.rstrip("]").rpartition("[")[2]
    start = start.partition("…")[0]
    return f"{name}[{start}…{end}]" if start and end else first
