"""Writing pictures to files: whole, or not at all.

Read next: `slides.py`.
"""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from typing import Protocol

from minigrad.engine.errors import (
    ArgumentError,
    CheckpointError,
    DrawingError,
    SetupError,
    one_of,
)
from minigrad.pages.output_files import make_folder
from minigrad.reading.text import clean
from minigrad.training.checkpoint import write_whole

FORMATS = ("svg", "png", "pdf", "html", "dot")


def path_text(path: str | os.PathLike[str]) -> str:
    """The path as text. ArgumentError if it is no path."""
    try:
        return os.fsdecode(path)
    except TypeError:
        raise ArgumentError(
            "draw: this is no path",
            expect="text, or a pathlib.Path",
            actual=clean(f"{type(path).__name__} {path!r}", 80),
            hint='d.save("x.svg")',
        ) from None


class Drawn(Protocol):
    """A picture that can be had in every format."""

    @property
    def dot(self) -> str: ...
    def svg(self) -> str: ...
    def html(self) -> str: ...
    def render(self, form: str) -> bytes: ...


def save(drawing: Drawn, path: str | os.PathLike[str]) -> None:
    """Write a picture to a file whose ending says how: one of FORMATS.

    A missing folder is made. Raises ArgumentError for another ending, DrawingError if
    the file cannot be written, or the engine fails.
    """
    path = path_text(path)
    ending = os.path.splitext(path)[1].removeprefix(".").lower()
    one_of("ending", ending, FORMATS)
    if ending == "dot":
        data = drawing.dot.encode()
    elif ending == "html":
        data = drawing.html().encode()
    else:
        data = drawing.svg().encode() if ending == "svg" else drawing.render(ending)
    write(path, data)


def write(path: str, data: bytes) -> None:
    """Write a file whole, or leave what was there; a missing folder is made.

    Raises DrawingError if it cannot be written.
    """
    try:
        make_folder(os.path.dirname(path))
        write_whole(path, data)
        return
    except CheckpointError as error:
        actual = error.actual
    except ValueError as error:  # a name with a NUL, or with half of a character
        actual = str(error)
    raise DrawingError(
        "draw: the file cannot be written",
        expect="a folder in which a file can be written",
        actual=f"{clean(path, 100)}: {clean(actual, 160)}",
        hint="check the free space and the rights, or choose another path",
    )


def one_pdf(pages: Sequence[bytes]) -> bytes:
    """PDF files of one page each as one file, for a beamer. Needs pypdf."""
    try:
        from pypdf import PdfReader, PdfWriter
    except ImportError:
        raise SetupError(
            "frames: one PDF of all frames needs the package pypdf",
            expect="pypdf",
            actual="it is not installed",
            hint='pip install pypdf, or one file per frame: frames("folder", "pdf")',
        ) from None
    writer = PdfWriter()
    for data in pages:
        writer.add_page(PdfReader(io.BytesIO(data)).pages[0])
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()
