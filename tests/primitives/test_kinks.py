"""Kinks: the documented table, and PyTorch's answers to the same questions."""

import tomllib
from pathlib import Path

import numpy as np
import pytest

import minigrad as mg
from minigrad.engine.kernels import jit

# function of (library, x [, b]), the points, the slopes to x (and to b)
TABLE = {
    "relu": (lambda m, x: m.relu(x), [[0.0]], [[0.0]]),
    "abs": (lambda m, x: m.abs(x), [[0.0]], [[0.0]]),
    "clip at its bounds": (
        lambda m, x: m.clip(x, -1.0, 1.0),
        [[-2.0, -1.0, 0.0, 1.0, 2.0]],
        [[0.0, 1.0, 1.0, 1.0, 0.0]],
    ),
    "clip from below": (
        lambda m, x: m.clip(x, 0.0, None), [[-1.0, 0.0, 1.0]], [[0.0, 1.0, 1.0]]
    ),
    "maximum": (
        lambda m, x, b: m.maximum(x, b),
        [[1.0, 2.0, 3.0], [2.0, 2.0, 2.0]],
        [[0.0, 0.5, 1.0], [1.0, 0.5, 0.0]],
    ),
    "minimum": (
        lambda m, x, b: m.minimum(x, b),
        [[1.0, 2.0, 3.0], [2.0, 2.0, 2.0]],
        [[1.0, 0.5, 0.0], [0.0, 0.5, 1.0]],
    ),
    "max of all": (
        lambda m, x: m.amax(x) if m is not mg else x.max(),
        [[1.0, 3.0, 3.0, 2.0]],
        [[0.0, 0.5, 0.5, 0.0]],
    ),
    "min of all": (
        lambda m, x: m.amin(x) if m is not mg else x.min(),
        [[3.0, 1.0, 1.0, 1.0]],
        [[0.0, 1 / 3, 1 / 3, 1 / 3]],
    ),
    "norm": (
        lambda m, x: mg.norm(x) if m is mg else m.linalg.norm(x),
        [[0.0, 0.0]],
        [[0.0, 0.0]],
    ),
    "std of equals": (
        lambda m, x: x.std(ddof=1) if m is mg else x.std(),
        [[3.0, 3.0, 3.0]],
        [[0.0, 0.0, 0.0]],
    ),
    "rmse": (
        lambda m, x: mg.losses.rmse(x, np.zeros(2)),
        [[0.0, 0.0]],
        [[0.0, 0.0]],
    ),
    "powers of 0": (
        lambda m, x, b: x**b, [[0.0, 0.0, 0.0], [2.0, 1.0, 0.0]],
        [[0.0, 1.0, 0.0], [0.0, 0.0, 0.0]],
    ),
    "sqrt": (lambda m, x: m.sqrt(x), [[0.0]], [[np.inf]]),
}  # fmt: skip
DOCUMENTED = tomllib.loads(
    (Path(__file__).parents[2] / "docs" / "kinks.toml").read_text(encoding="utf-8")
)["kink"]
# PyTorch divides 0 by 0 in sqrt(mean(x^2)), and gives -inf to the exponent of 0^0.
OURS_ALONE = {"rmse", "powers of 0"}


@pytest.mark.parametrize("on", [True, False], ids=["kernels", "numpy"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", TABLE)
def test_the_table(name, dtype, on):
    function, points, slopes = TABLE[name]
    with jit.use_kernels(on):
        leaves = [mg.tensor(p, dtype, requires_grad=True) for p in points]
        found = mg.grad(function(mg, *leaves).sum(), leaves)
        leaves = [mg.tensor(p, dtype, requires_grad=True) for p in points]
        output = function(mg, *leaves).sum()
        recorded = mg.grad(output, leaves, create_graph=True)
    for g, h, expected in zip(found, recorded, slopes, strict=True):
        np.testing.assert_array_equal(g.data, np.array(expected, dtype))
        np.testing.assert_array_equal(h.data, g.data)


@pytest.mark.parametrize("on", [True, False], ids=["kernels", "numpy"])
@pytest.mark.parametrize("name", TABLE)
def test_the_table_times_a_gradient_from_above(name, on, rng):
    """The slopes of the table, each multiplied by what arrives, of both signs."""
    function, points, slopes = TABLE[name]
    with jit.use_kernels(on):
        leaves = [mg.tensor(p, "float64", requires_grad=True) for p in points]
        output = function(mg, *leaves)
        g = 3.0 * rng.standard_normal(output.shape)
        found = mg.grad(output, leaves, g)
        recorded = mg.grad(output, leaves, g, create_graph=True)
    for one, again, slope in zip(found, recorded, slopes, strict=True):
        expected = np.where(np.array(slope) == 0.0, 0.0, g * np.array(slope))
        np.testing.assert_allclose(one.data, expected, rtol=1e-15, atol=0)
        np.testing.assert_allclose(again.data, expected, rtol=1e-15, atol=0)


@pytest.mark.parametrize("name", [name for name in TABLE if name not in OURS_ALONE])
def test_pytorch_says_the_same(name):
    torch = pytest.importorskip("torch", reason="needs torch")
    function, points, slopes = TABLE[name]
    leaves = [torch.tensor(p, dtype=torch.float64, requires_grad=True) for p in points]
    found = torch.autograd.grad(function(torch, *leaves).sum(), leaves)
    for g, expected in zip(found, slopes, strict=True):
        np.testing.assert_array_equal(g.numpy(), expected)


def test_second_derivatives_at_zero_of_powers():
    x = mg.tensor([0.0], requires_grad=True)
    for power, second in ((1.0, 0.0), (2.0, 2.0), (3.0, 0.0)):
        (g,) = mg.grad((x**power).sum(), [x], create_graph=True)
        if g.requires_grad:
            (h,) = mg.grad(g.sum(), [x], allow_unused=True)
            assert h.data == [second]


@pytest.mark.parametrize("zeros", [0, 1, 2, 3])
def test_products_with_zeros(zeros):
    """Against the derivatives written out: products without one factor, or two."""
    x = np.array([1.5, -2.0, 3.0, 0.7])
    x[:zeros] = 0.0
    leaf = mg.tensor(x, requires_grad=True)
    (g,) = mg.grad(leaf.prod(), [leaf], create_graph=True)
    others = np.array([np.delete(x, k).prod() for k in range(4)])
    np.testing.assert_allclose(g.data, others, rtol=1e-14)
    second = np.array(
        [[(j != k) * np.delete(x, [j, k]).prod() for j in range(4)] for k in range(4)]
    )
    # Without zeros it is y / x, whose own derivative cancels on the diagonal.
    rounding = 1e-15 * np.abs(second).max() if zeros == 0 else 0.0
    found = mg.jacobian(g, leaf)
    np.testing.assert_allclose(found, second, rtol=1e-14, atol=rounding)


@pytest.mark.parametrize("on", [True, False], ids=["kernels", "numpy"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("k", range(len(DOCUMENTED)))
def test_the_documented_table(k, dtype, on, proof):
    """Every value and every slope of docs/kinks.toml, eager and recorded."""
    row = DOCUMENTED[k]
    with jit.use_kernels(on):
        leaves = {
            name: mg.tensor(row[name], dtype, requires_grad=True)
            for name in "xb"
            if name in row
        }
        y = eval(row["write"], {"mg": mg, "np": np}, leaves)
        inputs = list(leaves.values())
        found = mg.grad(y.sum(), inputs)
        recorded = mg.grad(y.sum(), inputs, create_graph=True)
    tolerance, count = 4 * np.finfo(dtype).eps, y.size
    np.testing.assert_allclose(y.data, row["value"], rtol=tolerance, atol=0)
    for name, g, h in zip(leaves, found, recorded, strict=True):
        expected = np.array(row[f"slope_{name}"], dtype)
        np.testing.assert_allclose(g.data, expected, rtol=tolerance, atol=0)
        np.testing.assert_allclose(h.data, expected, rtol=tolerance, atol=0)
        count += expected.size
    proof("values", "values and slopes at kinks, poles and ends").tried = count


def test_the_documented_table_is_long_enough():
    cells = [
        np.size(numbers)
        for row in DOCUMENTED
        for name, numbers in row.items()
        if name == "value" or name.startswith("slope")
    ]
    assert sum(cells) >= 60
