"""Writes a trained network for PyTorch, Keras or onnxruntime.

path = export(tasks.load("sentiment"), "onnx", "folder")      # folder/model.onnx

Read next: `weight_files.py`.
"""

from __future__ import annotations

import io
import json
import os
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from minigrad.engine.calls import checked_call
from minigrad.engine.errors import one_of
from minigrad.interop.keras_weights import to_keras_weights
from minigrad.interop.onnx_models import to_onnx
from minigrad.interop.refusals import needs, no_counterpart
from minigrad.interop.torch_modules import to_torch_state_dict
from minigrad.models import Recurrent
from minigrad.nn import Embedding, Linear, Module, Parameter
from minigrad.pages.output_files import make_folder
from minigrad.training.checkpoint import save, write_whole

FILES = {
    "onnx": "model.onnx",
    "torch": "model.torch.safetensors",
    "keras": "model.keras.h5",
}


@checked_call
def export(trained: Any, kind: str, folder: str | os.PathLike[str]) -> Path:
    """Write a network into a folder, for another library; returns the file's path.

    trained  a model, or what `tasks.train` and `tasks.load` return: then what turns an
          input into numbers is written, too: words.json is the list of words by their
          numbers, scaling.json what columns were divided by
    kind  "onnx": the whole network, model.onnx, for onnxruntime and others
          "torch": model.torch.safetensors, the weights by PyTorch's names, which
          safetensors.torch.load_file reads and load_state_dict takes
          "keras": model.keras.h5, the weights by layer, which Keras' load_weights takes
    Raises ArgumentError, by name, for what there is not in the other library;
    SetupError if `onnx` or `h5py` is needed and not installed.
    """
    one_of("kind", kind, tuple(FILES))
    path = Path(os.fspath(folder)) / FILES[kind]
    make_folder(str(path.parent))
    model: Any = getattr(trained, "model", trained)
    if kind == "onnx":
        to_onnx(model, path)
    elif kind == "torch":
        save(path, to_torch_state_dict(model), metadata={"format": "pt"})
    else:
        _write_keras(model, path)
    for name, value in getattr(trained, "reading", {}).items():
        if hasattr(value, "to_dict"):
            plain = value.to_dict()
            plain = plain["words"] if list(plain) == ["words"] else plain
            text = json.dumps(plain, ensure_ascii=False, indent=0)
            write_whole(path.with_name(f"{name}.json"), text.encode())
    return path


def ready(kind: str) -> None:
    """SetupError if what this kind of file is written with is not installed."""
    package = {"onnx": "onnx", "keras": "h5py"}.get(kind)
    if package and find_spec(package) is None:
        raise needs(package, f"writing for {kind}")


def keras_layers(model: Module) -> list[tuple[str, list[np.ndarray]]]:
    """The layers of a network as Keras has them: (name, weights) in their order.

    One Keras layer for each Embedding, each recurrent layer and each Linear ("dense").
    Raises ArgumentError, by name, for parameters outside of these.
    """
    found: list[tuple[str, list[np.ndarray]]] = []
    inside: list[str] = []
    for name, part in model.named_modules():
        dot = f"{name}." if name else ""
        if any(dot.startswith(above) for above in inside):
            continue
        label = name.replace(".", "_") or type(part).__name__.lower()
        if isinstance(part, Recurrent):
            weights = to_keras_weights(part)
            layers = weights if part.num_layers > 1 else [weights]
            several = part.num_layers > 1
            for k, layer in enumerate(layers):
                found.append((f"{label}_{k}" if several else label, layer))
            inside.append(dot)
        elif isinstance(part, Embedding):
            found.append((label, [np.array(part.weight.data)]))
        elif isinstance(part, Linear):
            bias = [] if part.bias is None else [np.array(part.bias.data)]
            found.append((label, [np.array(part.weight.data), *bias]))
        else:
            own = [k for k, v in part.members() if isinstance(v, Parameter)]
            if own:
                raise no_counterpart(
                    f"the parameter {dot}{own[0]}",
                    type(model).__name__,
                    "layers of Keras: Embedding, SimpleRNN, LSTM, GRU, Dense",
                    "mg.interop.to_torch_state_dict keeps it as it is",
                )
    return found


def _write_keras(model: Module, path: Path) -> None:
    """An HDF5 file as Keras' load_weights reads it: weights by layer, in order."""
    try:
        import h5py
    except ImportError:
        raise needs("h5py", "writing weights for Keras") from None
    layers = keras_layers(model)
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        file.attrs["layer_names"] = [name.encode() for name, _ in layers]
        file.attrs["backend"], file.attrs["keras_version"] = b"minigrad", b"3.0.0"
        for name, weights in layers:
            group = file.create_group(name)
            names = [f"{name}/{k}".encode() for k in range(len(weights))]
            group.attrs["weight_names"] = names
            for label, array in zip(names, weights, strict=True):
                group[label.decode()] = array
        top = file.create_group("top_level_model_weights")
        top.attrs["weight_names"] = np.array([], "S1")
    write_whole(path, buffer.getvalue())
