"""Numbers made ready: classes as one-hot rows, a series as windows and targets.

Read next: `scaling.py`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike, DTypeLike

from minigrad.data.argument_checks import (
    cast_exactly,
    number_array,
    number_dtype,
    whole_number,
)
from minigrad.engine.calls import checked_call
from minigrad.engine.errors import DataError, ShapeError


@checked_call
def to_categorical(
    y: ArrayLike, num_classes: int | None = None, dtype: DTypeLike = "float32"
) -> np.ndarray:
    """Class numbers as one-hot rows: to_categorical([1, 3], 5) is rows 1, 3 of I_5.

    `one_hot` is the same function. The result has one axis more than `y`, always: Keras
    drops a last axis of length 1 first, which would lose the batch axis of (T, 1).

    Args:
        y: whole numbers from 0 to num_classes - 1, of any shape.
        num_classes: C; None is the largest class + 1.
        dtype: of the result.

    Shapes:  y (...) -> (..., C)
    Units:   1 at the class, 0 elsewhere.
    Errors:  DataError for a class outside 0 .. C - 1, or if `y` is empty and C unknown;
             DTypeError for fractions, words and a dtype that is no number.
    """
    call = "to_categorical"
    wanted = number_dtype(call, dtype)
    numbers = number_array(call, "y", y, "give each class a number from 0 on")
    labels = cast_exactly(call, "y", numbers, np.dtype(np.int64))
    if num_classes is not None:
        count = whole_number(call, "num_classes", num_classes, least=1)
    elif labels.size:
        count = max(int(labels.max()) + 1, 1)
    else:
        raise DataError(
            "to_categorical(y): no labels, so the number of classes is unknown",
            expect="at least one label, or num_classes",
            actual=f"shape {labels.shape}",
            hint="pass num_classes",
        )
    wrong = np.argwhere((labels < 0) | (labels >= count))
    if len(wrong):
        at = tuple(int(i) for i in wrong[0])
        raise DataError(
            f"to_categorical(y): y{list(at) if at else ''} is no class",
            expect=f"0 <= class < {count}",
            actual=f"{labels[at]}",
            hint="classes count from 0: subtract the smallest, or raise num_classes",
        )
    flat = np.zeros((labels.size, count), wanted)
    flat[np.arange(labels.size), labels.ravel()] = 1
    return flat.reshape(*labels.shape, count)


one_hot = to_categorical


@checked_call
def windows(
    series: ArrayLike, length: int, horizon: int = 1
) -> tuple[np.ndarray, np.ndarray]:
    """Every stretch of `length` steps of a series, and the value that follows it.

        windows([1, 2, 3, 4, 5], length=3) -> [[1, 2, 3], [2, 3, 4]], [4, 5]

    Neighbouring windows share all but one step: split the series first
    (`split(series, ..., shuffle=False)`) and take windows of each part, or the
    held-out part is known already.

    Args:
        series: numbers (n,), or (n, *features) with several at each step.
        length: T, the steps in a window.
        horizon: how many steps after the window's last the target lies; 1 is the next.

    Shapes:  N = n - length - horizon + 1 windows: X (N, T, *features), y (N, *features)
             where X[i] = series[i : i+T], y[i] = series[i+T+horizon-1]. Both are
             copies. A recurrent model reads X.swapaxes(0, 1), time first.
    Units:   those of the series.
    Errors:  DataError if the series is too short for one window and its target, or has
             a NaN or infinity in it; ArgumentError for length or horizon < 1.
    """
    length = whole_number("windows", "length", length, least=1)
    horizon = whole_number("windows", "horizon", horizon, least=1)
    values: Any = number_array("windows", "series", series, "one number per step")
    if values.ndim == 0:
        raise ShapeError(
            "windows(series): not a series",
            expect="shape (n,) or (n, *features)",
            actual="one number",
            hint="pass the whole series",
        )
    count = len(values) - length - horizon + 1
    if count < 1:
        raise DataError(
            f"windows(length={length}, horizon={horizon}): the series is too short",
            expect=f"at least {length + horizon} steps",
            actual=f"{len(values)} steps",
            hint="a shorter window, or more data",
        )
    wrong = np.argwhere(~np.isfinite(values))
    if len(wrong):
        at = tuple(int(i) for i in wrong[0])
        raise DataError(
            f"windows(series): series{list(at)} is {values[at]}",
            expect="finite numbers",
            actual=f"{len(wrong)} of {values.size} are not",
            hint="fill gaps first, for instance with the value before",
        )
    views = sliding_window_view(values, length, axis=0)[:count]  # (N, *features, T)
    return (
        np.moveaxis(views, -1, 1).copy(order="C"),
        values[length + horizon - 1 :].copy(),
    )
