"""Shows arrays in a terminal: small ones in full, others as bars and a few numbers.

The text is complete without colour; colour only repeats the sign. The lowest bar is the
smallest entry, the highest bar the largest.

Read next: `event_keys.py`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from rich.text import Text

from minigrad.reading.text import number, shape_text
from minigrad.stepping.record.events import Array

BARS = "▁▂▃▄▅▆▇█"
PLAIN = ".:-=+*#@"  # where the terminal's encoding has no bars
POSITIVE, NEGATIVE, ODD = "dark_orange3", "dodger_blue2", "bold magenta"
CELL = 10  # columns that a number takes, with the space before it


def style(value: Any) -> str:
    """The colour of a number: its sign; NaN and infinity stand out."""
    if not np.isfinite(value):
        return ODD
    return POSITIVE if value > 0 else NEGATIVE if value < 0 else "dim"


def shape_of(array: Array) -> str:
    """The shape in words: "1×4", "scalar"."""
    return shape_text(array.shape) or "scalar"


def shown(array: Array, width: int, rows: int, bars: str = BARS) -> Text:
    """An array in at most `rows` lines of `width` columns (facts take one more)."""
    values = _real(array.sample)
    if not values.size:
        return Text("no entries", style="dim")
    if array.array is not None:
        columns = array.shape[-1] if array.shape else 1
        grid = values.reshape(-1, columns)
        if len(grid) <= rows and columns * CELL <= width:
            return _numbers(grid)
        if len(grid) < rows and columns <= width and array.size <= 4096:
            return _with_facts([_bars(row, array, bars) for row in grid], array, width)
    return _with_facts([_bars(_thinned(values, width), array, bars)], array, width)


def _real(values: np.ndarray) -> np.ndarray:
    return np.abs(values) if values.dtype.kind == "c" else values


def _numbers(grid: np.ndarray) -> Text:
    """Every entry, in columns."""
    text = Text()
    for k, row in enumerate(grid):
        text.append("\n" if k else "")
        for value in row:
            text.append(f"{number(value):>{CELL - 1}} ", style=style(value))
    return text


def _thinned(values: np.ndarray, width: int) -> np.ndarray:
    """Entries at even distances, as many as there is room for."""
    count = max(1, min(width, 48, len(values)))
    return values[np.arange(count) * len(values) // count]


def _bars(row: np.ndarray, array: Array, bars: str) -> Text:
    """One bar per entry; "?" for NaN, "!" for an infinity."""
    low, high = array.facts.minimum, array.facts.maximum
    span = high - low
    text = Text()
    for value in row:
        if np.isnan(value):
            text.append("?", style=ODD)
        elif np.isinf(value):
            text.append("!", style=ODD)
        else:
            part = (float(value) - low) / span if 0 < span < np.inf else 0.5
            place = min(len(bars) - 1, int(part * len(bars)))
            text.append(bars[place], style=style(value))
    return text


def _with_facts(lines: list[Text], array: Array, width: int) -> Text:
    """Bars, and below them what they stand for."""
    facts = array.facts
    words = [
        f"{number(facts.minimum)} to {number(facts.maximum)}",
        f"mean {number(facts.mean)}",
        f"norm {number(facts.norm)}",
    ]
    if facts.nans:
        words.append(f"{facts.nans:,} NaN")
    if facts.infinities:
        words.append(f"{facts.infinities:,} infinite")
    if len(lines) == 1 and lines[0].cell_len < array.size:
        words.append(f"{lines[0].cell_len} of {array.size:,} entries")
    line = ", ".join(words)
    text = Text("\n").join(lines)
    text.append("\n")
    text.append(line, style="dim")
    return text
