"""Safe text and short numbers, for every page, picture and terminal.

User text (names, words, file names) passes through `clean` before it is shown, so
that no control character, no half of a surrogate pair and no mark that turns the
direction of writing reaches any output.

Read next: `plain_letters.py`.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

LONGEST = 44  # characters of a name that are shown
_HARMFUL = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


@lru_cache(maxsize=8192)
def _clean(text: str, longest: int) -> str:
    cut = text[: longest + 1]
    shown = "".join(
        "�" if unicodedata.category(char) in _HARMFUL else char for char in cut
    )
    return shown if len(text) <= longest else shown[: longest - 1] + "…"


def clean(text: object, longest: int = LONGEST) -> str:
    """User text as one line that is safe to show: what cannot be shown is "�"."""
    text = str(text)
    if len(text) <= longest and text.isascii() and text.isprintable():
        return text
    # A cache must not keep a megabyte alive: it sees the beginning, and whether more.
    return _clean(text[: longest + 1], longest)


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Which of the known words was most likely meant; None if none is near."""
    import difflib

    folded = {name.casefold(): name for name in known}
    typed = str(word).casefold()
    near = difflib.get_close_matches(typed, folded)
    swapped = [one for one in near if sorted(one) == sorted(typed)]  # two letters
    return folded[(swapped or near)[0]] if near else None


@lru_cache(maxsize=1024)
def shape_text(shape: tuple[int, ...]) -> str:
    """(5, 1, 4) as "5×1×4"; a scalar as nothing."""
    return "×".join(map(str, shape))


def number(value: Any) -> str:
    """A number in at most 8 characters: 0.31, -1.2e-07, 0, NaN, inf."""
    value = float(value)
    if value != value:
        return "NaN"
    if value == 0:
        return "0"
    if value in (float("inf"), float("-inf")):
        return "∞" if value > 0 else "−∞"
    text = f"{value:.3g}"
    return text.replace("e-0", "e-").replace("e+0", "e").replace("e+", "e")
