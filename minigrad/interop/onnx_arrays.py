"""Arrays of an ONNX file: read from the file's own bytes, or from a file beside it.

What a tensor says of its size is compared with the bytes that there are, before
anything is allocated. A file beside the model is read only where it lies in the model's
own folder.

Read next: `onnx_graphs.py`.
"""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any

import numpy as np

from minigrad.interop.refusals import does_not_fit

FLOATING = {1: "float32", 11: "float64", 10: "float16", 16: "bfloat16"}
BROKEN = "the file is damaged, or was not made by a library's own exporter"


def kind_name(data_type: int) -> str:
    """The name of a tensor's type: "float32"."""
    import onnx

    known = onnx.TensorProto.DataType.items()
    names = {number: name.lower() for name, number in known}
    return FLOATING.get(data_type, names.get(data_type, f"type {data_type}"))


def to_array(tensor: Any, folder: Path, name: str) -> np.ndarray:
    """The values of a tensor of an ONNX file.

    folder  where the file lies: external data are looked for there and nowhere else
    Raises CheckpointError if the tensor's size is not that of its bytes, or its bytes
    would come from outside the folder.
    """
    from onnx import TensorProto, helper, numpy_helper

    try:
        dtype = helper.tensor_dtype_to_np_dtype(tensor.data_type)
    except (KeyError, TypeError, ValueError):
        raise _broken(name, "a type of ONNX", f"type {tensor.data_type}") from None
    if tensor.data_type == TensorProto.STRING or any(d < 0 for d in tensor.dims):
        raise _broken(name, "numbers, with sizes of 0 or more", f"{list(tensor.dims)}")
    count = math.prod(tensor.dims)
    size = count * dtype.itemsize
    if tensor.data_location == TensorProto.EXTERNAL:
        content = _beside(tensor, folder, name, size)
        array = np.frombuffer(content, dtype.newbyteorder("<"))
        return array.reshape(tuple(tensor.dims)).astype(dtype)
    if tensor.HasField("raw_data"):
        have = len(tensor.raw_data) // max(dtype.itemsize, 1)
        fits = len(tensor.raw_data) == size
    else:
        field = helper.tensor_dtype_to_field(tensor.data_type)
        have = len(getattr(tensor, field))
        fits = have == count
    if not fits:
        raise _broken(name, f"{count} values for {list(tensor.dims)}", f"{have} values")
    return np.array(numpy_helper.to_array(tensor))


def _beside(tensor: Any, folder: Path, name: str, size: int) -> bytes:
    """The bytes of a tensor that lie in a file of their own."""
    entries = {entry.key: entry.value for entry in tensor.external_data}
    place = entries.get("location", "")
    home = Path(os.path.realpath(folder))
    # A drive or a root of another system is no name of a file here.
    unsafe = not place or "\0" in place or place[:1] in "/\\" or ":" in place
    path = Path(os.path.realpath(home / place)) if not unsafe else home
    if unsafe or home not in path.parents:
        raise _broken(
            name, "a file in the model's own folder", f"location {place[:80]!r}"
        )
    try:
        offset, length = int(entries.get("offset", 0)), int(entries.get("length", size))
        with open(path, "rb") as file:
            there = os.fstat(file.fileno()).st_size
            if offset < 0 or length != size or offset + size > there:
                raise _broken(
                    name,
                    f"{size} bytes in {place[:80]!r}",
                    f"{length} from {offset} on; the file has {there}",
                )
            file.seek(offset)
            return file.read(size)
    except (OSError, ValueError) as error:
        if hasattr(error, "hint"):
            raise
        raise _broken(name, f"the file {place[:80]!r}", f"{error!s:.100}") from None


def _broken(name: str, expect: str, actual: str) -> Exception:
    return does_not_fit(f"tensor {name[:60]!r} cannot be read", expect, actual, BROKEN)
