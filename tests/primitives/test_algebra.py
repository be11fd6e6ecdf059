"""What holds for every derivative, on generated cases: duality, linearity, order."""

import numpy as np
from primitives.generated import draw

import minigrad as mg

LIMIT = 1e-13
SEEDS = range(50_000, 50_300)
STEP = 1e-100


def drawn(seed):
    """A case, its inputs, what it gives, and a generator for all that is random."""
    case = draw(seed)
    leaves = [mg.tensor(a, requires_grad=True) for a in case.bases]
    return case, leaves, case.run(mg, leaves), np.random.default_rng(seed)


def pulled(output, leaves, cotangent):
    found = mg.grad(output, leaves, cotangent, allow_unused=True)
    return [g.data for g in found]


def apart(one, other, terms):
    """The largest difference of two lists of arrays, relative to the terms, or to 1."""
    pairs = zip(one, other, terms, strict=True)
    return max(
        float((np.abs(a - b) / (1 + np.abs(t))).max(initial=0.0)) for a, b, t in pairs
    )


def test_forward_and_backward_are_dual(proof):
    """<u, J v> = <J' u, v>, where J v is NumPy's complex step."""
    row = proof("gradients", "<u, J v> = <J' u, v>", LIMIT, "relative", 20)
    for seed in SEEDS:
        case, leaves, output, rng = drawn(seed)
        u = rng.standard_normal(output.shape)
        v = [rng.standard_normal(a.shape) for a in case.bases]
        moved = [a + 1j * STEP * d for a, d in zip(case.bases, v, strict=True)]
        forward = u * np.imag(case.run(np, moved)) / STEP
        backward = pulled(output, leaves, u)
        terms = [(g * d).ravel() for g, d in zip(backward, v, strict=True)]
        terms = np.concatenate(terms)
        size = 1 + float(np.abs(forward).sum() + np.abs(terms).sum())
        row.measure(abs(float(forward.sum() - terms.sum())) / size, case.text)


def test_backward_is_linear(proof):
    """Of 2 u - 3 v it gives twice that of u less three times that of v."""
    row = proof("gradients", "J'(2 u - 3 v) = 2 J'u - 3 J'v", LIMIT, "relative", 20)
    for seed in SEEDS:
        case, leaves, output, rng = drawn(seed)
        u, v = rng.standard_normal((2, *output.shape))
        whole = pulled(output, leaves, 2 * u - 3 * v)
        parts = list(
            zip(pulled(output, leaves, u), pulled(output, leaves, v), strict=True)
        )
        sums = [2 * a - 3 * b for a, b in parts]
        terms = [np.abs(a) + np.abs(b) for a, b in parts]
        row.measure(apart(whole, sums, terms), case.text)


def test_the_order_of_terms_does_not_matter(proof):
    """Of f + g as of g + f; and two backward passes add up to exactly twice one."""
    row = proof("gradients", "the order of accumulation", LIMIT, "relative", 20)
    for seed in SEEDS:
        case, leaves, output, rng = drawn(seed)
        u = rng.standard_normal(output.shape)
        scaled = [(x * 0.7).sum() for x in leaves]
        one = (output * u).sum()
        for term in scaled:
            one = one + term
        other = scaled[-1]
        for term in scaled[-2::-1]:
            other = other + term
        other = other + (output * u).sum()
        found = [pulled(total, leaves, None) for total in (one, other)]
        row.measure(apart(*found, found[0]), case.text)
        for _ in range(2):
            one.backward()
        twice = [x.grad.data for x in leaves]
        exact = all(
            np.array_equal(2 * g, h) for g, h in zip(found[0], twice, strict=True)
        )
        row.expect(exact, f"{case.text}: twice")
