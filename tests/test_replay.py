"""Replay: the recorded list evaluated again, against running the program again."""

import numpy as np
import pytest

import minigrad as mg
from minigrad.engine import errors
from minigrad.engine.graph import key
from minigrad.reading.replay import evaluate, nodes_between, replay


def program(x, W, rows):
    """Every kind of operation: products, splits, gates, indexing, reductions."""
    i, g = mg.split(x @ W, 2, axis=1)
    h = mg.sigmoid(i) * mg.tanh(g)
    parts = mg.concatenate([h, mg.relu(g)], axis=1)[rows]
    return mg.logsumexp(parts.reshape(-1), axis=0) + parts.max() + mg.norm(h)


@pytest.fixture
def inputs(rng):
    shapes = (4, 3), (3, 6)
    return [mg.tensor(rng.standard_normal(s), requires_grad=True) for s in shapes]


ROWS = np.array([0, 3, 3])


def test_another_input_gives_what_the_program_gives(inputs, rng):
    x, W = inputs
    y = program(x, W, ROWS)
    before = y.item()
    for changed in ([x], [W], [x, W]):
        values = {t: rng.standard_normal(t.shape) for t in changed}
        expected = program(*[mg.tensor(values.get(t, t)) for t in inputs], ROWS)
        np.testing.assert_allclose(replay(y, values), expected.data, rtol=1e-14)
    assert y.item() == before
    np.testing.assert_array_equal(replay(y, {}), y.data)


def test_a_complex_step_is_the_directional_derivative(inputs, rng):
    x, W = inputs
    y = program(x, W, ROWS)
    gradients = mg.grad(y, [x, W])
    for leaf, g in zip(inputs, gradients, strict=True):
        v = rng.standard_normal(leaf.shape)
        slope = replay(y, {leaf: leaf.data + 1e-150j * v}).imag / 1e-150
        np.testing.assert_allclose(slope, (g.data * v).sum(), rtol=1e-12)


def test_a_computed_tensor_can_be_changed(inputs):
    """What it was computed from does not count any more."""
    x, W = inputs
    h = mg.tanh(x @ W)
    first, second = mg.split(h, 2, axis=1)
    y = (first * second + h[:, :3]).sum()
    ones = np.ones((4, 3))
    expected = (ones * second.data + h.data[:, :3]).sum()
    np.testing.assert_allclose(replay(y, {first: ones}), expected)
    expected = (first.data * ones + h.data[:, :3]).sum()
    np.testing.assert_allclose(replay(y, {second: ones}), expected)
    assert replay(y, {h: np.ones(h.shape), x: 9 * x.data}) == 24.0


def test_values_of_all_nodes(inputs):
    x, W = inputs
    h = x @ W
    y = mg.exp(h)
    known = evaluate(y._edge, {key(x._edge): 2 * x.data})
    np.testing.assert_allclose(known[h.node], 2 * h.data, rtol=1e-14)
    np.testing.assert_allclose(known[y.node], y.data**2, rtol=1e-12)
    assert nodes_between(y._edge, [x._edge]) == [h.node, y.node]
    assert evaluate(y._edge, {}) == {}


def test_constants_and_rebound_leaves(inputs):
    """Each use keeps the array it had; a replay gives all uses the new one."""
    w = mg.tensor([2.0], requires_grad=True)
    first = w * 3.0
    w.data = np.array([5.0])
    y = first + w
    assert y.data == replay(y, {}) == [11.0]
    assert replay(y, {w: np.array([1.0])}) == [4.0]


def test_long_chains_and_silence():
    x = mg.tensor(1.0, requires_grad=True)
    y = x
    for _ in range(20_000):
        y = y + x
    assert replay(y, {x: np.array(0.5)}) == 10_000.5
    with np.errstate(all="raise"):
        assert replay(mg.log(x), {x: np.array(0.0)}) == -np.inf


def test_bad_input(inputs):
    x, W = inputs
    y = (x @ W).sum()
    with pytest.raises(errors.ShapeError, match="another shape than the tensor's"):
        replay(y, {x: np.ones(3)})
    with mg.no_grad():
        constant = x * 2.0
    with pytest.raises(errors.GraphError, match="a constant has no place"):
        replay(y, {constant: np.ones((4, 3))})


def test_the_name_means_the_function_whoever_imported_the_module():
    assert mg.gradcheck(mg.tanh, [np.ones(1)], order=1) and mg.replay is replay


def test_a_part_of_a_node_is_held_and_the_rest_follows(rng):
    x = mg.tensor(rng.standard_normal((2, 3)), requires_grad=True)
    first = mg.tanh(x * 2.0)
    second = mg.tanh(first + 1.0)
    y = second.sum()
    rows = np.array([[True], [False]])

    def held(made):
        return np.where(rows, 0.5, made)

    found = evaluate(y._edge, {key(x._edge): x.data + 1}, {second.node: held})
    follows = np.tanh(np.tanh(2 * (x.data + 1)) + 1.0)
    expected = np.where(rows, 0.5, follows).sum()
    np.testing.assert_allclose(found[key(y._edge)], expected, rtol=1e-14)
    alone = evaluate(y._edge, {}, {second.node: held})  # nothing else has changed
    expected = np.where(rows, 0.5, second.data).sum()
    np.testing.assert_allclose(alone[key(y._edge)], expected, rtol=1e-14)
