"""Rules on plain arrays against the engine's own walk and differences."""

import numpy as np
import pytest

import minigrad as mg
from minigrad.engine.autodiff import backpropagate
from minigrad.engine.graph import ancestors
from minigrad.models import GRU, LSTM, RNN
from minigrad.reading.pulling import (
    arrived,
    name_of,
    name_of_output,
    pull,
    pull_one,
)


@pytest.fixture
def a(rng):
    return mg.tensor(rng.standard_normal((3, 4)), requires_grad=True)


@pytest.fixture
def b(rng):
    return mg.tensor(rng.standard_normal(4), requires_grad=True)


def test_one_entry_per_input_in_its_shape_and_dtype(a, rng):
    b = mg.tensor(rng.standard_normal(4), dtype="float32", requires_grad=True)
    y = a * b
    g = rng.standard_normal(y.shape)
    to_a, to_b = pull_one(y.node, g)
    np.testing.assert_allclose(to_a, g * b.data)
    np.testing.assert_allclose(to_b, (g * a.data).sum(axis=0), rtol=1e-6)
    assert (to_a.dtype, to_b.dtype) == (np.float64, np.float32)
    assert to_b.shape == (4,)


def test_only_what_is_needed_is_given(a, b):
    y = a * b
    g = np.ones(y.shape)
    assert pull_one(y.node, g, (True, False))[1] is None
    assert pull_one((a * 2).node, g)[1] is None  # a constant
    constant = mg.tensor(a.data) * mg.tensor(b.data)
    assert pull_one(constant.node, g) == [None, None]
    np.testing.assert_array_equal(
        pull_one(constant.node, g, (True, False))[0], np.broadcast_to(b.data, y.shape)
    )


def test_other_arrays_in_place_of_the_recorded_ones(a, rng):
    y = mg.tanh(a)
    other = rng.standard_normal((7, 4))
    made = np.tanh(other)
    (found,) = pull_one(y.node, np.ones((7, 4)), y=made, inputs=[other])
    np.testing.assert_allclose(found, 1 - made**2)


def test_an_operation_with_several_outputs(a):
    first, second, third = mg.unstack(a)
    node = second.node
    g = [None, np.full(4, 2.0), None]
    (found,) = pull_one(node, g)
    np.testing.assert_array_equal(found, [[0.0] * 4, [2.0] * 4, [0.0] * 4])
    sums = {name_of(second._edge): g[1]}
    got = arrived(node, sums)
    assert got[1] is g[1] and got[0] is None and got[2] is None
    assert arrived(node, {}) is None
    assert [name_of_output(node, k) for k in range(3)] == [node, (node, 1), (node, 2)]
    assert name_of(first._edge) == node and name_of(third._edge) == (node, 2)


@pytest.mark.parametrize("model", [RNN, GRU, LSTM])
def test_through_all_nodes_it_is_the_engines_backward(model, rng):
    network = model(2, 3, rng=0)
    x = mg.tensor(rng.standard_normal((4, 2, 2)), requires_grad=True)
    loss = (network(x, lengths=[4, 2])[0] ** 2).mean()
    nodes = ancestors([loss.node], constants=False)
    sums = pull(reversed(nodes), {name_of(loss._edge): np.ones(())})
    expected = backpropagate(loss._edge, np.ones(()), stack=False)
    assert len(expected) >= 4
    for name, value in expected.items():
        np.testing.assert_array_equal(sums[name], value)


def test_other_nodes_are_not_gone_through(a, b):
    inner = mg.tanh(a)
    y = inner * b
    sums = pull([y.node], {name_of(y._edge): np.ones(y.shape)})
    assert set(sums) == {y.node, inner.node, b._edge.source}
    np.testing.assert_allclose(sums[inner.node], np.broadcast_to(b.data, y.shape))


def test_a_rule_of_the_readers_own(a, b):
    y = mg.tanh(a * b)
    nodes = ancestors([y.node])

    def through(node, g):
        return [g if edge.requires_grad else None for edge in node.edges]

    sums = pull(reversed(nodes), {y.node: 5}, through)
    assert sums[a._edge.source] == sums[b._edge.source] == 5


def test_constants_are_known_as_themselves(a):
    with mg.no_grad():
        one, two = a * 2, a * 3
    assert name_of(one._edge) != name_of(two._edge)
    assert name_of(one._edge) == name_of(one._edge)
