"""Watches the loss: does it fall below that of the best constant answer?

What a constant answer would cost is read from the targets in the graphs that were
looked at. Where the graph does not show them, a loss that stays where it began counts.

Read next: `monitor.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from minigrad.flow.findings import Finding
from minigrad.flow.loss_targets import Targets
from minigrad.reading.text import number

FEWEST = 45  # batches before anything is said
WINDOW = 50  # batches, at most, whose mean is compared
BELOW = 0.05  # of the constant's loss: so much lower is learned
MOST_TARGETS = 50_000  # entries that are kept
# What keeps a network from learning, the likeliest first.
CAUSES = (
    "not-finite", "no-update", "gradient-not-cleared", "cut", "update-too-large",
    "update-too-small", "exploding", "saturated", "symmetric", "dead-units",
    "vanishing", "input-scale", "unused-state", "unused-parameter", "clipping",
)  # fmt: skip


class LearningWatch:
    """The losses of all batches, and the targets of those that were looked at."""

    def __init__(self) -> None:
        self.batches = 0
        self.losses: list[float] = []
        self._targets: list[Targets] = []

    def batch(self, loss: float) -> None:
        """One batch is done."""
        self.batches += 1
        self.losses.append(loss)
        if len(self.losses) > 4 * WINDOW:  # the first ones, and the recent ones
            del self.losses[WINDOW]

    def targets(self, found: Iterable[Targets]) -> None:
        """The targets of one batch that was looked at, if there is one kind of them."""
        found = list(found)
        kept = sum(one.values.size for one in self._targets)
        if len(found) == 1 and kept < MOST_TARGETS:
            one = found[0]
            if self._targets and not _alike(self._targets[0], one):
                self._targets = []
            values = one.values[: max(1, MOST_TARGETS // 8)]
            self._targets.append(one._replace(values=np.array(values)))

    def constant(self) -> float | None:
        """The loss of the best constant answer, per entry; None if it is not known."""
        if not self._targets:
            return None
        values = np.concatenate([one.values for one in self._targets])
        best = self._targets[0]._replace(values=values).best_constant()
        return best if np.isfinite(best) and best > 0 else None

    def finding(self, others: Sequence[Finding]) -> Finding | None:
        """The finding that nothing is learned, with what most likely explains it."""
        count = len(self.losses)
        if count < FEWEST or not np.isfinite(self.losses).all():
            return None
        window = min(WINDOW, count // 3)
        last = np.array(self.losses[-window:])
        before = np.array(self.losses[-2 * window : -window])
        now = float(last.mean())
        slack = 2 * np.hypot(last.std(), before.std()) / np.sqrt(window)
        if float(before.mean()) - now > max(slack, 0.01 * abs(now)):
            return None  # it falls
        constant = self.constant()
        first = float(np.mean(self.losses[: max(3, window // 3)]))
        bar = first if constant is None else constant
        noise = 2 * float(last.std()) / np.sqrt(window)
        if now < bar - min(max(BELOW * abs(bar), noise), 0.2 * abs(bar)):
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


def _alike(a: Targets, b: Targets) -> bool:
    return a.kind == b.kind and a.values.shape[1:] == b.values.shape[1:]


def _cause(others: Sequence[Finding]) -> Finding | None:
    """The finding that most likely explains it."""
    known = [found for found in others if found.code in CAUSES]
    return min(known, key=lambda found: CAUSES.index(found.code), default=None)
