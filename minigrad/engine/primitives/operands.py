"""What is not a tensor among the operands: numbers, arrays, nested lists.

Read next: `anomaly.py`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.engine.aliases import Array, Operand
from minigrad.engine.errors import DTypeError, GraphError
from minigrad.engine.graph import AnyEdge, Edge, Variable
from minigrad.engine.tracing import otherwise


def arrays_of(inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    """Nested lists among the operands as arrays. DTypeError if they are not numeric."""
    known = (np.generic, float, int, complex)
    return tuple(x if isinstance(x, known) else numeric(x) for x in inputs)


def operand(x: Operand) -> Any:
    """x, or the array that nested lists stand for. DTypeError if not numeric.

    A tensor, for lists of tensors that need a gradient.
    """
    if hasattr(x, "ndim"):
        return x
    try:
        return numeric(x)
    except GraphError:
        otherwise()
        return Variable.result_type(x)  # type: ignore[call-arg]


_constants: dict[tuple[Any, ...], Edge] = {}


def constant(x: Operand, beside: tuple[Any, ...]) -> AnyEdge:
    """The edge of an operand that is not a tensor: a number, an array, a nested list.

    A Python number takes the dtype of the tensor beside it, as NumPy's rules have it.
    Arrays are copied: nothing that the graph holds may be written to from outside.
    """
    kind = type(x)
    if kind is float or kind is int or kind is bool:
        dtypes = [t._edge.array.dtype for t in beside if isinstance(t, Variable)]
        dtypes = [d for d in dtypes if d.kind in "fc"] or dtypes[:1]
        dtype = dtypes[0] if len(dtypes) == 1 else np.result_type(*dtypes)
        if dtype.kind not in "fc":
            dtype = np.result_type(dtype, x)
        key = (x, kind, dtype)
        edge = _constants.get(key)
        if edge is None or x == 0:  # 0.0 and -0.0 are the same key
            try:
                array = np.array(x, dtype)
            except OverflowError:
                raise DTypeError(
                    f"the number {x} does not fit the dtype beside it",
                    expect=f"a number within the range of {dtype}",
                    actual=str(x),
                    hint="use .astype('int64') or .astype('float64') on the tensor",
                ) from None
            edge = Edge(None, 0, _read_only(array), False)
            if len(_constants) < 1000:
                _constants[key] = edge
        return edge
    try:
        return Edge(None, 0, _read_only(numeric(x)), False)
    except GraphError:  # a list of tensors that need a gradient: a stack of them
        otherwise()
        return Variable.result_type(x)._edge  # type: ignore[call-arg]


def numeric(x: Operand) -> Array:
    """A new array of what x stands for: an array, a number, nested lists of numbers."""
    try:
        array = np.array(unmasked(x))
        kind = f"an operand of type {type(x).__name__}"
    except ValueError:
        array, kind = np.array(None), "nested lists of unequal lengths"
    if array.dtype.kind not in "fiub":
        if array.dtype.kind == "c":
            raise complex_numbers(kind, array.dtype, x)
        raise DTypeError(
            f"{kind}: no array of numbers",
            expect="a tensor, a number, an array or nested lists of numbers",
            actual=f"{x!r:.60}",
            hint="convert it with mg.tensor(...) where you make it",
        )
    return array


def complex_numbers(call: str, dtype: np.dtype, data: Any) -> DTypeError:
    """The error for complex numbers, which tensors do not take."""
    return DTypeError(
        f"{call}: complex numbers, of which minigrad has no derivatives",
        expect="real numbers",
        actual=f"dtype {dtype}: {data!r:.60}",
        hint="two tensors, z.real and z.imag; NumPy's functions take arrays of them",
    )


def unmasked(x: Any) -> Any:
    """x itself; DTypeError for a masked array, whose mask a tensor cannot keep."""
    if isinstance(x, np.ma.MaskedArray):
        raise DTypeError(
            "a masked array: a tensor has no mask, and what is masked would count",
            expect="an array without a mask",
            actual=f"{np.ma.count_masked(x)} of {x.size} entries are masked",
            hint="x.filled(0.0) puts numbers there; losses take mask=",
        )
    return x


def _read_only(array: Array) -> Array:
    array.setflags(write=False)
    return array
