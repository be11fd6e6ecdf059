"""Tensors made from nothing: NumPy's names, and `requires_grad` and `name` besides."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.tensor import Tensor

Shape = int | tuple[int, ...] | list[int]


def zeros(
    shape: Shape, dtype: Any = "float64", requires_grad: bool = False, name: Any = None
) -> Tensor:
    """All entries 0."""
    return Tensor(np.zeros(shape, dtype), None, requires_grad, name)


def ones(
    shape: Shape, dtype: Any = "float64", requires_grad: bool = False, name: Any = None
) -> Tensor:
    """All entries 1."""
    return Tensor(np.ones(shape, dtype), None, requires_grad, name)


def full(
    shape: Shape,
    fill_value: Any,
    dtype: Any = None,
    requires_grad: bool = False,
    name: Any = None,
) -> Tensor:
    """All entries `fill_value`."""
    return Tensor(np.full(shape, fill_value, dtype), None, requires_grad, name)


def arange(*range_: float, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """The numbers start, start + step, ... below stop, as np.arange counts them."""
    return Tensor(np.arange(*range_, dtype=dtype), None, requires_grad)


def eye(n: int, m: int | None = None, dtype: Any = "float64") -> Tensor:
    """Ones on the diagonal, zeros elsewhere: (n, m), or (n, n)."""
    return Tensor(np.eye(n, m, dtype=dtype))


def zeros_like(x: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Zeros in the shape and dtype of x."""
    return Tensor(np.zeros_like(np.asarray(x), dtype=dtype), None, requires_grad)


def ones_like(x: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Ones in the shape and dtype of x."""
    return Tensor(np.ones_like(np.asarray(x), dtype=dtype), None, requires_grad)
