"""Watches how parameters change from batch to batch: not at all, too little, too much.

    watch.batch(parameters, look=True)      # after each batch
    watch.findings(optimizer)

Parameters are rebound by a step, never written to: the array of the batch before is
still there, and whether it is the same object says whether there was a step.

Read next: `learning_watch.py`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any

import numpy as np

from minigrad.engine.tensor import Tensor
from minigrad.flow.findings import Finding, some
from minigrad.reading.norms import euclidean
from minigrad.reading.text import clean, number

FEWEST = 5  # batches after which "never" can be said
TOO_LARGE = 0.2  # of the weights' own norm, per step
TOO_SMALL = 1e-5
RECENT = 5  # measured steps whose median is judged


class UpdateWatch:
    """What the steps of an optimiser do to parameters.

    ratios   of each step that was measured: |change| / |parameters|, all together; of
             each parameter the smaller of its norms at the start and now counts
    batches  how many were seen
    """

    def __init__(self) -> None:
        self.batches = 0
        self.ratios: list[float] = []
        self._recent: deque[float] = deque(maxlen=RECENT)
        self._largest = 0.0
        self._first: dict[str, tuple[Tensor, np.ndarray]] = {}
        self._moved: set[str] = set()
        self._pulled: set[str] = set()
        self._before: dict[str, np.ndarray] | None = None
        self._latest: dict[str, np.ndarray] = {}
        self._steps = 0

    @property
    def stepped_twice(self) -> bool:
        """Was there a step after each of the last two batches?"""
        return self._steps >= 2

    def batch(self, parameters: Mapping[str, Tensor], look: bool) -> None:
        """One batch is done. Is it one to measure the step after?"""
        self.batches += 1
        arrays = {name: p._edge.array for name, p in parameters.items()}
        old = self._latest
        moved = any(old.get(name, new) is not new for name, new in arrays.items())
        self._steps = self._steps + 1 if moved else 0
        self._latest = arrays
        for name, p in parameters.items():
            array = p._edge.array
            first = self._first.setdefault(name, (p, array))
            if first[1] is not array:
                self._moved.add(name)
            if name not in self._pulled and p.grad is not None:
                if bool(np.any(p.grad.numpy())):
                    self._pulled.add(name)
        if self._before is not None:
            self._measure(arrays, self._before)
        self._before = arrays if look else None

    def _measure(
        self, now: dict[str, np.ndarray], before: dict[str, np.ndarray]
    ) -> None:
        """The size of what changed since the batch before."""
        changes, sizes = [], []
        stepped = False
        for name, new in now.items():
            old = before.get(name)
            if old is None or old.shape != new.shape:
                continue
            stepped |= old is not new
            wide = new.astype(np.float64, copy=False)
            changes.append(0.0 if old is new else euclidean(wide - old))
            sizes.append(min(euclidean(old), euclidean(self._first[name][1])))
        size = euclidean(np.array(sizes))
        if stepped and size > 0 and np.isfinite(size):
            ratio = euclidean(np.array(changes)) / size
            if np.isfinite(ratio):
                self.ratios = [*self.ratios[-499:], ratio]
                self._recent.append(ratio)
                self._largest = max(self._largest, ratio)

    # --------------------------------------------------------- findings

    def findings(self, optimizer: Any = None) -> list[Finding]:
        """What is wrong with the steps, if anything is."""
        if self.batches < FEWEST:
            return self._not_held(optimizer)
        return self._not_held(optimizer) or self._none() or self._sizes(optimizer)

    def _not_held(self, optimizer: Any) -> list[Finding]:
        """Parameters with a gradient that the optimiser does not have."""
        if optimizer is None or self.batches < 2:
            return []
        held = {id(p) for p in optimizer.parameters}
        missed = [
            name
            for name, (p, _) in self._first.items()
            if id(p) not in held and name in self._pulled and name not in self._moved
        ]
        if not missed:
            return []
        text = (
            f"the optimiser does not hold {len(missed)} of {len(self._first)} "
            f"parameters that get a gradient: {some(map(clean, missed))}. They stay "
            "as they are"
        )
        remedy = (
            "Make the optimiser after the model, of all its parameters: "
            "mg.optim.Adam(model.parameters()); and again when a part is replaced."
        )
        return [_finding("no-update", "error", text, {"names": missed}, remedy)]

    def _none(self) -> list[Finding]:
        """Parameters that never changed."""
        if not self._first:
            return []
        if not self._pulled and not self._moved:
            text = (
                f"no parameter has a gradient after {self.batches} batches, and none "
                "has changed"
            )
            remedy = (
                "loss.backward() before monitor.watch(loss), and optimizer.zero_grad() "
                "before that."
            )
            evidence = {"names": list(self._first), "batches": self.batches}
            return [_finding("no-update", "error", text, evidence, remedy)]
        idle = [n for n in self._first if n in self._pulled and n not in self._moved]
        if not idle:
            return []
        all_of_them = not self._moved
        text = (
            f"{'none' if all_of_them else f'{len(idle)}'} of {len(self._first)} "
            f"parameters {'has' if all_of_them else 'have not'} changed in "
            f"{self.batches} batches, though they have gradients: "
            f"{some(map(clean, idle))}"
        )
        remedy = (
            "optimizer.step() after loss.backward(), in every batch."
            if all_of_them
            else "Give the optimiser all of model.parameters()."
        )
        evidence = {"names": idle, "batches": self.batches}
        return [_finding("no-update", "error", text, evidence, remedy)]

    def _sizes(self, optimizer: Any) -> list[Finding]:
        if len(self._recent) < 2:
            return []
        rate = getattr(optimizer, "lr", None)
        now = float(np.median(list(self._recent)))
        evidence = {"ratio": now, "measured": len(self.ratios), "lr": rate}
        if self._largest == 0:
            why = "the learning rate is 0" if rate == 0 else "they round to nothing"
            text = f"the steps change nothing: {why}"
            code = "no-update" if rate == 0 else "update-too-small"
            return [_finding(code, "error", text, evidence, _faster(rate))]
        if self._largest < TOO_SMALL:
            evidence["ratio"] = self._largest
            text = (
                f"each step changes the weights by at most {number(self._largest)} of "
                "their size; about 0.001 is usual"
            )
            remedy = _faster(rate)
            return [_finding("update-too-small", "warning", text, evidence, remedy)]
        if now > TOO_LARGE or self._largest > 1:
            now = max(now, self._largest if self._largest > 1 else 0.0)
            evidence["ratio"] = now
            text = (
                f"a step changes the weights by {number(now)} of their size; about "
                "0.001 is usual"
            )
            remedy = "A smaller learning rate" + (
                f": lr={number(rate * 0.01 / now)} rather than {number(rate)}."
                if rate
                else ", and clipping: mg.clip_grad_norm_(model.parameters(), 1.0)."
            )
            return [_finding("update-too-large", "warning", text, evidence, remedy)]
        return []


def _faster(rate: Any) -> str:
    if rate == 0:
        return "optimizer.lr = 0.001, and look at the schedule that set it."
    now = f" It is {number(rate)} now." if rate else ""
    return f"A larger learning rate, mg.optim.Adam(..., lr=0.001).{now}"


def _finding(
    code: str, severity: str, text: str, evidence: dict[str, Any], remedy: str
) -> Finding:
    return Finding(code, severity, text, evidence=evidence, remedy=remedy)
