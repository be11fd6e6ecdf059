"""Checks a Trainer's arguments, and the results of the user's functions.

Read next: `compiled_step.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from minigrad.engine.errors import ArgumentError, warn
from minigrad.engine.tensor import Tensor
from minigrad.reading.earlier_graph import REMEDY


def arguments(
    *,
    loss: Any,
    batches: Any,
    epochs: Any,
    validate: Any,
    patience: Any,
    monitor: Any,
    clip_norm: Any,
    schedule: Any,
) -> None:
    """ArgumentError for arguments of a Trainer that do not fit, or not together."""
    for name, function in (("loss", loss), ("validate", validate)):
        if not callable(function) and not (name == "validate" and function is None):
            _refuse(f"{name}={function!r:.40}", f"a function: {name}(model, ...)")
    if schedule is not None and not callable(schedule):
        _refuse(f"schedule={schedule!r:.40}", "a function: schedule(step) -> factor")
    try:
        used_up = iter(batches) is batches
    except TypeError:
        _refuse(f"batches={batches!r:.40}", "something to loop over in each epoch")
    if used_up:
        _refuse("batches is used up by one epoch", "something to loop over again")
    if not _whole(epochs, 0):
        _refuse(f"epochs={epochs!r}", "a whole number, 0 or more")
    if validate is None and (patience is not None or monitor is not None):
        _refuse("early stopping needs figures", "validate=...")
    if patience is not None and not _whole(patience, 1):
        _refuse(f"patience={patience!r}", "1 or more epochs, or None")
    if clip_norm is not None and not (_number(clip_norm) and clip_norm >= 0):
        _refuse(f"clip_norm={clip_norm!r:.40}", "a number, 0 or more, or None")


def loss_of(given: Any) -> Tensor:
    """A loss as it is to be; ArgumentError for anything but a scalar Tensor."""
    if isinstance(given, Tensor) and given.size == 1 and given.dtype.kind == "f":
        return given
    what = "loss(model, batch) gave something else"
    if isinstance(given, Tensor):
        return _refuse(f"{what}: {given.shape} {given.dtype}", "a scalar Tensor")
    return _refuse(f"{what}: {type(given).__name__}", "a scalar Tensor")


def pair_of(given: Any) -> tuple[Tensor, Any]:
    """What a loss with `carry` gives; ArgumentError for no pair, or no such state."""
    if not isinstance(given, tuple | list) or len(given) != 2:
        _refuse(
            f"loss(model, batch, state) gave something else: {type(given).__name__}",
            "with carry=True: (scalar Tensor, new state)",
        )
    loss, state = given
    todo = [state]
    while todo:
        part = todo.pop()
        if isinstance(part, tuple | list):
            todo += part
        elif not (part is None or isinstance(part, Tensor)):
            _refuse(
                f"the state to carry has a {type(part).__name__} in it",
                "Tensors, or tuples of them, or None",
            )
    return loss_of(loss), state


def warn_of_earlier(reached: str) -> None:
    """Warn of a loss whose graph reaches back into earlier batches.

    reached  what of them, in words
    """
    warn(
        "Trainer: the loss reaches back into earlier batches, so each batch takes more "
        "time and memory than the one before",
        expect="a graph of this batch alone",
        actual=reached,
        hint=f"{REMEDY}; Trainer(carry=True) hands the state on and cuts it off",
    )


def figures_of(given: Any) -> dict[str, float]:
    """What validation gave, as floats by name; ArgumentError for anything else."""
    if isinstance(given, Mapping) and all(isinstance(k, str) for k in given):
        try:
            return {name: float(value) for name, value in given.items()}
        except (TypeError, ValueError):
            pass
    return _refuse(f"validate(model) gave {given!r:.60}", "{name: number}")


def factor_of(given: Any) -> float:
    """What a schedule gave; ArgumentError for anything but a number."""
    return given if _number(given) else _refuse(f"schedule gave {given!r}", "a number")


def _whole(value: Any, least: int) -> bool:
    is_int = isinstance(value, int | np.integer) and not isinstance(value, bool)
    return is_int and value >= least


def _number(value: Any) -> bool:
    return isinstance(value, int | float | np.number) and not isinstance(value, bool)


def _refuse(actual: str, expect: str) -> Any:
    raise ArgumentError(
        f"Trainer: {actual}",
        expect=expect,
        actual=actual,
        hint="see the docstring of minigrad.training.Trainer",
    )
