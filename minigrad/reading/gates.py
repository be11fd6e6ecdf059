"""What the gates did, read from the graph.

A cell computes each gate in a scope of its own, `with gate("f"): f = sigmoid(...)`. The
value of a gate at a step is what is computed last in that scope: nothing in the cell is
written for the reader, and a user's own cell is read in the same way.

Read next: `backward_passes.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Any

import numpy as np

from minigrad.engine.errors import ArgumentError, GraphError, MinigradError
from minigrad.engine.graph import Node
from minigrad.engine.scope import Scope
from minigrad.engine.tensor import Tensor
from minigrad.reading.levels import GATE, letter

Levels = tuple[Scope, ...]
UNTOLD = ("step", "loop")
DIGITS = "0123456789"
_seq = attrgetter("seq")


def closing(
    nodes: Iterable[Node], inside: int = 0, kinds: tuple[str, ...] = GATE
) -> dict[Levels, Node]:
    """The node that gave each gate its value, by the levels down to the gate's own.

    nodes   oldest first: of one time step; or of a graph, where the levels name the
            step as well
    inside  the number of outer levels that are left out: `loop.inside`
    kinds   `levels.NAMED`: scopes of the user's own count, too

    It is the last node recorded in the gate's scope, or in a scope within. What a
    recorded backward pass computed there does not count.
    """
    found: dict[Levels, Node] = {}
    for node in nodes:
        if node.origin is None:
            for k in range(inside, len(node.scope)):
                if node.scope[k].kind in kinds:
                    found[node.scope[inside : k + 1]] = node
    return found


def letters(closed: Mapping[Levels, Node]) -> dict[Node, str]:
    """The letter of every node that closes a gate: of gates in gates the innermost's;
    a gate's rather than that of a scope of the user's own within it."""
    ordered = sorted(closed, key=lambda at: (at[-1].kind == "gate", len(at)))
    return {closed[at]: letter(at[-1]) for at in ordered}


def by_letter(
    steps: Mapping[int, Sequence[Node]], inside: int, kinds: tuple[str, ...] = GATE
) -> dict[str, dict[int, Node]]:
    """The node that made each gate, by letter and time step: {"f": {0: node, ...}}.

    steps   {time step: its nodes, oldest first}: `loop.nodes`
    """
    found: dict[str, dict[int, Node]] = {}
    for step, nodes in steps.items():
        for at, node in closing(nodes, inside, kinds).items():
            made = found.setdefault(letter(at[-1]), {})
            made[step] = max(node, made.get(step, node), key=_seq)
    return found


def gate_values(
    found: dict[str, dict[int, Node]], steps: int, mask: np.ndarray | None
) -> dict[str, np.ndarray]:
    """The values of every gate of one loop, by letter: (steps, B, H) each.

    found   what `by_letter` found
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


def signature(node: Node) -> tuple[Any, ...]:
    """What is the same in every step: the operation, and the scopes within the step.

    Numbers in names do not count: `mg.scope(f"word {t}")` is the same in all steps.
    """
    levels = [
        (s.kind, s.name.rstrip(DIGITS)) for s in node.scope if s.kind not in UNTOLD
    ]
    return node.primitive.name, *levels


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
