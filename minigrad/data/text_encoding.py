"""From bytes to text: in the encoding that is given, or that the file's marks say.

Without a mark a file has to be UTF-8. Anything else is refused, with encodings that it
may be in (`likely_encodings.py`): a wrong guess would put wrong letters into the data,
and nobody would see it.

Read next: `likely_encodings.py`.
"""

from __future__ import annotations

import codecs

from minigrad.data.unpacking import unpacked
from minigrad.engine.errors import ArgumentError, DataError

# Longer marks first: that of UTF-32 begins with that of UTF-16.
MARKS = (
    (codecs.BOM_UTF8, "UTF-8"),
    (codecs.BOM_UTF32_LE, "UTF-32-LE"),
    (codecs.BOM_UTF32_BE, "UTF-32-BE"),
    (codecs.BOM_UTF16_LE, "UTF-16-LE"),
    (codecs.BOM_UTF16_BE, "UTF-16-BE"),
)
_CONTROLS = [bytes([k]) for k in range(32) if chr(k) not in "\t\n\f\r\x1b"]
LEFT = "\N{REPLACEMENT CHARACTER}"  # where a letter was lost before


class Text(str):
    """The text of a file. `notes`: what was interpreted in reading it, in words."""

    notes: list[str]


def text_of(raw: bytes, path: str, encoding: str | None = None) -> Text:
    """The text in the content of a file, line ends as \\n, without its mark.

    encoding  its name, such as "cp1252"; None: what the file's mark says, else UTF-8

    Errors:  DataError for bytes that are not text in this encoding (with the line), and
             for a file without text; ArgumentError for an encoding that there is not.
    """
    raw, packed = unpacked(raw, path)
    notes = [f"unpacked ({packed})"] * bool(packed)
    marked = next(((mark, name) for mark, name in MARKS if raw.startswith(mark)), None)
    if encoding is not None:
        text = _in_encoding(raw, path, encoding, marked)
        notes.append(encoding)
        if marked is None and text != (other := _as_utf8(raw)) and other is not None:
            notes.append("though it is valid UTF-8 too: try it without --encoding")
    elif marked is not None:
        mark, name = marked
        text = _decoded(raw.removeprefix(mark), path, name, len(mark))
        notes += [name.removesuffix("-LE").removesuffix("-BE")] * (name != "UTF-8")
    elif name := _without_mark(raw):
        text = _decoded(raw, path, name)
        notes.append(f"{name}, which has no mark here")
    else:
        text = _decoded(raw, path, "UTF-8")
    text = text.lstrip("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    _check(text, path)
    if LEFT in text:
        notes.append(
            f"{text.count(LEFT):,} letters were lost before (\N{REPLACEMENT CHARACTER} "
            f"stands for them, first in line {_line(text, text.index(LEFT))})"
        )
    found = Text(text)
    found.notes = notes
    return found


def _in_encoding(
    raw: bytes, path: str, encoding: str, marked: tuple[bytes, str] | None
) -> str:
    """The text in the encoding that a user names."""
    try:
        known = codecs.lookup(encoding).name
        "".encode(encoding)
    except (LookupError, TypeError, UnicodeError, ValueError):
        raise ArgumentError(
            f"encoding {encoding!r}: there is no such encoding of text",
            expect="utf-8, utf-16, cp1252, latin-1, mac-roman, shift-jis, ...",
            actual=repr(encoding),
            hint="leave it out for UTF-8; cp1252 is what Windows programs often write",
        ) from None
    if marked is None:
        return _decoded(raw, path, encoding)
    mark, name = marked
    if not name.lower().startswith(known.removesuffix("-sig")):
        raise DataError(
            f"{path}: not {encoding}",
            expect=f"text in {encoding}",
            actual=f"the mark of {name} at its beginning",
            hint="leave out the encoding: the mark says it",
        )
    return _decoded(raw.removeprefix(mark), path, name, len(mark))


def _decoded(raw: bytes, path: str, name: str, skipped: int = 0) -> str:
    """The text; DataError with the line of the first byte that does not fit."""
    try:
        return raw.decode(name)
    except UnicodeDecodeError as error:
        start = min(error.start, len(raw) - 1)
        line = _line(raw[:start].decode(name, "replace"))
        if name == "UTF-8":
            hint = _hint(raw, start)
        else:
            hint = "it may have been cut off, or be in another encoding"
        raise DataError(
            f"{path}, line {line}: not {name}",
            expect=f"text in {name}",
            actual=f"the byte 0x{raw[start]:02x} at {start + skipped}",
            hint=hint,
        ) from None


def _hint(raw: bytes, start: int) -> str:
    """Which encoding to name instead of UTF-8: what a word reads in each."""
    from minigrad.data.likely_encodings import likely_readings

    readings = likely_readings(raw, start)
    if not readings or sum(map(raw.count, _CONTROLS)) > len(raw) / 100:
        return "it does not look like text at all: export it as CSV or text"
    told = " ".join(f"{name} if it says {shown!r}," for name, shown in readings)
    return f"say --encoding {told} or another one (in Python encoding=...)"


def _without_mark(raw: bytes) -> str:
    """ "UTF-16-LE" or "UTF-16-BE" if every other byte is zero, as in English text."""
    some = raw[:4000]
    even, odd = some[0::2], some[1::2]
    if len(odd) < 4 or len(raw) % 2:
        return ""
    shares = even.count(0) / len(even), odd.count(0) / len(odd)
    if max(shares) < 0.5 or min(shares) > 0.1:
        return ""
    return "UTF-16-BE" if shares[0] > shares[1] else "UTF-16-LE"


def _as_utf8(raw: bytes) -> str | None:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _check(text: str, path: str) -> None:
    if "\0" in text:
        raise DataError(
            f"{path}, line {_line(text, text.index(chr(0)))}: not text",
            expect="letters, figures, marks",
            actual="a zero character",
            hint="is it a file of a program? Export it as CSV or text",
        )
    if not text.strip():
        raise DataError(
            f"{path} cannot be used",
            expect="some text",
            actual="an empty file",
            hint="is it the right file?",
        )


def _line(text: str, end: int | None = None) -> int:
    """The number of the line in which a text of so many characters ends."""
    return text.count("\n", 0, end) + 1
