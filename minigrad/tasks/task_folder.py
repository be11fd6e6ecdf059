"""Where a task's files are: the run, which is also the saved model, and the page.

    FOLDER/run.safetensors   everything: weights, vocabulary, scaling, where the run is
    FOLDER/previous.safetensors   the finished run that was there before
    FOLDER/unfinished.safetensors   what --anew, or a damaged file, made room for
    FOLDER/index.html        the page

FOLDER is what `-o` says, or the task's own in the user's data folder
(`~/.local/share/minigrad/TASK` on Linux), so that `minigrad predict` finds the model
from anywhere.

Read next: `saved_model.py`.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from minigrad.engine.errors import ArgumentError

RUN, PAGE = "run.safetensors", "index.html"
PREVIOUS, UNFINISHED = "previous.safetensors", "unfinished.safetensors"


def folder_of(task: str, folder: str | os.PathLike[str] | None = None) -> Path:
    """The folder of a task's files; it may not be there yet."""
    if folder is not None:
        return Path(folder)
    from platformdirs import user_data_path

    return user_data_path("minigrad", appauthor=False) / task


class Claimed:
    """A folder to write in, made if need be, and held by this process alone.

    Two trainings into one folder would each write over what the other saved. The claim
    ends with the process, whatever ends it.

    Raises ArgumentError if the folder cannot be made, or another process has it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._file: Any = None

    def __enter__(self) -> Path:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._file = open(self.folder / ".claimed", "a+b")
        except OSError as error:
            raise ArgumentError(
                f"the folder {self.folder} cannot be used",
                expect="a folder where you may write",
                actual=error.strerror or str(error),
                hint="choose another with -o FOLDER",
            ) from None
        try:
            _lock(self._file)
        except OSError:
            self._file.close()
            raise ArgumentError(
                f"another training is writing into {self.folder}",
                expect="one training at a time in a folder",
                actual="its files are in use",
                hint="wait for it, or choose another folder with -o FOLDER",
            ) from None
        for leftover in self.folder.glob(f".{RUN}.*.tmp"):  # of a run that was killed
            leftover.unlink(missing_ok=True)
        return self.folder

    def __exit__(self, *exception: object) -> None:
        self._file.close()


if os.name == "nt":

    def _lock(file: Any) -> None:
        import msvcrt

        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]

else:

    def _lock(file: Any) -> None:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
