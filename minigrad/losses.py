"""Losses: how wrong a prediction is, in one number.

    mse  mae  rmse                             of real numbers
    binary_cross_entropy  cross_entropy        of classes, from logits

reduction  "mean" (default), "sum" or "none"
mask       boolean, of the loss's shape or broadcasting to it: True entries count. What
           is masked has no influence at all: its gradient is exactly zero, even if it
           is NaN. A masked mean is over the entries kept (0 if none is).

Cross-entropies are in nats, so gradients are nats per unit.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.errors import ArgumentError, DTypeError, ShapeError, one_of
from minigrad.functions import log_softmax
from minigrad.graph import Variable
from minigrad.primitives.base import describe
from minigrad.primitives.elementwise import absolute, softplus, sqrt, where
from minigrad.primitives.index import getitem
from minigrad.tensor import Tensor

REDUCTIONS = ("mean", "sum", "none")


def mse(
    prediction: Any, target: Any, reduction: str = "mean", mask: Any = None
) -> Tensor:
    """Mean squared error. prediction, target: (...) of one shape."""
    prediction, target = _pair("mse", prediction, target, mask)
    difference = prediction - target
    return _reduce(difference * difference, reduction, mask)


def mae(
    prediction: Any, target: Any, reduction: str = "mean", mask: Any = None
) -> Tensor:
    """Mean absolute error; its slope at 0 is 0."""
    prediction, target = _pair("mae", prediction, target, mask)
    return _reduce(absolute(prediction - target), reduction, mask)


def rmse(
    prediction: Any, target: Any, reduction: str = "mean", mask: Any = None
) -> Tensor:
    """Root of the mean squared error, in the units of the target; rmse'(0) = 0.

    With reduction "sum" the root of the sum; "none" gives absolute errors.
    """
    if reduction == "none":
        return mae(prediction, target, reduction, mask)
    squared = mse(prediction, target, reduction, mask)
    at_zero = squared.data == 0
    root = sqrt(where(at_zero, np.ones_like(squared.data), squared))
    return where(at_zero, np.zeros_like(squared.data), root)


def binary_cross_entropy(
    logits: Any, target: Any, reduction: str = "mean", mask: Any = None
) -> Tensor:
    """-t ln p - (1 - t) ln(1 - p) with p = sigmoid(logits), without computing p.

    logits  (...) real numbers;  target  (...) in [0, 1], of the same shape
    Written as softplus(z) - t z, which neither overflows nor cancels.
    """
    logits, target = _pair("binary_cross_entropy", logits, target, mask)
    return _reduce(softplus(logits) - target * logits, reduction, mask)


binary_cross_entropy_with_logits = binary_cross_entropy


def cross_entropy(
    logits: Any, target: Any, reduction: str = "mean", mask: Any = None
) -> Tensor:
    """-ln softmax(logits)[target]. logits: (..., C); target: (...) of class numbers.

    Raises DTypeError for targets that are not whole numbers, ShapeError for targets of
    another shape than (...), and ArgumentError for a class outside 0..C-1.
    """
    logits = _tensor(logits)
    classes = np.asarray(target)
    if classes.dtype.kind not in "iu":
        raise DTypeError(
            "cross_entropy(logits, target): targets are class numbers",
            expect="an integer dtype",
            actual=f"{classes.dtype} {classes.shape}",
            hint="for one-hot rows use target.argmax(-1)",
        )
    if logits.ndim < 1 or classes.shape != logits.shape[:-1]:
        raise ShapeError(
            "cross_entropy(logits, target): one class number per row of logits",
            expect="target.shape == logits.shape[:-1]",
            actual=f"{classes.shape}     logits: {describe(logits._edge)}",
            hint="logits have one more axis than the target, of length C, at the end",
        )
    keep = np.ones(classes.shape, bool) if mask is None else _mask(mask, classes.shape)
    count = logits.shape[-1]
    wrong = keep & ((classes < 0) | (classes >= count))
    if wrong.any():
        at = tuple(map(int, np.argwhere(wrong)[0]))
        raise ArgumentError(
            "cross_entropy(logits, target): no such class",
            expect=f"class numbers in 0..{count - 1}",
            actual=f"{classes[at]} at {at}",
            hint="leave entries out with mask=, not with a number of their own",
        )
    if mask is not None:
        logits = where(keep[..., None], logits, np.zeros((), logits.dtype))
        classes = np.where(keep, classes, 0)
    rows = log_softmax(logits).reshape(-1, count)
    picked = getitem(rows, (np.arange(classes.size), classes.reshape(-1)))
    return _reduce(-picked.reshape(classes.shape), reduction, mask)


# ------------------------------------------------------------- shared


def _tensor(x: Any) -> Tensor:
    return x if isinstance(x, Tensor) else Tensor(x)


def _mask(mask: Any, shape: tuple[int, ...]) -> np.ndarray:
    """The mask as booleans of a shape. Raises ShapeError or DTypeError."""
    keep = np.asarray(mask)
    if keep.dtype != bool:
        if not np.isin(keep, (0, 1)).all():
            raise DTypeError(
                "mask= says yes or no for each entry",
                expect="booleans, or zeros and ones",
                actual=f"{keep.dtype} {keep.shape}",
                hint="weights belong into the loss: multiply before reducing",
            )
        keep = keep.astype(bool)
    try:
        return np.broadcast_to(keep, shape)
    except ValueError:
        raise ShapeError(
            "mask= does not fit the loss",
            expect=f"a shape that broadcasts to {shape}",
            actual=f"{keep.shape}",
            hint="a mask of pad_sequences is (T, B): time first",
        ) from None


def _pair(
    name: str, prediction: Any, target: Any, mask: Any
) -> tuple[Tensor, Tensor | np.ndarray]:
    """Prediction and target of one shape and dtype, zeros where they are masked."""
    prediction = _tensor(prediction)
    if not isinstance(target, Variable):
        target = np.asarray(target)
    if target.shape != prediction.shape:
        raise ShapeError(
            f"{name}(prediction, target): shapes differ",
            expect="target.shape == prediction.shape",
            actual=f"{target.shape}     prediction: {describe(prediction._edge)}",
            hint="a broadcast here would compare the wrong pairs; use reshape",
        )
    if target.dtype != prediction.dtype:
        target = target.astype(prediction.dtype)
    if mask is not None:
        keep = _mask(mask, prediction.shape)
        zero = np.zeros((), prediction.dtype)
        prediction = where(keep, prediction, zero)
        target = where(keep, target, zero)
    return prediction, target


def _reduce(loss: Tensor, reduction: str, mask: Any) -> Tensor:
    one_of("reduction", reduction, REDUCTIONS)
    if mask is None:
        if reduction == "none":
            return loss
        return loss.mean() if reduction == "mean" else loss.sum()
    keep = _mask(mask, loss.shape)
    loss = where(keep, loss, np.zeros((), loss.dtype))
    if reduction == "none":
        return loss
    total = loss.sum()
    return total if reduction == "sum" else total / float(max(1, keep.sum()))
