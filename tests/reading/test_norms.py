"""Norms of large, small, complex and broken arrays; of products never made."""

import numpy as np
import pytest

from minigrad.engine.quiet import quietly
from minigrad.reading import norms


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex128"])
@pytest.mark.parametrize("scale", [1.0, 1e-30, 1e30])
def test_squares_neither_overflow_nor_vanish(dtype, scale, rng):
    array = rng.standard_normal((3, 4)).astype(dtype)
    if dtype == "complex128":
        array = array + 1j * rng.standard_normal((3, 4))
    expected = float(np.linalg.norm(array)) * scale
    found = norms.euclidean(array * array.dtype.type(scale))
    assert found == pytest.approx(expected, rel=1e-6 if dtype == "float32" else 1e-14)


def test_far_beyond_the_square_root_of_the_largest_float():
    assert norms.euclidean(np.array([3e300, 4e300])) == pytest.approx(5e300)
    assert norms.euclidean(np.array([3e-300, 4e-300])) == pytest.approx(5e-300)


def test_other_orders():
    array = np.array([[3.0, -4.0], [0.0, 12.0]])
    assert norms.norm_of(array) == 13.0
    assert norms.norm_of(array, 1.0) == pytest.approx(19.0)
    assert norms.norm_of(array, np.inf) == 12.0


@pytest.mark.parametrize("entries", [[], [0.0, 0.0], [True, False, True]])
def test_nothing_zeros_and_booleans(entries):
    array = np.array(entries)
    assert norms.euclidean(array) == pytest.approx(np.linalg.norm(array.astype(float)))


@pytest.mark.parametrize("bad", [[np.nan, 1.0], [np.inf, -1.0], [np.nan, np.inf]])
def test_what_is_not_finite_shows(bad):
    found = norms.euclidean(np.array(bad))
    assert np.isnan(found) if np.isnan(bad).any() else found == np.inf


@pytest.mark.parametrize("rows", [1, 2, 5, 40])
@pytest.mark.parametrize("scale", [1.0, 1e-200, 1e150])
def test_the_norm_of_a_product_without_the_product(rows, scale, rng):
    a = rng.standard_normal((rows, 20))
    g = rng.standard_normal((rows, 30))
    found = norms.product_norm(a, g * scale)
    assert found == pytest.approx(np.linalg.norm(a.T @ g) * scale, rel=1e-13)


def test_rows_that_cancel_lose_no_digits(rng):
    a, g = rng.standard_normal((1, 20)), rng.standard_normal((1, 30))
    small = 1e-9 * rng.standard_normal((1, 30))
    found = norms.product_norm(np.vstack([a, a]), np.vstack([g, small - g]))
    exact = np.linalg.norm(a) * np.linalg.norm((small - g) + g)
    assert found == pytest.approx(exact, rel=1e-12)


@pytest.mark.parametrize("bad", [np.nan, np.inf, 0.0])
def test_products_of_zeros_and_nan(bad):
    a, g = np.ones((2, 20)), np.ones((2, 30))
    g[1, 3] = bad
    with quietly():
        expected = np.linalg.norm(a.T @ g)
        found = norms.product_norm(a, g)
        nothing = norms.product_norm(np.zeros_like(a), g)
    assert found == pytest.approx(expected, rel=1e-13, nan_ok=True)
    assert norms.product_norm(a, np.zeros_like(g)) == 0.0
    assert nothing == 0.0 if bad == 0 else np.isnan(nothing)
