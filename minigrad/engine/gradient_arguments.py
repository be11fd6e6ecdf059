"""The arguments of `backward`, `grad` and `jacobian`, checked.

Read next: `creation.py`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.engine.aliases import Array, Operand, Value
from minigrad.engine.errors import (
    DTypeError,
    GraphError,
    NonFiniteError,
    ShapeError,
)
from minigrad.engine.graph import AnyEdge, Edge, Variable
from minigrad.engine.primitives.messages import describe
from minigrad.engine.primitives.operands import unmasked
from minigrad.engine.tracing import copied


def starting_gradient(output: Variable, grad: Operand, create_graph: bool) -> Value:
    """dL/d(output), checked: an array, or a tensor if backward is to be recorded.

    grad  as the user gave it; None is 1, for an output of one entry
    Raises GraphError for an output without a graph, or of several entries and no
    `grad`; ShapeError or DTypeError for a `grad` that is no gradient of the output.
    """
    edge = output._edge
    if not edge.requires_grad:
        raise GraphError(
            "backward from a tensor that needs no gradient",
            expect="an output computed from a tensor with requires_grad=True",
            actual=describe(edge),
            hint="set requires_grad=True on an input, and compute outside no_grad()",
        )
    if grad is None and edge.array.size != 1:
        raise GraphError(
            "backward from a tensor that is not a scalar",
            expect="one entry, or a gradient to start from",
            actual=describe(edge),
            hint="call .sum().backward(), or pass grad= of the output's shape",
        )
    if grad is None:
        grad = np.ones(edge.array.shape, edge.array.dtype)
    array = _gradient_of(edge, grad)
    if not create_graph:
        return array
    if isinstance(grad, Variable) and grad._edge.array.dtype == array.dtype:
        return grad
    return as_tensor(array)


def _gradient_of(edge: AnyEdge, grad: Operand) -> Array:
    """What was given as dL/d(output), as an array of the output's shape and dtype."""
    output = edge.array
    grad = unmasked(grad)
    try:
        if isinstance(grad, Variable):
            array = grad._edge.array
        else:
            given = np.asarray(grad)
            if given.dtype.kind not in "fiubO":  # NumPy would take dates and "1", too
                raise TypeError
            array = np.array(given, dtype=output.dtype)
    except (TypeError, ValueError):
        raise DTypeError(
            "backward: the gradient to start from is not of numbers",
            expect=f"a tensor or array of shape {output.shape}",
            actual=f"{grad!r:.60}",
            hint="it is dL/d(output), one number per entry of the output",
        ) from None
    if array.shape != output.shape:
        raise ShapeError(
            "backward: the gradient to start from has another shape than the output",
            expect=f"grad.shape == {output.shape}",
            actual=f"{array.shape}     output: {describe(edge)}",
            hint="it is dL/d(output), one number per entry of the output",
        )
    if not (array == array).all():
        raise NonFiniteError(
            "backward: the gradient to start from has a NaN, and so would all others",
            expect="numbers",
            actual=f"{(array != array).sum()} of {array.size} entries are NaN",
            hint="mg.detect_anomaly() finds where a NaN arose",
        )
    if array.dtype.kind not in "fc":
        raise DTypeError(
            "backward: the gradient to start from is not of floating point",
            expect=f"a gradient of dtype {output.dtype}",
            actual=str(array.dtype),
            hint="use .astype(output.dtype)",
        )
    given, array = array, array.astype(output.dtype, copy=False)
    copied(given, array)
    return array


def need_tensor(call: str, name: str, value: Any) -> None:
    """Raise DTypeError if an argument of `call` is not a tensor."""
    if not isinstance(value, Variable):
        hint = "derivatives are between tensors of one graph"
        if callable(value):  # autograd's and JAX's grad make a function of a function
            hint = "compute y = f(x) first; then mg.grad(y, [x]) gives dy/dx"
        raise DTypeError(
            f"{call}: {name} is not a tensor",
            expect="a Tensor",
            actual=f"{value!r:.60} ({type(value).__name__})",
            hint=hint,
        )


def tensor_list(call: str, inputs: Any, word: str = "input") -> list[Any]:
    """The tensor or tensors given to `call`. DTypeError for what is neither."""
    if isinstance(inputs, Variable):
        return [inputs]
    try:
        found = list(inputs)
    except TypeError:
        raise DTypeError(
            f"{call}: the {word} is no tensor",
            expect="a tensor, or a list of them",
            actual=f"{inputs!r:.60} ({type(inputs).__name__})",
            hint="derivatives are between tensors of one graph",
        ) from None
    for number, x in enumerate(found):
        need_tensor(call, f"{word} {number}", x)
    return found


def as_tensor(value: Value, constant: bool = True) -> Any:
    """A gradient as users get it: a tensor, which holds the array itself, read-only.

    A tensor of its own, as `a.grad *= 2` must not change what else has the same value.
    """
    if isinstance(value, Variable):
        edge = value._edge
        if constant:  # recorded for a trace alone
            edge = Edge(None, 0, edge.array, False)
        return Variable.result_type.of(edge)
    array = np.asarray(value)
    if array.flags.writeable:
        array.setflags(write=False)
    return Variable.result_type.of(Edge(None, 0, array, False))
