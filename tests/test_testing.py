"""The checker checked: planted wrong rules must be caught, vanished gradients seen."""

import numpy as np
import pytest

import minigrad as mg
from minigrad.errors import ArgumentError, GradientError
from minigrad.primitives.base import TABLE, Elementwise, Primitive
from minigrad.testing import BELOW, gradcheck


@pytest.fixture
def plant():
    """Make a primitive for one test, with a rule of the test's choice."""
    planted = []

    def make(value, rule):
        primitive = Primitive(value, name=f"planted {len(planted)}")
        primitive.defvjp(rule)
        planted.append(primitive.name)
        return primitive

    yield make
    for name in planted:
        del TABLE[name]


def cube(x):
    return x * x * x


WRONG = {
    "off by a thousandth": lambda g, y, x: (1.001 * 3.0 * g * x * x,),
    "of the wrong sign": lambda g, y, x: (-3.0 * g * x * x,),
    "zero": lambda g, y, x: (0.0 * g * x,),
    "of the wrong neighbour": lambda g, y, x: (3.0 * g[::-1] * x[::-1] * x[::-1],),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_rule_is_caught(name, plant, rng):
    wrong = plant(cube, WRONG[name])
    with pytest.raises(GradientError, match="order 1 to input 0 is wrong"):
        gradcheck(wrong, [rng.standard_normal(4)])


def test_a_rule_right_at_first_order_only_is_caught(plant, rng):
    def detached(g, y, x):
        values = x if isinstance(x, np.ndarray) else x.numpy()
        return (g * (3.0 * values * values),)

    wrong = plant(cube, detached)
    x = rng.standard_normal(4)
    gradcheck(wrong, [x], order=1)
    with pytest.raises(GradientError, match="order 2"):
        gradcheck(wrong, [x], order=2)


def test_the_right_rule_passes(plant, rng):
    right = plant(cube, lambda g, y, x: (3.0 * g * x * x,))
    report = gradcheck(right, [rng.standard_normal(4)], order=3)
    assert report.worst < 1e-12 and "complex step" in str(report)


def test_a_vanished_gradient_is_not_taken_for_zero(plant):
    """At 1e-33 an absolute tolerance would pass anything."""
    shrink = 1e-33
    right = plant(lambda x: shrink * x, lambda g, y, x: (shrink * g,))
    wrong = plant(lambda x: shrink * x, lambda g, y, x: (0.0 * g,))
    gradcheck(right, [np.array([0.3, -2.0])])
    with pytest.raises(GradientError):
        gradcheck(wrong, [np.array([0.3, -2.0])])


def test_what_differences_cannot_resolve_is_said():
    report = gradcheck(lambda x: mg.maximum(x * 1e-25 + 1.0, 0.0), [np.array([0.5])], 1)
    assert report.checks[0].verdict == BELOW


def test_order_must_be_positive():
    with pytest.raises(ArgumentError, match="nothing to check"):
        gradcheck(mg.tanh, [np.ones(2)], order=0)


def test_every_primitive_with_a_rule_is_elementwise_or_plain():
    assert all(isinstance(p, Primitive) for p in TABLE.values())
    assert sum(isinstance(p, Elementwise) for p in TABLE.values()) > 20
