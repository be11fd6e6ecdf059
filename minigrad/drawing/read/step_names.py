"""Names for the time steps: the words of a sentence, dates, whatever is read.

Read next: `values.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from minigrad.drawing.read.operation_symbols import text_width
from minigrad.drawing.read.picture import Box, Column, Picture
from minigrad.drawing.style import SIZE
from minigrad.engine.errors import ArgumentError
from minigrad.reading.text import clean

LONGEST = 18  # characters of a name that are shown


def names_of_steps(
    columns: Sequence[Column], words: Sequence[object] | None
) -> dict[Column, str]:
    """The name of every column: "3: but". Of several loops words name the first one's
    steps, or those of all, one loop after the other.

    ArgumentError for something that is no sequence, or of another length.
    """
    if words is None:
        return {}
    if isinstance(words, str):
        words = words.split()
    try:
        shown = [clean(word, LONGEST) for word in words]
    except TypeError:
        raise ArgumentError(
            "draw: words must be a list of names",
            expect="a sequence of strings, one per time step",
            actual=clean(repr(words), 60),
            hint='words=["the", "movie"]',
        ) from None
    first = [column for column in columns if column[0] == columns[0][0]]
    if len(shown) not in (len(first), len(columns)):
        more = len(columns) > len(first)
        total = f", or {len(columns)}, for all loops" if more else ""
        raise ArgumentError(
            f"draw: {len(shown)} words for {len(first)} steps",
            expect=f"one word per time step: {len(first)}{total}",
            actual=f"{len(shown)} words",
            hint="leave words out, or cut them as the input was",
        )
    named = zip(columns, shown, strict=False)
    return {column: f"{column[1]}: {word}" for column, word in named}


def name_steps(picture: Picture, names: Mapping[Column, str]) -> None:
    """Title the steps of every layer."""
    for tile in picture.tiles.values():
        if tile.kind != "step" or tile.column is None or tile.column not in names:
            continue
        tile.title = names[tile.column]
        for key in tile.boxes:
            box = picture.boxes[key]
            if box.kind == "cell":
                box.lines = (tile.title, *box.lines[1:])
    if names:
        _alike(picture)


def _alike(picture: Picture) -> None:
    """Cells of one row get the width of the widest name: steps look alike."""
    rows: dict[str, list[Box]] = {}
    for box in picture.boxes.values():
        if box.kind == "cell":
            rows.setdefault(picture.tiles[box.tile].row, []).append(box)
    for boxes in rows.values():
        widest = max((box.lines[0] for box in boxes), key=lambda s: text_width(s, SIZE))
        for box in boxes:
            box.widest = widest
