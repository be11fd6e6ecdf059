"""Random expressions as data: drawn from a seed, run in any library, cut down to size.

    made = draw(np.random.default_rng(7), steps=30)
    outputs, inputs = run(made, MINIGRAD, leaf)

An expression is a list of steps, each with the numbers of the values that it takes: the
inputs come first, then one value per step. Values are used several times, shapes are
broadcast, some are empty of any axis. Its result is the sum of all values that no other
step uses, each weighted by random numbers, so that every path has its own weight.

Read next: `gradients.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from minigrad.checking.array_library import NUMPY
from minigrad.checking.operations import OPERATIONS

SHAPES = ((), (1,), (3,), (4,), (2, 3), (3, 1), (1, 4), (3, 3), (2, 1, 3), (2, 2, 2))
LARGEST = 200  # entries of a value
BEYOND = 1e3  # values larger than this go through a sine


class Step(NamedTuple):
    """One operation on values with these numbers."""

    name: str
    operands: tuple[int, ...]
    attrs: tuple[tuple[str, Any], ...]


class Expression(NamedTuple):
    """A program: what its inputs were drawn as, and its steps."""

    inputs: tuple[np.ndarray, ...]
    steps: tuple[Step, ...]

    def __str__(self) -> str:
        lines = [f"v{k} = array of {a.shape}" for k, a in enumerate(self.inputs)]
        for number, step in enumerate(self.steps, len(self.inputs)):
            given = [f"v{k}" for k in step.operands]
            given += [f"{name}={value}" for name, value in step.attrs]
            lines.append(f"v{number} = {step.name}({', '.join(given)})")
        return "\n".join(lines)


def draw(
    rng: np.random.Generator, steps: int, smooth: bool = False, first: str = ""
) -> Expression:
    """An expression of that many steps.

    smooth  only operations to which the complex step applies
    first   the name of the first step's operation, where its shapes allow it
    """
    names = [name for name, op in OPERATIONS.items() if op.smooth or not smooth]
    inputs = _inputs(rng)
    values = list(inputs)
    made: list[Step] = []
    while len(made) < steps:
        name = first if first and not made else names[rng.integers(len(names))]
        step = _fitting(rng, name, values)
        if step is None:
            if first and not made:  # no input has a shape that suits it
                inputs = _inputs(rng)
                values = list(inputs)
            continue
        value = _value(step, values)
        if value.size > LARGEST:
            continue
        values.append(value)
        made.append(step)
        if np.abs(value).max(initial=0) > BEYOND:
            made.append(Step("sin", (len(values) - 1,), ()))
            values.append(np.sin(value))
    return Expression(inputs, tuple(made))


def _inputs(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    chosen = rng.choice(len(SHAPES), 3)
    return tuple(rng.standard_normal(SHAPES[k]) for k in chosen)


def _fitting(rng: np.random.Generator, name: str, values: list[Any]) -> Step | None:
    """A step of that name on values whose shapes suit it, if there are any."""
    operation = OPERATIONS[name]
    one = int(rng.integers(len(values)))
    shape = values[one].shape
    attrs = operation.attrs(rng, shape)
    if attrs is None:
        return None
    if np.abs(values[one]).min(initial=np.inf) < operation.kink:
        return None
    if np.abs(values[one]).max(initial=0.0) > operation.far:
        return None
    operands = [one]
    if operation.fits:
        good = [
            k for k, v in enumerate(values) if _suits(operation.fits, shape, v.shape)
        ]
        if not good:
            return None
        operands.append(int(good[rng.integers(len(good))]))
    return Step(name, tuple(operands), tuple(attrs.items()))


def _suits(fits: str, one: tuple[int, ...], other: tuple[int, ...]) -> bool:
    if fits == "same":
        return one == other
    if fits == "product":
        return len(other) == 2 and one[-1] == other[0]
    pairs = zip(reversed(one), reversed(other), strict=False)
    return all(a == b or 1 in (a, b) for a, b in pairs)


def _value(step: Step, values: list[np.ndarray]) -> np.ndarray:
    """What it gives, from NumPy."""
    return np.asarray(perform(step, NUMPY, [values[k] for k in step.operands]))


def perform(step: Step, library: Any, operands: list[Any]) -> Any:
    """What a step gives, in that library."""
    function = OPERATIONS[step.name].function
    return function(library, *operands, **dict(step.attrs))


def run(
    made: Expression,
    library: Any,
    leaf: Callable[[np.ndarray], Any],
    seed: int = 0,
    perform: Callable[[Step, Any, list[Any]], Any] = perform,
) -> tuple[Any, list[Any]]:
    """The weighted sum of all unused values, and the inputs as the library's own.

    library  an object with the functions that `operations.MINIGRAD` has
    leaf     makes an input of an array
    perform  a step, the library and its operands -> what it gives
    """
    leaves = [leaf(a) for a in made.inputs]
    values = list(leaves)
    for step in made.steps:
        operands = [values[k] for k in step.operands]
        values.append(perform(step, library, operands))
    used = {k for step in made.steps for k in step.operands}
    weights = np.random.default_rng(seed)
    total: Any = 0.0
    for number, value in enumerate(values):
        weight = weights.standard_normal(tuple(value.shape))
        if number not in used:
            total = total + library.sum(value * library.constant(weight))
    return total, leaves


def needed(made: Expression, number: int) -> Expression:
    """Only what the value with this number is made of."""
    keep, first = {number}, len(made.inputs)
    for k in range(number, first - 1, -1):
        if k in keep:
            keep.update(made.steps[k - first].operands)
    order = sorted(keep)
    place = {old: new for new, old in enumerate(order)}
    steps = tuple(
        step._replace(operands=tuple(place[k] for k in step.operands))
        for k, step in enumerate(made.steps, first)
        if k in keep
    )
    return Expression(tuple(a for k, a in enumerate(made.inputs) if k in keep), steps)


def smallest(made: Expression, fails: Callable[[Expression], bool]) -> Expression:
    """The shortest part of it that still fails, or the whole."""
    first = len(made.inputs)
    parts = [needed(made, k) for k in range(first, first + len(made.steps))]
    parts.sort(key=lambda part: len(part.steps))
    return next((part for part in parts if fails(part)), made)
