"""Functions composed of primitives; their derivatives arise.

All three shift x by its largest entry first, so that exp never overflows. The shift
cancels, in the value and in every derivative, so no gradient flows through it.

Where all entries of a row are -inf there is nothing to choose from: logsumexp and
log_softmax are -inf there and softmax is 0 (where other libraries give NaN), and the
gradients of softmax and logsumexp are 0.

Read next: `errors.py`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.engine.aliases import Array, Axis, Operand, Shape, Value
from minigrad.engine.calls import checked_call
from minigrad.engine.errors import flag
from minigrad.engine.foreign_arguments import refuse
from minigrad.engine.primitives.base import primitive
from minigrad.engine.primitives.elementwise import equal, exp, log, where
from minigrad.engine.primitives.reduce import all_axes, sum_over
from minigrad.engine.primitives.shape import reshape
from minigrad.engine.tensor import Tensor


@primitive(name="shift")
def _shift(x: Array, *, axes: Any) -> Array:
    """y = the largest entry of x over the axes, 0 if infinite; has no derivative.

    Recorded like any operation, so that a replay with another x shifts anew.
    """
    real = x.real if x.dtype.kind == "c" else x
    largest = real.max(axis=axes, keepdims=True, initial=-np.inf)
    return np.where(np.isfinite(largest), largest, real.dtype.type(0))


def _shifted(x: Operand, axis: Axis, name: str) -> tuple[Tensor, Tensor, Shape]:
    """The shift, x less the shift, and the axes counted from the front."""
    x = x if isinstance(x, Tensor) else Tensor(x)
    if x.dtype.kind not in "fc":
        x = x.astype("float64")
    axes = all_axes(x, axis, name)
    shift = _shift(x, axes=axes)
    return shift, x - shift, axes


@checked_call
def softmax(x: Operand, axis: Axis = -1, **foreign: Any) -> Tensor:
    """e^x_k / sum_j e^x_j over an axis: numbers in [0, 1] that sum to 1."""
    refuse("softmax", foreign)
    _, below, axes = _shifted(x, axis, "softmax")
    powers = exp(below)
    return powers / _not_zero(sum_over(powers, axes, keepdims=True))


@checked_call
def log_softmax(x: Operand, axis: Axis = -1, **foreign: Any) -> Tensor:
    """ln softmax(x), without computing softmax: exact where softmax underflows."""
    refuse("log_softmax", foreign)
    _, below, axes = _shifted(x, axis, "log_softmax")
    return below - log(_not_zero(sum_over(exp(below), axes, keepdims=True)))


@checked_call
def logsumexp(
    x: Operand, axis: Axis = -1, keepdims: bool = False, **foreign: Any
) -> Tensor:
    """ln sum_j e^x_j over an axis, without overflow; -inf over no entries at all."""
    refuse("logsumexp", foreign)
    shift, below, axes = _shifted(x, axis, "logsumexp")
    total = sum_over(exp(below), axes, keepdims=True)
    y = where(equal(total, 0.0), -np.inf, log(_not_zero(total)) + shift)
    if flag("keepdims", keepdims):
        return y
    return reshape(y, [n for k, n in enumerate(y.shape) if k not in axes])


def _not_zero(total: Operand) -> Value:
    """1 for a sum of no power at all: its terms are zeros, and stay zeros divided."""
    return where(equal(total, 0.0), 1.0, total)
