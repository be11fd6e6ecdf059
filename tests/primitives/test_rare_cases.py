"""Cases that are easily forgotten: each was found by a mutant that nobody noticed."""

import numpy as np

import minigrad as mg


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


def test_parts_of_nothing():
    """As many as are asked for, each empty, as NumPy has them."""
    x = mg.tensor(np.zeros((2, 0)), requires_grad=True)
    parts = mg.split(x, 3, axis=1)
    assert [part.shape for part in parts] == [a.shape for a in np.split(x.data, 3, 1)]
    (g,) = mg.grad(sum(part.sum() for part in parts), [x])
    assert g.shape == (2, 0)
