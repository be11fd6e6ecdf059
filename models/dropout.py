"""Dropout within the recurrence: the same entries of h are missing at every step.

    lstm.cells[0] = HiddenDropout(lstm.cells[0], 0.25, rng=0)
    output, state = lstm(x)               # after lstm.eval(): as without it

Read next: `input_checks.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.engine.errors import ArgumentError
from minigrad.engine.tensor import Tensor
from minigrad.nn import Dropout, Module


class HiddenDropout(Module):
    """A cell that sees h through a mask, drawn once for each sequence of a batch.

    While training, h_t is times m / (1 - p) wherever the cell reads it, m in {0, 1}
    the same at all steps of a loop; what the loop gives out and carries is h_t itself,
    and a cell state c is not touched. Masks drawn anew at each step would wear a memory
    away. With `nn.Dropout(p, over_time=True)` on the inputs it is variational dropout.

    cell  one that reads h only to multiply it by weights: an RNN's, an LSTM's, or your
          own. A GRU also keeps h itself: scaled at each step it would grow without end
    p     share of the entries of h that are dropped
    rng   a Generator, a seed, or None

    Everything else, weights, sizes and gates, is the cell's own: `wrapped.W_h`.
    Errors:  ArgumentError for a p outside [0, 1], and for a GRU cell
    Source:  Gal & Ghahramani 2016, "A theoretically grounded application of dropout in
             recurrent neural networks", eq. 7, untied weights (h only)
    """

    def __init__(self, cell: Any, p: float = 0.25, rng: Any = None) -> None:
        if getattr(cell, "kind", None) == "gru":
            raise ArgumentError(
                "HiddenDropout(cell): a GRU's h is also what it remembers",
                expect="a cell that reads h through weights alone: RNN, LSTM",
                actual=type(cell).__name__,
                hint="drop its inputs: nn.Dropout(p, over_time=True)",
            )
        self.cell = cell
        self.drop = Dropout(p, rng=rng)

    @property
    def kind(self) -> str:
        """The name of its scope: readers must not take it for the bare cell."""
        return f"{getattr(self.cell, 'kind', 'cell')} with dropout"

    def for_sequence(self) -> Callable[[Tensor, Any], Any]:
        """The cell for the steps of one loop, with masks of their own."""
        if not self.training or self.drop.p == 0:
            return self.cell
        mask: Tensor | None = None

        def step(x: Tensor, state: Any) -> Any:
            nonlocal mask
            h, *rest = state if isinstance(state, tuple) else (state,)
            if mask is None:
                kept = self.drop(np.ones(h.shape, h.dtype)).data
                mask = Tensor(kept, name="dropout mask")
            return self.cell(x, (h * mask, *rest) if rest else h * mask)

        return step

    def forward(self, x: Tensor, state: Any) -> Any:
        """One step by itself, as a sequence of one."""
        return self.for_sequence()(x, state)

    def __getattr__(self, name: str) -> Any:
        # Asked for what is not here: the cell's. Not while `cell` itself is being set.
        if name == "cell" or name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.cell, name)
