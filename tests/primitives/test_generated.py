"""Generated cases: every entry of every gradient, by the complex step of NumPy's own.

The reference is not minigrad's: it is the same operation written with NumPy, at x + ih
for one entry after the other. An error is relative to the sum of the absolute terms of
which the entry is the sum, or to SMALL where they cancel within the operation.
"""

import numpy as np
import pytest
from primitives.generated import KINDS, LAYOUTS, draw

import minigrad as mg
from minigrad.engine.primitives import TABLE

STEP = 1e-100
SMALL = 1e-5
WIDE = 0.005  # of the difference by which a second derivative is found


def leaves_of(case):
    return [mg.tensor(a, requires_grad=True) for a in case.bases]


def complex_step(case, cotangent):
    """The gradient of sum(cotangent * output) to each base, and its terms' size."""
    wide = [np.array(a, complex) for a in case.bases]
    found, sizes = [], []
    for x in wide:
        gradient, size = np.zeros(x.shape), np.zeros(x.shape)
        for place in np.ndindex(x.shape):
            whole = x[place]
            x[place] = whole + 1j * STEP
            terms = cotangent * np.imag(case.run(np, wide)) / STEP
            gradient[place], size[place] = terms.sum(), np.abs(terms).sum()
            x[place] = whole
        found.append(gradient)
        sizes.append(size)
    return found, sizes


def first_order(seed, dtype):
    """How far the gradients of a case are off; NaN where dtype or shape are."""
    case = draw(seed, dtype)
    leaves = leaves_of(case)
    output = case.run(mg, leaves)
    rng = np.random.default_rng(seed)
    cotangent = rng.standard_normal(output.shape).astype(output.dtype)
    found = mg.grad(output, leaves, cotangent, allow_unused=True)
    value = case.run(np, [np.array(a, "float64") for a in case.bases])
    worst = 0.0
    if np.shape(value) != output.shape:
        return np.nan, case
    precision = 1e-14 if output.dtype == np.float64 else 1e-5
    if not np.allclose(value, output.data, rtol=precision, atol=10 * precision):
        return np.nan, case
    for g, a, exact, size in zip(
        found, case.bases, *complex_step(case, cotangent.astype(float)), strict=True
    ):
        if g.dtype != a.dtype or g.shape != a.shape:
            return np.nan, case
        if dtype == "float32":  # single terms are rounded before they cancel
            size = max(float(size.max(initial=0.0)), 0.1)
        error = np.abs(g.data - exact) / np.maximum(size, SMALL)
        worst = max(worst, float(error.max(initial=0.0)))
    return worst, case


def second_order(seed):
    """The derivative of a gradient along a direction, by differences of the complex
    step; relative to the largest entry, and to the derivative along the direction."""
    case = draw(seed)
    rng = np.random.default_rng(seed)
    leaves = leaves_of(case)
    output = case.run(mg, leaves)
    cotangent = rng.standard_normal(output.shape)
    along = [rng.standard_normal(a.shape) for a in case.bases]
    first = mg.grad(output, leaves, cotangent, create_graph=True, allow_unused=True)
    total = sum((g * v).sum() for g, v in zip(first, along, strict=True))
    if total.requires_grad:
        found = [g.data for g in mg.grad(total, leaves, allow_unused=True)]
    else:
        found = [np.zeros(a.shape) for a in case.bases]

    def slope(bases):
        moved = [x + 1j * STEP * v for x, v in zip(bases, along, strict=True)]
        return float((cotangent * np.imag(case.run(np, moved))).sum()) / STEP

    bases = [np.array(a) for a in case.bases]
    exact = []
    for x in bases:
        entries = np.zeros(x.shape)
        for place in np.ndindex(x.shape):
            whole = x[place]
            for far, weight in ((1, 45), (2, -9), (3, 1)):
                for sign in (1, -1):
                    x[place] = whole + sign * far * WIDE
                    entries[place] += sign * weight * slope(bases) / (60 * WIDE)
            x[place] = whole
        exact.append(entries)
    scale = max(float(np.abs(e).max(initial=0.0)) for e in exact)
    scale += abs(slope(bases)) + SMALL
    errors = [np.abs(g - e).max(initial=0.0) for g, e in zip(found, exact, strict=True)]
    return float(max(errors)) / scale, case


def try_all(row, function, *more):
    for seed in more[0]:
        try:
            figure, case = function(seed, *more[1:])
            text = f"seed {seed}: {case.text}"
        except Exception as error:
            figure = np.nan
            text = f"seed {seed}: {draw(seed).text}: {type(error).__name__}: {error}"
        row.measure(figure, text)


def test_every_differentiable_primitive_is_among_them():
    none = {"equal", "not_equal", "less", "less_equal", "greater", "greater_equal",
            "argmax", "argmin", "shift"}  # fmt: skip
    assert set(TABLE) - set(KINDS) - none == set()
    assert len(LAYOUTS) == 8


@pytest.mark.parametrize(("dtype", "limit"), [("float64", 1e-9), ("float32", 1e-5)])
def test_generated_cases(proof, dtype, limit):
    row = proof("gradients", f"generated cases, {dtype}", limit, "relative", 20)
    try_all(row, first_order, range(800), dtype)


def test_generated_cases_of_second_order(proof):
    row = proof("gradients", "generated cases, second order", 1e-7, "relative", 20)
    try_all(row, second_order, range(200))


@pytest.mark.nightly
@pytest.mark.parametrize("part", range(10))
@pytest.mark.parametrize(("dtype", "limit"), [("float64", 1e-9), ("float32", 1e-5)])
def test_many_generated_cases(proof, part, dtype, limit):
    row = proof("gradients", f"generated cases, {dtype}", limit, "relative", 20)
    try_all(row, first_order, range(1000 + 2000 * part, 3000 + 2000 * part), dtype)


@pytest.mark.nightly
def test_many_generated_cases_of_second_order(proof):
    row = proof("gradients", "generated cases, second order", 1e-7, "relative", 20)
    try_all(row, second_order, range(1000, 5000))
