"""`clip` with its bounds checked: which way round they are, and that they are numbers.

Read next: `axis_arguments.py`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.engine.aliases import Operand
from minigrad.engine.calls import checked_call
from minigrad.engine.errors import ArgumentError
from minigrad.engine.primitives import elementwise as e


@checked_call
def clip(x: Operand, low: Operand = None, high: Operand = None) -> Any:
    """x, but at least `low` and at most `high`; None: no bound on that side."""
    low = -np.inf if low is None else low
    high = np.inf if high is None else high
    if _has_nan(low) or _has_nan(high):
        raise ArgumentError(
            "clip(x, low, high): a bound is NaN, and every entry would become NaN",
            expect="numbers, or None for no bound",
            actual=f"low={low!r:.40}, high={high!r:.40}",
            hint="how was the bound computed? np.nanmin and np.nanmax leave NaN out",
        )
    if isinstance(low, int | float) and isinstance(high, int | float) and low > high:
        raise ArgumentError(
            f"clip(x, {low}, {high}): the lower bound is above the upper one",
            expect="low <= high",
            actual=f"{low} > {high}",
            hint="are they the wrong way round?",
        )
    return e.clip(x, low, high)


def _has_nan(bound: Operand) -> bool:
    """Is NaN among the numbers of a bound that was given, and not computed?"""
    if isinstance(bound, float):
        return bound != bound
    floating = isinstance(bound, np.ndarray) and bound.dtype.kind == "f"
    return floating and bool(np.isnan(bound).any())
