"""Files that are not what a checkpoint should be, made byte by byte; and random ones.

`DAMAGED` has a file for each kind of damage or malice; `fuzzed` draws any number more.
"""

import copy
import json
import struct

import numpy as np
from safetensors.numpy import save


def file_of(header, data=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def entry(dtype="F64", shape=(1,), offsets=(0, 8)):
    return {"x": {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}}


DAMAGED = {
    "empty": b"",
    "short": b"abc",
    "a header longer than the file": struct.pack("<Q", 1 << 40) + b"{}",
    "no JSON": file_of(b"not json"),
    "lengths beyond the file": file_of(entry(shape=(1 << 40,), offsets=(0, 8 << 40))),
    "lengths that overflow": file_of(
        entry(shape=(1 << 62, 1 << 62), offsets=(0, 8)), bytes(8)
    ),
    "shape and offsets differ": file_of(entry(shape=(2,)), bytes(8)),
    "offsets backwards": file_of(entry(offsets=(8, 0)), bytes(8)),
    "cut off": file_of(entry(shape=(2,), offsets=(0, 16)), bytes(8)),
    "too long": file_of(entry(), bytes(9)),
    "unknown dtype": file_of(entry(dtype="Q99"), bytes(8)),
    "two entries of one name": file_of(
        b'{"x":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},'
        b'"x":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}',
        b"a",
    ),
    "a key twice within an entry": file_of(
        b'{"x":{"dtype":"U8","dtype":"U8","shape":[1],"data_offsets":[0,1]}}', b"a"
    ),
    "arrays that overlap": file_of(
        entry(shape=(2,), offsets=(0, 16))
        | {"y": {"dtype": "F64", "shape": [2], "data_offsets": [8, 24]}},
        bytes(24),
    ),
    "arrays in the same place": file_of(entry() | {"y": entry()["x"]}, bytes(8)),
    "a gap between arrays": file_of(
        entry() | {"y": {"dtype": "F64", "shape": [1], "data_offsets": [16, 24]}},
        bytes(24),
    ),
    "arrays beside the data": file_of(entry(offsets=(8, 16)), bytes(16)),
    "a shape that multiplies to a small one in 64 bits": file_of(
        entry(shape=(1 << 33, 1 << 31, 8), offsets=(0, 0))
    ),
    "negative sizes": file_of(entry(shape=(-1, -1)), bytes(8)),
    "sizes with a fraction": file_of(entry(shape=(1.0,)), bytes(8)),
    "sizes beyond 64 bits": file_of(entry(shape=(10**30, 0), offsets=(0, 0))),
    "a truth value as a size": file_of(entry(shape=(True,)), bytes(8)),
    "words as a shape": file_of({"x": {"dtype": "F64", "shape": "1"}}, bytes(8)),
    "a list as an entry": file_of({"x": [1, 2]}, bytes(8)),
    "a list as a header": file_of([1, 2]),
    "nested beyond reason": file_of(b"[" * 200_000),
    "nested beyond reason within an entry": file_of(
        b'{"x":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"y":'
        + 100_000 * b"["
        + 100_000 * b"]"
        + b"}}",
        b"a",
    ),
    "metadata that are no words": file_of({"__metadata__": {"a": 1}}),
    "a header that is not UTF-8": file_of(b'{"\xff": 1}'),
    "text": b"hello, world, this is a text file and nothing else",
    "a number as an entry": file_of({"x": 3}),
    "null as an entry": file_of({"x": None}),
    "an entry without a dtype": file_of({"x": {"shape": [1], "data_offsets": [0, 8]}}),
    "an entry without a shape": file_of(
        {"x": {"dtype": "F64", "data_offsets": [0, 8]}}, bytes(8)
    ),
    "an entry without offsets": file_of(
        {"x": {"dtype": "F64", "shape": [1]}}, bytes(8)
    ),
    "one offset": file_of(
        {"x": {"dtype": "F64", "shape": [1], "data_offsets": [8]}}, bytes(8)
    ),
    "three offsets": file_of(
        {"x": {"dtype": "F64", "shape": [1], "data_offsets": [0, 4, 8]}}, bytes(8)
    ),
    "negative offsets": file_of(entry(offsets=(-8, 0)), bytes(8)),
    "offsets beyond 64 bits": file_of(entry(offsets=(0, 1 << 70)), bytes(8)),
    "offsets with a fraction": file_of(entry(offsets=(0.0, 8.0)), bytes(8)),
    "offsets as words": file_of(entry(offsets=("0", "8")), bytes(8)),
    "offsets that are no list": file_of(
        {"x": {"dtype": "F64", "shape": [1], "data_offsets": 8}}, bytes(8)
    ),
    "a dtype in small letters": file_of(entry(dtype="f64"), bytes(8)),
    "a number as a dtype": file_of(entry(dtype=8), bytes(8)),
    "a dtype that is a list": file_of(entry(dtype=["F64"]), bytes(8)),
    "a name of Python as a dtype": file_of(entry(dtype="object"), bytes(8)),
    "sizes as words": file_of(entry(shape=("1",)), bytes(8)),
    "sizes within sizes": file_of(entry(shape=([1],)), bytes(8)),
    "null as a size": file_of(entry(shape=(None,)), bytes(8)),
    "NaN as a size": file_of(entry(shape=(float("nan"),)), bytes(8)),
    "infinity as a size": file_of(entry(shape=(float("inf"),)), bytes(8)),
    "a list as metadata": file_of({"__metadata__": ["a"]}),
    "words as metadata": file_of({"__metadata__": "a"}),
    "metadata within metadata": file_of({"__metadata__": {"a": {"b": "c"}}}),
    "null in the metadata": file_of({"__metadata__": {"a": None}}),
    "a header of one word": file_of(b'"x"'),
    "a header of one number": file_of(b"3"),
    "a header that is null": file_of(b"null"),
    "an empty header": file_of(b""),
    "two headers": file_of(b"{}{}"),
    "a header with a comment": file_of(b"{} // nothing"),
    "a header in UTF-16": file_of('{"x": 1}'.encode("utf-16")),
    "a surrogate in a name": file_of(b'{"\\ud800": 1}'),
    "a zero byte in a name": file_of(b'{"a\\u0000": 1}'),
    "a length of nothing": struct.pack("<Q", 0),
    "a length of all ones": b"\xff" * 8 + b"{}",
    "a length with the sign bit": struct.pack("<Q", 1 << 63) + b"{}",
    "a length in the other order": struct.pack(">Q", 2) + b"{}",
    "zeros": bytes(1000),
    "a ZIP archive": b"PK\x03\x04" + bytes(100),
    "an HDF5 file": b"\x89HDF\r\n\x1a\n" + bytes(100),
    "a page": b"<!DOCTYPE html><script>alert(1)</script>",
    "a program": b"\x7fELF" + bytes(100),
}


# ------------------------------------------------------------- random ones

JUNK = [
    None, True, -1, 0, 1, 7, 1 << 31, (1 << 63) - 1, 1 << 63, 1 << 64, 1e308, 0.5, "",
    "F64", "I8", "\ud800", "a" * 300, [], [0, 8], [1, [2]], {}, {"a": "b"},
    "minigrad.sha256", "__metadata__", "x",
]  # fmt: skip


def whole_files(saved):
    """Good files to start from: a sealed one, as `mg.save` writes, and two of others.

    saved  the bytes of the sealed one
    """
    arrays = {
        "a": np.arange(6.0).reshape(2, 3), "b": np.zeros((0, 2), "float32"),
        "c.d": np.array(7, "int64"), "e": np.array([True, False]),
    }  # fmt: skip
    return [saved, save(arrays, {"epoch": "3"}), save({"x": np.ones(2, "float16")})]


def fuzzed(rng, files):
    """One of the files, damaged: bytes changed, cut, added; or its header rewritten."""
    whole = files[rng.integers(len(files))]
    kind = rng.integers(6)
    if kind == 0:
        return whole[: rng.integers(len(whole))]
    if kind == 1:
        place = int(rng.integers(len(whole)))
        return whole[:place] + rng.bytes(int(rng.integers(1, 9))) + whole[place:]
    if kind == 2:
        changed = bytearray(whole)
        for _ in range(int(rng.integers(1, 6))):
            changed[int(rng.integers(min(len(changed), 400)))] = int(rng.integers(256))
        return bytes(changed)
    length = struct.unpack("<Q", whole[:8])[0]
    header, data = json.loads(whole[8 : 8 + length]), whole[8 + length :]
    for _ in range(int(rng.integers(1, 4))):
        rewrite(rng, header)
    text = json.dumps(header).encode()
    if kind == 3:  # a key twice
        text = text[:-1] + b"," + text[1:]
    if kind == 4:
        data = data[: rng.integers(len(data) + 1)] + rng.bytes(int(rng.integers(9)))
    return file_of(text, data)


def rewrite(rng, header):
    """Something in the header becomes something else."""
    places = [(header, key) for key in header]
    for inner in header.values():
        if isinstance(inner, dict):
            places += [(inner, key) for key in inner]
            places += [
                (a, k)
                for a in inner.values()
                if isinstance(a, list)
                for k in range(len(a))
            ]
    if not places:
        header["x"] = copy.deepcopy(JUNK[rng.integers(len(JUNK))])
        return
    inside, key = places[rng.integers(len(places))]
    junk = JUNK[rng.integers(len(JUNK))]
    if isinstance(inside, dict) and rng.random() < 0.3:
        value = inside.pop(key)
        if isinstance(junk, str):
            inside[junk] = value
    else:
        inside[key] = copy.deepcopy(junk)
