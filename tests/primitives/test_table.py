"""Every row of the table: values, gradients, dtypes, layouts, broadcasting, kernels."""

import itertools

import numpy as np
import pytest
from primitives.cases import CASES, DIFFERENTIABLE, ELEMENTWISE, FUNCTIONS

import minigrad as mg
from minigrad.engine.kernels import jit
from minigrad.engine.primitives import TABLE
from minigrad.reading.gradcheck import gradcheck

names = [f"{case.name}{k}" for k, case in enumerate(CASES)]
every = pytest.mark.parametrize("case", CASES, ids=names)
smooth = pytest.mark.parametrize(
    "case", DIFFERENTIABLE, ids=names[: len(DIFFERENTIABLE)]
)
switch = pytest.mark.parametrize("on", [True, False], ids=["kernels", "numpy"])


def test_every_primitive_has_a_row():
    composed = {case.name for case in FUNCTIONS}
    assert set(TABLE) == {case.name for case in CASES} - composed


@every
@switch
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_value(case, on, dtype, rng):
    arrays = case.inputs(rng, dtype)
    with jit.use_kernels(on):
        value = case.function(*map(mg.tensor, arrays))
    expected = case.numpy(*arrays)
    assert value.shape == expected.shape
    if case.name != "astype":
        assert value.dtype == expected.dtype
    tolerance = 4 * np.finfo(dtype).eps
    np.testing.assert_allclose(value.data, expected, rtol=tolerance, atol=0)


@smooth
@switch
def test_gradients_of_every_order(case, on, rng):
    order = 3 if case in ELEMENTWISE else 2
    with jit.use_kernels(on):
        report = gradcheck(case.function, case.inputs(rng), order=order)
    assert len(report.checks) >= len(case.shapes)
    assert all(check.verdict == "ok" for check in report.checks)


def gradients(case, arrays, cotangent):
    leaves = [mg.tensor(a, requires_grad=True) for a in arrays]
    output = case.function(*leaves)
    return mg.grad(output, leaves, cotangent.astype(output.dtype), allow_unused=True)


@smooth
@switch
def test_float32_gradients_against_float64(case, on, rng):
    arrays = [a.astype("float32") for a in case.inputs(rng)]
    wide = [a.astype("float64") for a in arrays]
    cotangent = rng.standard_normal(case.function(*map(mg.tensor, wide)).shape)
    with jit.use_kernels(on):
        narrow = gradients(case, arrays, cotangent)
        exact = gradients(case, wide, cotangent)
    for g32, g64 in zip(narrow, exact, strict=True):
        assert g32.dtype == np.float32
        scale = np.abs(g64.data).max()
        assert np.abs(g32.data - g64.data).max() <= 1e-5 * scale


SHAPES = [(), (3,), (1, 3), (2, 1), (2, 3)]
binary = [case for case in ELEMENTWISE if len(case.shapes) == 2]


@pytest.mark.parametrize("case", binary, ids=[c.name for c in binary])
@pytest.mark.parametrize("shapes", list(itertools.product(SHAPES, SHAPES)), ids=str)
def test_broadcasting(case, shapes, rng):
    case = case._replace(shapes=shapes)
    arrays = case.inputs(rng)
    expected = case.numpy(*arrays)
    leaves = [mg.tensor(a, requires_grad=True) for a in arrays]
    output = case.function(*leaves)
    assert output.shape == expected.shape
    np.testing.assert_allclose(output.data, expected, rtol=1e-14)
    # The gradient of a broadcast operand is that of its copies, added up.
    cotangent = rng.standard_normal(output.shape)
    whole = [np.array(np.broadcast_to(a, expected.shape)) for a in arrays]
    for g, copies, a in zip(
        mg.grad(output, leaves, cotangent),
        gradients(case, whole, cotangent),
        arrays,
        strict=True,
    ):
        lead = expected.ndim - a.ndim
        axes = [
            k + lead
            for k, n in enumerate(a.shape)
            if n == 1 != expected.shape[k + lead]
        ]
        total = copies.data.sum((*range(lead), *axes), keepdims=True).reshape(a.shape)
        np.testing.assert_allclose(g.data, total, rtol=1e-12, atol=1e-14)


@smooth
def test_layouts_and_read_only_inputs(case, rng):
    arrays = case.inputs(rng)
    expected = case.function(*map(mg.tensor, arrays)).data
    strided = []
    for a in arrays:
        wide = np.zeros([2 * n for n in a.shape])
        view = wide[tuple(slice(None, None, 2) for _ in a.shape)]
        view[...] = a
        view = view[::-1][::-1] if a.ndim else view
        view.flags.writeable = False
        strided.append(view)
    np.testing.assert_array_equal(
        case.function(*map(mg.tensor, strided)).data, expected
    )
    # A transposed tensor is a view that is not contiguous: same gradients through it.
    leaves = [mg.tensor(a.T, requires_grad=True) for a in arrays]
    cotangent = rng.standard_normal(expected.shape)
    through = mg.grad(case.function(*[x.T for x in leaves]), leaves, cotangent)
    direct = gradients(case, arrays, cotangent)
    for g, h in zip(through, direct, strict=True):
        np.testing.assert_allclose(g.data.T, h.data, rtol=1e-12, atol=1e-15)


# (The mask of `where` has a shape of its own: see the broadcasting.)
ONE_SHAPE = [case for case in ELEMENTWISE if case.name != "where"]


@pytest.mark.parametrize("case", ONE_SHAPE, ids=[c.name for c in ONE_SHAPE])
@switch
@pytest.mark.parametrize("shape", [(), (0,), (0, 3)], ids=str)
def test_no_axes_and_no_entries(case, on, shape, rng):
    arrays = case._replace(shapes=(shape,) * len(case.shapes)).inputs(rng)
    with jit.use_kernels(on):
        leaves = [mg.tensor(a, requires_grad=True) for a in arrays]
        output = case.function(*leaves)
        found = mg.grad(output, leaves, np.ones(shape))
    assert output.shape == shape and isinstance(output.data, np.ndarray)
    assert [g.shape for g in found] == [shape] * len(arrays)


@pytest.mark.parametrize("case", ELEMENTWISE, ids=[c.name for c in ELEMENTWISE])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_kernels_agree_with_numpy_on_all_values(case, dtype, rng):
    special = [np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-40, -3.0, 0.7, 25.0, -120.0]
    grid = np.array(list(itertools.product(special, repeat=len(case.shapes))), dtype).T
    if case.name in ("where", "clip"):
        function = {"where": lambda a, b: mg.where(a > b, a, b)}.get(
            case.name, case.function
        )
        case = case._replace(function=function)
    cotangent = rng.standard_normal(grid.shape[1])
    results = []
    for on in (True, False):
        with jit.use_kernels(on), np.errstate(all="raise"):
            leaves = [mg.tensor(row, requires_grad=True) for row in grid]
            output = case.function(*leaves)
            found = mg.grad(output, leaves, cotangent.astype(dtype), allow_unused=True)
        results.append([output.data, *(g.data for g in found)])
    tiny = np.finfo(dtype).tiny
    for with_kernels, with_numpy in zip(*results, strict=True):
        np.testing.assert_allclose(
            with_kernels, with_numpy, rtol=512 * np.finfo(dtype).eps, atol=tiny
        )
