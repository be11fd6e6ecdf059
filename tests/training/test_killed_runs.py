"""Trainings killed at random moments: resumed, they end in the same bits (nightly)."""

import pytest

from benchmarks.bench_kills import kill_many


@pytest.mark.nightly
@pytest.mark.parametrize("part", range(20))
def test_killed_trainings_are_resumed_to_the_same_bits(part, proof):
    """Two hundred, in parts: what is left is whole, and of one and the same step."""
    row = proof("nothing is lost", "trainings killed at random, resumed", seed=part)
    counts = kill_many(10, seed=part)
    row.tried = counts["kills"]
    row.wrong += ["no run ended"] * (counts["runs that ended"] < 1)
