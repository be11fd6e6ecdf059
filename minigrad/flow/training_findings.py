"""Keeps the findings of a training: what each look gives, and what many batches give.

Read next: `monitor.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from minigrad.engine.graph import Node
from minigrad.engine.tensor import Tensor
from minigrad.flow.clipping_watch import ClippingWatch
from minigrad.flow.data_findings import data_findings
from minigrad.flow.findings import Finding, ordered
from minigrad.flow.learning_watch import LearningWatch
from minigrad.flow.loop_findings import loop_findings
from minigrad.flow.loss_targets import targets_of
from minigrad.flow.not_finite import first_not_finite
from minigrad.flow.observation import LoopReading
from minigrad.flow.parameter_findings import (
    fresh_gradients,
    not_cleared,
    unused,
    was_run,
)
from minigrad.flow.unit_findings import unit_findings
from minigrad.flow.update_watch import UpdateWatch

Name = tuple[str, str]  # a code and a loop
# These are true of the latest look alone; the others stay once they were seen.
PASSING = ("vanishing", "exploding", "saturated", "dead-units")


class TrainingFindings:
    """The findings of a training so far.

    first_seen   {(code, loop): the step at which it was first seen}
    """

    def __init__(self, lag: int | None = None) -> None:
        self.first_seen: dict[Name, int] = {}
        self._lag = lag
        self._found: dict[Name, Finding] = {}
        self._clipping = ClippingWatch()
        self._updates = UpdateWatch()
        self._learning = LearningWatch()
        self._now = 0
        self._told: set[Name] = set()
        self._since: dict[str, dict[int, int]] = {}  # of a loop's dead units

    # --------------------------------------------------------- what is seen

    def batch(
        self,
        value: float,
        loss: Any,
        clipped: bool,
        norm: Any,
        max_norm: Any,
        parameters: Mapping[str, Tensor],
        look: bool,
        new: bool = True,
    ) -> None:
        """One batch is done: a few numbers are kept. `new`: is the graph of another
        program than that of the look before?"""
        self._now += 1
        self._learning.batch(value, loss, look and new)
        self._clipping.batch(clipped, norm, max_norm)
        self._updates.batch(parameters, look or self._now == 1)

    def look(
        self,
        readings: Sequence[LoopReading],
        nodes: Sequence[Node],
        parameters: Mapping[str, Tensor],
        step: int,
        full: bool,
    ) -> list[Finding]:
        """The findings of a graph; returns those that are new. `full`: inputs and
        parameters are looked at, too."""
        found = loop_findings(readings, self._lag, trained=True)
        found += unit_findings(readings)
        if full:
            found += unused(parameters, nodes)
            found += data_findings(nodes, targets_of(nodes))
        if not readings and step <= 1:
            found.append(Finding("no-loop", "warning", _NO_LOOP, remedy=_MARK))
        for name in [name for name in self._found if name[0] in PASSING]:
            del self._found[name]
        return self.keep(found, step)

    def broken(self, loss: Tensor, step: int) -> list[Finding]:
        """Where the first number that is not finite arose; told once."""
        if ("not-finite", "") in self._found:
            return []
        found = first_not_finite(loss)
        return [] if found is None else self.keep([found], step)

    def kept_gradients(
        self, loss: Tensor, parameters: Mapping[str, Tensor], step: int
    ) -> list[Finding]:
        """Do gradients hold those of the batch before? Only where there is a step after
        every batch: else they may be added up on purpose."""
        if not (self._updates.stepped_twice and was_run(loss) and loss.requires_grad):
            return []
        found = not_cleared(parameters, fresh_gradients(loss), stepped=True)
        return self.keep(found, step)

    def keep(self, found: Iterable[Finding], step: int) -> list[Finding]:
        """Store findings; returns the warnings that were not told before."""
        new = []
        for one in found:
            name = one.code, one.loop
            if one.code == "dead-units":
                one = self._dated(one, step)
            self.first_seen.setdefault(name, step)
            self._found[name] = one
            if one.severity != "note" and name not in self._told:
                self._told.add(name)
                new.append(one)
        return new

    def _dated(self, found: Finding, step: int) -> Finding:
        """A finding about units, with the step since which each of them is so."""
        before = self._since.get(found.loop, {})
        now = {unit: before.get(unit, step) for unit in found.evidence["units"]}
        self._since[found.loop] = now
        first, last = min(now.values()), max(now.values())
        when = f"step {first}" if first == last else f"steps {first} to {last}"
        evidence = {**found.evidence, "since": now}
        return replace(found, text=f"{found.text}; since {when}", evidence=evidence)

    # --------------------------------------------------------- what is found

    def steady(self, optimizer: Any, step: int) -> list[Finding]:
        """What many batches say; returns the warnings that are new."""
        return [one for one in self._many(optimizer) if self._is_new(one, step)]

    def findings(self, optimizer: Any) -> list[Finding]:
        """All findings so far, the worst first."""
        many = self._many(optimizer)
        for one in many:
            self.first_seen.setdefault((one.code, one.loop), self._now)
        found = self._found | {(one.code, one.loop): one for one in many}
        return ordered(found.values())

    def _is_new(self, found: Finding, step: int) -> bool:
        name = found.code, found.loop
        self.first_seen.setdefault(name, step)
        if found.severity == "note" or name in self._told:
            return False
        self._told.add(name)
        return True

    def _many(self, optimizer: Any) -> list[Finding]:
        """Of clipping, steps and the loss; and what explains a loss that stays."""
        many = self._clipping.findings(optimizer) + self._updates.findings(optimizer)
        stays = self._learning.finding([*self._found.values(), *many])
        if stays is None:
            return many
        because = stays.evidence["because"]
        blamed = [
            replace(one, severity="warning")
            for one in self._found.values()
            if one.code == because == "vanishing" and one.severity == "note"
        ]
        return [*many, *blamed, stays]


_NO_LOOP = "the loss has no loop over time, so there is nothing to measure by distance"
_MARK = "Compute each step within mg.time_step(t), or use models.unroll."
