"""The DOT text of every model at every level, letter by letter.

After a change that is meant to show, look at the pictures, then write them again with

    python tests/drawing/test_golden.py

and read what `git diff` says.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from drawn import LEVELS, NAMES, example, gradients_of, loss_of

import minigrad as mg

FOLDER = Path(__file__).with_name("golden")
STEPS = 2


def special():
    """What a model and a level alone do not show."""
    long = example("lstm", 9)
    backward = gradients_of("rnn", STEPS)
    return {
        "elided-cell": mg.draw(long, "cell", max_steps=3),
        "elided-gate-first-last": mg.draw(long, "gate", first=1, last=1),
        "numbers-op": mg.draw(loss_of("rnn", STEPS), values=True, gradients=True),
        "dark-cell": mg.draw(example("rnn", STEPS), "cell", theme="dark"),
        "words-cell": mg.draw(example("rnn", STEPS), "cell", words=["one", "two"]),
        "backward-op": mg.draw(backward),
        "backward-gate": mg.draw(backward, "gate"),
    }


def drawings():
    """Every golden text by its file's name."""
    made = {
        f"{name}-{level}": mg.draw(example(name, STEPS), level)
        for name in NAMES
        for level in LEVELS
    }
    return {name: drawing.dot for name, drawing in {**made, **special()}.items()}


@pytest.fixture(scope="module")
def texts():
    return drawings()


def test_every_golden_file_is_of_a_drawing(texts):
    assert {path.stem for path in FOLDER.iterdir()} == set(texts)


@pytest.mark.parametrize("name", sorted(path.stem for path in FOLDER.iterdir()))
def test_the_text_is_the_golden_one(name, texts):
    assert texts[name] == (FOLDER / f"{name}.dot").read_text(encoding="utf-8")


def test_the_same_program_gives_the_same_text(texts):
    assert drawings() == texts


def test_another_process_with_other_hashes_gives_the_same_text(texts):
    environment = {**os.environ, "PYTHONHASHSEED": "77"}
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
    code = "import sys, test_golden as g; sys.stdout.buffer.write("
    code += "''.join(t for _, t in sorted(g.drawings().items())).encode())"
    made = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, check=True
    ).stdout
    assert made.decode() == "".join(text for _, text in sorted(texts.items()))


if __name__ == "__main__":
    for old in FOLDER.glob("*.dot"):
        old.unlink()
    for name, text in drawings().items():
        (FOLDER / f"{name}.dot").write_text(text, encoding="utf-8", newline="\n")
    print(f"{len(drawings())} texts in {FOLDER}")
