"""The arrays that `x.data` and `x.numpy()` give: copies, and not to be written to.

A write would not reach the tensor, and NumPy refuses it with a bare "read-only"; here
the message says what to write. And as `p.data -= x` is what micrograd's users write, it
works: the leaf gets new numbers.

They are copies because being read-only does not protect what graphs hold. SciPy's
`overwrite_b`, `np.add.at`, `torch.from_numpy` and others write to the memory behind an
array without asking. The gradient would be that of another program, in silence.

Read next: `numpy_protocol.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.engine.aliases import Array
from minigrad.engine.errors import (
    ArgumentError,
    DTypeError,
    MinigradError,
    ShapeError,
)
from minigrad.engine.graph import Edge, Leaf
from minigrad.engine.in_place import fitting, rebind
from minigrad.engine.scope import no_grad
from minigrad.engine.tracing import values_within


class ReadOnlyArray(np.ndarray):
    """A tensor's values. What NumPy computes of them are plain arrays.

    edge  for a leaf's values: the edge they belong to, so that the leaf is found
    """

    __slots__ = ("edge",)
    edge: Edge
    __array_priority__ = -1.0  # beside a plain array, the plain one decides

    def __array_wrap__(
        self, array: Array, context: Any = None, return_scalar: bool = False
    ) -> Any:
        return array[()] if return_scalar else np.asarray(array)

    def __setitem__(self, key: Any, value: Any) -> None:
        if not self.flags.writeable:
            raise _refused("x.data[...] = value")
        super().__setitem__(key, value)

    def fill(self, value: Any) -> None:
        """As NumPy's, of a copy."""
        if not self.flags.writeable:
            raise _refused("x.data.fill(value)")
        super().fill(value)

    def copy(self, order: Any = "C") -> Any:
        """A plain array, to be written to."""
        return np.array(self, order=order)

    def __repr__(self) -> str:
        return repr(np.asarray(self))

    def __copy__(self) -> Any:
        return self.copy()

    def __deepcopy__(self, memo: Any) -> Any:
        return self.copy()

    def __reduce_ex__(self, protocol: Any) -> Any:
        return np.asarray(self).__reduce_ex__(protocol)


def _operator(ufunc: np.ufunc, sign: str) -> Callable[[ReadOnlyArray, Any], Any]:
    """`p.data -= x`: new numbers for the leaf whose values they are."""

    def changed(values: ReadOnlyArray, other: Any) -> Any:
        if values.flags.writeable:  # a copy
            return ufunc(values, other, out=values)
        edge = getattr(values, "edge", None)
        owner = edge.source.owner() if edge is not None else None
        if owner is None or owner._edge is not edge:
            raise _refused(f"x.data {sign} ...")
        try:
            with no_grad():  # a tensor may stand on the right: `p.data -= lr * p.grad`
                made = np.array(ufunc(values, other))
        except (TypeError, ValueError) as error:
            if isinstance(error, MinigradError):
                raise
            raise _cannot(f"x.data {sign} ...", values, other, error) from None
        rebind(owner, fitting(f"x.data {sign} ...", owner, made))
        return owner.data

    return changed


for _name, _ufunc, _sign in (
    ("__iadd__", np.add, "+="),
    ("__isub__", np.subtract, "-="),
    ("__imul__", np.multiply, "*="),
    ("__itruediv__", np.divide, "/="),
    ("__ifloordiv__", np.floor_divide, "//="),
    ("__imod__", np.remainder, "%="),
    ("__ipow__", np.power, "**="),
):
    setattr(ReadOnlyArray, _name, _operator(_ufunc, _sign))


def values_of(edge: Any) -> Array:
    """A copy of an edge's array, read-only; in a trace, a constant tensor."""
    traced = values_within(edge)
    if traced is not None:
        return traced
    copy = edge.array.copy()
    copy.setflags(write=False)
    values = copy.view(ReadOnlyArray)
    if type(edge) is Edge and type(edge.source) is Leaf:
        values.edge = edge
    return values


def _cannot(call: str, values: Any, other: Any, error: Exception) -> MinigradError:
    kind = ShapeError if isinstance(error, ValueError) else DTypeError
    return kind(
        f"{call}: {error}",
        expect=f"numbers that broadcast to {values.shape}",
        actual=f"{other!r:.60} ({type(other).__name__})",
        hint="print its shape and dtype",
    )


def _refused(call: str) -> ArgumentError:
    return ArgumentError(
        f"{call}: a tensor's array is read-only, as graphs hold it",
        expect="a new array for a leaf, or a copy",
        actual="values that a graph may hold",
        hint="p.data = p.data - lr * p.grad.data, or inside mg.no_grad(): "
        "p -= lr * p.grad, p[0] = value; x.data.copy() can be written to",
    )
