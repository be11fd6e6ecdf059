"""Recurrent layers of an ONNX file: each node as a model, and those in a row as one.

Read next: `onnx_writer.py`.
"""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np

from minigrad.engine.calls import checked_call
from minigrad.engine.errors import CheckpointError, DTypeError, MinigradError
from minigrad.interop.bias_pairs import BiasSource
from minigrad.interop.finite_weights import finite
from minigrad.interop.onnx_graphs import MOVES, OnnxFile, OnnxGraph
from minigrad.interop.recurrent_nodes import KINDS, read_node
from minigrad.interop.refusals import does_not_fit, few, no_counterpart

WEIGHTS = {"W": 1, "R": 2, "B": 3, "P": 7}  # which input of a node it is


@dataclass
class OnnxLayer:
    """One recurrent node of a file, as a model of one layer.

    name   the node's own, or its kind and number
    model  an RNN, LSTM or GRU
    """

    name: str
    node: Any
    graph: OnnxGraph
    model: Any


def find_layers(file: OnnxFile) -> tuple[list[OnnxLayer], dict[str, MinigradError]]:
    """The recurrent nodes of a file: those that have a model here, and why not others.

    Returns the layers, in the file's order, and the errors by the name of the node.
    """
    layers, refused = [], {}
    taken: Counter[str] = Counter()
    for graph in file.graphs():
        for node in graph.nodes:
            if node.op_type not in KINDS or node.domain not in ("", "ai.onnx"):
                continue
            name = node.name or node.op_type
            taken[name] += 1
            if taken[name] > 1 or not node.name:
                name = f"{name}_{taken[name]}"
            try:
                model = _read(node, graph, name)
            except MinigradError as error:
                refused[name] = error
            else:
                model.called = name
                layers.append(OnnxLayer(name, node, graph, model))
    return layers, refused


def _read(node: Any, graph: OnnxGraph, name: str) -> Any:
    from onnx import helper

    where = f"{name!r}" + (f", in {graph.path}" if graph.path else "")
    arrays: dict[str, np.ndarray] = {}
    for letter, at in WEIGHTS.items():
        given = node.input[at] if len(node.input) > at else ""
        if not given or (letter == "P" and node.op_type != "LSTM"):
            continue
        found = graph.constant(given)
        if found is None:
            raise no_counterpart(
                f"{letter} that is computed",
                f"{node.op_type} node {where}",
                "weights that the file holds, as constants",
                "export the network without quantised or shared weights",
            )
        if found.dtype not in (np.float32, np.float64):
            raise DTypeError(
                f"{node.op_type} node {where}: {letter} is {found.dtype}",
                expect="float32 or float64: what cells compute in",
                actual=f"{letter}: {found.dtype}; nothing was loaded",
                hint="export the network before it is converted to half floats",
            )
        arrays[letter] = found
    if not {"W", "R"} <= set(arrays):
        raise does_not_fit(
            f"{node.op_type} node {where} has not all weights",
            expect="inputs X, W and R",
            actual=f"inputs {list(node.input)}",
            hint="is the file complete?",
        )
    attributes = {}
    for attribute in node.attribute:
        value = helper.get_attribute_value(attribute)
        if isinstance(value, bytes):
            value = value.decode("utf-8", "replace")
        elif isinstance(value, list):
            value = [v.decode() if isinstance(v, bytes) else v for v in value]
        attributes[attribute.name] = value
    return read_node(node.op_type, attributes, arrays, where)


# ------------------------------------------------------------- one model of a file


@checked_call
def from_onnx(path: str | os.PathLike[str]) -> Any:
    """The RNN, LSTM or GRU of an ONNX file, with its weights.

    path  a file whose recurrent part is one node, or nodes in a row that only pass
          their outputs on: layers of one model, as `to_onnx` writes them

    Nothing of the file is run. What stands around the recurrent part is not read:
    `mg.interop.open(path)` lists it, and opens files with several recurrent parts.
    Peepholes come as peephole="current", input_forget as couple="forget".
    Raises CheckpointError for a file that is damaged, cut off, cyclic or too new, or
    that has no recurrent node; ArgumentError, by name, for what has no counterpart
    (clip, other activations); SetupError if `onnx` is not installed.
    """
    file = OnnxFile(path)
    layers, refused = find_layers(file)
    if refused:
        raise next(iter(refused.values()))
    if not layers:
        counts = Counter(n.op_type for graph in file.graphs() for n in graph.nodes)
        raise CheckpointError(
            f"{file.path} has no recurrent layer",
            expect="a node of kind RNN, LSTM or GRU",
            actual=", ".join(f"{n} {kind}" for kind, n in counts.most_common(6)),
            hint="a cell that was taken apart into matrix products is not found",
        )
    rows = in_rows(layers)
    if len(rows) > 1:
        raise CheckpointError(
            f"{file.path} has {len(layers)} recurrent layers that are no one model",
            expect="one recurrent node, or several in a row of one kind and size",
            actual=few(layer.name for layer in layers),
            hint="mg.interop.open(path).layers has each by its name",
        )
    return finite("from_onnx", stacked([layer.model for layer in rows[0]]))


def in_rows(layers: list[OnnxLayer]) -> list[list[OnnxLayer]]:
    """The layers, those together whose outputs only are each other's inputs."""
    rows: list[list[OnnxLayer]] = []
    for layer in layers:
        before = layer.graph.origin(layer.node.input[0])
        last = rows[-1][-1] if rows else None
        joined = (
            last is not None
            and before is last.node
            and layer.graph is last.graph
            and _fits_behind(last, layer)
        )
        if joined:
            rows[-1].append(layer)
        else:
            rows.append([layer])
    return rows


def _fits_behind(first: OnnxLayer, second: OnnxLayer) -> bool:
    """Could both be layers of one model, one passing its whole output to the other?"""
    one, two = first.model, second.model
    sequence = first.node.output[0] if first.node.output else ""
    wanted = {**one.config, "input_size": two.input_size}
    users = [n for n in first.graph.nodes if sequence in n.input]
    return bool(
        sequence
        and two.config == wanted
        and type(one) is type(two)
        and two.input_size == one.hidden_size * (2 if one.bidirectional else 1)
        and all(node.op_type in MOVES or node is second.node for node in users)
    )


def stacked(models: list[Any]) -> Any:
    """One model of several layers, from models of one layer each."""
    if len(models) == 1:
        return models[0]
    first = models[0]
    whole = type(first)(**{**first.config, "num_layers": len(models)}, rng=0)
    cells = [cell for model in models for cell in model.cells]
    for own, cell in zip(whole.cells, cells, strict=True):
        own.load_state_dict(cell.state_dict())
        source: BiasSource = cell.bias_source
        own.bias_source = source
        for name, parameter in own.named_parameters():
            parameter.requires_grad = getattr(cell, name).requires_grad
    return whole
