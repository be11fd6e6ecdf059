"""Series: any table, its time, gaps and parts; the baselines; the honest verdict."""

import datetime
import re

import numpy as np
import pytest

from minigrad import tasks
from minigrad.commands.main import main
from minigrad.engine.errors import ArgumentError, DataError
from minigrad.models import Forecaster
from minigrad.tasks.baselines import forecasters
from minigrad.tasks.series_figures import figures, guesses, verdict
from minigrad.tasks.series_parts import part_of, window_of
from minigrad.tasks.series_table import read_series_table, shipped
from minigrad.tasks.series_views import drawn_from
from minigrad.tasks.task_options import settings

SMALL = ["--epochs", "2", "--hidden", "4", "--window", "8"]


def prepared(**given):
    task = tasks.task("series")
    return task.prepare(settings(task.options, given))


def table(tmp_path, count=160, season=7, header="day;Units Sold;price", form="iso"):
    rng = np.random.default_rng(0)
    rows, first = [header], datetime.date(2021, 1, 1)
    for k in range(count):
        day = first + datetime.timedelta(days=k)
        text = day.strftime("%d.%m.%Y") if form == "german" else str(day)
        sold = 50 + 10 * np.sin(2 * np.pi * k / season) + rng.normal()
        rows.append(f"{text};{sold:.2f};{3 + 0.1 * rng.normal():.2f}")
    path = tmp_path / "sales.csv"
    path.write_text("\n".join(rows) + "\n")
    return path


def change(path, line, text):
    rows = path.read_text().split("\n")
    rows[line] = text
    path.write_text("\n".join(rows))


# ------------------------------------------------------------- reading


@pytest.mark.parametrize("form", ["iso", "german"])
def test_a_column_is_found_with_its_time_and_inputs(form, tmp_path):
    path = table(tmp_path, form=form)
    found = read_series_table(str(path), "units_sold", "day", ["price"])
    assert found.values.shape == (160, 2) and found.measured.all()
    assert str(found.times[0])[:10] == "2021-01-01" and found.when(160) == "2021-06-10"


@pytest.mark.parametrize("texts, first, last", [
    ([f"2021-01-01 {h:02}:00" for h in range(24)], "2021-01-01", "2021-01-01 23:00"),
    ([f"{y}" for y in range(1990, 2014)], "1990-01-01", "2013-01-01"),
    ([f"{2000 + k // 12}-{k % 12 + 1:02}" for k in range(24)], "2000-01-01",
     "2001-12-01"),
    ([f"{2000 + k // 4}-Q{k % 4 + 1}" for k in range(24)], "2000-01-01", "2005-10-01"),
    ([f"Q{k % 4 + 1} {2000 + k // 4}" for k in range(24)], "2000-01-01", "2005-10-01"),
    ([f"{'Jan Feb March Apr May Jun July Aug Sept Oct Nov Dec'.split()[k % 12]} "
      f"{2000 + k // 12}" for k in range(24)], "2000-01-01", "2001-12-01"),
])  # fmt: skip
def test_hours_months_quarters_and_years_are_times(texts, first, last, tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("t,y\n" + "\n".join(f"{t},{k}" for k, t in enumerate(texts)))
    found = read_series_table(str(path), "y", "t")
    assert (found.when(0), found.when(23)) == (first, last)


def test_rows_are_steps_where_there_is_no_time(tmp_path):
    found = read_series_table(str(table(tmp_path)), "Units Sold")
    assert found.when(0) == "row 1" and found.when(200) == "row 201"


def test_rows_are_put_in_order_and_sentinels_are_gaps(tmp_path):
    path = table(tmp_path)
    rows = path.read_text().strip().split("\n")
    path.write_text("\n".join([rows[0], *rows[:0:-1]]))
    change(path, 30, rows[-30].split(";")[0] + ";-9999;3")
    with pytest.raises(DataError, match="no value of units_sold") as error:
        read_series_table(str(path), "units_sold", "day")
    assert "--fill 1" in str(error.value) and "-9999 in units_sold" in str(error.value)
    found = read_series_table(str(path), "units_sold", "day", fill=1)
    assert (np.diff(found.times) > np.timedelta64(0, "s")).all()
    assert (~found.measured).sum() == 1
    k = int((~found.measured).argmax())
    assert found.values[k, 0] == found.values[k - 1, 0]
    told = "; ".join(found.notes)
    assert "in the order of time" in told and "-9999" in told


def test_what_cannot_be_read_is_refused_with_the_cause(tmp_path):
    path = table(tmp_path)
    for given, words in (
        (("amount", "day"), "amount"),
        (("units_sold", "day", ["units_sold"]), "named twice"),
        (("units_sold", "price"), "unreadable time"),
        (("day", None), "unreadable day"),
    ):
        with pytest.raises(DataError, match=words):
            read_series_table(str(path), *given)
    change(path, 20, path.read_text().split("\n")[19].split(";")[0] + ";1;1")
    with pytest.raises(DataError, match="is there twice"):
        read_series_table(str(path), "units_sold", "day")


def test_longer_steps_are_told(tmp_path):
    path = table(tmp_path)
    rows = path.read_text().split("\n")
    path.write_text("\n".join(rows[:50] + rows[60:]))
    found = read_series_table(str(path), "units_sold", "day")
    assert "1 are further (the longest 11 days)" in found.cautions[0]


# ------------------------------------------------------------- parts and scales


def test_parts_follow_each_other_and_scales_are_of_the_first(tmp_path):
    path = str(table(tmp_path))
    given = {"data": path, "target": "units_sold", "time": "day", "window": 10,
             "horizon": 3, "season": 7}  # fmt: skip
    data = prepared(**given)
    rows = [part.rows for part in (data.train, data.validation, data.test)]
    assert np.array_equal(np.concatenate(rows), np.arange(12, 160))
    assert rows[2][0] == 120 and rows[1][0] == 96
    y = np.array(data.reading["y"])
    assert np.array_equal(data.test.origin, y[data.test.rows - 3])
    assert data.reading["scales"]["change"] == pytest.approx(np.std(y[3:96] - y[:93]))
    later = np.array(y)
    later[120:] *= 5  # what is held out changes no scale
    text = (tmp_path / "sales.csv").read_text().split("\n")
    for k in range(120, 160):
        day, _, price = text[k + 1].split(";")
        text[k + 1] = f"{day};{later[k]:.2f};{price}"
    (tmp_path / "sales.csv").write_text("\n".join(text))
    assert prepared(**given).reading["scales"] == data.reading["scales"]


def test_a_window_holds_nothing_of_what_came_later(tmp_path):
    data = prepared(
        data=str(table(tmp_path)), target="units_sold", inputs="price", window=10
    )
    task_series = read_series_table(str(table(tmp_path)), "units_sold", None, ["price"])
    x = window_of(task_series, 50, data.reading)
    changed = task_series.values.copy()
    changed[51:] = 1e6
    again = window_of(task_series._replace(values=changed), 50, data.reading)
    assert np.array_equal(x, again) and x.shape == (10, 2) and x[-1, 0] == 0


def test_too_short_and_flat_series_are_refused(tmp_path):
    path = tmp_path / "a.csv"
    for values, words in ((range(20), "too few rows"), ([7] * 200, "never changes")):
        path.write_text("y\n" + "\n".join(map(str, values)))
        with pytest.raises(DataError, match=words):
            prepared(data=str(path), target="y")
    with pytest.raises(ArgumentError, match="which column"):
        prepared(data=str(path))
    with pytest.raises(ArgumentError, match="name columns of your file"):
        prepared(target="y")


# ------------------------------------------------------------- baselines


def test_the_simple_baselines_on_a_line_and_a_season():
    y, rows = 3.0 * np.arange(60), np.arange(40, 60)
    assert np.allclose(forecasters.drift(y, rows, 4), y[rows])
    assert np.allclose(forecasters.last_value(y, rows, 4), y[rows] - 12)
    y = np.tile([1.0, 5.0, 2.0], 20)
    for horizon in (1, 3, 4):
        assert np.allclose(forecasters.last_season(y, rows, horizon, 3), y[rows])


def test_smoothing_continues_what_statsmodels_fitted(rng):
    holt = pytest.importorskip(
        "statsmodels.tsa.holtwinters", reason="needs statsmodels"
    )
    t = np.arange(140)
    y = 0.2 * t + 4 * np.sin(2 * np.pi * t / 7) + rng.normal(size=140)
    known = 120
    found = forecasters.smoothing(y, known, np.array([known]), 1, 7)
    fit = holt.ExponentialSmoothing(
        y[:known], trend="add", damped_trend=True, seasonal="add", seasonal_periods=7,
        initialization_method="heuristic",
    ).fit()  # fmt: skip
    assert found[0] == pytest.approx(fit.forecast(1)[0], rel=1e-4)
    ahead = forecasters.smoothing(y, known, np.array([known + 4]), 5, 7)
    assert ahead[0] == pytest.approx(fit.forecast(5)[4], rel=1e-4)


def test_mase_is_one_where_the_error_is_the_usual_change(tmp_path):
    data = prepared(data=str(table(tmp_path)), target="units_sold", season=7)
    step = data.reading["scales"]["step"]
    found = figures(data.test.truth + step, data.test, data.reading)
    assert found["MASE"] == pytest.approx(1) and found["MAE"] == pytest.approx(step)


def test_the_verdict_on_a_random_walk_is_plain(tmp_path, rng):
    path = tmp_path / "prices.csv"
    walk = 100 + rng.normal(size=300).cumsum()
    path.write_text("p\n" + "\n".join(f"{v:.3f}" for v in walk))
    data = prepared(data=str(path), target="p")
    own = data.test.origin + rng.normal(size=len(data.test.rows))
    lines = verdict(own, data).lines
    assert any("not clearly better than saying" in line for line in lines)
    told = re.findall(r"(\w+) ([\d.]+) \(([\d.]+) to ([\d.]+)\)", lines[0])
    for name, value, low, high in told:
        found = figures(own, data.test, data.reading)[name]
        assert float(value) == pytest.approx(found, rel=0.01)
        assert float(low) < found < float(high)
    assert [name for name, *_ in told] == ["MASE", "MAE", "RMSE"]
    best = {name: figures(g, data.test, data.reading)["MAE"]
            for name, g in guesses(data).items()}  # fmt: skip
    assert min(best.values()) > 0.9 * best["the same as the last value"]


# ------------------------------------------------------------- from end to end


def test_it_trains_forecasts_and_says_what_it_was_drawn_from(tmp_path, capsys):
    path, folder = table(tmp_path), str(tmp_path / "out")
    given = ["--data", str(path), "--target", "units_sold", "--time", "day", "--inputs",
             "price", "--season", "7", *SMALL]  # fmt: skip
    assert main(["train", "series", "-o", folder, *given]) == 0
    told = capsys.readouterr().out
    for name in ("last value", "last season", "drift", "smoothing", "ridge"):
        assert name in told
    page = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    for words in ("The band is the forecast", "Which past it was drawn from"):
        assert words in page
    assert main(["predict", "series", "--model", folder]) == 0
    told = capsys.readouterr().out
    assert "2021-06-10" in told and "Drawn most from" in told
    assert main(["predict", "series", str(path), "--model", folder]) == 0
    assert main(["predict", "series", "tomorrow", "--model", folder]) == 2


def test_shares_of_the_ledger_add_up_to_one(rng):
    model = Forecaster(2, 3, rng=0)
    share = drawn_from(model, rng.normal(size=(9, 2)).astype("float32"))
    assert share.shape == (9,) and share.sum() == pytest.approx(1)


@pytest.mark.parametrize("example, least", [("co2", 2000), ("prices", 100)])
def test_the_shipped_series_are_prepared(example, least):
    data = prepared(example=example)
    count = sum(len(p.rows) for p in (data.train, data.validation, data.test))
    assert (
        count > least * 0.9 and data.reading["m"] == {"co2": 52, "prices": 1}[example]
    )
    part = part_of(shipped(example), np.array([100]), data.reading)
    assert part.x.shape[1] == data.reading["n"]
