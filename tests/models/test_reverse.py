"""One direction, from the end."""

import numpy as np
import pytest
from minigrad.errors import ArgumentError

from minigrad.models import GRU, LSTM, RNN


@pytest.mark.parametrize("make", [RNN, LSTM, GRU])
def test_it_is_the_second_half_of_a_bidirectional_model(make, rng):
    both = make(2, 3, bidirectional=True, rng=0)
    model = make(2, 3, reverse=True)
    weights = both.cells[1].state_dict()
    model.cells[0].load_state_dict(weights)
    x = rng.normal(size=(5, 3, 2))
    for lengths in (None, [5, 2, 3]):
        output, state = model(x, lengths=lengths)
        wanted, ends = both(x, lengths=lengths)
        assert np.array_equal(output.data, wanted.data[:, :, 3:])
        state, ends = (s if isinstance(s, tuple) else (s,) for s in (state, ends))
        for one, other in zip(state, ends, strict=True):
            assert np.array_equal(one.data[0], other.data[1])
    assert make(**model.config).reverse and make(**model.config).config == model.config
    assert model.trace(x).layer(0).times[0] == 4


def test_one_direction_or_both():
    with pytest.raises(ArgumentError, match="one direction, or both"):
        LSTM(2, 3, reverse=True, bidirectional=True)
