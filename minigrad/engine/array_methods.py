"""What a tensor does as NumPy's arrays do it: operators and methods, a line each.

The work is done by `primitives/`, which records it. `Result` is the type of what comes
of an operation: a plain Tensor, also for a Parameter.

Read next: `graph.py` (what an operation leaves behind).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Generic, TypeVar

from minigrad.engine.aliases import Axes, Axis, Lengths, Operand
from minigrad.engine.calls import checked_methods
from minigrad.engine.foreign_arguments import refuse
from minigrad.engine.foreign_names import ForeignNames
from minigrad.engine.graph import Variable
from minigrad.engine.in_place import InPlace
from minigrad.engine.numpy_protocol import NumpyProtocol
from minigrad.engine.primitives import along_axis, index, joins, linalg, reduce, shape
from minigrad.engine.primitives import elementwise as e
from minigrad.engine.primitives.base import apply_binary
from minigrad.engine.primitives.bounds import clip

Result = TypeVar("Result", bound=Variable)


@checked_methods
class ArrayMethods(InPlace, NumpyProtocol, ForeignNames, Generic[Result]):
    """The operators and methods of a tensor that make another tensor."""

    __slots__ = ()
    __hash__ = object.__hash__  # == compares entries; identity is the key

    # --------------------------------------------------------- operators

    def __add__(self, other: Operand) -> Result:
        return apply_binary(e.add, self, other)

    def __radd__(self, other: Operand) -> Result:  # other + self
        return apply_binary(e.add, other, self)

    def __sub__(self, other: Operand) -> Result:
        return apply_binary(e.subtract, self, other)

    def __rsub__(self, other: Operand) -> Result:  # other - self
        return apply_binary(e.subtract, other, self)

    def __mul__(self, other: Operand) -> Result:
        return apply_binary(e.multiply, self, other)

    def __rmul__(self, other: Operand) -> Result:  # other * self
        return apply_binary(e.multiply, other, self)

    def __truediv__(self, other: Operand) -> Result:
        return apply_binary(e.divide, self, other)

    def __rtruediv__(self, other: Operand) -> Result:  # other / self
        return apply_binary(e.divide, other, self)

    def __pow__(self, other: Operand) -> Result:
        return apply_binary(e.power, self, other)

    def __rpow__(self, other: Operand) -> Result:  # other ** self
        return apply_binary(e.power, other, self)

    def __matmul__(self, other: Operand) -> Result:
        return apply_binary(linalg.matmul, self, other)

    def __rmatmul__(self, other: Operand) -> Result:  # other @ self
        return apply_binary(linalg.matmul, other, self)

    def __neg__(self) -> Result:
        return e.negative(self)

    def __pos__(self) -> Result:
        return self  # type: ignore[return-value]

    def __abs__(self) -> Result:
        return e.absolute(self)

    def __eq__(self, other: object) -> Result:  # type: ignore[override]
        return e.equal(self, other)

    def __ne__(self, other: object) -> Result:  # type: ignore[override]
        return e.not_equal(self, other)

    def __lt__(self, other: Operand) -> Result:
        return e.less(self, other)

    def __le__(self, other: Operand) -> Result:
        return e.less_equal(self, other)

    def __gt__(self, other: Operand) -> Result:
        return e.greater(self, other)

    def __ge__(self, other: Operand) -> Result:
        return e.greater_equal(self, other)

    def __getitem__(self, key: Any) -> Result:
        return index.getitem(self, key)

    # --------------------------------------------------------- NumPy's methods

    def sum(self, axis: Axis = None, keepdims: bool = False, **foreign: Any) -> Result:
        """The sum over the axes, all if None."""
        if foreign:
            refuse("Tensor.sum", foreign)
        return reduce.sum_over(self, axis, keepdims)

    def mean(self, axis: Axis = None, keepdims: bool = False, **foreign: Any) -> Result:
        """The mean over the axes, all if None."""
        if foreign:
            refuse("Tensor.mean", foreign)
        return reduce.mean_over(self, axis, keepdims)

    def max(self, axis: Axis = None, keepdims: bool = False, **foreign: Any) -> Result:
        """The largest entry over the axes, all if None; equals share the gradient."""
        if foreign:
            refuse("Tensor.max", foreign)
        return reduce.max_over(self, axis, keepdims)

    def min(self, axis: Axis = None, keepdims: bool = False, **foreign: Any) -> Result:
        """The smallest entry over the axes, all if None; equals share the gradient."""
        if foreign:
            refuse("Tensor.min", foreign)
        return reduce.min_over(self, axis, keepdims)

    def prod(self, axis: Axis = None, keepdims: bool = False, **foreign: Any) -> Result:
        """The product over the axes, all if None."""
        if foreign:
            refuse("Tensor.prod", foreign)
        return reduce.prod_over(self, axis, keepdims)

    def cumsum(self, axis: int | None = None, **foreign: Any) -> Result:
        """The running sums along an axis; of all entries in a row if None."""
        if foreign:
            refuse("Tensor.cumsum", foreign)
        return along_axis.cumsum(self, axis)

    def var(
        self, axis: Axis = None, ddof: float = 0, keepdims: bool = False, **foreign: Any
    ) -> Result:
        """The variance over the axes, all if None, divided by n - ddof."""
        if foreign:
            refuse("Tensor.var", foreign)
        return along_axis.var_over(self, axis, ddof, keepdims)

    def std(
        self, axis: Axis = None, ddof: float = 0, keepdims: bool = False, **foreign: Any
    ) -> Result:
        """The standard deviation over the axes: the root of `var`."""
        if foreign:
            refuse("Tensor.std", foreign)
        return along_axis.std_over(self, axis, ddof, keepdims)

    def argmax(
        self, axis: int | None = None, keepdims: bool = False, **foreign: Any
    ) -> Result:
        """Where it is largest, the first of equals: whole numbers, a constant."""
        if foreign:
            refuse("Tensor.argmax", foreign)
        return along_axis.argmax(self, axis, keepdims)

    def argmin(
        self, axis: int | None = None, keepdims: bool = False, **foreign: Any
    ) -> Result:
        """Where it is smallest, the first of equals: whole numbers, a constant."""
        if foreign:
            refuse("Tensor.argmin", foreign)
        return along_axis.argmin(self, axis, keepdims)

    def reshape(self, *new_shape: Any) -> Result:
        """The same entries in another shape; one length may be -1."""
        return shape.reshape(self, *new_shape)

    def transpose(self, *axes: Any) -> Result:
        """The axes permuted; reversed if none are given."""
        return shape.transpose(self, *axes)

    @property
    def T(self) -> Result:
        """The axes reversed: a matrix transposed."""
        return shape.transpose(self)

    def swapaxes(self, axis1: int, axis2: int) -> Result:
        """Two axes exchanged."""
        return shape.swapaxes(self, axis1, axis2)

    def squeeze(self, axis: Axis = None) -> Result:
        """Without its axes of length one, or without these of them."""
        return shape.squeeze(self, axis)

    def expand_dims(self, axis: Axes) -> Result:
        """With new axes of length one."""
        return shape.expand_dims(self, axis)

    def broadcast_to(self, new_shape: Lengths) -> Result:
        """Repeated to a shape by the rules of broadcasting."""
        return shape.broadcast_to(self, new_shape)

    def astype(self, dtype: Any) -> Result:
        """In another dtype; to integers or booleans: a constant."""
        return shape.astype(self, dtype)

    def split(self, sections: int | Sequence[int], axis: int = 0) -> tuple[Result, ...]:
        """So many equal parts along an axis, or cut at the given indices: views."""
        return joins.split(self, sections, axis)

    def exp(self) -> Result:
        """e^self, entry by entry."""
        return e.exp(self)

    def log(self) -> Result:
        """The natural logarithm."""
        return e.log(self)

    def log1p(self) -> Result:
        """ln(1 + self)."""
        return e.log1p(self)

    def expm1(self) -> Result:
        """e^self - 1."""
        return e.expm1(self)

    def sqrt(self) -> Result:
        """The square root."""
        return e.sqrt(self)

    def abs(self) -> Result:
        """The absolute value."""
        return e.absolute(self)

    def tanh(self) -> Result:
        """The hyperbolic tangent."""
        return e.tanh(self)

    def sigmoid(self) -> Result:
        """The logistic function 1 / (1 + e^-self)."""
        return e.sigmoid(self)

    def relu(self) -> Result:
        """self where positive, else 0."""
        return e.relu(self)

    def softplus(self) -> Result:
        """ln(1 + e^self)."""
        return e.softplus(self)

    def sin(self) -> Result:
        """The sine; radians."""
        return e.sin(self)

    def cos(self) -> Result:
        """The cosine; radians."""
        return e.cos(self)

    def maximum(self, other: Operand) -> Result:
        """The larger, entry by entry."""
        return e.maximum(self, other)

    def minimum(self, other: Operand) -> Result:
        """The smaller, entry by entry."""
        return e.minimum(self, other)

    def where(self, condition: Operand, other: Operand) -> Result:
        """Itself where the condition holds, `other` elsewhere: as PyTorch's method."""
        return e.where(condition, self, other)

    def clip(self, low: Operand = None, high: Operand = None) -> Result:
        """At least `low` and at most `high`; None: no bound on that side."""
        return clip(self, low, high)

    def power(self, exponent: Operand) -> Result:
        """self ** exponent."""
        return e.power(self, exponent)
