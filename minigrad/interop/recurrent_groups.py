"""PyTorch's names of a recurrent layer's weights: read into a model, and written.

    weight_ih_l0 (G*H, D)  weight_hh_l0 (G*H, H)  bias_ih_l0 (G*H,)  bias_hh_l0 (G*H,)
    weight_ih_l0_reverse ... weight_ih_l1 ...;  of a cell alone: weight_ih, weight_hh

G is 1 for an RNN, 3 for a GRU, 4 for an LSTM: the shapes say which it is.

Read next: `torch_modules.py`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from minigrad.interop.bias_pairs import get_biases, set_biases
from minigrad.interop.gate_blocks import negated
from minigrad.interop.named_arrays import plain
from minigrad.interop.refusals import does_not_fit, few, no_counterpart
from minigrad.models import GRU, LSTM, RNN, GRUCell, LSTMCell, Recurrent, RNNCell

PART = re.compile(r"(weight|bias)_(ih|hh|hr)(?:_l(\d{1,4})(_reverse)?)?")
LAYERS: dict[int, Any] = {1: RNN, 3: GRU, 4: LSTM}
CELLS: dict[int, Any] = {1: RNNCell, 3: GRUCell, 4: LSTMCell}


def is_part(name: str) -> bool:
    """Is this a name that only a recurrent layer's weights have?"""
    return PART.fullmatch(name) is not None


def read_group(group: Mapping[str, Any], where: str, options: dict[str, Any]) -> Any:
    """A model, or a cell, from the weights of one recurrent layer.

    group    the weights by PyTorch's names, without any prefix
    where    the layer's own name, for messages
    options  activation, batch_first, dropout: what the weights do not say
    Raises CheckpointError for missing, extra and unfitting weights.
    """
    arrays = {name: plain(value, f"{where}{name}") for name, value in group.items()}
    suffixes = _suffixes(arrays, where)
    bias = any(name.startswith("bias") for name in arrays)
    first = suffixes[0]
    W_x, W_h = _weights(arrays, first, where)
    hidden, width = W_h.shape[1], W_x.shape[1]
    gates = W_h.shape[0] // max(hidden, 1)
    if gates not in LAYERS or W_h.shape[0] != gates * hidden or not width:
        raise does_not_fit(
            f"{where}weight_hh{first} is not of an RNN, GRU or LSTM",
            expect="shape (G*H, H) with G = 1, 3 or 4, and H >= 1, D >= 1",
            actual=f"{W_h.shape}, beside weight_ih{first} {W_x.shape}",
            hint="minigrad's own weights have names like W_x; load them with mg.load",
        )
    _check(arrays, suffixes, gates, where)
    if gates != 1:
        options = {k: v for k, v in options.items() if k != "activation"}
    options = {**options, "dtype": W_h.dtype.name, "rng": 0}
    if first == "":
        options = {
            k: options[k] for k in ("activation", "dtype", "rng") if k in options
        }
        made = CELLS[gates](width, hidden, **options)
        cells = [made]
    else:
        both = any(suffix.endswith("_reverse") for suffix in suffixes)
        layers = len(suffixes) // (2 if both else 1)
        if layers == 1:
            options["dropout"] = 0.0
        made = LAYERS[gates](width, hidden, layers, bidirectional=both, **options)
        cells = made.cells
    for cell, suffix in zip(cells, suffixes, strict=True):
        cell.W_x.data = arrays[f"weight_ih{suffix}"].T.copy()
        cell.W_h.data = arrays[f"weight_hh{suffix}"].T.copy()
        pair = [
            arrays[f"bias_{part}{suffix}"] if bias else None for part in ("ih", "hh")
        ]
        set_biases(cell, *pair)
    return made


def _weights(arrays: Any, suffix: str, where: str) -> tuple[np.ndarray, np.ndarray]:
    """The two weights of a cell, both matrices."""
    found = [arrays[f"weight_{part}{suffix}"] for part in ("ih", "hh")]
    for part, array in zip(("ih", "hh"), found, strict=True):
        if array.ndim != 2:
            raise does_not_fit(
                f"{where}weight_{part}{suffix} is not a matrix",
                expect="a shape of two sizes: (G*H, D) or (G*H, H)",
                actual=f"{array.shape}",
                hint="is it the state_dict() of the layer itself?",
            )
    return found[0], found[1]


def _suffixes(arrays: Mapping[str, Any], where: str) -> list[str]:
    """ "_l0", "_l0_reverse", "_l1", ...: one for each cell, in PyTorch's order."""
    parts = {name: PART.fullmatch(name) for name in arrays}
    for name, part in parts.items():
        if part and part[2] == "hr":
            raise no_counterpart(
                "proj_size",
                f"{where}{name}",
                "an LSTM whose output is its state h, without a projection",
                "train it without proj_size, with a Linear layer behind the LSTM",
            )
    numbers = [int(part[3]) for part in parts.values() if part and part[3]]
    both = any(part and part[4] for part in parts.values())
    ways = ("", "_reverse") if both else ("",)
    suffixes = [
        f"_l{k}{way}" for k in range(max(numbers, default=-1) + 1) for way in ways
    ]
    suffixes = suffixes or [""]  # of a cell alone
    kinds = ["weight_ih", "weight_hh"]
    if any(p and p[1] == "bias" for p in parts.values()):
        kinds += ["bias_ih", "bias_hh"]
    wanted = [f"{kind}{suffix}" for suffix in suffixes for kind in kinds]
    missing = [name for name in wanted if name not in arrays]
    extra = [name for name in arrays if name not in wanted]
    if missing or extra:
        raise does_not_fit(
            f"the weights of {where or 'the layer'} are not complete"
            if missing
            else f"{where or 'the layer'} has weights that its kind has not",
            expect="weight_ih_l0, weight_hh_l0, both biases or none, and the same for "
            "each further layer and direction",
            actual=f"missing: {few(missing)}     not known: {few(extra)}",
            hint="prefix= names one layer of a whole model: prefix='encoder.'",
        )
    return suffixes


def _check(
    arrays: Mapping[str, np.ndarray], suffixes: list[str], gates: int, where: str
) -> None:
    """Raise CheckpointError unless all shapes and dtypes are those of one layer.

    Before a model is made: a forged file could ask for one that is larger than it is.
    """
    W_x, W_h = _weights(arrays, suffixes[0], where)
    hidden, rows = W_h.shape[1], gates * W_h.shape[1]
    ways = 2 if any(suffix.endswith("_reverse") for suffix in suffixes) else 1
    for k, suffix in enumerate(suffixes):
        width = W_x.shape[1] if k < ways else ways * hidden
        shapes = {
            "weight_ih": (rows, width),
            "weight_hh": (rows, hidden),
            "bias_ih": (rows,),
            "bias_hh": (rows,),
        }
        for kind, shape in shapes.items():
            array = arrays.get(f"{kind}{suffix}")
            if array is None:  # a layer without bias
                continue
            if array.shape != shape or array.dtype != W_h.dtype:
                raise does_not_fit(
                    f"{where}{kind}{suffix} does not fit the other weights",
                    expect=f"{shape} {W_h.dtype}",
                    actual=f"{array.shape} {array.dtype}",
                    hint="are all weights of one and the same layer?",
                )


# ------------------------------------------------------------- out again


def write_group(model: Any, where: str) -> dict[str, np.ndarray]:
    """The weights of a model, or of a cell alone, by PyTorch's names.

    Raises ArgumentError for variants that PyTorch has not, by name.
    """
    cells, suffixes = [model], [""]
    if isinstance(model, Recurrent):
        if model.reverse:
            raise no_counterpart(
                "reverse=True",
                where,
                "a layer of PyTorch's that reads from the end alone",
                "make it without reverse, and turn the sequences round",
            )
        cells, ways = model.cells, ("", "_reverse") if model.bidirectional else ("",)
        suffixes = [f"_l{k}{way}" for k in range(model.num_layers) for way in ways]
    found = {}
    for cell, suffix in zip(cells, suffixes, strict=True):
        refuse_variants(cell, where, "PyTorch")
        arrays = [cell.W_x.data, cell.W_h.data, *(get_biases(cell) or ())]
        if getattr(cell, "update", "keep") == "take":
            arrays = [negated(array, cell.gates, "z") for array in arrays]
        names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        for name, array in zip(names, arrays, strict=False):
            found[f"{name}{suffix}"] = np.ascontiguousarray(array.T)
    return found


def refuse_variants(cell: Any, where: str, library: str) -> None:
    """Raise ArgumentError for a cell that PyTorch and Keras have no layer for."""
    problem = None
    if type(cell) not in CELLS.values():
        problem = f"a cell of class {type(cell).__name__}"
    elif getattr(cell, "peephole", None):
        problem = f"peephole={cell.peephole!r}"
    elif getattr(cell, "couple", None):
        problem = f"couple={cell.couple!r}"
    elif not getattr(cell, "forget_gate", True):
        problem = "forget_gate=False"
    elif library == "PyTorch" and getattr(cell, "reset", "after") == "before":
        problem = "reset='before'"
    if problem:
        raise no_counterpart(
            problem,
            where or type(cell).__name__,
            f"a recurrent layer of {library}'s with the same equations",
            "ONNX has peephole='current', couple= and reset='before': "
            "mg.interop.to_onnx",
        )
