"""Places the titles of steps, gates and rows where no line crosses them.

All steps of a row have theirs in the same place. A gate's title stands above its boxes;
where lines run there, the frame grows downwards instead, if there is room.

Read next: `stacked_rows.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minigrad.drawing.arrange.geometry import Point
from minigrad.drawing.arrange.line_labels import Rect, Room
from minigrad.drawing.read.operation_symbols import text_width
from minigrad.drawing.read.picture import Picture
from minigrad.drawing.style import SIZE, SMALL
from minigrad.reading.text import clean

if TYPE_CHECKING:
    from minigrad.drawing.arrange.layout import Layout

STRIP = 13.0  # the height that a gate's frame has for its title
Key = tuple[str, tuple[str, ...]]  # tile, path of clusters; () for the step's own title


def place_titles(picture: Picture, layout: Layout, lines: Room, boxes: Room) -> None:
    """Fill `layout.titles`: the middle of each title. Rows are under their ids.

    lines, boxes  the room that lines and boxes take
    """
    groups: dict[tuple[Any, ...], list[Key]] = {}
    for tile in layout.tiles:
        row = picture.tiles[tile].row
        groups.setdefault((row, ()), []).append((tile, ()))
    for tile, path in layout.clusters:
        row = picture.tiles[tile].row
        groups.setdefault((row, path), []).append((tile, path))
    frames: dict[str, list[tuple[tuple[str, ...], Rect]]] = {}
    for (tile, path), rect in layout.clusters.items():
        frames.setdefault(tile, []).append((path, rect))
    for (_, path), keys in groups.items():
        if path:
            low = all(_room_below(key, layout, boxes, frames[key[0]]) for key in keys)
            _place_gate(keys, layout, lines, low)
        else:
            words = [picture.tiles[tile].title for tile, _ in keys]
            _place_step(keys, words, layout, lines)
    _place_rows(picture, layout, lines)


def _at(rect: Rect, side: str, words: str, size: float) -> Point:
    """The middle of a title in the upper part of a frame."""
    x0, _, x1, y1 = rect
    half = text_width(words, size) / 2
    y = y1 - size * 0.85
    if side == "left" or x1 - x0 < 2 * half:
        return max(x0 + half + 7, (x0 + x1) / 2 if x1 - x0 < 2 * half else 0), y
    return (x1 - half - 7 if side == "right" else (x0 + x1) / 2), y


def rect_of(point: Point, words: str, size: float) -> Rect:
    """The room that a title takes."""
    half = text_width(words, size) / 2
    x, y = point
    return x - half, y - size * 0.6, x + half, y + size * 0.6


def _place_step(keys: list[Key], words: list[str], layout: Layout, lines: Room) -> None:
    def crossed(side: str) -> int:
        return sum(
            not lines.free(rect_of(_at(layout.tiles[t], side, w, SIZE), w, SIZE))
            for (t, _), w in zip(keys, words, strict=True)
        )

    best = min(("left", "middle", "right"), key=crossed)
    for (tile, path), word in zip(keys, words, strict=True):
        layout.titles[(tile, path)] = _at(layout.tiles[tile], best, word, SIZE)


def _place_gate(keys: list[Key], layout: Layout, lines: Room, may: bool) -> None:
    """`may`: is there room for the title under the frame?"""
    words = clean(keys[0][1][-1])

    def crossed(option: tuple[bool, str]) -> int:
        low, side = option
        count = 0
        for key in keys:
            rect = layout.clusters[key]
            if low:
                point = _low(rect, side, words)
            else:
                point = _at(rect, side, words, SMALL)
            count += not lines.free(rect_of(point, words, SMALL))
        return count

    sides = ("middle", "left", "right")
    options = [
        (low, side) for low in ((False, True) if may else (False,)) for side in sides
    ]
    low, side = min(options, key=crossed)
    for key in keys:
        x0, y0, x1, y1 = rect = layout.clusters[key]
        if low:
            layout.titles[key] = _low(rect, side, words)
            layout.clusters[key] = (x0, y0 - STRIP, x1, y1 - STRIP + 1)
        else:
            layout.titles[key] = _at(rect, side, words, SMALL)


def _low(rect: Rect, side: str, words: str) -> Point:
    """The middle of a title in a strip under a frame."""
    x0, y0, x1, _ = rect
    return _at((x0, y0 - STRIP, x1, y0), side, words, SMALL)


def _room_below(
    key: Key, layout: Layout, boxes: Room, frames: list[tuple[tuple[str, ...], Rect]]
) -> bool:
    """May the frame grow downwards: over no box, no other frame, no tile's border?"""
    tile, path = key
    a, b, c, _ = layout.clusters[key]
    strip = (a, b - STRIP, c, b - 0.5)
    if not boxes.free(strip) or len(path) > 1:
        return False
    if tile in layout.tiles and strip[1] < layout.tiles[tile][1] + 3:
        return False
    return not any(
        a < x1 and c > x0 and strip[1] < y1 and b > y0
        for other, (x0, y0, x1, y1) in frames
        if other[: len(path)] != path
    )


def _place_rows(picture: Picture, layout: Layout, lines: Room) -> None:
    """To the left of the first step; above whatever stands there."""
    boxes = [
        (x - w / 2, y - h / 2, x + w / 2, y + h / 2)
        for x, y, w, h in layout.boxes.values()
    ]
    for row in picture.rows:
        rects = [r for t, r in layout.tiles.items() if picture.tiles[t].row == row.id]
        if not rects or not row.title:
            continue
        half = text_width(row.title, SIZE) / 2
        left, top = min(r[0] for r in rects), max(r[3] for r in rects)
        x, y = left - half - 20, top - SIZE * 0.85
        for _ in range(60):  # away from lines that run up beside the first step
            taken = rect_of((x, y), row.title, SIZE)
            if lines.free(taken):
                break
            x -= 4
        for a, b, c, d in boxes:
            if a < taken[2] and c > taken[0] and b < taken[3] and d > taken[1]:
                y = max(y, d + 10)
        layout.titles[row.id] = (x, y)


def title_rects(picture: Picture, layout: Layout) -> list[Rect]:
    """The room that all titles take."""
    found = []
    rows = {row.id: row for row in picture.rows}
    for key, point in layout.titles.items():
        if isinstance(key, str):
            found.append(rect_of(point, rows[key].title, SIZE))
        elif key[1]:  # type: ignore[index]
            found.append(rect_of(point, clean(key[1][-1]), SMALL))  # type: ignore[index]
        else:
            words = picture.tiles[key[0]].title  # type: ignore[index]
            found.append(rect_of(point, words, SIZE))
    return found
