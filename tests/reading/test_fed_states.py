"""Plain loops whose state no parameter reads, and two passes of one cell."""

import numpy as np
import pytest

import minigrad as mg
from minigrad.engine.graph import ancestors
from minigrad.models import GRUCell, LSTMCell, RNNCell
from minigrad.reading.loops import Loops

T, B, D, H = 5, 2, 3, 4


def found_in(tensor):
    return Loops(ancestors([tensor.node])).all


def inputs(steps=T, seed=0):
    numbers = np.random.default_rng(seed).standard_normal((steps, B, D))
    return mg.tensor(numbers)


def weights(*shapes):
    rng = np.random.default_rng(1)
    made = [0.4 * rng.standard_normal(shape) for shape in shapes]
    return [mg.tensor(array, requires_grad=True) for array in made]


# --------------------------------------------------------- half of a state detached


@pytest.mark.parametrize("marked", [True, False])
@pytest.mark.parametrize("off", ["h", "c"])
@pytest.mark.parametrize("loss_of", ["every h", "last h", "last c"])
def test_an_lstm_that_detaches_one_part_of_its_state(off, loss_of, marked):
    cell, x, total = LSTMCell(D, H, rng=0), inputs(), 0.0
    h, c = cell.zero_state(B)
    for t in range(T):
        state = (h.detach(), c) if off == "h" else (h, c.detach())
        if marked:
            with mg.time_step(t):
                h, c = cell(x[t], state)
        else:
            h, c = cell(x[t], state)
        total = total + (h**2).sum()
    loss = {"every h": total, "last h": (h**2).sum(), "last c": (c**2).sum()}[loss_of]
    (loop,) = found_in(loss)
    assert loop.steps == list(range(T)) and loop.cut == []
    assert "c" in loop.state_names and loop.marked == marked
    if off == "h" and loss_of == "every h":  # else the earlier h are in no graph
        assert loop.parted == {"h": [0, 1, 2, 3]}
    if off == "c":
        assert loop.parted == {"c": [0, 1, 2, 3]}
    said = [w.kind for w in mg.diagnose(loss).warnings]
    assert ("cut " + off in said) == bool(loop.parted)


@pytest.mark.parametrize("sides", ["gates", "candidate", "all but the carry"])
def test_a_gru_by_hand_whose_gates_see_a_detached_state(sides):
    Wz, Uz, Wn, Un = weights((D, H), (H, H), (D, H), (H, H))
    x, h = inputs(), mg.zeros((B, H))
    for t in range(T):
        gates = h if sides == "candidate" else h.detach()
        inner = h if sides == "gates" else h.detach()
        z = mg.sigmoid(x[t] @ Wz + gates @ Uz)
        n = mg.tanh(x[t] @ Wn + inner @ Un)
        h = z * h + (1 - z) * n
    (loop,) = found_in((h**2).sum())
    assert loop.steps == list(range(T)) and loop.cut == [] and loop.parted == {}
    assert [state[0].node for state in loop.states][-1] is h.node


def test_a_memory_that_is_detached_now_and_then():
    cell, x, total = LSTMCell(D, H, rng=0), inputs(), 0.0
    h, c = cell.zero_state(B)
    for t in range(T):
        h, c = cell(x[t], (h.detach() if t in (2, 4) else h, c))
        total = total + (h**2).sum()
    (loop,) = found_in(total)
    assert loop.parted == {"h": [1, 3]} and loop.cut == []
    (warned,) = mg.diagnose(total).warnings
    assert "h is handed on without its graph after steps 1, 3" in warned.text


# --------------------------------------------------------- fed, not multiplied


def leaky(s, new):
    return 0.9 * s + new


def squashed(s, new):
    return mg.tanh(s + new)


def mixed(s, new):
    return s - 0.1 * (s - new)


@pytest.mark.parametrize("update", [leaky, squashed, mixed])
@pytest.mark.parametrize("steps", [3, 4, 7])
def test_a_state_that_is_only_fed(update, steps):
    (w,), x, s = weights((D,)), inputs(steps), mg.zeros(B)
    made = []
    for t in range(steps):
        s = update(s, x[t] @ w)
        made.append(s.node)
    (loop,) = found_in(s.sum())
    assert loop.steps == list(range(steps)) and loop.state_names == ("s0",)
    assert [state[0].node for state in loop.states] == made
    assert mg.diagnose(s.sum()).readings[0].norms.shape == (steps,)


def test_what_is_only_gathered_is_no_loop():
    (w,), x = weights((D,)), inputs(6)
    layer = mg.nn.Linear(D, D, rng=0)
    terms = [mg.sigmoid(x[t] @ w) for t in range(6)]
    a, p, n = (layer(x[t]) for t in range(3))
    product, high, joined = terms[0], terms[0], terms[0]
    for term in terms[1:]:
        product, high = product * term, mg.maximum(high, term)
        joined = mg.concatenate([joined, term])
    for made in (
        sum(term.sum() for term in terms),
        product,
        high,
        joined,
        mg.stack(terms),
        mg.relu(((a - p) ** 2).sum() - ((a - n) ** 2).sum() + 1),
        a * p * n,
        sum((layer(x[t]) ** 2).mean() for t in range(6)),
        sum(mg.softmax(a @ layer(x[t]).T).sum() for t in range(6)),
    ):
        assert found_in(made.sum()) == []


# --------------------------------------------------------- two passes


def by_index(cell, x, state):
    for t in range(len(x)):
        state = cell(x[t], state)
    return state


def by_value(cell, x, state):
    for value in x:
        state = cell(value, state)
    return state


def backwards(cell, x, state):
    for t in reversed(range(len(x))):
        state = cell(x[t], state)
    return state


@pytest.mark.parametrize("kind", [RNNCell, GRUCell, LSTMCell])
@pytest.mark.parametrize("run", [by_index, by_value, backwards])
@pytest.mark.parametrize("same", [True, False])
def test_two_passes_that_hand_their_state_on(kind, run, same):
    cell, x = kind(D, H, rng=0), inputs(4)
    then = x if same else inputs(3, seed=1)
    state = run(cell, then, run(cell, x, cell.zero_state(B)))
    last = state[0] if isinstance(state, tuple) else state
    found = found_in((last**2).sum())
    assert [len(loop.steps) for loop in found] == [4, len(then)]
    assert len({loop.name for loop in found}) == 2
    led = mg.ledger((last**2).sum(), [cell.W_h])
    assert len(led.steps) == 4 + len(then)


def test_an_explanation_names_the_passes_as_tables_do():
    cell, x = RNNCell(D, H, rng=0), inputs(3)
    loss = (by_index(cell, x, by_index(cell, x, cell.zero_state(B))) ** 2).sum()
    names = [str(step) for step in mg.ledger(loss, [cell.W_h]).steps]
    said = str(mg.explain(cell.W_h, (0, 0), loss))
    for name in names:
        loop, _, step = name.partition(", ")
        assert f"{step}, {loop}" in said


def test_forwards_and_then_backwards_are_two_passes():
    cell, x = RNNCell(D, H, rng=0), inputs(4)
    h = backwards(cell, x, by_index(cell, x, cell.zero_state(B)))
    assert [len(loop.steps) for loop in found_in((h**2).sum())] == [4, 4]


def test_two_loops_on_two_lines_of_one_sequence():
    cell, x, h = RNNCell(D, H, rng=0), inputs(7), mg.zeros((B, H))
    for t in range(4):
        h = cell(x[t], h)
    for t in range(4, 7):
        h = cell(x[t], h)
    assert [len(loop.steps) for loop in found_in((h**2).sum())] == [4, 3]


def test_what_looks_like_two_passes_and_is_one():
    cell, x, y = RNNCell(D, H, rng=0), inputs(6), inputs(6, seed=1)
    one_hot, words = mg.eye(D), mg.nn.Embedding(D, D, rng=0)
    order = [3, 0, 5, 1, 4, 2]
    for rows in (
        [x[k] for k in order],
        [(x if k % 2 else y)[k] for k in range(6)],
        [one_hot[k][None] for k in (0, 1, 2, 0, 1, 2)],
        [words(np.array([k, k])) for k in (0, 1, 2, 0, 1, 2)],
    ):
        h = mg.zeros((rows[0].shape[0], H))
        for row in rows:
            h = cell(row, h)
        assert [len(loop.steps) for loop in found_in((h**2).sum())] == [6]
    h = mg.zeros((1, H))
    for k in (0, 1, 2, 0, 1, 2):
        h = cell(one_hot[k][None], h)
    assert [len(loop.steps) for loop in found_in((h**2).sum())] == [6]
