"""`mg.affine`: one record for the whole sum, and the four operations when one looks."""

import numpy as np
import pytest

import minigrad as mg
from minigrad.engine.errors import ShapeError
from minigrad.engine.graph import Leaf, ancestors
from minigrad.engine.primitives.affine import Affine
from minigrad.engine.scope import gate
from minigrad.engine.user_code import line

SHAPES = {"x": (3, 4), "W_x": (4, 6), "h": (3, 5), "W_h": (5, 6), "b": (6,)}


def terms(dtype="float64", names=tuple(SHAPES)):
    rng = np.random.default_rng(0)
    return [
        mg.tensor(rng.standard_normal(SHAPES[n]), dtype, requires_grad=True, name=n)
        for n in names
    ]


def written_out(x, W_x, *rest):
    *pair, b = rest
    products = x @ W_x + pair[0] @ pair[1] if pair else x @ W_x
    return products + b


def gradients(function, given, steps=1):
    """The value, and what `backward` leaves, of a sum over steps with one state."""
    total = 0.0
    for _ in range(steps):
        y = function(*given)
        total = total + (y * y).sum()
    total.backward()
    found = [t.grad.data for t in given]
    for t in given:
        t.grad = None
    return y.data, found


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("names", [tuple(SHAPES), ("x", "W_x", "b")])
def test_values_are_the_same_bits_and_gradients_the_same(names, dtype):
    given = terms(dtype, names)
    value, found = gradients(mg.affine, given, steps=3)
    plain, expected = gradients(written_out, given, steps=3)
    assert np.array_equal(value, plain) and value.dtype == dtype
    for a, b in zip(found, expected, strict=True):
        assert a.dtype == dtype
        assert np.linalg.norm(a - b) <= np.finfo(dtype).eps * 4 * np.linalg.norm(b)


def test_whoever_looks_sees_the_four_operations():
    given = terms()
    with gate("f"):
        y = mg.affine(*given)
    assert isinstance(y.node.tags["folded"].inputs, tuple)  # nobody has looked yet
    nodes = ancestors([y.node])
    assert [n.primitive.name for n in nodes] == ["matmul", "matmul", "add", "add"]
    x, W_x, h, W_h = [t.data for t in given[:4]]
    for node, value in zip(nodes, [x @ W_x, h @ W_h, x @ W_x + h @ W_h], strict=False):
        assert np.array_equal(node.array, value) and not node.array.flags.writeable
    assert {n.scope for n in nodes} == {y.node.scope} and nodes[0].scope
    assert {line(n.where)[0] for n in nodes} == {__file__}
    leaves = [e.source.name for n in nodes for e in n.edges if type(e.source) is Leaf]
    assert leaves == list(SHAPES)
    assert ancestors([y.node]) == nodes  # made once


def test_a_pass_backwards_takes_all_four_at_once(monkeypatch):
    given = terms()
    loss = (mg.affine(*given) ** 2).sum()
    monkeypatch.setattr(Affine, "unfold", None)  # nobody makes the four nodes
    loss.backward()
    assert all(t.grad is not None for t in given)


def test_gradients_are_the_same_after_somebody_looked():
    given = terms()
    y = mg.affine(*given)
    loss = (y * y).sum()
    loss.backward()
    before = [t.grad.data for t in given]
    ancestors([loss.node])
    for t in given:
        t.grad = None
    loss.backward()
    for t, expected in zip(given, before, strict=True):
        np.testing.assert_allclose(t.grad.data, expected, rtol=1e-14)


def test_gradients_of_gradients_and_of_what_is_retained():
    mg.gradcheck(lambda *t: mg.tanh(mg.affine(*t)), terms(), order=2)
    y = mg.affine(*terms()).retain_grad()
    (3.0 * y).sum().backward()
    assert np.array_equal(y.grad.data, np.full((3, 6), 3.0))


def test_weights_that_are_computed_shared_or_constant():
    x, W_x, h, W_h, b = terms()
    fixed = W_x.detach()

    def loss(affine):
        shared = affine(h, W_h, b) + affine(x, 2.0 * W_x, h, W_h, b)
        return (shared * (h @ W_h + affine(x, fixed, h, W_h, b))).sum()

    found = mg.grad(loss(mg.affine), [W_x, W_h, b, x])
    loss(mg.affine).backward()
    expected = mg.grad(loss(written_out_any), [W_x, W_h, b, x])
    for t, a, b_ in zip((W_x, W_h, b, x), found, expected, strict=True):
        np.testing.assert_allclose(a.data, b_.data, rtol=1e-12)
        np.testing.assert_allclose(t.grad.data, b_.data, rtol=1e-12)


def written_out_any(*given):
    *pairs, b = given
    return sum(pairs[k] @ pairs[k + 1] for k in range(0, len(pairs), 2)) + b


@pytest.mark.parametrize(
    "change",
    [
        {"h": (1, 5)},  # broadcast over the rows
        {"b": (3, 6)},
        {"x": (2, 3, 4), "h": (2, 3, 5)},
        {"b": ()},
    ],
)
def test_other_shapes_mean_what_the_formula_means(change):
    rng = np.random.default_rng(1)
    shapes = {**SHAPES, **change}
    given = [mg.tensor(rng.normal(size=s), requires_grad=True) for s in shapes.values()]
    value, found = gradients(mg.affine, given)
    plain, expected = gradients(written_out, given)
    assert np.array_equal(value, plain)
    assert all(map(np.array_equal, found, expected))


def test_arrays_mixed_dtypes_no_grad_and_errors():
    x, W_x, h, W_h, b = terms()
    mixed = mg.affine(x, W_x.astype("float32"), h, W_h, b)
    assert mixed.dtype == "float64" and mixed.requires_grad
    arrays = [t.data for t in (x, W_x, h, W_h, b)]
    assert np.array_equal(mg.affine(*arrays), written_out(*arrays))
    with mg.no_grad():
        assert mg.affine(x, W_x, b).node is None
    with pytest.raises(ShapeError, match="inner sizes differ"):
        mg.affine(x, W_h, b)
    with mg.detect_anomaly(), pytest.raises(mg.errors.MinigradError, match="add"):
        mg.affine(mg.tensor([[1e308]]), mg.tensor([[1.0]]), mg.tensor([1e308]))


def test_more_rows_than_are_summed_at_once(rng):
    """The uses of weights are added up a thousand rows at a time, several times."""
    given = terms()
    many = [mg.tensor(rng.standard_normal((500, 4))) for _ in range(6)]
    states = [mg.tensor(rng.standard_normal((500, 5))) for _ in range(6)]
    found = []
    for affine in (mg.affine, written_out):
        loss = 0.0
        for k, (x, h) in enumerate(zip(many, states, strict=True)):
            loss = loss + (affine(x, given[1], h, given[3], given[4]) * (k + 1)).sum()
        loss.backward()
        found.append([given[k].grad.data for k in (1, 3, 4)])
        for t in given:
            t.grad = None
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)


@pytest.mark.parametrize("frozen", [(0, 1, 2, 3), (1, 2, 3, 4), (1,), (3,), (4,)])
def test_each_operand_may_be_frozen(frozen):
    """What needs no gradient gets none, and the others theirs."""
    given = [
        mg.tensor(t.data, requires_grad=k not in frozen) for k, t in enumerate(terms())
    ]
    found = []
    for affine in (mg.affine, written_out):
        (affine(*given) ** 2.0).sum().backward()
        found.append([t.grad for t in given])
        for t in given:
            t.grad = None
    for k, (a, b) in enumerate(zip(*found, strict=True)):
        assert (a is None) == (b is None) == (k in frozen)
        assert a is None or np.allclose(a.data, b.data, rtol=1e-12, atol=0)
