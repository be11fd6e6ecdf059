"""Watches how many batches are clipped, and by how much.

Read next: `update_watch.py`.
"""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np

from minigrad.flow.findings import Finding
from minigrad.reading.text import number

RECENT = 100  # batches over which clipping is counted
FEWEST = 10
CLIPPED = 0.5  # of the batches
ADAPTIVE = {"Adam", "AdamW", "RMSprop"}  # a common factor cancels in their steps


class ClippingWatch:
    """The last hundred batches: clipped or not, and the norm in units of the bound."""

    def __init__(self) -> None:
        self._clipped: deque[bool] = deque(maxlen=RECENT)
        self._factors: deque[float] = deque(maxlen=RECENT)

    def batch(self, clipped: bool, norm: Any, max_norm: Any) -> None:
        """One batch is done."""
        self._clipped.append(clipped)
        if clipped and norm is not None and max_norm:
            factor = float(norm) / float(max_norm)
            if np.isfinite(factor):
                self._factors.append(factor)

    @property
    def share(self) -> float:
        """The share of the batches that were clipped."""
        return float(np.mean(self._clipped)) if self._clipped else 0.0

    def findings(self, optimizer: Any = None) -> list[Finding]:
        """A finding if most batches were clipped."""
        count = len(self._clipped)
        factor = float(np.median(self._factors)) if self._factors else None
        name = type(optimizer).__name__
        return clipping(self.share, count, factor, name if optimizer else "")


def clipping(
    share: float, batches: int, factor: float | None = None, optimizer: str = ""
) -> list[Finding]:
    """A finding if most batches were clipped; what it means depends on the optimiser.

    factor     how many times the bound the norm is, in the middle; None: not known
    optimizer  the name of its class; "" if it is not known
    """
    if batches < FEWEST or share < CLIPPED:
        return []
    text = f"the gradient was clipped in {share:.0%} of the last {batches} batches"
    if factor is not None:
        text += f", to 1/{number(factor)} of its length in the middle"
    if optimizer in ADAPTIVE:
        text += (
            f". {optimizer} divides by the usual size of a gradient, so that its steps "
            "hardly depend on the bound: it only evens out the batches"
        )
    elif optimizer == "SGD":
        text += ". The bound, not the gradient, decides how long the steps of SGD are"
    else:
        text += (
            ". With SGD the bound, not the gradient, decides then how long the steps "
            "are; with Adam and RMSprop hardly"
        )
    remedy = "A larger bound, max_norm, or a smaller learning rate without one."
    evidence = {"share": share, "batches": batches, "factor": factor}
    severity = "note" if optimizer in ADAPTIVE else "warning"
    return [Finding("clipping", severity, text, evidence=evidence, remedy=remedy)]
