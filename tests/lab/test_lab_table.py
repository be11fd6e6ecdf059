"""The table of all experiments: made by one command, when every run is at its end."""

import pytest

from benchmarks import bench_lab
from benchmarks.bench_lab import Runs

TINY = {"lags": [4], "hidden": 3, "batch": 4}


@pytest.fixture
def tiny(monkeypatch, tmp_path):
    """Two experiments that are over at once; the folder of the documentation."""
    runs = (
        Runs("parity", ("rnn",), 2, {**TINY, "most": 40}),
        Runs("parity", ("gru",), 1, {**TINY, "most": 40}),
        Runs("two-sequence", ("gru",), 1, {**TINY, "lags": [10], "most": 40}),
    )
    monkeypatch.setattr(bench_lab, "RUNS", runs)
    monkeypatch.setattr(bench_lab, "DOCS", tmp_path)
    return tmp_path


def test_the_table_has_all_runs_beside_the_published_ones(tiny, capsys):
    bench_lab.main(["-o", str(tiny / "book")])
    lines = (tiny / "lab_table.rst").read_text(encoding="utf-8").splitlines()
    for line in (
        "    * - ``parity``", "      - rnn", "      - 0 of 2 seeds",
        "      - not within 128", "    * - ``two-sequence``",
        "      - a constant answer",
        "      - published: LSTM 1997, 102 weights",
    ):  # fmt: skip
        assert line in lines
    cells = [line for line in lines if line.startswith(("    * -", "      -"))]
    assert len(cells) % len(bench_lab.HEADER) == 0
    assert (tiny / "lab_curves.svg").read_bytes().startswith(b"<?xml")
    first = capsys.readouterr().out
    bench_lab.main(["-o", str(tiny / "book")])  # all of it is known by now
    again = capsys.readouterr().out
    assert again[again.index("┏") :] == first[first.index("┏") :]


def test_a_part_of_the_runs_writes_no_page(tiny):
    bench_lab.main(["parity", "-o", str(tiny / "book")])
    bench_lab.main(["--budget", "0.001", "-o", str(tiny / "other")])
    assert not (tiny / "lab_table.rst").exists()
