"""Names for the time steps: the words of a sentence, dates, whatever is read.

Read next: `values.py`.
"""

from __future__ import annotations

from collections.abc import Sequence

from minigrad.drawing.read.operation_symbols import text_width
from minigrad.drawing.read.picture import Picture
from minigrad.drawing.style import SIZE
from minigrad.engine.errors import ArgumentError
from minigrad.reading.text import clean

LONGEST = 18  # characters of a name that are shown


def name_steps(picture: Picture, words: Sequence[object] | None) -> None:
    """Title step t of every layer with word t. Where two loops follow each other, the
    words are those of the first. ArgumentError for something that is no sequence."""
    if words is None:
        return
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
    for tile in picture.tiles.values():
        if tile.kind != "step" or tile.column is None:
            continue
        run, step = tile.column
        if run or not 0 <= step < len(shown):
            continue
        tile.title = f"{step}: {shown[step]}"
        for key in tile.boxes:
            box = picture.boxes[key]
            if box.kind == "cell":
                box.lines = (tile.title, *box.lines[1:])
    _alike(picture)


def _alike(picture: Picture) -> None:
    """Cells of one row get the width of the widest name: steps look alike."""
    rows: dict[str, list] = {}
    for box in picture.boxes.values():
        if box.kind == "cell":
            rows.setdefault(picture.tiles[box.tile].row, []).append(box)
    for boxes in rows.values():
        widest = max((box.lines[0] for box in boxes), key=lambda s: text_width(s, SIZE))
        for box in boxes:
            box.widest = widest
