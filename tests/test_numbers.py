"""Figures that the lessons rest on, where float arithmetic makes them what they are."""

import numpy as np
import pytest

import minigrad as mg
from minigrad.engine.kernels import jit


def powers(factor, count, dtype):
    """dh_T/dh_k of the linear scalar recurrence h_t = w h_{t-1}, T - k = 1, 2 ..."""
    h = mg.tensor(1.0, dtype, requires_grad=True)
    states = [h]
    for _ in range(count):
        states.append(states[-1] * factor)
    return [mg.grad(states[-1], [s])[0].item() for s in states[-2::-1]]


def test_fifty_steps():
    assert powers(2.0, 50, "float64")[-1] == 2.0**50 == 1125899906842624.0
    assert powers(0.2, 50, "float64")[-1] == pytest.approx(1.1259e-35, rel=1e-4)


def test_where_float32_vanishes_and_explodes():
    shrinking = powers(0.2, 70, "float32")
    assert shrinking[63] > 0 and not any(shrinking[64:])  # 0.2^65 is exactly 0
    growing = powers(2.0, 130, "float32")
    assert np.isfinite(growing[126]) and np.isinf(growing[127:]).all()  # 2^128


@pytest.mark.parametrize("on", [True, False], ids=["kernels", "numpy"])
@pytest.mark.parametrize(("dtype", "edge"), [("float64", 19.0), ("float32", 10.0)])
def test_where_tanh_saturates(dtype, edge, on):
    x = mg.tensor([-2 * edge, -edge, edge, edge + 1], dtype, requires_grad=True)
    with jit.use_kernels(on):
        (g,) = mg.grad(mg.tanh(x).sum(), [x])
        (near,) = mg.grad(mg.tanh(x * 0.8).sum(), [x])
    assert not g.data.any()
    assert near.data[2] > 0


def test_a_vanished_gradient_is_right_to_many_digits():
    """Twenty saturated steps: far below what a difference could see."""
    h = x = mg.tensor([0.3, -0.2], requires_grad=True)
    for _ in range(20):
        h = mg.tanh(h * 2.0)
    (g,) = mg.grad(h.sum(), [x])
    assert 0 < np.abs(g.data).max() < 1e-9
    slopes = [
        mg.replay(h, {x: x.data + 1e-150j * np.eye(2)[k]})[k].imag / 1e-150
        for k in (0, 1)
    ]
    np.testing.assert_allclose(g.data, slopes, rtol=1e-11)


def test_linear_networks_multiply_matrices(rng):
    """dh_T/dh_k is the product of T - k copies of W_h^T, in the row convention."""
    W = rng.standard_normal((3, 3)) / 2
    h = first = mg.tensor(rng.standard_normal(3), requires_grad=True)
    for _ in range(12):
        h = h @ W
    expected = np.linalg.matrix_power(W.T, 12)
    np.testing.assert_allclose(mg.jacobian(h, first), expected, rtol=1e-12)


def test_operands_are_copied_when_they_enter_the_graph():
    x = mg.tensor([1.0, 2.0], requires_grad=True)
    factor, data = np.array([3.0, 4.0]), np.array([5.0, 6.0])
    y = (x * factor).sum()
    x.data = data
    z = (x * x).sum()
    factor[:], data[:] = 0.0, 0.0
    np.testing.assert_array_equal(mg.grad(y, [x])[0].data, [3.0, 4.0])
    np.testing.assert_array_equal(mg.grad(z, [x])[0].data, [10.0, 12.0])


def test_anomalies_of_weights_used_many_times_are_named():
    """Also where their gradients would be summed in one product."""
    W = mg.tensor([[1.0]], requires_grad=True)
    h = mg.tensor([[1e200]])
    with mg.detect_anomaly():
        y = (h @ W + h @ W).sum()
        with pytest.raises(mg.errors.NonFiniteError, match="backward of matmul"):
            y.backward(1e200)


TAILS = {
    "expm1": (mg.expm1, np.exp, [-700.0, -50.0, -1e-20, 1e-20, 40.0]),
    "sigmoid": (
        mg.sigmoid,
        lambda x: np.exp(-np.abs(x)) / (1 + np.exp(-np.abs(x))) ** 2,
        [-700.0, -50.0, -1e-20, 1e-20, 3.0],
    ),
    "softplus": (mg.softplus, lambda x: 1 / (1 + np.exp(-x)), [-700.0, -50.0, 50.0]),
    "log1p": (mg.log1p, lambda x: 1 / (1 + x), [-1 + 1e-10, -1e-20, 1e-20, 1e300]),
    "log": (mg.log, lambda x: 1 / x, [1e-300, 1e300]),
    "sqrt": (mg.sqrt, lambda x: 0.5 / np.sqrt(x), [1e-300, 1e300]),
    "norm": (lambda x: mg.norm(x, axis=0), np.sign, [1e-200, -1e200]),
}


@pytest.mark.parametrize("on", [True, False], ids=["kernels", "numpy"])
@pytest.mark.parametrize("name", TAILS)
def test_slopes_in_the_tails_keep_their_digits(name, on):
    function, slope, points = TAILS[name]
    for point in points:
        x = mg.tensor([point], requires_grad=True)
        with jit.use_kernels(on):
            (g,) = mg.grad(function(x).sum(), [x])
            (h,) = mg.grad(function(x).sum(), [x], create_graph=True)
        np.testing.assert_allclose(g.data, [slope(point)], rtol=1e-14, atol=0)
        np.testing.assert_allclose(h.data, [slope(point)], rtol=1e-14, atol=0)
