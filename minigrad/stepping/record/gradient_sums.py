"""Adds up gradients from the events in the engine's order, equal to the last bit.

Read next: `worked_numbers.py` (a formula with its numbers).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.engine.errors import ArgumentError, GradientError, GraphError
from minigrad.engine.quiet import quietly
from minigrad.stepping.record.events import (
    LARGEST,
    Array,
    Carried,
    Contribution,
    Event,
    Gradient,
    Stacked,
)


def by_target(events: list[Event]) -> dict[int, list[Event]]:
    """The events that add to each value's gradient, in order, by its number."""
    found: dict[int, list[Event]] = {}
    for event in events:
        if isinstance(event, Contribution | Stacked | Carried | Gradient):
            found.setdefault(event.target, []).append(event)
    return found


def running(steps: Any, event: Event) -> Array:
    """The sum at an event's target after it: see `Steps.running`."""
    if not isinstance(event, Contribution | Stacked | Carried | Gradient):
        raise ArgumentError(
            f"running(event): a {event.kind} event adds to no gradient",
            expect="a contribution, stacked, carried or gradient event",
            actual=f"event {event.number}: {event.kind}",
            hint="steps.contributions(target) lists them for a value",
        )
    if isinstance(event, Contribution) and event.total is not None:
        return event.total
    if isinstance(event, Carried | Gradient):
        return event.value
    if event.value.array is None:
        return event.value
    aside = isinstance(event, Contribution) and event.aside
    plain: Any = None
    product: Any = None
    with quietly():
        for other in steps.contributions(event.target):
            if other.number > event.number:
                break
            if isinstance(other, Contribution):
                if other.aside == aside:
                    plain = _plus(plain, other.value.array)
            elif isinstance(other, Carried) and other.aside == aside:
                plain = other.value.array
            elif isinstance(other, Stacked) and not aside:
                product = _plus(product, other.value.array)
        total = plain if product is None else _plus(plain, product)
    return Array.of(total, total.size)


def rebuilt(steps: Any) -> dict[int, np.ndarray]:
    """Every leaf's gradient, added up from the events: see `Steps.rebuilt`."""
    found = {}
    with quietly():
        for target, events in by_target(steps.events).items():
            if steps.values[target].operation is not None:
                continue
            plain: Any = None
            product: Any = None
            for event in events:
                array = _kept(steps, event)
                if isinstance(event, Carried):
                    plain = plain if event.aside else array
                elif isinstance(event, Stacked):
                    product = _plus(product, array)
                elif isinstance(event, Contribution) and not event.aside:
                    plain = _plus(plain, array)
            found[target] = plain if product is None else _plus(plain, product)
    return found


def check(steps: Any) -> None:
    """Rebuild every gradient from the events. GradientError at a single bit."""
    made = rebuilt(steps)
    for event in steps.events:
        if isinstance(event, Gradient):
            expected, found = _kept(steps, event), made.get(event.target)
            if found is None or found.tobytes() != expected.tobytes():
                raise GradientError(
                    f"the events of {steps.values[event.target].symbol} do not add "
                    "up to its gradient",
                    expect="the same bits",
                    actual="no events" if found is None else "other bits",
                    hint="the file was changed, or this is a bug of minigrad",
                )


def _kept(steps: Any, event: Any) -> np.ndarray:
    """The array of an event; GraphError if only a summary of it was kept."""
    array = event.value.array
    if array is None:
        value = steps.values[event.target]
        raise GraphError(
            f"the gradient of {value.symbol} cannot be added up: its arrays are "
            "summarised",
            expect=f"arrays of at most {LARGEST} entries, or a larger limit",
            actual=f"{value.symbol}: {value.array.shape}",
            hint="mg.steps(loss, largest=...) keeps larger arrays whole",
        )
    return array


def _plus(total: Any, array: Any) -> Any:
    """One "+=" as the engine does it."""
    if total is None:
        return array
    return array if array is None else total + array
