"""Is this a safetensors file, whole and as it was written? Asked before it is read.

A file is 8 bytes with the length of the header, the header (JSON: for each array its
dtype, shape and place), and the arrays. Everything that a header says is compared here
with the size of the file, in Python's whole numbers, which do not overflow; nothing is
allocated by what it says.

`sealed` puts a digest of all bytes of the file into its header; `verify` finds it.
Source of the format: https://github.com/huggingface/safetensors, README, "Format".

Read next: `minigrad/tasks/` (real work on real data).
"""

from __future__ import annotations

import hashlib
import json
import math
from itertools import pairwise
from typing import Any

SEAL = "minigrad.sha256"
ZEROS = "0" * 64
HEADER = 100_000_000  # bytes: the format's own limit
SIZES = {
    **dict.fromkeys(("BOOL", "U8", "I8", "F8_E5M2", "F8_E4M3"), 1),
    **dict.fromkeys(("U16", "I16", "F16", "BF16"), 2),
    **dict.fromkeys(("U32", "I32", "F32"), 4),
    **dict.fromkeys(("U64", "I64", "F64", "C64"), 8),
}


class Damaged(ValueError):
    """What is wrong with a file, in words."""


def sealed(content: bytes) -> bytes:
    """A file whose metadata say {SEAL: ZEROS}, with its digest in the zeros' place."""
    place = _seal_place(content)
    assert place is not None, "bug: a file without a seal"
    digest = hashlib.sha256(content).hexdigest().encode()
    return content[:place] + digest + content[place + 64 :]


def verify(content: bytes) -> bool:
    """Check the digest of a file: is there one? Raises Damaged if it does not hold."""
    place = _seal_place(content)
    if place is None:
        return False
    found = content[place : place + 64]
    blank = content[:place] + ZEROS.encode() + content[place + 64 :]
    if hashlib.sha256(blank).hexdigest().encode() != found:
        raise Damaged("its content is not what was written: the digest differs")
    return True


def _seal_place(content: bytes) -> int | None:
    """Where the digest's 64 letters begin."""
    end = 8 + int.from_bytes(content[:8], "little")
    # A quote within a JSON string is escaped, so this is the key and nothing else.
    mark = f'"{SEAL}":"'.encode()
    at = content.find(mark, 8, end)
    return None if at < 0 else at + len(mark)


def check_header(start: bytes, size: int) -> dict[str, Any]:
    """The header of a file of `size` bytes, from its first bytes; Damaged if it lies.

    start  the file's beginning: all of the header at least
    """
    if size < 8 or len(start) < 8:
        raise Damaged("it is shorter than the length of a header")
    length = int.from_bytes(start[:8], "little")
    if length > min(size - 8, HEADER):
        raise Damaged(f"its header would be {length:,} bytes, the file is {size:,}")
    try:
        header = json.loads(start[8 : 8 + length], object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        raise Damaged(f"its header is no JSON: {str(error)[:80]}") from None
    if not isinstance(header, dict):
        raise Damaged("its header is no JSON object")
    words = header.get("__metadata__", {})
    if not isinstance(words, dict) or not all(
        isinstance(word, str) for word in words.values()
    ):
        raise Damaged("its metadata are not words")
    _check_places(header, size - 8 - length)
    return header


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{twice[:40]!r} is there twice")
    return found


def _check_places(header: dict[str, Any], room: int) -> None:
    """Do the arrays fill the rest of the file, without a gap and without overlap?"""
    places = []
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        shown = repr(name[:40])
        try:
            kind, shape = entry["dtype"], entry["shape"]
            begin, end = entry["data_offsets"]
        except (KeyError, TypeError, ValueError):
            raise Damaged(f"the entry {shown} has no dtype, shape and place") from None
        numbers = [*shape, begin, end] if isinstance(shape, list) else [None]
        if not all(type(n) is int and 0 <= n < 1 << 63 for n in numbers):
            raise Damaged(f"the entry {shown} has sizes that are no sizes")
        if not isinstance(kind, str) or kind not in SIZES:
            raise Damaged(f"the entry {shown} is of an unknown dtype, {kind!r:.20}")
        if math.prod(shape) * SIZES[kind] != end - begin:
            raise Damaged(f"the entry {shown} does not have the size of its place")
        places.append((begin, end, shown))
    places.sort()
    borders = [(0, 0, ""), *places, (room, room, "")]
    for (_, end, _), (begin, _, shown) in pairwise(borders):
        if begin != end:
            what = "overlaps another" if begin < end else "leaves a gap"
            raise Damaged(
                f"the entry {shown} {what}"
                if shown
                else f"its arrays take {end:,} bytes, the file has {room:,}"
            )
