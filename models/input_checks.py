"""Is the input what a cell, the time loop or a model can work with? If not, say so.

Every check here raises a `MinigradError` that names the user's own line: the first one
outside of minigrad and of these models.

Read next: `state_checks.py`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.engine.errors import ArgumentError, DTypeError, ShapeError, warn
from minigrad.engine.primitives.messages import describe
from minigrad.engine.tensor import Tensor

from .state_checks import SCALARS, widened


def as_tensor(value: Any, name: str | None) -> Tensor:
    """`value` itself if it is a tensor; arrays and lists become a constant."""
    return value if isinstance(value, Tensor) else Tensor(value, name=name)


def size(name: str, value: Any) -> int:
    """A whole number of at least one. ArgumentError if it is not."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
        raise ArgumentError(
            f"{name}={value!r} is not a size",
            expect=f"{name}: a whole number, 1 or more",
            actual=f"{value!r:.60} ({type(value).__name__})",
            hint="sizes count numbers per step, units or layers",
        )
    return int(value)


def floating(dtype: Any) -> np.dtype:
    """The dtype for weights: float32 or float64. DTypeError if it is another."""
    try:
        found = np.dtype(dtype)
    except TypeError:
        found = None
    if found is None or found not in (np.float32, np.float64):
        raise DTypeError(
            f"dtype={dtype!r} is not for weights",
            expect="dtype 'float64' (the default) or 'float32'",
            actual=repr(dtype),
            hint="float32 is faster; float64 shows smaller gradients",
        )
    return found


def same_dtype(kind: str, dtype: np.dtype, **operands: Tensor) -> None:
    """Raise DTypeError unless every operand has the weights' dtype."""
    for name, value in operands.items():
        if value.dtype != dtype:
            widest = widened([value])
            hint = f"use {name}.astype('{dtype}'), or make the model with "
            hint += f"dtype='{value.dtype}'"
            if value.dtype.kind in "iub":
                hint = "whole numbers go through an Embedding or one-hot coding first"
            elif widest:
                hint = f"{SCALARS}; or {hint}"
            raise DTypeError(
                f"{kind}: {name} is {value.dtype} and the weights are {dtype}",
                expect=f"{name} of dtype {dtype}",
                actual=f"{name}: {describe(value._edge)}"
                + (f"     {widest}" if widest else ""),
                hint=hint,
            )


def sequence(kind: str, x: Tensor, input_size: int, batch_first: bool = False) -> None:
    """Raise ShapeError unless x is (T, B, D) with T >= 1 and D the input size.

    With `batch_first`: unless it is (B, T, D).
    """
    time, layout = (1, "B, T") if batch_first else (0, "T, B")
    one = "1, T" if batch_first else "T, 1"
    hint = "time comes first, then the batch; batch_first=True takes x as (B, T, D)"
    if batch_first:
        hint = "the batch comes first here, then time: the model has batch_first=True"
    if x.ndim == 2:
        hint = f"x.expand_dims({1 - time}) makes one sequence (T, D) a batch ({one}, D)"
    elif x.ndim == 3 and x.shape[time] == 0:
        hint = "a sequence has one step or more: leave empty ones out of the batch"
    elif x.ndim == 3:
        hint = "the last axis is the input of one step: is input_size right?"
    if x.ndim != 3 or x.shape[2] != input_size or x.shape[time] == 0:
        raise ShapeError(
            f"{kind}(x): x is not a sequence of inputs for this model",
            expect=f"x of shape ({layout}, {input_size}), T >= 1",
            actual=f"x: {describe(x._edge)}",
            hint=hint,
        )


# Arguments of PyTorch's and Keras' recurrent layers, and what has their meaning here.
_ELSEWHERE = {
    "bias": "cells always have one; p.requires_grad = False keeps cell.b as it is",
    "nonlinearity": "it is called activation",
    "proj_size": "put nn.Linear behind the model, or write a cell for models.unroll",
    "device": "there are no devices",
    "units": "it is called hidden_size, after input_size: LSTM(3, 4)",
    "return_sequences": "output has all steps; the last ones are in the state",
    "return_state": "output, state = model(x): the state is always returned",
    "go_backwards": "it is called reverse; the output stays in the order of the input",
    "stateful": "give the state back in: output, state = model(x, state)",
    "recurrent_dropout": "models.HiddenDropout around a cell",
    "use_bias": "cells always have one; p.requires_grad = False keeps cell.b as it is",
    "time_major": "time first is the default; batch_first=True for the other",
    "unit_forget_bias": "it is called forget_bias, a number, for an LSTM",
    "reset_after": 'it is called reset, "after" or "before", for a GRU',
    "seed": "it is called rng",
}


def no_others(kind: str, others: dict[str, Any]) -> None:
    """Raise ArgumentError for arguments that a model does not have."""
    for name, value in others.items():
        raise ArgumentError(
            f"{kind}({name}={value!r:.40}): there is no such argument",
            expect=f"the arguments that help(models.{kind}) lists",
            actual=name,
            hint=_ELSEWHERE.get(name, "is it spelled as in the list?"),
        )


def share_dropped(kind: str, share: Any, layers: int) -> bool:
    """Is there anything to drop between layers? ArgumentError if it is no share."""
    if isinstance(share, bool) or not isinstance(share, int | float | np.number):
        share = float("nan")
    if not 0 <= share <= 1:
        raise ArgumentError(
            f"{kind}(dropout=...): not a share of the entries",
            expect="0 <= dropout <= 1",
            actual=f"{share!r:.40}",
            hint="dropout=0.2 hides a fifth of each layer's output from the next layer",
        )
    if share and layers == 1:
        warn(
            f"{kind}(dropout=...) with one layer drops nothing",
            expect="num_layers >= 2: entries are dropped between layers",
            actual="num_layers=1",
            hint="nn.Dropout before or after the model, or models.HiddenDropout within",
        )
    return bool(share) and layers > 1


def initial_state(
    kind: str,
    names: tuple[str, ...],
    state: Any,
    shape: tuple[int, ...] | None = None,
) -> tuple[Tensor, ...]:
    """The state as a tuple of tensors, one for each of `names`.

    Raises ShapeError for another number of tensors, or for a shape that is not the
    (layers * directions, B, H) given as `shape`.
    """
    starts = (state,) if len(names) == 1 and not isinstance(state, tuple) else state
    if not isinstance(starts, tuple | list) or len(starts) != len(names):
        wanted = f"({', '.join(name + '0' for name in names)})"
        count = len(starts) if isinstance(starts, tuple | list) else "a"
        raise ShapeError(
            f"{kind}: the initial state has not {len(names)} parts",
            expect=f"state {wanted}: {len(names)} tensors"
            + (f" of shape {shape}" if shape else ""),
            actual=f"{count} {type(state).__name__}",
            hint=f"pass a tuple {wanted}, or None for zeros",
        )
    tensors = tuple(
        [as_tensor(s, f"{name}0") for s, name in zip(starts, names, strict=True)]
    )
    for name, start in zip(names, tensors, strict=True):
        if shape and start.shape != shape:
            if start.ndim == 3 and start.shape[::2] == shape[::2]:
                raise other_batch(kind, name, start, start.shape[1], shape[1])
            bare = shape[0] == 1 and start.shape == shape[1:]
            raise ShapeError(
                f"{kind}: {name}0 has another shape than the state",
                expect=f"{name}0 of shape {shape}: (layers * directions, B, H)",
                actual=f"{name}0: {describe(start._edge)}",
                hint=f"use {name}0.expand_dims(0)"
                if bare
                else "one (B, H) slice per cell, in the order of model.cells",
            )
    return tensors


def other_batch(
    kind: str, name: str, state: Tensor, have: int, want: int
) -> ShapeError:
    """The error for a state of `have` sequences where x has `want`."""
    at = "" if state.ndim == 2 else ":, "
    cut = f"{name}[{at}:{want}] for those of them that go on, "
    return ShapeError(
        f"{kind}: the state is of {have} sequences, and x of {want}",
        expect=f"a state of {want} sequences: one for each in the batch",
        actual=describe(state._edge),
        hint="a state carried over from a batch of another size? "
        "mg.data.batches(..., drop_last=True) leaves the short batch out; or pass "
        f"{cut * (have > want)}None to begin with zeros",
    )


def number(name: str, value: Any) -> float:
    """A finite number. ArgumentError if it is not."""
    if isinstance(value, int | float | np.number) and np.isfinite(value):
        return float(value)
    raise ArgumentError(
        f"{name}={value!r:.60} is not a number",
        expect=f"{name}: a finite number",
        actual=type(value).__name__,
        hint=f"for example {name}=1.0",
    )


def step(cell: Any, x: Tensor, state: Any) -> tuple[Tensor, ...]:
    """The state as tensors, if x (B, D) and each (B, H) fit the cell; else raise."""
    kind, names = type(cell).__name__, cell.states
    state = initial_state(kind, names, state)
    same_dtype(kind, cell.dtype, x=x, **dict(zip(names, state, strict=True)))
    widths = [cell.input_size] + [cell.hidden_size] * len(state)
    values = (x, *state)
    batch = x.shape[0] if x.ndim else 0
    for name, width, value in zip(("x", *names), widths, values, strict=True):
        if value.shape != (batch, width):
            if value.ndim == 2 == x.ndim and value.shape[1] == width:
                raise other_batch(f"{kind}(x, state)", name, value, len(value), batch)
            wide = ", ".join(f"{s} (B, {cell.hidden_size})" for s in names)
            raise ShapeError(
                f"{kind}(x, state): {name} does not fit this cell",
                expect=f"x (B, {cell.input_size}), {wide}",
                actual=f"{name}: {describe(value._edge)}     x: {describe(x._edge)}",
                hint="a cell takes one step of a batch; models.unroll takes sequences",
            )
    return state
