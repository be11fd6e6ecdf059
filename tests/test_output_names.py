"""Names of output files are taken as they are: no shell, no other folder."""

import itertools
import os
import random

import numpy as np
import pytest

import minigrad as mg
from minigrad.commands.main import main
from minigrad.engine.errors import MinigradError

PARTS = [
    "$(touch hacked)", "`touch hacked`", "; touch hacked", "| touch hacked", "&& x",
    "> hacked", "< x", "$HOME", "%PATH%", "~", "-o", "--output", "-", "..", "...", ".",
    "a b", " a", "'", '"', "\\\\", "*", "?", "[a]", "{a,b}", "#", "!", "%n%s",
    "\t", "\n", "\r", "\x1b[31m", "\x7f", "\u202e", "\u200d", "\ufeff", "é", "名前",
    "😀", "CON", "NUL", "aux", "a:b", "C:", "file:", "http:", "<b>", "&amp;", "x" * 60,
]  # fmt: skip
REFUSED = ["\0", "a\0b", "\ud800", "x" * 300, "", "conftest.py/x"]


def names(count):
    """Each part alone, and some of them strung together; none has a slash in it."""
    pick = random.Random(18)
    found = dict.fromkeys(part for part in PARTS if part not in (".", ".."))
    while len(found) < count:
        found["".join(pick.choices(PARTS, k=pick.randint(2, 3)))] = None
    return list(found)


def writers():
    """What writes a file of a given ending."""
    x = mg.tensor(np.ones(2), requires_grad=True, name="x")
    loss = (x * x).sum()
    drawing, steps = mg.draw(loss), mg.steps(loss)
    return itertools.cycle(
        [
            (".safetensors", lambda path: mg.save(path, {"x": np.ones(2)})),
            (".dot", drawing.save),
            (".html", steps.save),
            (".json", steps.save),
        ]
    )


@pytest.mark.skipif(os.name == "nt", reason="only where names are free")
def test_the_file_has_that_name_in_that_folder(proof, tmp_path, monkeypatch):
    """Relative to the folder one is in, where nothing else may come to be."""
    row = proof("files", "hostile output names", seed=18)
    here = tmp_path / "outer" / "inner"
    here.mkdir(parents=True)
    monkeypatch.chdir(here)
    for name, (ending, write) in zip(names(210), writers(), strict=False):
        name = f"{name} " if not name.strip(".") else name  # ".." + ".dot": no ending
        write(name + ending)
        found = os.listdir(here)
        row.expect(found == [name + ending], f"{name + ending!r}: {found}")
        for left in found:
            os.remove(left)
        row.wrong += [f"{name!r}: outside" for _ in os.listdir(tmp_path)[1:]]
    assert row.tried >= 200
    assert os.listdir(tmp_path / "outer") == ["inner"]


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_name_is_refused_and_nothing_is_left(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "conftest.py").touch()
    for (ending, write), _ in zip(writers(), range(4), strict=False):
        with pytest.raises(MinigradError) as error:
            write(name + ending if name else name)
        assert error.value.hint
        assert os.listdir(tmp_path) == ["conftest.py"]


@pytest.mark.skipif(os.name == "nt", reason="only where names are free")
@pytest.mark.parametrize("name", ["$(touch hacked)", "; touch x #", "a\nb", "%n"])
def test_on_the_command_line(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["draw", "rnn", "--steps", "1", "-o", f"{name}.dot"]) == 0
    assert os.listdir(tmp_path) == [f"{name}.dot"]
    assert main(["step", "rnn", "--steps", "1", "-o", f"{name}.html"]) == 0
    assert sorted(os.listdir(tmp_path)) == sorted([f"{name}.dot", f"{name}.html"])
