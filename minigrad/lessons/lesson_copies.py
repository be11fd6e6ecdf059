"""Writes a copy of a tutorial to work in, as a script or as a notebook.

Read next: `notebook.py`.
"""

from __future__ import annotations

import json
from pathlib import Path

from minigrad.engine.errors import ArgumentError
from minigrad.lessons.lesson_cells import Lesson
from minigrad.lessons.notebook import notebook


def source(lesson: Lesson) -> str:
    """The tutorial as a script in cells again."""
    parts = []
    for cell in lesson.cells:
        if cell.kind == "text":
            lines = [f"# {line}".rstrip() for line in cell.source.split("\n")]
            parts.append("\n".join(["# %% [markdown]", *lines]))
        else:
            parts.append(f"# %%\n{cell.source}")
    return "\n\n".join(parts) + "\n"


def copy(lesson: Lesson, path: Path) -> Path:
    """Write a tutorial to a new file, .py or .ipynb; returns its path.

    Raises ArgumentError for another ending, and for a file that is there already or
    cannot be written.
    """
    if path.suffix not in (".py", ".ipynb"):
        raise ArgumentError(
            f"--copy {str(path)[:60]!r}: the ending is missing or unknown",
            expect="a name that ends in .py or .ipynb",
            actual=path.suffix or "no ending",
            hint=f"--copy {lesson.name}.ipynb",
        )
    if path.exists():
        raise ArgumentError(
            f"--copy {str(path)[:60]!r}: this file exists already",
            expect="a new name",
            actual="a file that may hold your own work",
            hint="move it away, or choose another name",
        )
    if path.suffix == ".py":
        text = source(lesson)
    else:
        text = json.dumps(notebook(lesson), indent=1, ensure_ascii=False) + "\n"
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ArgumentError(
            f"--copy {str(path)[:60]!r}: it cannot be written",
            expect="a folder that exists and can be written to",
            actual=str(error),
            hint="choose another place",
        ) from None
    return path
