"""A user's own `models`, next to ours: nothing of minigrad looks at it."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOREIGN = {
    "an empty file": {"models.py": ""},
    "the same names": {"models.py": "LSTM = RNN = GRU = unroll = 3"},
    "a file that fails": {"models.py": "1 / 0"},
    "a package": {"models/__init__.py": "x = 1", "models/lstm.py": "y = 2"},
    "a folder": {"models/notes.txt": "no code"},
}
IMPORTS = """
import sys
import numpy as np, minigrad as mg
from minigrad import models
from minigrad.models import GRU, LSTM
from minigrad.models.lstm import LSTMCell
assert LSTM.__module__ == LSTMCell.__module__ == "minigrad.models.lstm"
assert "models" not in sys.modules
"""
EVERYTHING = """
lstm = LSTM(2, 3, rng=0)
trace = lstm.trace(np.ones((4, 1, 2)))
loss = trace.output.sum()
mg.draw(loss).dot; mg.steps(loss).to_json(); mg.ledger(loss, lstm)
mg.jacobian_products(trace).norms(); mg.diagnose(loss); loss.backward()
str(mg.explain(lstm.cells[0].W_h, (0, 0), loss))
from minigrad.commands.main import main
assert main(["draw", "lstm", "--steps", "2", "-o", "lstm.dot"]) == 0
assert main(["flow", "--cells", "rnn", "--steps", "5"]) == 0
from minigrad.tasks import task
assert task("sentiment").name == "sentiment"
assert "models" not in sys.modules
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A folder that holds what the wheel installs."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel"]
    subprocess.run([*command, "-d", str(folder)], cwd=ROOT, check=True)
    (file,) = folder.glob("*.whl")
    with zipfile.ZipFile(file) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def run(program, folder, *path):
    """Run a program as a script of the folder would run: the folder comes first."""
    # The editable install of the environment comes last, so it is never what is found.
    found = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (folder, *path)))},
        cwd=folder,
        capture_output=True,
        text=True,
    )
    assert found.returncode == 0, found.stderr


@pytest.mark.parametrize("kind", FOREIGN)
@pytest.mark.parametrize("place", ["checkout", "wheel"])
def test_everything_works_beside_it(kind, place, installed, tmp_path):
    for name, content in FOREIGN[kind].items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)
    source = ROOT if place == "checkout" else installed
    where = f"import minigrad; assert minigrad.__file__.startswith({str(source)!r})\n"
    # Where the file fails, so would whatever looked at it: once is enough.
    rest = EVERYTHING if kind == "a file that fails" else ""
    run(where + IMPORTS + rest, tmp_path, source)


@pytest.mark.parametrize("first", ["models", "minigrad.models", "models.lstm"])
def test_in_a_checkout_both_names_are_the_same_classes(first, tmp_path):
    program = f"""
import {first}
import models, minigrad.models, models.unroll, minigrad as mg
from models import LSTM, unroll
from models.lstm import LSTMCell
from models.gru import GRUCell
assert models is minigrad.models and LSTM is minigrad.models.LSTM
assert LSTMCell is minigrad.models.LSTMCell and GRUCell is minigrad.models.GRUCell
assert unroll is minigrad.models.unroll
import minigrad.models.lstm
assert LSTMCell is minigrad.models.lstm.LSTMCell
"""
    run(program, tmp_path, ROOT)


def test_the_wheel_has_the_files_themselves(installed):
    """Not the door that the checkout has in their place."""
    for file in (ROOT / "models").glob("*.py"):
        packed = installed / "minigrad" / "models" / file.name
        assert packed.read_bytes() == file.read_bytes()
    assert not (installed / "models").exists()
