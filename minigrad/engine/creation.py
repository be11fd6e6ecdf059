"""Tensors made from nothing: NumPy's names, with `requires_grad` and `name` besides.

dtype is float64 unless told otherwise; `full` and `arange` take it from their numbers,
and the `_like` functions from their model, as NumPy does.

Read next: `random.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.engine.aliases import Array, Lengths, Operand
from minigrad.engine.calls import checked_call
from minigrad.engine.errors import DTypeError, ShapeError
from minigrad.engine.tensor import Tensor


@checked_call
def zeros(
    shape: Lengths,
    dtype: Any = "float64",
    requires_grad: bool = False,
    name: str | None = None,
) -> Tensor:
    """All entries 0."""
    return _made("zeros", requires_grad, name, np.zeros, shape, dtype=dtype)


@checked_call
def ones(
    shape: Lengths,
    dtype: Any = "float64",
    requires_grad: bool = False,
    name: str | None = None,
) -> Tensor:
    """All entries 1."""
    return _made("ones", requires_grad, name, np.ones, shape, dtype=dtype)


@checked_call
def full(
    shape: Lengths,
    fill_value: Operand,
    dtype: Any = None,
    requires_grad: bool = False,
    name: str | None = None,
) -> Tensor:
    """All entries `fill_value`, in its dtype: full((2,), 1) is of integers."""
    return _made("full", requires_grad, name, np.full, shape, fill_value, dtype=dtype)


@checked_call
def arange(
    start: float,
    stop: float | None = None,
    step: float = 1,
    dtype: Any = None,
    requires_grad: bool = False,
    name: str | None = None,
) -> Tensor:
    """start, start + step, ... below stop; arange(n) is 0, 1, ..., n - 1 (integers)."""
    if stop is None:
        start, stop = 0, start
    call = "arange", requires_grad, name, np.arange
    return _made(*call, start, stop, step, dtype=dtype)


@checked_call
def eye(
    n: int,
    m: int | None = None,
    dtype: Any = "float64",
    requires_grad: bool = False,
    name: str | None = None,
) -> Tensor:
    """Ones on the diagonal, zeros elsewhere: (n, m), or (n, n)."""
    return _made("eye", requires_grad, name, np.eye, n, m, dtype=dtype)


@checked_call
def zeros_like(
    x: Operand, dtype: Any = None, requires_grad: bool = False, name: str | None = None
) -> Tensor:
    """Zeros in the shape and dtype of x."""
    made = np.asarray(x)
    call = "zeros_like", requires_grad, name, np.zeros
    return _made(*call, made.shape, dtype=made.dtype if dtype is None else dtype)


@checked_call
def ones_like(
    x: Operand, dtype: Any = None, requires_grad: bool = False, name: str | None = None
) -> Tensor:
    """Ones in the shape and dtype of x."""
    made = np.asarray(x)
    call = "ones_like", requires_grad, name, np.ones
    return _made(*call, made.shape, dtype=made.dtype if dtype is None else dtype)


def _made(
    call: str,
    requires_grad: bool,
    name: str | None,
    function: Callable[..., Array],
    *arguments: Any,
    dtype: Any,
) -> Tensor:
    """The tensor of what NumPy's function makes; its errors in our form."""
    try:
        array = function(*arguments, dtype=dtype)
    except (ValueError, ZeroDivisionError) as error:
        raise ShapeError(
            f"{call}: {error}",
            expect="lengths that are whole numbers, 0 or more",
            actual=", ".join(map(repr, arguments)),
            hint=f"see help(mg.{call})",
        ) from None
    except TypeError as error:
        raise DTypeError(
            f"{call}: {error}",
            expect="a shape of whole numbers, and a dtype",
            actual=", ".join(map(repr, (*arguments, dtype))),
            hint="a shape of several axes is a tuple: mg.zeros((2, 3))",
        ) from None
    return Tensor(array, None, requires_grad, name)
