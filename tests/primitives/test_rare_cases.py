"""Cases that are easily forgotten: each was found by a mutant that nobody noticed."""

import numpy as np

import minigrad as mg
from minigrad.engine.primitives import shape


def test_a_weight_used_with_two_dtypes_gets_the_wider_ones_digits(rng):
    """Rows of float32 and of float64 are put below each other for one product."""
    w = mg.tensor(rng.standard_normal((3, 2)), requires_grad=True)
    narrow = rng.standard_normal((4, 3)).astype("float32")
    wide = rng.standard_normal((4, 3))
    weights = rng.standard_normal((2, 4, 2))
    for order in (1, -1):
        rows = [narrow, wide][::order]
        loss = mg.tensor(0.0)
        for x, g in zip(rows, weights, strict=True):
            loss = loss + (mg.tensor(x) @ w * g).sum()
        (found,) = mg.grad(loss, [w])
        pairs = zip(rows, weights, strict=True)
        expected = sum(x.astype("float64").T @ g for x, g in pairs)
        np.testing.assert_allclose(found.data, expected, rtol=1e-14)


def test_parts_that_do_not_cover_the_whole(rng):
    """Of an axis of 6 the stretches 1-2 and 3-4: what is beside them gets zeros."""
    x = mg.tensor(rng.standard_normal((2, 6)), requires_grad=True)
    a, b = shape._split(x, bounds=(1, 3, 5), axis=1)
    assert np.array_equal(b.data, x.data[:, 3:5])
    (g,) = mg.grad((2.0 * a).sum() + (3.0 * b).sum(), [x])
    assert g.data.tolist() == [[0.0, 2.0, 2.0, 3.0, 3.0, 0.0]] * 2
