"""The recorded list, evaluated again with other arrays: complex ones too.

    replay(loss, {x: other})        # the value the same program gives for another x

The reader behind gradient checks (complex step), and behind every "what if": a changed
word, a clamped gate. Nothing is recorded, and the graph stays as it is.

Read next: `norms.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from minigrad.engine.calls import checked_call
from minigrad.engine.errors import GraphError, ShapeError
from minigrad.engine.graph import AnyEdge, Key, Node, ancestors, key
from minigrad.engine.primitives.messages import describe
from minigrad.engine.quiet import quietly
from minigrad.reading.pulling import name_of_output


@checked_call
def replay(output: Any, values: Mapping[Any, Any]) -> np.ndarray:
    """The value of `output` if some tensors had had other values.

    output  a tensor
    values  {tensor: array of its shape}: leaves, or computed tensors (then what they
            were computed from does not count). Complex arrays are taken as they are.
    Raises ShapeError for another shape, GraphError for a tensor that is a constant.
    """
    changed = {}
    for tensor, array in values.items():
        edge = tensor._edge
        if edge.source is None:
            raise GraphError(
                "replay: a constant has no place in the graph",
                expect="leaves and computed tensors",
                actual=describe(edge),
                hint="make it with mg.tensor(...) before computing with it",
            )
        array = np.asarray(array)
        if array.shape != edge.array.shape:
            raise ShapeError(
                "replay: another shape than the tensor's",
                expect=f"shape {edge.array.shape}",
                actual=f"{array.shape}     tensor: {describe(edge)}",
                hint="a recorded program has fixed shapes: run it again instead",
            )
        changed[key(edge)] = array
    with quietly():
        return value_of(output._edge, evaluate(output._edge, changed))


def evaluate(
    output: AnyEdge,
    changed: Mapping[Key, np.ndarray],
    adjusted: Mapping[Node, Callable[[Any], Any]] | None = None,
) -> dict[Key, Any]:
    """New values by key, of all that depends on what changed (and of that itself).

    adjusted  {node: function}: what such a node computes anew passes through the
              function, so that a part of it can be held and the rest still follows
    """
    known: dict[Key, Any] = dict(changed)
    adjusted = adjusted or {}
    for node in ancestors([output.source]):
        edges = node.edges
        if node not in adjusted and not any([key(edge) in known for edge in edges]):
            continue
        made = node.primitive.value(
            *[value_of(edge, known) for edge in edges], **node.attrs
        )
        if node in adjusted:
            made = adjusted[node](made)
        if not node.primitive.multiple:
            known.setdefault(node, made)
        else:
            for k, part in enumerate(made):
                known.setdefault(name_of_output(node, k), part)
    return known


def value_of(edge: AnyEdge, known: Mapping[Key, Any]) -> Any:
    """The new value of an edge if it has one, else the recorded one."""
    return known.get(key(edge), edge.array) if edge.source is not None else edge.array


def nodes_between(output: AnyEdge, inputs: list[AnyEdge]) -> list[Node]:
    """The nodes through which the output depends on the inputs, oldest first."""
    reached: set[Any] = {edge.source for edge in inputs}
    found = []
    for node in ancestors([output.source]):
        if any([edge.source in reached for edge in node.edges]):
            reached.add(node)
            found.append(node)
    return found
