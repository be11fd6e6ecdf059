"""ONNX files written: a graph is built node by node, checked, and written whole.

Read next: `whole_networks.py`.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from minigrad.engine.errors import checked_path, warn
from minigrad.interop.recurrent_nodes import write_node
from minigrad.interop.refusals import needs
from minigrad.models import RNN
from minigrad.training.checkpoint import write_whole

# Versions that runtimes of the last years read, and that have all that is written here.
OPSET, IR_VERSION = 17, 8


class OnnxWriter:
    """Builds one graph. Every method returns the names of what it adds.

    Raises SetupError if `onnx` is not installed.
    """

    def __init__(self) -> None:
        try:
            import onnx
        except ImportError:
            raise needs("onnx", "writing ONNX files") from None
        self._onnx = onnx
        self._nodes: list[Any] = []
        self._constants: dict[str, Any] = {}
        self._inputs: list[Any] = []
        self._outputs: list[Any] = []
        self._count = 0

    def type_number(self, dtype: Any) -> int:
        """The number that ONNX has for a dtype."""
        return self._onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype))

    def input(self, name: str, dtype: Any, shape: list[Any]) -> str:
        """An input of the graph; sizes by number, or by a name such as "T"."""
        self._inputs.append(self._info(name, dtype, shape))
        return name

    def output(self, name: str, source: str, dtype: Any, shape: list[Any]) -> None:
        """Make something that was added an output of the graph, under this name."""
        self.add("Identity", [source], outputs=[name])
        self._outputs.append(self._info(name, dtype, shape))

    def _info(self, name: str, dtype: Any, shape: list[Any]) -> Any:
        number = self.type_number(dtype)
        return self._onnx.helper.make_tensor_value_info(name, number, shape)

    def constant(self, name: str, value: Any) -> str:
        """An array that the file holds."""
        array = np.ascontiguousarray(value)
        array = array.reshape(np.shape(value))  # a number stays one
        self._constants[name] = self._onnx.numpy_helper.from_array(array, name)
        return name

    def ints(self, *values: int) -> str:
        """Whole numbers, as axes and shapes are given to nodes."""
        name = "ints_" + "_".join(map(str, values)).replace("-", "minus")
        return self.constant(name, np.array(values, np.int64))

    def add(
        self,
        kind: str,
        inputs: list[str],
        *,
        name: str = "",
        outputs: list[str] | int = 1,
        **attributes: Any,
    ) -> list[str]:
        """A node; returns the names of its outputs."""
        self._count += 1
        label = name or f"{kind}_{self._count}"
        if isinstance(outputs, int):
            outputs = [f"{label}_{k}" for k in range(outputs)]
        node = self._onnx.helper.make_node(
            kind, inputs, outputs, name=label, **attributes
        )
        self._nodes.append(node)
        return outputs

    def recurrent(
        self, model: Any, x: str, states: list[str], lengths: str, name: str
    ) -> tuple[str, list[str]]:
        """A model's layers, one node each, between x (T, B, D) and its output.

        states  names of initial states (layers*directions, B, H), or [] for zeros
        lengths name of the lengths (B,) int32, or "" for none
        Returns the output (T, B, directions*H) and the final states.
        """
        if isinstance(model, RNN) and str(model.cells[0].dtype) == "float64":
            warn(
                "to_onnx: an RNN of float64, for which onnxruntime has no kernel",
                expect="float32, or an LSTM or GRU",
                actual=f"{name}: {type(model).__name__}, float64",
                hint='make the model with dtype="float32", and give it '
                "{k: v.astype('float32') for k, v in model.state_dict().items()}",
            )
        ways = 2 if model.bidirectional else 1
        layers = model.num_layers
        split: list[list[str]] = [[""] * layers for _ in model.cells[0].states]
        if states:
            split = [
                self.add(
                    "Split",
                    [state, self.ints(*[ways] * layers)],
                    outputs=layers,
                    name=f"{name}_{state}",
                    axis=0,
                )
                if layers > 1
                else [state]
                for state in states
            ]
        ends: list[list[str]] = []
        for k in range(layers):
            cells = model.cells[k * ways : (k + 1) * ways]
            kind, attributes, arrays = write_node(cells, model.reverse, name)
            label = f"{name}_l{k}"
            given = {n: self.constant(f"{label}.{n}", a) for n, a in arrays.items()}
            starts = [part[k] for part in split]
            inputs = [x, given["W"], given["R"], given.get("B", ""), lengths, *starts]
            if "P" in given:
                inputs.append(given["P"])
            while not inputs[-1]:
                inputs.pop()
            x, *end = self.add(
                kind, inputs, name=label, outputs=1 + len(split), **attributes
            )
            ends.append(end)
            if ways == 1:
                (x,) = self.add("Squeeze", [x, self.ints(1)])
            else:  # (T, 2, B, H): the directions side by side
                (x,) = self.add("Transpose", [x], perm=[0, 2, 1, 3])
                (x,) = self.add("Reshape", [x, self.ints(0, 0, -1)])
        final = [
            self.add("Concat", list(parts), axis=0)[0] if layers > 1 else parts[0]
            for parts in zip(*ends, strict=True)
        ]
        return x, final

    def linear(self, layer: Any, x: str, name: str) -> str:
        """x (..., in) times the weight, and the bias added."""
        weight = self.constant(f"{name}.weight", layer.weight.data)
        (x,) = self.add("MatMul", [x, weight], name=f"{name}_product")
        if layer.bias is not None:
            bias = self.constant(f"{name}.bias", layer.bias.data)
            (x,) = self.add("Add", [x, bias], name=f"{name}_sum")
        return x

    def embedding(self, layer: Any, words: str, name: str) -> str:
        """The rows of a table; zeros for the padding's number, whatever its row has."""
        table = np.array(layer.weight.data)
        if layer.padding_idx is not None:
            table[layer.padding_idx] = 0.0
        return self.add("Gather", [self.constant(f"{name}.weight", table), words])[0]

    def write(self, path: str | os.PathLike[str], name: str) -> None:
        """Check the graph and write the file, whole or not at all."""
        path = checked_path("to_onnx", path)
        helper = self._onnx.helper
        graph = helper.make_graph(
            self._nodes,
            name,
            self._inputs,
            self._outputs,
            initializer=list(self._constants.values()),
        )
        made = helper.make_model(
            graph,
            producer_name="minigrad",
            opset_imports=[helper.make_opsetid("", OPSET)],
            ir_version=IR_VERSION,
        )
        self._onnx.checker.check_model(made, full_check=True)
        write_whole(path, made.SerializeToString())
