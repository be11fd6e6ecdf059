"""softmax, log_softmax, logsumexp: against the plain formulas, and PyTorch."""

import math

import numpy as np
import pytest

import minigrad as mg
from minigrad.engine.errors import ArgumentError, DTypeError, ShapeError
from minigrad.engine.graph import ancestors
from minigrad.reading.gradcheck import gradcheck

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


# ------------------------------------------------------------- einsum and its company

BAD_NOTATION = [
    ("ij;jk", 2, ArgumentError, "not in the notation"),
    ("ij,jk->i,k", 2, ArgumentError, "not in the notation"),
    ("i->j->k", 1, ArgumentError, "not in the notation"),
    ("ij", 2, ArgumentError, "1 operands"),
    ("ij,jk,kl", 2, ArgumentError, "3 operands"),
    ("ijk,jk", 2, ShapeError, "'ijk' for shape"),
    ("i,jk", 2, ShapeError, "'i' for shape"),
    ("ij,jk->il", 2, ArgumentError, "'l' in 'il'"),
    ("ij,jk->ii", 2, ArgumentError, "'i' in 'ii'"),
    ("ij,ik->jk", 2, ShapeError, "'i' has two lengths(?s:.*)2 != 3"),
    ("ii,ij", 2, ShapeError, "no diagonal over 'i'"),
    (["ij"], 1, DTypeError, "the letters come first"),
]


@pytest.mark.parametrize(("notation", "count", "error", "words"), BAD_NOTATION)
def test_einsum_says_what_is_wrong(notation, count, error, words):
    operands = [mg.ones((2, 3)), mg.ones((3, 4))][:count]
    with pytest.raises(error, match=words):
        mg.einsum(notation, *operands)


def test_einsum_in_all_the_forms_of_numpy(rng):
    a, b = rng.standard_normal((2, 3, 3)), rng.standard_normal((3,))
    for notation, operands in (
        (" i j k , k -> i j ", (a, b)),
        ("ZaB,B", (a, b)),  # without "->": in alphabetical order, capitals first
        ("...ii->...", (a,)),
        ("...ii->i...", (a,)),
        ("i...->...", (a,)),
        ("...", (a,)),
        ("...,...", (a, b)),
        (",", (np.array(2.0), np.array(3.0))),
        ("i,->i", (b, np.array(2.0))),
        ("ij,kj->ik", (a[0], np.ones((1, 1)))),
    ):
        expected = np.einsum(notation, *operands)
        tensors = [mg.tensor(x, requires_grad=True) for x in operands]
        found = mg.einsum(notation, *tensors)
        np.testing.assert_allclose(found.data, expected, rtol=1e-13, atol=1e-15)
        gradcheck(lambda *x, n=notation: mg.einsum(n, *x), list(operands), order=1)
    assert type(mg.einsum("ij,j", a[0], b)) is np.ndarray  # arrays give arrays
    assert mg.einsum("i,i->i", mg.tensor([1, 2]), [3, 4]).data.tolist() == [3, 8]
    assert mg.einsum("ij,jk", mg.ones((0, 3)), mg.ones((3, 2))).shape == (0, 2)
    narrow = mg.einsum("ij->j", mg.ones((2, 3), "float32"))
    assert narrow.dtype == np.float32


def test_attention_by_einsum_as_by_matmul(rng):
    arrays = [rng.standard_normal((2, 5, 3)) for _ in range(3)]

    def by_einsum(q, k, v):
        scores = mg.softmax(mg.einsum("btd,bsd->bts", q, k))
        return mg.einsum("bts,bsd->btd", scores, v)

    def by_matmul(q, k, v):
        return mg.softmax(q @ k.swapaxes(1, 2)) @ v

    results = []
    for attention in (by_einsum, by_matmul):
        leaves = [mg.tensor(a, requires_grad=True) for a in arrays]
        output = attention(*leaves)
        (output**2).sum().backward()
        results.append([output.data, *(x.grad.data for x in leaves)])
    for one, other in zip(*results, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-11, atol=1e-13)


def test_spread_and_places_follow_numpy():
    x = np.array([[1.0, 5.0, 5.0], [2.0, 0.0, 4.0]])
    t = mg.tensor(x, requires_grad=True)
    for axis in (None, 0, 1, -1, (0, 1)):
        for ddof in (0, 1):
            np.testing.assert_allclose(
                t.var(axis, ddof).data, x.var(axis, ddof=ddof), rtol=1e-15
            )
            np.testing.assert_allclose(
                t.std(axis, ddof, keepdims=True).data,
                x.std(axis, ddof=ddof, keepdims=True),
                rtol=1e-15,
            )
    for name in ("argmax", "argmin"):
        for axis in (None, 0, -1):
            found = getattr(t, name)(axis)
            assert found.dtype.kind == "i" and not found.requires_grad
            np.testing.assert_array_equal(found.data, getattr(x, name)(axis))
    assert t[0].argmax().item() == 1  # the first of equals
    assert mg.cumsum([1, 2, 3]).tolist() == [1, 3, 6]
    assert mg.var(mg.tensor([1, 2])).item() == 0.25
    assert np.isnan(mg.tensor([1.0]).var(ddof=1).data)
    with pytest.raises(ShapeError, match="cumsum"):
        mg.cumsum(t, 2)
    with pytest.raises(ShapeError, match="at least one entry"):
        mg.zeros((0,)).argmax()


def test_layer_normalisation_has_its_gradient(rng):
    def normalised(x):
        return (x - x.mean(-1, keepdims=True)) / (x.std(-1, keepdims=True) + 1e-5)

    gradcheck(normalised, [rng.standard_normal((3, 5))], order=2)


def test_where_as_a_method_chooses_between_itself_and_another():
    x = mg.tensor([1.0, -2.0], requires_grad=True)
    (g,) = mg.grad((y := x.where(x > 0, 3 * x)).sum(), [x])
    assert y.data.tolist() == [1.0, -6.0] and g.data.tolist() == [1.0, 3.0]
