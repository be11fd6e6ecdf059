"""Reads and checks the small parts of a file of steps: numbers, text, arrays.

Anyone may have written the file. So everything that differs from `json_format.py`
raises `Damaged`, which becomes one DataError at the top.

Read next: `json_agreement.py` (do they fit together?).
"""

from __future__ import annotations

import base64
import binascii
import math
from typing import Any

import numpy as np

from minigrad.reading.text import clean
from minigrad.stepping.record.events import SAMPLE, Array, Facts, Place
from minigrad.stepping.record.json_format import DEEPEST, DTYPES


class Damaged(Exception):
    """Something in the file is not as it should be."""


def need(holds: Any, what: str) -> None:
    if not holds:
        raise Damaged(what)


def whole(number: Any, what: str) -> int:
    right = type(number) is int and 0 <= number < 1 << 40
    need(right, f"{clean(repr(number), 40)} is no {what}")
    return number


def text_of(text: Any, longest: int) -> str:
    need(isinstance(text, str), f"{clean(repr(text), 40)} is no text")
    return clean(text, longest)


def place_of(level: Any) -> Place:
    kind, name, index = level
    if kind == "step":
        whole(index, "time step")
    elif isinstance(index, list):
        number, reverse = index
        index = whole(number, "layer"), bool(reverse)
    elif isinstance(index, str):
        index = text_of(index, 12)
    elif index is not None:
        whole(index, "index of a scope")
    if kind == "gate":
        index = str(index or "")
    return Place(text_of(kind, 20), text_of(name, 60), index)


def array_of(item: Any, k: int) -> Array:
    """One array: its size must be what its bytes say."""
    dtype, shape = item["dtype"], item["shape"]
    need(dtype in DTYPES, f"array {k}: dtype {dtype!r}")
    need(isinstance(shape, list) and len(shape) <= 32, f"array {k}: shape")
    shape = tuple([whole(n, "length of an axis") for n in shape])
    if "data" in item:
        flat = decoded(item["data"], dtype, math.prod(shape), k)
        return Array(shape, dtype, flat.reshape(shape))
    low, high, mean, norm, nans, infinities = item["facts"]
    floats = [float.fromhex(x) for x in (low, high, mean, norm)]
    counts = whole(nans, "count"), whole(infinities, "count")
    facts = Facts(floats[0], floats[1], floats[2], floats[3], *counts)
    need(math.prod(shape) >= SAMPLE, f"array {k}: too small for a sample")
    return Array(shape, dtype, None, (decoded(item["sample"], dtype, SAMPLE, k), facts))


def decoded(text: Any, dtype: str, size: int, k: int) -> np.ndarray:
    need(isinstance(text, str), f"array {k} has no bytes")
    width = np.dtype(dtype).itemsize
    need(len(text) == 4 * -(-size * width // 3), f"array {k} has not {size} entries")
    try:
        raw = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise Damaged(f"array {k}: {error}") from None
    need(len(raw) == size * width, f"array {k} has not {size} entries")
    array = np.frombuffer(raw, np.dtype(dtype).newbyteorder("<"))
    if dtype == "bool":
        need((array.view("u1") <= 1).all(), f"array {k}: no booleans")
    array = array.astype(dtype, copy=False)
    array.setflags(write=False)
    return array


def tree_of(item: Any, k: int) -> Any:
    """A formula, with safe text in it and not too deep. Not recursive."""
    todo: list[tuple[Any, int]] = [(item, 0)]
    while todo:
        part, depth = todo.pop()
        need(depth <= DEEPEST, f"formula {k} is too deep")
        if isinstance(part, list):
            need(part and isinstance(part[0], str), f"formula {k} has an empty part")
            todo += [(inner, depth + 1) for inner in part]
        elif isinstance(part, str):
            need(clean(part, 80) == part, f"formula {k}: text")
        else:
            right = type(part) in (int, float) and abs(part) < 1e300
            need(right, f"formula {k}: {clean(repr(part), 30)}")
    return item
