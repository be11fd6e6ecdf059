"""Finds the operation in which the first NaN or infinity arose, forward or backward.

    origin = first_not_finite(loss)      # None if all is finite

Read next: `loss_targets.py`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from minigrad.engine.autodiff import backpropagate
from minigrad.engine.graph import AnyEdge, Leaf, Node, ancestors
from minigrad.engine.primitives.messages import describe
from minigrad.engine.quiet import quietly, uncollected
from minigrad.engine.tensor import Tensor
from minigrad.engine.user_code import place
from minigrad.engine.watching import Watcher
from minigrad.flow.findings import Finding
from minigrad.reading.levels import innermost
from minigrad.reading.text import clean


def first_not_finite(
    loss: Tensor, gradients: Iterable[np.ndarray] | None = None
) -> Finding | None:
    """The finding about the first number that is not finite; None if there is none.

    loss       a tensor of any shape: the sum of its entries counts
    gradients  what its backward pass gave: if all are finite, it is not made again
    """
    if not _finite(loss._edge.array):
        for node in ancestors([loss._edge.source]):
            if not all(_finite(array) for array in node.outputs):
                return _forward(node)
        return _given(loss._edge)
    if gradients is not None and all(map(_finite, gradients)):
        return None
    return _backward(loss) if loss.requires_grad else None


def _finite(array: np.ndarray) -> bool:
    return array.dtype.kind not in "fc" or bool(np.isfinite(array).all())


def _forward(node: Node) -> Finding:
    """Of a node whose output is not finite; older ones are."""
    for edge in node.edges:
        if not _finite(edge.array):
            return _given(edge)
    array = next(array for array in node.outputs if not _finite(array))
    return _finding(
        node,
        "forward",
        f"the first number that is not finite arose in {node.primitive.name}: "
        f"{_entry(array)}, from {', '.join(map(_size, node.edges[:3]))}",
        "Look at the sizes of what goes in: exp overflows, log and / need care at 0. "
        "mg.detect_anomaly() stops at this line.",
    )


def _given(edge: AnyEdge) -> Finding:
    """Of a tensor that came in with such numbers."""
    text = f"{describe(edge)} holds {_entry(edge.array)}: it came in that way"
    trained = edge.requires_grad and isinstance(edge.source, Leaf)
    remedy = (
        "The step before was too large: take a smaller learning rate, and clip with "
        "mg.clip_grad_norm_(model.parameters(), 1.0)."
        if trained
        else "Look for it in the data: np.isfinite(x).all()."
    )
    evidence = {"operation": None, "direction": "forward", "tensor": describe(edge)}
    return Finding("not-finite", "error", text, "", "", evidence, remedy)


class _First(Watcher):
    """Keeps the first contribution that is not finite, made of a finite gradient."""

    def __init__(self) -> None:
        self.found: tuple[Node, int, np.ndarray] | None = None

    def contribution(self, node: Node, k: int, value: Any) -> None:
        if self.found is None and not _finite(np.asarray(value)):
            self.found = node, k, value


def _backward(loss: Tensor) -> Finding | None:
    watcher = _First()
    with quietly(), uncollected():
        seed = np.ones(loss.shape, loss.dtype)
        backpropagate(loss._edge, seed, watcher=watcher, stack=False)
    if watcher.found is None:
        return None
    node, k, value = watcher.found
    return _finding(
        node,
        "backward",
        f"the first gradient that is not finite arose in the backward pass of "
        f"{node.primitive.name}: {_entry(value)}, at {_size(node.edges[k])}",
        "The slope there is infinite or undefined, or the gradient grew too large on "
        "its way: clip does not mend that. mg.detect_anomaly() stops at this line.",
    )


def _finding(node: Node, direction: str, text: str, remedy: str) -> Finding:
    step = innermost(node.scope, "step")
    evidence = {
        "operation": node.primitive.name,
        "direction": direction,
        "step": None if step is None else step.index,
        "scope": " / ".join(str(level) for level in node.scope if level.name),
    }
    where = clean(place(node.scope, node.where), 200)
    return Finding("not-finite", "error", text, "", where, evidence, remedy)


def _entry(array: np.ndarray) -> str:
    wrong = np.argwhere(~np.isfinite(array))
    return f"{array[tuple(wrong[0])]} at {tuple(map(int, wrong[0]))}"


def _size(edge: AnyEdge) -> str:
    """An operand with its largest and smallest entry."""
    array = edge.array
    if not array.size or array.dtype.kind not in "fiu":
        return describe(edge)
    return f"{describe(edge)} in [{array.min():.3g}, {array.max():.3g}]"
