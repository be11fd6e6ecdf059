"""What the loss gives to each state of a loop directly, not by way of later steps.

    given = direct_gradients(loss, loops)     # per loop {number of the state: arrays}

It tells which states the loss reads: the last one alone, every one, or one that was not
meant.

Read next: `unit_readings.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.engine.autodiff import backpropagate, pulled_through
from minigrad.engine.graph import (
    Key,
    Node,
    ancestors,
    key,
    record_key,
    records,
)
from minigrad.engine.quiet import quietly, uncollected
from minigrad.engine.tensor import Tensor
from minigrad.reading.loops import Loop
from minigrad.reading.whole_loops import outputs

Readers = dict[Node, dict[int, tuple[int, int]]]  # node: {input: (state, part)}


def direct_gradients(
    loss: Tensor, loops: Sequence[Loop], recorded: Sequence[Any] | None = None
) -> list[dict[int, list[np.ndarray]]]:
    """Of each loop {number of a state: the gradient of each of its parts}, for the
    states to which the loss gives a gradient other than zero without a later step.

    loss      a tensor of any shape: the sum of its entries counts
    recorded  the `records` behind it, if they are known
    """
    if not loss.requires_grad:
        return [{} for _ in loops]
    whole = any([loop.whole for loop in loops])
    name = record_key if whole else key
    nodes: Sequence[Any]
    if whole:
        nodes = recorded or records([loss._edge], constants=False)
    else:
        nodes = ancestors([loss._edge.source], constants=False)
    readers = [_readers(loop, nodes) for loop in loops]
    targets = [edge for found in readers for node in found for edge in outputs(node)]
    with quietly(), uncollected():
        seed = np.ones(loss.shape, loss.dtype)
        recorded = nodes if whole else None
        arrived = backpropagate(loss._edge, seed, targets, recorded=recorded)
        given = [
            _given(loop, read, arrived)
            for loop, read in zip(loops, readers, strict=True)
        ]
    for loop, found in zip(loops, given, strict=True):
        last = loop.states[-1]  # the loss itself may be the last state
        same = [name(p._edge) == name(loss._edge) for p in last]
        if not found and any(same):
            found[len(loop.states) - 1] = [
                np.full(p.shape, float(is_loss), p.dtype)
                for p, is_loss in zip(last, same, strict=True)
            ]
    return given


def _readers(loop: Loop, nodes: Sequence[Node]) -> Readers:
    """The nodes that read a state of the loop, other than those of its later steps and
    those that make another part of the same state."""
    name = record_key if loop.whole else key
    order = {n: k for k, made in enumerate(loop.nodes.values()) for n in made}
    first = len(loop.nodes) - len(loop.states)  # steps before the first state
    states: dict[Key, tuple[int, int]] = {}
    for number, parts in enumerate(loop.states):
        for index, part in enumerate(parts):
            states[name(part._edge)] = number, index
    own: dict[int, set[Node]] = {}
    found: Readers = {}
    for node in nodes:
        if type(node) is not Node and node in order:
            continue  # a repeated step of the loop reads earlier states alone
        for k, edge in enumerate(node.edges):
            at = states.get(edge if type(edge) is Node else name(edge))
            at = at if edge.requires_grad else None
            if at is None or order.get(node, -1) > at[0] + first:
                continue
            if node in order and at[0] not in own:
                own[at[0]] = loop.made_of(at[0])
            if node not in own.get(at[0], ()):
                found.setdefault(node, {})[k] = at
    return found


def _given(
    loop: Loop, readers: Readers, arrived: dict[Key, np.ndarray]
) -> dict[int, list[np.ndarray]]:
    """The gradients of the states, from those of the nodes that read them."""
    name = record_key if loop.whole else key
    sums: dict[tuple[int, int], np.ndarray] = {}
    for node, inputs in readers.items():
        gradients: list[Any] = [arrived.get(name(edge)) for edge in outputs(node)]
        if all(g is None for g in gradients):
            continue
        needs = tuple(map(inputs.__contains__, range(len(node.edges))))
        many = node.primitive.multiple
        pulled = pulled_through(node, needs, gradients if many else gradients[0])
        for k, at in inputs.items():
            value: Any = pulled[k]
            if value is not None and value.any():
                before = sums.get(at)
                sums[at] = value if before is None else before + value
    nothing = [np.zeros(part.shape, part.dtype) for part in loop.states[-1]]
    found: dict[int, list[np.ndarray]] = {}
    for (number, index), value in sums.items():
        found.setdefault(number, list(nothing))[index] = value
    return found
