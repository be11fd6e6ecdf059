"""Loops by scopes: steps, order, nesting, passes; states and their names; gates."""

import numpy as np
import pytest

import minigrad as mg
from minigrad.engine.graph import ancestors
from minigrad.engine.scope import gate
from minigrad.models import GRU, LSTM, RNN, unroll
from minigrad.reading.levels import NAMED
from minigrad.reading.loops import Loops, loops

T, B, D, H = 4, 2, 3, 3


@pytest.fixture
def x(rng):
    return rng.standard_normal((T, B, D))


def read(tensor):
    nodes = ancestors([tensor.node])
    return nodes, Loops(nodes)


def step_loop(steps, h, w, letter="h"):
    for t in steps:
        with mg.time_step(t), gate(letter):
            h = mg.tanh(h * w)
    return h


@pytest.fixture
def w():
    return mg.tensor(0.5, requires_grad=True, name="w")


@pytest.fixture
def start():
    return mg.tensor(np.ones((B, H)), name="h0")


def test_one_loop_per_layer_and_direction(x):
    output, _ = LSTM(D, H, 2, bidirectional=True, rng=0)(x)
    _, found = read(output)
    layered = [loop for loop in found.all if loop.layer]
    assert [loop.layer for loop in layered] == [
        (0, False), (0, True), (1, False), (1, True)
    ]  # fmt: skip
    assert [loop.reverse for loop in layered] == [False, True, False, True]
    assert [loop.steps for loop in layered] == [[0, 1, 2, 3], [3, 2, 1, 0]] * 2
    assert layered[3].name == "layer 1 reverse / lstm"
    assert [loop.around for loop in layered] == [()] * 4
    joined = next(loop for loop in found.all if not loop.layer)  # the two directions
    assert joined.name == "loop" and found.at(()) is joined


def test_every_node_is_in_its_step_or_outside(x):
    output, _ = GRU(D, H, 2, rng=0)(x)
    nodes, found = read((output**2).mean())
    for node in nodes:
        place = found.of(node)
        if place is None:
            assert node in found.outside
        else:
            loop, step = place
            assert node in loop.nodes[step] and node not in found.outside
            assert found.outermost(node) == place
    inside = sum(len(made) for loop in found.all for made in loop.nodes.values())
    assert inside + len(found.outside) == len(nodes)
    assert found.steps == set(range(T)) and found.outer == found.all


def test_nodes_of_a_step_are_oldest_first_and_steps_in_running_order(w, start):
    h = step_loop([7, 5, 2], start, w)
    _, found = read(h)
    (loop,) = found.all
    assert loop.steps == [7, 5, 2] and loop.reverse
    for made in loop.nodes.values():
        assert [n.primitive.name for n in made] == ["multiply", "tanh"]
        assert made[0].seq < made[1].seq


def test_a_loop_in_a_loop_knows_where_it_runs(w, start):
    h = start
    for t in range(2):
        with mg.time_step(t):
            h = step_loop(range(3), h, w) + 1
    nodes, found = read(h)
    outer = found.at(())
    assert found.outer == [outer] and outer.steps == [0, 1] and outer.outer is None
    inner = [loop for loop in found.all if loop is not outer]
    assert [loop.outer for loop in inner] == [(outer, 0), (outer, 1)]
    assert [loop.steps for loop in inner] == [[0, 1, 2]] * 2
    tanh = [n for n in nodes if n.primitive.name == "tanh"]
    assert [found.of(n) for n in tanh] == [
        (loop, t) for loop in inner for t in range(3)
    ]
    assert [found.outermost(n) for n in tanh] == [(outer, 0)] * 3 + [(outer, 1)] * 3
    assert set(tanh) < set(outer.nodes[0] + outer.nodes[1])


def test_an_encoder_and_a_decoder_are_told_apart_by_their_scopes(x):
    with mg.scope("encoder"):
        _, state = LSTM(D, H, rng=0)(x)
    with mg.scope("decoder"):
        output, _ = LSTM(D, H, rng=1)(x[:2], state)
    _, found = read(output)
    assert [loop.name for loop in found.all] == ["encoder", "decoder"]
    assert [call.label for call in found.calls] == ["encoder", "decoder"]
    assert [[str(s) for s in loop.around] for loop in found.all] == [
        ["encoder"], ["decoder"]
    ]  # fmt: skip
    assert [loop.steps for loop in found.all] == [[0, 1, 2, 3], [0, 1]]


def test_two_passes_of_one_model_are_two_loops(x):
    rnn = RNN(D, H, rng=0)
    _, found = read((rnn(x)[0] * rnn(2 * x)[0]).sum())
    assert [loop.name for loop in found.all] == ["RNN 1", "RNN 2"]
    assert [loop.steps for loop in found.all] == [[0, 1, 2, 3]] * 2
    first, second = found.all
    assert first.call is not second.call and found.several
    for t in range(T):
        assert len(first.nodes[t]) == len(second.nodes[t])
        assert not set(first.nodes[t]) & set(second.nodes[t])


def test_two_passes_that_the_user_marks_are_two_loops_with_numbers(w, start):
    h = step_loop(range(3), start, w)
    _, found = read(step_loop(range(2), h, w))
    assert [loop.number for loop in found.all] == [0, 1]
    assert [loop.steps for loop in found.all] == [[0, 1, 2], [0, 1]]
    assert [loop.name for loop in found.all] == ["RNN 1", "RNN 2"]


def test_losses_in_a_second_run_through_the_steps_belong_to_the_first(w, start):
    made, h, loss = [], start, 0.0
    for t in range(T):
        with mg.time_step(t), gate("h"):
            h = mg.tanh(h * w)
        made.append(h)
    for t in range(T):
        with mg.time_step(t):
            loss = loss + (made[t] ** 2).sum()
    nodes, found = read(loss)
    (loop,) = found.all
    assert loop.state_names == ("h",) and len(loop.states) == T
    assert set().union(*map(set, loop.nodes.values())) == set(nodes)


@pytest.mark.parametrize("model, letters", [(RNN, "h"), (GRU, "h"), (LSTM, "hc")])
@pytest.mark.parametrize("padding", [{}, {"lengths": [4, 2]}])
def test_states_are_what_the_model_says_they_are(model, letters, padding, x):
    trace = model(D, H, rng=0).trace(x, **padding)
    ends = trace.states[-1]  # the last c leads to no output
    (loop,) = loops([trace.output._edge, *(part._edge for part in ends)])
    assert loop.state_names == tuple(letters)
    assert loop.times == list(trace.layer(0).times[1:]) == [1, 2, 3]
    assert len(loop.states) == T
    for found, expected in zip(loop.states, trace.states[1:], strict=True):
        assert [part.node for part in found] == [part.node for part in expected]
    unused = [k for k in trace.layer(0).gate_nodes if k not in letters]
    assert list(loop.gates) == unused
    for k in unused:
        assert loop.gates[k] == trace.layer(0).gate_nodes[k]


def test_a_sum_gathered_step_by_step_is_no_state(w, start):
    h, loss = start, 0.0
    for t in range(T):
        with mg.time_step(t):
            with gate("h"):
                h = mg.tanh(h * w)
            loss = loss + h.sum()
    (loop,) = loops([loss._edge])
    assert loop.state_names == ("h",) and loop.states[-1][0].node is h.node


def test_states_without_a_gate_are_numbered(w, start):
    a = b = start
    for t in range(T):
        with mg.time_step(t):
            a, b = mg.tanh(a * w + b), mg.sigmoid(b * w + a)
    (loop,) = loops([(a + b).sum()._edge])
    assert loop.state_names == ("s0", "s1")
    assert [part.node for part in loop.states[-1]] == [a.node, b.node]
    made = loop.made_of(T - 1)
    assert a.node in made and b.node in made and len(made) == 6
    assert made == set(loop.nodes[T - 1])


def test_one_step_hands_nothing_on(w, start):
    h = step_loop([0], start, w)
    _, found = read(h)
    (loop,) = found.all
    assert loop.states == [] and loop.state_names == () and loops([h._edge]) == []


def test_letters_name_gates_in_steps_and_outside(w, start):
    with gate("f"):
        scaled = mg.sigmoid(start * w)
    with mg.scope("preparation"):
        begun = scaled + 1
    h = step_loop(range(2), begun, w)
    with mg.time_step(2), mg.scope("mixing"):
        mixed = h * 2
    _, found = read(mixed)
    gates = {scaled.node: "f", h.node: "h", h.node.edges[0].source.edges[0].source: "h"}
    assert found.letters() == gates
    assert found.letters(NAMED) == {**gates, mixed.node: "mixing"}


def test_what_a_recorded_backward_pass_computes_closes_no_gate(x):
    rnn = RNN(D, H, rng=0)
    z = mg.tensor(x, requires_grad=True)
    loss = rnn(z)[0].sum()
    _, plain = read(loss)
    (slope,) = mg.grad(loss, [z], create_graph=True)
    nodes, found = read(loss + (slope * slope).sum())
    recorded = [n for n in nodes if n.origin is not None and n.scope]
    assert recorded and any(found.of(n) for n in recorded)
    assert found.letters() == plain.letters()


def test_a_backward_pass_back_through_the_steps_is_no_run_of_its_own(start, w):
    """Also where its operations' own are not among the nodes: these are linear."""
    h, total = start, 0.0
    for t in range(T):
        with mg.time_step(t):
            h = mg.tanh(h * w)
            total = total + h.sum() * 2.0
    (slope,) = mg.grad(total, [w], create_graph=True)
    nodes, found = read(slope * slope)
    (loop,) = found.all
    recorded = [n for n in nodes if n.origin is not None]
    strangers = [n for n in recorded if n.origin not in nodes]
    assert {found.of(n).step for n in strangers} == set(range(T))
    assert all(found.of(n).loop is loop for n in recorded)
    assert loop.steps == list(range(T))


def test_a_loop_that_unroll_runs_in_a_step_is_found_by_its_scopes(x, start, w):
    cell = GRU(D, H, rng=0).cells[0]
    h = start
    for t in range(2):
        with mg.time_step(t):
            loop = unroll(cell, x, h)
            h = loop.state * w
    assert sorted(loop.gate_nodes) == ["h", "n", "r", "z"]
    assert list(loop.gate_nodes["r"]) == [0, 1, 2, 3]
    assert loop["r"].shape == (T, B, H) and np.isfinite(loop["r"]).all()


def test_a_graph_is_freed_without_the_garbage_collector(x):
    import gc
    import weakref

    loss = LSTM(D, H, rng=0)(x)[0].sum()
    _, found = read(loss)
    (loop,) = found.outer
    assert loop.states and loop.gates
    gone = [weakref.ref(loop), weakref.ref(found)]
    gc.disable()
    try:
        del loop, found, _
        assert [ref() for ref in gone] == [None, None]
    finally:
        gc.enable()
