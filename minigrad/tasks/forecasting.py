"""What the tasks share that forecast a number from a window of past steps.

Read next: `weather.py`.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from minigrad import models
from minigrad.engine.tensor import Tensor
from minigrad.nn.losses import mse
from minigrad.tasks.task import Prepared, Task


class Forecasting(Task):
    """A `Forecaster` that reads windows x (N, T, F) and says one number for each."""

    def configure(self, settings: SimpleNamespace, data: Prepared) -> dict[str, Any]:
        """The arguments of `models.forecaster.Forecaster`."""
        return {
            "inputs": data.train.x.shape[-1],
            "hidden": settings.hidden,
            "cell": settings.cell,
            "layers": settings.layers,
            "dropout": settings.dropout,
        }

    def build(self, config: dict[str, Any], weights: Any, noise: Any) -> Any:
        """A `Forecaster`: it predicts the change since the last step."""
        return models.Forecaster(**config, rng=weights, noise=noise)

    def loss(self, model: Any, batch: Any) -> Tensor:
        """The mean squared error of a batch: x (B, T, F), scaled targets (B,)."""
        x, target = batch
        return mse(model(x.swapaxes(0, 1)), target)
