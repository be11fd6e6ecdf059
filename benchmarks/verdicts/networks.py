"""The networks that are tried: a recurrent layer of some start, and a linear answer.

Read next: `training_runs.py`.
"""

import numpy as np

import minigrad as mg
from minigrad.models import GRU, LSTM, RNN

from .problems import CLASSES, INPUTS

# Name: class, its arguments, the gate whose bias is set, and to what.
STARTS = {
    "RNN tanh": (RNN, {}, None, 0),
    "RNN relu": (RNN, {"activation": "relu"}, None, 0),
    "RNN tanh orthogonal": (RNN, {"init": "orthogonal"}, None, 0),
    "RNN relu identity": (RNN, {"activation": "relu", "init": "identity"}, "h", 0),
    **{f"LSTM {b:+d}": (LSTM, {"forget_bias": b}, None, 0) for b in range(-1, 7)},
    **{f"GRU {b:+d}": (GRU, {}, "z", b) for b in (-1, 0, 1, 2, 3, 4)},
}


class Network(mg.nn.Module):
    """A recurrent layer and a linear one that reads its last output."""

    def __init__(self, start, problem, units, rng):
        kind, options, gate, bias = STARTS[start]
        self.recurrent = kind(INPUTS, units, dtype="float32", rng=rng, **options)
        self.answer = mg.nn.Linear(
            units, max(1, CLASSES[problem]), dtype="float32", rng=rng
        )
        if gate:
            cell = self.recurrent.cells[0]
            b = np.array(cell.b.data)
            b[cell.columns(gate)] = bias
            cell.b.data = b
        self.classes = CLASSES[problem]

    def forward(self, x):
        """(T, B, 4) -> (B, classes), or (B, 1)."""
        output, _ = self.recurrent(mg.tensor(x))
        return self.answer(output[-1])

    def loss(self, x, target):
        """The mean loss, and the answers it is of."""
        answer = self(x)
        if self.classes:
            return mg.losses.cross_entropy(answer, target), answer
        return mg.losses.mse(answer, mg.tensor(target)), answer
