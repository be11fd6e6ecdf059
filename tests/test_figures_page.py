"""The page of figures: its rows come from tests that are there, and none is broken."""

import json
import sys
from pathlib import Path

import proof_rows
import pytest

ROOT = Path(__file__).parent.parent
sys.path.append(str(ROOT / "docs" / "_ext"))
import figures  # noqa: E402

PROVEN = json.loads((ROOT / "docs" / "proven.json").read_text(encoding="utf-8"))["rows"]


def test_every_row_was_kept_by_a_test_that_is_there():
    assert len(PROVEN) > 20
    for row in PROVEN:
        assert row["tried"] > 0 and row["wrong"] == [], row
        assert row["limit"] is None or row["worst"] <= row["limit"]
        assert (ROOT / row["test"].partition("::")[0]).is_file(), row["test"]


def cells_of(text):
    """How many cells each row has; a heading is a row."""
    rows = text.split("\n    * - ")[1:]
    return [1 + row.partition("\n\n")[0].count("\n      -") for row in rows]


def test_the_table_of_the_check_has_peers_beside_each_figure():
    table = figures.text(ROOT / "docs" / "figures.json")
    assert "Best of any peer" in table and "broken" not in table
    assert set(cells_of(table)) == {6}


def test_each_promise_has_a_table_with_peers_or_says_that_there_are_none():
    text = figures.proven(ROOT / "docs" / "proven.json")
    assert "broken" not in text
    for promise in figures.TITLES.values():
        _, _, part = text.partition(f"{promise}\n~")
        part = part.partition("\n~")[0]
        assert len(set(cells_of(part))) == 1, promise
        assert "``tests/" in part or "``bench" in part
        assert ("Best of any peer" in part) != ("No peer publishes" in part), promise


def test_what_peers_publish_stands_beside_it():
    peers = [
        {"promise": "values", "what": "float32", "figure": "1.5 (JAX)"},
        {"promise": "values", "figure": "2 (another)"},
    ]
    row = {"promise": "values", "what": "exp in float32"}
    assert figures.published(row, peers) == "1.5 (JAX)"
    assert figures.published(row | {"what": "exp"}, peers) == "2 (another)"
    assert figures.published(row | {"promise": "files"}, peers) == "none published"


def test_rows_of_one_thing_are_put_together(tmp_path):
    proofs = proof_rows.Proofs("tests/test_a.py::test_b")
    for figure in (0.25, 0.5):
        row = proofs("gradients", "cases", limit=1.0, unit="relative", seed=3)
        row.measure(figure, "")
        row.measure(0.1, "")
    proofs.check()
    proof_rows.write(tmp_path / "x.json", proofs.rows())
    proof_rows.write(tmp_path / "x.json", proofs.rows())  # in place of the first
    written = json.loads((tmp_path / "x.json").read_text(encoding="utf-8"))["rows"]
    assert len(written) == 2
    (whole,) = figures.summed(written)
    assert whole["tried"] == 4 and whole["worst"] == 0.5
    assert whole["tests"] == ["tests/test_a.py"]


def test_a_row_that_is_not_kept_fails_its_test():
    proofs = proof_rows.Proofs("tests/test_a.py::test_b")
    proofs("files", "names").expect(False, "this one")
    with pytest.raises(AssertionError, match="this one"):
        proofs.check()
