"""Runs of the lab: what is robust repeats in seconds, and what stops goes on."""

import json

import numpy as np
import pytest

from minigrad import lab
from minigrad.commands.main import main
from minigrad.engine.errors import SetupError
from minigrad.lab import continual_reber, lab_run
from minigrad.lab.continual_reber import ContinualReber
from minigrad.lab.lab_book import settings
from minigrad.lab.lab_nets import LabNet
from minigrad.lab.lab_page import sections
from minigrad.lab.lab_run import run_one
from minigrad.lab.start_evidence import evidence
from minigrad.tasks import job_processes


def repeated(folder, task, **options):
    return {
        r["setting"]["cell"]: r
        for r in lab.repeat(task, folder=folder, **options).results
    }


@pytest.mark.slow
@pytest.mark.parametrize(
    "cell", ["gru", pytest.param("lstm", marks=pytest.mark.nightly)]
)
def test_short_lags_are_learned_and_the_test_agrees(cell, tmp_path):
    options = {"lags": [20], "hidden": 8, "batch": 16, "most": 6400}
    result = repeated(tmp_path, "two-sequence", cells=[cell], **options)[cell]
    assert result["solved_at"] is not None
    assert result["test"]["wrong"] <= 26 and result["test"]["loss"] < 0.025


def test_a_plain_start_has_no_gradient_left_where_a_chrono_start_has(rng):
    """At the start, 100 steps back: the evidence that says who can learn."""
    task = lab.lab_task("adding")
    made = task.sequences(rng, 100, 4)
    found = {
        start: evidence(LabNet(task, "lstm", 16, 100, start, rng=0), made)
        for start in ("chrono", "plain")
    }
    assert found["chrono"]["back"] > 1e-3 and found["plain"]["back"] < 1e-6
    assert found["chrono"]["keeps"] > found["plain"]["keeps"] + 0.1
    assert found["plain"]["chance"] < 0.1 < 0.5 < found["chrono"]["chance"]
    assert 0 < found["plain"]["early"] < found["chrono"]["early"] < 1


def same(a, b):
    skip = ("seconds",)
    return {k: v for k, v in a.items() if k not in skip} == {
        k: v for k, v in b.items() if k not in skip
    }


def test_a_run_that_was_stopped_goes_on_to_the_same_result(tmp_path):
    for name in ("whole", "parts"):
        (tmp_path / name).mkdir()
    task = lab.lab_task("parity")
    (setting,) = settings(task, ["gru"], [4], 1, hidden=4, batch=4, most=256)
    whole = run_one(lab.lab_task("parity"), setting, tmp_path / "whole")
    found, parts = None, 0
    while found is None or not found["finished"]:
        found = run_one(lab.lab_task("parity"), setting, tmp_path / "parts", 0.05)
        parts += 1
        assert parts < 200
    assert parts > 1 and same(whole, found)
    again = run_one(lab.lab_task("parity"), setting, tmp_path / "parts", 0.0)
    assert again == json.loads(
        (tmp_path / "parts" / f"{setting.name}.json").read_text()
    )


def test_the_grammar_is_tested_on_all_of_its_strings(tmp_path):
    found = repeated(tmp_path, "embedded-reber", cells=["gru"], hidden=6, most=800)
    assert found["gru"]["test"]["of"] == 512
    assert found["gru"]["solved_at"] is None or found["gru"]["test"]["wrong"] == 0


def test_streams_tell_symbols_to_the_first_mistake_and_the_states(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(ContinualReber, "longest", 120)
    monkeypatch.setattr(continual_reber, "CHUNK", 15)
    cells = ["lstm1997", "lstm2000", "noforget"]
    options = {"most": 100, "hidden": 4, "batch": 4}
    book = lab.repeat("continual-reber", cells=cells, folder=tmp_path, **options)
    for result in book.results:
        assert 0 <= result["test"]["symbols"] <= 120
        assert result["test"]["state at the end"] > 0
    table = sections(book)[0].tables[0]
    assert [row[0] for row in table.rows] == cells


def test_a_test_stream_is_read_until_its_mistake_and_keeps_its_state(monkeypatch):
    """Read in pieces, a stream is the same as read in one go."""
    task = lab.lab_task("continual-reber")
    task.streams = 1  # several would draw their strings in another order
    net = LabNet(task, "lstm", 4, 0, rng=0)
    found = {}
    for piece in (40, 400):
        monkeypatch.setattr(continual_reber, "EARLY", piece)
        monkeypatch.setattr(continual_reber, "PIECE", piece)
        monkeypatch.setattr(task, "longest", 400)
        monkeypatch.setattr(continual_reber, "most_active", knows_after(0))
        found[piece] = task.test(net.run, np.random.default_rng(0), 0)
    assert found[40]["perfect"] == found[400]["perfect"] == 1
    assert found[40]["read"] == found[400]["read"] == 400
    for name in ("loss", "state at the end"):
        assert np.isclose(found[40][name], found[400][name], rtol=1e-4)
    monkeypatch.setattr(continual_reber, "PIECE", 40)
    monkeypatch.setattr(continual_reber, "EARLY", 40)
    monkeypatch.setattr(continual_reber, "most_active", knows_after(97))
    found = task.test(net.run, np.random.default_rng(0), 0)
    assert (found["perfect"], found["wrong"], found["of"]) == (0, 1, 1)
    assert found["symbols"] == 97 and found["read"] == 120


def knows_after(mistake):
    """A judge that finds one mistake in each stream, after so many symbols; or none."""
    seen = 0

    def judge(output, may):
        nonlocal seen
        steps = seen + np.arange(len(output))
        seen += len(output)
        return np.broadcast_to(
            (steps != mistake) | (mistake == 0), output.shape[1::-1]
        ).T

    return judge


def test_a_budget_says_what_was_left_out_and_the_next_call_goes_on(tmp_path, capsys):
    given = ["lab", "parity", "--cells", "rnn,gru", "--lags", "4", "--seeds", "2",
             "--hidden", "3", "--batch", "4", "-o", str(tmp_path)]  # fmt: skip
    assert main([*given, "--most", "40000", "--budget", "3"]) == 0
    told = capsys.readouterr().out
    assert "not begun" in " ".join(told.split())
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    for words in ("Learning curves", "The rules", "a constant answer", "not begun"):
        assert words in page
    assert main([*given, "--most", "100"]) == 0
    assert "not begun" not in capsys.readouterr().out


def test_the_list_has_every_task(capsys):
    assert main(["lab"]) == 0
    told = capsys.readouterr().out
    assert all(name in told for name in lab.TASKS)


@pytest.mark.parametrize(
    "given", [["--seeds", "1,1"], ["--seeds", "x"], ["--lags", "3"], ["--budget", "-1"]]
)
def test_bad_options_end_with_one_message(given, tmp_path, capsys):
    assert main(["lab", "adding", "-o", str(tmp_path), *given]) == 2
    told = capsys.readouterr().err
    assert told.startswith("ArgumentError: ") and "hint" in told


def test_without_distributed_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(job_processes, "available", lambda: False)
    with pytest.raises(SetupError, match="needs the package distributed"):
        lab.repeat("parity", lags=[4], most=100, folder=tmp_path, workers=2)


@pytest.mark.slow
def test_two_processes_find_what_one_finds(tmp_path):
    pytest.importorskip("distributed", reason="needs distributed")
    options = {"cells": ["gru"], "lags": [4], "seeds": 2, "hidden": 3, "batch": 4,
               "most": 200}  # fmt: skip
    one = lab.repeat("parity", folder=tmp_path / "one", **options)
    two = lab.repeat("parity", folder=tmp_path / "two", workers=2, **options)
    assert all(map(same, one.results, two.results))


def test_a_damaged_result_is_made_again(tmp_path):
    options = {"cells": ["rnn"], "lags": [4], "hidden": 2, "batch": 4, "most": 100}
    first = lab.repeat("parity", folder=tmp_path, **options).results[0]
    (file,) = tmp_path.glob("*.json")
    file.write_text("{")
    again = lab.repeat("parity", folder=tmp_path, **options).results[0]
    assert np.isclose(again["test"]["loss"], first["test"]["loss"])


@pytest.mark.slow
def test_a_compiled_run_is_the_eager_one(tmp_path, monkeypatch):
    """The criterion hears each batch once, replayed or not, with the same numbers."""
    found = {}
    for name, few in (("eager", 10**9), ("compiled", 0)):
        monkeypatch.setattr(lab_run, "FEW", few)
        options = {"cells": ["gru"], "lags": [10], "hidden": 4, "batch": 8, "most": 768}
        (found[name],) = lab.repeat(
            "two-sequence", folder=tmp_path / name, **options
        ).results
    one, other = found.values()
    assert one["sequences"] == other["sequences"] == 768
    assert np.allclose(one["curve"], other["curve"], rtol=1e-3)
    assert np.isclose(one["test"]["loss"], other["test"]["loss"], rtol=1e-2)


@pytest.mark.nightly
def test_adding_over_100_steps_is_solved_within_the_paper_s_count(tmp_path):
    options = {"cells": ["lstm"], "lags": [100], "seeds": 2, "most": 74_000}
    for result in lab.repeat("adding", folder=tmp_path, **options).results:
        assert result["solved_at"] < 74_000 and result["test"]["wrong"] < 26
