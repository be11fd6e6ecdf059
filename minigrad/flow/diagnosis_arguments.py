"""Checks the arguments of `mg.diagnose`: the loss in its several forms, and the lag.

Read next: `diagnosis.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from minigrad.engine.errors import (
    ArgumentError,
    DTypeError,
    GraphError,
    IndexingError,
    MinigradError,
    ShapeError,
)
from minigrad.engine.graph import Node
from minigrad.engine.primitives.messages import describe
from minigrad.engine.scope import enable_grad
from minigrad.engine.tensor import Tensor
from minigrad.flow.findings import some


def losses_of(loss: Any) -> tuple[Tensor | list[Tensor], Sequence[Any]]:
    """The loss or losses, and the loops of a trace, if it was one."""
    traced: Sequence[Any] = ()
    if hasattr(loss, "states") and hasattr(loss, "output"):
        traced = getattr(loss, "layers", None) or [loss]
        output = loss.output
        with enable_grad():
            squares = output * output
            loss = squares.sum(axis=tuple(range(1, output.ndim)))
    losses = loss if isinstance(loss, Tensor) else _listed(loss)
    listed = [losses] if isinstance(losses, Tensor) else losses
    if not any(one.requires_grad for one in listed):
        raise GraphError(
            "diagnose: the loss has no graph",
            expect="a loss computed from tensors with requires_grad=True",
            actual=describe(listed[0]._edge),
            hint="compute it outside mg.no_grad(); do not .detach() it, and make no "
            "new tensor of its numbers",
        )
    return losses, traced


def _listed(loss: Any) -> list[Tensor]:
    """A list of losses. DTypeError for anything else, ArgumentError for none."""
    several = isinstance(loss, Iterable) and not isinstance(loss, str | bytes | dict)
    if isinstance(loss, np.ndarray | np.generic):
        several = np.ndim(loss) > 0
    found = list(loss) if several else [loss]
    for number, one in enumerate(found):
        if not isinstance(one, Tensor):
            which = f"loss {number}" if several else "the loss"
            raise DTypeError(
                f"diagnose: {which} is not a tensor",
                expect="the loss itself, with its graph",
                actual=f"{type(one).__name__}: {one!r:.60}",
                hint="a number has lost its graph: pass loss, not loss.item()",
            )
    if not found:
        raise ArgumentError(
            "diagnose: there is no loss",
            expect="a loss, or a list of one or more",
            actual="an empty list",
            hint="mg.diagnose(loss)",
        )
    return found


def total_of(losses: Tensor | list[Tensor]) -> Tensor:
    """The sum of all entries of all losses that have a graph."""
    listed = [losses] if isinstance(losses, Tensor) else losses
    with enable_grad():
        parts = [one if one.ndim == 0 else one.sum() for one in listed]
        return sum(parts[1:], parts[0])


def step_count(what: str, lag: Any) -> int:
    """A number of steps: a whole number, 0 or more."""
    whole = isinstance(lag, int | np.integer) and not isinstance(lag, bool)
    if not whole or lag < 0:
        raise ArgumentError(
            f"{what}: {lag!r:.40} is no number of steps",
            expect="a whole number, 0 or more",
            actual=f"{type(lag).__name__}: {lag!r:.40}",
            hint="count the steps from the last state back to what is to be learned",
        )
    return int(lag)


def check_sample(loops: Sequence[Any], sample: Any) -> None:
    """Is it a row of the states' batch axis? IndexingError if not."""
    rows = [p.shape[0] for one in loops for p in one.states[-1] if p.ndim > 1]
    count = max(rows, default=1)
    whole = isinstance(sample, int | np.integer) and not isinstance(sample, bool)
    if not whole or not 0 <= sample < count:
        raise IndexingError(
            f"diagnose(sample={sample!r:.40}): there is no such sample",
            expect=f"0..{count - 1}",
            actual=f"{sample!r:.40}",
            hint="the batch is the first axis of a state",
        )


def need_module(call: str, model: Any) -> None:
    """Has it parameters with names? DTypeError if not."""
    if not hasattr(model, "named_parameters"):
        raise DTypeError(
            f"{call}(model={model!r:.40}): not a module",
            expect="a Module, which knows the names of its parameters",
            actual=type(model).__name__,
            hint="parameters of no module go into parameters=[W, b]",
        )


def no_loop(
    losses: Tensor | list[Tensor], nodes: Sequence[Node], model: Any
) -> MinigradError:
    """The error for a graph (its nodes) without a loop."""
    first = losses if isinstance(losses, Tensor) else losses[0]
    read = {edge.source for node in nodes for edge in node.edges}
    named = list(model.named_parameters()) if model is not None else []
    cut = [name for name, p in named if p._edge.source not in read]
    if cut:
        return GraphError(
            "diagnose: the graph has no loop over time, and the loss does not depend "
            "on all of the model",
            expect="a loss computed with every parameter",
            actual=f"not with {len(cut)} of {len(named)}: {some(cut)}",
            hint="on the way from the network to the loss, hand on the tensors "
            "themselves, without .detach(), .data or .numpy()",
        )
    return GraphError(
        "diagnose: the graph has no loop over time",
        expect="two or more time steps that pass on a state",
        actual=describe(first._edge),
        hint="compute each step within mg.time_step(t), or use models.unroll; outside "
        "mg.no_grad(). Where the state is detached at every step, and the loss reads "
        "the last one alone, only that step is in its graph",
    )


def empty_state() -> MinigradError:
    """The error for loops whose states have no entries."""
    return ShapeError(
        "diagnose: the states of the loop are empty",
        expect="a batch of one sample or more, and one unit or more",
        actual="states without an entry",
        hint="is the batch empty, or the hidden size 0?",
    )
