"""Checks that a safetensors file is unchanged; the library does not check this.

A file is 8 bytes with the length of the header, the header (JSON: for each array its
dtype, shape and place, and words under "__metadata__"), and the arrays. The library
refuses a header that does not fit the file, before anything is allocated by it. Two
things it does not know: that a bit has changed, and that a name is there twice (it
takes one of the arrays).

`sealed` puts a digest of all bytes of the file into its header; `verify` finds it.
Source of the format: https://github.com/huggingface/safetensors, README, "Format".

Read next: `minigrad/interop/` (weights from other libraries, and for them).
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

SEAL = "minigrad.sha256"
ZEROS = "0" * 64


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


def metadata(content: bytes) -> dict[str, str]:
    """The words saved with the arrays of a file whose header the library accepts.

    Raises Damaged if a name is there twice in the header.
    """
    header = json.loads(content[8 : _end(content)], object_pairs_hook=_unique)
    return header.get("__metadata__") or {}


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise Damaged(f"{name[:40]!r} is there twice in its header")
        found[name] = value
    return found


def _seal_place(content: bytes) -> int | None:
    """Where the digest's 64 letters begin."""
    # A quote within a JSON string is escaped, so this is the key and nothing else.
    mark = f'"{SEAL}":"'.encode()
    at = content.find(mark, 8, _end(content))
    return None if at < 0 else at + len(mark)


def _end(content: bytes) -> int:
    """Where the header ends."""
    return 8 + int.from_bytes(content[:8], "little")
