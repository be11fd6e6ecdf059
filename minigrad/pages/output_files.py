"""Checks the path of a file that is to be written, and makes its folder.

Read next: `themed_svg.py`.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path
from typing import Any

from minigrad.engine.errors import ArgumentError, CheckpointError, one_of
from minigrad.reading.text import clean


def output_path(path: Any, endings: Collection[str] = ()) -> Path:
    """The path, once its ending is known to be one of these and its folder is there.

    Raises ArgumentError if it is no path or has another ending, CheckpointError if the
    folder cannot be made.
    """
    try:
        text = os.fsdecode(path)
    except TypeError:
        text = "\0"
    if "\0" in text or not text:
        raise ArgumentError(
            "save(path): this is no path",
            expect="text, or a pathlib.Path",
            actual=clean(f"{type(path).__name__} {path!r}", 80),
            hint='save("x.html")',
        )
    if endings:
        ending = os.path.splitext(text)[1].removeprefix(".").lower()
        one_of("ending", ending, tuple(endings))
    make_folder(os.path.dirname(text))
    return Path(text)


def make_folder(
    folder: str | os.PathLike[str],
    hint: str = "check the rights, or choose another folder",
) -> None:
    """Make a folder and those it lies in, if they are missing. CheckpointError.

    hint  how another one is chosen
    """
    try:
        os.makedirs(folder or ".", exist_ok=True)
    except OSError as error:
        raise CheckpointError(
            "the folder cannot be made",
            expect="a folder, or a place where one can be made",
            actual=f"{clean(os.fspath(folder), 100)}: "
            f"{clean(error.strerror or error, 100)}",
            hint=hint,
        ) from None
