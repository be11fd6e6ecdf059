"""Rows of figures: what a test tried, how many cases, the worst value, the seconds.

    def test_programs(proof):
        row = proof("gradients", "programs", limit=1e-10, unit="relative", seed=7)
        row.measure(figure, case)  # or row.expect(right, case)

When the test is over, each row must be kept. `pytest --figures FILE` writes the rows
into FILE, beside those that are in it from other tests: the page of figures is made of
them.
"""

import json
import time
from pathlib import Path


class Proofs:
    """The rows of one test."""

    def __init__(self, nodeid):
        self.nodeid, self.outcomes, self.seeds = nodeid, [], []
        self.began = time.monotonic()

    def __call__(self, promise, what, limit=None, unit="", seed=0):
        """A row of its own: an Outcome, to count cases in."""
        from minigrad.checking import Outcome  # not at each start of pytest

        outcome = Outcome(promise, what, limit, unit)
        self.outcomes.append(outcome)
        self.seeds.append(seed)
        return outcome

    def rows(self):
        """As they stand in the file; the time is that of the test, shared evenly."""
        seconds = (time.monotonic() - self.began) / max(len(self.outcomes), 1)
        return [
            {
                "promise": one.promise, "what": one.what, "tried": one.tried,
                "worst": one.worst if one.limit is not None else None,
                "limit": one.limit, "unit": one.unit, "wrong": one.wrong,
                "seed": seed, "seconds": round(seconds, 2), "test": self.nodeid,
            }
            for one, seed in zip(self.outcomes, self.seeds, strict=True)
        ]  # fmt: skip

    def check(self):
        """Every row was kept."""
        for one in self.outcomes:
            assert one.kept, "\n".join([str(one), *one.wrong[:5]])


def write(path, rows):
    """The rows into the file, in place of those of the same tests."""
    path = Path(path)
    known = json.loads(path.read_text("utf-8"))["rows"] if path.exists() else []
    tests = {row["test"] for row in rows}
    whole = [row for row in known if row["test"] not in tests] + rows
    whole.sort(key=lambda row: (row["promise"], row["what"], row["test"]))
    lines = ",\n".join(f"  {json.dumps(row)}" for row in whole)
    path.write_text(f'{{"rows": [\n{lines}\n]}}\n', encoding="utf-8")
