"""Norms that neither overflow nor vanish in the squares of large and small entries.

Read next: `uses.py`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache

import numpy as np

from minigrad.engine.quiet import quietly


def norm_of(array: np.ndarray, order: float = 2.0) -> float:
    """The norm of all entries, in float64; of no entries 0."""
    return norms_of([array], order)[0]


def norms_of(arrays: Sequence[np.ndarray], order: float = 2.0) -> list[float]:
    """`norm_of` each array."""
    with quietly():  # an overflow is no news: the squares are scaled then
        return [_norm(array.reshape(-1), order) for array in arrays]


def _norm(flat: np.ndarray, order: float) -> float:
    """The norm of (n,) entries."""
    if flat.size == 0:
        return 0.0
    if order == 2.0:
        squared = float(np.dot(flat, flat))
        if _tiny(flat.dtype.char) * flat.size < squared < math.inf:
            return math.sqrt(squared)
    sizes = np.abs(flat).astype(np.float64)
    largest = float(sizes.max())
    if order == math.inf or largest == 0 or not math.isfinite(largest):
        return largest
    sizes /= largest
    return largest * float((sizes**order).sum() ** (1 / order))


@cache
def _tiny(char: str) -> float:
    """Squares of a dtype that are larger neither vanish, nor lose many digits."""
    return float(np.finfo(char).tiny) * 1e10


def euclidean(array: np.ndarray) -> float:
    """The 2-norm of all entries in float64, where squares of small float32 entries do
    not underflow; NaN or infinite if an entry is."""
    sizes = np.abs(array) if array.dtype.kind == "c" else array
    return norm_of(sizes.astype(np.float64, copy=False))


def euclidean_each(arrays: Sequence[np.ndarray]) -> np.ndarray:
    """(n,): `euclidean` of each array; those of one shape in one go."""
    if len({array.shape for array in arrays}) != 1 or not arrays[0].size:
        return np.array([euclidean(array) for array in arrays])
    rows = np.stack(arrays).reshape(len(arrays), -1).astype(np.float64, copy=False)
    with quietly():
        squared = np.einsum("ij,ij->i", rows, rows)
    tiny = float(np.finfo(np.float64).tiny) * 1e10 * rows.shape[1]
    safe = (squared > tiny) & (squared < math.inf)
    found = np.sqrt(np.where(safe, squared, 0.0))
    for k in np.flatnonzero(~safe):
        found[k] = euclidean(rows[k])
    return found


def product_norm(a: np.ndarray, g: np.ndarray) -> float:
    """The Frobenius norm of a^T g, without the product where that is cheaper.

    |a^T g|^2 is the sum of (a a^T) * (g g^T), which for few rows takes far less than
    the product. Where the rows nearly cancel it would lose digits: then the product is
    made after all.
    """
    (rows, m), (_, n) = a.shape, g.shape
    a, g = a.astype(np.float64, copy=False), g.astype(np.float64, copy=False)
    if rows * (m + n) < m * n:
        scale_a, scale_g = float(np.abs(a).max()), float(np.abs(g).max())
        finite = math.isfinite(scale_a) and math.isfinite(scale_g)
        if finite and (scale_a == 0 or scale_g == 0):
            return 0.0
        if finite:
            a_scaled, g_scaled = a / scale_a, g / scale_g
            within_a, within_g = a_scaled @ a_scaled.T, g_scaled @ g_scaled.T
            squared = float(np.vdot(within_a, within_g))
            if squared > 1e-4 * np.trace(within_a) * np.trace(within_g):
                return math.sqrt(squared) * scale_a * scale_g
    return norm_of(np.dot(a.T, g))
