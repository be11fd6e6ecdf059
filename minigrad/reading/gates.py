"""What the gates did, read from the graph.

A cell computes each gate in a scope of its own, `with gate("f"): f = sigmoid(...)`. The
value of a gate at a step is what is computed last in that scope: nothing in the cell is
written for the reader, and a user's own cell is read in the same way.

Read next: `uses.py`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from minigrad.engine.errors import ArgumentError, GraphError, MinigradError
from minigrad.engine.graph import Node, ancestors
from minigrad.engine.tensor import Tensor


def gate_nodes(
    states: Sequence[tuple[Tensor, ...]], first: int, depth: int
) -> dict[str, dict[int, Node]]:
    """The node that made each gate, by letter and time step: {"f": {0: node, ...}}.

    A scope of the user's own, which is no gate of the table, counts too, by its name.

    states  all states of the loop: what it made is among their ancestors
    first   the `seq` from which on nodes belong to the loop
    depth   the number of scopes around the loop: a node's time step comes right after
    """
    found: dict[str, dict[int, Node]] = {}
    for node in ancestors([s._edge.source for state in states for s in state]):
        inner = node.scope[depth:]
        if node.seq < first or not inner or inner[0].kind != "step":
            continue
        for level in inner[1:]:
            if level.kind in ("gate", "scope"):
                name = level.name if level.index is None else str(level.index)
                found.setdefault(name, {})[inner[0].index] = node
    return found


def gate_values(
    found: dict[str, dict[int, Node]], steps: int, mask: np.ndarray | None
) -> dict[str, np.ndarray]:
    """The values of every gate of one loop, by letter: (steps, B, H) each.

    found   what `gate_nodes` found
    mask    (T, B): gates at padded steps are given as zeros
    A step that did not compute a gate has NaN there.
    """
    return {name: _stacked(nodes, steps, mask) for name, nodes in found.items()}


def _stacked(nodes: dict[int, Node], steps: int, mask: np.ndarray | None) -> np.ndarray:
    """One gate's outputs over time: (steps, *shape), NaN where there is none."""
    like = next(iter(nodes.values())).outputs[0]
    values = np.full((steps, *like.shape), np.nan, np.result_type(like, np.float32))
    for t, node in nodes.items():
        values[t] = node.outputs[0]
    if mask is not None and like.ndim and like.shape[0] == mask.shape[1]:
        values[~mask] = 0
    return values


def unknown(name: str, names: list[str], state: Tensor) -> MinigradError:
    """The error for a gate that the loop does not have, or whose graph is not there."""
    if state.node is None:
        return GraphError(
            f"[{name!r}]: gates are read from the graph, and there is none",
            expect="a loop that was recorded",
            actual="a loop within no_grad()",
            hint="use model.trace(x), or models.unroll_traced for a cell of your own",
        )
    return ArgumentError(
        f"[{name!r}] is not a gate or state of this cell",
        expect=f"one of {', '.join(map(repr, names))}",
        actual=repr(name),
        hint='a gate is what is computed within: with gate("f"): ...',
    )
