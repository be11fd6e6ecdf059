"""Paired comparisons of days that are alike: blocks make the interval wider."""

import numpy as np

from minigrad.tasks.statistics import paired


def test_blocks_widen_the_interval_of_what_hangs_together(rng):
    noise = np.repeat(rng.normal(size=100), 10)  # ten days alike each time

    def gain(rows):
        return float(noise[rows].mean())

    alone, together = paired(gain, 1000), paired(gain, 1000, block=10)
    assert alone.value == together.value
    ratio = (together.high - together.low) / (alone.high - alone.low)
    assert 2 < ratio < 4.5  # sqrt(10) if the blocks are those of the noise


def test_every_row_is_drawn_alike_in_blocks():
    counts = np.zeros(50)

    def count(rows):
        assert len(rows) == 50
        counts[:] += np.bincount(rows, minlength=50)
        return 0.0

    paired(count, 50, block=7)
    assert counts.min() > 0.9 * counts.mean()
