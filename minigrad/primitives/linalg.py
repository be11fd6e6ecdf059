"""Matrix products."""

from __future__ import annotations

import numpy as np

from minigrad.primitives.base import primitive
from minigrad.primitives.shape import expand_dims, squeeze, swapaxes


@primitive(expect="a.shape[-1] == b.shape[-2], batch axes that broadcast")
def matmul(a, b):
    """y = a @ b, over the last two axes. a: (..., n, k), b: (..., k, m) -> (..., n, m).

    A vector counts as one row on the left and as one column on the right, as in NumPy.
    """
    if a.ndim == 2 and b.ndim == 2:
        return np.dot(a, b)  # the same product at half the price of dispatch
    return np.matmul(a, b)


@matmul.defvjp
def matmul_vjp(g, y, a, b, *, needs):
    """dL/da = g b^T, dL/db = a^T g, on the last two axes; batch axes pass through."""
    if a.ndim == b.ndim == 2:
        return g @ b.T if needs[0] else None, a.T @ g if needs[1] else None
    left, right = a.ndim == 1, b.ndim == 1
    if right:
        b, g = expand_dims(b, -1), expand_dims(g, -1)
    if left:
        a, g = expand_dims(a, 0), expand_dims(g, -2)
    da = db = None
    if needs[0]:
        da = matmul(g, swapaxes(b, -1, -2))
        if left:
            da = squeeze(da, -2)
    if needs[1]:
        db = matmul(swapaxes(a, -1, -2), g)
        if right:
            db = squeeze(db, -1)
    return da, db


def matmul_stacked(gs: list[np.ndarray], inputs: list[np.ndarray]) -> np.ndarray:
    """The sum over uses t of a_t^T g_t as one product of the stacked rows.

    T products of (B, n) and (B, m), each added to the sum, touch the (n, m) result T
    times; one product over T*B rows touches it once. Blocks bound the memory of the
    copies at some tens of megabytes.
    """
    rows = max(1, gs[0].shape[0])
    width = gs[0].shape[1] + inputs[0].shape[1]
    block = max(1, int(4e6) // (rows * width))
    if len(gs) <= block:
        return np.dot(np.concatenate(inputs).T, np.concatenate(gs))
    total = None
    for start in range(0, len(gs), block):
        some = slice(start, start + block)
        part = np.dot(np.concatenate(inputs[some]).T, np.concatenate(gs[some]))
        total = part if total is None else np.add(total, part, out=total)
    assert total is not None
    return total


matmul.stacked[1] = matmul_stacked
