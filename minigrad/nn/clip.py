"""Clipping: the remedy for exploding gradients.

Both functions replace the gradients of parameters by clipped ones (the arrays that held
them are not written to) and refuse a gradient that is not finite, by the name of its
parameter: a NaN cannot be clipped, it would spread to every parameter. PyTorch lets it
pass; `error_if_nonfinite=False` does so here.

Read next: `minigrad/nn/optim/`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np

from minigrad.engine.calls import checked_call
from minigrad.engine.errors import ArgumentError, NonFiniteError
from minigrad.engine.graph import Edge
from minigrad.engine.quiet import quietly
from minigrad.engine.recorder import thread
from minigrad.engine.tensor import Tensor
from minigrad.engine.tracing import number_of, outside
from minigrad.nn.parameters import gradient, label, parameter_list, rebind_gradient
from minigrad.reading.norms import norm_of, norms_of


@checked_call
def clip_grad_norm_(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = True,
) -> float:
    """Scale all gradients by one factor, to a common norm of at most max_norm.

    The direction of the step stays. The factor is max_norm / (norm + 1e-6), PyTorch's,
    if that is below 1. Parameters without a gradient do not count.

    norm_type  p of the p-norm over all entries: 2.0, or math.inf for the largest entry
    Returns    the norm before clipping, as a float; it neither over- nor underflows
    Errors:    NonFiniteError, naming the parameter, if a gradient is not finite;
               with error_if_nonfinite=False a NaN norm makes all gradients NaN and an
               infinite one makes the finite entries zero, as in PyTorch.
               ArgumentError for a negative max_norm, or a norm_type that is not > 0.
    Source: Pascanu, Mikolov & Bengio 2013, "On the difficulty of training recurrent
    neural networks", algorithm 1.
    """
    _not_negative("clip_grad_norm_", "max_norm", max_norm)
    if not isinstance(norm_type, int | float | np.number) or not norm_type > 0:
        raise ArgumentError(
            f"clip_grad_norm_(norm_type={norm_type!r}): no norm",
            expect="norm_type > 0: 2.0, or math.inf for the largest entry",
            actual=repr(norm_type),
            hint="leave norm_type out for the Euclidean norm",
        )
    owners = _with_gradient("clip_grad_norm_", parameters)

    arrays = [gradient(p) for p in owners]
    dtypes = list(dict.fromkeys([g.dtype for g in arrays]))

    def found(*gradients: np.ndarray) -> tuple[np.ndarray, ...]:
        norms = norms_of(gradients, norm_type)
        total = math.hypot(*norms) if norm_type == 2.0 else math.inf
        if math.isinf(total):
            total = norm_of(np.array(norms), norm_type)
        if error_if_nonfinite and not math.isfinite(total):
            _refuse("clip_grad_norm_", owners, gradients)
        factor = float(max_norm) / (total + 1e-6)
        factor = 1.0 if factor >= 1.0 else factor
        return np.array(total), *[np.array(factor, dtype) for dtype in dtypes]

    found.__qualname__ = "clip_grad_norm_"  # for pictures
    with quietly():
        total, *factors = outside(found, *arrays)
        by = dict(zip(dtypes, factors, strict=True))
        for p, g in zip(owners, arrays, strict=True):
            rebind_gradient(p, _times(g, by[g.dtype]))
    return number_of(total)


@checked_call
def clip_grad_value_(
    parameters: Tensor | Iterable[Tensor],
    clip_value: float,
    error_if_nonfinite: bool = True,
) -> None:
    """Bring every entry of every gradient into [-clip_value, clip_value].

    Unlike clipping by norm this bends the direction of the step.

    Errors:  NonFiniteError, naming the parameter, for a NaN or infinity; with
             error_if_nonfinite=False infinities are clipped and NaN stays NaN.
             ArgumentError for a negative clip_value.
    """
    _not_negative("clip_grad_value_", "clip_value", clip_value)
    owners = _with_gradient("clip_grad_value_", parameters)
    bound = float(clip_value)

    arrays = [gradient(p) for p in owners]

    def checked(*gradients: np.ndarray) -> None:
        if error_if_nonfinite and not all(map(_is_finite, gradients)):
            _refuse("clip_grad_value_", owners, gradients)

    checked.__qualname__ = "clip_grad_value_"  # for pictures
    with quietly():
        outside(checked, *arrays)
        for p, g in zip(owners, arrays, strict=True):
            rebind_gradient(p, _within(g, bound))


def _is_finite(g: np.ndarray) -> bool:
    """Are all entries finite? Their squares mostly are, and one sum tells."""
    flat = g.reshape(-1)
    return math.isfinite(np.dot(flat, flat)) or bool(np.isfinite(g).all())


def _times(g: np.ndarray, factor: np.ndarray) -> np.ndarray:
    """All entries times a number of the same dtype. In a trace this is one of its
    operations, so that it becomes part of a kernel."""
    if thread.recorder.trace is not None:
        return (_constant(g) * _constant(factor))._edge.array
    return g if factor == 1 else np.asarray(g * factor)


def _within(g: np.ndarray, bound: float) -> np.ndarray:
    """All entries in [-bound, bound]; in a trace an operation, as above."""
    if thread.recorder.trace is not None:
        return _constant(g).clip(-bound, bound)._edge.array
    return np.asarray(np.clip(g, -bound, bound))


def _constant(array: np.ndarray) -> Tensor:
    """A tensor of an array that the trace knows, and of which nothing is asked back."""
    return Tensor.of(Edge(None, 0, array, False))


def _not_negative(call: str, name: str, value: float) -> None:
    if not isinstance(value, int | float | np.number) or not value >= 0:
        raise ArgumentError(
            f"{call}({name}={value!r}): a bound is not negative",
            expect=f"{name} >= 0",
            actual=repr(value),
            hint=f"{name}=1.0 is a common choice",
        )


def _with_gradient(call: str, parameters: Tensor | Iterable[Tensor]) -> list[Tensor]:
    found = [parameters] if isinstance(parameters, Tensor) else parameters
    return [p for p in parameter_list(call, found) if p.grad is not None]


def _refuse(call: str, owners: list[Tensor], gradients: Sequence[np.ndarray]) -> None:
    """Raise for the first gradient that is not finite; return if all are."""
    for number, (p, g) in enumerate(zip(owners, gradients, strict=True)):
        wrong = ~np.isfinite(g)
        if wrong.any():
            at = tuple(map(int, np.argwhere(wrong)[0]))
            raise NonFiniteError(
                f"{call}: a gradient is not finite",
                expect="finite gradients",
                actual=f"{g[at]} at {at}, {wrong.sum()} of {wrong.size} "
                f"entries     parameter {number}: {label(p)}",
                hint="run the step under mg.detect_anomaly() to see where it arose",
            )
    raise NonFiniteError(
        f"{call}: the norm of the gradients is beyond the largest float",
        expect="a finite norm",
        actual=f"{len(owners)} finite gradients",
        hint="mg.clip_grad_value_ first, or a smaller learning rate",
    )
