"""Texts of the held-out part that stand in the training part too: how many?

What was learned by heart is no measure of what was learned. The parts stay as they are,
and the number is said beside the figures.

Read next: `statistics.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

SAMPLES = 200  # places of a long text that are looked up
WINDOW = 60  # characters of it that are compared
SHARE = 0.05  # of them repeated: from there on it is worth a word


def repeated(train: Iterable[str], held: Sequence[str], what: str) -> list[str]:
    """A sentence with their number, or none: letter case and blanks do not count."""
    known = {_key(text) for text in train}
    count = sum(_key(text) in known for text in held)
    if not count:
        return []
    stand = "stands" if count == 1 else "stand"
    return [
        f"{count:,} of the {len(held):,} held-out {what} also {stand} in the training "
        "part: there the figures show what was learned by heart."
    ]


def contradictory(texts: Sequence[str], positive: Sequence[bool]) -> list[str]:
    """A sentence with the number of texts that are on both sides, or none."""
    sides: dict[str, set[bool]] = {}
    for text, side in zip(texts, positive, strict=True):
        sides.setdefault(_key(text), set()).add(bool(side))
    count = sum(len(both) > 1 for both in sides.values())
    if not count:
        return []
    are = "text is" if count == 1 else "texts are"
    return [
        f"{count:,} {are} there twice or more, once rated positive and once negative: "
        "nobody can be right about both."
    ]


def repeated_passages(train: str, held: str) -> list[str]:
    """The same for a long text: the share of its held-out part, from some samples."""
    last = len(held) - WINDOW
    if last < 0:
        return []
    starts = range(0, last + 1, max(1, last // SAMPLES))
    share = sum(held[k : k + WINDOW] in train for k in starts) / len(starts)
    if share < SHARE:
        return []
    return [
        f"About {share:.0%} of the held-out part also stands word for word in the "
        "training part: there the figures show what was learned by heart."
    ]


def _key(text: str) -> str:
    return " ".join(text.casefold().split())
