"""Every error about a tensor says where in the user's program it was made."""

from pathlib import Path

import numpy as np
import pytest

import minigrad as mg
from minigrad import errors
from minigrad.commands.main import main
from minigrad.engine.errors import MinigradError
from minigrad.lessons.lesson_cells import find
from minigrad.models import LSTM
from minigrad.tasks import task

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


def wrong_gradient():
    mg.gradcheck(lambda x: mg.tensor(x.data) * x, [np.ones(2)], order=1)


def not_finite():
    with mg.detect_anomaly():
        mg.log(X - X)


def unwritable_picture():
    mg.draw(X * 2).save(FOLDER / "conftest.py" / "no.dot")


FOLDER = Path(__file__).parent
# Room, class, and a call that is refused there: every class and every room is in it.
ROOMS = [
    ("engine", errors.ShapeError, lambda: X + mg.ones((9,))),
    ("engine", errors.IndexingError, lambda: X[7]),
    ("engine", errors.GraphError, lambda: V.sum().backward()),
    ("engine", errors.NonFiniteError, not_finite),
    ("reading", errors.GradientError, wrong_gradient),
    ("nn", errors.ArgumentError, lambda: mg.optim.SGD([X], lr=-1)),
    ("data", errors.DataError, lambda: mg.data.read_table(FOLDER / "none.csv", ["a"])),
    ("training", errors.CheckpointError, lambda: mg.load(FOLDER / "none.safetensors")),
    ("drawing", errors.DTypeError, lambda: mg.draw(3)),
    ("drawing", errors.ArgumentError, lambda: mg.draw(X * 2, level="atom")),
    ("stepping", errors.ArgumentError, lambda: mg.steps(X.sum(), level="atom")),
    ("engine", errors.UnknownNameError, lambda: X.view(3, 2)),
    ("engine", errors.CallError, lambda: mg.concatenate()),
    ("compiler", errors.CompileError, lambda: mg.compile(lambda x: float(x.sum()))(X)),
    ("flow", errors.DTypeError, lambda: mg.ledger(3, [X])),
    ("explaining", errors.IndexingError, lambda: mg.explain(X, (9, 9), X.sum())),
    ("models", errors.ShapeError, lambda: LSTM(3, 2)(np.ones((2, 1, 5)))),
    ("tasks", errors.ArgumentError, lambda: task("cooking")),
    ("lessons", errors.ArgumentError, lambda: find("cooking")),
    ("drawing", errors.DrawingError, unwritable_picture),
]


@pytest.mark.parametrize(("room", "kind", "call"), ROOMS)
def test_every_room_names_the_line(room, kind, call):
    with pytest.raises(kind) as found:
        call()
    assert "test_errors_lines.py:" in (found.value.where or "")
    raised_in = [str(entry.path) for entry in found.traceback]
    assert any(f"minigrad/{room}/" in path or f"/{room}/" in path for path in raised_in)


def test_every_class_is_among_them():
    kinds = {kind for _, kind, _ in ROOMS}
    known = {
        kind
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, MinigradError)
    }
    assert known - kinds == {MinigradError, errors.SetupError}  # no call can cause it


def test_a_cell_is_not_the_users_line():
    """The line is where the user called, the scope where in the cell it happened."""
    lstm = LSTM(3, 2)
    lstm.cells[0].W_h.data = lstm.cells[0].W_h.data * 0 + 1e300
    with pytest.raises(errors.NonFiniteError) as found, mg.detect_anomaly():
        lstm(np.ones((2, 1, 3)), (np.full((1, 1, 2), 1e10), np.ones((1, 1, 2))))
    assert "step 0" in found.value.where
    assert "test_errors_lines.py:" in found.value.where


def test_on_the_command_line_there_is_no_line(capsys):
    assert main(["train", "sentiment", "--data", "no-such-file.csv"]) == 2
    assert "no-such-file.csv" in (told := capsys.readouterr().err)
    assert "\n  in " not in told
