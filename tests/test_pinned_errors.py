"""Sixty wrong uses, and the whole message that each of them gets, word by word.

They stand in pinned_errors.txt. A message that is made better is changed there, too:

    python tests/test_pinned_errors.py

writes all of them anew; `git diff` shows what a user will read.
"""

import tempfile
from pathlib import Path

import numpy as np
import pytest

import minigrad as mg
from minigrad.engine.errors import MinigradError
from minigrad.models import LSTM

FILE = Path(__file__).with_name("pinned_errors.txt")
PINNED = dict(
    part.split("\n", 1)
    for part in FILE.read_text(encoding="utf-8").removeprefix("> ").split("\n> ")
)


def said(use, folder):
    """The message of a wrong use, but for the line of the program and the folder."""
    x = mg.tensor(np.arange(1.0, 13.0).reshape(3, 4), requires_grad=True, name="x")
    space = {
        "mg": mg, "np": np, "nan": np.nan, "x": x, "v": mg.tensor([1.0, 2.0]),
        "i": mg.tensor([1, 2, 0]), "lin": mg.nn.Linear(4, 2, rng=0),
        "lstm": LSTM(3, 2, rng=0), "d": str(folder),
    }  # fmt: skip
    try:
        exec(use, space)
    except MinigradError as error:
        text = str(error).replace(str(folder), "FOLDER")
        lines = [n for n in text.split("\n") if not n.startswith("  in  ")]
        return "\n".join([f"{type(error).__name__}: {lines[0]}", *lines[1:]])
    return None


@pytest.mark.parametrize("use", PINNED)
def test_the_message(use, tmp_path, proof):
    row = proof("or an error", "wrong uses, the whole message pinned")
    row.expect(said(use, tmp_path) == PINNED[use].strip("\n"), use)


def test_there_are_sixty_and_each_helps():
    assert len(PINNED) >= 60
    for text in PINNED.values():
        assert all(f"\n  {word}  " in text for word in ("expect", "actual", "hint  "))


if __name__ == "__main__":
    parts = [f"> {use}\n{said(use, tempfile.mkdtemp())}\n" for use in PINNED]
    FILE.write_text("\n".join(parts), encoding="utf-8")
