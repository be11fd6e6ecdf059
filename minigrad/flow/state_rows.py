"""Selects from a loop's states what a Jacobian needs: real numbers, one sample's row.

Read next: `step_jacobian.py`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.engine.errors import IndexingError, ShapeError
from minigrad.engine.graph import AnyEdge
from minigrad.flow.step_jacobian import Step
from minigrad.reading.pulling import name_of


def floating(state: Any) -> list[AnyEdge]:
    """The parts of a state that derivatives are taken of."""
    return [part._edge for part in state if part._edge.array.dtype.kind == "f"]


def row_of(state: list[AnyEdge], sample: int) -> int | None:
    """The sample's row on the batch axis; None for states that have no such axis."""
    if not state:
        raise ShapeError(
            "jacobian_products: the state has no floating-point part",
            expect="a state of float32 or float64",
            actual="whole numbers or booleans only",
            hint="derivatives need real numbers",
        )
    batch = min([edge.array.shape[0] if edge.array.ndim > 1 else 1 for edge in state])
    whole = isinstance(sample, int | np.integer) and not isinstance(sample, bool)
    if not whole or not 0 <= sample < batch:
        raise IndexingError(
            f"sample={sample!r}: there is no such sample",
            expect=f"0..{batch - 1}",
            actual=repr(sample),
            hint="the batch is the first axis of a state",
        )
    return sample if all([edge.array.ndim > 1 for edge in state]) else None


def recurrent_weight(cell: Any, step: Step) -> np.ndarray | None:
    """An RNN's W_h, as it was when the loop ran."""
    if getattr(cell, "kind", None) != "rnn":
        return None
    wanted = name_of(cell.W_h._edge)
    for node in step.nodes:
        for edge in node.edges:
            if name_of(edge) == wanted:
                return edge.array
    return None
