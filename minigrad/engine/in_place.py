"""What `p -= x` and `p[0] = x` do to a tensor: leaves change, computed values do not.

A leaf is a place that holds numbers. Under `no_grad()` an in-place operator gives it
new ones, as in PyTorch: the same object, and graphs recorded before keep the old
numbers. The same holds for whatever needs no gradient and is not part of a graph:
buffers made by `mg.zeros(...)`, `p.grad`, results under `no_grad()`.

Outside of `no_grad()` a leaf that needs a gradient cannot change (PyTorch's rule too):
the change would be part of what is differentiated.

What an operation was recorded for is a value: `y += x` computes another one and calls
that y. Other names of the old one keep it.

Read next: `read_only.py`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.engine.aliases import Array, Operand
from minigrad.engine.errors import DTypeError, GraphError, IndexingError, ShapeError
from minigrad.engine.graph import Edge, Leaf, Node, Variable
from minigrad.engine.primitives import elementwise as e
from minigrad.engine.primitives import linalg
from minigrad.engine.primitives.base import Primitive, apply_binary
from minigrad.engine.primitives.messages import describe
from minigrad.engine.recorder import thread
from minigrad.engine.tracing import copied, leaving, touch


class InPlace(Variable):
    """The operators that assign: `+=` and its like, and `x[key] = value`."""

    __slots__ = ()

    def __iadd__(self, other: Operand) -> Any:
        return updated(self, e.add, "+=", other)

    def __isub__(self, other: Operand) -> Any:
        return updated(self, e.subtract, "-=", other)

    def __imul__(self, other: Operand) -> Any:
        return updated(self, e.multiply, "*=", other)

    def __itruediv__(self, other: Operand) -> Any:
        return updated(self, e.divide, "/=", other)

    def __ipow__(self, other: Operand) -> Any:
        return updated(self, e.power, "**=", other)

    def __imatmul__(self, other: Operand) -> Any:
        return updated(self, linalg.matmul, "@=", other)

    def __setitem__(self, key: Any, value: Operand) -> None:
        _may_be_written_to(self, value)
        leaving(self, "x[...] = value")
        array = self._edge.array.copy()
        given = _given(value)
        if not np.can_cast(_kind(value, given), array.dtype, "same_kind"):
            raise _other_dtype("x[...] = value", self, given)
        try:
            array[_values(key)] = given
        except (IndexError, ValueError) as error:
            kind = IndexingError if isinstance(error, IndexError) else ShapeError
            raise kind(
                f"x[...] = value: {error}",
                expect="an index within x, and a value that broadcasts to its shape",
                actual=f"value: {given.shape}     x: {describe(self._edge)}",
                hint="print x.shape, and the shape of x[...]",
            ) from None
        rebind(self, array)


def updated(tensor: Any, primitive: Primitive, sign: str, other: Operand) -> Any:
    """The tensor with new numbers, if it is a leaf or no part of a graph; else a new
    tensor."""
    edge = tensor._edge
    if isinstance(edge.source, Node):
        return apply_binary(primitive, tensor, other)
    if thread.recorder.recording:
        if edge.requires_grad:
            raise GraphError(
                f"x {sign} ...: a leaf that needs a gradient, changed while operations "
                "are recorded",
                expect="a change outside of what is differentiated",
                actual=describe(edge),
                hint="with mg.no_grad(): before it, as in PyTorch; or p.data = p.data "
                f"- lr * p.grad.data. y = x {sign[:-1]} ... makes a new tensor",
            )
    made = apply_binary(primitive, tensor, other)
    if made._edge.requires_grad:
        return made  # a sum begun with mg.zeros(...): it is part of a graph now
    rebind(tensor, fitting(f"x {sign} ...", tensor, made._edge.array))
    return tensor


def rebind(tensor: Any, array: Array) -> None:
    """Give a leaf, or a constant, other numbers: an array that no one else holds."""
    touch(tensor)
    edge = tensor._edge
    array.setflags(write=False)
    tensor._edge = Edge(edge.source, 0, array, edge.requires_grad)


def fitting(call: str, tensor: Any, array: Array) -> Array:
    """The array in the tensor's own dtype; ShapeError or DTypeError if it cannot be."""
    edge = tensor._edge
    if array.shape != edge.array.shape:
        raise ShapeError(
            f"{call}: the shape would change",
            expect=f"a result of shape {edge.array.shape}",
            actual=f"{array.shape}     x: {describe(edge)}",
            hint="did the gradient or a constant broadcast? x = x + ... may grow",
        )
    if array.dtype != edge.array.dtype:
        if not np.can_cast(array.dtype, edge.array.dtype, "same_kind"):
            raise _other_dtype(call, tensor, array)
        made, array = array, array.astype(edge.array.dtype)
        copied(made, array)
    return array


def _may_be_written_to(x: Any, value: Operand) -> None:
    """Raise unless x[...] = value changes nothing that a gradient depends on."""
    edge = x._edge
    into_graph = isinstance(edge.source, Node)
    recording = thread.recorder.recording
    if into_graph or (recording and (edge.requires_grad or _needs_gradient(value))):
        hint = "mg.where(mask, value, x) makes a new tensor, or mg.stack of its parts"
        if isinstance(edge.source, Leaf) and edge.requires_grad:
            hint = f"with mg.no_grad(): before it changes the leaf; {hint}"
        raise DTypeError(
            "x[...] = value: tensors are not written to where a gradient depends on it",
            expect="a leaf, inside mg.no_grad(); or a new tensor",
            actual=describe(edge),
            hint=hint,
        )


def _given(value: Operand) -> Array:
    """What is to be stored, as an array."""
    try:
        return np.asarray(_values(value))
    except ValueError as error:
        raise ShapeError(
            f"x[...] = value: {error}",
            expect="a number, or rows of equal length",
            actual=f"{value!r:.60}",
            hint="print np.shape of each row",
        ) from None


def _needs_gradient(value: Operand) -> bool:
    if isinstance(value, list | tuple):
        return any(map(_needs_gradient, value))
    return isinstance(value, Variable) and value._edge.requires_grad


def _values(given: Any) -> Any:
    """Arrays in the place of tensors, within an index too."""
    if isinstance(given, tuple | list):
        return type(given)(_values(part) for part in given)
    return given._edge.array if isinstance(given, Variable) else given


def _kind(value: Operand, array: Array) -> Any:
    """The dtype to judge a value by: a Python number takes that of the tensor."""
    return type(value) if isinstance(value, bool | int) else array.dtype


def _other_dtype(call: str, tensor: Any, array: Array) -> DTypeError:
    return DTypeError(
        f"{call}: the dtype would change",
        expect=f"numbers that fit {tensor._edge.array.dtype}",
        actual=f"{array.dtype}     x: {describe(tensor._edge)}",
        hint="start with x of floating point: mg.zeros(...), or 0.0 instead of 0",
    )
