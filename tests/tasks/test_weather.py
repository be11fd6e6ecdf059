"""The weather task: its parts, its baselines, and series that cannot be used."""

from types import SimpleNamespace

import numpy as np
import pytest
from tasks_rows import HEADER, rows_of

import minigrad as mg
from minigrad.engine.errors import DataError
from minigrad.tasks.baselines.ridge import ridge
from minigrad.tasks.days import read_series
from minigrad.tasks.weather import Weather

SETTINGS = SimpleNamespace(data=None, days=30)


@pytest.fixture(scope="module")
def data():
    return Weather().prepare(SETTINGS)


def test_the_parts_follow_each_other_and_the_last_quarter_is_held_out(data):
    dates = mg.data.seattle_weather().dates
    parts = [data.train, data.validation, data.test]
    joined = np.concatenate([part.dates for part in parts])
    assert np.array_equal(joined, dates[30:])
    assert len(data.test.dates) == len(dates) - int(0.75 * len(dates))


def test_a_window_is_the_thirty_days_before_its_target(data):
    series = mg.data.seattle_weather()
    scaling = data.reading["scaling"].feature(0)
    for part in (data.train, data.validation, data.test):
        for k in (0, len(part.dates) - 1):
            row = int(np.flatnonzero(series.dates == part.dates[k])[0])
            assert part.celsius[k] == series.temp_max[row]
            assert part.before[k] == series.temp_max[row - 1]
            window = scaling.back(part.x[k, :, 0])
            assert np.allclose(window, series.temp_max[row - 30 : row], atol=1e-4)


def test_the_scaling_is_of_the_training_part_alone(data):
    series = mg.data.seattle_weather()
    last = int(np.flatnonzero(series.dates == data.train.dates[-1])[0])
    mean = series.temp_max[: last + 1].mean()
    assert np.isclose(data.reading["scaling"].mean[0], mean)


def test_the_baselines_on_the_package_s_series(data):
    figures = Weather().baselines(data)
    persistence, alone, _, _ = figures.values()
    assert persistence["rmse"] == pytest.approx(2.903, abs=0.005)
    assert persistence["mae"] == pytest.approx(2.234, abs=0.005)
    assert 2.65 < alone["rmse"] < 2.80


def test_ridge_is_the_closed_form(rng):
    x, y, new = rng.normal(size=(50, 4)), rng.normal(size=50), rng.normal(size=(7, 4))
    centred = x - x.mean(0)
    gram = centred.T @ centred + 3.0 * np.eye(4)
    weights = np.linalg.solve(gram, centred.T @ (y - y.mean()))
    expected = (new - x.mean(0)) @ weights + y.mean()
    assert np.allclose(ridge(x, y, new, 3.0), expected, rtol=1e-10)


def test_untrained_it_forecasts_about_as_today(data):
    task = Weather()
    config = task.configure(
        SimpleNamespace(hidden=4, cell="gru", layers=2, dropout=0.5), data
    )
    model = task.build(config, 0, 0).eval()
    model.out.weight.data = np.zeros((4, 1), "float32")
    model.out.bias.data = np.zeros(1, "float32")
    figures = task.evaluate(model, data.test, data.reading)
    expected = task.baselines(data)["as today (persistence)"]
    assert figures == pytest.approx(expected, rel=1e-5)


ROWS = rows_of()


def without(number):
    return ROWS[:number] + ROWS[number + 1 :]


def with_field(row, place, value):
    rows = list(ROWS)
    fields = rows[row].split(",")
    fields[place] = value
    rows[row] = ",".join(fields)
    return rows


BAD = {
    "empty": ([], "an empty file"),
    "no rows": ([HEADER], "no rows"),
    "one row": (ROWS[:2], r"too few days[\s\S]*1 rows"),
    "a few rows": (ROWS[:40], "too few days"),
    "a gap": (without(50), r"line 51: the day does not follow[\s\S]*2020-02-19"),
    "NaN": (with_field(30, 2, "NaN"), r"line 31: temp_max of 2020-01-30 missing"),
    "empty field": (with_field(30, 3, ""), r"line 31: temp_min of 2020-01-30 missing"),
    "no date": (with_field(30, 0, "30.1."), r"line 31: unreadable date"),
    "another column": (
        [row.replace("wind", "storm") for row in ROWS],
        r"line 1: column 'wind' is missing",
    ),
    "never changing": (
        [HEADER, *(",".join([r.split(",")[0], "0,9,3,1"]) for r in ROWS[1:])],
        "never changes",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_series_that_cannot_be_used(name, tmp_path):
    rows, message = BAD[name]
    path = tmp_path / "days.csv"
    path.write_text("\n".join(rows) + "\n" if rows else "")
    settings = SimpleNamespace(data=str(path), days=7, encoding=None, fill=0)
    with pytest.raises(DataError, match=message) as caught:
        Weather().prepare(settings)
    assert "days.csv" in str(caught.value)
    assert caught.value.expect and caught.value.hint


def test_a_series_of_tabs_is_the_same(series, tmp_path):
    path = tmp_path / "days.tsv"
    path.write_text(series.read_text().replace(",", "\t"))
    for one, two in zip(read_series(str(path)), read_series(str(series)), strict=True):
        assert np.array_equal(one, two)
