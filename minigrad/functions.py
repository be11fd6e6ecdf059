"""Functions composed of primitives; their derivatives arise.

All three shift by the largest entry first, so that exp never overflows. The shift is a
constant: it cancels, in the value and in every derivative.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.graph import Variable
from minigrad.primitives.elementwise import exp, log
from minigrad.primitives.reduce import sum_over
from minigrad.primitives.shape import squeeze


def _shift(x: Any, axis: int) -> np.ndarray:
    """The largest entry along the axis; 0 where that is infinite."""
    array = x._edge.array if isinstance(x, Variable) else np.asarray(x)
    largest = array.max(axis=axis, keepdims=True)
    return np.where(np.isfinite(largest), largest, array.dtype.type(0))


def softmax(x: Any, axis: int = -1) -> Any:
    """e^x_k / sum_j e^x_j along an axis: positive numbers that sum to 1."""
    powers = exp(x - _shift(x, axis))
    return powers / sum_over(powers, axis, True)


def logsumexp(x: Any, axis: int = -1, keepdims: bool = False) -> Any:
    """ln sum_j e^x_j along an axis; -inf if all entries are."""
    shift = _shift(x, axis)
    total = log(sum_over(exp(x - shift), axis, True)) + shift
    return total if keepdims else squeeze(total, axis)


def log_softmax(x: Any, axis: int = -1) -> Any:
    """ln softmax(x), without computing softmax: exact where softmax underflows."""
    shifted = x - _shift(x, axis)
    return shifted - log(sum_over(exp(shifted), axis, True))
