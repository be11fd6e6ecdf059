"""What the gates and units of a loop do: at their ends, never changing, copies.

    gate_reading(nodes)         # the nodes that gave one gate's values, step by step
    read_units(loop)            # dead units, copies, activations at their ends

Read next: `saturation_causes.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from minigrad.flow.saturation_causes import Cause, cause_of
from minigrad.reading.loops import Loop

NEAR = 0.05  # a gate below it, or above 1 minus it, is saturated
STUCK = 0.5  # of an activation's units
ALWAYS = 0.95  # of the samples and steps
MOST_STEPS = 16  # steps, evenly spread, at which gates and units are looked at
MOST_ROWS = 256  # samples and steps by which copies are known
# Gates whose closed end takes the gradient away. An open gate passes it on, and the
# two ends of an update gate are two ways of passing it on.
CLOSING = {"i", "f", "o"}
GATES_OF_ONES = {"i", "f", "o", "r", "z"}


class GateReading(NamedTuple):
    """A gate's values over samples, units and steps, in a few numbers.

    signed   does it take values below 0, as a candidate does? Then its ends are -1 and
             1, else 0 and 1
    mean     of its values
    low, high  the share of values within 0.05 of the lower and of the upper end
    stuck    the share of units that are at the same end for every sample and step
    """

    signed: bool
    mean: float
    low: float
    high: float
    stuck: float


class Ends(NamedTuple):
    """An activation that works at an end where hardly any gradient passes.

    letter    of its gate, or ""
    function  "tanh" or "sigmoid"
    share     of the units that are at an end nearly always
    slope     the mean slope of all, as a share of the largest possible one
    cause     what makes its input so large
    """

    letter: str
    function: str
    share: float
    slope: float
    cause: Cause


class Units(NamedTuple):
    """What the units of a loop do: `dead` ones, how many `units` there are, groups of
    `copies`, and the activations at their `ends`."""

    dead: list[int]
    units: int
    copies: list[list[int]]
    ends: list[Ends]


def gate_reading(nodes: Sequence[Any]) -> GateReading | None:
    """The reading of one gate; None if its shapes differ from step to step."""
    values = _rows([node.outputs[0] for node in _sampled(nodes)])
    if values is None:
        return None
    signed = bool((values < 0).any())
    low = values < (NEAR - 1 if signed else NEAR)
    high = values > 1 - NEAR
    return GateReading(
        signed,
        float(values.mean()),
        _share(low),
        _share(high),
        _share(low.all(axis=0) | high.all(axis=0)),
    )


def read_units(loop: Loop) -> Units:
    """The units of the state's first part, and all activations of the loop."""
    values = _rows([state[0].data for state in _sampled(loop.states)])
    if values is None:
        return Units([], int(np.prod(loop.states[-1][0].shape[1:])), [], _ends(loop))
    dead = _dead(values)
    return Units(dead, values.shape[1], _copies(values, dead), _ends(loop))


def _sampled(items: Sequence[Any]) -> list[Any]:
    """At most MOST_STEPS of the items, evenly spread, the last among them."""
    count = min(len(items), MOST_STEPS)
    return [items[round(k)] for k in np.linspace(0, len(items) - 1, count)]


def _rows(arrays: Sequence[np.ndarray]) -> np.ndarray | None:
    """Arrays of one shape as (samples and steps, units); None if there are none."""
    if len({array.shape for array in arrays}) != 1 or not arrays[0].size:
        return None
    if arrays[0].ndim == 2:  # (B, H)
        return np.concatenate(arrays)
    values = np.stack(arrays)
    return values.reshape(-1, values.shape[-1] if values.ndim > 2 else 1)


def _share(true: Any) -> float:
    """The share of the entries that are true."""
    return np.count_nonzero(true) / true.size


def _dead(values: np.ndarray) -> list[int]:
    """The units that never change."""
    if len(values) < 2:
        return []
    top, bottom = values.max(axis=0), values.min(axis=0)
    largest = np.maximum(np.abs(top), np.abs(bottom))
    tiny = 4 * np.finfo(values.dtype).eps
    return [int(k) for k in np.flatnonzero(top - bottom <= tiny * largest)]


def _copies(values: np.ndarray, dead: Sequence[int]) -> list[list[int]]:
    """Groups of units that change, and all in the same way (to five digits)."""
    rows = np.linspace(0, len(values) - 1, min(len(values), MOST_ROWS)).round()
    seen = values[rows.astype(int)].T
    scale = np.abs(seen).max(initial=0.0)
    if len(values) < 2 or not 0 < scale < np.inf:
        return []
    codes = np.round(seen / scale, 5)
    if len(np.unique(codes[:, 0] + codes[:, -1])) == len(codes):
        return []  # most often two rows tell all units apart
    groups: dict[bytes, list[int]] = {}
    for unit in range(len(codes)):
        if unit not in dead:
            groups.setdefault((codes[unit] + 0.0).tobytes(), []).append(unit)
    return [group for group in groups.values() if len(group) > 1]


def _ends(loop: Loop) -> list[Ends]:
    """The activations of the loop of which most units are at a harmful end."""
    found: dict[tuple[str, str, int], list[Any]] = {}
    for step in _sampled(loop.steps):
        count: dict[tuple[str, str], int] = {}
        for letter, node in loop.bounded(step):
            name = node.primitive.name
            number = count[letter, name] = count.get((letter, name), -1) + 1
            found.setdefault((letter, name, number), []).append(node)
    ends = []
    for (letter, name, _), nodes in found.items():
        if name == "sigmoid" and not (letter in CLOSING or loop.is_state(nodes[-1])):
            continue
        values = _rows([node.outputs[0] for node in nodes])
        if values is not None:
            one = _end(letter, name, values, nodes)
            ends += [] if one is None else [one]
    return ends


def _end(
    letter: str, name: str, values: np.ndarray, nodes: Sequence[Any]
) -> Ends | None:
    """One activation, if most of its units are at an end nearly always."""
    if name == "tanh":
        at_end, slopes = np.abs(values) > 1 - NEAR, 1 - values**2
    else:
        closed = values < NEAR
        both = closed | (values > 1 - NEAR)
        at_end = closed if letter in GATES_OF_ONES else both
        slopes = 4 * values * (1 - values)
    share = float((at_end.mean(axis=0) >= ALWAYS).mean())
    if share < STUCK:
        return None
    return Ends(letter, name, share, float(slopes.mean()), cause_of(nodes[-1].source))
