"""Deep and long: chains and diamonds that would break recursion or take forever.

Read next: `value_accuracy.py`.
"""

from __future__ import annotations

import numpy as np

import minigrad as mg
from minigrad.checking.outcome import Effort, Outcome


def long_graphs(effort: Effort) -> Outcome:
    """A long chain, a sum with many terms, and a diamond with 2^60 paths."""
    outcome = Outcome("deep and long", "chains, sums and diamonds")
    length = 1_000_000 if effort.seconds > 60 else 50_000
    outcome.expect(_chain(length), f"a chain of {length:,} operations")
    outcome.expect(_terms(length // 10), f"a sum of {length // 10:,} terms")
    outcome.expect(_diamond(60), "a diamond 60 deep")
    return outcome


def _chain(length: int) -> bool:
    """x - 0 - 0 ...: the gradient is 1; an odd number of signs makes it -1."""
    x = mg.tensor(1.5, requires_grad=True)
    y = x
    for _ in range(length):
        y = -y
    (g,) = mg.grad(y, [x])
    return float(g) == (-1.0) ** length and float(y) == 1.5 * (-1.0) ** length


def _terms(count: int) -> bool:
    x = mg.tensor(np.float64(2.0), requires_grad=True)
    total = x * 1.0
    for _ in range(count - 1):
        total = total + x
    (g,) = mg.grad(total, [x])
    return float(g) == count


def _diamond(depth: int) -> bool:
    """Each level is the sum of the one before with itself: 2^depth paths."""
    x = mg.tensor(1.0, requires_grad=True)
    y = x
    for _ in range(depth):
        y = y + y
    (g,) = mg.grad(y, [x])
    return float(g) == 2.0**depth
