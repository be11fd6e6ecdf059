"""Runs `minigrad step` with a sentence, and into a file."""

import json

import pytest

from minigrad.commands.main import main


def test_a_sentence_is_a_step_per_word_in_a_file(tmp_path, capsys):
    path = tmp_path / "new" / "steps.html"
    words = ["--sentence", "not so bad"]
    assert main(["step", "rnn", *words, "-o", str(path), "--level", "cell"]) == 0
    assert "events" in capsys.readouterr().out
    text = path.read_text()
    assert "RNN, 3 steps" in text and "1: so" in text


def test_events_as_json(tmp_path, capsys):
    path = tmp_path / "x.json"
    assert main(["step", "gru", "--steps", "2", "-o", str(path)]) == 0
    assert json.loads(path.read_text())["events"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (["--sentence", " "], "no words"),
        (["--sentence", "a b", "--steps", "3"], "leave out --steps"),
        (["-o", "x.exe"], "ending='exe'"),
    ],
)
def test_what_cannot_be(line, said, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["step", "rnn", *line]) == 2
    assert said in capsys.readouterr().err and not list(tmp_path.iterdir())
