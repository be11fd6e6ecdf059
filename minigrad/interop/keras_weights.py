"""Weights of Keras' recurrent layers, as its `get_weights()` gives them, and back.

    kernel (D, G*H)   recurrent_kernel (H, G*H)   bias (G*H,), of a GRU with
    reset_after=True (2, G*H), of CuDNN layers (2*G*H,); none with use_bias=False

Read next: `recurrent_nodes.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.engine.calls import checked_call
from minigrad.engine.errors import DTypeError, one_of
from minigrad.interop.bias_pairs import get_biases, set_biases
from minigrad.interop.finite_weights import finite
from minigrad.interop.gate_blocks import ORDERS, negated, reordered
from minigrad.interop.named_arrays import plain
from minigrad.interop.recurrent_groups import refuse_variants
from minigrad.interop.refusals import does_not_fit, no_counterpart
from minigrad.models import GRU, LSTM, RNN, Recurrent

KINDS: dict[str, tuple[Any, int]] = {
    "SimpleRNN": (RNN, 1),
    "LSTM": (LSTM, 4),
    "GRU": (GRU, 3),
}


@checked_call
def from_keras_weights(
    kind: str,
    weights: Sequence[Any],
    *,
    bidirectional: bool | None = None,
    activation: str = "tanh",
    reset: str | None = None,
    batch_first: bool = False,
) -> Any:
    """A model of ours with the weights of a Keras layer, or of layers in a row.

    kind     "SimpleRNN", "LSTM" or "GRU"; also "CuDNNLSTM" and "CuDNNGRU"
    weights  what `layer.get_weights()` gives: kernel, recurrent kernel, bias if there
             is one; of a Bidirectional layer those of both directions, forward first.
             Of several layers in a row: a list of such lists
    bidirectional  None: seen from the number of arrays
    activation     of a SimpleRNN: "tanh" or "relu"; weights do not say it
    reset    of a GRU: "after" or "before" the product; None: seen from the bias, and
             "after", Keras' default, if there is none
    batch_first    Keras' layers take (B, T, D); models here take (T, B, D) unless told

    Raises CheckpointError for arrays that do not fit together, ArgumentError for other
    kinds, DTypeError for half floats.
    """
    cudnn = kind.startswith("CuDNN") if isinstance(kind, str) else False
    plain_kind = kind.removeprefix("CuDNN") if cudnn else kind
    one_of("kind", plain_kind, tuple(KINDS))
    one_of("reset", reset, (None, "after", "before"))
    make, gates = KINDS[plain_kind]
    if not isinstance(weights, list | tuple):
        raise DTypeError(
            f"from_keras_weights: {weights!r:.40} is not a list of arrays",
            expect="the list that Keras' layer.get_weights() gives",
            actual=type(weights).__name__,
            hint="from_keras_weights(kind, layer.get_weights())",
        )
    several = bool(weights) and isinstance(weights[0], list | tuple)
    several = several and len(weights[0]) > 0 and np.ndim(weights[0][0]) == 2
    layers = [list(layer) for layer in weights] if several else [list(weights)]
    groups = [
        _directions(
            [plain(a, f"{kind} weight {k}") for k, a in enumerate(layer)],
            gates,
            bidirectional,
            kind,
        )
        for layer in layers
    ]
    both = len(groups[0]) == 2
    first = groups[0][0]
    width, hidden = first[0].shape[0], first[1].shape[0]
    for layer in groups[1:]:  # before a model is made that is larger than its weights
        if any(g[0].shape != (hidden * len(groups[0]), gates * hidden) for g in layer):
            raise does_not_fit(
                f"{kind}: the layers do not fit behind each other",
                expect=f"kernels {(hidden * len(groups[0]), gates * hidden)}",
                actual=f"{[g[0].shape for g in layer]}",
                hint="load them one by one",
            )
    options: dict[str, Any] = {"dtype": first[0].dtype.name, "rng": 0}
    if plain_kind == "SimpleRNN":
        options["activation"] = activation
    if plain_kind == "GRU":
        bias = first[2] if len(first) == 3 else None
        found = "before" if bias is not None and bias.size == 3 * hidden else "after"
        options["reset"] = (reset or found) if bias is None else found
    model = make(
        width,
        hidden,
        len(groups),
        bidirectional=both,
        batch_first=batch_first,
        **options,
    )
    flat = [group for layer in groups for group in layer]
    if len(flat) != len(model.cells):
        raise does_not_fit(
            f"{kind}: layers of one and of two directions in a row",
            expect="the same number of directions in each layer",
            actual=f"{[len(layer) for layer in groups]} directions",
            hint="load them one by one",
        )
    for k, (cell, arrays) in enumerate(zip(model.cells, flat, strict=True)):
        _fill(cell, arrays, f"{kind}, cell {k}")
    return finite("from_keras_weights", model)


def _directions(
    arrays: list[np.ndarray], gates: int, bidirectional: bool | None, kind: str
) -> list[list[np.ndarray]]:
    """The arrays of one layer, by direction."""
    per = 3 if len(arrays) in (3, 6) else 2
    ways = len(arrays) // per
    fits = len(arrays) in (2, 3, 4, 6)
    if fits and bidirectional is not None:
        fits = ways == (2 if bidirectional else 1)
    if not fits:
        raise does_not_fit(
            f"from_keras_weights: {len(arrays)} arrays are not those of one {kind}",
            expect="kernel, recurrent kernel and a bias or none; twice that of a "
            "Bidirectional layer",
            actual=f"shapes {[a.shape for a in arrays]}",
            hint="of several layers: [layer.get_weights() for layer in layers]",
        )
    groups = [arrays[k * per : (k + 1) * per] for k in range(ways)]
    for group in groups:
        kernel, recurrent = group[:2]
        if (
            kernel.ndim != 2
            or recurrent.ndim != 2
            or 0 in kernel.shape + recurrent.shape
            or recurrent.shape[1] != gates * recurrent.shape[0]
            or kernel.shape[1] != recurrent.shape[1]
        ):
            raise does_not_fit(
                f"from_keras_weights: the arrays are not those of a {kind}",
                expect=f"kernel (D, {gates}*H), recurrent kernel (H, {gates}*H)",
                actual=f"{kernel.shape}, {recurrent.shape}",
                hint="is the kind right? LSTM has four gates, GRU three",
            )
    return groups


def _fill(cell: Any, arrays: list[np.ndarray], where: str) -> None:
    """Set a cell's weights; CheckpointError if they do not fit it."""
    kernel, recurrent, *rest = arrays
    total = len(cell.gates) * cell.hidden_size
    two = getattr(cell, "reset", "before") == "after"
    shapes = [(2 * total,)] + ([(2, total)] if two else [(total,)])
    good = kernel.shape == cell.W_x.shape and recurrent.shape == cell.W_h.shape
    good = good and all(a.dtype == cell.dtype for a in arrays)
    if not good or any(bias.shape not in shapes for bias in rest):
        raise does_not_fit(
            f"{where}: the arrays do not fit together",
            expect=f"{cell.W_x.shape}, {cell.W_h.shape}, bias "
            f"{' or '.join(map(str, shapes[::-1]))}, {cell.dtype}",
            actual=", ".join(f"{a.shape} {a.dtype}" for a in arrays),
            hint="are all weights of one and the same layer?",
        )
    have = ORDERS["Keras"][cell.kind]
    pair: list[Any] = [None, None]
    if rest:
        pair = list(np.split(rest[0].reshape(-1), rest[0].size // total))
    if rest and rest[0].shape == (2 * total,):  # CuDNN has its matrices the other way
        kernel = _from_cudnn(kernel, len(have), across=True)
        recurrent = _from_cudnn(recurrent, len(have), across=False)
    cell.W_x.data = reordered(kernel, have, cell.gates)
    cell.W_h.data = reordered(recurrent, have, cell.gates)
    set_biases(
        cell, *[None if b is None else reordered(b, have, cell.gates) for b in pair]
    )


def _from_cudnn(kernel: np.ndarray, gates: int, *, across: bool) -> np.ndarray:
    """Each gate's block as Keras' own layers have it.

    CuDNN's blocks are (H, D) and (H, H), in the memory of Keras' (D, H) and (H, H).
    """
    blocks = np.split(kernel, gates, axis=1)
    if across:
        turned = [b.ravel().reshape(b.shape[::-1]).T for b in blocks]
    else:
        turned = [b.T for b in blocks]
    return np.concatenate(turned, axis=1)


@checked_call
def to_keras_weights(model: Any) -> list[Any]:
    """The weights of an RNN, LSTM or GRU, as Keras' `set_weights` takes them.

    One list for one layer, of both directions for a Bidirectional one; of several
    layers a list of such lists. The Keras layer has to be made alike: a GRU with
    reset_after=True for reset="after", LSTM(recurrent_activation="sigmoid") as is the
    default, use_bias=False for a model that came without bias.
    Raises ArgumentError, by name, for what Keras has not: peepholes, coupled gates, no
    forget gate, cells of your own.
    """
    if not isinstance(model, Recurrent):
        one_of("model", type(model).__name__, ("RNN", "LSTM", "GRU"))
    if model.reverse:
        raise no_counterpart(
            "reverse=True",
            type(model).__name__,
            "a layer of Keras' whose output is in the order of its input",
            "go_backwards=True there gives the output from the end; make the model "
            "without reverse, and turn the sequences round",
        )
    per_cell = []
    for cell in model.cells:
        refuse_variants(cell, type(model).__name__, "Keras")
        per_cell.append(_keras_arrays(cell))
    ways = 2 if model.bidirectional else 1
    layers = [
        [array for cell in per_cell[k : k + ways] for array in cell]
        for k in range(0, len(per_cell), ways)
    ]
    return layers if len(layers) > 1 else layers[0]


def _keras_arrays(cell: Any) -> list[np.ndarray]:
    want = ORDERS["Keras"][cell.kind]
    biases = get_biases(cell)
    arrays = [cell.W_x.data, cell.W_h.data]
    if biases is not None and getattr(cell, "reset", "before") == "after":
        arrays.append(np.stack(biases))
    elif biases is not None:
        arrays.append(cell.b.data)
    if getattr(cell, "update", "keep") == "take":
        arrays = [negated(array, cell.gates, "z") for array in arrays]
    return [reordered(array, cell.gates, want) for array in arrays]
