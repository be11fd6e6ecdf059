"""Writing a file whole, or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile

from minigrad.errors import DataError
from minigrad.words import clean


def write(path: str | os.PathLike[str], data: bytes) -> None:
    """Put `data` into a file: first beside it, then in its place, in one move.

    What was there before stays if anything fails. DataError if the folder does not
    exist or cannot be written to.
    """
    path = os.fspath(path)
    folder = os.path.dirname(path) or "."
    try:
        number, name = tempfile.mkstemp(dir=folder, prefix=".minigrad-")
        try:
            with os.fdopen(number, "wb") as file:
                file.write(data)
            mask = os.umask(0)
            os.umask(mask)
            os.chmod(name, 0o666 & ~mask)
            os.replace(name, path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(name)
            raise
    except OSError as error:
        raise DataError(
            "the file cannot be written",
            expect="a folder that exists and can be written to",
            actual=clean(str(error), 160),
            hint="make the folder first, or choose another path",
        ) from None
