"""Ctrl-C in each command, at moments of its run: one line, and the old file is kept."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from minigrad.commands.main import COMMANDS, main
from minigrad.interop import to_torch_state_dict
from minigrad.models import LSTM
from minigrad.training.checkpoint import save

LOOK = {  # a command, and the file that it would write
    "tour": ("--output made", "made"),
    "tutorial": ("1 --copy made.ipynb", "made.ipynb"),
    "draw": ("lstm --steps 2 --level op -o made.dot", "made.dot"),
    "explore": ("cliff -o made.html", "made.html"),
    "step": ("rnn --steps 2 -o made.html", "made.html"),
    "flow": ("-o made.html", "made.html"),
    "train": ("first-names -o made", "made"),
    "predict": ("first-names Anna", "made"),
    "trial": ("'a good film'", "made"),
    "open": ("weights.safetensors", "made"),
    "lab": ("adding --lags 5 -o made", "made"),
    "check": ("--seconds 2 -o made.json", "made.json"),
    "bench": ("--seconds 3 --json made.json", "made.json"),
    "doctor": ("", "made"),
}


def importing(frame):
    while frame is not None:
        if "importlib" in frame.f_code.co_filename:
            return True
        frame = frame.f_back
    return False


def pressed_after(calls):
    """A profile function that interrupts when so many functions have been called.

    Not within an import: the tests that follow need the whole module.
    """
    left = [calls]

    def count(frame, event, argument):
        if event == "call":
            left[0] -= 1
            if left[0] <= 0 and not importing(frame):
                sys.setprofile(None)
                raise KeyboardInterrupt

    return count


@pytest.mark.parametrize("calls", [30, 2_000, 12_000])
@pytest.mark.parametrize("name", LOOK)
def test_one_line_and_the_old_file(name, calls, tmp_path, monkeypatch, capsys):
    words, made = LOOK[name]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    lstm = to_torch_state_dict(LSTM(2, 3, dtype="float32", rng=0))
    save("weights.safetensors", {k: np.array(v) for k, v in lstm.items()})
    file = tmp_path / made
    if file.suffix:
        file.write_text("old", encoding="utf-8")
    words = [name, *shlex.split(words)]
    sys.setprofile(pressed_after(calls))
    try:
        code = main(words)
    finally:
        sys.setprofile(None)
    said = capsys.readouterr().err.splitlines()
    if code != 130:  # it had ended before
        assert code in (0, 2)
        return
    assert said[-1] == "stopped" and len(said) <= 2
    left = [path for path in tmp_path.rglob("*") if path.is_file()]
    if file.suffix:
        now = file.read_text(encoding="utf-8")
        assert now == "old" or now.rstrip().endswith(("}", "</html>"))  # all or nothing
    assert not [path for path in left if path.suffix in (".tmp", ".part")]


def test_every_command_is_tried():
    assert set(LOOK) == set(COMMANDS)


# Ctrl-C when Python looks for this module: the child imports this at its start.
PRESSED = """
import sys
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == {name!r}:
            raise KeyboardInterrupt
sys.meta_path.insert(0, Finder())
"""
SCRIPT = "import sys; from minigrad.commands.main import main; sys.exit(main())"


def pressed_at(module, words, folder):
    """What Python, so started, says and returns, with Ctrl-C at the import."""
    (folder / "sitecustomize.py").write_text(PRESSED.format(name=module), "utf-8")
    places = [str(folder), str(Path(__file__).parents[2])]
    path = os.pathsep.join([*places, os.environ.get("PYTHONPATH", "")])
    ended = subprocess.run(
        [sys.executable, *words],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    return ended.returncode, ended.stderr


@pytest.mark.parametrize("script", [True, False], ids=["minigrad", "python -m"])
@pytest.mark.parametrize("module", ["numpy", "minigrad.reading.replay", "argparse"])
def test_one_line_while_it_is_still_imported(module, script, tmp_path):
    file = tmp_path / "minigrad"  # what pip writes, under the name that it gives it
    file.write_text(SCRIPT, "utf-8")
    words = [str(file)] if script else ["-m", "minigrad"]
    assert pressed_at(module, [*words, "doctor"], tmp_path) == (130, "stopped\n")


def test_a_program_that_imports_minigrad_keeps_its_traceback(tmp_path):
    _, said = pressed_at("numpy", ["-c", "import minigrad"], tmp_path)
    assert said.startswith("Traceback") and "stopped" not in said
