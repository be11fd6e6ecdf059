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


@pytest.mark.parametrize("name", ["figures.json", "proven.json"])
def test_the_table_has_peers_beside_each_figure(name):
    table = figures.text(ROOT / "docs" / name)
    rows = table.count("    * - ") - 1
    columns = 7 if name == "proven.json" else 6
    assert "Best of any peer" in table and "broken" not in table
    assert table.count("\n      - ") == (rows + 1) * (columns - 1)


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
