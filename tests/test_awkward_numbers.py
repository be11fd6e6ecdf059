"""Gradients where numbers are tiny, huge, few or of small dtypes; and the same bits."""

import numpy as np
import pytest

import minigrad as mg
from minigrad.models import GRU, LSTM

# ------------------------------------------------------------- products


@pytest.mark.parametrize(
    "x",
    [
        [1e-200, 1e-200, 3.0],  # the product underflows, those of two do not all
        [1e-160, 1e-150, 3.0],  # ... to a subnormal number, which has few digits
        [1e200, 1e200, 2.0],
        [0.0, 0.0, 3.0],
        [2.0, 0.0, 3.0],
        [2.0, -3.0, 0.5],
        [5.0],
        [],
    ],
)
def test_the_slope_of_a_product_is_the_product_of_the_others(x):
    leaf = mg.tensor(x, dtype="float64", requires_grad=True)
    found = mg.grad(leaf.prod(), leaf)[0].data
    with np.errstate(all="ignore"):
        expected = [np.prod(x[:k] + x[k + 1 :]) for k in range(len(x))]
    np.testing.assert_allclose(found, expected, rtol=1e-15)


def test_a_product_of_float32_that_loses_digits():
    x = mg.tensor([1e-25, 1e-20], dtype="float32", requires_grad=True)
    found = mg.grad(x.prod(), x)[0].data
    np.testing.assert_allclose(found, [1e-20, 1e-25], rtol=1e-6)


def test_products_along_axes_with_zeros_have_derivatives_of_order_two():
    x = np.array([[1.0, 0.0, 3.0], [2.0, 3.0, 4.0], [0.0, 0.0, 1.0]])
    for axis in (None, 0, 1, (0, 1)):
        mg.gradcheck(lambda x, axis=axis: x.prod(axis=axis), [x], order=2)


# ------------------------------------------------------------- small dtypes, no entries


@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint16", "int32", "uint64"])
def test_rows_are_taken_by_whole_numbers_of_any_dtype(dtype):
    weight = mg.tensor(np.ones((300, 2)), requires_grad=True)
    rows = np.array([1, 2, 100, 1], dtype)
    expected = np.zeros((300, 2))
    np.add.at(expected, rows.astype(int), 1.0)
    for y in (mg.take(weight, rows), weight[rows]):
        np.testing.assert_array_equal(mg.grad(y.sum(), weight)[0].data, expected)


def test_negative_rows_of_a_small_dtype():
    weight = mg.tensor(np.ones((300, 1)), requires_grad=True)
    found = mg.grad(mg.take(weight, np.array([-1, -1], "int8")).sum(), weight)[0].data
    assert found[299] == 2.0 and found.sum() == 2.0


@pytest.mark.parametrize("shape", [(3, 0), (0, 4), (0, 0)])
def test_a_weight_without_entries_that_is_used_twice(shape):
    weight = mg.tensor(np.ones(shape), requires_grad=True)
    x = mg.tensor(np.ones((2, shape[0])), requires_grad=True)
    (x @ weight + (x * 2.0) @ weight).sum().backward()
    assert weight.grad.shape == shape and x.grad.shape == (2, shape[0])


def test_the_slope_of_a_mean_of_float16_is_rounded_once():
    """g / n, not g * (1 / n), which differs in many entries."""
    g = np.linspace(0.5, 1.0, 40).astype("float16")
    x = mg.tensor(np.ones((40, 3)), dtype="float16", requires_grad=True)
    (slopes,) = mg.grad(x.mean(1), [x], mg.tensor(g))
    expected = (g.astype("float64") / 3).astype("float16")
    assert np.array_equal(slopes.data, np.repeat(expected[:, None], 3, 1))


def test_the_mean_of_many_numbers_of_float16():
    x = mg.tensor(np.ones(100_000), dtype="float16", requires_grad=True)
    mean = x.mean()
    assert mean.dtype == np.float16 and mean.item() == 1.0
    slopes = mg.grad(mean, x)[0].data
    assert slopes.dtype == np.float16
    np.testing.assert_allclose(slopes.astype(float), 1e-5, rtol=2e-3)


# ------------------------------------------------------------- the same bits


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", [LSTM, GRU])
@pytest.mark.parametrize(("batch", "hidden"), [(1, 64), (2, 100), (8, 72), (32, 128)])
def test_backward_a_second_time_gives_the_same_bits(kind, batch, hidden, dtype):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((4, batch, 8)).astype(dtype)

    def gradients():
        model.zero_grad()
        loss.backward()
        return [p.grad.data for p in model.parameters()]

    model = kind(8, hidden, dtype=dtype, rng=0)
    loss = (model(x)[0] ** 2).sum()
    first = gradients()
    for again in (gradients(), gradients()):
        for one, other in zip(first, again, strict=True):
            np.testing.assert_array_equal(one, other)


def test_a_product_does_not_depend_on_what_else_lives():
    """Copies of transposed weights are made from the first use on, however many."""
    rng = np.random.default_rng(0)
    g, b = rng.standard_normal((4, 64)), rng.standard_normal((64, 64))
    weights = [mg.tensor(b, requires_grad=True) for _ in range(80)]
    a = mg.tensor(rng.standard_normal((4, 64)), requires_grad=True)
    found = [mg.grad(a @ w, a, g)[0].data for w in weights for _ in range(2)]
    assert all(np.array_equal(one, found[0]) for one in found)


@pytest.mark.parametrize("shape", [(64, 64), (50, 128), (7, 1000), (128, 512)])
def test_transposed_copies(shape):
    from minigrad.engine.primitives.linalg import transposed

    b = np.arange(np.prod(shape), dtype=float).reshape(shape)
    b.setflags(write=False)
    for rows in (1, 2, 63, 64):
        np.testing.assert_array_equal(transposed(b, rows), b.T)
    assert transposed(b, 2).flags.c_contiguous
    assert transposed(b, 2) is transposed(b, 2)
    assert not transposed(b, 1).flags.c_contiguous  # a view is as fast
