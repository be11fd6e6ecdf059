"""The output at the last real step of each sequence, and a word on what is not it.

Where sequences of unequal length share a batch, `output[-1]` is the last step of the
longest ones alone: the outputs of the others are zeros there, and a network that is
trained on them learns nothing from short sequences. `last` takes each sequence's own.

Read next: `recurrent.py` (layers and directions).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.engine.calls import checked_call
from minigrad.engine.errors import ShapeError, warn
from minigrad.engine.primitives.messages import describe
from minigrad.engine.tensor import Tensor

from .input_checks import as_tensor
from .masking import make_mask


@checked_call
def last(output: Any, lengths: Any, batch_first: bool = False) -> Tensor:
    """The output at the last real step of each sequence.

    output       (T, B, ...), or (B, T, ...) with `batch_first`
    lengths      (B,) whole numbers in 1..T: as the model was given them
    batch_first  as the model has it

    Returns (B, ...). Of a bidirectional model it is the end of the forward direction;
    the reverse one ends at step 0, and the model's final state has both ends.
    Raises ShapeError, DTypeError and ArgumentError for lengths that do not fit.
    """
    output = as_tensor(output, "output")
    if output.ndim < 2:
        raise ShapeError(
            "last(output, lengths): the output has no axes for steps and sequences",
            expect="output (T, B, ...), or (B, T, ...) with batch_first=True",
            actual=describe(output._edge),
            hint="pass the first thing that the model returns",
        )
    steps, batch = output.shape[:2][::-1] if batch_first else output.shape[:2]
    make_mask(lengths, None, steps, batch)  # refuses what does not fit
    given = lengths.data if isinstance(lengths, Tensor) else lengths
    ends = (given if isinstance(given, Tensor) else np.asarray(given)) - 1
    rows = np.arange(batch)
    # A plain tensor: a `PaddedOutput` looks at its indices.
    plain = Tensor.of(output._edge)
    return plain[rows, ends] if batch_first else plain[ends, rows]


class PaddedOutput(Tensor):
    """An output with zeros at its last step, where some sequences ended before.

    It is a tensor like any other, and what is computed from it is plain. Only when its
    step -1 is asked for, or a mean or an extreme over the steps, in which the zeros
    count, does it warn, once per line of a program.
    """

    __slots__ = ("_batch_first",)
    _batch_first: bool

    def __getitem__(self, index: Any) -> Any:
        if self._is_last(index):
            axis = "[:, -1]" if self._batch_first else "[-1]"
            first = ", batch_first=True" if self._batch_first else ""
            warn(
                f"output{axis} of padded sequences: those that ended before the last "
                "step have zeros there",
                expect="the output at the last real step of each sequence",
                actual="zeros for every sequence of this batch that is shorter",
                hint=f"models.last(output, lengths{first}), or the final state that "
                "the model returns beside the output: of several layers and "
                "directions the last h[-1]",
            )
        return super().__getitem__(index)

    def mean(self, axis: Any = None, *rest: Any, **options: Any) -> Tensor:
        """The mean, padded steps among them."""
        self._counts_zeros("mean", axis)
        return super().mean(axis, *rest, **options)

    def max(self, axis: Any = None, *rest: Any, **options: Any) -> Tensor:
        """The largest entries, zeros of padded steps among them."""
        self._counts_zeros("max", axis)
        return super().max(axis, *rest, **options)

    def min(self, axis: Any = None, *rest: Any, **options: Any) -> Tensor:
        """The smallest entries, zeros of padded steps among them."""
        self._counts_zeros("min", axis)
        return super().min(axis, *rest, **options)

    def _counts_zeros(self, call: str, axis: Any) -> None:
        """Warn, where the axis of the steps is among those that are reduced."""
        time = 1 if self._batch_first else 0
        axes = axis if isinstance(axis, tuple) else (axis,)
        if axis is None or any(k in (time, time - self.ndim) for k in axes):
            mend = {
                "mean": "output.sum(axis) divided by the lengths",
                "max": "mg.where(mask, output, -np.inf) first, with mask (T, B, 1)",
                "min": "mg.where(mask, output, np.inf) first, with mask (T, B, 1)",
            }
            warn(
                f"output.{call}({'' if axis is None else f'axis={axis}'}) of padded "
                "sequences: the zeros at padded steps count",
                expect=f"the {call} over the real steps of each sequence",
                actual="zeros for every sequence of this batch that is shorter",
                hint=mend[call],
            )

    def _is_last(self, index: Any) -> bool:
        """Does an index ask for step -1? (A loop over all steps counts from 0.)"""
        parts = index if isinstance(index, tuple) else (index,)
        for k, part in enumerate(parts):
            if part is Ellipsis:  # as many ":" as there are axes left
                left = self.ndim - sum(p is not None for p in parts) + 1
                parts = (*parts[:k], *[slice(None)] * left, *parts[k + 1 :])
                break
        parts = tuple(part for part in parts if part is not None)
        time = 1 if self._batch_first else 0
        if len(parts) <= time:
            return False
        step = parts[time]
        return isinstance(step, int | np.integer) and int(step) == -1


def watched_output(
    output: Tensor, mask: np.ndarray | None, batch_first: bool = False
) -> Tensor:
    """The output, as a `PaddedOutput` if its last step is padding for some sequence.

    mask  (T, B) booleans, True where a step is real; None if all are
    """
    if not isinstance(mask, np.ndarray) or mask[-1].all():  # a tensor: compiling
        return output
    padded = PaddedOutput.of(output._edge)
    padded._batch_first = batch_first
    return padded
