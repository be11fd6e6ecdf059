"""Tomorrow's temperature from the days before it.

The task around it, its data and its figures, is `minigrad/tasks/weather.py`.

Read next: `attention.py`.
"""

from __future__ import annotations

from typing import Any

import minigrad as mg
from minigrad.engine.random import generator
from minigrad.engine.tensor import Tensor
from minigrad.nn import Dropout, Linear, Module

from .word_models import recurrent


class Forecaster(Module):
    """Reads some days, then says how much the next differs from the last.

    prediction = x[T-1, feature 0] + w h_T + b

    To predict the change alone is a strong start: with w = b = 0 it is the forecast
    "as today". h_T is the output of the last step, after dropout.

    inputs   features per day; the first is the one to predict
    cell     "rnn", "lstm" or "gru"
    hidden, layers   sizes of the recurrent layers
    dropout  share of h_T that is dropped in training
    rng, noise   generators: of the weights, of dropout

    Shapes:  x (T, B, inputs) float32 -> (B,)
    Units:   those of the scaled first feature
    """

    def __init__(
        self,
        inputs: int,
        hidden: int,
        *,
        cell: str = "lstm",
        layers: int = 1,
        dropout: float = 0.0,
        rng: Any = None,
        noise: Any = None,
    ) -> None:
        rng, noise = generator(rng), generator(noise)
        self.recurrent = recurrent(cell)(
            inputs, hidden, layers, dtype="float32", rng=rng
        )
        self.drop = Dropout(dropout, rng=noise)
        self.out = Linear(hidden, 1, dtype="float32", rng=rng)

    def forward(self, x: Any) -> Tensor:
        """The next day's first feature, (B,)."""
        x = x if isinstance(x, Tensor) else mg.tensor(x)
        output, _ = self.recurrent(x)
        return x[-1, :, 0] + self.out(self.drop(output[-1])).squeeze(-1)
