"""What reaches the recurrent layers of an ONNX file, and leaves them: from onnxruntime.

Read next: `opened_file.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from minigrad.engine.errors import ArgumentError, CheckpointError
from minigrad.interop.onnx_arrays import to_array
from minigrad.interop.onnx_graphs import OnnxFile
from minigrad.interop.onnx_layers import OnnxLayer
from minigrad.interop.refusals import few, needs


class Captured(tuple[Any, ...]):
    """(x, states, output) of one recurrent layer, as its model here takes and gives.

    x       (T, B, D)
    states  the initial state: an array (directions, B, H), of an LSTM (h, c); None
            where the node is given none, which is zeros
    output  (T, B, directions*H): what the file's own node gave
    lengths (B,) whole numbers, or None: an attribute, not one of the three
    """

    lengths: np.ndarray | None = None


def capture(
    file: OnnxFile, layers: list[OnnxLayer], inputs: Mapping[str, Any]
) -> dict[str, Captured]:
    """Run a file in onnxruntime; returns what each recurrent layer was given and gave.

    inputs  arrays by the names of the file's inputs
    Layers in a branch (If, Loop) are left out: what is within cannot be seen.
    Raises ArgumentError for inputs that the file does not take; SetupError if
    onnxruntime is not installed.
    """
    try:
        import onnxruntime
    except ImportError:
        raise needs("onnxruntime", "running an ONNX file") from None
    import onnx

    outer = [layer for layer in layers if not layer.graph.path]
    model = onnx.ModelProto()
    model.CopyFrom(file.model)
    wanted: dict[str, list[str]] = {}
    given = {value.name for value in model.graph.input}
    there = {value.name for value in model.graph.output}
    for layer in outer:
        node = next(n for n in model.graph.node if _same(n, layer.node))
        if not node.output[0]:
            node.output[0] = f"minigrad: output of {layer.name}"
        names = [node.input[0], node.output[0]]
        names += [node.input[k] for k in (4, 5, 6) if len(node.input) > k]
        wanted[layer.name] = [name for name in names if name]
        for name in wanted[layer.name]:
            if name not in given | there:
                model.graph.output.append(onnx.ValueInfoProto(name=name))
                there.add(name)
    _inward(file, model)
    _check(file, inputs, [v.name for v in onnxruntime_inputs(file)])
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    try:
        content = model.SerializeToString()
        session = onnxruntime.InferenceSession(
            content, options, providers=["CPUExecutionProvider"]
        )
        arrays = {name: np.asarray(value) for name, value in inputs.items()}
        asked = sorted(there - given)
        values = dict(zip(asked, session.run(asked, arrays), strict=True))
    except Exception as error:  # onnxruntime has its own, of several kinds
        raise CheckpointError(
            f"onnxruntime cannot run {file.path}",
            expect="inputs of the shapes and types that the file states",
            actual=f"{error!s:.300}",
            hint="; ".join(input_texts(file)),
        ) from None
    values |= {name: np.asarray(value) for name, value in inputs.items()}
    for layer in outer:  # a state may be a constant of the file
        for name in wanted[layer.name]:
            if name not in values:
                values[name] = layer.graph.constant(name)
    return {layer.name: _captured(layer, values) for layer in outer}


def _inward(file: OnnxFile, model: Any) -> None:
    """Put what lies beside the file into the model, as far as it may be read."""
    from onnx import TensorProto, numpy_helper

    todo = [model.graph]
    while todo:
        graph = todo.pop()
        tensors = list(graph.initializer)
        for node in graph.node:
            for attribute in node.attribute:
                if attribute.HasField("g"):
                    todo.append(attribute.g)
                if attribute.HasField("t"):
                    tensors.append(attribute.t)
        for tensor in tensors:
            if tensor.data_location == TensorProto.EXTERNAL:
                array = to_array(tensor, file.folder, tensor.name)
                tensor.CopyFrom(numpy_helper.from_array(array, tensor.name))


def _same(one: Any, other: Any) -> bool:
    return list(one.output) == list(other.output) and one.op_type == other.op_type


def _captured(layer: OnnxLayer, values: Mapping[str, np.ndarray]) -> Captured:
    node = layer.node
    inputs = [*node.input, *[""] * 7]
    output = values[node.output[0] or f"minigrad: output of {layer.name}"]
    steps, ways, batch, hidden = output.shape
    output = output.transpose(0, 2, 1, 3).reshape(steps, batch, ways * hidden)
    parts = layer.model.cells[0].states
    states: Any = None
    starts = inputs[5 : 5 + len(parts)]
    if any(starts):
        zeros = np.zeros((ways, batch, hidden), output.dtype)
        arrays = tuple([values[name] if name else zeros for name in starts])
        states = arrays if len(arrays) > 1 else arrays[0]
    found = Captured((values[inputs[0]], states, output))
    if inputs[4]:
        found.lengths = values[inputs[4]]
    return found


def onnxruntime_inputs(file: OnnxFile) -> list[Any]:
    """The inputs that have no value in the file."""
    held = {tensor.name for tensor in file.model.graph.initializer}
    return [value for value in file.model.graph.input if value.name not in held]


def input_texts(file: OnnxFile) -> list[str]:
    """The inputs of a file, in words: "input: float (batch, 512)"."""
    import onnx

    said = []
    for value in onnxruntime_inputs(file):
        kind = value.type.tensor_type
        sizes = [d.dim_param or str(d.dim_value or "?") for d in kind.shape.dim]
        name = onnx.TensorProto.DataType.Name(kind.elem_type).lower()
        said.append(f"{value.name}: {name} ({', '.join(sizes)})")
    return said


def _check(file: OnnxFile, inputs: Mapping[str, Any], names: list[str]) -> None:
    missing = [name for name in names if name not in inputs]
    extra = [name for name in inputs if name not in names]
    if missing or extra:
        raise ArgumentError(
            f"capture: not the inputs of {file.path}",
            expect="; ".join(input_texts(file)),
            actual=f"missing: {few(missing)}     not known: {few(map(str, extra))}",
            hint="op.capture({name: array, ...})",
        )
