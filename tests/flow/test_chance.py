"""`d.chance` against networks that were trained after it was fitted."""

import sys
from pathlib import Path

import numpy as np
import pytest

import minigrad as mg
from minigrad.flow.chance import (
    LOWEST,
    chance,
    chance_of,
    farthest,
    kept,
    mean_kept,
)
from minigrad.models import GRU, LSTM, RNN

sys.path.append(str(Path(__file__).parents[2]))
from benchmarks.verdicts import judging, outcomes, report
from benchmarks.verdicts.training_runs import network, train


@pytest.fixture(scope="module")
def judged():
    return judging.measured(outcomes.read(), outcomes.fresh())


def test_the_table_has_what_was_promised():
    known = outcomes.read()
    assert len(known) >= 200 and set(known) == set(outcomes.configurations())
    for field, least in {"problem": 3, "units": 2, "rate": 2, "start": 18}.items():
        assert len({getattr(c, field) for c in known}) >= least
    lags = {c.lag for c in known}
    assert min(lags) == 5 and max(lags) == 200
    starts = {c.start for c in known}
    assert {f"LSTM {b:+d}" for b in range(-1, 7)} < starts


def test_it_is_judged_on_what_it_was_not_fitted_to():
    fitted, fresh = outcomes.fitted(), outcomes.fresh()
    for field in ("lag", "units", "rate"):
        assert not {getattr(c, field) for c in fitted} & {
            getattr(c, field) for c in fresh
        }
    assert len(fresh) >= 100


def test_it_is_judged_by_what_diagnose_says(judged):
    case = min(judged, key=lambda case: case.configuration.lag)
    model, (x, target), _ = network(case.configuration)
    d = mg.diagnose(model.loss(x, target)[0])
    lag = case.configuration.lag
    assert d.chance(lag) == pytest.approx(chance_of(case.left, lag))


def test_what_learns_is_told_from_what_does_not(judged):
    clean = [case for case in judged if case.configuration.noisy == 0]
    found = report.figures(clean)
    assert found["AUC"] >= 0.97 and found["balanced accuracy"] >= 0.885, found
    assert 0.1 < found["learned"] / found["cases"] < 0.9  # both kinds are there


def test_the_page_has_these_figures(judged):
    text = report.PAGE.read_text(encoding="utf-8")
    for line in report.table_of(judged):
        assert line in text


def test_one_configuration_is_trained_as_the_table_says():
    known = outcomes.read()
    quick = min((c for c in known if known[c]["learned"]), key=lambda c: c.lag * 1e3)
    assert train(quick)["learned"] == 1


def test_chances_are_chances(rng):
    for kind in (RNN, LSTM, GRU):
        output, _ = kind(3, 6, rng=rng)(rng.standard_normal((30, 4, 3)))
        d = mg.diagnose((output[-1] ** 2).sum())
        chances = [d.chance(lag) for lag in range(0, 60, 3)]
        assert all(0 <= one <= 1 for one in chances)
        assert chances[0] > 0.9 and chances == sorted(chances, reverse=True)
        far = d.reliable_lag
        assert d.chance(far) >= 0.5 > d.chance(far + 1)


def test_what_is_kept():
    norms = 10.0 ** -np.arange(0.0, 5.0)
    assert [kept(norms, lag) for lag in (0, 2, 4)] == [0.0, -2.0, -4.0]
    assert kept(norms, 7) == pytest.approx(-7.0)  # continued
    assert kept(norms, 100) == LOWEST
    assert kept(np.array([1.0, 50.0]), 1) == 0.0
    assert np.isnan(kept(np.array([0.0, 1.0]), 1)) and chance_of(np.nan, 3) == 0.0
    assert chance(np.array([1.0, 0.0]), 1) == 0.0
    assert farthest(np.ones(5), most=7) == 7
    assert chance(np.ones(5), 2) > chance(np.ones(5), 40)  # farther is harder
    assert mean_kept(norms, 3) == pytest.approx(-2.0)  # of -1, -2 and -3
    assert mean_kept(norms, 0) == 0.0 and mean_kept(norms, 200) > LOWEST
    regrown = np.array([1.0, 1e-3, 1e-1])
    assert mean_kept(regrown, 2) == pytest.approx(-3.0)  # what is lost stays lost


@pytest.mark.parametrize("bad", [-1, 2.5, True, "3", None])
def test_a_lag_is_a_number_of_steps(bad, rng):
    output, _ = RNN(3, 4, rng=rng)(rng.standard_normal((5, 2, 3)))
    d = mg.diagnose(output.sum())
    with pytest.raises(mg.errors.ArgumentError, match="no number of steps"):
        d.chance(bad)
    if bad is not None:
        with pytest.raises(mg.errors.ArgumentError, match="no number of steps"):
            mg.diagnose(output.sum(), lag=bad)


def test_a_better_forget_bias_gives_a_better_chance(rng):
    x = rng.standard_normal((61, 4, 3))
    chances = []
    for bias in (1.0, 2.0, 3.0, 4.0, 5.0):
        output, _ = LSTM(3, 8, forget_bias=bias, rng=0)(x)
        chances.append(mg.diagnose((output[-1] ** 2).sum()).chance(60))
    assert chances == sorted(chances) and chances[0] < 0.5 < chances[-1]
