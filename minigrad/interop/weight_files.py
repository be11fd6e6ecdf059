"""Files of named arrays, read without running anything: .npz, .safetensors and .pt.

Sizes that a file states are compared with the file before anything is allocated.

Read next: `keras_files.py`.
"""

from __future__ import annotations

import math
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from minigrad.engine.errors import MinigradError
from minigrad.interop.refusals import does_not_fit, needs

PACKED = 8  # weights do not pack to less than an eighth; zeros, made to fill a disk, do
DAMAGED = "the file is damaged or cut off: save it anew"


def broken(path: Path, expect: str, actual: str, hint: str = DAMAGED) -> MinigradError:
    """The error for a file that cannot be read."""
    return does_not_fit(f"{path} cannot be read", expect, actual, hint)


def checked_zip(path: Path, most: float) -> zipfile.ZipFile:
    """An archive whose members unpack to no more than `most` times its size.

    CheckpointError if it is damaged, or they do.
    """
    try:
        archive = zipfile.ZipFile(path)
    except (OSError, ValueError, zipfile.BadZipFile, NotImplementedError) as error:
        raise broken(path, "a whole archive", f"{error!s:.120}") from None
    members = archive.infolist()
    total = sum(member.file_size for member in members)
    if total > most * os.path.getsize(path) or any(m.flag_bits & 1 for m in members):
        archive.close()
        raise broken(
            path,
            "an archive of weights, hardly packed, without a password",
            f"{os.path.getsize(path):,} bytes that claim to hold {total:,}",
        )
    return archive


def read_npz(path: Path) -> dict[str, np.ndarray]:
    """The arrays of an .npz file; objects, which run code when read, are refused."""
    found = {}
    with checked_zip(path, PACKED) as archive:
        for member in archive.infolist():
            if not member.filename.endswith(".npy"):
                continue
            try:
                with archive.open(member) as file:
                    array = _npy(file, member.file_size)
            except Exception as error:  # of any kind: header, packing, checksum
                raise broken(
                    path, "arrays of numbers", f"{member.filename}: {error!s:.120}"
                ) from None
            found[member.filename.removesuffix(".npy")] = array
    return found


def _npy(file: Any, size: int) -> np.ndarray:
    """One array; ValueError if its header does not fit its size."""
    version = np.lib.format.read_magic(file)
    read = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }.get(version)
    if read is None:
        raise ValueError(f"a header of version {version}")
    shape, fortran, dtype = read(file)
    if dtype.hasobject:
        raise ValueError("it holds objects, which run code when they are read")
    bytes_ = math.prod(shape) * dtype.itemsize
    if bytes_ < 0 or file.tell() + bytes_ != size:
        raise ValueError(f"its header speaks of {bytes_:,} bytes, it has {size:,}")
    content = file.read(bytes_)
    array = np.frombuffer(content, dtype).copy()
    return array.reshape(shape[::-1]).T if fortran else array.reshape(shape)


def read_safetensors(path: Path) -> dict[str, np.ndarray]:
    """The arrays of a safetensors file, by name: the file's own order is any."""
    from minigrad.training.checkpoint import load

    found = load(path)
    return {name: found[name] for name in sorted(found)}


def read_torch(path: Path) -> dict[str, np.ndarray]:
    """The tensors of a PyTorch file, by dotted names, through PyTorch's own loader.

    With weights_only=True it runs nothing that a file says. Dicts within dicts are
    joined by dots. SetupError if PyTorch is not installed.
    """
    with checked_zip(path, PACKED) as archive:
        script = any("constants.pkl" in name for name in archive.namelist())
    if script:
        raise broken(
            path,
            "the weights of a network: a state dict",
            "a TorchScript program, which would have to be run",
            "in PyTorch: torch.save(torch.jit.load(path).state_dict(), 'weights.pt')",
        )
    checked_zip(path, 1).close()  # PyTorch does not pack
    try:
        import torch
    except ImportError:
        raise needs("torch", "reading PyTorch's own files") from None
    try:
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # of any kind: what a forged pickle makes of it
        first = str(error).strip().split("\n")[0]
        raise broken(
            path,
            "a state dict, saved with torch.save(module.state_dict(), path)",
            f"{type(error).__name__}: {first:.160}",
            "a whole module cannot be read without running its code: save its "
            "state_dict()",
        ) from None
    return _tensors(loaded, path)


def _tensors(loaded: Any, path: Path) -> dict[str, np.ndarray]:
    found: dict[str, np.ndarray] = {}
    size = os.path.getsize(path)
    todo: list[tuple[str, Any]] = [("", loaded)]
    seen: set[int] = set()
    while todo:
        name, value = todo.pop()
        if isinstance(value, Mapping):
            if id(value) not in seen:  # a forged dict can hold itself
                seen.add(id(value))
                dot = f"{name}." if name else ""
                todo += [(f"{dot}{key}", item) for key, item in value.items()][::-1]
        elif hasattr(value, "detach"):
            plain = str(value.layout) == "torch.strided" and not value.is_quantized
            if not plain or value.numel() * value.element_size() > size:
                # A tensor of step 0 can be larger than the file that holds it.
                raise broken(
                    path,
                    "tensors that the file holds in full",
                    f"{name[:60]!r}: {tuple(value.shape)} {value.layout}",
                )
            tensor = value.detach().cpu()
            if str(tensor.dtype) == "torch.bfloat16":
                found[name] = np.array(tensor.float().numpy()).astype(np.float16)
            else:
                found[name] = np.array(tensor.resolve_conj().resolve_neg().numpy())
    return found
