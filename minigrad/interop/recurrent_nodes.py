"""The RNN, LSTM and GRU nodes of ONNX: their arrays read into a model, and written.

    W (directions, G*H, D)   R (directions, G*H, H)   B (directions, 2*G*H)
    P (directions, 3*H): peepholes of i, o, f

Gates stand in the order i o f g (LSTM) and z r n (GRU). What a node of ONNX can do
besides (clip, other activations) no cell here does: it is refused by name.
Source: https://onnx.ai/onnx/operators/onnx__LSTM.html, and __GRU, __RNN.

Read next: `onnx_arrays.py`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.interop.bias_pairs import get_biases, set_biases
from minigrad.interop.gate_blocks import ORDERS, negated, reordered
from minigrad.interop.refusals import does_not_fit, no_counterpart
from minigrad.models import GRU, LSTM, RNN, GRUCell, LSTMCell, RNNCell

KINDS: dict[str, Any] = {"RNN": RNN, "LSTM": LSTM, "GRU": GRU}
CELLS = (RNNCell, LSTMCell, GRUCell)
ACTIVATIONS = {
    "RNN": ("Tanh",),
    "LSTM": ("Sigmoid", "Tanh", "Tanh"),
    "GRU": ("Sigmoid", "Tanh"),
}
DIRECTIONS = ("forward", "reverse", "bidirectional")


def read_node(
    kind: str, attributes: dict[str, Any], arrays: dict[str, np.ndarray], where: str
) -> Any:
    """A model of one layer from a node's attributes and its arrays W, R, B and P.

    Raises ArgumentError, by name, for what has no counterpart here; CheckpointError for
    arrays that do not fit.
    """
    direction = str(attributes.get("direction", "forward"))
    ways = 2 if direction == "bidirectional" else 1
    options = _options(kind, attributes, where, direction, ways)
    gates = len(ORDERS["ONNX"][kind.lower()])
    W, R = arrays["W"], arrays["R"]
    hidden = R.shape[2] if R.ndim == 3 else 0
    width = W.shape[2] if W.ndim == 3 else 0
    shapes = {
        "W": (ways, gates * hidden, width),
        "R": (ways, gates * hidden, hidden),
        "B": (ways, 2 * gates * hidden),
        "P": (ways, 3 * hidden),
    }
    given = attributes.get("hidden_size", hidden)
    for name, array in arrays.items():
        good = array.shape == shapes[name] and array.dtype == W.dtype
        if not good or not hidden or not width or given != hidden:
            raise does_not_fit(
                f"{kind} node {where}: {name} does not fit",
                expect=f"{shapes[name]} {W.dtype}, hidden_size {given}",
                actual=f"{array.shape} {array.dtype}",
                hint="is the file complete, and made by a library's own exporter?",
            )
    if "P" in arrays and kind == "LSTM":
        options["peephole"] = "current"
    model = KINDS[kind](width, hidden, dtype=W.dtype.name, rng=0, **options)
    for k, cell in enumerate(model.cells):
        _fill(cell, {name: array[k] for name, array in arrays.items()})
    return model


def _options(
    kind: str, attributes: dict[str, Any], where: str, direction: str, ways: int
) -> dict[str, Any]:
    """The arguments of the model; ArgumentError for what there is not."""
    if direction not in DIRECTIONS:
        raise does_not_fit(
            f"{kind} node {where}: direction {direction!r:.40}",
            expect=", ".join(DIRECTIONS),
            actual=repr(direction)[:60],
            hint="is the file complete, and made by a library's own exporter?",
        )
    options: dict[str, Any] = {
        "bidirectional": ways == 2,
        "reverse": direction == "reverse",
        "batch_first": bool(attributes.get("layout", 0)),
    }
    known = ACTIVATIONS[kind]
    given = [str(name) for name in attributes.get("activations", known * ways)]
    if kind == "RNN" and given == ["Relu"] * ways:
        options["activation"] = "relu"
    elif [name.lower() for name in given] != [name.lower() for name in known * ways]:
        raise no_counterpart(
            f"activations {given}",
            f"{kind} node {where}",
            f"{list(known * ways)}" + (", or Relu" if kind == "RNN" else ""),
            "write a cell of your own for models.unroll, with these functions",
        )
    for name in ("clip", "activation_alpha", "activation_beta"):
        if attributes.get(name):
            raise no_counterpart(
                f"{name}={attributes[name]}",
                f"{kind} node {where}",
                f"a {kind} node without {name}",
                "export the network without it",
            )
    if kind == "LSTM" and attributes.get("input_forget"):
        options["couple"] = "forget"
    if kind == "LSTM" and not attributes.get("input_forget"):
        options["couple"] = None
    if kind == "GRU":
        after = attributes.get("linear_before_reset", 0)
        options["reset"] = "after" if after else "before"
    return options


def _fill(cell: Any, arrays: dict[str, np.ndarray]) -> None:
    """Set a cell's weights from those of one direction of a node."""
    have = ORDERS["ONNX"][cell.kind]
    cell.W_x.data = reordered(arrays["W"].T, have, cell.gates)
    cell.W_h.data = reordered(arrays["R"].T, have, cell.gates)
    pair: list[Any] = [None, None]
    if "B" in arrays:
        pair = [reordered(b, have, cell.gates) for b in np.split(arrays["B"], 2)]
    set_biases(cell, *pair)
    if "P" in arrays:
        for letter, p in zip("iof", np.split(arrays["P"], 3), strict=True):
            if hasattr(cell, f"p_{letter}"):
                getattr(cell, f"p_{letter}").data = p.copy()


# ------------------------------------------------------------- out again


def write_node(
    cells: list[Any], reverse: bool, where: str
) -> tuple[str, dict[str, Any], dict[str, np.ndarray]]:
    """A node's kind, attributes and arrays, from the cells of one layer.

    Raises ArgumentError, by name, for variants that ONNX has not.
    """
    first = cells[0]
    for cell in cells:
        _refuse(cell, where)
    kind = type(first).__name__.removesuffix("Cell")
    direction = "bidirectional" if len(cells) == 2 else "forward"
    attributes: dict[str, Any] = {
        "hidden_size": first.hidden_size,
        "direction": "reverse" if reverse else direction,
    }
    if getattr(first, "activation", "tanh") == "relu":
        attributes["activations"] = ["Relu"] * len(cells)
    if getattr(first, "couple", None):
        attributes["input_forget"] = 1
    if kind == "GRU":
        attributes["linear_before_reset"] = int(first.reset == "after")
    per_cell = [_node_arrays(cell) for cell in cells]
    names = [name for name in ("W", "R", "B", "P") if all(name in a for a in per_cell)]
    if any("B" in a for a in per_cell) and "B" not in names:
        names.insert(2, "B")
        for arrays in per_cell:
            arrays.setdefault("B", np.zeros(2 * arrays["W"].shape[0], first.dtype))
    return kind, attributes, {n: np.stack([a[n] for a in per_cell]) for n in names}


def _refuse(cell: Any, where: str) -> None:
    problem = None
    if type(cell) not in CELLS:
        problem = f"a cell of class {type(cell).__name__}"
    elif getattr(cell, "peephole", None) == "previous":
        problem = "peephole='previous'"
    elif not getattr(cell, "forget_gate", True):
        problem = "forget_gate=False"
    if problem:
        raise no_counterpart(
            problem,
            where,
            "an RNN, LSTM or GRU node of ONNX with the same equations",
            "peephole='current' has one, and couple='forget'",
        )


def _node_arrays(cell: Any) -> dict[str, np.ndarray]:
    """W, R, B and P of one direction, in the order of ONNX."""
    want = ORDERS["ONNX"][cell.kind]
    biases = get_biases(cell)
    arrays = [cell.W_x.data, cell.W_h.data, *(biases or ())]
    if getattr(cell, "update", "keep") == "take":
        arrays = [negated(array, cell.gates, "z") for array in arrays]
    if getattr(cell, "couple", None):
        arrays = [_with_both(cell, array) for array in arrays]
        have: Any = "ifgo"
    else:
        have = cell.gates
    W, R, *pair = [reordered(array, have, want) for array in arrays]
    made = {"W": W.T, "R": R.T}
    if pair:
        made["B"] = np.concatenate(pair)
    if getattr(cell, "peephole", None):
        made["P"] = _peepholes(cell)
    return made


def _with_both(cell: Any, array: np.ndarray) -> np.ndarray:
    """A coupled cell's array with blocks for i and f; ONNX reads that of i alone.

    ONNX has f = 1 - i. Where a cell has i = 1 - f, its i is sigmoid(-a) for f's a.
    """
    present = "f" if cell.couple == "input" else "i"
    if present == "f":
        array = negated(array, cell.gates, "f")
    blocks = dict(
        zip(cell.gates, np.split(array, len(cell.gates), axis=-1), strict=True)
    )
    i = blocks[present]
    parts = [i, np.zeros_like(i), blocks["g"], blocks["o"]]
    return np.concatenate(parts, axis=-1)


def _peepholes(cell: Any) -> np.ndarray:
    zeros = np.zeros(cell.hidden_size, cell.dtype)
    if cell.couple == "input":
        return np.concatenate([-cell.p_f.data, cell.p_o.data, zeros])
    f = zeros if cell.couple else cell.p_f.data
    return np.concatenate([cell.p_i.data, cell.p_o.data, f])
