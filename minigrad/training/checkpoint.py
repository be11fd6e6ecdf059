"""Saving and loading: safetensors files, written whole or not at all.

    mg.save("model.safetensors", model, metadata={"task": "sentiment"})
    found = mg.load("model.safetensors")
    model.load_state_dict(found)

    mg.save("run.safetensors", {"model": model, "optimizer": optimizer})
    found = mg.load("run.safetensors")
    model.load_state_dict(found.part("model"))
    optimizer.load_state_dict(found.part("optimizer"))

Nothing in a file is executed. What its header says of lengths is compared with its size
before anything is allocated, and a digest tells whether a bit has changed.

Read next: `safetensors_header.py` (the digest).
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from minigrad.engine.calls import checked_call
from minigrad.engine.errors import CheckpointError, DTypeError

KINDS = "float64, float32, float16, booleans and integers of 8 to 64 bits"


class Loaded(dict[str, np.ndarray]):
    """What `load` found: arrays by name, and `metadata`, the words saved with them."""

    metadata: dict[str, str]

    def part(self, name: str) -> dict[str, np.ndarray]:
        """The arrays below `name`: for part("model") "model.b" becomes "b".

        Raises CheckpointError if there are none.
        """
        below = {
            key.removeprefix(f"{name}."): array
            for key, array in self.items()
            if key.startswith(f"{name}.")
        }
        if not below:
            raise CheckpointError(
                f"part({name!r}): nothing was saved under this name",
                expect=f"names that start with '{name}.'",
                actual=_few(self),
                hint="mg.save(path, {'model': model}) saves a module as a part",
            )
        return below


@checked_call
def save(
    path: str | os.PathLike[str],
    module_or_dict: Any,
    metadata: Mapping[str, str] | None = None,
) -> None:
    """Write arrays by name to one file, complete or not at all, with a digest.

    path            ".safetensors" is the usual ending; a file of that name is replaced
    module_or_dict  anything with a `state_dict()` (a module, an optimiser), or a dict
                    of arrays, tensors, numbers, or again such things: their names are
                    joined by dots, "model.out.bias"
    metadata        words to save beside them, str to str

    The file is written beside its place, flushed to the disk and moved there, so that a
    crash leaves the old file or the new one.
    Errors:  CheckpointError for a missing folder, a full disk, names that are not
             unique; DTypeError for what is not an array of numbers.
    """
    from safetensors.numpy import save as to_bytes

    from minigrad.training.safetensors_header import (  # not to load hashlib and json
        SEAL,
        ZEROS,
        sealed,
    )

    need_path("save", path)
    arrays: dict[str, np.ndarray] = {}
    for name, value in _flattened(module_or_dict).items():
        if not name or name == "__metadata__":
            raise CheckpointError(
                f"save: {name!r} cannot be a name",
                expect="a name that is not empty, nor '__metadata__'",
                actual=repr(name),
                hint="rename this entry",
            )
        arrays[name] = _plain_array(name, value)
    if not isinstance(metadata, Mapping | None):
        raise DTypeError(
            f"save(metadata={metadata!r:.60}): not words by name",
            expect="a dict, str to str",
            actual=type(metadata).__name__,
            hint='mg.save(path, model, metadata={"task": "sentiment"})',
        )
    words = dict(metadata or {})
    for key, word in words.items():
        if not (isinstance(key, str) and isinstance(word, str)):
            raise DTypeError(
                f"save(metadata): {key!r} is not words",
                expect="str to str",
                actual=f"{type(key).__name__} to {type(word).__name__}",
                hint="json.dumps(value) makes words of numbers, lists and dicts",
            )
    if SEAL in words:
        raise CheckpointError(
            f"save(metadata): {SEAL!r} is the place of the digest",
            expect="other names",
            actual=repr(SEAL),
            hint="rename this entry",
        )
    try:
        content = to_bytes(arrays, metadata={**words, SEAL: ZEROS})
    except UnicodeEncodeError as error:
        raise CheckpointError(
            "save: a name or a word cannot be written as UTF-8",
            expect="whole characters",
            actual=f"{error.object!r:.60}",
            hint="it has half of a character, such as '\\ud800': cut it out",
        ) from None
    write_whole(path, sealed(content))


def _flattened(saved: Any) -> dict[str, Any]:
    """All entries by name; those of dicts and modules within, by names with dots."""
    found: dict[str, Any] = {}
    todo: list[tuple[str | None, Any]] = [(None, saved)]
    while todo:
        name, value = todo.pop()
        if hasattr(value, "state_dict"):
            value = value.state_dict()
        if isinstance(value, Mapping):
            above = "" if name is None else f"{name}."
            todo += [(f"{above}{key}", item) for key, item in value.items()]
        elif name is None:
            raise DTypeError(
                f"save: a {type(saved).__name__} has no names to save by",
                expect="a module, an optimiser, or a dict of arrays",
                actual=f"{saved!r:.60}",
                hint="give it one: mg.save(path, {'x': x})",
            )
        elif name in found:
            raise CheckpointError(
                f"save: two entries are called {name!r}",
                expect="names that are unique once joined by dots",
                actual="one of them is within a dict or module, or a number",
                hint="rename one of them",
            )
        else:
            found[name] = value
    return dict(reversed(found.items()))  # as given: the last was taken first


def need_path(call: str, path: Any) -> None:
    """Raise DTypeError for what cannot be the name of a file."""
    if not isinstance(path, str | bytes | os.PathLike):
        raise DTypeError(
            f"{call}({path!r:.60}): not a path",
            expect="the name of a file",
            actual=type(path).__name__,
            hint=f'mg.{call}("model.safetensors"{", model" * (call == "save")})',
        )


def _plain_array(name: str, value: Any) -> np.ndarray:
    """The value as the file format has it: rows one after the other, native bytes."""
    try:
        # The library writes an array that is not contiguous wrong, silently.
        array = np.asarray(np.asarray(value), order="C")
    except ValueError:
        array = np.asarray(None)
    array = array.astype(array.dtype.newbyteorder("="), copy=False)
    if array.dtype.kind not in "fiub" or array.dtype.itemsize > 8:
        raise DTypeError(
            f"save: entry {name!r} is not an array that can be saved",
            expect=KINDS,
            actual=f"{type(value).__name__} of dtype {array.dtype}",
            hint="words belong into metadata=",
        )
    return array


def _no_device(path: str | os.PathLike[str]) -> None:
    """Raise OSError for a pipe, socket or device: to read waits, to write replaces it.

    A missing file raises FileNotFoundError.
    """
    mode = os.stat(path).st_mode
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise OSError(errno.EINVAL, "it is a pipe or a device, not a file")


def write_whole(path: str | os.PathLike[str], content: bytes) -> None:
    """Write a file so that it is there complete, or not changed at all."""
    try:
        place = Path(os.path.realpath(path))  # the file behind a link, not the link
    except ValueError as error:  # a name with a NUL, or with half of a character
        raise CheckpointError(
            f"save: {os.fspath(path)!r:.100} cannot be the name of a file",
            expect="the name of a file in an existing folder",
            actual=f"{error!s:.200}",
            hint="choose another name; no file was changed",
        ) from None
    temporary = place.with_name(f".{place.name}.{os.urandom(4).hex()}.tmp")
    try:
        with suppress(FileNotFoundError):
            _no_device(place)
        try:
            with open(temporary, "xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, place)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        if hasattr(os, "O_DIRECTORY"):  # make the new name itself durable
            folder = os.open(place.parent, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
    except OSError as error:
        there = place.parent.is_dir()
        raise CheckpointError(
            f"save: {os.fspath(path)} cannot be written",
            expect="a file in an existing folder, with room and leave to write it",
            actual=error.strerror or str(error),
            hint="check the free space and the rights; no file was changed"
            if there
            else f"make the folder first: os.makedirs({str(place.parent)!r})",
        ) from None


@checked_call
def load(path: str | os.PathLike[str], sealed_only: bool = False) -> Loaded:
    """Read a safetensors file: a dict of arrays by name, with `.metadata`.

    sealed_only  refuse files without a digest: those that other programs wrote

    Raises CheckpointError if the file is missing, cut off, changed since it was written
    (where it has a digest, as those of `mg.save` do), hostile, or of another kind.
    """
    from safetensors import SafetensorError, safe_open
    from safetensors.numpy import load as from_bytes

    from minigrad.training.safetensors_header import SEAL, Damaged, metadata, verify

    need_path("load", path)
    start, size = b"", 0
    try:
        _no_device(path)
        with open(path, "rb") as file:
            start, size = file.read(2), os.fstat(file.fileno()).st_size
            with safe_open(os.fsdecode(path), "numpy"):
                pass  # the header fits the file: only then is all of it read
            content = start + file.read()
        words = metadata(content)
        if not verify(content) and sealed_only:
            raise Damaged("it has no digest")
        loaded = Loaded({k: np.array(a) for k, a in from_bytes(content).items()})
        loaded.metadata = {k: word for k, word in words.items() if k != SEAL}
        return loaded
    except OSError as error:
        actual, hint = error.strerror or str(error), "check the path"
    except (SafetensorError, Damaged) as error:
        actual, hint = (
            f"{error!s:.200}",
            "the file is damaged, or cut off: save it anew",
        )
        if start[:2] == b"PK" or start[:1] == b"\x80":
            actual = "a PyTorch or NumPy archive, which may run code when read"
            hint = "convert it where it was made: safetensors.torch.save_file"
    except MemoryError:
        actual = f"{size:,} bytes, which do not fit into the memory"
        hint = "is it the right file?"
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
        actual = f"{type(error).__name__}: {error!s:.200}"
        hint = f"is it of a dtype that NumPy lacks? It has {KINDS}"
    raise CheckpointError(
        f"load: {os.fspath(path)} cannot be read",
        expect="a safetensors file, complete",
        actual=actual,
        hint=hint,
    )


def _few(names: Mapping[str, Any]) -> str:
    shown = ", ".join(map(repr, list(names)[:5])) or "nothing"
    return shown + (f" and {len(names) - 5} more" if len(names) > 5 else "")
