"""Which steps of which sequence are real, and what happens at those that are not.

Sequences of unequal length share one array (T, B, D). A padded step changes no state,
gives zeros as its output, and has gradients that are exactly zero: `where` picks the
old state, so nothing flows into what the cell computed there. Padded inputs are zeroed
before use, so that even NaN there is harmless.

Read next: `last_outputs.py`.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

import minigrad as mg
from minigrad.engine.errors import ArgumentError, DTypeError, ShapeError
from minigrad.engine.primitives.messages import describe
from minigrad.engine.tensor import Tensor
from minigrad.engine.tracing import outside


class Mask:
    """Booleans (T, B), True where a step is real, as the time loop needs them.

    The graph holds them as one constant tensor named "mask", so that a reader may show
    them, or replay the same graph with others.
    """

    def __init__(self, array: np.ndarray) -> None:
        self._tensor = Tensor(array, name="mask")
        self.array = self._tensor.data  # (T, B) bool, a copy; a tensor while compiling
        self._spread: dict[int, Tensor] = {}
        self._steps: dict[int, tuple[Tensor, ...]] = {}

    def _over(self, ndim: int) -> Tensor:
        """The mask with axes of length one added: (T, B, 1, ...), `ndim` axes."""
        if ndim not in self._spread:
            shape = self.array.shape + (1,) * (ndim - 2)
            self._spread[ndim] = self._tensor.reshape(shape)
        return self._spread[ndim]

    def zeroed(self, x: Tensor) -> Tensor:
        """x (T, B, ...) where steps are real, zeros elsewhere."""
        return mg.where(self._over(x.ndim), x, 0)

    def steps(self, state: Tensor) -> tuple[Tensor, ...]:
        """One (B, 1, ...) per time step, to choose between states (B, ...) like this.

        Raises ShapeError if the state has another batch axis, or none.
        """
        if state.shape[:1] != self.array.shape[1:]:
            raise ShapeError(
                "steps are padded, and the state has not one row per sequence",
                expect=f"a state of shape ({self.array.shape[1]}, ...)",
                actual=describe(state._edge),
                hint="the batch is the first axis of every part of the state",
            )
        ndim = state.ndim
        if ndim not in self._steps:
            self._steps[ndim] = mg.unstack(self._over(ndim + 1))
        return self._steps[ndim]


def make_mask(
    lengths: Any, mask: Any, steps: int, batch: int | None, batch_first: bool = False
) -> np.ndarray | None:
    """The mask (steps, batch) that `lengths` or `mask` say, or None for neither.

    lengths  (B,) whole numbers in 1..T: padding stands at the end
    mask     (T, B) booleans, True = real: padding stands anywhere; (B, T) where the
             batch comes first
    Raises ArgumentError for both, or lengths out of range; ShapeError for another
    shape; DTypeError for lengths that are not whole or a mask that is not boolean.
    """
    if lengths is None and mask is None:
        return None
    if lengths is not None and mask is not None:
        raise ArgumentError(
            "both lengths and mask are given",
            expect="one of the two, or neither",
            actual="lengths and mask",
            hint="lengths says that padding is at the end; mask says it for any side",
        )
    name, given = ("lengths", lengths) if mask is None else ("mask", mask)
    array = given.data if isinstance(given, Tensor) else np.asarray(given)
    if batch is None:
        raise ShapeError(
            f"{name} is given for inputs without a batch axis",
            expect="x of shape (T, B, ...)",
            actual="x of shape (T,)",
            hint="x.expand_dims(1) makes it a batch of one sequence",
        )
    if mask is None:
        _check_lengths(array, steps, batch)
        return np.arange(steps)[:, None] < array
    _check_mask(array, steps, batch, batch_first)
    return array.T if batch_first else array


def _check_lengths(array: np.ndarray, steps: int, batch: int) -> None:
    if array.shape != (batch,):
        raise ShapeError(
            "lengths: not one number per sequence",
            expect=f"shape ({batch},), x being ({steps}, {batch}, ...)",
            actual=f"shape {array.shape}",
            hint="x is (T, B, D): the batch is its second axis",
        )
    if array.dtype.kind not in "iu":
        raise DTypeError(
            "lengths: not whole numbers",
            expect="a list or array of integers",
            actual=f"dtype {array.dtype}",
            hint="use lengths.astype('int64')",
        )
    outside(partial(_check_range, steps), array)


def _check_range(steps: int, lengths: np.ndarray) -> None:
    bad = np.flatnonzero((lengths < 1) | (lengths > steps))
    if bad.size:
        raise ArgumentError(
            f"lengths[{bad[0]}] = {lengths[bad[0]]} is out of range",
            expect=f"lengths in 1..{steps}, the number of steps of x",
            actual=f"{bad.size} of {len(lengths)} out of range",
            hint="leave empty sequences out; cut longer ones, or pad x further",
        )


def _check_mask(array: np.ndarray, steps: int, batch: int, batch_first: bool) -> None:
    shape, layout, first = (steps, batch), "(T, B)", "time"
    if batch_first:
        shape, layout, first = (batch, steps), "(B, T)", "the batch"
    if array.shape != shape:
        turned = array.shape == shape[::-1]
        raise ShapeError(
            "mask: another shape than the sequence's",
            expect=f"shape {shape}: {layout}",
            actual=f"shape {array.shape}",
            hint=f"pass mask.T: {first} comes first"
            if turned
            else "one entry per step",
        )
    if array.dtype != bool:
        raise DTypeError(
            "mask: not boolean",
            expect="a (T, B) array of booleans, True = real",
            actual=f"dtype {array.dtype}",
            hint="use mask.astype(bool), or mask > 0",
        )
