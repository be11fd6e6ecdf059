"""The reports that callbacks get after every batch and after every epoch.

Read next: `interrupts.py`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Report:
    """One batch, or one epoch, of a training run.

    model    what is trained. Its parameters were just stepped; their `.grad` is that
             of the step, after clipping
    loss     after a batch: the loss, a Tensor that still has its graph (float(loss) is
             the number); after an epoch: the mean of the batches' losses, a float
    step     how many steps of the optimiser there were so far, in all epochs
    epoch    the epoch, from 0; `epochs` is how many there will be at most
    batch    how many batches of this epoch are done, of `batches` (None: unknown)
    norm     the norm of the gradient of all parameters, before clipping; after an
             epoch the mean over its batches
    clipped  was the gradient clipped? After an epoch: the share of batches where it was
    max_norm the bound that it was clipped to; infinite if there is none
    lr       the learning rate of the step
    optimizer  what made the step
    metrics  {} after a batch; after an epoch what validation gave, by name
    best     after an epoch: is it the best so far?
    """

    model: Any
    loss: Any
    step: int
    epoch: int
    epochs: int
    batch: int
    batches: int | None
    norm: float
    clipped: bool | float
    lr: float
    metrics: dict[str, float] = field(default_factory=dict)
    best: bool = False
    max_norm: float = math.inf
    optimizer: Any = None


@dataclass(slots=True)
class EpochReport:
    """One line of a run's history: figures only, fit for a table and for JSON.

    loss        mean of the batches' losses
    norm, largest_norm   of the gradient before clipping: mean, maximum over the batches
    clipped     share of the batches whose gradient was clipped
    lr          the learning rate of the last batch
    metrics     what validation gave
    """

    epoch: int
    step: int
    loss: float
    norm: float
    largest_norm: float
    clipped: float
    lr: float
    metrics: dict[str, float]
    best: bool


@dataclass(slots=True)
class Sums:
    """What an epoch adds up, batch by batch."""

    batches: int = 0
    loss: float = 0.0
    norm: float = 0.0
    largest_norm: float = 0.0
    clipped: int = 0
    lr: float = 0.0

    def add(self, report: Report, loss: float) -> None:
        """Count one batch; `loss` is the mean over all processes."""
        self.batches += 1
        self.loss += loss
        self.norm += report.norm
        self.largest_norm = max(self.largest_norm, report.norm)
        self.clipped += bool(report.clipped)
        self.lr = report.lr
