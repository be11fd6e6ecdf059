"""Every elementwise rule proved: SymPy's derivative of the function must be it."""

import inspect
import itertools

import numpy as np
import pytest
import sympy as sp
from primitives.cases import ELEMENTWISE

import minigrad as mg
from minigrad.engine.primitives import TABLE
from minigrad.engine.primitives import elementwise as e
from minigrad.reading.gradcheck import gradcheck

NAMES = sorted({case.name for case in ELEMENTWISE})
BRANCHING = {"maximum", "minimum", "absolute", "relu", "softplus", "clip", "where"}


def pieces(name, count):
    """Symbols with signs, and numbers to tell the sides of a kink by: smooth pieces."""
    if name == "where":
        x, y = sp.symbols("x y", real=True)
        return [((sp.true, x, y), [{x: 2, y: 3}]), ((sp.false, x, y), [{x: 2, y: 3}])]
    if name in ("log", "sqrt", "power"):
        symbols = sp.symbols(f"x0:{count}", positive=True)
        return [(symbols, [dict(zip(symbols, (0.7, 1.9), strict=False))])]
    symbols = sp.symbols(f"x0:{count}", real=True)
    values = itertools.product((-2.3, -0.4, 0.6, 3.1), repeat=count)
    return [(symbols, [dict(zip(symbols, v, strict=True)) for v in values])]


@pytest.mark.parametrize("name", NAMES)
def test_rule_is_the_derivative(name):
    primitive = TABLE[name]
    count = len(inspect.signature(primitive.scalar).parameters)
    g = sp.Symbol("g", real=True)
    for symbols, points in pieces(name, count):
        y = primitive.scalar(*symbols)
        every = {"needs": (True,) * count} if name == "power" else {}
        rule = primitive.vjp(g, y, *symbols, **every)
        assert len(rule) == count
        for entry, symbol in zip(rule, symbols, strict=True):
            if not isinstance(symbol, sp.Symbol):
                assert entry is None  # a condition
                continue
            expected = g * sp.diff(y, symbol)
            difference = sp.nsimplify(entry - expected, rational=True)
            if name not in BRANCHING:
                assert sp.simplify(difference.rewrite(sp.exp)) == 0
                continue
            for point in points:  # each smooth piece, to fifty digits
                if len(set(point.values())) == len(point):
                    exact = {k: sp.Rational(str(v)) for k, v in point.items()}
                    assert abs(difference.subs(exact).subs(g, 1).evalf(50)) < 1e-40


def slopes(function, *values):
    """The gradient to each input, at one point."""
    leaves = [mg.tensor(v, dtype="float64", requires_grad=True) for v in values]
    return [g.item() for g in mg.grad(function(*leaves).sum(), leaves)]


KINKS = [
    ("relu'(0)", e.relu, (0.0,), [0.0]),
    ("abs'(0)", e.absolute, (0.0,), [0.0]),
    ("clip' at the lower bound", lambda x: mg.clip(x, 0.0, 1.0), (0.0,), [1.0]),
    ("clip' at the upper bound", lambda x: mg.clip(x, 0.0, 1.0), (1.0,), [1.0]),
    ("clip' outside", lambda x: mg.clip(x, 0.0, 1.0), (1.5,), [0.0]),
    ("maximum of equals", e.maximum, (2.0, 2.0), [0.5, 0.5]),
    ("minimum of equals", e.minimum, (2.0, 2.0), [0.5, 0.5]),
    ("norm'(0)", mg.norm, (0.0,), [0.0]),
    ("x^0 at 0", lambda x: x**0.0, (0.0,), [0.0]),
    ("0^2", lambda x: x**2.0, (0.0,), [0.0]),
    ("rmse'(0)", lambda x: mg.losses.rmse(x, mg.zeros(())), (0.0,), [0.0]),
]


@pytest.mark.parametrize("kink", KINKS, ids=[k[0] for k in KINKS])
def test_kinks(kink):
    _, function, point, expected = kink
    assert slopes(function, *point) == expected


def test_max_over_an_axis_shares_evenly():
    x = mg.tensor([[1.0, 3.0, 3.0, 3.0]], requires_grad=True)
    (g,) = mg.grad(x.max(axis=1), [x], [6.0])
    np.testing.assert_array_equal(g.data, [[0.0, 2.0, 2.0, 2.0]])


@pytest.mark.parametrize("zeros", [0, 1, 2])
def test_prod_with_zeros(zeros, rng):
    x = rng.standard_normal((2, 4))
    x[0, :zeros] = 0.0
    gradcheck(lambda x: x.prod(axis=1), [x], order=3)
