"""Output on a terminal, or into a file, whose encoding lacks some letters.

    with plain_streams():
        print("12.5 °C ≥ σ(x)")        # in ASCII: 12.5 degC >= sigma(x)

A Windows console in cp1252, a log in ASCII: within `plain_streams` what cannot be
encoded is written in plain letters, and nothing fails. Files are always UTF-8.

Read next: `minigrad/compiler/` (the same program, faster).
"""

# ruff: noqa: RUF001 (letters that look like others are what this file is about)

from __future__ import annotations

import codecs
import os
import sys
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager, suppress

HANDLER = "minigrad-plain"  # the name under which Python knows `plainly`

# One letter for one where there is one, so that tables keep their columns.
PLAIN = {
    "°": "deg", "±": "+-", "×": "x", "·": "*", "÷": "/", "−": "-", "–": "-", "—": "-",
    "‐": "-", "‑": "-", "…": "...", "⋯": "...", "•": "*", "●": "*", "○": "o", "◎": "o",
    "≤": "<=", "≥": ">=", "≠": "!=", "≈": "~", "∼": "~", "∞": "inf", "√": "sqrt",
    "∂": "d", "∇": "grad", "∑": "sum", "Σ": "sum", "∏": "prod", "Π": "prod",
    "∈": "in", "‖": "||", "∗": "*", "⊙": "*", "∘": "o", "⊕": "+", "′": "'", "ᵀ": "^T",
    "→": "->", "←": "<-", "↔": "<->", "⇄": "<->", "⇒": "=>", "↑": "^", "↓": "v",
    "‘": "'", "’": "'", "“": '"', "”": '"', "„": '"', "‹": "<", "›": ">", "«": '"',
    "»": '"', "▽": "0", "▲": "^", "▼": "v", "✓": "+", "✔": "+", "✗": "x", "✘": "x",
    "�": "?", "ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "Ø": "O", "Ł": "L",
    "⁄": "/", "€": "EUR", "£": "GBP", "©": "(c)", "®": "(R)", "™": "(TM)", "µ": "u",
    "⚠": "!", "λ": "lambda", "Λ": "Lambda", "░": ".", "▒": ":", "▓": "#",
}  # fmt: skip
PLAIN |= dict(zip("▁▂▃▄▅▆▇█", "_.:-=+*#", strict=True))  # bars, low to high
_BOX = range(0x2500, 0x2580)  # the lines of tables and frames


def plain(char: str) -> str:
    """A letter or sign in ASCII: "sigma", "degC", ">="; "?" if there is no way."""
    if char.isascii():
        return char
    known = PLAIN.get(char)
    if known is not None:
        return known
    if ord(char) in _BOX:
        return _line(char)
    name = unicodedata.name(char, "")
    if name.startswith("GREEK") and "LETTER " in name:
        letter = name.partition("LETTER ")[2].split()[0]
        return letter.lower() if "SMALL" in name else letter.capitalize()
    kind, _, _ = unicodedata.decomposition(char).partition(" ")
    parts = unicodedata.normalize("NFKD", char)
    kept = "".join(c if c.isascii() else PLAIN.get(c, "") for c in parts)
    if kept:
        return {"<super>": "^", "<sub>": "_"}.get(kind, "") + kept
    if unicodedata.combining(char):
        return ""
    return "??" if unicodedata.east_asian_width(char) in "WF" else "?"


def plain_text(text: str) -> str:
    """All of a text in ASCII."""
    return text if text.isascii() else "".join(map(plain, text))


def _line(char: str) -> str:
    """A line of a table: "-", "|", or "+" where lines meet."""
    name = unicodedata.name(char)
    turns = (" AND ", "DIAGONAL", "ARC")
    if not any(word in name for word in turns):
        level = "HORIZONTAL", "LEFT", "RIGHT"
        return "-" if any(word in name for word in level) else "|"
    return "+"


def plainly(error: UnicodeError) -> tuple[str, int]:
    """What Python asks when letters cannot be encoded: these instead, and where to go
    on."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return plain_text(error.object[error.start : error.end]), error.end


codecs.register_error(HANDLER, plainly)


@contextmanager
def plain_streams() -> Iterator[None]:
    """Within it no letter is too much for standard output and error.

    A stream that a user gave a way of their own (PYTHONIOENCODING=ascii:ignore) keeps
    it. Where there is no standard output at all what is written is dropped. Input that
    is not in its encoding is read with a mark in its place, from then on.
    """
    changed, dropped = [], []
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # closed before the program began
            stream = open(os.devnull, "w", encoding="utf-8")
            dropped.append((name, stream))
            setattr(sys, name, stream)
        own = ("strict", "surrogateescape", "backslashreplace")
        if hasattr(stream, "reconfigure") and stream.errors in own:
            changed.append((stream, stream.errors))
            stream.reconfigure(errors=HANDLER)
    if hasattr(sys.stdin, "reconfigure") and sys.stdin.errors == "strict":
        with suppress(OSError):  # it cannot be changed once it was read from
            sys.stdin.reconfigure(errors="replace")
    try:
        yield
    finally:
        for stream, errors in changed:
            if not stream.closed:
                stream.reconfigure(errors=errors)
        for name, stream in dropped:
            setattr(sys, name, None)
            stream.close()


def is_unicode(stream: object) -> bool:
    """Can every letter be written to it as it is?"""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    try:
        return codecs.lookup(encoding).name.startswith("utf")
    except LookupError:
        return False
