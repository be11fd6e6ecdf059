"""To look at a graph changes nothing: the same gradients, to the last bit."""

import pytest

import minigrad as mg
from minigrad.engine.graph import ancestors
from minigrad.models import GRU, LSTM, RNN

# Steps, batch, units: one row, a few, and more than are stacked at a time; one unit.
SIZES = [(1, 1, 3), (7, 3, 16), (40, 30, 5), (3, 40, 1)]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("kind", [RNN, LSTM, GRU])
def test_gradients_of_a_graph_that_was_looked_at(kind, size, dtype, rng):
    T, B, H = size
    model = kind(4, H, num_layers=2, bidirectional=T == 7, dtype=dtype, rng=rng)
    x = rng.standard_normal((T, B, 4)).astype(dtype)

    def gradients(look):
        given = mg.tensor(x, requires_grad=True)
        output = model(given)[0]
        loss = (output * output).mean() + sum((p * p).sum() for p in model.parameters())
        if look:  # as pictures, players and the first step of a Trainer do
            assert all(node.edges for node in ancestors([loss.node]))
        model.zero_grad()
        loss.backward()
        return [tensor.grad.data for tensor in (given, *model.parameters())]

    for one, other in zip(gradients(False), gradients(True), strict=True):
        assert one.tobytes() == other.tobytes()
