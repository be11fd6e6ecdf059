"""Tables of several loops: ledger, diagnosis, products; a state that is cut."""

import numpy as np
import pytest

import minigrad as mg
from minigrad.models import GRU, LSTM, RNN, GRUCell, RNNCell
from minigrad.reading.uses import LoopStep


def inputs(steps, size=3):
    rng = np.random.default_rng(steps)
    return rng.standard_normal((steps, 2, size))


def encoder_decoder(kind, steps):
    encoder, decoder = kind(3, 4, rng=0), kind(3, 4, rng=1)
    _, state = encoder(inputs(steps[0]))
    return encoder, decoder, (decoder(inputs(steps[1]), state)[0] ** 2).sum()


@pytest.mark.parametrize("kind", [RNN, GRU, LSTM])
@pytest.mark.parametrize("steps", [(6, 2), (4, 4)])
def test_a_ledger_keeps_loops_apart(kind, steps):
    encoder, decoder, loss = encoder_decoder(kind, steps)
    parameters = [encoder.cells[0].W_h, decoder.cells[0].W_h]
    led = mg.ledger(loss, parameters)
    one, two = f"{kind.__name__} 1", f"{kind.__name__} 2"
    assert led.steps == [LoopStep(one, t) for t in range(steps[0])] + [
        LoopStep(two, t) for t in range(steps[1])
    ]
    assert str(led.steps[1]) == f"{one}, step 1"
    found = mg.grad(loss, parameters)
    for p, gradient in zip(parameters, found, strict=True):
        items = led.items(p)
        np.testing.assert_allclose(items.sum((0, 1)), gradient.data, rtol=1e-10)
    used = led.norms(parameters[1])[0]
    assert not used[: steps[0]].any() and used[steps[0] :].all()
    assert one in str(led.table(parameters[0]).columns[0]._cells)


def test_a_weight_of_two_passes_has_an_item_for_each_use():
    rnn = RNN(3, 3, rng=0)
    _, h = rnn(inputs(3))
    loss = (rnn(inputs(3), h)[0] ** 2).sum()
    led = mg.ledger(loss, rnn.cells[0].b)
    assert len(led.steps) == 6 and led.norms()[0].all()


@pytest.mark.parametrize("kind", [RNN, GRU, LSTM])
def test_one_loop_has_plain_numbers_as_before(kind):
    model = kind(3, 4, 2, bidirectional=True, rng=0)
    led = mg.ledger((model(inputs(3))[0] ** 2).sum(), model.cells[0].W_h)
    assert led.steps == [0, 1, 2]


def test_a_plain_loop_is_itemised():
    cell, x, h = GRUCell(3, 4, rng=0), mg.tensor(inputs(4)), mg.zeros((2, 4))
    for t in range(4):
        h = cell(x[t], h)
    led = mg.ledger((h**2).sum(), cell.W_x)
    assert led.steps == [0, 1, 2, 3] and led.norms()[0].all()


@pytest.mark.parametrize("steps", [(6, 2), (5, 5), (2, 3)])
def test_a_diagnosis_has_a_row_and_products_for_every_loop(steps):
    _, _, loss = encoder_decoder(GRU, steps)
    d = mg.diagnose(loss)
    assert d.names == ["GRU 1", "GRU 2"]
    assert [len(reading.norms) for reading in d.readings] == list(steps)
    assert [jp.steps for jp in d.products] == [n - 1 for n in steps]
    assert all(jp.norms().all() for jp in d.products)
    rows = [row for row in str(d).splitlines() if "reset gate" in row]
    assert len(rows) == 2 and "GRU 1" in rows[0] and "GRU 2" in rows[1]


def test_products_of_a_loop_that_was_found():
    cell, x, h = RNNCell(3, 4, rng=0), mg.tensor(inputs(5)), mg.zeros((2, 4))
    states = []
    for t in range(5):
        h = cell(x[t], h)
        states.append(h)
    d = mg.diagnose((h**2).sum())
    jp = mg.jacobian_products(d.loops[0])
    expected = mg.jacobian(states[4], states[0])[0, :, 0]
    np.testing.assert_allclose(jp.product(0), expected, rtol=1e-10, atol=1e-14)


def cut_loop(where, steps=6, last_alone=False):
    cell, x = RNNCell(3, 4, rng=0), mg.tensor(inputs(steps))
    h, loss = mg.zeros((2, 4)), 0.0
    for t in range(steps):
        with mg.time_step(t):
            h = cell(x[t], h.detach() if t in where else h)
            loss = (h**2).sum() + (0.0 if last_alone else loss)
    return loss


def test_a_state_detached_at_every_step_is_said_to_be_cut():
    d = mg.diagnose(cut_loop(range(6)))
    assert [w.kind for w in d.warnings] == ["cut"]
    assert "between all steps" in str(d) and ".detach()" in str(d)
    np.testing.assert_array_equal(d.readings[0].norms[1:], 0.0)
    assert d.readings[0].norms[0] > 0 and d.readings[0].units == 4
    assert not d.products[0].norms()[:-1].any()


@pytest.mark.parametrize("where, words", [
    ((3,), "after step 2"), ((2, 4), "after steps 1, 3"),
])  # fmt: skip
def test_a_state_detached_now_and_then(where, words):
    d = mg.diagnose(cut_loop(where))
    [warning] = d.warnings
    assert warning.kind == "cut" and words in warning.text
    assert d.readings[0].norms[1] > 0


def test_a_loss_that_reads_the_last_state_alone_reaches_back_to_the_cut():
    [cut] = [f for f in mg.diagnose(cut_loop([2], 5, True)).findings if f.kind == "cut"]
    assert "the loss reaches back to step 2 alone" in cut.text
    assert cut.where == "step 2" and cut.evidence == {"steps": [1], "of": 4}
    assert cut.severity == "warning"


def test_nothing_is_said_where_nothing_is_cut():
    assert mg.diagnose(cut_loop(())).warnings == []


def test_the_parameters_of_both_loops_are_in_the_ledger_of_a_diagnosis():
    encoder, decoder, loss = encoder_decoder(GRU, (3, 2))
    led = mg.diagnose(loss).ledger
    assert {id(p) for p in led.parameters} == {
        id(p) for model in (encoder, decoder) for p in model.parameters()
    }
    assert "GRU 1" in str(mg.explain(encoder.cells[0].W_h, (0, 1), loss))


def test_the_axis_of_a_ledger_names_the_loops():
    encoder, _, loss = encoder_decoder(GRU, (3, 2))
    axes = mg.ledger(loss, encoder.cells[0].W_h).plot()
    ticks = [tick.get_text() for tick in axes.get_xticklabels()]
    assert ticks == ["0\nGRU 1", "1", "2", "0\nGRU 2", "1"]


@pytest.mark.parametrize("state", [True, False])
def test_one_step_alone_is_a_cut_loop_only_if_it_takes_a_state(state):
    cell, h = RNNCell(3, 4, rng=0), mg.tensor(inputs(1)[0][:, :1] * np.ones(4))
    x = mg.tensor(inputs(1)[0])
    with mg.time_step(3):
        y = cell(x, h) if state else mg.tanh(x @ cell.W_x + cell.b)
    if state:
        [cut] = [one for one in mg.diagnose((y**2).sum()).findings if one.code == "cut"]
        assert cut.where == "step 3"
    else:
        with pytest.raises(mg.errors.GraphError, match="no loop over time"):
            mg.diagnose((y**2).sum())
