"""Opens a file of weights of any kind: every recurrent layer in it, as a model here.

op = mg.interop.open("voice.onnx")
print(op)                                   # what is in it
lstm = op.layers["/recurrent/LSTM"]
x, states, output = op.capture({"input": array, ...})["/recurrent/LSTM"]

Read next: `unit_maps.py`.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from minigrad.engine.calls import checked_call
from minigrad.engine.errors import ArgumentError, CheckpointError, checked_path
from minigrad.engine.known_names import KnownNames
from minigrad.interop.finite_weights import finite
from minigrad.interop.keras_files import read_h5, read_keras
from minigrad.interop.keras_layers import search_keras
from minigrad.interop.layer_health import (
    CellHealth,
    conventions,
    figures,
    health,
    remarks,
)
from minigrad.interop.layer_search import Found, search
from minigrad.interop.onnx_capture import Captured, capture, input_texts
from minigrad.interop.onnx_graphs import OnnxFile
from minigrad.interop.onnx_layers import OnnxLayer, find_layers
from minigrad.interop.own_layers import add_own
from minigrad.interop.weight_files import (
    DAMAGED,
    broken,
    read_npz,
    read_safetensors,
    read_torch,
)

KINDS = ".onnx, .safetensors, .pt, .h5, .keras or .npz"


class Opened(KnownNames):
    """What a file holds: `op = mg.interop.open(path)`.

    path      of the file
    kind      "ONNX", "PyTorch", "Keras", "NumPy" or "safetensors"
    layers    {name: RNN | LSTM | GRU}, one for each recurrent layer, both directions in
              one. They take x (T, B, D), and are in eval()
    refused   {name: why}, of recurrent layers that have no model here
    notes     what else is to be said of the file, in sentences
    health    {name: figures of each cell}: spectral radii, saturated biases, memory
    """

    def __init__(self, path: Path, kind: str, found: Found, notes: list[str]) -> None:
        self.path, self.kind = path, kind
        self.layers: dict[str, Any] = {n: m.eval() for n, m in found.layers.items()}
        self.refused: dict[str, str] = {
            name: f"{error.what}: {error.actual}"
            for name, error in found.refused.items()
        }
        self.notes = notes + [
            f"{name}: assumed {text}."
            for name, texts in found.assumed.items()
            for text in texts
        ]
        self.file: OnnxFile | None = None
        self.nodes: list[OnnxLayer] = []

    def capture(self, inputs: Mapping[str, Any]) -> dict[str, Captured]:
        """Run an ONNX file; what each recurrent layer was given, and what it gave.

        inputs  arrays by the names of the file's inputs
        Returns {name: (x, states, output)}: `op.layers[name](x, states)` computes the
        same here. Layers within a branch (If, Loop) are left out.
        Raises ArgumentError for a file that is not ONNX and for other inputs than the
        file has; SetupError if onnxruntime is not installed.
        """
        if self.file is None:
            raise ArgumentError(
                f"capture: {self.path} is not an ONNX file",
                expect="an ONNX file, which says what is around its layers",
                actual=f"weights alone ({self.kind})",
                hint="op.layers[name](x) runs one layer on an input of yours",
            )
        return capture(self.file, self.nodes, inputs)

    @cached_property
    def health(self) -> dict[str, list[CellHealth]]:
        """{layer: the figures of each of its cells}: radii, biases, memory."""
        return {name: health(model) for name, model in self.layers.items()}

    @property
    def inputs(self) -> list[str]:
        """The inputs of an ONNX file, in words; empty for others."""
        return [] if self.file is None else input_texts(self.file)

    def __repr__(self) -> str:
        count = f"{len(self.layers)} recurrent layer" + "s" * (len(self.layers) != 1)
        lines = [f"{self.path} ({self.kind}): {count}"]
        for name, model in self.layers.items():
            lines.append(f"  {name}: {layer_line(model)}")
            lines += [f"    {figures(cell)}" for cell in self.health[name]]
            lines += [f"    {text}" for text in remarks(self.health[name])]
        lines += [f"  {name}: not opened. {why}" for name, why in self.refused.items()]
        lines += [f"  {note}" for note in self.notes]
        return "\n".join(lines)


def layer_line(model: Any) -> str:
    """A model in one line: kind, sizes, directions, conventions, parameters."""
    ways = "from the end" if model.reverse else "one direction"
    ways = "both directions" if model.bidirectional else ways
    count = sum(p.size for p in model.parameters())
    layers = "1 layer" if model.num_layers == 1 else f"{model.num_layers} layers"
    return (
        f"{type(model).__name__}, {model.input_size} in, {model.hidden_size} units, "
        f"{layers}, {ways}, {model.cells[0].dtype}, {conventions(model)}, "
        f"{count:,} parameters"
    )


@checked_call
def open(path: str | os.PathLike[str]) -> Opened:
    """Open a file of weights, of any kind; nothing of it is run.

    path  .onnx, .safetensors, .npz with PyTorch's names, .pt or .pth (a state dict),
          .h5, .hdf5, .weights.h5 or .keras. The content decides, not the name

    Returns an `Opened`: `.layers`, `.refused`, `.notes`, and `.capture(...)` for ONNX.
    Raises CheckpointError for a file that is missing, damaged, cut off, of another
    kind, or that claims to hold more than it does; SetupError for the package that its
    kind needs: onnx, h5py or torch.
    """
    place = checked_path("open", path)
    kind = _kind(place)
    notes: list[str] = []
    if kind == "ONNX":
        return _checked(_opened_onnx(place))
    if kind == "Keras":
        file = read_keras(place) if _is_zip(place) else read_h5(place)
        found = search_keras(file)
        turned = [n for n, model in found.layers.items() if model.reverse]
        notes += [
            f"{name}: go_backwards; Keras gives its outputs from the end, here they "
            "are in the order of the input."
            for name in turned
        ]
    else:
        read = {"NumPy": read_npz, "PyTorch": read_torch}.get(kind, read_safetensors)
        arrays = read(place)
        found = search(arrays)
        notes += add_own(found, arrays)
    if found.others:
        notes.append(_others(found.others))
    if not found.layers and not found.refused:
        notes.append("No recurrent layer was found by its names.")
    return _checked(Opened(place, kind, found, notes))


def _checked(opened: Opened) -> Opened:
    """The same, with a warning for each layer whose weights are not finite."""
    for name, model in opened.layers.items():
        finite(f"open: layer {name!r}", model)
    return opened


def _is_zip(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(2) == b"PK"


def _kind(path: Path) -> str:
    """Which kind of file it is, by its first bytes, then by its ending."""
    import zipfile

    try:
        with path.open("rb") as file:
            start = file.read(9)
    except OSError as error:
        raise broken(
            path, f"a file: {KINDS}", error.strerror or str(error), "check the path"
        ) from None
    if start[:8] == b"\x89HDF\r\n\x1a\n":
        return "Keras"
    if start[:2] == b"PK":
        try:
            with zipfile.ZipFile(path) as archive:
                names = archive.namelist()
        except Exception as error:  # of any kind: a forged directory
            raise broken(path, "a whole archive", f"{error!s:.120}") from None
        if "model.weights.h5" in names:
            return "Keras"
        if any(
            name.rpartition("/")[2] in ("data.pkl", "constants.pkl") for name in names
        ):
            return "PyTorch"
        if names and all(name.endswith(".npy") for name in names):
            return "NumPy"
        raise broken(
            path, f"one of {KINDS}", "another archive", "is it the right file?"
        )
    ending = path.suffix.lower()
    if ending in (".pt", ".pth", ".bin", ".ckpt") or start[:1] == b"\x80":
        raise broken(
            path,
            "a PyTorch file as PyTorch writes it since version 1.6: an archive",
            "an older format, or a pickle, which may run code when read",
            "load it in PyTorch and save it again: torch.save(state_dict, path)",
        )
    if start[8:9] == b"{" or ending == ".safetensors":
        return "safetensors"
    if ending == ".onnx" or start[:1] == b"\x08":
        return "ONNX"
    raise broken(path, f"one of {KINDS}", f"it begins with {start[:8]!r}", DAMAGED)


def _others(shapes: Mapping[str, tuple[int, ...]]) -> str:
    """The other arrays of a file, in a sentence."""
    listed = [f"{name} {shape}" for name, shape in list(shapes.items())[:8]]
    more = f", and {len(shapes) - 8} more" if len(shapes) > 8 else ""
    return f"Other arrays, which are not opened: {', '.join(listed)}{more}."


def _opened_onnx(path: Path) -> Opened:
    file = OnnxFile(path)
    layers, refused = find_layers(file)
    found = Found({layer.name: layer.model for layer in layers}, dict(refused))
    made = Opened(path, "ONNX", found, _onnx_notes(file, layers))
    made.file, made.nodes = file, layers
    return made


def _onnx_notes(file: OnnxFile, layers: list[OnnxLayer]) -> list[str]:
    """What else there is in the graph that a reader should know."""
    notes = [
        f"{layer.name}: it stands in a branch ({layer.graph.path}), so it can be "
        "opened, but its inputs cannot be captured."
        for layer in layers
        if layer.graph.path
    ]
    counts: Counter[str] = Counter()
    halves = 0
    for graph in file.graphs():
        here = Counter(node.op_type for node in graph.nodes)
        counts += here
        held = [*graph.graph.initializer, *graph.values()]
        halves += sum(tensor.data_type == 10 for tensor in held)
        gates = here["Sigmoid"] >= 3 and here["Tanh"] >= 2
        products = here["Gemm"] + here["MatMul"]
        if gates and products >= 2 and not here["LSTM"]:
            place = f" in {graph.path}" if graph.path else ""
            notes.append(
                f"{products} products, {here['Sigmoid']} Sigmoid and {here['Tanh']} "
                f"Tanh nodes{place}: most likely an LSTM cell, taken apart. It is not "
                "put together again."
            )
    if halves:
        notes.append(f"{halves} arrays of the file are half floats (float16).")
    if counts["If"]:
        notes.append(
            f"{counts['If']} If nodes: which branch runs depends on the input."
        )
    if not layers:
        common = ", ".join(f"{n} {kind}" for kind, n in counts.most_common(5))
        notes.append(f"No RNN, LSTM or GRU node was opened. The graph has {common}.")
    return notes


def read_input(path: str | os.PathLike[str]) -> dict[str, np.ndarray]:
    """Arrays by name from an .npz file; of an .npy file one, called ""."""
    place = checked_path("open", path)
    if place.suffix == ".npz":
        return read_npz(place)
    try:
        array = np.load(place, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise CheckpointError(
            f"{place} cannot be read",
            expect="an .npz file of arrays by name, or an .npy file of one",
            actual=f"{error!s:.120}",
            hint="np.savez('input.npz', input=array)",
        ) from None
    return {"": array}
