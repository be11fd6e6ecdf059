"""Every primitive of the table, its gradient and its gradient's gradient, compiled."""

from __future__ import annotations

import numpy as np
import pytest
from primitives.cases import CASES

import minigrad as mg
from minigrad.compiler import plan
from minigrad.engine.kernels import jit


def _both(function, arrays, rng):
    """Results of a function, its gradients and second derivatives: eager, compiled."""

    def step(*inputs):
        for x in inputs:
            x.grad = None
        y = function(*inputs)
        if not y.requires_grad:
            return y, None
        weights = np.cos(np.arange(y.size)).reshape(y.shape)
        first = mg.grad(
            (y * weights).sum(), inputs, create_graph=True, allow_unused=True
        )
        total = sum([(g * g).sum() for g in first])
        if total.requires_grad:
            total.backward()
        return y, first

    compiled = mg.compile(step)
    for _ in range(3):
        inputs = [mg.tensor(a, requires_grad=a.dtype.kind == "f") for a in arrays]
        y, first = step(*inputs)
        second = [x.grad for x in inputs]
        z, other = compiled(*inputs)
        yield y, z
        if first is not None:
            yield from zip(first, other, strict=True)
        for x, expected in zip(inputs, second, strict=True):
            assert (x.grad is None) == (expected is None)
            if expected is not None:
                yield expected, x.grad
        arrays = [a + 0.01 * (a.dtype.kind == "f") for a in arrays]
    [[variant]] = compiled.variants.values()
    assert variant.trouble is None
    assert (variant.optimized is not None) == jit.enabled


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_primitive_compiled_is_the_primitive(case, dtype, monkeypatch, rng):
    # The kernels have their own test: here what is around them, without compiling.
    monkeypatch.setattr(plan, "FEW", 10_000)
    tolerance = 1e-10 if dtype == "float64" else 2e-3
    for eager, compiled in _both(case.function, case.inputs(rng, dtype), rng):
        assert compiled.shape == eager.shape and compiled.dtype == eager.dtype
        a, b = eager.data.astype("float64"), compiled.data.astype("float64")
        assert np.allclose(a, b, rtol=tolerance, atol=tolerance * (1 + np.abs(a).max()))


def _everything(a, b):
    """Every elementwise operation that kernels have, on two matrices."""
    y = mg.exp(a) + mg.log(b) * mg.log1p(b) - mg.expm1(a) / mg.sqrt(b)
    y = y + mg.tanh(a) * mg.sigmoid(b) + mg.softplus(a) - mg.relu(a * 0.5)
    y = y + mg.maximum(a, b) - mg.minimum(a, 0.3) + mg.abs(a) + mg.clip(a, -0.4, 0.6)
    return mg.where(a > b - 1.0, y, -y) * mg.where(a == b, 0.0, 1.0)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_kernels_of_every_elementwise_operation(dtype, rng):
    a = rng.standard_normal((5, 37)).astype(dtype)
    b = (0.2 + rng.random((5, 37))).astype(dtype)
    tolerance = 1e-11 if dtype == "float64" else 1e-3
    for eager, compiled in _both(_everything, [a, b], rng):
        x, y = eager.data.astype("float64"), compiled.data.astype("float64")
        assert np.allclose(x, y, rtol=tolerance, atol=tolerance * (1 + np.abs(x).max()))


def test_kernels_keep_nan_infinity_and_signed_zeros():
    special = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-310, -745.0, 710.0])
    special = np.tile(special, 3)

    def f(x):
        return mg.tanh(x) * 1.0, mg.sigmoid(x) + x, mg.log(x) - x, mg.exp(-x) * x

    compiled = mg.compile(f)
    for _ in range(3):
        for eager, found in zip(f(mg.tensor(special)), compiled(special), strict=True):
            a, b = eager.data, found.data
            assert np.array_equal(np.isnan(a), np.isnan(b))
            assert np.array_equal(
                np.signbit(a[~np.isnan(a)]), np.signbit(b[~np.isnan(b)])
            )
            assert np.allclose(a, b, rtol=1e-14, equal_nan=True)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_the_larger_of_two_zeros_has_the_sign_it_has_eagerly(dtype):
    zeros = np.tile(np.array([0.0, -0.0], dtype), 11)

    def f(a, b):
        y = mg.maximum(a, b), mg.minimum(a, b), mg.relu(a), mg.clip(a, 0.0, -0.0)
        return [z * 1.5 for z in y]

    compiled = mg.compile(f)
    for _ in range(3):
        for a, b in ((zeros, -zeros), (-zeros, zeros), (zeros, zeros)):
            pairs = zip(f(mg.tensor(a), mg.tensor(b)), compiled(a, b), strict=True)
            for eager, found in pairs:
                assert eager.data.tobytes() == found.data.tobytes()


def test_strided_and_broadcast_operands_in_kernels(rng):
    def f(x, row, column):
        y = mg.tanh(x[:, 1:, ::1] * row + column)
        z = mg.tanh(x.transpose(2, 0, 1) + 1.0)
        return y.sum(1), z * 2.0, (y[1] - y[0]).T, mg.tanh(column).reshape(-1)

    arrays = [rng.standard_normal(s) for s in ((4, 5, 6), (6,), (4, 1, 1))]
    compiled = mg.compile(f)
    for _ in range(3):
        arrays = [a + 0.1 for a in arrays]
        tensors = [mg.tensor(a) for a in arrays]
        for eager, found in zip(f(*tensors), compiled(*arrays), strict=True):
            assert np.allclose(eager.data, found.data, rtol=1e-12)
