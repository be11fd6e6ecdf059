"""The recurrent layers of a Keras file, each as a model.

Read next: `layer_health.py`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.interop.keras_files import KerasFile
from minigrad.interop.keras_weights import KINDS, from_keras_weights
from minigrad.interop.layer_search import Found, keep
from minigrad.interop.refusals import does_not_fit, few, no_counterpart

ORDER = ("kernel", "recurrent_kernel", "bias")
BY_GATES = {gates: kind for kind, (_, gates) in KINDS.items()}
# What a layer must say, if it says it, for the numbers to be those of a model here.
NEEDED: dict[str, dict[str, tuple[str, ...]]] = {
    "LSTM": {"activation": ("tanh",), "recurrent_activation": ("sigmoid",)},
    "GRU": {"activation": ("tanh",), "recurrent_activation": ("sigmoid",)},
    "SimpleRNN": {"activation": ("tanh", "relu")},
}


def search_keras(file: KerasFile) -> Found:
    """The recurrent layers of a file of Keras', by name."""
    found = Found()
    cells: dict[str, dict[str, np.ndarray]] = {}
    for place, array in file.arrays.items():
        group, _, own = place.rpartition("/")
        own = own.partition(":")[0]
        if group.endswith("cell/vars") and own.isdigit() and int(own) < len(ORDER):
            cells.setdefault(group, {})[ORDER[int(own)]] = array
        elif own in ORDER:
            cells.setdefault(group, {})[own] = array
        else:
            found.others[place] = array.shape
    layers: dict[str, dict[str, dict[str, np.ndarray]]] = {}
    for group, arrays in cells.items():
        if "recurrent_kernel" in arrays:
            layer, way = _layer_of(group)
            layers.setdefault(layer, {})[way] = arrays
        else:
            found.others |= {f"{group}/{own}": a.shape for own, a in arrays.items()}
    named = {p: file.names.get(p) or p.rpartition("/")[2] or p for p in layers}
    rank = {name: k for k, name in enumerate(file.order)}
    for place in sorted(layers, key=lambda p: rank.get(named[p], len(rank))):
        ways, name = layers[place], named[place]
        config = file.configs.get(name)
        assumed = [] if config else ["sigmoid and tanh: the file has no description"]
        keep(found, name, lambda w=ways, n=name, c=config: _model(w, n, c), assumed)
    return found


def _layer_of(group: str) -> tuple[str, str]:
    """The place of the layer that a cell's weights belong to, and its direction."""
    parts = group.split("/")
    for k, part in enumerate(parts):
        if part.startswith(("forward_", "backward_")):
            way = part.partition("_")[0]
            named = part in ("forward_layer", "backward_layer")
            return "/".join(parts[:k]) if named else parts[0], way
    if parts[-2:] == ["cell", "vars"]:
        return "/".join(parts[:-2]), "forward"
    return parts[0], "forward"


def _model(ways: dict[str, dict[str, np.ndarray]], name: str, config: Any) -> Any:
    """The model of one layer; MinigradError for what has no counterpart."""
    if "forward" not in ways or len(ways) > 2:
        raise does_not_fit(
            f"layer {name!r}: not the weights of one or both directions",
            expect="those of the forward direction, or of both",
            actual=few(ways),
            hint="is the file complete?",
        )
    weights = []
    for way in ("forward", "backward"):
        if way in ways:
            weights += [ways[way][part] for part in ORDER if part in ways[way]]
    recurrent = ways["forward"]["recurrent_kernel"]
    rows, columns = recurrent.shape if recurrent.ndim == 2 else (0, 0)
    kind = BY_GATES.get(columns // rows) if rows and columns % rows == 0 else None
    if kind is None:
        raise does_not_fit(
            f"layer {name!r}: recurrent_kernel is not of a SimpleRNN, GRU or LSTM",
            expect="shape (H, G*H) with G = 1, 3 or 4",
            actual=f"{recurrent.shape}",
            hint="other recurrent layers of Keras' have no counterpart",
        )
    bias = ways["forward"].get("bias")
    total = recurrent.shape[1]
    cudnn = bias is not None and bias.shape == (2 * total,) and kind != "SimpleRNN"
    options: dict[str, Any] = {}
    if config is not None:
        options = _options(config, kind, name)
    reverse = options.pop("reverse", False)
    model = from_keras_weights(
        f"CuDNN{kind}" if cudnn else kind,
        weights,
        bidirectional="backward" in ways,
        **options,
    )
    if reverse:
        turned = type(model)(**{**model.config, "reverse": True}, rng=0)
        turned.cells = model.cells
        model = turned
    return model


def _options(config: dict[str, Any], kind: str, name: str) -> dict[str, Any]:
    """What the file says of the layer; ArgumentError for what there is not here."""
    outer = config["config"]
    both = config["class_name"] == "Bidirectional"
    inner = outer.get("layer", {}).get("config", {}) if both else outer
    if both and outer.get("merge_mode", "concat") != "concat":
        raise no_counterpart(
            f"merge_mode={outer['merge_mode']!r}",
            f"layer {name!r}",
            "merge_mode='concat': both directions side by side",
            "load both directions with from_keras_weights, and combine their outputs",
        )
    for setting, known in NEEDED[kind].items():
        said = inner.get(setting, known[0])
        if said not in known:
            raise no_counterpart(
                f"{setting}={said!r}",
                f"layer {name!r}",
                f"{setting} in {', '.join(known)}",
                "write a cell of your own for models.unroll, with this function",
            )
    options: dict[str, Any] = {}
    if kind == "SimpleRNN":
        options["activation"] = inner.get("activation", "tanh")
    if kind == "GRU":
        options["reset"] = "after" if inner.get("reset_after", True) else "before"
    if not both and inner.get("go_backwards"):
        options["reverse"] = True
    return options
