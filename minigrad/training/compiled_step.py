"""A Trainer's step, compiled: the loss, its gradients, clipping and the optimiser.

The first batches are trained eagerly: their graphs are looked at for mistakes, and
their times are what the gain is measured against. So is every batch whose graph a
callback wants to see, and a batch of shapes that have not come twice before.

Read next: `first_gradients.py`.
"""

from __future__ import annotations

import math
import statistics
import time
from collections import Counter
from typing import Any

import numpy as np

from minigrad.compiler import compile
from minigrad.compiler.compiled import MOST
from minigrad.compiler.guard import Arguments
from minigrad.engine.errors import NonFiniteError
from minigrad.engine.tensor import Tensor
from minigrad.engine.tracing import outside
from minigrad.nn.clip import clip_grad_norm_
from minigrad.training import trainer_checks
from minigrad.training.run_file import detached

EAGER = 3  # batches at the start
RARE = 2  # times that a kind of batch has come before it is worth a trace


class CompiledStep:
    """What a Trainer calls for a batch in the place of its own step.

    compiled  the compiled function; `compiled.explain()` says what became of it
    """

    def __init__(self, trainer: Any) -> None:
        model, optimizer, loss_function = (
            trainer.model,
            trainer.optimizer,
            trainer.loss,
        )
        clip_norm, carry = trainer.clip_norm, trainer.carry

        def training_step(batch: Any, *state: Any) -> tuple[Tensor, Any, Any]:
            optimizer.zero_grad()
            given = loss_function(model, batch, *state)
            after = None
            if carry:
                loss, after = trainer_checks.pair_of(given)
                after = detached(after)
            else:
                loss = trainer_checks.loss_of(given)
            outside(_finite, loss)
            loss.backward()
            norm = clip_grad_norm_(optimizer.parameters, clip_norm)
            optimizer.step()
            return loss, norm, after

        self.compiled = compile(training_step)
        self.compiled.many = MOST  # shapes that seldom come are not traced in any case
        self._carry = carry
        self._seen: Counter[Any] = Counter()
        self._eager: list[float] = []
        self._replayed: list[float] = []

    def train_on(self, batch: Any, state: Any) -> tuple[Tensor, float, Any] | None:
        """The loss, the norm of its gradients and the state to carry.

        None if the batch is to be trained eagerly: its shapes have hardly been seen,
        and may not come again; or its numbers are not finite, and the graph shows where
        they come from.
        """
        kind = Arguments(batch, state).key(set())
        self._seen[kind] += 1
        if self._seen[kind] <= RARE:
            return None
        known, started = self.compiled.replays, time.perf_counter()
        try:
            found = self.compiled(batch, *((state,) if self._carry else ()))
        except NonFiniteError:
            return None
        if self.compiled.replays > known:
            self._replayed.append(time.perf_counter() - started)
        return found

    def eagerly(self, seconds: float) -> None:
        """A batch was trained without it, in so many seconds."""
        self._eager.append(seconds)

    def gain(self) -> str:
        """In words: how long a batch takes, and how long it took eagerly."""
        if not self._replayed:
            return "compiled: no shape of batch came often enough to be replayed"
        now = statistics.median(self._replayed)
        words = f"compiled: {1e3 * now:.2f} ms per batch"
        if self._eager:
            before = statistics.median(self._eager)
            words += f", {1e3 * before:.2f} ms without ({before / now:.1f} times)"
        kinds = self.compiled.kinds
        return f"{words}; {len(self._replayed):,} batches replayed, of {kinds} kinds"


def _finite(loss: np.ndarray) -> None:
    if not math.isfinite(float(loss)):
        raise NonFiniteError("the loss is not finite")
