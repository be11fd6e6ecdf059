"""Multiplies many matrices without overflow or underflow.

A running product is kept as a matrix of moderate size and a power of two. Scaling by a
power of two is exact, so what comes out is the plain repeated product to the last bit
wherever that can be represented, and its true size where it cannot.

Read next: `state_paths.py`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

import numpy as np

_FAR = 2.0**300  # beyond this size, or below its inverse, a matrix is rescaled
_LOG2 = math.log10(2)

Scaled = tuple[np.ndarray, int]  # a matrix m and an exponent e: m * 2**e


def rescaled(matrix: np.ndarray, exponent: int = 0) -> Scaled:
    """The same product, with a matrix of moderate size."""
    largest = float(np.abs(matrix).max()) if matrix.size else 0.0
    if largest == 0 or not math.isfinite(largest) or 1 / _FAR < largest < _FAR:
        return matrix, exponent
    shift = math.frexp(largest)[1]
    return np.ldexp(matrix, -shift), exponent + shift


def plain(scaled: Scaled) -> np.ndarray:
    """As an ordinary matrix: 0 or infinity where its size is beyond float64."""
    matrix, exponent = scaled
    with np.errstate(over="ignore", under="ignore"):
        return np.ldexp(matrix, exponent) if exponent else matrix


def running(factors: Iterable[np.ndarray], size: int) -> Iterator[Scaled]:
    """The identity, then F_T, F_T F_{T-1}, ...: factors are given from the last on."""
    product: Scaled = np.eye(size), 0
    yield product
    for factor in factors:
        with np.errstate(all="ignore"):
            product = rescaled(product[0] @ factor, product[1])
        yield product


def singular_values(matrix: np.ndarray) -> np.ndarray:
    """The singular values, largest first; NaN for a matrix that is not finite."""
    if not np.isfinite(matrix).all():
        return np.full(min(matrix.shape), np.nan)
    return np.linalg.svd(matrix, compute_uv=False)


def log10(values: np.ndarray, exponent: int = 0) -> np.ndarray:
    """log10(values * 2**exponent); exactly zero gives -inf."""
    with np.errstate(divide="ignore"):
        return np.log10(values) + exponent * _LOG2
