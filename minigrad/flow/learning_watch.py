"""Watches the loss: does it fall below that of the best constant answer?

What a constant answer would cost is read from the targets in the graphs that were
looked at. Where the graph does not show them, a loss that stays where it began counts.

Read next: `training_findings.py`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.flow.findings import Finding
from minigrad.flow.loss_targets import Targets, nearest, targets_of
from minigrad.reading.text import number

FEWEST = 45  # batches before anything is said
WINDOW = 50  # batches, at most, whose mean is compared
BELOW = 0.05  # of the constant's loss: so much lower is learned
MOST_TARGETS = 4096  # rows of a batch that are kept
NEAR = 48  # operations before the loss among which targets are looked for
# What keeps a network from learning, the likeliest first.
CAUSES = (
    "not-finite", "no-update", "gradient-not-cleared", "cut", "update-too-large",
    "update-too-small", "input-scale", "unused-state", "exploding", "saturated",
    "symmetric", "dead-units", "vanishing", "unused-parameter", "clipping",
)  # fmt: skip


class LearningWatch:
    """The losses of the first batches and of the latest, and the latest targets."""

    def __init__(self) -> None:
        self.batches = 0
        self.first: list[float] = []
        self.losses: deque[float] = deque(maxlen=3 * WINDOW)
        self._targets: deque[Targets | None] = deque(maxlen=WINDOW)
        self._near = NEAR  # operations among which those of the last look were found

    def batch(self, value: float, loss: Any = None, look: bool = True) -> None:
        """One batch is done: its loss as a number, and with its graph, if there is.

        look  search for the targets: in other batches they are where they were found
        """
        self.batches += 1
        if len(self.first) < WINDOW:
            self.first.append(value)
        self.losses.append(value)
        if loss is None:
            self._targets.append(None)
            return
        if look:
            self._near = _how_near(loss)
        found = targets_of(nearest(loss, self._near)) if self._near else []
        kept = None
        if len(found) == 1:  # of several, each may have a weight of its own
            kept = found[0]._replace(values=np.array(found[0].values[:MOST_TARGETS]))
        self._targets.append(kept)

    def constant(self, window: int) -> float | None:
        """The loss of the best constant answer to the latest batches, per entry; None
        if it is not known."""
        known = list(self._targets)[-window:]
        found = [one for one in known if one is not None]
        if not found or len(found) < len(known):
            return None
        if any(not _alike(found[0], one) for one in found):
            return None
        values = np.concatenate([one.values for one in found])
        best = found[0]._replace(values=values).best_constant()
        return best if np.isfinite(best) and best > 0 else None

    def finding(self, others: Sequence[Finding]) -> Finding | None:
        """The finding that nothing is learned, with what most likely explains it."""
        count = len(self.losses)
        losses = np.array(self.losses) if count >= FEWEST else np.empty(0)
        if count < FEWEST or not np.isfinite(losses).all():
            return None
        window = min(WINDOW, count // 3)
        before, last = losses[-2 * window :].reshape(2, window)
        now = float(last.mean())
        slack = 2 * np.hypot(last.std(), before.std()) / np.sqrt(window)
        if float(before.mean()) - now > max(slack, 0.01 * abs(now)):
            return None  # it falls
        constant = self.constant(window)
        first = float(np.mean(self.first[: max(3, window // 3)]))
        bar = first if constant is None else constant
        if now < bar - BELOW * abs(bar):
            return None
        cause = _cause(others)
        what = (
            "where it began"
            if constant is None
            else f"near that of the best constant answer, {number(constant)}"
        )
        text = f"the loss is {number(now)} over the last {window} batches, {what}"
        remedy = "Try the task with a shorter lag, and on ten samples alone."
        if cause is not None:
            text += f". Most likely: {cause.code} ({cause})"
            remedy = cause.remedy
        evidence = {
            "loss": now,
            "constant": constant,
            "first": first,
            "batches": self.batches,
            "because": None if cause is None else cause.code,
        }
        loop = "" if cause is None else cause.loop
        return Finding("no-learning", "warning", text, loop, "", evidence, remedy)


def _how_near(loss: Any) -> int:
    """Among how few operations before a loss its targets are found; 0 if there are
    none, or several."""
    if len(targets_of(nearest(loss, NEAR))) != 1:
        return 0
    counts = (NEAR // 8, NEAR // 4, NEAR // 2)
    return next((n for n in counts if len(targets_of(nearest(loss, n))) == 1), NEAR)


def _alike(a: Targets, b: Targets) -> bool:
    return a.kind == b.kind and a.values.shape[1:] == b.values.shape[1:]


def _cause(others: Sequence[Finding]) -> Finding | None:
    """The finding that most likely explains it."""
    known = [found for found in others if found.code in CAUSES]
    return min(known, key=lambda found: CAUSES.index(found.code), default=None)
