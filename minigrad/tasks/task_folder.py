"""The folder of a task: finds it, makes it, and locks it during a training.

    FOLDER/run.safetensors   weights, vocabulary, scaling, and the state of the run
    FOLDER/previous.safetensors   the finished run before this one
    FOLDER/unfinished.safetensors   an unfinished run (after --anew), or a damaged file
    FOLDER/index.html        the page

FOLDER is the one given with `-o`, or the task's folder in the user's data folder
(`~/.local/share/minigrad/TASK` on Linux). There `minigrad predict` finds the model from
any place.

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
    """A folder to write in, created if needed, and locked for this process.

    Two trainings in one folder would overwrite each other's files. The lock always ends
    with the process. A training that was refused, and wrote nothing, leaves nothing:
    folders that were made for it go again.

    Raises ArgumentError if the folder cannot be made, or another process has it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._name = folder / ".claimed"
        self._file: Any = None
        self._made: list[Path] = []

    def __enter__(self) -> Path:
        try:
            while not self._is_open():  # the training before may just have removed it
                levels = [self.folder, *self.folder.parents]
                self._made = [one for one in levels if not one.exists()] or self._made
                self.folder.mkdir(parents=True, exist_ok=True)
                self._file = open(self._name, "a+b")
                _lock(self._file)
        except BlockingIOError:
            self._file.close()
            raise ArgumentError(
                f"another training is using {self.folder}",
                expect="one training at a time in a folder",
                actual="its files are in use",
                hint="wait until it ends, or choose another folder with -o FOLDER",
            ) from None
        except OSError as error:
            raise ArgumentError(
                f"the folder {self.folder} cannot be used",
                expect="a folder where you may write",
                actual=error.strerror or str(error),
                hint="choose another with -o FOLDER",
            ) from None
        for leftover in self.folder.glob(f".{RUN}.*.tmp"):  # of a run that was killed
            leftover.unlink(missing_ok=True)
        return self.folder

    def __exit__(self, *exception: object) -> None:
        try:
            unused = os.listdir(self.folder) == [self._name.name]
            if os.name == "nt":
                self._file.close()  # there an open file cannot be removed
            if unused:
                self._name.unlink()  # while it is locked: nobody else has it
                for folder in self._made:
                    folder.rmdir()
        except OSError:  # somebody else writes there, or removed it all
            pass
        finally:
            self._file.close()

    def _is_open(self) -> bool:
        """Is the file that was locked the one that has the name?"""
        try:
            return self._file is not None and os.path.samestat(
                os.fstat(self._file.fileno()), self._name.stat()
            )
        except FileNotFoundError:
            self._file.close()
            return False


if os.name == "nt":

    def _lock(file: Any) -> None:
        import msvcrt

        file.seek(0)
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        except OSError as error:
            raise BlockingIOError(*error.args) from None

else:

    def _lock(file: Any) -> None:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
