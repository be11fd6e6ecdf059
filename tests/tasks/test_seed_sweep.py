"""Several seeds: each training is the one that it would be alone, and the table."""

import importlib.util

import numpy as np
import pytest
from minigrad.errors import ArgumentError, SetupError

from minigrad import tasks
from minigrad.commands.main import main
from minigrad.tasks import job_processes, seed_sweep


@pytest.fixture
def one_by_one(monkeypatch):
    """As where dask.distributed is not installed."""
    for module in (seed_sweep, job_processes):
        monkeypatch.setattr(module, "available", lambda: False)


def figures(runs):
    return [run.figures["the model"] for run in runs]


def test_each_is_what_it_is_alone(one_by_one, series, tmp_path):
    options = {"data": str(series), "epochs": 1, "days": 7}
    told = []
    runs = seed_sweep.sweep(
        "weather", 3, tmp_path / "all", tell=told.append, seed=5, **options
    )
    assert [run.seed for run in runs] == [5, 6, 7]
    alone = tasks.train("weather", folder=tmp_path / "one", seed=6, **options)
    assert runs[1].figures == alone.figures
    assert len({run.figures["the model"]["rmse"] for run in runs}) == 3
    again = tasks.load("weather", runs[1].folder)
    assert again.figures == alone.figures
    assert told[-1] == "seed 7: done"
    task = tasks.task("weather")
    table = seed_sweep.sweep_table(task, runs)
    values = [found["rmse"] for found in figures(runs)]
    wanted = [
        task.shown("rmse", f(values)) for f in (np.mean, lambda v: np.std(v, ddof=1))
    ]
    (row,) = [row for row in table.rows if row[0] == "the model, mean ± sd"]
    assert row[1 + list(figures(runs)[0]).index("rmse")] == " ± ".join(wanted)


def test_the_command_shows_the_table(one_by_one, series, tmp_path, capsys):
    words = ["train", "weather", "--data", str(series), "--epochs", "1"]
    words += ["--days", "7"]
    assert main([*words, "--seeds", "2", "-o", str(tmp_path / "o")]) == 0
    said = capsys.readouterr().out
    assert "Held out, 2 seeds" in said and "one after another" in said
    assert sorted(p.name for p in (tmp_path / "o").iterdir()) == ["seed-0", "seed-1"]
    assert main([*words, "--seeds", "2", "--monitor"]) == 2
    assert main([*words, "--seeds", "1"]) == 2
    assert main([*words, "--scheduler", "tcp://here:1"]) == 2
    assert main([*words, "--seeds", "2", "--scheduler", "tcp://here:1"]) == 2
    with pytest.raises(ArgumentError, match="2 to 1000"):
        seed_sweep.sweep("weather", True, tmp_path)
    with pytest.raises(SetupError, match="distributed"):
        seed_sweep.sweep("weather", 2, tmp_path, scheduler="tcp://here:1")


@pytest.mark.skipif(
    importlib.util.find_spec("distributed") is None,
    reason="only where dask.distributed is installed",
)
@pytest.mark.filterwarnings("ignore")  # of dask's own, and of its worker processes
def test_beside_each_other_it_is_the_same(monkeypatch, series, tmp_path):
    options = {"data": str(series), "epochs": 1, "days": 7}
    beside = seed_sweep.sweep("weather", 2, tmp_path / "a", **options)
    monkeypatch.setattr(seed_sweep, "available", lambda: False)
    after = seed_sweep.sweep("weather", 2, tmp_path / "b", **options)
    assert figures(beside) == figures(after)
