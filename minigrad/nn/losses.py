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

Read next: `loss_arguments.py`.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from minigrad.engine.calls import checked_call
from minigrad.engine.errors import one_of
from minigrad.engine.functions import log_softmax
from minigrad.engine.primitives.elementwise import absolute, softplus, where
from minigrad.engine.primitives.index import getitem, take
from minigrad.engine.primitives.reduce import norm_over, sum_over
from minigrad.engine.tensor import Tensor
from minigrad.engine.tracing import outside
from minigrad.nn.logits import expect_logits
from minigrad.nn.loss_arguments import (
    check_classes,
    check_probabilities,
    check_smoothing,
    class_numbers,
    class_places,
    class_weights,
    count,
    difference,
    entry_weights,
    floating,
    pair,
    reduced,
    which,
)

REDUCTIONS = ("mean", "sum", "none")


@checked_call
def mse(
    prediction: Any, target: Any, reduction: str = "mean", mask: Any = None
) -> Tensor:
    """(prediction - target)^2, and its mean. prediction, target: (...) of one shape."""
    one_of("reduction", reduction, REDUCTIONS)
    error, keep = difference("mse", prediction, target, mask)
    return reduced(error * error, reduction, keep)


@checked_call
def mae(
    prediction: Any, target: Any, reduction: str = "mean", mask: Any = None
) -> Tensor:
    """|prediction - target|, and its mean; the slope at 0 is 0."""
    one_of("reduction", reduction, REDUCTIONS)
    error, keep = difference("mae", prediction, target, mask)
    return reduced(absolute(error), reduction, keep)


@checked_call
def rmse(
    prediction: Any, target: Any, reduction: str = "mean", mask: Any = None
) -> Tensor:
    """The root of `mse`, in the units of the target; rmse'(0) = 0.

    With reduction "sum" it is the root of the sum, with "none" that of each square. A
    norm divided by sqrt(n): no square overflows, and none vanishes in float32.
    """
    one_of("reduction", reduction, REDUCTIONS)
    error, keep = difference("rmse", prediction, target, mask)
    if reduction == "none":
        return absolute(error)
    length = norm_over(error)
    return length if reduction == "sum" else length / count(error, keep) ** 0.5


@checked_call
def binary_cross_entropy(
    logits: Any,
    target: Any,
    reduction: str = "mean",
    mask: Any = None,
    *,
    weight: Any = None,
    pos_weight: Any = None,
) -> Tensor:
    """-t ln p - (1 - t) ln(1 - p) with p = sigmoid(z), from the logits z.

    weight      factors on the losses, of a shape that broadcasts to theirs; the mean is
                still over the number of entries, as in PyTorch
    pos_weight  factors on the terms with t alone: one number, or one per label, (C,).
                Above 1 a rare label that is missed costs more

    Shapes:  logits z (...), target t (...), each t in [0, 1]
    Written as t softplus(-z) + (1 - t) softplus(z): no term overflows and none is
    negative, so that nothing cancels and small losses keep all their digits.
    PyTorch's `binary_cross_entropy` takes probabilities; this one is its
    `binary_cross_entropy_with_logits`, and that name works here too. It warns (once per
    line) where the logits are recognised as the result of a sigmoid or softmax.
    Errors:  ArgumentError for a target outside [0, 1], ShapeError if shapes differ.
    """
    call = "binary_cross_entropy"
    one_of("reduction", reduction, REDUCTIONS)
    expect_logits(call, logits)
    z, t, keep = pair(call, logits, target, mask)
    outside(check_probabilities, t)
    wrong_if_true = t * softplus(-z)
    if pos_weight is not None:
        wrong_if_true = entry_weights(call, "pos_weight", pos_weight, z) * wrong_if_true
    loss = wrong_if_true + (1.0 - t) * softplus(z)
    if weight is not None:
        loss = entry_weights(call, "weight", weight, z) * loss
    return reduced(loss, reduction, keep)


binary_cross_entropy_with_logits = binary_cross_entropy  # PyTorch's name for it


@checked_call
def cross_entropy(
    logits: Any,
    target: Any,
    reduction: str = "mean",
    mask: Any = None,
    *,
    weight: Any = None,
    ignore_index: int | None = None,
    label_smoothing: float = 0.0,
) -> Tensor:
    """-ln softmax(logits)[target], from the logits.

    weight           (C,): a factor for each class. The mean is then divided by the sum
                     of the targets' weights, as in PyTorch
    ignore_index     a number that stands for "no target": such entries are left out, as
                     by a mask. (PyTorch has -100 without being told; here any number
                     outside 0..C-1 that is not named is an error.)
    label_smoothing  e in [0, 1]: the target gets probability 1 - e, and e is shared by
                     all C classes (Szegedy et al. 2016, section 7)

    Shapes:  logits (..., C), the classes on the *last* axis (PyTorch: the second);
             target (...) of class numbers 0..C-1; mask (...)
    It warns (once per line) where the logits are recognised as the result of a softmax
    or sigmoid: probabilities, to which the loss would apply softmax once more.
    Errors:  DTypeError for targets that are not whole numbers, ShapeError for targets
             of another shape than (...), IndexingError for a class outside 0..C-1,
             ShapeError and ArgumentError for weights and smoothing that do not fit.
    """
    one_of("reduction", reduction, REDUCTIONS)
    check_smoothing(label_smoothing)
    expect_logits("cross_entropy", logits)
    logits = floating("cross_entropy", logits)
    classes = class_numbers(logits, target)
    keep = which(mask, ignore_index, classes)
    if keep is not None:
        logits = where(keep.expand_dims(-1), logits, 0.0)
        classes = where(keep, classes, 0)
    outside(partial(check_classes, logits.shape[-1]), classes)
    log_p = log_softmax(logits)
    picked = getitem(log_p.reshape(log_p.size), class_places(classes, log_p))
    loss = -picked.reshape(classes.shape)
    factors = None
    if weight is not None:
        weight = class_weights(weight, logits)
        factors = take(weight, classes)
        loss = factors * loss
    if label_smoothing:
        shared = log_p if weight is None else weight * log_p
        share = label_smoothing / logits.shape[-1]
        loss = (1.0 - label_smoothing) * loss - share * sum_over(shared, -1)
    return reduced(loss, reduction, keep, factors)


def __getattr__(name: str) -> Any:
    if name[:1] == "_":
        raise AttributeError(f"module 'minigrad.nn.losses' has no attribute {name!r}")
    from minigrad.engine.foreign_names import LOSSES, names_of, unknown

    raise unknown("minigrad.losses", "mg.losses", name, LOSSES, names_of(__name__))
