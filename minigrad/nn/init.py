"""How weights start: arrays of a given shape, drawn from a generator.

    W = Parameter(init.orthogonal((64, 64), rng=0), name="W_h")

Weights are (inputs, outputs), so fan_in = shape[-2] and fan_out = shape[-1]. Numbers
are drawn in float64 and then rounded: float32 and float64 weights of one seed agree.
Each function returns a new array of `shape` and `dtype`, and raises ArgumentError for
one of more than LARGEST entries.

Read next: `layers.py`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad.engine.calls import checked_call
from minigrad.engine.errors import ArgumentError, DTypeError, ShapeError
from minigrad.engine.random import generator

if TYPE_CHECKING:
    from minigrad.engine.aliases import Array, Lengths, Rng

LARGEST = 1 << 31  # entries of one array of weights
_left: ContextVar[int | None] = ContextVar("left", default=None)


@contextmanager
def at_most(entries: int) -> Iterator[None]:
    """Within it, weights of so many entries in all are made, and no more.

    For a model whose sizes come from a file. Errors: ArgumentError beyond it.
    """
    before = _left.set(entries)
    try:
        yield
    finally:
        _left.reset(before)


def _room(shape: Lengths, call: str) -> None:
    """ArgumentError if there is no room for an array of this shape."""
    count = math.prod(shape if isinstance(shape, tuple | list) else [shape])
    left = _left.get()
    if count > (LARGEST if left is None else left):
        raise ArgumentError(
            f"init.{call}({shape}): larger than weights may be",
            expect=f"at most {LARGEST if left is None else left:,} entries",
            actual=f"{count:,}",
            hint="fewer units, or a smaller vocabulary",
        )
    if left is not None:
        _left.set(left - count)


@checked_call
def zeros(shape: Lengths, *, dtype: Any = "float64") -> Array:
    """All zeros: the usual bias."""
    _room(shape, "zeros")
    return np.zeros(shape, floating(dtype, "init.zeros"))


@checked_call
def constant(shape: Lengths, value: float, *, dtype: Any = "float64") -> Array:
    """All the same value, such as 1.0 for a forget gate's bias."""
    _room(shape, "constant")
    return np.full(shape, value, floating(dtype, "init.constant"))


@checked_call
def uniform(
    shape: Lengths,
    low: float = 0.0,
    high: float = 1.0,
    *,
    rng: Rng = None,
    dtype: Any = "float64",
) -> Array:
    """Uniform in [low, high)."""
    if not low <= high:
        raise ArgumentError(
            f"init.uniform(low={low}, high={high}): the bounds are the wrong way round",
            expect="low <= high",
            actual=f"{low} > {high}",
            hint=f"init.uniform(shape, {high}, {low})",
        )
    _room(shape, "uniform")
    dtype = floating(dtype, "init.uniform")
    return generator(rng, "init.uniform").uniform(low, high, shape).astype(dtype)


@checked_call
def normal(
    shape: Lengths,
    mean: float = 0.0,
    std: float = 1.0,
    *,
    rng: Rng = None,
    dtype: Any = "float64",
) -> Array:
    """Normal with the given mean and standard deviation."""
    if not std >= 0:
        raise ArgumentError(
            f"init.normal(std={std}): a negative standard deviation",
            expect="std >= 0",
            actual=str(std),
            hint="init.normal(shape, 0.0, 0.1)",
        )
    _room(shape, "normal")
    dtype = floating(dtype, "init.normal")
    return generator(rng, "init.normal").normal(mean, std, shape).astype(dtype)


@checked_call
def xavier_uniform(
    shape: Lengths, gain: float = 1.0, *, rng: Rng = None, dtype: Any = "float64"
) -> Array:
    """U(-a, a) with a = gain * sqrt(6 / (fan_in + fan_out)).

    Source: Glorot & Bengio 2010, "Understanding the difficulty of training deep
    feedforward neural networks", eq. 16.
    """
    bound = gain * math.sqrt(6 / max(sum(_fans(shape, "xavier_uniform")), 1))
    return uniform(shape, -bound, bound, rng=rng, dtype=dtype)


@checked_call
def xavier_normal(
    shape: Lengths, gain: float = 1.0, *, rng: Rng = None, dtype: Any = "float64"
) -> Array:
    """N(0, s^2) with s = gain * sqrt(2 / (fan_in + fan_out)): Glorot & Bengio 2010."""
    std = gain * math.sqrt(2 / max(sum(_fans(shape, "xavier_normal")), 1))
    return normal(shape, 0.0, std, rng=rng, dtype=dtype)


@checked_call
def orthogonal(
    shape: Lengths, gain: float = 1.0, *, rng: Rng = None, dtype: Any = "float64"
) -> Array:
    """gain times a matrix whose rows, or columns if they are fewer, are orthonormal.

    More than two axes: one such matrix for each index of the leading axes. Drawn evenly
    from all of them: the Q of a normal matrix, with the signs of R's diagonal.
    Source: Saxe, McClelland & Ganguli 2013, "Exact solutions to the nonlinear dynamics
    of learning in deep linear neural networks"; the signs: Mezzadri 2007, "How to
    generate random matrices from the classical compact groups".
    """
    rows, columns = _fans(shape, "orthogonal")
    _room(shape, "orthogonal")
    dtype = floating(dtype, "init.orthogonal")
    assert isinstance(shape, tuple | list)
    tall = (*shape[:-2], max(rows, columns), min(rows, columns))
    q, r = np.linalg.qr(generator(rng, "init.orthogonal").normal(size=tall))
    signs = np.where(np.diagonal(r, axis1=-2, axis2=-1) < 0, -1.0, 1.0)
    q = q * signs[..., None, :]
    return np.array(
        gain * (q if rows >= columns else q.swapaxes(-1, -2)), dtype, order="C"
    )


def _fans(shape: Lengths, name: str) -> tuple[int, int]:
    """(inputs, outputs) of a weight of this shape."""
    if isinstance(shape, int) or len(shape) < 2:
        raise ShapeError(
            f"init.{name}({shape}): a weight with inputs and outputs is wanted",
            expect="two axes or more: (..., inputs, outputs)",
            actual=f"shape {shape}",
            hint="init.zeros or init.uniform suit a bias",
        )
    return shape[-2], shape[-1]


def floating(dtype: Any, call: str) -> np.dtype:
    """`dtype` as a NumPy dtype of real floating point; DTypeError otherwise."""
    try:
        found = np.dtype(dtype)
    except TypeError:
        found = None
    if found is None or found.kind != "f":
        raise DTypeError(
            f"{call}(dtype={dtype!r}): weights are of floating point",
            expect="dtype='float64' or dtype='float32'",
            actual=repr(dtype),
            hint="leave dtype out for float64",
        )
    return found
