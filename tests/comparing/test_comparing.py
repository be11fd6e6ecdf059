"""Speed side by side: everyone computes the same gradient; the report says what ran."""

import json

import numpy as np
import pytest

from minigrad.commands.main import main
from minigrad.comparing import bench_process, rivals_numpy, rivals_torch, same_step
from minigrad.comparing import side_by_side as side
from minigrad.comparing.growth import growth
from minigrad.comparing.same_step import KINDS, Size, problem

SMALL = Size(4, 3, 5, 6)


@pytest.mark.parametrize("kind", KINDS)
def test_the_hand_written_step_has_the_same_gradients(kind):
    given = problem(kind, SMALL)
    ours, theirs = same_step.eager(given), rivals_numpy.by_hand(given)
    ours.step()
    theirs.step()
    found = theirs.gradients()
    assert found.keys() == ours.gradients().keys() == given.weights.keys()
    for name, expected in ours.gradients().items():
        np.testing.assert_allclose(found[name], expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("rival", ["torch_nn", "from_primitives"])
def test_pytorch_has_the_same_gradients(kind, rival):
    pytest.importorskip("torch", reason="needs torch")
    given = problem(kind, SMALL)
    ours, theirs = same_step.eager(given), getattr(rivals_torch, rival)(given)
    ours.step()
    theirs.step()
    found = theirs.gradients()
    for name, expected in ours.gradients().items():
        np.testing.assert_allclose(found[name], expected, rtol=1e-4, atol=1e-5)


def slow_or_wrong(monkeypatch, **rivals):
    monkeypatch.setattr(side, "RIVALS", {side.OURS: side.RIVALS[side.OURS], **rivals})


def test_who_cannot_take_part_is_told_with_the_reason(monkeypatch):
    def wrong(given):
        right = same_step.eager(given)
        return right._replace(
            gradients=lambda: {n: 1.1 * g for n, g in right.gradients().items()}
        )

    def broken(given):
        raise RuntimeError("no compiler\nmore words")

    slow_or_wrong(
        monkeypatch,
        wrong=(wrong, None),
        broken=(broken, None),
        absent=(broken, "no_such_package"),
    )
    monkeypatch.setitem(side.SIZES, "1x16", SMALL)
    (case,) = side.compare(["RNN"], ["1x16"], 1.0)
    assert set(case.times) == {side.OURS}
    assert case.left_out == {
        "wrong": "another gradient for W_x",
        "broken": "RuntimeError: no compiler",
        "absent": "no_such_package is not installed",
    }
    times = case.times[side.OURS]
    assert 0 < times.low <= times.median <= times.high and times.rounds > 1


def test_cases_for_which_no_time_is_left_are_told(monkeypatch):
    slow_or_wrong(monkeypatch)
    found = list(side.compare(["RNN", "GRU"], ["1x16"], 0.0))
    assert [case.left_out for case in found] == [{side.OURS: side.NO_TIME}] * 2


def test_growth_is_measured_for_each_length(monkeypatch):
    monkeypatch.setattr("minigrad.comparing.growth.LENGTHS", (2, 8))
    monkeypatch.setattr("minigrad.comparing.growth.WAYS", {side.OURS: same_step.eager})
    rows = list(growth("RNN", 30.0))
    assert [row.T for row in rows] == [2, 8]
    assert rows[1].megabytes > 2 * rows[0].megabytes > 0


def test_the_command(tmp_path, monkeypatch, capsys):
    """In a process of its own; a table, the figures, a plot."""
    figures, plot = tmp_path / "speed.json", tmp_path / "speed.png"
    words = ["bench", "--kind", "RNN", "--size", "1x16", "--seconds", "4"]
    monkeypatch.setattr(
        "minigrad.commands.bench._installed_rivals",
        lambda: [side.OURS, "NumPy, by hand", "matrix products alone"],
    )
    assert main([*words, "--json", str(figures), "--plot", str(plot)]) == 0
    shown = capsys.readouterr().out
    assert "NumPy, by hand" in shown and "one thread" in shown
    data = json.loads(figures.read_text())
    (case,) = data["cases"]
    assert (case["kind"], case["T"], case["H"], data["threads"]) == ("RNN", 50, 16, 1)
    assert case["times_ms"][side.OURS]["median"] > 0
    told = {*case["times_ms"], *case["left_out"]}
    assert told == {side.OURS, "NumPy, by hand", "matrix products alone"}
    assert plot.read_bytes()[:4] == b"\x89PNG"


def test_a_process_that_dies_is_an_error_with_its_words(monkeypatch):
    asked = {"kinds": ["no kind"], "sizes": ["S"], "seconds": 1.0}
    with pytest.raises(ValueError, match="KeyError"):
        bench_process.in_a_process(
            {**asked, "rivals": None, "growth": 0}, 1, lambda text, done: None
        )


def test_nothing_to_measure_with(capsys):
    assert main(["bench", "--threads", "0"]) == 2
    assert "--threads 1 or more" in capsys.readouterr().err
