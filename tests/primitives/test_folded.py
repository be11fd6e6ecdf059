"""`mg.multiply_add` and `mg.blend`: one record each, and the formula when one looks."""

import numpy as np
import pytest

import minigrad as mg
from minigrad.engine.graph import ancestors
from minigrad.engine.kernels import jit

FORMULAS = {
    "multiply_add": (
        mg.multiply_add,
        lambda a, b, c, d: a * b + c * d,
        4,
        ["multiply", "multiply", "add"],
    ),
    "blend": (
        mg.blend,
        lambda z, a, b: z * a + (1.0 - z) * b,
        3,
        ["multiply", "subtract", "multiply", "add"],
    ),
}


def leaves(count, dtype="float64"):
    rng = np.random.default_rng(0)
    return [
        mg.tensor(rng.standard_normal((3, 4)), dtype, requires_grad=True)
        for _ in range(count)
    ]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", FORMULAS)
def test_values_gradients_and_parts_are_those_of_the_formula(name, dtype):
    folded, written_out, count, operations = FORMULAS[name]
    given = leaves(count, dtype)
    y, expected = folded(*given), written_out(*given)
    assert np.array_equal(y.data, expected.data)  # the same bits
    if jit.enabled:
        assert "folded" in y.node.tags  # nobody has looked yet
    (y * y).sum().backward()
    found = [t.grad.data for t in given]
    wanted = mg.grad((expected * expected).sum(), given)
    assert all(np.array_equal(a, b.data) for a, b in zip(found, wanted, strict=True))
    nodes = ancestors([y.node])
    assert [n.primitive.name for n in nodes] == operations
    after = mg.grad((y * y).sum(), given)
    assert all(np.array_equal(a, b.data) for a, b in zip(found, after, strict=True))
    for node, other in zip(nodes, ancestors([expected.node]), strict=True):
        assert np.array_equal(node.array, other.array)
        assert node.requires_grad and node.array.dtype == dtype


@pytest.mark.parametrize("name", FORMULAS)
def test_where_each_operation_is_watched_nothing_is_folded(name):
    folded, _, count, _ = FORMULAS[name]
    with mg.detect_anomaly():
        assert "folded" not in (folded(*leaves(count)).node.tags or {})
    with jit.use_kernels(False):
        assert "folded" not in (folded(*leaves(count)).node.tags or {})


@pytest.mark.parametrize("name", FORMULAS)
def test_other_operands_mean_what_the_formula_means(name):
    folded, written_out, count, _ = FORMULAS[name]
    *first, last = leaves(count)
    for other in (0.5, last.data, last.astype("float32"), last[:1], last.detach()):
        y, expected = folded(*first, other), written_out(*first, other)
        np.testing.assert_allclose(y.data, expected.data, rtol=1e-14, atol=1e-15)
        assert y.dtype == expected.dtype
    mg.gradcheck(folded, leaves(count), order=2)
    with mg.no_grad():
        assert folded(*first, last).node is None
