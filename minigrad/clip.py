"""Clipping: the remedy for exploding gradients (Pascanu, Mikolov & Bengio 2013)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from minigrad.errors import ArgumentError, NonFiniteError
from minigrad.tensor import Tensor


def clip_grad_norm_(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = True,
) -> float:
    """Scale all gradients by one factor so that their common norm is at most
    `max_norm`.

    The direction of the step stays. Returns the norm before clipping; parameters
    without a gradient do not count.
    Raises NonFiniteError, naming the parameter, if a gradient holds a NaN or infinity
    (PyTorch's default lets that pass; here it is off with error_if_nonfinite=False, and
    then gradients of a norm that is not finite are left as they are).
    Source: Pascanu et al. 2013, "On the difficulty of training recurrent neural
    networks", algorithm 1.
    """
    if not (max_norm >= 0 and norm_type > 0):
        raise ArgumentError(
            "clip_grad_norm_: a norm is not negative",
            expect="max_norm >= 0 and norm_type > 0",
            actual=f"max_norm={max_norm}, norm_type={norm_type}",
            hint="max_norm=1.0 is a common choice",
        )
    owners = _with_gradient(parameters)
    if error_if_nonfinite:
        _check(owners)
    # Summed in float64: squares of large float32 gradients would overflow.
    norms = [_norm(p.grad._edge.array, norm_type) for p in owners]  # type: ignore
    total = _norm(np.array(norms), norm_type)
    if total > max_norm and np.isfinite(total):
        factor = max_norm / (total + 1e-6)
        for p in owners:
            array = p.grad._edge.array  # type: ignore[union-attr]
            p.grad = Tensor(array * array.dtype.type(factor))
    return total


def clip_grad_value_(parameters: Tensor | Iterable[Tensor], clip_value: float) -> None:
    """Bring every entry of every gradient into [-clip_value, clip_value].

    Unlike clipping by norm this bends the direction of the step. Raises NonFiniteError,
    naming the parameter, for a NaN.
    """
    if not clip_value >= 0:
        raise ArgumentError(
            "clip_grad_value_: a bound is not negative",
            expect="clip_value >= 0",
            actual=f"clip_value={clip_value}",
            hint="clip_value=1.0 is a common choice",
        )
    owners = _with_gradient(parameters)
    _check(owners, np.isnan)
    for p in owners:
        p.grad = Tensor(np.clip(p.grad._edge.array, -clip_value, clip_value))  # type: ignore


def _with_gradient(parameters: Tensor | Iterable[Tensor]) -> list[Tensor]:
    found = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    return [p for p in found if p.grad is not None]


def _norm(array: np.ndarray, order: float) -> float:
    if array.size == 0:
        return 0.0
    sizes = np.abs(array.astype(np.float64, copy=False))
    largest = float(sizes.max())
    if order == np.inf or largest == 0 or not np.isfinite(largest):
        return largest
    return largest * float(((sizes / largest) ** order).sum() ** (1 / order))


def _check(parameters: list[Tensor], bad: Any = None) -> None:
    for number, p in enumerate(parameters):
        array = p.grad._edge.array  # type: ignore[union-attr]
        wrong = bad(array) if bad else ~np.isfinite(array)
        if wrong.any():
            at = tuple(map(int, np.argwhere(wrong)[0]))
            name = p.name or f"number {number}"
            raise NonFiniteError(
                f"clipping: the gradient of parameter {name!r} is not finite",
                expect="finite gradients",
                actual=f"{array[at]} at {at}, {wrong.sum()} of {array.size} entries",
                hint="run the step under mg.detect_anomaly() to see where it arose",
            )
