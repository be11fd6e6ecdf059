"""Dropout of h within the recurrence: one mask per sequence, against plain loops."""

import bptt_reference as reference
import numpy as np
import pytest

import minigrad as mg
from minigrad.engine.errors import ArgumentError
from minigrad.models import GRU, LSTM, RNN, HiddenDropout, LSTMCell, RNNCell, unroll

T, B, D, H, P = 5, 3, 2, 4, 0.5


def mask_of(seed, shape=(B, H), p=P):
    return (np.random.default_rng(seed).random(shape) >= p) / (1 - p)


def rnn_in_numpy(x, h, m, W_x, W_h, b):
    rows = []
    for x_t in x:
        h = np.tanh(x_t @ W_x + (h * m) @ W_h + b)
        rows.append(h)
    return np.stack(rows)


def lstm_in_numpy(x, h, m, W_x, W_h, b):
    c, rows = np.zeros_like(h), []
    for x_t in x:
        i, f, g, o = np.split(x_t @ W_x + (h * m) @ W_h + b, 4, axis=1)
        i, f, o = map(reference.sigmoid, (i, f, o))
        c = f * c + i * np.tanh(g)
        h = o * np.tanh(c)
        rows.append(h)
    return np.stack(rows)


CELLS = {"rnn": (RNN, rnn_in_numpy), "lstm": (LSTM, lstm_in_numpy)}


@pytest.mark.parametrize("kind", CELLS)
def test_outputs_and_gradients_are_those_of_the_masked_equations(kind, rng):
    make, in_numpy = CELLS[kind]
    model = make(D, H, rng=0)
    model.cells[0] = HiddenDropout(model.cells[0], P, rng=7)
    x, weights = rng.standard_normal((T, B, D)), rng.standard_normal((T, B, H))
    output, _ = model(x)
    arrays = [np.array(p.data) for p in model.parameters()]
    zeros, mask = np.zeros((B, H)), mask_of(7)
    assert 0 < (mask == 0).sum() < mask.size
    np.testing.assert_allclose(
        output.data, in_numpy(x, zeros, mask, *arrays), rtol=1e-12
    )
    (output * mg.tensor(weights)).sum().backward()
    for k, p in enumerate(model.parameters()):
        direction = rng.standard_normal(p.shape)
        stepped = list(arrays)
        stepped[k] = arrays[k] + 1e-200j * direction
        wanted = (weights * in_numpy(x, zeros, mask, *stepped)).sum().imag / 1e-200
        found = float((p.grad.data * direction).sum())
        np.testing.assert_allclose(found, wanted, rtol=1e-11)


def test_each_loop_draws_anew_and_a_seed_repeats_it(rng):
    x = rng.standard_normal((T, B, D))
    start = mg.zeros((B, H))

    def outputs(seed):
        cell = HiddenDropout(RNNCell(D, H, rng=0), P, rng=seed)
        return [unroll(cell, x, start).output.data for _ in range(2)]

    first, second = outputs(1)
    assert not np.array_equal(first, second)
    again = outputs(1)
    assert np.array_equal(first, again[0]) and np.array_equal(second, again[1])


def test_evaluation_is_that_of_the_cell_alone(rng):
    x = rng.standard_normal((T, B, D))
    model = LSTM(D, H, 2, bidirectional=True, rng=0)
    plain = model(x)[0].data
    model.cells[:] = [
        HiddenDropout(cell, P, rng=k) for k, cell in enumerate(model.cells)
    ]
    assert not np.array_equal(model(x)[0].data, plain)
    assert np.array_equal(model.eval()(x)[0].data, plain)
    assert np.array_equal(model.train()(x)[0].data != plain, np.ones(plain.shape, bool))


def test_readers_take_it_as_a_cell(rng):
    model = LSTM(D, H, rng=0)
    model.cells[0] = HiddenDropout(model.cells[0], P, rng=3)
    x = mg.tensor(rng.standard_normal((T, 1, D)))
    trace = model.trace(x)
    assert set(trace.names) == set("ifgoch")
    before, after = trace.states[1], trace.states[2]
    wanted = [mg.jacobian(part, before[0])[0, :, 0] for part in after]
    found = mg.jacobian_products(trace).factor(2)[:, :H]
    np.testing.assert_allclose(found, np.concatenate(wanted), rtol=1e-12)
    loss = trace.output[-1].sum()
    ledger = mg.ledger(loss, model.parameters())
    loss.backward()
    for p in model.parameters():
        np.testing.assert_allclose(ledger.items(p).sum((0, 1)), p.grad.data, rtol=1e-9)
    assert "with dropout" in mg.draw(loss, level="cell").dot
    assert mg.steps(loss).events


def test_padding_and_state_dict(rng):
    cell = HiddenDropout(LSTMCell(D, H, rng=0), P, rng=0)
    assert [n for n, _ in cell.named_parameters()] == ["cell.W_x", "cell.W_h", "cell.b"]
    assert cell.W_h is cell.cell.W_h and cell.gates == ("i", "f", "g", "o")
    x = rng.standard_normal((T, B, D))
    start = cell.zero_state(B)
    whole = unroll(cell, x, start, lengths=[T, 2, 1]).output.data
    assert not whole[2:, 1].any() and not whole[1:, 2].any()


def test_a_gru_is_refused():
    with pytest.raises(ArgumentError, match="also what it remembers"):
        HiddenDropout(GRU(D, H, rng=0).cells[0])
    with pytest.raises(ArgumentError, match="not a probability"):
        HiddenDropout(RNNCell(D, H), 1.5)
