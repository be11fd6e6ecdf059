"""What may be put into a tensor and asked of it, checked.

Read next: `in_place.py`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.engine.aliases import Array, Operand
from minigrad.engine.errors import DTypeError, GraphError, ShapeError, warn
from minigrad.engine.graph import AnyEdge, Leaf, Variable
from minigrad.engine.primitives.joins import stack
from minigrad.engine.primitives.messages import describe
from minigrad.engine.primitives.operands import complex_numbers, unmasked
from minigrad.engine.primitives.shape import astype
from minigrad.engine.tracing import copied


def numbers(data: Any, dtype: Any) -> Array:
    """A new array of what a tensor is to be made of; DTypeError, ShapeError if none.

    GraphError if tensors that need a gradient are among the data: see `joined`.
    """
    try:
        data = unmasked(data)
        if type(data) is not np.ndarray and hasattr(data, "__array__"):
            data = np.asarray(data)  # another library's: not all know how to copy
        array = np.array(data, dtype=dtype)
    except ValueError as error:
        raise ShapeError(
            f"tensor(data): {error}",
            expect="a rectangular array: rows of equal length",
            actual=f"{data!r:.80}",
            hint="minigrad.data.pad_sequences makes rows equally long",
        ) from None
    except TypeError as error:
        raise DTypeError(
            f"tensor(data): {error}",
            expect="numbers, and a dtype that NumPy knows",
            actual=f"{data!r:.60}, dtype={dtype!r:.40}",
            hint="dtype='float64', or leave it out",
        ) from None
    if array.dtype.kind not in "fiub":
        if array.dtype.kind == "c":
            raise complex_numbers("tensor(data)", array.dtype, data)
        raise DTypeError(
            "tensor(data): the data are not numbers",
            expect="floating-point, integer or boolean data",
            actual=f"dtype {array.dtype}: {data!r:.60}",
            hint="encode words as numbers first: minigrad.data.Vocabulary",
        )
    return array


def checked_name(name: Any) -> str | None:
    """The name of a tensor; DTypeError for what is neither words nor None."""
    if name is None or isinstance(name, str):
        return name
    raise DTypeError(
        f"name={name!r:.40}: a name is words",
        expect="a str, or None for no name",
        actual=f"{name!r:.40} ({type(name).__name__})",
        hint="did you mean requires_grad=True, dtype=... or another argument?",
    )


def joined(data: Any, dtype: Any, requires_grad: bool) -> Any:
    """A tensor of tensors in nested lists that keeps their history: stacks of them."""
    if requires_grad:
        raise GraphError(
            "tensor(data, requires_grad=True): the data need gradients themselves",
            expect="a leaf made of numbers, or a tensor computed from others",
            actual=f"{data!r:.60}",
            hint="leave out requires_grad to keep their history; .detach() cuts them "
            "off on purpose, for a new leaf or Parameter",
        )
    if not isinstance(data, Variable):
        made = _stacked(data)
        return made if dtype is None else astype(made, dtype)
    return astype(data, data._edge.array.dtype if dtype is None else dtype)


def _stacked(parts: Any) -> Any:
    return stack([_stacked(p) if isinstance(p, list | tuple) else p for p in parts])


def need_floating(array: Array, actual: str, hint: str) -> None:
    """Raise DTypeError if the dtype of `array` is one that has no gradients."""
    if array.dtype.kind not in "fc":
        raise DTypeError(
            f"a tensor of dtype {array.dtype} cannot have a gradient",
            expect="a floating dtype for requires_grad=True",
            actual=actual,
            hint=hint,
        )


def need_leaf(edge: AnyEdge, complaint: str, hint: str) -> None:
    """Raise GraphError if `edge` leads to what was computed."""
    if not isinstance(edge.source, Leaf):
        raise GraphError(
            complaint,
            expect="a tensor made by mg.tensor(...), or a parameter",
            actual=describe(edge),
            hint=hint,
        )


def expect_retained(edge: AnyEdge) -> None:
    """Warn if `.grad` of a computed tensor is asked for, and nothing will be in it."""
    kept = edge.source.tags.get("retained", ()) if edge.source.tags else ()  # type: ignore
    if edge.requires_grad and edge.index not in kept:
        warn(
            ".grad of a computed tensor is not kept: it is None",
            expect="y.retain_grad() before loss.backward(), or a leaf",
            actual=describe(edge),
            hint="mg.grad(loss, [y]) gives it as well",
        )


def need_axes(edge: AnyEdge, call: str) -> None:
    """Raise DTypeError if the tensor that `call` is about is a single number."""
    if not edge.array.shape:
        raise DTypeError(
            f"{call} a tensor without axes",
            expect="one axis or more",
            actual="shape ()",
            hint="x.item() gives the number",
        )


def replacement(edge: AnyEdge, value: Operand) -> Array:
    """A copy of what shall be a leaf's data from now on: same shape and dtype.

    Integers given for floating-point numbers become such numbers. Raises ShapeError or
    DTypeError for others.
    """
    given = value._edge.array if isinstance(value, Variable) else value
    array = numbers(given, None)
    if array.shape != edge.array.shape:
        raise ShapeError(
            "data = array: the shape changes",
            expect=f"shape {edge.array.shape}",
            actual=f"{array.shape}     tensor: {describe(edge)}",
            hint="did the gradient or a constant broadcast? check both shapes",
        )
    if array.dtype != edge.array.dtype:
        if array.dtype.kind == "f" or edge.array.dtype.kind != "f":
            raise DTypeError(
                "data = array: the dtype changes",
                expect=f"dtype {edge.array.dtype}",
                actual=f"{array.dtype}     tensor: {describe(edge)}",
                hint=f"use array.astype('{edge.array.dtype}')",
            )
        array = array.astype(edge.array.dtype)
    copied(given, array)
    return array
