"""An exercise with hidden values, and the words for what is wrong with an answer.

Read next: `gradient_exercises.py`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from minigrad.engine.tensor import Tensor

CASES = 8  # hidden values that each answer is tried with


class Exercise(NamedTuple):
    """One exercise of a lesson, answered by a function.

    lesson, number   where it is
    name             of the function to write, with its arguments: "slope(s)"
    asks             what it has to return
    values           makes the arguments of one case from a generator
    wanted           the right answer for these arguments
    mistakes         answers that are often given, and what to say of them
    judge            instead of `wanted`: what is wrong with an answer, or ""
    """

    lesson: int
    number: int
    name: str
    asks: str
    values: Callable[[np.random.Generator], Sequence[Any]]
    wanted: Callable[..., Any] | None = None
    mistakes: Mapping[str, Callable[..., Any]] = {}
    judge: Callable[..., str] | None = None

    @property
    def function(self) -> str:
        """The name of the function alone."""
        return self.name.partition("(")[0]

    def fault(self, answer: Any, seed: int) -> str:
        """What is wrong with a function; "" if it is right for all hidden values."""
        if not callable(answer):
            return f"{self.function} is no function: write def {self.name}: ..."
        rng = np.random.default_rng([seed, self.lesson, self.number])
        for case in range(CASES):
            values = self.values(rng)
            try:
                inspect.signature(answer).bind(*values)
            except TypeError:
                return f"it has to take other arguments: def {self.name}: ..."
            try:
                given = answer(*values)
            except Exception as error:
                said = str(error).partition("\n")[0]
                return f"it raises {type(error).__name__}: {said:.120}"
            try:
                told = self._fault(given, values)
            except (
                TypeError,
                ValueError,
            ):  # of a judge: words, rows of several lengths
                told = "it does not return numbers of the shape that is asked for"
            if told:
                some = "all" if case == 0 else "some"
                return f"{told} (for {some} of the values that you do not see)"
        return ""

    def _fault(self, given: Any, values: Sequence[Any]) -> str:
        """What is wrong with one answer."""
        if self.judge is not None:
            return self.judge(given, *values)
        assert self.wanted is not None
        right = self.wanted(*values)
        told = difference(given, right)
        if told:
            for words, mistake in self.mistakes.items():
                if not difference(given, mistake(*values)):
                    return words
        return told


def difference(given: Any, wanted: Any) -> str:
    """How an answer differs from the right one, without giving it away; "" if not."""
    got, right = _array(given), _array(wanted)
    if given is None:
        return "it returns None: is there a return?"
    if got is None:
        return f"it returns {type(given).__name__}, not numbers"
    assert right is not None
    if got.shape != right.shape:
        if got.shape == right.shape[::-1] and np.allclose(got.T, right, rtol=1e-6):
            return "the result is transposed"
        if got.size == right.size and got.squeeze().shape == right.squeeze().shape:
            return difference(got.reshape(right.shape), right)
        return f"its shape is {got.shape}, and it should be {right.shape}"
    if right.dtype.kind == "b":
        same = got.astype(bool) == right
        return (
            "" if same.all() else "a yes stands where a no belongs, or a no for a yes"
        )
    if np.isnan(got).any():
        return "there is a NaN in the result"
    if np.allclose(got, right, rtol=1e-6, atol=1e-12):
        return ""
    if np.allclose(-got, right, rtol=1e-6, atol=1e-12):
        return "the sign is the wrong way round"
    return _by_size(got, right)


def _by_size(got: np.ndarray, right: np.ndarray) -> str:
    """Is it too large by one factor or summand, or wrong in some places only?"""
    known = np.abs(right) > 1e-12
    if known.all() and (np.abs(got) > 1e-12).all():
        factors = (got / right).ravel()
        if got.size > 1 and np.allclose(factors, factors[0], rtol=1e-6):
            return f"all numbers are {factors[0]:.3g} times what they should be"
    apart = got - right
    if got.size > 1 and np.allclose(apart, apart.flat[0], rtol=1e-6):
        return f"all numbers are off by {apart.flat[0]:.3g}"
    wrong = ~np.isclose(got, right, rtol=1e-6, atol=1e-12)
    if got.ndim and wrong.sum() < got.size:
        places = [tuple(map(int, place)) for place in np.argwhere(wrong)[:3]]
        at = ", ".join(str(p[0] if len(p) == 1 else p) for p in places)
        return f"{int(wrong.sum())} of {got.size} numbers are wrong: at {at}"
    side = "large" if float(np.abs(got).sum()) > float(np.abs(right).sum()) else "small"
    return f"the numbers are wrong: too {side}"


def _array(value: Any) -> np.ndarray | None:
    """An answer as an array of numbers; None if it is none."""
    if isinstance(value, Tensor):
        value = value.data
    elif isinstance(value, list | tuple):
        value = [v.data if isinstance(v, Tensor) else v for v in value]
    try:
        found = np.asarray(value)
    except ValueError:
        return None
    if found.dtype.kind == "b":
        return found
    return found.astype(float) if found.dtype.kind in "iuf" else None
