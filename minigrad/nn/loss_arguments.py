"""What the losses have in common: prediction, target and mask made ready, and the mean.

Read next: `logits.py`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad.engine.errors import ArgumentError, DTypeError, IndexingError, ShapeError
from minigrad.engine.primitives.elementwise import equal, maximum, where
from minigrad.engine.primitives.reduce import sum_over
from minigrad.engine.tensor import Tensor
from minigrad.engine.tracing import outside
from minigrad.nn.parameters import label


def floating(name: str, x: Any) -> Tensor:
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


def pair(
    name: str, prediction: Any, target: Any, mask: Any
) -> tuple[Tensor, Tensor, Tensor | None]:
    """Prediction, target in its shape and dtype, and mask; zeros where masked."""
    prediction = floating(name, prediction)
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
    keep = kept(mask, prediction.shape)
    return where(keep, prediction, 0.0), where(keep, target, 0.0), keep


def difference(
    name: str, prediction: Any, target: Any, mask: Any
) -> tuple[Tensor, Tensor | None]:
    """prediction - target, checked, and the mask."""
    prediction, target, keep = pair(name, prediction, target, mask)
    return prediction - target, keep


def kept(mask: Any, shape: tuple[int, ...]) -> Tensor:
    """The mask as booleans that broadcast to `shape`, aligned at the first axis."""
    keep = mask if isinstance(mask, Tensor) else Tensor(mask)
    if keep.dtype.kind != "b":
        outside(_check_mask, keep)
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


def _check_mask(values: np.ndarray) -> None:
    if not np.isin(values, (0, 1)).all():
        raise DTypeError(
            "mask= says yes or no for each entry",
            expect="booleans, or zeros and ones",
            actual=f"{values.dtype} {values.shape}",
            hint='for weights use reduction="none", multiply, and sum',
        )


def count(losses: Tensor, keep: Tensor | None) -> Any:
    """How many entries a mean is over, at least 1."""
    if keep is None:
        return float(max(1, losses.size))
    repeats = math.prod(
        m for n, m in zip(keep.shape, losses.shape, strict=True) if n != m
    )
    return maximum(sum_over(keep.astype(losses.dtype)) * float(repeats), 1.0)


def reduced(
    losses: Tensor,
    reduction: str,
    keep: Tensor | None,
    factors: Tensor | None = None,
) -> Tensor:
    """The losses summed up as asked; a mean with `factors` is divided by their sum."""
    if keep is not None:
        losses = where(keep, losses, 0.0)
    if reduction == "none":
        return losses
    total = sum_over(losses)
    if reduction == "sum":
        return total
    if factors is None:
        return total / count(losses, keep)
    whole = sum_over(factors if keep is None else where(keep, factors, 0.0))
    return total / where(equal(whole, 0.0), 1.0, whole)


# ------------------------------------------------------------- of classes


def check_probabilities(values: np.ndarray) -> None:
    """Raise ArgumentError for a target of binary cross-entropy outside [0, 1]."""
    wrong = ~((values >= 0) & (values <= 1))
    if wrong.any():
        at = tuple(map(int, np.argwhere(wrong)[0]))
        raise ArgumentError(
            "binary_cross_entropy(logits, target): a target is no probability",
            expect="0 <= target <= 1",
            actual=f"{values[at]} at {at}",
            hint="the order is (logits, target); labels -1, 1 become (label + 1) / 2",
        )


def class_numbers(logits: Tensor, target: Any) -> Tensor:
    """The targets as a tensor; raise unless there is one number per row of logits."""
    classes = target if isinstance(target, Tensor) else Tensor(target)
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
    # An empty list is of floating point to NumPy.
    return classes if classes.size else classes.astype("int64")


def which(mask: Any, ignore_index: int | None, classes: Tensor) -> Tensor | None:
    """The mask, without the entries whose class number is the one to ignore."""
    keep = None if mask is None else kept(mask, classes.shape)
    if ignore_index is None:
        return keep
    named = classes != ignore_index
    return named if keep is None else where(keep, named, False)


def check_classes(number: int, values: np.ndarray) -> None:
    """Raise IndexingError for a class outside 0..number-1."""
    wrong = (values < 0) | (values >= number)
    if wrong.any():
        at = tuple(map(int, np.argwhere(wrong)[0]))
        raise IndexingError(
            "cross_entropy(logits, target): no such class",
            expect=f"class numbers in 0..{number - 1}, as logits end in {number}",
            actual=f"{values[at]} at {at}",
            hint="leave entries out with mask=, or name the number: "
            f"ignore_index={values[at]}",
        )


def class_places(classes: Tensor, log_p: Tensor) -> Tensor:
    """Where the targets' entries are in the table of log-probabilities, in a row."""
    rows, number = classes.size, log_p.shape[-1]
    starts = np.arange(0, rows * number, max(number, 1))[:rows]
    return classes.reshape(rows) + starts


def class_weights(weight: Any, logits: Tensor) -> Tensor:
    """One factor per class, in the dtype of the logits."""
    factors = weight if isinstance(weight, Tensor) else Tensor(weight)
    if factors.shape != logits.shape[-1:]:
        raise ShapeError(
            "cross_entropy(weight=...): one factor per class",
            expect=f"weight of shape {logits.shape[-1:]}",
            actual=f"weight: {factors.shape}     logits: {label(logits)}",
            hint="the weights are the classes', not the entries': for those use "
            'reduction="none", multiply, and sum',
        )
    return factors if factors.dtype == logits.dtype else factors.astype(logits.dtype)


def entry_weights(call: str, name: str, weight: Any, logits: Tensor) -> Tensor:
    """Factors that broadcast to the losses, in the dtype of the logits."""
    factors = weight if isinstance(weight, Tensor) else Tensor(weight)
    fits = zip(factors.shape[::-1], logits.shape[::-1], strict=False)
    if factors.ndim > logits.ndim or any(n not in (1, m) for n, m in fits):
        raise ShapeError(
            f"{call}({name}=...) does not fit the losses",
            expect=f"a shape that broadcasts to {logits.shape}",
            actual=f"{name}: {factors.shape}     logits: {label(logits)}",
            hint="one number, or one per label on the last axis",
        )
    return factors if factors.dtype == logits.dtype else factors.astype(logits.dtype)


def check_smoothing(share: float) -> None:
    """Raise ArgumentError unless `label_smoothing` is a number in [0, 1]."""
    if not isinstance(share, float | int | np.number) or not 0 <= share <= 1:
        raise ArgumentError(
            f"cross_entropy(label_smoothing={share!r:.40}): not a share",
            expect="0 <= label_smoothing <= 1",
            actual=f"{share!r:.40}",
            hint="0.1 takes a tenth from the target and shares it among all classes",
        )
