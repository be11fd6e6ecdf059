"""Finds recurrent layers among named arrays, and makes a model of each.

Read next: `own_layers.py`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from minigrad.engine.errors import MinigradError
from minigrad.interop.recurrent_groups import read_group
from minigrad.interop.refusals import does_not_fit

# PyTorch's names, whatever stands before them, and the short ones: enc_w_ih, enc_b_hh.
TORCH = re.compile(
    r"(?P<before>.*?)(?:^|(?<=[._/])|(?<=\d))"
    r"(?P<kind>weight|bias|w|b)_(?P<part>ih|hh|hr)"
    r"(?P<layer>_l\d{1,4})?(?P<reverse>_reverse)?",
    re.IGNORECASE,
)
LONG = {"w": "weight", "b": "bias"}


@dataclass
class Found:
    """What a file holds: models by name, what was refused and why, and the rest.

    layers   {"encoder.lstm": LSTM}
    refused  {"decoder": the error that says what is missing}
    others   names and shapes of arrays that are no recurrent layer's
    assumed  {"encoder.lstm": ["tanh: weights do not say it"]}
    """

    layers: dict[str, Any] = field(default_factory=dict)
    refused: dict[str, MinigradError] = field(default_factory=dict)
    others: dict[str, tuple[int, ...]] = field(default_factory=dict)
    assumed: dict[str, list[str]] = field(default_factory=dict)


def search(arrays: Mapping[str, np.ndarray]) -> Found:
    """The recurrent layers whose weights have PyTorch's names.

    A cell alone becomes a model of one layer. What is broken is among `refused`.
    """
    groups: dict[str, dict[str, np.ndarray]] = {}
    found = Found()
    for name, array in arrays.items():
        match = TORCH.fullmatch(name)
        if match is None:
            found.others[name] = array.shape
            continue
        kind = match["kind"].lower()
        own = f"{LONG.get(kind, kind)}_{match['part'].lower()}"
        own += f"{match['layer'] or '_l0'}{match['reverse'] or ''}"
        group = groups.setdefault(match["before"], {})
        if own in group:
            found.refused[match["before"] or own] = does_not_fit(
                f"{name}: there are two weights of this kind",
                expect="each weight once",
                actual=f"{match['before']}{own}, twice",
                hint="is it the file of one network?",
            )
        group[own] = array
    for before, group in groups.items():
        one = [a.shape for name, a in group.items() if name.startswith("weight_hh")]
        plain = bool(one) and len(set(one[0])) == 1  # (H, H): an RNN's
        assumed = ["tanh: weights alone do not say the function"] if plain else []
        keep(found, before.rstrip("._/"), _Reader(before, group), assumed)
    return found


@dataclass
class _Reader:
    """Makes the model of one group."""

    before: str
    group: dict[str, np.ndarray]

    def __call__(self) -> Any:
        return read_group(self.group, self.before, {})


def keep(found: Found, name: str, make: Any, assumed: Any = ()) -> None:
    """Make a layer and keep it by its name, or the error that it raises."""
    try:
        model = make()
    except MinigradError as error:
        found.refused[name or "the layer"] = error
        return
    kind = type(model).__name__
    name = name or kind.lower()
    if name in found.layers:
        name = f"{name}_{len(found.layers)}"
    found.layers[name] = model
    model.called = name
    said = list(assumed)
    if said:
        found.assumed[name] = said
