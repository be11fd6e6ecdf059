"""The tensor: an array, its place in the graph, and NumPy's manners.

Operators and methods are one line each: the work is done by `primitives/`, recorded by
`primitives/base.py` and differentiated by `autodiff.py`.

For those who come from PyTorch: the default dtype is float64, as NumPy's; a graph stays
until the last tensor that refers to it is gone (`backward` does not free it); `.data`
is a read-only array, and `p.data = p.data - lr * p.grad.data` is the way to update.

Read next: `graph.py` (what an operation leaves behind).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from weakref import ref

import numpy as np

from minigrad.engine import autodiff
from minigrad.engine.errors import DTypeError, GraphError, ShapeError
from minigrad.engine.graph import Edge, Leaf, Node, Variable
from minigrad.engine.primitives import elementwise as e
from minigrad.engine.primitives import index, linalg, reduce, shape
from minigrad.engine.primitives.base import apply_binary
from minigrad.engine.primitives.messages import describe

Axis = int | Sequence[int] | None


class Tensor(Variable):
    """An n-dimensional array that remembers how it was made.

    data           array, number or nested lists; it is copied
    dtype          as in NumPy: float64 for Python floats
    requires_grad  gradients are wanted for it; floating dtypes only (DTypeError)
    name           for messages, drawings and tables
    """

    __slots__ = ()
    __array_ufunc__ = None  # so that ndarray + Tensor is a Tensor
    __hash__ = object.__hash__  # == compares entries; identity is the key

    def __init__(
        self,
        data: Any,
        dtype: Any = None,
        requires_grad: bool = False,
        name: str | None = None,
    ) -> None:
        if isinstance(data, Variable):
            data = data._edge.array
        try:
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
        if array.dtype.kind not in "fciub":
            raise DTypeError(
                "tensor(data): the data are not numbers",
                expect="floating-point, integer or boolean data",
                actual=f"dtype {array.dtype}: {data!r:.60}",
                hint="encode words as numbers first: minigrad.data.Vocabulary",
            )
        if requires_grad and array.dtype.kind not in "fc":
            raise DTypeError(
                f"a tensor of dtype {array.dtype} cannot have a gradient",
                expect="a floating dtype for requires_grad=True",
                actual=f"{array.dtype} {array.shape}",
                hint="pass dtype='float64', or write 1.0 instead of 1",
            )
        array.setflags(write=False)
        self._grad = None
        self._edge = Edge(Leaf(self, name), 0, array, bool(requires_grad))

    # --------------------------------------------------------- what it is

    @property
    def data(self) -> np.ndarray:
        """The values, read-only: (shape). Setting it rebinds a leaf to a copy."""
        return self._edge.array.view()

    @data.setter
    def data(self, value: Any) -> None:
        edge = self._edge
        if not isinstance(edge.source, Leaf):
            raise GraphError(
                "only a leaf's data can be set; this tensor is computed",
                expect="a tensor made by mg.tensor(...), or a parameter",
                actual=describe(edge),
                hint="compute a new tensor instead; .detach() makes a leaf of it",
            )
        array = np.array(value._edge.array if isinstance(value, Variable) else value)
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
        array.setflags(write=False)
        self._edge = Edge(edge.source, 0, array, edge.requires_grad)

    @property
    def grad(self) -> Tensor | None:
        """dL/d(self), added up over all calls of `backward`; None before the first."""
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
        self._grad = value

    @property
    def shape(self) -> tuple[int, ...]:
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
        edge = self._edge
        if not isinstance(edge.source, Leaf):
            raise GraphError(
                "requires_grad can only be set on a leaf",
                expect="a tensor made by mg.tensor(...), or a parameter",
                actual=describe(edge),
                hint=".detach() gives a leaf with the same values",
            )
        if value and edge.array.dtype.kind not in "fc":
            raise DTypeError(
                f"a tensor of dtype {edge.array.dtype} cannot have a gradient",
                expect="a floating dtype for requires_grad=True",
                actual=describe(edge),
                hint="use .astype('float64')",
            )
        self._edge = Edge(edge.source, 0, edge.array, bool(value))

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
        if isinstance(source, Leaf):
            source.name = value
        elif isinstance(source, Node):
            source.tag("names", self._edge.index, value)

    # --------------------------------------------------------- leaving the graph

    def numpy(self) -> np.ndarray:
        """The values, read-only (use .copy() to write)."""
        return self._edge.array.view()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        if copy:
            return np.array(self._edge.array, dtype=dtype)
        return np.asarray(self._edge.array.view(), dtype=dtype)

    def item(self) -> Any:
        """The one entry as a Python number. ShapeError if there are more."""
        if self.size != 1:
            raise ShapeError(
                "item(): more or fewer than one entry",
                expect="size 1",
                actual=describe(self._edge),
                hint="index one entry, or reduce with .sum() or .mean()",
            )
        return self._edge.array.item()

    def detach(self) -> Tensor:
        """A leaf with the same values, cut off from the graph: no gradient flows."""
        cut = Tensor.of(Edge(None, 0, self._edge.array, False))
        cut._edge.source = Leaf(cut, self.name)
        return cut

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __index__(self) -> int:
        if self.dtype.kind not in "iu" or self.size != 1:
            raise TypeError("only a tensor with one integer can be used as an index")
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
        if not self.shape:
            raise DTypeError(
                "len() of a tensor without axes",
                expect="one axis or more",
                actual="shape ()",
                hint="x.item() gives the number",
            )
        return self.shape[0]

    def __iter__(self) -> Iterator[Tensor]:
        if not self.shape:
            raise DTypeError(
                "iteration over a tensor without axes",
                expect="one axis or more",
                actual="shape ()",
                hint="x.item() gives the number",
            )
        return iter(shape.unstack(self))

    def __contains__(self, value: Any) -> bool:
        return value in self._edge.array

    def __repr__(self) -> str:
        values = np.array2string(
            self._edge.array, separator=", ", prefix="tensor(", threshold=60
        )
        notes = [values, f"shape={self.shape}", f"dtype={self.dtype}"]
        if self.name is not None:
            notes.append(f"name={self.name!r}")
        if self.node is not None:
            notes.append(f"from {self.node.primitive.name}")
        elif self.requires_grad:
            notes.append("requires_grad=True")
        return f"tensor({', '.join(notes)})"

    def __setitem__(self, key: Any, value: Any) -> None:
        raise DTypeError(
            "x[...] = value: tensors are not written to",
            expect="a new tensor",
            actual=describe(self._edge),
            hint="use mg.where(mask, value, x), or build it with stack/concatenate",
        )

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise DTypeError(
            "a tensor is neither pickled nor deep-copied",
            expect="safetensors, or arrays",
            actual=describe(self._edge),
            hint="mg.save writes modules and dicts; mg.tensor(x) copies one",
        )

    # --------------------------------------------------------- derivatives

    def backward(self, grad: Any = None, create_graph: bool = False) -> None:
        """Add d(self)/d(leaf) into `.grad` of every leaf: see `autodiff.backward`."""
        autodiff.backward(self, grad, create_graph)

    def retain_grad(self) -> Tensor:
        """Have `backward` fill `.grad` of this computed tensor too. Returns self."""
        if isinstance(self._edge.source, Node):
            self._edge.source.tag("retained", self._edge.index, ref(self))
        return self

    # --------------------------------------------------------- operators

    def __add__(self, other: Any) -> Tensor:
        return apply_binary(e.add, self, other)

    def __radd__(self, other: Any) -> Tensor:  # other + self
        return apply_binary(e.add, other, self)

    def __sub__(self, other: Any) -> Tensor:
        return apply_binary(e.subtract, self, other)

    def __rsub__(self, other: Any) -> Tensor:  # other - self
        return apply_binary(e.subtract, other, self)

    def __mul__(self, other: Any) -> Tensor:
        return apply_binary(e.multiply, self, other)

    def __rmul__(self, other: Any) -> Tensor:  # other * self
        return apply_binary(e.multiply, other, self)

    def __truediv__(self, other: Any) -> Tensor:
        return apply_binary(e.divide, self, other)

    def __rtruediv__(self, other: Any) -> Tensor:  # other / self
        return apply_binary(e.divide, other, self)

    def __pow__(self, other: Any) -> Tensor:
        return apply_binary(e.power, self, other)

    def __rpow__(self, other: Any) -> Tensor:  # other ** self
        return apply_binary(e.power, other, self)

    def __matmul__(self, other: Any) -> Tensor:
        return apply_binary(linalg.matmul, self, other)

    def __rmatmul__(self, other: Any) -> Tensor:  # other @ self
        return apply_binary(linalg.matmul, other, self)

    def __neg__(self) -> Tensor:
        return e.negative(self)

    def __abs__(self) -> Tensor:
        return e.absolute(self)

    def __eq__(self, other: object) -> Tensor:  # type: ignore[override]
        return e.equal(self, other)

    def __ne__(self, other: object) -> Tensor:  # type: ignore[override]
        return e.not_equal(self, other)

    def __lt__(self, other: Any) -> Tensor:
        return e.less(self, other)

    def __le__(self, other: Any) -> Tensor:
        return e.less_equal(self, other)

    def __gt__(self, other: Any) -> Tensor:
        return e.greater(self, other)

    def __ge__(self, other: Any) -> Tensor:
        return e.greater_equal(self, other)

    def __getitem__(self, key: Any) -> Tensor:
        return index.getitem(self, key)

    # --------------------------------------------------------- NumPy's methods

    def sum(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """The sum over the axes, all if None."""
        return reduce.sum_over(self, axis, keepdims)

    def mean(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """The mean over the axes, all if None."""
        return reduce.mean_over(self, axis, keepdims)

    def max(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """The largest entry over the axes, all if None; equals share the gradient."""
        return reduce.max_over(self, axis, keepdims)

    def min(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """The smallest entry over the axes, all if None; equals share the gradient."""
        return reduce.min_over(self, axis, keepdims)

    def prod(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """The product over the axes, all if None."""
        return reduce.prod_over(self, axis, keepdims)

    def reshape(self, *new_shape: Any) -> Tensor:
        """The same entries in another shape; one length may be -1."""
        return shape.reshape(self, *new_shape)

    def transpose(self, *axes: Any) -> Tensor:
        """The axes permuted; reversed if none are given."""
        return shape.transpose(self, *axes)

    @property
    def T(self) -> Tensor:
        """The axes reversed: a matrix transposed."""
        return shape.transpose(self)

    def swapaxes(self, axis1: int, axis2: int) -> Tensor:
        """Two axes exchanged."""
        return shape.swapaxes(self, axis1, axis2)

    def squeeze(self, axis: Axis = None) -> Tensor:
        """Without its axes of length one, or without these of them."""
        return shape.squeeze(self, axis)

    def expand_dims(self, axis: int | Sequence[int]) -> Tensor:
        """With new axes of length one."""
        return shape.expand_dims(self, axis)

    def broadcast_to(self, new_shape: Sequence[int]) -> Tensor:
        """Repeated to a shape by the rules of broadcasting."""
        return shape.broadcast_to(self, new_shape)

    def astype(self, dtype: Any) -> Tensor:
        """In another dtype; to integers or booleans: a constant."""
        return shape.astype(self, dtype)

    def split(self, sections: int | Sequence[int], axis: int = 0) -> tuple[Tensor, ...]:
        """So many equal parts along an axis, or cut at the given indices: views."""
        return shape.split(self, sections, axis)

    def exp(self) -> Tensor:
        """e^self, entry by entry."""
        return e.exp(self)

    def log(self) -> Tensor:
        """The natural logarithm."""
        return e.log(self)

    def log1p(self) -> Tensor:
        """ln(1 + self)."""
        return e.log1p(self)

    def expm1(self) -> Tensor:
        """e^self - 1."""
        return e.expm1(self)

    def sqrt(self) -> Tensor:
        """The square root."""
        return e.sqrt(self)

    def abs(self) -> Tensor:
        """The absolute value."""
        return e.absolute(self)

    def tanh(self) -> Tensor:
        """The hyperbolic tangent."""
        return e.tanh(self)

    def sigmoid(self) -> Tensor:
        """The logistic function 1 / (1 + e^-self)."""
        return e.sigmoid(self)

    def relu(self) -> Tensor:
        """self where positive, else 0."""
        return e.relu(self)

    def softplus(self) -> Tensor:
        """ln(1 + e^self)."""
        return e.softplus(self)

    def sin(self) -> Tensor:
        """The sine; radians."""
        return e.sin(self)

    def cos(self) -> Tensor:
        """The cosine; radians."""
        return e.cos(self)

    def maximum(self, other: Any) -> Tensor:
        """The larger, entry by entry."""
        return e.maximum(self, other)

    def minimum(self, other: Any) -> Tensor:
        """The smaller, entry by entry."""
        return e.minimum(self, other)

    def clip(self, low: Any = None, high: Any = None) -> Tensor:
        """At least `low` and at most `high`; None: no bound on that side."""
        return clip(self, low, high)

    def power(self, exponent: Any) -> Tensor:
        """self ** exponent."""
        return e.power(self, exponent)


Variable.result_type = Tensor


def tensor(
    data: Any,
    dtype: Any = None,
    requires_grad: bool = False,
    name: str | None = None,
) -> Tensor:
    """Make a tensor: see `Tensor`. The data are copied; dtype rules are NumPy's."""
    return Tensor(data, dtype, requires_grad, name)


def clip(x: Any, low: Any = None, high: Any = None) -> Any:
    """x, but at least `low` and at most `high`; None: no bound on that side."""
    low = -np.inf if low is None else low
    high = np.inf if high is None else high
    return e.clip(x, low, high)
