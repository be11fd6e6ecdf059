"""`Steps` as a file: the page, JSON, or a moving picture.

Read next: `minigrad/explaining/` (one number, written out).
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from typing import Any

from minigrad.engine.errors import ArgumentError, one_of
from minigrad.pages.output_files import make_folder
from minigrad.reading.text import clean
from minigrad.training.checkpoint import write_whole

MOVING = ("gif", "apng")


def save(steps: Any, path: Any, words: Any = None) -> None:
    """Write `steps` to a file; see `Steps.save`."""
    text, ending = _checked(path, ("html", "json", *MOVING))
    if ending == "html":
        _write(text, steps.html(words).encode())
    elif ending == "json":
        _write(text, steps.to_json().encode())
    else:
        animate(steps, path)


def animate(
    steps: Any,
    path: Any,
    events: Iterable[int] | None = None,
    seconds: float = 0.8,
    drawing: Any = None,
) -> None:
    """Write a moving picture; see `Steps.animate`."""
    from minigrad.stepping.play.films import moving

    text, ending = _checked(path, MOVING)
    _write(text, moving(steps, ending, events, seconds, drawing))


def _write(path: str, content: bytes) -> None:
    """Write a file whole; a missing folder is made."""
    with contextlib.suppress(ValueError):  # what is no name is refused below
        make_folder(os.path.dirname(path))
    write_whole(path, content)


def _checked(path: Any, endings: tuple[str, ...]) -> tuple[str, str]:
    """The path as text, and its ending, which must be one of these."""
    try:
        text = os.fsdecode(path)
    except TypeError:
        text = "\0"
    if "\0" in text:
        raise ArgumentError(
            "steps.save(path): not a path",
            expect="text, or a pathlib.Path",
            actual=clean(f"{type(path).__name__} {path!r}", 80),
            hint='steps.save("x.html")',
        )
    ending = os.path.splitext(text)[1].removeprefix(".").lower()
    one_of("ending", ending, endings)
    return text, ending
