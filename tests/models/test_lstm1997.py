"""The LSTM of 1997 in all its variants against its equations in plain NumPy."""

import itertools

import numpy as np
import pytest

import minigrad as mg
from minigrad.models import LSTM1997, LSTM1997Cell

VARIANTS = [
    dict(zip(("forget_gate", "gates_seen", "cell_bias"), flags, strict=True))
    for flags in itertools.product([False, True], repeat=3)
]


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def equations(cell, x, h, c, a):
    """One step; the columns of each gate are cut out by hand."""
    b, s = cell.blocks, cell.cells_per_block
    widths = {"i": b, "f": b, "g": b * s, "o": b}
    seen = np.concatenate([h, a], axis=1) if cell.gates_seen else h
    net, place, at = {}, 0, 0
    for gate in "ifgo":
        if gate == "f" and not cell.forget_gate:
            continue
        columns = slice(place, place + widths[gate])
        net[gate] = x @ cell.W_x.data[:, columns] + seen @ cell.W_h.data[:, columns]
        place += widths[gate]
        if gate != "g" or cell.cell_bias:
            net[gate] = net[gate] + cell.b.data[at : at + widths[gate]]
            at += widths[gate]
    assert at == cell.b.size
    wide = {k: np.repeat(sigmoid(net[k]), s, axis=1) for k in net if k != "g"}
    c = wide.get("f", 1.0) * c + wide["i"] * (4 * sigmoid(net["g"]) - 2)
    h = wide["o"] * (2 * sigmoid(c) - 1)
    return h, c, np.concatenate([sigmoid(net[k]) for k in net if k != "g"], axis=1)


@pytest.mark.parametrize("cells", [1, 3])
@pytest.mark.parametrize(
    "options", VARIANTS, ids=lambda o: "-".join(map(str, o.values()))
)
def test_a_sequence_is_the_equations_and_its_gradient_is_right(options, cells, rng):
    lstm = LSTM1997(3, 2, cells, scale=0.8, rng=4, **options)
    lstm.cell.b.data = rng.standard_normal(lstm.cell.b.shape)
    x = rng.standard_normal((4, 2, 3))
    output, state = lstm(x)
    h, c = np.zeros((2, 2, 2 * cells))
    a = np.zeros((2, 2 * (len(lstm.cell.gates) - 1)))
    for step in range(4):
        h, c, a = equations(lstm.cell, x[step], h, c, a)
        np.testing.assert_allclose(output.data[step], h, rtol=1e-13, atol=1e-15)
    for found, expected in zip(state, (h, c, a), strict=False):
        np.testing.assert_allclose(found.data, expected, rtol=1e-13, atol=1e-15)
    assert len(state) == (3 if options["gates_seen"] else 2)
    mg.gradcheck(lambda x: lstm(x)[0], [mg.tensor(x, requires_grad=True)])
    parameters = list(lstm.parameters())
    mg.gradcheck(lambda *_: lstm(x)[0], parameters)


@pytest.mark.parametrize("cell_bias", [False, True])
def test_biases_start_where_they_are_told_to(cell_bias):
    cell = LSTM1997Cell(
        2, 2, 3, forget_gate=True, cell_bias=cell_bias, scale=0.25, rng=0,
        input_bias=(-3, -6), output_bias=-1, forget_bias=(2, 4),
    )  # fmt: skip
    i, f, *g, o1, o2 = np.split(cell.b.data, [2, 4, *range(5, cell.b.size)])
    assert i.tolist() == [-3, -6] and f.tolist() == [2, 4]
    assert (o1, o2) == (-1, -1) and len(g) == (6 if cell_bias else 0)
    for drawn in (cell.W_x.data, cell.W_h.data, *g):
        assert 0 < np.abs(drawn).max() <= 0.25
    assert cell.W_x.shape == (2, 12) and cell.W_h.shape == (12, 12)


def test_a_state_and_a_trace(rng):
    """A sequence in two halves is the whole one; the trace has its gates."""
    lstm = LSTM1997(3, 2, 2, rng=1)
    x = rng.standard_normal((6, 2, 3))
    whole, _ = lstm(x)
    first, state = lstm(x[:2])
    second, _ = lstm(x[2:], state)
    both = np.concatenate([first.data, second.data])
    np.testing.assert_allclose(both, whole.data, rtol=1e-14)
    traced = lstm.trace(x[2:], state)
    assert traced["i"].shape == (4, 2, 2)
    np.testing.assert_allclose(traced["h"], second.data, rtol=1e-14)


@pytest.mark.parametrize("shape", [(4, 3), (4, 1, 2), (4, 1, 3, 1)])
def test_inputs_that_do_not_fit(shape):
    with pytest.raises(mg.errors.ShapeError, match=r"x of shape \(T, B, 3\)"):
        LSTM1997(3, 2)(np.zeros(shape))
