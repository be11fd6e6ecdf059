"""Learning-rate schedules: values by hand, bounds, and the plateau."""

import json
import math
from types import SimpleNamespace

import pytest

from minigrad.engine.errors import ArgumentError
from minigrad.training import (
    Plateau,
    constant,
    cosine,
    exponential,
    inverse_root,
    linear,
    steps,
    warmup,
)

BY_HAND = [
    (constant(0.3), {0: 0.3, 99: 0.3}),
    (linear(10), {0: 1, 5: 0.5, 10: 0, 11: 0}),
    (linear(10, last=0.2), {0: 1, 5: 0.6, 10: 0.2, 50: 0.2}),
    (cosine(10), {0: 1, 5: 0.5, 10: 0, 50: 0}),
    (cosine(3, last=0.5), {1: 0.5 + 0.25 * 1.5, 3: 0.5}),
    (exponential(4), {0: 1, 4: 0.5, 8: 0.25, 2: math.sqrt(0.5)}),
    (inverse_root(4), {0: 1, 4: 1, 16: 0.5, 400: 0.1}),
    (steps([3, 6], 0.1), {2: 1, 3: 0.1, 5: 0.1, 6: 0.01}),
    (warmup(4), {0: 0.25, 3: 1, 4: 1, 100: 1}),
    (warmup(2, linear(10)), {0: 0.5, 1: 1, 2: 1, 7: 0.5, 12: 0}),
]


@pytest.mark.parametrize(("schedule", "values"), BY_HAND)
def test_by_hand(schedule, values):
    assert {k: schedule(k) for k in values} == pytest.approx(values)


@pytest.mark.parametrize("make", [linear, cosine, exponential, inverse_root, warmup])
def test_a_stretch_has_a_length(make):
    for wrong in (0, -1, math.nan):
        with pytest.raises(ArgumentError, match=f"{make.__name__}\\("):
            make(wrong)


def told(plateau, *figures):
    for figure in figures:
        plateau.on_epoch(SimpleNamespace(metrics={"loss": figure}))
    return plateau(0)


def test_a_plateau_lowers_the_rate_after_its_patience():
    plateau = Plateau(patience=1, factor=0.5)
    assert told(plateau, 3.0, 2.0, 2.5) == 1.0
    assert told(plateau, 2.4) == 0.5
    assert told(plateau, 1.0, 2.0) == 0.5
    assert told(plateau, math.nan) == 0.25  # no figure is no improvement


def test_a_plateau_has_a_floor_and_may_count_upwards():
    assert told(Plateau(patience=0, factor=0.1, smallest=0.05), *[1.0] * 9) == 0.05
    assert told(Plateau(patience=0, better="higher"), 1.0, 2.0, 3.0) == 1.0


def test_a_plateau_goes_on_from_its_state():
    one, two = Plateau(patience=1), Plateau(patience=1)
    told(one, 1.0, 2.0)
    two.load_state_dict(json.loads(json.dumps(one.state_dict())))
    assert told(one, 3.0, 4.0, 5.0) == told(two, 3.0, 4.0, 5.0) == 0.25


def test_a_factor_that_does_not_lower():
    for wrong in (0.0, 1.0, 2.0, math.nan):
        with pytest.raises(ArgumentError, match="would not fall"):
            Plateau(factor=wrong)
