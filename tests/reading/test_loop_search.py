"""Loops by what feeds what: plain loops, calls apart, nesting, cuts, unequal steps."""

import numpy as np
import pytest

import minigrad as mg
from minigrad.engine.errors import ArgumentError
from minigrad.engine.graph import ancestors
from minigrad.engine.scope import gate
from minigrad.models import GRU, LSTM, RNN, GRUCell, LSTMCell, RNNCell, unroll
from minigrad.reading.loops import Loops, loops

CELLS = {RNNCell: ("h",), GRUCell: ("h",), LSTMCell: ("h", "c")}
D, H = 3, 4


def inputs(steps, size=D, batch=2):
    rng = np.random.default_rng(steps)
    return mg.tensor(rng.standard_normal((steps, batch, size)), name="x")


def found_in(tensor):
    return Loops(ancestors([tensor.node]))


def names(found):
    return [call.label for call in found.calls]


def plain(cell, steps, state=None, x=None):
    """A cell called in a plain loop: the states after every step."""
    x = inputs(steps) if x is None else x
    state = cell.zero_state(2) if state is None else state
    states = []
    for t in range(steps):
        state = cell(x[t], state)
        states.append(state)
    return states


def first(state):
    return state[0] if isinstance(state, tuple) else state


# ------------------------------------------------------------- calls of models


@pytest.mark.parametrize("kind", [RNN, GRU, LSTM])
@pytest.mark.parametrize("steps", [(6, 2), (4, 4), (1, 3)])
def test_an_encoder_and_a_decoder_are_two_loops(kind, steps):
    encoder, decoder = kind(D, H, rng=0), kind(D, H, rng=1)
    _, state = encoder(inputs(steps[0]))
    output, _ = decoder(inputs(steps[1]), state)
    found = found_in((output**2).sum())
    assert [len(loop.steps) for loop in found.all] == list(steps)
    assert names(found) == [f"{kind.__name__} 1", f"{kind.__name__} 2"]
    assert all(loop.marked for loop in found.all)


def test_attributes_of_a_model_name_its_loops():
    class Translator(mg.nn.Module):
        def __init__(self):
            self.encoder, self.gru = GRU(D, H, rng=0), GRU(D, H, rng=1)

        def forward(self, a, b):
            return self.gru(b, self.encoder(a)[1])[0]

    found = found_in(Translator()(inputs(3), inputs(2)).sum())
    assert names(found) == ["encoder", "GRU"]  # "gru" says no more than the kind


def test_layers_and_directions_of_one_call_share_it():
    found = found_in(LSTM(D, H, 2, bidirectional=True, rng=0)(inputs(3))[0].sum())
    assert not found.several and len({loop.call for loop in found.all}) == 1
    twice = LSTM(D, H, 2, rng=0)
    _, state = twice(inputs(3))
    found = found_in(twice(inputs(2), state)[0].sum())
    assert [loop.name for loop in found.all] == [
        "LSTM 1 / layer 0", "LSTM 1 / layer 1", "LSTM 2 / layer 0", "LSTM 2 / layer 1"
    ]  # fmt: skip


def test_a_users_scope_around_two_calls_is_numbered():
    rnn = RNN(D, D, rng=0)
    with mg.scope("reader"):
        output, _ = rnn(inputs(3))
        output, _ = rnn(output)
    assert names(found_in(output.sum())) == ["reader 1", "reader 2"]


def test_unroll_gives_every_call_a_record_of_its_own():
    cell = GRUCell(D, H, rng=0)
    one = unroll(cell, inputs(3), cell.zero_state(2))
    two = unroll(cell, inputs(2), one.state)
    found = found_in(two.output.sum())
    assert [len(loop.steps) for loop in found.all] == [3, 2]
    records = [loop.scopes[-1] for loop in found.all]
    assert [record.kind for record in records] == ["loop"] * 2
    assert records[0].index != records[1].index
    assert sorted(two.gate_nodes) == ["h", "n", "r", "z"]
    assert list(two.gate_nodes["r"]) == [0, 1]


# ------------------------------------------------------------- plain loops


@pytest.mark.parametrize("kind", CELLS)
@pytest.mark.parametrize("steps", [2, 3, 7])
def test_a_cell_in_a_plain_loop_is_found(kind, steps):
    states = plain(kind(D, H, rng=0), steps)
    loss = (first(states[-1]) ** 2).sum()
    nodes = ancestors([loss.node])
    found = Loops(nodes)
    (loop,) = found.all
    assert not loop.marked and loop.steps == list(range(steps))
    assert loop.state_names == CELLS[kind] and loop.cut == []
    parts = [state if isinstance(state, tuple) else (state,) for state in states]
    assert [[p.node for p in s] for s in loop.states] == [
        [p.node for p in s] for s in parts
    ]
    outside = [n.primitive.name for n in found.outside]
    assert outside == ["power", "sum"]
    assert len({len(made) for made in loop.nodes.values()}) == 1


@pytest.mark.parametrize("head", [False, True])
def test_losses_in_a_plain_loop_belong_to_its_steps(head):
    cell, out = RNNCell(D, H, rng=0), mg.nn.Linear(H, 2, rng=0)
    x, h, loss = inputs(5), mg.zeros((2, H)), 0.0
    target = mg.tensor(np.ones((5, 2, 2)))
    for t in range(5):
        h = cell(x[t], h)
        if head:
            loss = loss + ((out(h) - target[t]) ** 2).mean()
        else:
            loss = loss + (h**2).mean()
    found = found_in(loss)
    (loop,) = found.all
    assert loop.state_names == ("h",) and loop.states[-1][0].node is h.node
    assert found.outside == []


def test_an_encoder_and_a_decoder_of_plain_loops():
    one, two = GRUCell(D, H, rng=0), GRUCell(D, H, rng=1)
    h = plain(one, 4)[-1]
    h = plain(two, 3, h)[-1]
    found = found_in((h**2).sum())
    assert [loop.steps for loop in found.all] == [[0, 1, 2, 3], [0, 1, 2]]
    assert names(found) == ["GRU 1", "GRU 2"]


def test_two_passes_of_one_cell_from_fresh_states():
    cell = GRUCell(D, H, rng=0)
    loss = (plain(cell, 4)[-1] * plain(cell, 3)[-1]).sum()
    assert [loop.steps for loop in found_in(loss).all] == [[0, 1, 2, 3], [0, 1, 2]]


def test_two_cells_in_one_body_are_one_loop_with_two_states():
    one, two = RNNCell(D, H, rng=0), RNNCell(H, H, rng=1)
    x, a, b = inputs(4), mg.zeros((2, H)), mg.zeros((2, H))
    for t in range(4):
        a = one(x[t], a)
        b = two(a, b)
    (loop,) = found_in((b**2).sum()).all
    assert loop.state_names == ("h", "s1")
    assert [p.node for p in loop.states[-1]] == [a.node, b.node]


@pytest.mark.parametrize("kind", [RNN, GRU, LSTM])
def test_a_model_called_for_one_step_at_a_time(kind):
    model, x, state = kind(D, H, rng=0), inputs(5), None
    for t in range(5):
        output, state = model(x[t : t + 1], state)
    found = found_in(loss := (output**2).sum())
    (loop,) = found.all
    assert loop.steps == [0, 1, 2, 3, 4] and "h" in loop.state_names
    assert loop.states[0][0].shape == (2, H)
    inside = [node for nodes in loop.nodes.values() for node in nodes]
    assert all(found.of(node).loop is loop for node in inside)
    assert mg.ledger(loss, model).steps == [0, 1, 2, 3, 4]
    assert mg.draw(loss).dot and mg.steps(loss).events and str(mg.diagnose(loss))


@pytest.mark.parametrize("shared", [True, False])
def test_two_networks_that_take_turns_in_one_loop(shared):
    """A step has what both do in it, also the first."""
    one = RNNCell(D, H, rng=0)
    two = one if shared else RNNCell(D, H, rng=1)
    x, a, b = inputs(4), mg.zeros((2, H)), mg.zeros((2, H))
    for t in range(4):
        a = one(x[t], a)
        b = two(0.5 * x[t], b)
    found = found_in(loss := ((a - b) ** 2).sum())
    (loop,) = found.all
    assert len({len(nodes) for nodes in loop.nodes.values()}) == 1
    assert loop.steps == [0, 1, 2, 3]
    assert mg.ledger(loss, one).steps == [0, 1, 2, 3]


def test_scopes_with_the_step_in_their_name_do_not_hide_a_loop():
    cell, x, h = RNNCell(D, H, rng=0), inputs(4), mg.zeros((2, H))
    for t in range(4):
        with mg.scope(f"word {t}"):
            h = cell(x[t], h)
    (loop,) = found_in((h**2).sum()).all
    assert loop.steps == [0, 1, 2, 3] and "h" in loop.state_names


def test_a_function_of_the_users_own_with_one_weight():
    w = mg.tensor(0.5, requires_grad=True, name="w")
    s = mg.tensor(1.0)
    for _ in range(5):
        s = mg.tanh(s * w)
    (loop,) = found_in(s).all
    assert len(loop.steps) == 5 and loop.state_names == ("s0",)


def test_what_only_looks_like_a_loop_is_none():
    w = mg.tensor(0.5, requires_grad=True, name="w")
    layer = mg.nn.Linear(D, D, rng=0)
    x = inputs(1)[0]
    for made in (
        w * w * w,
        (layer(x) * layer(x + 1)).sum(),
        (layer(mg.tanh(layer(x))) ** 2).sum(),
        sum((mg.tanh(w * k) for k in range(5)), mg.tensor(0.0)),
    ):
        assert found_in(made).all == []


# ------------------------------------------------------------- loops in loops


def test_plain_loops_in_plain_loops():
    words, sentences = GRUCell(D, H, rng=0), GRUCell(H, H, rng=1)
    g = mg.zeros((2, H))
    for _ in range(3):
        g = sentences(plain(words, 4)[-1], g)
    found = found_in((g**2).sum())
    (outer,) = found.outer
    assert outer.steps == [0, 1, 2] and outer.states[-1][0].node is g.node
    inner = [loop for loop in found.all if loop is not outer]
    assert [loop.outer for loop in inner] == [(outer, t) for t in range(3)]
    assert [loop.steps for loop in inner] == [[0, 1, 2, 3]] * 3
    deepest = inner[1].nodes[2][0]
    assert [str(s) for s in found.scope(deepest)][:2] == ["step 1", "step 2"]


@pytest.mark.parametrize("marked", [True, False])
def test_a_model_in_the_steps_of_another_loop(marked):
    words, sentences = GRU(D, H, rng=0), GRUCell(H, H, rng=1)
    g = mg.zeros((2, H))
    for t in range(3):
        if marked:
            with mg.time_step(t):
                g = sentences(words(inputs(4))[1][0], g)
        else:
            g = sentences(words(inputs(4))[1][0], g)
    found = found_in((g**2).sum())
    (outer,) = found.outer
    assert outer.steps == [0, 1, 2] and outer.state_names == ("h",)
    inner = [loop for loop in found.all if loop.outer is not None]
    assert [loop.outer.step for loop in inner] == [0, 1, 2]


# ------------------------------------------------------------- sums, cuts


@pytest.mark.parametrize("marked", [True, False])
@pytest.mark.parametrize("cut", ["detach", "numpy", "at the end"])
@pytest.mark.parametrize("kind", CELLS)
def test_a_state_detached_at_every_step_is_cut_and_a_loss_is_no_state(
    kind, cut, marked
):
    def off(tensor):
        return mg.tensor(tensor.numpy()) if cut == "numpy" else tensor.detach()

    cell, x, loss = kind(D, H, rng=0), inputs(6), 0.0
    state = cell.zero_state(2)
    for t in range(6):
        before = state if cut == "at the end" else _each(off, state)
        if marked:
            with mg.time_step(t):
                state = cell(x[t], before)
                loss = loss + (first(state) ** 2).sum()
        else:
            state = cell(x[t], before)
            loss = loss + (first(state) ** 2).sum()
        if cut == "at the end":
            state = _each(off, state)
    (loop,) = loops([loss._edge])
    assert loop.state_names == CELLS[kind]
    assert loop.cut == [0, 1, 2, 3, 4]


def _each(change, state):
    return tuple(map(change, state)) if isinstance(state, tuple) else change(state)


def test_a_state_detached_now_and_then_is_cut_there():
    cell, x, h, loss = RNNCell(D, H, rng=0), inputs(7), mg.zeros((2, H)), 0.0
    for t in range(7):
        with mg.time_step(t):
            h = cell(x[t], h.detach() if t in (3, 5) else h)
            loss = loss + h.sum()
    (loop,) = loops([loss._edge])
    assert loop.cut == [2, 4] and len(loop.states) == 7


def test_half_a_state_detached_is_no_cut():
    cell, x = LSTMCell(D, H, rng=0), inputs(4)
    h, c = cell.zero_state(2)
    loss = 0.0
    for t in range(4):
        with mg.time_step(t):
            h, c = cell(x[t], (h.detach(), c))
            loss = loss + (h**2).sum()
    (loop,) = loops([loss._edge])
    assert loop.state_names == ("h", "c") and loop.cut == []


@pytest.mark.parametrize("gather", ["add", "subtract", "list", "concatenate"])
def test_what_only_gathers_is_no_state(gather):
    cell, x, h = RNNCell(D, H, rng=0), inputs(4), mg.zeros((2, H))
    kept = mg.zeros((1, H)) if gather == "concatenate" else 0.0
    listed = []
    for t in range(4):
        with mg.time_step(t):
            h = cell(x[t], h)
            if gather == "add":
                kept = kept + (h**2).sum()
            elif gather == "subtract":
                kept = kept - h.mean()
            elif gather == "list":
                listed.append(h)
            else:
                kept = mg.concatenate([kept, h], axis=0)
    loss = mg.stack(listed).sum() if listed else kept.sum()
    (loop,) = loops([loss._edge])
    assert loop.state_names == ("h",) and loop.states[-1][0].node is h.node


def test_an_lstm_whose_c_is_only_added_to_keeps_its_c():
    output, _ = LSTM(D, H, forget_gate=False, rng=0)(inputs(4))
    (loop,) = loops([output._edge])
    assert loop.state_names == ("h", "c")


# ------------------------------------------------------------- unequal steps


@pytest.mark.parametrize("marked", [True, False])
@pytest.mark.parametrize("where", [(2,), (0, 3), (5,), (1, 5)])
def test_steps_that_do_more_than_others(where, marked):
    cell, x, h, loss = RNNCell(D, H, rng=0), inputs(6), mg.zeros((2, H)), 0.0
    kept = []
    for t in range(6):
        if marked:
            with mg.time_step(t):
                h = cell(x[t], h)
                extra = mg.sigmoid(h).sum() if t in where else 0.0
                loss = loss + (h**2).sum() + extra
        else:
            h = cell(x[t], h)
            extra = mg.sigmoid(h).sum() if t in where else 0.0
            loss = loss + (h**2).sum() + extra
        kept.append(h.node)
    found = found_in(loss)
    (loop,) = found.all
    assert loop.steps == [0, 1, 2, 3, 4, 5] and loop.state_names == ("h",)
    assert [part.node for (part,) in loop.states] == kept
    assert found.outside == []


@pytest.mark.parametrize("marked", [True, False])
def test_a_state_that_is_changed_once_more_at_some_steps(marked):
    cell, x, h, loss = RNNCell(D, H, rng=0), inputs(7), mg.zeros((2, H)), 0.0
    for t in range(7):
        if marked:
            with mg.time_step(t):
                h = cell(x[t], h)
                h = h * 0.9 + 0.1 if t in (2, 4) else h
                loss = loss + (h**2).sum()
        else:
            h = cell(x[t], h)
            h = h * 0.9 + 0.1 if t in (2, 4) else h
            loss = loss + (h**2).sum()
    (loop,) = loops([loss._edge])
    assert loop.steps == [0, 1, 2, 3, 4, 5, 6] and len(loop.states) == 7
    assert len(loop.state_names) == 1 and loop.cut == []


@pytest.mark.parametrize("own", ["all", "none", "odd"])
def test_teacher_forcing_with_a_conditional(own):
    cell, out = GRUCell(D, H, rng=0), mg.nn.Linear(H, D, rng=0)
    target, h, loss = inputs(6), mg.zeros((2, H)), 0.0
    y = mg.tensor(np.ones((2, D)))
    for t in range(6):
        h = cell(y, h)
        guess = out(h)
        loss = loss + ((guess - target[t]) ** 2).mean()
        forced = own == "none" or (own == "odd" and t % 2 == 0)
        y = target[t] if forced else guess
    (loop,) = found_in(loss).all
    assert loop.steps == [0, 1, 2, 3, 4, 5] and "h" in loop.state_names
    assert loop.states[-1][loop.state_names.index("h")].node is h.node


def test_a_cell_that_follows_another_within_one_row_of_steps():
    one, two = RNNCell(D, H, rng=0), RNNCell(D, H, rng=1)
    x, h = inputs(7), mg.zeros((2, H))
    for t in range(7):
        with mg.time_step(t):
            h = (one if t < 4 else two)(x[t], h)
    found = found_in((h**2).sum())
    assert [loop.steps for loop in found.all] == [[0, 1, 2, 3], [4, 5, 6]]


def test_a_step_that_leaves_the_state_alone():
    w = mg.tensor(0.5, requires_grad=True)
    h, loss = mg.tensor(np.ones((2, H))), 0.0
    for t in range(5):
        with mg.time_step(t):
            if t != 2:
                with gate("h"):
                    h = mg.tanh(h * w)
            loss = loss + (h**2).sum()
    (loop,) = loops([loss._edge])
    assert len(loop.states) == 5 and loop.cut == []
    assert loop.states[2][0].node is loop.states[1][0].node


# ------------------------------------------------------------- marks


@pytest.mark.parametrize("wrong", ["mon", 1.5, 1.0, None, np.float64(2)])
def test_a_time_step_is_a_whole_number(wrong):
    with pytest.raises(ArgumentError, match="a time step is a whole number"):
        mg.time_step(wrong)


@pytest.mark.parametrize("right", [0, 3, np.int64(3), -1])
def test_any_whole_number_is_a_time_step(right):
    with mg.time_step(right):
        made = mg.tensor(1.0, requires_grad=True) * 2
    assert made.node.scope[-1].index == right
