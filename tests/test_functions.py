"""softmax, log_softmax, logsumexp: against the plain formulas, and PyTorch."""

import math

import numpy as np
import pytest

import minigrad as mg
from minigrad.engine.errors import DTypeError, ShapeError
from minigrad.engine.graph import ancestors

NAMES = ("softmax", "log_softmax", "logsumexp")


def reference(name, x, axis=-1):
    """The textbook's formula in extended precision; x moderate."""
    x = x.astype(np.longdouble) if x.dtype.kind == "f" else x
    powers = np.exp(x)
    total = powers.sum(axis=axis, keepdims=name != "logsumexp")
    return {
        "softmax": lambda: powers / total,
        "log_softmax": lambda: x - np.log(total),
        "logsumexp": lambda: np.log(total),
    }[name]()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("axis", [-1, 0, 1, (0, 2), None])
@pytest.mark.parametrize("name", NAMES)
def test_values(name, axis, dtype, rng):
    x = (2 * rng.normal(size=(3, 4, 5))).astype(dtype)
    y = getattr(mg, name)(mg.tensor(x), axis=axis)
    assert y.dtype == np.dtype(dtype)
    expected = reference(name, x, axis)
    assert y.shape == expected.shape
    bound = 8 * np.finfo(dtype).eps * np.maximum(1, abs(expected))
    assert (abs(y.data - expected) <= bound).all()


@pytest.mark.parametrize("name", NAMES)
def test_gradient_by_complex_step(name, rng):
    x, v = rng.normal(size=(2, 3, 4))
    t = mg.tensor(x, requires_grad=True)
    y = getattr(mg, name)(t, axis=0)
    u = rng.normal(size=y.shape)
    (g,) = mg.grad(y, [t], grad_output=u)
    numeric = (u * reference(name, x + 1e-200j * v, 0).imag / 1e-200).sum()
    assert (g.data * v).sum() == pytest.approx(numeric, rel=1e-13)


@pytest.mark.parametrize("name", NAMES)
def test_second_derivative_by_complex_step(name, rng):
    x, v, w = rng.normal(size=(3, 2, 3))
    t = mg.tensor(x, requires_grad=True)
    y = getattr(mg, name)(t)
    u = rng.normal(size=y.shape)
    (g,) = mg.grad(y, [t], grad_output=u, create_graph=True)
    (h,) = mg.grad(g, [t], grad_output=w)

    def slope(shift):  # of u . f in direction w, at x + shift v
        p = reference("softmax", x + shift * v)
        change = {
            "softmax": p * (w - (p * w).sum(-1, keepdims=True)),
            "log_softmax": w - (p * w).sum(-1, keepdims=True),
            "logsumexp": (p * w).sum(-1),
        }[name]
        return (u * change).sum()

    numeric = slope(1e-200j).imag / 1e-200
    assert (h.data * v).sum() == pytest.approx(numeric, rel=1e-12)


@pytest.mark.parametrize("large", [1e4, -1e4, 1e300, -1e300])
def test_no_overflow_however_large(large):
    x = mg.tensor([large, large], requires_grad=True)
    assert np.array_equal(mg.softmax(x).data, [0.5, 0.5])
    assert np.allclose(mg.log_softmax(x).data, -math.log(2), rtol=1e-15)
    assert mg.logsumexp(x).item() == pytest.approx(large, rel=1e-4)
    for name in NAMES:
        (g,) = mg.grad(getattr(mg, name)(x).sum(), [x])
        assert np.isfinite(g.data).all()


def test_log_softmax_where_softmax_underflows():
    assert np.array_equal(mg.log_softmax([0.0, -2000.0]).data, [0.0, -2000.0])


def test_minus_infinity_is_a_class_that_cannot_be():
    x = mg.tensor([[-np.inf, 0.0, 0.0]], requires_grad=True)
    assert np.array_equal(mg.softmax(x).data, [[0, 0.5, 0.5]])
    (g,) = mg.grad(mg.softmax(x), [x], grad_output=[[3.0, 1.0, 2.0]])
    assert np.array_equal(g.data, [[0, -0.25, 0.25]])


def test_a_row_of_minus_infinity_is_defined():
    x = mg.tensor([[-np.inf, -np.inf], [1.0, 2.0]], requires_grad=True)
    assert np.array_equal(mg.softmax(x).data[0], [0, 0])
    assert np.array_equal(mg.log_softmax(x).data[0], [-np.inf, -np.inf])
    assert mg.logsumexp(x).data[0] == -np.inf
    for name in ("softmax", "logsumexp"):
        y = getattr(mg, name)(x)
        (g,) = mg.grad(y, [x], grad_output=np.arange(1.0, y.size + 1).reshape(y.shape))
        assert np.array_equal(g.data[0], [0, 0])
        assert np.isfinite(g.data[1]).all()
        assert g.data[1].any()


def test_infinity_nan_and_nothing():
    assert mg.logsumexp([np.inf, 1.0]).item() == np.inf
    assert np.isnan(mg.softmax([np.nan, 1.0]).data).all()
    assert np.isnan(mg.logsumexp([np.nan, -np.inf]).item())
    assert np.array_equal(mg.logsumexp(np.zeros((2, 0))).data, [-np.inf, -np.inf])
    assert mg.softmax(np.zeros((2, 0))).shape == (2, 0)


def test_arrays_lists_integers_and_keepdims():
    assert np.allclose(mg.softmax([0, 0]).data, 0.5)
    assert mg.softmax(np.array([1, 2])).dtype == np.float64
    assert mg.logsumexp(np.ones((2, 3)), axis=0, keepdims=True).shape == (1, 3)


def test_the_shift_is_recorded_so_that_a_replay_shifts_anew():
    t = mg.tensor([1.0, 2.0], requires_grad=True)
    nodes = {n.primitive.name: n for n in ancestors([mg.softmax(t).node])}
    assert nodes["shift"].edges[0].source is t._edge.source
    assert not nodes["shift"].requires_grad


@pytest.mark.parametrize("name", NAMES)
def test_an_axis_that_is_not_there(name):
    with pytest.raises(ShapeError, match=rf"{name}: axis 2 is out of bounds"):
        getattr(mg, name)(mg.ones((2, 3)), axis=2)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", NAMES)
def test_as_in_torch(name, dtype, rng):
    torch = pytest.importorskip("torch", reason="needs torch")
    x = (5 * rng.normal(size=(4, 6))).astype(dtype)
    t, theirs = mg.tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    y, z = getattr(mg, name)(t, axis=1), getattr(torch, name)(theirs, dim=1)
    u = rng.normal(size=y.shape).astype(dtype)
    (g,) = mg.grad(y, [t], grad_output=u)
    z.backward(torch.tensor(u))
    close = 50 * np.finfo(dtype).eps
    np.testing.assert_allclose(y.data, z.detach().numpy(), rtol=close)
    size = abs(theirs.grad.numpy()).max()
    assert abs(g.data - theirs.grad.numpy()).max() <= close * size


LISTS = {
    "split": lambda x: mg.split(x, 2),
    "unstack": lambda x: mg.unstack(x),
    "take": lambda x: mg.take(x, [1, 0]),
    "norm": lambda x: mg.norm(x),
    "stack": lambda x: mg.stack([x, x]),
    "broadcast_to": lambda x: mg.broadcast_to(x, (3, 2, 2)),
    "softmax": lambda x: mg.softmax(x).data,
}


@pytest.mark.parametrize("name", LISTS)
def test_nested_lists_are_arrays(name):
    nested = [[1.0, 2.0], [3.0, 5.0]]
    np.testing.assert_array_equal(LISTS[name](nested), LISTS[name](np.array(nested)))


@pytest.mark.parametrize("name", ["split", "unstack", "take", "norm"])
@pytest.mark.parametrize("x", [None, "text", [[1.0], [2.0, 3.0]], [object()]])
def test_what_is_not_numeric_is_named(name, x):
    with pytest.raises(DTypeError, match="no array of numbers"):
        LISTS[name](x)
