"""Keras' files: the weights of its layers by name, and what it says of each layer.

    .keras             a zip of config.json and model.weights.h5
    .h5, .hdf5         HDF5: weights by layer, often with the model's description
    .weights.h5        HDF5: weights alone, by the kinds of the layers

Read with h5py: nothing is run, and a dataset is read only if its numbers stand in the
file itself, as many as it says.

Read next: `layer_search.py`.
"""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from minigrad.engine.errors import CheckpointError
from minigrad.interop.refusals import needs
from minigrad.interop.weight_files import broken, checked_zip

MOST_LAYERS = 10_000


@dataclass
class KerasFile:
    """What a file of Keras' holds.

    arrays   {"layers/lstm/cell/vars/0": array}: datasets by their place in the file
    names    {"layers/lstm": "reader"}: how the layer at a place was called, if it says
    configs  {"reader": {"class_name": "LSTM", "config": {...}}}: by a layer's name
    order    names of layers in the order of the model, as far as the file says it
    """

    arrays: dict[str, np.ndarray] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    configs: dict[str, dict[str, Any]] = field(default_factory=dict)
    order: list[str] = field(default_factory=list)


def read_keras(path: Path) -> KerasFile:
    """Read a .keras file. CheckpointError if it is damaged; SetupError without h5py."""
    with checked_zip(path, 2) as archive:
        try:
            config = json.loads(archive.read("config.json"))
            weights = archive.read("model.weights.h5")
        except Exception as error:  # of any kind: members, packing, JSON
            raise broken(
                path, "config.json and model.weights.h5", f"{error!s:.120}"
            ) from None
    made = read_h5(path, weights)
    made.configs = _configs(config)
    made.order = list(made.configs)
    return made


def read_h5(path: Path, content: bytes | None = None) -> KerasFile:
    """Read an HDF5 file, or the bytes of one. Errors as `read_keras`."""
    try:
        import h5py
    except ImportError:
        raise needs("h5py", "reading Keras' files") from None
    try:
        content = path.read_bytes() if content is None else content
        with h5py.File(io.BytesIO(content), "r") as file:
            return _read(file, path, len(content))
    except CheckpointError:
        raise
    except Exception as error:  # of any kind: HDF5 has no one error
        raise broken(
            path, "an HDF5 file, complete", f"{type(error).__name__}: {error!s:.120}"
        ) from None


def _read(file: Any, path: Path, size: int) -> KerasFile:
    import h5py

    made = KerasFile()
    root = file["model_weights"] if "model_weights" in file else file
    todo = [("", root)]
    seen = set()
    while todo:
        place, group = todo.pop()
        if group.id in seen:  # a link back to a group that was read
            continue
        seen.add(group.id)
        if len(seen) > MOST_LAYERS:
            raise broken(path, f"at most {MOST_LAYERS} groups", "more of them")
        for name in group:
            link = group.get(name, getlink=True)
            below = f"{place}/{name}" if place else name
            if not isinstance(link, h5py.HardLink):
                raise broken(
                    path, "a file of its own", f"{below!r} is a link elsewhere"
                )
            item = group[name]
            if isinstance(item, h5py.Group):
                called = item.attrs.get("name") if name == "vars" else None
                if isinstance(called, str):
                    made.names[place] = called
                todo.append((below, item))
            elif isinstance(item, h5py.Dataset) and item.dtype.kind in "fiub":
                made.arrays[below] = _dataset(item, below, path, size)
    described = file.attrs.get("model_config")
    if isinstance(described, bytes):
        described = described.decode("utf-8", "replace")
    if isinstance(described, str):
        made.configs = _configs(json.loads(described))
    listed = root.attrs.get("layer_names", ())
    made.order = [n.decode() if isinstance(n, bytes) else str(n) for n in listed]
    return made


def _dataset(item: Any, place: str, path: Path, size: int) -> np.ndarray:
    """The numbers of a dataset, if they are in the file."""
    properties = item.id.get_create_plist()
    known = {1, 2, 3}  # gzip, shuffle, checksum: others are programs of their own
    filters = {properties.get_filter(k)[0] for k in range(properties.get_nfilters())}
    outside = item.is_virtual or item.external
    stored = item.id.get_storage_size()
    packed = bool(filters)
    if (
        outside
        or not filters <= known
        or item.nbytes > size * (8 if packed else 1)
        or (not packed and stored < item.nbytes)
    ):
        raise broken(
            path,
            "weights that the file itself holds",
            f"{place!r} of shape {item.shape}: {item.nbytes:,} bytes, of which "
            f"{stored:,} are here",
        )
    return np.array(item[()])


def _configs(description: Any) -> dict[str, dict[str, Any]]:
    """The layers of a model's description, by their names."""
    found: dict[str, dict[str, Any]] = {}
    todo = [description]
    while todo:
        now = todo.pop()
        if isinstance(now, list):
            todo += now[::-1]
        elif isinstance(now, dict):
            config = now.get("config")
            if isinstance(config, dict) and isinstance(now.get("class_name"), str):
                name = config.get("name", now.get("name"))
                if isinstance(name, str):
                    found.setdefault(name, now)
                # A Bidirectional has its layer within: by its own name, not by that.
                if now["class_name"] == "Bidirectional":
                    continue
            inside = [v for v in now.values() if isinstance(v, dict | list)]
            todo += inside[::-1]
    return found
