"""Training steps in pairs: the same program twice, one of them to be compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import minigrad as mg

VARIANTS: list[tuple[str, dict[str, Any]]] = [
    ("RNN", {}),
    ("RNN", {"activation": "relu"}),
    ("RNN", {"bidirectional": True, "num_layers": 2, "dropout": 0.3}),
    ("LSTM", {}),
    ("LSTM", {"forget_gate": False}),
    ("LSTM", {"peephole": "current"}),
    ("LSTM", {"peephole": "previous"}),
    ("LSTM", {"couple": "forget"}),
    ("LSTM", {"couple": "input"}),
    ("LSTM", {"bidirectional": True, "batch_first": True}),
    ("LSTM", {"num_layers": 2, "dropout": 0.2}),
    ("GRU", {}),
    ("GRU", {"reset": "before"}),
    ("GRU", {"update": "take"}),
    ("GRU", {"bidirectional": True, "num_layers": 2}),
]


class Net(mg.nn.Module):
    """A recurrent model and a layer on top of it."""

    def __init__(self, kind: str, inputs: int, hidden: int, outputs: int, **options):
        from minigrad import models

        dtype = options.get("dtype", "float64")
        self.recurrent = getattr(models, kind)(inputs, hidden, rng=0, **options)
        width = hidden * (2 if options.get("bidirectional") else 1)
        self.drop = mg.nn.Dropout(0.25, rng=5)
        self.out = mg.nn.Linear(width, outputs, dtype=dtype, rng=1)

    def forward(self, x, **given):
        """Outputs at all steps."""
        output, _ = self.recurrent(x, **given)
        return self.out(self.drop(output))


def training_step(
    net: Net, loss: Callable, optimizer: Any, clip: float | None = None
) -> Callable:
    """zero_grad, loss, backward, clipping, step: what is compiled."""

    def step(x, y, **given):
        optimizer.zero_grad()
        value = loss(net(x, **given), y)
        value.backward()
        norm = None
        if clip is not None:
            norm = mg.clip_grad_norm_(net.parameters(), clip)
        optimizer.step()
        return value, norm

    return step


def close(a: Any, b: Any, tolerance: float) -> None:
    """Assert that two arrays agree, relative to the largest entry."""
    a, b = np.asarray(a), np.asarray(b)
    assert a.shape == b.shape and a.dtype == b.dtype
    a, b = a.astype("float64"), b.astype("float64")
    scale = max(1e-30, float(np.abs(a).max(initial=0.0)))
    assert float(np.abs(a - b).max(initial=0.0)) <= tolerance * scale


def same_state(first: Any, second: Any, tolerance: float) -> None:
    """Assert that two (net, optimizer) have the same parameters, gradients, state."""
    (net, optimizer), (other, other_optimizer) = first, second
    for p, q in zip(net.parameters(), other.parameters(), strict=True):
        close(p.data, q.data, tolerance)
        assert (p.grad is None) == (q.grad is None)
        if p.grad is not None:
            close(p.grad.data, q.grad.data, tolerance)
    ours, theirs = optimizer.state_dict(), other_optimizer.state_dict()
    assert list(ours) == list(theirs)
    for name, value in ours.items():
        close(value, theirs[name], tolerance)
