"""Writing pictures to files: whole, or not at all.

Read next: `slides.py`.
"""

from __future__ import annotations

import os

from minigrad.engine.errors import ArgumentError, CheckpointError, DrawingError
from minigrad.reading.text import clean
from minigrad.training.checkpoint import write_whole


def in_folder(path: str | os.PathLike[str]) -> str:
    """The path as text, once its folder is known to be there.

    Raises ArgumentError if it is no path, DrawingError if there is no such folder.
    """
    try:
        text = os.fsdecode(path)
    except TypeError:
        raise ArgumentError(
            "draw: this is no path",
            expect="text, or a pathlib.Path",
            actual=clean(f"{type(path).__name__} {path!r}", 80),
            hint='d.save("x.svg")',
        ) from None
    folder = os.path.dirname(text) or "."
    if not os.path.isdir(folder):
        raise DrawingError(
            "draw: there is no such folder",
            expect="a folder that exists",
            actual=clean(folder, 120),
            hint="make it first: os.makedirs(...)",
        )
    return text


def write(path: str, data: bytes) -> None:
    """Write a file whole, or leave what was there. DrawingError if it cannot be."""
    try:
        write_whole(path, data)
        return
    except CheckpointError as error:
        actual = error.actual
    except ValueError as error:  # a name with a NUL, or with half of a character
        actual = str(error)
    raise DrawingError(
        "draw: the file cannot be written",
        expect="a place that can be written to",
        actual=f"{clean(path, 100)}: {clean(actual, 160)}",
        hint="check the free space and the rights, or choose another path",
    )
