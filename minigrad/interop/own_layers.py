"""Finds minigrad's own recurrent layers among named arrays: W_x, W_h, b of each cell.

    model.cells.0.W_h, model.cells.1.W_h ...    a layer "model" of two cells

Read next: `keras_layers.py`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from minigrad.engine.errors import CheckpointError, MinigradError
from minigrad.interop.layer_search import Found
from minigrad.models import GRU, LSTM, RNN

OWN = re.compile(
    r"(?P<before>.*?)\.?(?P<cell>(?:cells\.\d{1,4}\.)?)(?P<part>W_x|W_h|b|b_h|p_[ifo])"
)
NOTE = (
    "These are minigrad's own weights: model.load_state_dict(mg.load(path)) puts them "
    "into a model of the same arguments; of a run or a dict, a part of them: "
    "mg.load(path).part('model')."
)


def add_own(found: Found, arrays: Mapping[str, np.ndarray]) -> list[str]:
    """Move minigrad's own layers from `found.others` to its layers; notes on them."""
    groups: dict[str, dict[str, np.ndarray]] = {}
    for name in found.others:
        match = OWN.fullmatch(name)
        if match is not None:
            cell = match["cell"] or "cells.0."
            group = groups.setdefault(match["before"], {})
            group[cell + match["part"]] = arrays[name]
    added = False
    for before, group in groups.items():
        if not {"cells.0.W_x", "cells.0.W_h"} <= group.keys():
            continue
        added = True
        name = before or "weights"
        try:
            model, assumed = _model(group)
        except MinigradError as error:
            found.refused[name] = error
        else:
            model.called = name
            found.layers[name], found.assumed[name] = model, assumed
        for other in list(found.others):
            match = OWN.fullmatch(other)
            if match is not None and match["before"] == before:
                del found.others[other]
    return [NOTE] if added else []


def _model(group: Mapping[str, np.ndarray]) -> tuple[Any, list[str]]:
    """A model with these weights, and what they do not say. CheckpointError if they
    are of no cell, or could be of several."""
    first, recurrent = group["cells.0.W_x"], group["cells.0.W_h"]
    gates = _gates(first, recurrent)
    inputs, hidden = len(first), len(recurrent)
    own = [key.removeprefix("cells.0.") for key in group if key.startswith("cells.0.")]
    kind: Any
    options: dict[str, Any] = {}
    assumed: list[str] = []
    if gates == 1:
        kind, assumed = RNN, ["tanh"]
    elif gates == 4:
        peephole = "current" if "p_o" in own else None
        kind, options["peephole"] = LSTM, peephole
        assumed = ["that the output gate sees the new c"] if peephole else []
    elif "b_h" in own:
        kind, assumed = GRU, ["that z keeps the old state"]
    else:
        raise CheckpointError(
            "three gates without b_h",
            expect="weights that can be of one kind of cell only",
            actual="a GRU with reset='before', or an LSTM with couple= or without its "
            "forget gate",
            hint="build the model, and load_state_dict the file",
        )
    cells = len([key for key in group if key.endswith("W_h")])
    width = len(group.get("cells.1.W_x", ()))
    both = cells % 2 == 0 and width == inputs and width != hidden
    if cells == 2 and width == inputs == hidden:
        assumed.append("two layers, not two directions")
    elif cells > 2 and cells % 2 == 0 and width == inputs:
        both = len(group.get("cells.2.W_x", ())) == 2 * hidden
    layers = cells // 2 if both else cells
    model: Any = kind(
        inputs,
        hidden,
        layers,
        bidirectional=both,
        dtype=recurrent.dtype,
        rng=0,
        **options,
    )
    model.load_state_dict(dict(group))
    return model, assumed


def _gates(first: np.ndarray, recurrent: np.ndarray) -> int:
    """How many gates the weights of a cell have."""
    if first.ndim == recurrent.ndim == 2 and min(*first.shape, *recurrent.shape) > 0:
        gates, rest = divmod(recurrent.shape[1], len(recurrent))
        if not rest and gates in (1, 3, 4) and first.shape[1] == recurrent.shape[1]:
            return gates
    raise CheckpointError(
        "the weights do not fit together",
        expect="W_x (D, G*H) and W_h (H, G*H) with G = 1, 3 or 4",
        actual=f"{first.shape} and {recurrent.shape}",
        hint="is the file complete?",
    )
