"""The tensor: an array, its place in the graph, and its gradient.

What it does as NumPy's arrays do it (operators, `sum`, `exp`, ...) is listed in
`array_methods.py`, computed by `primitives/`, recorded by `primitives/base.py` and
differentiated by `autodiff.py`.

For those who come from PyTorch: the default dtype is float64, as NumPy's; a graph stays
until the last tensor that refers to it is gone (`backward` does not free it); `.data`
is a read-only copy, and `p.data = p.data - lr * p.grad.data` is the way to update. So
is `p -= lr * p.grad` under `no_grad()`: see `in_place.py`.

Read next: `array_methods.py` (its operators and methods).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from weakref import ref

import numpy as np

from minigrad.engine import autodiff
from minigrad.engine.aliases import Array, Shape
from minigrad.engine.array_methods import ArrayMethods
from minigrad.engine.calls import checked_call, checked_methods
from minigrad.engine.errors import DTypeError, GraphError, ShapeError, flag
from minigrad.engine.foreign_arguments import refuse
from minigrad.engine.graph import Edge, Leaf, Node, Variable
from minigrad.engine.known_names import SetNames
from minigrad.engine.primitives.joins import unstack
from minigrad.engine.primitives.messages import describe
from minigrad.engine.read_only import values_of
from minigrad.engine.tensor_checks import (
    checked_name,
    expect_retained,
    joined,
    need_axes,
    need_floating,
    need_leaf,
    numbers,
    replacement,
)
from minigrad.engine.tracing import copied, leaving, otherwise, touch, values_within


@checked_methods
class Tensor(ArrayMethods["Tensor"], SetNames):
    """An n-dimensional array that remembers how it was made.

    data           array, number or nested lists; it is copied
    dtype          as in NumPy: float64 for Python floats
    requires_grad  gradients are wanted for it; floating dtypes only (DTypeError)
    name           for messages, drawings and tables
    """

    __slots__ = ()

    @checked_call
    def __init__(
        self,
        data: Any,
        dtype: Any = None,
        requires_grad: bool = False,
        name: str | None = None,
    ) -> None:
        self._grad = None
        name = checked_name(name)
        requires_grad = flag("requires_grad", requires_grad)
        try:
            array = numbers(data, dtype)
        except GraphError:  # tensors that need a gradient are among the data
            otherwise()
            self._edge = joined(data, dtype, requires_grad)._edge
            self.name = name
            return
        copied(data, array)
        if requires_grad:
            need_floating(
                array,
                f"{array.dtype} {array.shape}",
                hint="pass dtype='float64', or write 1.0 instead of 1",
            )
        array.setflags(write=False)
        self._edge = Edge(Leaf(self, name), 0, array, requires_grad)

    # --------------------------------------------------------- what it is

    @property
    def data(self) -> Array:
        """A copy of the values, read-only: (shape). Setting it rebinds a leaf."""
        return values_of(self._edge)

    @data.setter
    def data(self, value: Any) -> None:
        edge = self._edge
        need_leaf(
            edge,
            "only a leaf's data can be set; this tensor is computed",
            hint="compute a new tensor instead; .detach() makes a leaf of it",
        )
        touch(self)
        array = replacement(edge, value)
        array.setflags(write=False)
        self._edge = Edge(edge.source, 0, array, edge.requires_grad)

    @property
    def grad(self) -> Tensor | None:
        """dL/d(self), added up over all calls of `backward`; None before the first.

        Of a computed tensor it is kept only after `retain_grad()`.
        """
        touch(self, "read")
        if self._grad is None and type(self._edge.source) is Node:
            expect_retained(self._edge)
        return self._grad  # type: ignore[return-value]

    @grad.setter
    def grad(self, value: Any) -> None:
        if value is not None:
            if not isinstance(value, Tensor):
                value = Tensor(value, dtype=self.dtype)
            if value.shape != self.shape:
                raise ShapeError(
                    "grad = tensor: another shape than the tensor's",
                    expect=f"shape {self.shape}",
                    actual=f"{value.shape}",
                    hint="a gradient has one number per entry; None clears it",
                )
        touch(self, "set")
        self._grad = value

    @property
    def shape(self) -> Shape:
        """The lengths of its axes."""
        return self._edge.array.shape

    @property
    def dtype(self) -> np.dtype:
        """The dtype of its entries."""
        return self._edge.array.dtype

    @property
    def ndim(self) -> int:
        """The number of its axes."""
        return self._edge.array.ndim

    @property
    def size(self) -> int:
        """The number of its entries."""
        return self._edge.array.size

    @property
    def requires_grad(self) -> bool:
        """Does a gradient flow to it?"""
        return self._edge.requires_grad

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        edge, value = self._edge, flag("requires_grad", value)
        need_leaf(
            edge,
            "requires_grad can only be set on a leaf",
            hint=".detach() gives a leaf with the same values",
        )
        touch(self)
        if value:
            need_floating(edge.array, describe(edge), hint="use .astype('float64')")
        self._edge = Edge(edge.source, 0, edge.array, value)

    @property
    def node(self) -> Node | None:
        """The record of the operation that made it; None for a leaf or constant."""
        source = self._edge.source
        return source if isinstance(source, Node) else None

    @property
    def name(self) -> str | None:
        """Its name in messages, drawings and tables."""
        source = self._edge.source
        if isinstance(source, Leaf):
            return source.name
        if isinstance(source, Node):
            return (source.tags or {}).get("names", {}).get(self._edge.index)
        return None

    @name.setter
    def name(self, value: str | None) -> None:
        source = self._edge.source
        value = checked_name(value)
        if isinstance(source, Leaf):
            source.name = value
        elif isinstance(source, Node):
            source.tag("names", self._edge.index, value)

    # --------------------------------------------------------- leaving the graph

    def numpy(self) -> Array:
        """A copy of the values, read-only (use .copy() to write)."""
        return values_of(self._edge)

    def detach(self) -> Tensor:
        """A leaf with the same values, cut off from the graph: no gradient flows."""
        cut = Tensor.of(Edge(None, 0, self._edge.array, False))
        cut._edge.source = Leaf(cut, self.name)
        return cut

    def __index__(self) -> int:
        if self.dtype.kind not in "iu" or self.size != 1:
            raise DTypeError(
                "only a tensor with one whole number can be used as one",
                expect="an integer dtype and one entry",
                actual=describe(self._edge),
                hint="int(x) cuts off what is behind the point",
            )
        return int(self.item())

    def __bool__(self) -> bool:
        if self.size != 1:
            raise ShapeError(
                "the truth of a tensor with several entries is not defined",
                expect="one entry",
                actual=describe(self._edge),
                hint="compare .data with np.all or np.any",
            )
        return bool(self.item())

    def __len__(self) -> int:
        need_axes(self._edge, "len() of")
        return self.shape[0]

    def __iter__(self) -> Iterator[Tensor]:
        need_axes(self._edge, "iteration over")
        return iter(unstack(self))

    def __contains__(self, value: Any) -> bool:
        leaving(self, "value in x")
        return (value.data if isinstance(value, Tensor) else value) in self._edge.array

    def __repr__(self) -> str:
        values = np.array2string(
            self._edge.array, separator=", ", prefix="tensor(", threshold=60
        )
        if values_within(self._edge) is not None:
            values = "<traced>"  # the numbers of this call are not those of others
        notes = [values, f"shape={self.shape}", f"dtype={self.dtype}"]
        if self.name is not None:
            notes.append(f"name={self.name!r}")
        if self.node is not None:
            notes.append(f"from {self.node.primitive.name}")
        elif self.requires_grad:
            notes.append("requires_grad=True")
        return f"tensor({', '.join(notes)})"

    def __format__(self, spec: str) -> str:
        """f"{loss:.4f}" for a tensor without axes: its number, as in PyTorch."""
        if self.ndim == 0:
            return format(self.item(), spec)
        if not spec:
            return str(self)
        raise DTypeError(
            f"{{x:{spec}}}: only a tensor without axes is written as a number",
            expect="shape ()",
            actual=describe(self._edge),
            hint="x.item() for one entry, x.mean(), or np.array2string(x.data)",
        )

    def __round__(self, digits: int | None = None) -> Any:
        """round(loss, 3): the number, rounded, for showing. No gradient follows it."""
        return round(self.item(), digits)

    def __copy__(self) -> Tensor:
        try:
            np.asarray(self)  # what a plot or table copies must not need a gradient
        except GraphError:
            raise GraphError(
                "a copy of a tensor that needs a gradient would be cut from the graph",
                expect="the tensor itself: nothing changes it",
                actual=describe(self._edge),
                hint="x.detach() makes another tensor, x.numpy() an array of its own",
            ) from None
        return self.detach()

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise DTypeError(
            "a tensor is neither pickled nor deep-copied",
            expect="safetensors, or arrays",
            actual=describe(self._edge),
            hint="mg.save writes modules and dicts; x.detach() makes another tensor",
        )

    # --------------------------------------------------------- derivatives

    def backward(
        self, grad: Any = None, create_graph: bool = False, **foreign: Any
    ) -> None:
        """Add d(self)/d(leaf) into `.grad` of every leaf: see `autodiff.backward`."""
        refuse("Tensor.backward", foreign)
        autodiff.backward(self, grad, create_graph)

    def retain_grad(self) -> Tensor:
        """Have `backward` fill `.grad` of this computed tensor too. Returns self."""
        if isinstance(self._edge.source, Node):
            self._edge.source.tag("retained", self._edge.index, ref(self))
        return self


Variable.result_type = Tensor


@checked_call
def tensor(
    data: Any,
    dtype: Any = None,
    requires_grad: bool = False,
    name: str | None = None,
) -> Tensor:
    """Make a tensor: see `Tensor`. The data are copied; dtype rules are NumPy's.

    Of tensors that need a gradient, one or nested lists of them, it keeps the history:
    then it is no leaf but computed from them.
    """
    return Tensor(data, dtype, requires_grad, name)
