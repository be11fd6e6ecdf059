"""The functions that random expressions use, of NumPy or a library with its names.

`array_library(numpy)` gives the values that programs are drawn by. The tests give it
`autograd.numpy` and `jax.numpy`, whose gradients are compared with ours.

Read next: `expressions.py`.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np


def array_library(np_: Any) -> SimpleNamespace:
    """What `operations.MINIGRAD` has, written with a module that is used like NumPy."""
    same = "exp expm1 log log1p sqrt tanh sin cos absolute maximum minimum where matmul"
    more = "einsum concatenate stack split reshape transpose prod max min"

    def shifted(x: Any, axis: int) -> Any:
        """x less its largest entry along the axis, and that entry."""
        largest = np_.max(x, axis, keepdims=True)
        return x - largest, largest

    def logsumexp(x: Any, axis: int, keepdims: bool = False) -> Any:
        below, largest = shifted(x, axis)
        found = largest + np_.log(np_.sum(np_.exp(below), axis, keepdims=True))
        return found if keepdims else np_.sum(found, axis)

    def softmax(x: Any, axis: int) -> Any:
        e = np_.exp(shifted(x, axis)[0])
        return e / np_.sum(e, axis, keepdims=True)

    def broadcast_to(x: Any, shape: tuple[int, ...]) -> Any:
        """With its new axes added first: autograd asks for that."""
        axes = (1,) * (len(shape) - len(x.shape))
        return np_.broadcast_to(np_.reshape(x, (*axes, *x.shape)), shape)

    return SimpleNamespace(
        **{name: getattr(np_, name) for name in f"{same} {more}".split()},
        sigmoid=lambda x: 0.5 + 0.5 * np_.tanh(0.5 * x),
        relu=lambda x: np_.where(x > 0, x, 0.0),
        softplus=lambda x: np_.logaddexp(x, 0.0 * x),
        clip=lambda x, low, high: np_.where(x < low, low, np_.where(x > high, high, x)),
        cumsum=lambda x, axis: np_.cumsum(x, axis),
        softmax=softmax,
        broadcast_to=broadcast_to,
        log_softmax=lambda x, axis: x - logsumexp(x, axis, True),
        logsumexp=logsumexp,
        norm=lambda x, axis: np_.sqrt(np_.sum(x * x, axis)),
        var=lambda x, axis: np_.var(x, axis),
        take=lambda x, rows: x[rows],
        constant=lambda array: array,
        sum=lambda x, axis=None, keepdims=False: np_.sum(x, axis, keepdims=keepdims),
        mean=lambda x, axis, keepdims: np_.mean(x, axis, keepdims=keepdims),
        item=lambda x, key: x[key],
    )


NUMPY = array_library(np)
