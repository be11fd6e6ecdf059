"""Questions that several files of this package ask of their arguments.

Each takes `call`, the name of the public function that the user called, so that the
message speaks of that and not of a helper.

Read next: `minigrad/training/` (the training loop).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from minigrad.engine import random
from minigrad.engine.errors import ArgumentError, DTypeError, ShapeError


def whole_number(call: str, name: str, value: Any, least: int) -> int:
    """`value` as an int that is at least `least`; ArgumentError if it is not one."""
    # True is an int to Python, but batch_size=True is a slip.
    is_int = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if is_int and value >= least:
        return int(value)
    raise ArgumentError(
        f"{call}({name}={value!r}): {name} must be a whole number, {least} or more",
        expect=f"int >= {least}",
        actual=f"{value!r} ({type(value).__name__})",
        hint=f"pass {name} as an int of at least {least}",
    )


def generator(call: str, rng: Any) -> np.random.Generator:
    """The generator to draw from: `rng` itself, one seeded by it, or the global one."""
    return random.generator(rng, call)


def number_array(call: str, name: str, values: Any, hint: str) -> np.ndarray:
    """`values` as an array of real numbers or booleans; ShapeError if they are ragged.

    Errors: DTypeError with `hint` for words, None, objects and complex numbers.
    """
    try:
        array = np.asarray(values)
    except ValueError:  # NumPy's word for nested lists of unequal length
        raise ShapeError(
            f"{call}({name}): nested unevenly, so it is not an array",
            expect="entries that all have the same shape",
            actual=shortened(values),
            hint="flatten it, or pad the inner lists to one length first",
        ) from None
    if array.dtype.kind not in "biuf":
        raise DTypeError(
            f"{call}({name}): not numbers",
            expect="integers, floats or booleans",
            actual=f"{shortened(values)}, which NumPy reads as {array.dtype}",
            hint=hint,
        )
    return array


def number_dtype(call: str, dtype: Any, or_object: bool = False) -> np.dtype:
    """`dtype` as a NumPy dtype of real numbers, booleans or (if wanted) objects."""
    try:
        wanted = np.dtype(dtype)
    except TypeError:
        wanted = None
    if wanted is None or wanted.kind not in ("biufO" if or_object else "biuf"):
        raise DTypeError(
            f"{call}(dtype={dtype!r}): not a dtype for numbers",
            expect="an integer, float or boolean dtype" + ", or object" * or_object,
            actual=repr(dtype),
            hint='dtype="int32" or dtype="float32"'
            + ", for words dtype=object" * or_object,
        )
    return wanted


def cast_exactly(call: str, name: str, array: np.ndarray, dtype: np.dtype) -> Any:
    """`array` as `dtype`, refusing what an integer dtype would cut off.

    NumPy turns 1.5 into 1 and 300 into an int8 of 44 without a word. Floats may round.
    """
    with np.errstate(invalid="ignore", over="ignore"):
        cast = array.astype(dtype)
    if dtype.kind in "biu":
        wrong = np.argwhere(cast != array)
        if len(wrong):
            at = tuple(int(i) for i in wrong[0])
            place = f"{name}{list(at)}" if at else name
            raise DTypeError(
                f"{call}({name}): {place} does not fit into {dtype}",
                expect=f"values that {dtype} holds exactly",
                actual=f"{array[at].item()!r}",
                hint='round it yourself, or choose a dtype that holds it ("float32")',
            )
    return cast


def is_sequence(value: Any) -> bool:
    """Can this be a row of items? Texts and mappings can be looped over, but no."""
    if isinstance(value, str | bytes | Mapping) or not isinstance(value, Iterable):
        return False
    return getattr(value, "ndim", 1) > 0  # a 0-d array only looks iterable


def shortened(values: Any, width: int = 60) -> str:
    """repr for a message: cut where it grows too long for a line."""
    text = repr(values)
    return text if len(text) <= width else text[: width - 3] + "..."
