"""Saving and loading: safetensors files, written whole or not at all.

Nothing is executed on loading. The file's own lengths are checked by the safetensors
library before anything is allocated.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from minigrad.errors import CheckpointError


class Loaded(dict[str, np.ndarray]):
    """Arrays by name, as `load` found them, and the `metadata` saved with them."""

    metadata: dict[str, str]


def save(
    path: str | os.PathLike[str],
    module_or_dict: Any,
    metadata: Mapping[str, str] | None = None,
) -> None:
    """Write a module's parameters, or a dict of arrays or tensors, to one file.

    The file appears complete or not at all: it is written beside its place, flushed to
    the disk and moved there. Raises CheckpointError for a missing folder, a full disk,
    or something that is not arrays.
    """
    from safetensors.numpy import save as to_bytes

    state = getattr(module_or_dict, "state_dict", lambda: module_or_dict)()
    if not isinstance(state, Mapping):
        raise CheckpointError(
            f"save: cannot save a {type(module_or_dict).__name__}",
            expect="a module, or a dict of arrays or tensors by name",
            actual=f"{module_or_dict!r:.60}",
            hint="wrap it: mg.save(path, {'x': x})",
        )
    # The library writes a non-contiguous array wrong, silently: make them contiguous.
    arrays = {str(k): np.array(v, order="C") for k, v in state.items()}
    for name, array in arrays.items():
        if array.dtype.kind not in "fiub":
            raise CheckpointError(
                f"save: entry {name!r} is not an array of numbers",
                expect="floating, integer or boolean arrays",
                actual=f"dtype {array.dtype}",
                hint="words belong into metadata=",
            )
    words = {str(k): str(v) for k, v in (metadata or {}).items()}
    write_whole(Path(path), to_bytes(arrays, metadata=words or None))


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that it is there complete, or not changed at all."""
    temporary = None
    try:
        with tempfile.NamedTemporaryFile(
            dir=path.parent, prefix=path.name, suffix=".tmp", delete=False
        ) as file:
            temporary = Path(file.name)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
        raise CheckpointError(
            f"save: {path} cannot be written",
            expect="an existing folder with room for the file",
            actual=str(error),
            hint="check the folder and the free space; nothing was changed",
        ) from None
    if hasattr(os, "O_DIRECTORY"):  # make the new name itself durable
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def load(path: str | os.PathLike[str]) -> Loaded:
    """Read a file of `save`: arrays by name, with `.metadata`.

    Raises CheckpointError if it is missing, cut off, or no safetensors file.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(os.fspath(path), framework="numpy") as file:
            loaded = Loaded({name: file.get_tensor(name) for name in file.keys()})
            loaded.metadata = dict(file.metadata() or {})
            return loaded
    except FileNotFoundError:
        actual, hint = "no such file", "check the path; save writes it with mg.save"
    except (SafetensorError, OSError, ValueError, TypeError) as error:
        actual, hint = str(error), "the file is damaged or of another kind: save anew"
    raise CheckpointError(
        f"load: {os.fspath(path)} cannot be read",
        expect="a safetensors file, complete",
        actual=actual,
        hint=hint,
    )
