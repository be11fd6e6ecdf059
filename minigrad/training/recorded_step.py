"""One step of a training, with every operation recorded, and what cannot work said.

Read next: `processes.py` (several of them, one network).
"""

from __future__ import annotations

import math
import time
from typing import Any

from minigrad.engine.errors import NonFiniteError
from minigrad.engine.tensor import Tensor
from minigrad.nn.clip import clip_grad_norm_
from minigrad.reading.earlier_graph import EarlierGraph
from minigrad.training import trainer_checks
from minigrad.training.bad_numbers import not_finite, with_batch
from minigrad.training.first_gradients import FirstGradients
from minigrad.training.run_file import detached


class RecordedStep:
    """What a Trainer does with a batch that no compiled step takes.

    mean_loss  of the last batch, over all processes if there are several
    """

    def __init__(self, trainer: Any) -> None:
        self.mean_loss = math.nan
        self._trainer = trainer
        self._earlier, self._warned = EarlierGraph(), False

    @property
    def batches(self) -> int:
        """How many batches were trained in this way."""
        return self._earlier.batches

    def train_on(self, batch: Any) -> tuple[Tensor, float]:
        """A step of the optimiser; the loss, and the norm of its gradients."""
        started = time.perf_counter()
        run = self._trainer
        run.optimizer.zero_grad()
        if run.carry:
            given = run.loss(run.model, batch, run.carried)
            loss, state = trainer_checks.pair_of(given)
            run.carried = detached(state)
        else:
            loss = trainer_checks.loss_of(run.loss(run.model, batch))
        norm = self._backward(loss, batch)
        run.optimizer.step()
        if run.compiled is not None:
            run.compiled.eagerly(time.perf_counter() - started)
        return loss, norm

    def _backward(self, loss: Tensor, batch: Any) -> float:
        """The gradients of the loss, clipped; returns their norm before clipping.

        What cannot work is said here: see `bad_numbers.py`, `first_gradients.py` and
        `minigrad/reading/earlier_graph.py`.
        """
        run = self._trainer
        if not math.isfinite(loss.item()):
            raise not_finite(run, loss, batch)
        first = None
        if not self._earlier.batches:
            first = FirstGradients(run.model, run.optimizer)
            first.check_loss(loss)
        earlier = self._earlier.reached(loss._edge)
        if earlier is not None and not self._warned:
            self._warned = True
            trainer_checks.warn_of_earlier(earlier)
        loss.backward()
        if first is not None:
            first.check(loss)
        parameters = run.optimizer.parameters
        if run.processes is not None:
            asked = run.signal.asked
            self.mean_loss = run.processes.average(loss.item(), parameters, asked)
        try:
            return clip_grad_norm_(parameters, run.clip_norm)
        except NonFiniteError as error:
            raise with_batch(error, run, batch) from None
