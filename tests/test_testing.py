"""The checker checked: planted wrong rules must be caught, vanished gradients seen."""

import numpy as np
import pytest

import minigrad as mg
from minigrad.engine.errors import ArgumentError, GradientError
from minigrad.engine.primitives.base import TABLE, Primitive
from minigrad.engine.primitives.fused import Elementwise
from minigrad.reading.gradcheck import BELOW, ROUNDED, gradcheck


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
    report = gradcheck(lambda x: mg.abs(x * 1e-25 + 1.0), [np.array([0.5])], 1)
    assert report.checks[0].verdict == BELOW


def test_order_must_be_positive():
    with pytest.raises(ArgumentError, match="nothing to check"):
        gradcheck(mg.tanh, [np.ones(2)], order=0)


def test_every_primitive_with_a_rule_is_elementwise_or_plain():
    assert all(isinstance(p, Primitive) for p in TABLE.values())
    assert sum(isinstance(p, Elementwise) for p in TABLE.values()) > 20


def test_the_worst_entry_is_named(plant):
    """Two entries are wrong, the second a hundred times as much."""
    factor = np.array([1.0, 1.0 + 1e-6, 1.0 + 1e-4, 1.0])
    wrong = plant(cube, lambda g, y, x: (3.0 * factor * g * x * x,))
    x = mg.tensor([0.5, 1.0, 1.5, 2.0], name="speed")
    with pytest.raises(GradientError) as caught:
        gradcheck(wrong, [x], order=1)
    text = str(caught.value)
    assert "order 1 to input 0 ('speed') is wrong" in text
    assert "at (2,), by complex step" in text and "relative error 1.0e-04" in text


def test_a_sum_over_the_wrong_axis_is_caught(plant, rng):
    """The rule of a broadcast operand, summed over the other axis."""
    wrong = plant(
        lambda x, b: x * b, lambda g, y, x, b: (g * b, (g * x).sum(1).reshape(3, 1).T)
    )
    with pytest.raises(GradientError, match="input 1"):
        gradcheck(wrong, [rng.standard_normal((3, 3)), rng.standard_normal((1, 3))], 1)


def test_saturated_units_are_told_from_wrong_rules(plant):
    """Float64 holds few digits of 1 - tanh(12)^2 and none of it at 25."""
    x = np.array([0.5, 12.0, 25.0])
    report = gradcheck(mg.tanh, [x])
    assert report.checks[0].verdict == ROUNDED and ROUNDED in repr(report)
    assert gradcheck(mg.tanh, [x[:1]]).checks[0].verdict == "ok"
    zero = plant(np.tanh, lambda g, y, x: (0.0 * g,))
    with pytest.raises(GradientError):
        gradcheck(zero, [x[1:]], order=1)


def test_small_but_resolvable_gradients_are_judged_beside_their_noise():
    """A difference sees four digits here: enough to tell wrong, not to tell right."""
    report = gradcheck(lambda x: mg.abs(x * 1e-8 + 1.0), [np.array([0.5])], order=1)
    assert report.checks[0].verdict == BELOW
    with pytest.raises(GradientError, match="central difference"):
        gradcheck(lambda x: mg.relu((x * 1e-8).detach() + x * 1e-8 + 1), [np.ones(1)])


def test_a_function_that_leaves_the_graph_is_caught():
    with pytest.raises(GradientError):
        gradcheck(lambda x: x * mg.tensor(x.data), [np.array([0.5, -1.0])], order=1)


def test_constants_integers_and_unused_inputs():
    rows = np.array([1, 0, 1])
    report = gradcheck(
        lambda x, i, u: mg.take(x, i) ** 2.0, [np.ones((2, 3)), rows, 1.0]
    )
    assert {check.input for check in report.checks} == {0, 2}
    assert all(check.verdict == "ok" for check in report.checks)


def test_ties_get_a_second_opinion():
    """On the kink the complex step sees one side, a difference both."""
    report = gradcheck(lambda a, b: mg.maximum(a, b), [np.ones(2), np.ones(2)], order=1)
    assert [check.verdict for check in report.checks] == ["ok", "ok"]
