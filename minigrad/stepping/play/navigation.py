"""Finds the next event of a kind: the next gate, time step, pass or contribution.

What counts is where an event's operation is recorded; `player.js` does the same.

Read next: `breakpoints.py`.
"""

from __future__ import annotations

from typing import Any

from minigrad.engine.errors import one_of
from minigrad.stepping.record.events import (
    Contribution,
    Event,
    Gradient,
    Stacked,
)

UNITS = ("event", "operation", "gate", "step", "pass", "contribution")


def where(steps: Any, event: Event, unit: str) -> tuple[Any, ...] | None:
    """The stretch of a kind that an event belongs to; None if it is in none."""
    side = "forward" if event.forward else "backward"
    if unit == "pass":
        return (side,)
    if event.operation is None or isinstance(event, Stacked):  # outside everything
        return (side, None, None, None) if unit == "step" else None
    operation = steps.operations[event.operation]
    if unit == "operation":
        return side, event.operation
    step = operation.loop, operation.layer, operation.step
    if unit == "step":
        return side, *step
    gate = operation.gate
    return None if gate is None else (side, *step, gate.name)


def seek(
    steps: Any, number: int, what: str, back: bool = False, target: int | None = None
) -> int | None:
    """The number of the next event (before it, with `back`); None if there is none.

    what    "event"; "operation", "gate", "step" (of a layer), "pass": the first event
            of the next stretch of that kind; "contribution": the next one, of those to
            the gradient of value `target` (None: to any parameter)
    number  where to start from
    """
    one_of("what", what, UNITS)
    ahead = range(number - 1, -1, -1) if back else range(number + 1, len(steps.events))
    if what == "event":
        return next(iter(ahead), None)
    if what == "contribution":
        return next((k for k in ahead if _gives(steps, k, target)), None)
    here = None
    if 0 <= number < len(steps.events):
        here = where(steps, steps.events[number], what)
    found = None
    for k in ahead:
        there = where(steps, steps.events[k], what)
        if found is not None and there != found:
            return k + 1  # going back: the first event of that stretch
        if found is None and there is not None and there != here:
            if not back:
                return k
            found = there
        elif found is None and there != here:
            here = None  # out of the stretch: one like it may come again
    return 0 if found is not None else None


def _gives(steps: Any, number: int, target: int | None) -> bool:
    """Is it a contribution to this value, or to any parameter?"""
    event = steps.events[number]
    if not isinstance(event, Contribution | Stacked | Gradient):
        return False
    if target is None:
        return steps.values[event.target].operation is None
    return event.target == target
