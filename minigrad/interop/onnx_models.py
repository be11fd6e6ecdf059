"""Models as ONNX files: an RNN, LSTM or GRU, with lengths and initial states.

Read next: `exported_files.py`.
"""

from __future__ import annotations

import os
from typing import Any

from minigrad.engine.calls import checked_call
from minigrad.engine.errors import ArgumentError
from minigrad.interop.onnx_writer import OnnxWriter
from minigrad.interop.whole_networks import NETWORKS
from minigrad.models import Recurrent


@checked_call
def to_onnx(model: Any, path: str | os.PathLike[str]) -> None:
    """Write an RNN, LSTM or GRU as an ONNX file, which onnxruntime and others run.

    A network of one of the tasks is written as a whole: `models.SentimentReader`,
    `LanguageModel`, `TextTagger`, `WordTagger`, `Forecaster`. Its inputs have the names
    of the arguments of its forward, with "lengths" for the mask.

    Inputs:   "x" (T, B, D), the initial states "h0" (and "c0"): (layers*directions, B,
              H), and "lengths" (B,) int32: T for sequences without padding
    Outputs:  "output" (T, B, directions*H), "h_n" (and "c_n")
    T and B are free. A model with batch_first has x and output (B, T, ...). Padded
    steps give zeros, and the final state is that of the last real step, as here.
    Dropout is not written: the file is for using the network. A GRU with update="take"
    is written with z negated, couple="input" with i for f: the same functions.

    Raises ArgumentError, by name, for what ONNX has not: peephole="previous", no forget
    gate, cells of your own; SetupError if `onnx` is not installed.
    """
    whole = NETWORKS.get(type(model))
    if whole is not None:
        writer = OnnxWriter()
        whole(writer, model)
        writer.write(path, type(model).__name__)
        return
    if not isinstance(model, Recurrent):
        raise ArgumentError(
            "to_onnx: not a recurrent model",
            expect="an RNN, LSTM or GRU, or the network of a task",
            actual=type(model).__name__,
            hint="of a network of your own: write its recurrent part alone",
        )
    first = model.cells[0]
    writer = OnnxWriter()
    sizes: list[Any] = ["B", "T"] if model.batch_first else ["T", "B"]
    x = writer.input("x", first.dtype, [*sizes, model.input_size])
    shape = [len(model.cells), "B", model.hidden_size]
    states = [writer.input(f"{s}0", first.dtype, shape) for s in first.states]
    lengths = writer.input("lengths", "int32", ["B"])
    if model.batch_first:
        (x,) = writer.add("Transpose", [x], perm=[1, 0, 2])
    name = model.called or type(model).__name__.lower()
    output, ends = writer.recurrent(model, x, states, lengths, name)
    if model.batch_first:
        (output,) = writer.add("Transpose", [output], perm=[1, 0, 2])
    width = model.hidden_size * (2 if model.bidirectional else 1)
    writer.output("output", output, first.dtype, [*sizes, width])
    for letter, end in zip(first.states, ends, strict=True):
        writer.output(f"{letter}_n", end, first.dtype, shape)
    writer.write(path, name)
