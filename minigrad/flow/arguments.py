"""Checks the arguments of `mg.ledger`: the losses, and the tensors to itemise.

Read next: `jacobians.py` (why items shrink or grow with distance).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from minigrad.engine.errors import ArgumentError, DTypeError, GraphError, ShapeError
from minigrad.engine.graph import AnyEdge, key
from minigrad.engine.primitives.joins import stack
from minigrad.engine.primitives.messages import describe
from minigrad.engine.scope import enable_grad
from minigrad.engine.tensor import Tensor
from minigrad.nn.parameters import label


def outputs_of(losses: Any) -> tuple[list[tuple[AnyEdge, np.ndarray]], Tensor]:
    """The start and seed of each loss's backward pass, and the sum of all losses."""
    if isinstance(losses, Tensor):
        array = losses._edge.array
        if array.ndim > 1 and array.size != 1:
            raise ShapeError(
                "ledger: a tensor of losses has more than one axis",
                expect="a loss of one entry, or a tensor (n,) of n losses",
                actual=describe(losses._edge),
                hint="take the mean or sum over the batch: losses.mean(axis=1)",
            )
        seeds = np.eye(array.size, dtype=array.dtype).reshape(array.size, *array.shape)
        outputs = [(losses._edge, seed) for seed in seeds]
        with enable_grad():
            total = losses.sum()
    else:
        listed = _listed(losses, "losses", "one tensor per loss")
        for number, loss in enumerate(listed):
            if loss.size != 1:
                raise ShapeError(
                    f"ledger: loss {number} is not a scalar",
                    expect="losses of one entry each",
                    actual=describe(loss._edge),
                    hint="take its mean or sum first",
                )
        outputs = [(t._edge, np.ones(t.shape, t.dtype)) for t in listed]
        with enable_grad():
            total = stack([t.reshape(()) for t in listed]).sum()
    if not total._edge.requires_grad:
        raise GraphError(
            "ledger: no loss has a graph",
            expect="losses computed from tensors with requires_grad=True",
            actual=describe(outputs[0][0]),
            hint="compute the losses outside mg.no_grad(); do not .detach() them",
        )
    return outputs, total


def _listed(given: Any, what: str, expect: str) -> list[Tensor]:
    """A list of one tensor or more. DTypeError or ArgumentError for anything else."""
    if not isinstance(given, Iterable):
        given = [given]
    listed = list(given)
    for number, tensor in enumerate(listed):
        if not isinstance(tensor, Tensor):
            raise DTypeError(
                f"ledger: {what}[{number}] is not a tensor",
                expect=expect,
                actual=f"{type(tensor).__name__}: {tensor!r:.60}",
                hint="a float has lost its graph: do not call .item() or float()",
            )
    if not listed:
        raise ArgumentError(
            f"ledger: {what} is empty",
            expect=expect,
            actual="none",
            hint="mg.ledger(loss, model.parameters())",
        )
    return listed


def parameters_of(parameters: Any) -> list[Tensor]:
    """The tensors to itemise, each once."""
    if isinstance(parameters, Tensor):
        parameters = [parameters]
    elif hasattr(parameters, "parameters"):
        parameters = parameters.parameters()
    found: Sequence[Tensor] = _listed(parameters, "parameters", "tensors")
    for p in found:
        if not p.requires_grad or p._edge.source is None:
            raise GraphError(
                "ledger: one of the tensors has no gradient",
                expect="parameters, or tensors with requires_grad=True",
                actual=label(p),
                hint="make it with mg.tensor(..., requires_grad=True) before its use",
            )
    return list({key(p._edge): p for p in found}.values())
