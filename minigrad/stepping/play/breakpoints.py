"""Conditions that stop the player, such as a vanished gradient or a NaN.

    steps.until("norm < 1e-6")          a gradient's L2 norm falls under 1e-6
    steps.until("norm of h < 1e-6")     the same, of values called h only
    steps.until("receives W_h")         something is added to this parameter's gradient
    steps.until("nan")  ("inf")         a NaN (or an infinity, too) in what was made

The terminal and the page understand the same texts.

Read next: `captions.py`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from minigrad.engine.errors import ArgumentError
from minigrad.reading.text import clean
from minigrad.stepping.record.events import (
    Array,
    Contribution,
    Event,
    Forward,
    Incoming,
    Stacked,
)

Condition = Callable[[Any, Event], bool]
_NORM = re.compile(r"\s*norm(?:\s+of\s+(\S+))?\s*<\s*(\S+)\s*", re.I)
_RECEIVES = re.compile(r"\s*receives\s+(\S.*?)\s*", re.I)


def norm_below(limit: float, of: str | None = None) -> Condition:
    """An incoming gradient dL/d(output) has an L2 norm under `limit`.

    of  only of values with this symbol ("h_3") or letter ("h", "a_f"); where
        the letter has numbers, the array of all of them, which bears the letter alone,
        is not meant
    """

    def meant(steps: Any, symbol: Any) -> bool:
        if of is None or symbol.sub or of != symbol.base:
            return of is None or of in (symbol.base, symbol.series, str(symbol))
        return not any(v.symbol.base == of and v.symbol.sub for v in steps.values)

    def holds(steps: Any, event: Event) -> bool:
        if not isinstance(event, Incoming) or event.operation is None:
            return False
        outputs = steps.operations[event.operation].outputs
        for k, part in zip(outputs, event.gradients, strict=True):
            if part is not None and meant(steps, steps.values[k].symbol):
                if part.facts.norm < limit:
                    return True
        return False

    return holds


def receives(name: str) -> Condition:
    """Something is added to the gradient of the tensor with this name or symbol."""

    def holds(steps: Any, event: Event) -> bool:
        if not isinstance(event, Contribution | Stacked):
            return False
        return event.target == steps.find(name).number

    return holds


def not_finite(infinite: bool = False) -> Condition:
    """A NaN (or, with `infinite`, an infinity) is among what an event made."""

    def holds(steps: Any, event: Event) -> bool:
        facts = [array.facts for array in arrays(steps, event)]
        return any(f.nans or (infinite and f.infinities) for f in facts)

    return holds


def arrays(steps: Any, event: Event) -> list[Array]:
    """The arrays that an event made."""
    if isinstance(event, Forward) and event.operation is not None:
        outputs = steps.operations[event.operation].outputs
        return [steps.values[k].array for k in outputs]
    if isinstance(event, Incoming):
        return [part for part in event.gradients if part is not None]
    return [event.value]  # type: ignore[attr-defined]


def condition(steps: Any, text: str) -> Condition:
    """The condition that a text describes. ArgumentError if it is none."""
    words = text.strip().lower()
    if words in ("nan", "inf"):
        return not_finite(words == "inf")
    match = _RECEIVES.fullmatch(text)
    if match:
        steps.find(match[1])
        return receives(match[1])
    match = _NORM.fullmatch(text)
    try:
        limit = float(match[2]) if match else None
    except ValueError:
        limit = None
    if match is None or limit is None or not limit > 0:
        raise ArgumentError(
            f"{clean(text)!r} is not a condition",
            expect='"norm < 1e-6", "norm of h < 1e-6", "receives W_h", "nan" or "inf"',
            actual=repr(clean(text)),
            hint="in Python, a function of (steps, event) works too",
        )
    of = match[1]
    symbols = [v.symbol for v in steps.values]
    known = {word for s in symbols for word in (s.base, s.series, str(s))}
    if of is not None and of not in known:
        letters = sorted({s.series for s in symbols if s.sub})
        raise ArgumentError(
            f"norm of {clean(of)!r}: no value has this name",
            expect=f"a symbol or a letter, such as {', '.join(letters[:8])}",
            actual=repr(clean(of)),
            hint="leave out `of ...` for the gradient of anything",
        )
    return norm_below(limit, of)


def until(
    steps: Any, wanted: str | Condition, after: int = -1, back: bool = False
) -> Event | None:
    """The first event after number `after` (before it, with `back`) at which a
    condition holds; None if there is none."""
    holds = condition(steps, wanted) if isinstance(wanted, str) else wanted
    if not callable(holds):
        raise ArgumentError(
            f"until({wanted!r:.40}): not a condition",
            expect="a condition in words, or a function of (steps, event)",
            actual=f"{wanted!r:.40} ({type(wanted).__name__})",
            hint="steps.until('norm < 1e-6') is one in words",
        )
    if back:
        ahead = steps.events[: max(0, after)][::-1]
    else:
        ahead = steps.events[max(0, after + 1) :]
    return next((event for event in ahead if holds(steps, event)), None)
