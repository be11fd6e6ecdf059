"""Describes an event in text and formulas, for terminals, captions and lists.

Read next: `heat_bars.py`.
"""

from __future__ import annotations

from typing import Any

from minigrad.reading.formula_printers import text
from minigrad.reading.formulas import Tree, filled, slope
from minigrad.stepping.record.events import (
    Carried,
    Contribution,
    Event,
    Forward,
    Gradient,
    Incoming,
    Operation,
    Stacked,
)


def place(steps: Any, event: Event) -> str:
    """The event's place: "layer 0 / lstm / step 3 / forget gate"; "" outside scopes."""
    if event.operation is None or isinstance(event, Stacked):
        return ""
    return steps.operations[event.operation].path


def headline(steps: Any, event: Event) -> str:
    """One line that says what happens: "backward: matmul gives to W_h (3 of 5)"."""
    target = getattr(event, "target", None)
    symbol = "" if target is None else str(steps.values[target].symbol)
    if isinstance(event, Carried):
        return f"backward: {_many(event.count)} to {symbol}, left out here"
    if isinstance(event, Gradient):
        return f"backward: the gradient of {symbol} is complete"
    assert event.operation is not None
    operation = steps.operations[event.operation]
    if isinstance(event, Forward):
        made = ", ".join(symbols(steps, operation.outputs))
        return f"forward: {operation.name} makes {made}"
    if isinstance(event, Incoming):
        made = ", ".join(symbols(steps, operation.outputs))
        count = steps.values[operation.outputs[0]].uses
        if len(operation.outputs) > 1 or not count:
            return f"backward: the gradient of {made} is complete"
        return f"backward: the gradient of {made} is complete: {_many(count)}"
    if isinstance(event, Stacked):
        many = len(event.operations)
        return f"backward: {many} contributions to {symbol}, summed in one product"
    assert isinstance(event, Contribution)
    uses = steps.values[event.target].uses
    which = f" ({event.index} of {uses})" if uses > 1 else ""
    return f"backward: {operation.name} gives to {symbol}{which}"


def symbols(steps: Any, numbers: tuple[int, ...]) -> list[str]:
    """The symbols of values; dots for many."""
    found = [str(steps.values[k].symbol) for k in numbers]
    return found if len(found) <= 4 else [*found[:2], "...", found[-1]]


def formula(steps: Any, event: Event) -> str:
    """The formula of an event, with the symbols of the values.

    forward       f_3 = σ(v_41)
    contribution  ∂L/∂v_41 += ∂L/∂f_3 · f_3 · (1 − f_3)
    incoming      ∂L/∂f_3 = the sum of its contributions
    """
    if isinstance(event, Forward | Incoming):
        assert event.operation is not None
        operation = steps.operations[event.operation]
        made = symbols(steps, operation.outputs)
        if isinstance(event, Forward):
            right = filled(operation.formula, letters(steps, operation))
            return f"{', '.join(made)} = {text(right)}"
        count = [steps.values[k].uses for k in operation.outputs]
        if not any(count):
            return f"{_gradient(made[0])} = 1, the start"
        if len(made) > 1:
            return f"{', '.join(map(_gradient, made))}: each the sum of what it got"
        return f"{_gradient(made[0])} = the sum of {_many(count[0])}"
    target = str(steps.values[event.target].symbol)  # type: ignore[attr-defined]
    if isinstance(event, Contribution):
        assert event.operation is not None
        operation = steps.operations[event.operation]
        rule = operation.rules[event.input]
        right = "?" if rule is None else filled(rule, letters(steps, operation))
        return f"{_gradient(target)} += {text(right)}"
    if isinstance(event, Stacked):
        first = steps.operations[event.operations[0]]
        left = steps.values[first.inputs[0]].symbol.base
        many = len(event.operations)
        return f"{_gradient(target)} += Σ {left}ᵀ g over {many} uses, as one product"
    if isinstance(event, Carried):
        return f"{_gradient(target)} so far"
    return f"{_gradient(target)} complete: what backward() adds to .grad"


def letters(steps: Any, operation: Operation) -> dict[str, Tree]:
    """What stands for each letter of the operation's formulas."""
    read = [steps.values[k].symbol for k in operation.inputs]
    made = [steps.values[k].symbol for k in operation.outputs]
    known: dict[str, Tree] = dict(zip(operation.letters, read, strict=True))
    known |= {"y": made[0], "g": slope("L", made[0])}
    if len(made) > 1:
        known |= {f"g{k}": slope("L", symbol) for k, symbol in enumerate(made)}
    return known


def _many(count: int) -> str:
    return f"{count} contribution{'s' * (count > 1)}"


def _gradient(symbol: str) -> str:
    return text(slope("L", symbol))
