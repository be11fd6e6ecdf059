"""`Steps` as a file: the page, JSON, or moving pictures.

Read next: `page.py`, `stored.py`, `frames.py`.
"""

from __future__ import annotations

import os
from typing import Any

from minigrad.checkpoint import write_whole
from minigrad.errors import ArgumentError, one_of
from minigrad.words import clean

ENDINGS = ("html", "json", "gif", "apng")


def save(steps: Any, path: Any, words: Any = None) -> None:
    """Write `steps` to a file; see `Steps.save`."""
    try:
        text = os.fsdecode(path)
        ending = os.path.splitext(text)[1].removeprefix(".").lower()
        one_of("ending", ending, ENDINGS)
        if "\0" in text:
            raise TypeError
    except TypeError:
        raise ArgumentError(
            "steps.save(path): this is no path",
            expect="text, or a pathlib.Path",
            actual=clean(f"{type(path).__name__} {path!r}", 80),
            hint='steps.save("x.html")',
        ) from None
    if ending == "html":
        write_whole(text, steps.html(words).encode())
    elif ending == "json":
        write_whole(text, steps.to_json().encode())
    else:
        from minigrad.stepping.frames import moving

        write_whole(text, moving(steps, ending))
