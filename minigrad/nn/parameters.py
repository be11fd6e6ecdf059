"""What optimisers and clipping ask of a list of parameters, and do to one.

Parameters and gradients are rebound to new arrays, never written to: graphs recorded
before keep the values they were computed with.

Read next: `init.py`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from minigrad.engine.errors import ArgumentError, DTypeError, GraphError
from minigrad.engine.graph import Edge, Leaf
from minigrad.engine.tensor import Tensor
from minigrad.engine.tracing import touch


def label(x: Tensor) -> str:
    """A tensor as messages show it: 'W_h' (32, 16) float32."""
    name = "" if x.name is None else f"{x.name!r} "
    return f"{name}{x.shape} {x.dtype}"


def parameter_list(call: str, parameters: Iterable[Tensor]) -> list[Tensor]:
    """The parameters as a list of leaves, each once. Errors speak of `call`."""
    if isinstance(parameters, Tensor) or not isinstance(parameters, Iterable):
        kind = type(parameters).__name__
        raise DTypeError(
            f"{call}(parameters): several parameters are wanted",
            expect="an iterable of tensors",
            actual=kind,
            hint="pass model.parameters()"
            if hasattr(parameters, "parameters")
            else "pass a list of one: [p]",
        )
    found = list(parameters)
    for number, p in enumerate(found):
        if not isinstance(p, Tensor):
            raise DTypeError(
                f"{call}(parameters): number {number} is not a tensor",
                expect="an iterable of tensors",
                actual=f"{type(p).__name__}: {p!r:.60}",
                hint="pass model.parameters(), without their names",
            )
        if not isinstance(p._edge.source, Leaf):
            raise GraphError(
                f"{call}(parameters): number {number} is computed, so it cannot be set",
                expect="leaves: parameters, or tensors made with requires_grad=True",
                actual=label(p),
                hint="pass what it was computed from",
            )
    if len({id(p) for p in found}) < len(found):
        seen: set[int] = set()
        twice = next(p for p in found if id(p) in seen or seen.add(id(p)))  # type: ignore
        raise ArgumentError(
            f"{call}(parameters): a parameter is given twice",
            expect="each parameter once",
            actual=label(twice),
            hint="model.parameters() gives shared parameters once",
        )
    return found


def rebind(p: Tensor, array: np.ndarray) -> None:
    """Give a leaf a new array of its shape and dtype, which is not copied: no one else
    may hold it. (`p.data = array` is the public way, and copies.)"""
    touch(p)
    edge = p._edge
    assert array.shape == edge.array.shape and array.dtype == edge.array.dtype
    array.setflags(write=False)
    p._edge = Edge(edge.source, 0, array, edge.requires_grad)


def rebind_gradient(p: Tensor, array: np.ndarray) -> None:
    """Give a leaf a new gradient: a constant, with an array that no one else holds."""
    touch(p, "set")
    array.setflags(write=False)
    p._grad = Tensor.of(Edge(None, 0, array, False))


def gradient(p: Tensor) -> Any:
    """The gradient's array, in the parameter's dtype."""
    assert p._grad is not None
    return p._grad._edge.array.astype(p.dtype, copy=False)
