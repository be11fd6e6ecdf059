"""Every error about a tensor says where in the user's program it was made."""

import numpy as np
import pytest

import minigrad as mg
from minigrad.engine.errors import MinigradError
from minigrad.models import LSTM

X = mg.tensor(np.arange(6.0).reshape(2, 3), requires_grad=True, name="x")
V = mg.tensor([1.0, 2.0])
WORDS = mg.tensor([1, 2])

WRONG = {
    "X[0] = 1": lambda: X.__setitem__(0, 1),
    "float(X)": lambda: float(X),
    "bool(X)": lambda: bool(X),
    "len of a scalar": lambda: len(mg.tensor(1.0)),
    "rows of a scalar": lambda: list(mg.tensor(1.0)),
    "data of another shape": lambda: setattr(X, "data", np.ones(3)),
    "data of another dtype": lambda: setattr(X, "data", np.ones((2, 3), "float32")),
    "data of no leaf": lambda: setattr(X * 2, "data", np.ones((2, 3))),
    "a gradient of another shape": lambda: setattr(X, "grad", mg.ones((4,))),
    "a gradient for numbers": lambda: setattr(WORDS, "requires_grad", True),
    "a leaf that is none": lambda: setattr(X * 2, "requires_grad", False),
    "backward, no scalar": lambda: (X * 2).backward(),
    "backward of a constant": lambda: V.sum().backward(),
    "backward from a word": lambda: X.sum().backward("a"),
    "backward, another shape": lambda: (X * 2).backward(mg.ones((9,))),
    "grad of no tensor": lambda: mg.grad(3, [X]),
    "grad with respect to none": lambda: mg.grad(X.sum(), [3]),
    "grad, not reached": lambda: mg.grad(X.sum(), [V]),
    "jacobian of no tensor": lambda: mg.jacobian(3, X),
    "joined, no sequence": lambda: mg.concatenate(3),
    "stacked, no sequence": lambda: mg.stack(3),
    "words": lambda: mg.tensor("a"),
    "ragged": lambda: mg.tensor([[1], [2, 3]]),
    "another dtype": lambda: mg.tensor([1], dtype="banana"),
    "zeros of words": lambda: mg.zeros("a"),
    "matmul": lambda: X @ X,
    "reduction": lambda: mg.losses.mse(X, X, reduction="all"),
    "mse": lambda: mg.losses.mse(X, V),
    "classes": lambda: mg.losses.cross_entropy(X, [9, 9]),
    "chances": lambda: mg.losses.binary_cross_entropy(X, X + 9),
    "Linear": lambda: mg.nn.Linear(3, 2)(np.ones((2, 3), "float32")),
    "Embedding": lambda: mg.nn.Embedding(3, 2)([9]),
    "Dropout": lambda: mg.nn.Dropout(0.5)(WORDS),
    "no such gate": lambda: LSTM(3, 2).trace(np.ones((2, 1, 3)))["q"],
    "no such layer": lambda: LSTM(3, 2).trace(np.ones((2, 1, 3))).layer(4),
}


@pytest.mark.parametrize("name", WRONG)
def test_the_line_is_there(name):
    with pytest.raises(MinigradError) as found:
        WRONG[name]()
    error = found.value
    assert error.where is not None and "test_errors_lines.py:" in error.where
    assert error.expect and error.actual and error.hint
