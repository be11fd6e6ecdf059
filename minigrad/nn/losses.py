"""Losses: how wrong a prediction is, in one number.

    mse  mae  rmse                             of real numbers
    binary_cross_entropy  cross_entropy        of classes, from logits, no probabilities

reduction  "mean" (default), "sum" or "none". The mean over no entries is 0.
mask       True for the entries that count: booleans, or zeros and ones. Its shape is
           the loss's, or that of its first axes: (T, B) goes with a loss (T, B, D).
           What is masked has no influence at all: its gradient is exactly zero, even
           where the prediction is NaN. A masked mean is over the entries kept.

The result has the dtype of the prediction, whatever the target's. Shapes of prediction
and target must be equal: nothing is broadcast. Cross-entropies are in nats.

All is computed by recorded operations, targets and masks included: give them as tensors
and a reader of the graph can put others in their place.

Read next: `clip.py`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad.engine.errors import (
    ArgumentError,
    DTypeError,
    IndexingError,
    ShapeError,
    one_of,
)
from minigrad.engine.functions import log_softmax
from minigrad.engine.primitives.elementwise import absolute, maximum, softplus, where
from minigrad.engine.primitives.index import getitem
from minigrad.engine.primitives.reduce import norm_over, sum_over
from minigrad.engine.tensor import Tensor
from minigrad.nn.parameters import label

REDUCTIONS = ("mean", "sum", "none")


def mse(
    prediction: Any, target: Any, reduction: str = "mean", mask: Any = None
) -> Tensor:
    """(prediction - target)^2, and its mean. prediction, target: (...) of one shape."""
    one_of("reduction", reduction, REDUCTIONS)
    error, keep = _error("mse", prediction, target, mask)
    return _reduce(error * error, reduction, keep)


def mae(
    prediction: Any, target: Any, reduction: str = "mean", mask: Any = None
) -> Tensor:
    """|prediction - target|, and its mean; the slope at 0 is 0."""
    one_of("reduction", reduction, REDUCTIONS)
    error, keep = _error("mae", prediction, target, mask)
    return _reduce(absolute(error), reduction, keep)


def rmse(
    prediction: Any, target: Any, reduction: str = "mean", mask: Any = None
) -> Tensor:
    """The root of `mse`, in the units of the target; rmse'(0) = 0.

    With reduction "sum" it is the root of the sum, with "none" that of each square. A
    norm divided by sqrt(n): no square overflows, and none vanishes in float32.
    """
    one_of("reduction", reduction, REDUCTIONS)
    error, keep = _error("rmse", prediction, target, mask)
    if reduction == "none":
        return absolute(error)
    length = norm_over(error)
    return length if reduction == "sum" else length / _count(error, keep) ** 0.5


def binary_cross_entropy(
    logits: Any, target: Any, reduction: str = "mean", mask: Any = None
) -> Tensor:
    """-t ln p - (1 - t) ln(1 - p) with p = sigmoid(z), from the logits z.

    Shapes:  logits z (...), target t (...), each t in [0, 1]
    Written as t softplus(-z) + (1 - t) softplus(z): no term overflows and none is
    negative, so that nothing cancels and small losses keep all their digits.
    Errors:  ArgumentError for a target outside [0, 1], ShapeError if shapes differ.
    """
    one_of("reduction", reduction, REDUCTIONS)
    z, t, keep = _pair("binary_cross_entropy", logits, target, mask)
    values = t.numpy()
    wrong = ~((values >= 0) & (values <= 1))
    if wrong.any():
        at = tuple(map(int, np.argwhere(wrong)[0]))
        raise ArgumentError(
            "binary_cross_entropy(logits, target): a target is no probability",
            expect="0 <= target <= 1",
            actual=f"{values[at]} at {at}",
            hint="the order is (logits, target); labels -1, 1 become (label + 1) / 2",
        )
    return _reduce(t * softplus(-z) + (1.0 - t) * softplus(z), reduction, keep)


binary_cross_entropy_with_logits = binary_cross_entropy  # PyTorch's name for it


def cross_entropy(
    logits: Any, target: Any, reduction: str = "mean", mask: Any = None
) -> Tensor:
    """-ln softmax(logits)[target], from the logits.

    Shapes:  logits (..., C), the classes on the *last* axis (PyTorch: the second);
             target (...) of class numbers 0..C-1; mask (...)
    Errors:  DTypeError for targets that are not whole numbers, ShapeError for targets
             of another shape than (...), IndexingError for a class outside 0..C-1.
    """
    one_of("reduction", reduction, REDUCTIONS)
    logits = _floating("cross_entropy", logits)
    classes = target if isinstance(target, Tensor) else Tensor(target)
    _check_classes(logits, classes)
    if classes.size == 0:  # an empty list is of floating point to NumPy
        classes = classes.astype("int64")
    keep = None
    if mask is not None:
        keep = _mask(mask, classes.shape)
        logits = where(keep.expand_dims(-1), logits, 0.0)
        classes = where(keep, classes, 0)
    values, count = classes.numpy(), logits.shape[-1]
    wrong = (values < 0) | (values >= count)
    if wrong.any():
        at = tuple(map(int, np.argwhere(wrong)[0]))
        raise IndexingError(
            "cross_entropy(logits, target): no such class",
            expect=f"class numbers in 0..{count - 1}, as logits end in {count}",
            actual=f"{values[at]} at {at}",
            hint="leave entries out with mask=, not with a number of their own",
        )
    # Where in the flattened table of log-probabilities the targets' are.
    starts = np.arange(0, values.size * count, max(count, 1))[: values.size]
    places = classes.reshape(values.size) + starts
    picked = getitem(log_softmax(logits).reshape(values.size * count), places)
    return _reduce(-picked.reshape(values.shape), reduction, keep)


def _check_classes(logits: Tensor, classes: Tensor) -> None:
    """Raise unless there is one class number per row of logits."""
    if classes.shape != logits.shape[:-1] or logits.ndim == 0:
        raise ShapeError(
            "cross_entropy(logits, target): one class number per row of logits",
            expect=f"target of shape {logits.shape[:-1]}"
            if logits.ndim
            else "logits (..., C): one number per class, on the last axis",
            actual=f"target: {classes.shape}     logits: {label(logits)}",
            hint="for one-hot rows use target.argmax(-1)"
            if classes.shape == logits.shape
            else "the classes are on the last axis of the logits: swapaxes(1, -1) "
            "where they are on the second, as in PyTorch",
        )
    if classes.dtype.kind not in "iu" and classes.size:
        raise DTypeError(
            "cross_entropy(logits, target): targets are class numbers",
            expect="an integer dtype",
            actual=f"{classes.dtype} {classes.shape}",
            hint="use .astype('int64') if these are whole numbers; for a probability "
            "per label use binary_cross_entropy",
        )


# ------------------------------------------------------------- what they share


def _floating(name: str, x: Any) -> Tensor:
    """The prediction as a tensor; DTypeError unless it is of floating point."""
    x = x if isinstance(x, Tensor) else Tensor(x)
    if x.dtype.kind not in "fc":
        raise DTypeError(
            f"{name}(prediction, target): the prediction is not of floating point",
            expect="a floating dtype",
            actual=label(x),
            hint="the order is (prediction, target); .astype('float64') converts",
        )
    return x


def _pair(
    name: str, prediction: Any, target: Any, mask: Any
) -> tuple[Tensor, Tensor, Tensor | None]:
    """Prediction, target in its shape and dtype, and mask; zeros where masked."""
    prediction = _floating(name, prediction)
    target = target if isinstance(target, Tensor) else Tensor(target)
    if target.shape != prediction.shape:
        raise ShapeError(
            f"{name}(prediction, target): shapes differ",
            expect="target.shape == prediction.shape",
            actual=f"target: {target.shape}     prediction: {label(prediction)}",
            hint="broadcasting would compare the wrong pairs: use reshape or squeeze",
        )
    if target.dtype != prediction.dtype:
        target = target.astype(prediction.dtype)
    if mask is None:
        return prediction, target, None
    keep = _mask(mask, prediction.shape)
    return where(keep, prediction, 0.0), where(keep, target, 0.0), keep


def _error(
    name: str, prediction: Any, target: Any, mask: Any
) -> tuple[Tensor, Tensor | None]:
    prediction, target, keep = _pair(name, prediction, target, mask)
    return prediction - target, keep


def _mask(mask: Any, shape: tuple[int, ...]) -> Tensor:
    """The mask as booleans that broadcast to `shape`, aligned at the first axis."""
    keep = mask if isinstance(mask, Tensor) else Tensor(mask)
    if keep.dtype.kind != "b":
        if not np.isin(keep.numpy(), (0, 1)).all():
            raise DTypeError(
                "mask= says yes or no for each entry",
                expect="booleans, or zeros and ones",
                actual=f"{keep.dtype} {keep.shape}",
                hint='for weights use reduction="none", multiply, and sum',
            )
        keep = keep != 0
    fits = zip(keep.shape, shape, strict=False)
    if keep.ndim > len(shape) or any(n not in (1, m) for n, m in fits):
        raise ShapeError(
            "mask= does not fit the loss",
            expect=f"a shape that {shape} begins with (a length may be 1)",
            actual=f"mask: {keep.shape}",
            hint="is it (B, T) beside time-first (T, B)? use mask.T",
        )
    return keep.reshape(keep.shape + (1,) * (len(shape) - keep.ndim))


def _count(losses: Tensor, keep: Tensor | None) -> Any:
    """How many entries a mean is over, at least 1."""
    if keep is None:
        return float(max(1, losses.size))
    repeats = math.prod(
        m for n, m in zip(keep.shape, losses.shape, strict=True) if n != m
    )
    return maximum(sum_over(keep.astype(losses.dtype)) * float(repeats), 1.0)


def _reduce(losses: Tensor, reduction: str, keep: Tensor | None) -> Tensor:
    if keep is not None:
        losses = where(keep, losses, 0.0)
    if reduction == "none":
        return losses
    total = sum_over(losses)
    return total if reduction == "sum" else total / _count(losses, keep)
