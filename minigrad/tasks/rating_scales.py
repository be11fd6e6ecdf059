"""Ratings on any scale, brought to the one of the task: -4 (worst) to 4 (best).

Stars from 1 to 5, labels 0 and 1, the words "positive" and "negative": a scale is found
out only if both its ends occur. Otherwise the user says it (`--scale 1,5`).

Read next: `sentence_reading.py` (what happens inside a reader).
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from minigrad.data.fields import Named, NumberField
from minigrad.engine.errors import ArgumentError, DataError

BEST = 4.0  # -4 is the worst rating
KNOWN = (  # (worst, best) of scales that are met
    (0, 1), (1, 2), (0, 2), (1, 3), (0, 4), (1, 5), (0.5, 5), (0, 5), (1, 7), (1, 10),
    (0, 10), (0, 100),
)  # fmt: skip
LIKELY = ((0, 1), (1, 5), (0, 5), (1, 10), (0, 10), (0, 100))  # narrow ones first
WORDS = {
    **dict.fromkeys(("positive", "pos", "good", "positiv", "+", "true", "yes"), 1.0),
    **dict.fromkeys(("negative", "neg", "bad", "negativ", "false", "no"), -1.0),
    **dict.fromkeys(("neutral", "neu", "mixed"), 0.0),
}  # "-" stands for "no value", as everywhere
rating = NumberField("a number, or positive or negative", gaps=True, words=WORDS)


class Ratings(NamedTuple):
    """values (n,) from -4 to 4, NaN where there is none; notes: what was interpreted"""

    values: np.ndarray
    notes: list[str]


def on_our_scale(
    found: Sequence[float], lines: Sequence[int], scale: str | None, source: str
) -> Ratings:
    """The ratings of a file from -4 to 4.

    scale  "WORST,BEST" of the file; None: as its values show

    Errors:  ArgumentError for a scale that is none; DataError for ratings beyond the
             scale, and where no scale can be found out.
    """
    values = np.array(found, float)
    if not np.isfinite(values).any():
        raise DataError(
            f"{source}: no row has a rating",
            expect="numbers, or the words positive and negative",
            actual=f"{len(values)} rows without",
            hint="is it the right column?",
        )
    if any(isinstance(value, Named) for value in found):
        _all_words(found, lines, source)
        return Ratings(BEST * values, ['"positive" as 4, "negative" as -4'])
    if scale is not None:
        ends = _ends(scale)
        _within(values, ends, lines, source)
    else:
        ends = _found_out(values, lines, source)
    if ends == (-BEST, BEST):
        return Ratings(values, [])
    worst, best = ends
    middle, half = (worst + best) / 2, (best - worst) / 2
    note = f"ratings from {worst:g} (worst) to {best:g} (best) as -4 to 4"
    return Ratings(BEST * (values - middle) / half, [note])


def _ends(scale: str) -> tuple[float, float]:
    """The worst and the best rating of a scale that a user gave."""
    number = r"([+-]?\d+(?:\.\d+)?(?:e\+?\d+)?)"
    found = re.fullmatch(rf"\s*{number}\s*(?:,|;|:|\.\.|-|to)\s*{number}\s*", scale)
    ends = tuple(float(end) for end in found.groups()) if found else (0.0, 0.0)
    if ends[0] == ends[1]:
        raise ArgumentError(
            f"--scale {scale}: not a scale",
            expect="the worst and the best rating, such as 1,5",
            actual=repr(scale),
            hint="--scale 1,5 for stars, --scale=-10,10 for a scale with a minus",
        )
    return ends[0], ends[1]


def _all_words(found: Sequence[float], lines: Sequence[int], source: str) -> None:
    for line, value in zip(lines, found, strict=True):
        if not isinstance(value, Named) and not math.isnan(value):
            raise DataError(
                f"{source}, line {line}: a number where other ratings are words",
                expect="words in all rows, or numbers in all rows",
                actual=f"{value:g}",
                hint="write positive, negative or neutral; or numbers everywhere",
            )


def _within(
    values: np.ndarray, ends: tuple[float, float], lines: Sequence[int], source: str
) -> None:
    low, high = sorted(ends)
    beyond = np.flatnonzero((values < low) | (values > high))
    if beyond.size:
        largest = np.nanmax(np.abs(values))
        round_ones = [bound for bound in (5, 10, 100) if bound >= largest]
        bound = round_ones[0] if round_ones else largest
        usual = ends == (-BEST, BEST)
        raise DataError(
            f"{source}, line {lines[beyond[0]]}: a rating beyond the scale",
            expect=f"{low:g} to {high:g}",
            actual=f"{values[beyond[0]]:g}; {beyond.size:,} such rows",
            hint=f"a slip? If it is another scale, say --scale=-{bound:g},{bound:g}"
            if usual
            else "correct the rows, or give the scale that holds them all",
        )


def _found_out(
    values: np.ndarray, lines: Sequence[int], source: str
) -> tuple[float, float]:
    """(worst, best) of the scale that these ratings are on."""
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    if (low, high) in KNOWN:
        return low, high
    if low < 0:
        if low >= -1 and high <= 1:
            return -1.0, 1.0
        _within(values, (-BEST, BEST), lines, source)
        return -BEST, BEST
    likely = [ends for ends in LIKELY if ends[0] <= low and high <= ends[1]]
    worst, best = likely[0] if likely else (0, math.ceil(high))
    raise DataError(
        f"{source}: all sentences are on one side, if 0 is neither good nor bad",
        expect="-4 (worst) to 4 (best), or both ends of a scale such as 1 to 5",
        actual=f"{low:g} to {high:g}",
        hint=f"say the worst and the best rating that there can be: --scale "
        f"{worst:g},{best:g}",
    )
