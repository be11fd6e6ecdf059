"""A series of days with gaps, marks for "no value" and days out of order."""

import re

import numpy as np
import pytest
from tasks_rows import HEADER, rows_of

from minigrad import tasks
from minigrad.commands.main import main
from minigrad.engine.errors import DataError
from minigrad.tasks.days import read_series
from minigrad.tasks.task_options import settings

ROWS = [  # date, precipitation, temp_max, temp_min, wind
    row.replace(",3.0", f",{2 + k % 7 / 10}") for k, row in enumerate(rows_of(120))
]
NAMES = HEADER.split(",")


def written(tmp_path, rows, name="days.csv"):
    path = tmp_path / name
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return str(path)


def changed(places, value, *columns):
    """The rows with another value in some of them, counted from 1."""
    rows = list(ROWS)
    for k in places:
        fields = rows[k].split(",")
        for column in columns or ["temp_max"]:
            fields[NAMES.index(column)] = value
        rows[k] = ",".join(fields)
    return rows


def without(*places):
    return [row for k, row in enumerate(ROWS) if k not in places]


@pytest.fixture
def plain(tmp_path):
    return read_series(written(tmp_path, ROWS, "plain.csv"))


# ------------------------------------------------------------- order


ORDERS = {
    "backwards": ([HEADER, *ROWS[:0:-1]], ["the newest day first"]),
    "in no order": ([HEADER, *ROWS[60:], *ROWS[1:60]], ["days put in order"]),
    "a day twice": (ROWS[:9] + ROWS[8:], ["rows that were there twice: 1 left out"]),
    "backwards and twice": (
        [HEADER, *ROWS[:0:-1], ROWS[1]],
        ["the newest day first", "rows that were there twice: 1 left out"]),
}  # fmt: skip


@pytest.mark.parametrize("name", ORDERS)
def test_days_in_another_order_are_the_same(name, plain, tmp_path):
    rows, notes = ORDERS[name]
    series = read_series(written(tmp_path, rows))
    assert np.array_equal(series.dates, plain.dates)
    assert np.array_equal(series.values, plain.values)
    assert series.measured.all() and list(series.notes) == notes


def test_two_rows_of_one_day_that_differ(tmp_path):
    rows = ROWS[:9] + changed([8], "77")[8:9] + ROWS[9:]
    with pytest.raises(DataError, match=r"line 10: 2020-01-08 is there twice[\s\S]*9"):
        read_series(written(tmp_path, rows))


def test_a_slip_in_the_year(tmp_path):
    rows = list(ROWS)
    rows[50] = rows[50].replace("2020", "9020")
    with pytest.raises(DataError, match=r"the day does not follow[\s\S]*slip"):
        read_series(written(tmp_path, rows))


# ------------------------------------------------------------- gaps


GAPS = {  # rows, what is missing: line, longest
    "an empty field": (changed([40], ""), "line 41: temp_max of 2020-02-09", 1),
    "NA": (changed([40], "NA"), "line 41: temp_max of 2020-02-09", 1),
    "nan in two columns": (
        changed([40], "NaN", "temp_max", "wind"),
        "line 41: temp_max and wind of 2020-02-09", 1),
    "null, three in a row": (changed([7, 40, 41, 42], "null"), "line 8", 3),
    "a missing day": (without(50), "line 51: the day does not follow", 1),
    "missing days": (without(50, 51, 52, 90), "line 51: the day does not follow", 3),
    "a missing day beside a gap": (
        [r for r in changed([49], "") if r is not ROWS[50]], "line 50", 2),
    "-9999": (
        changed([40, 60], "-9999"), "-9999 in temp_max as no value (in 2 rows)", 1),
    "-9999.0 of the wind": (changed([40], "-9999.0", "wind"), "-9999 in wind", 1),
    "-999": (changed([40], "-999", "temp_min"), "-999 in temp_min", 1),
    "-99.9": (changed([40], "-99.9"), "-99.9 in temp_max", 1),
    "-99 of the rain": (changed([40], "-99", "precipitation"), "-99 in precip", 1),
    "999.9": (changed([40, 41], "999.9", "wind"), "999.9 in wind", 2),
    "9999.9": (changed([40], "9999.9"), "9999.9 in temp_max", 1),
    "99.99 of the rain": (changed([40], "99.99", "precipitation"), "99.99 in prec", 1),
    "-32768": (changed([40], "-32768"), "-32768 in temp_max", 1),
    "1e20": (changed([40], "1e20", "wind"), "1e+20 in wind", 1),
    "two marks": (
        [*changed([40], "-9999")[:60], *changed([70], "-99.9")[60:]],
        "-9999 in temp_max as no value (in 1 rows); -99.9 in temp_max", 1),
}  # fmt: skip


@pytest.mark.parametrize("name", GAPS)
def test_a_gap_is_refused_and_filled_when_the_hint_is_followed(name, plain, tmp_path):
    rows, said, longest = GAPS[name]
    path = written(tmp_path, rows)
    with pytest.raises(DataError, match=re.escape(said)) as caught:
        read_series(path)
    (fill,) = re.findall(r"--fill (\d+)", caught.value.hint)
    assert int(fill) == longest
    if longest > 1:
        with pytest.raises(DataError, match=f"--fill is {longest - 1}"):
            read_series(path, fill=longest - 1)
    series = read_series(path, fill=longest)
    assert np.array_equal(series.dates, plain.dates)
    same = series.values == plain.values
    for row, column in np.argwhere(~same):  # what was filled: as on the day before
        assert series.values[row, column] == series.values[row - 1, column]
    assert 0 < (~same).sum() < 20
    assert any("filled with the values of the day before" in n for n in series.notes)
    assert np.array_equal(series.measured, same[:, 0] | series.measured)
    assert not series.measured[~same[:, 0]].any()


def test_a_filled_day_is_read_but_never_predicted(tmp_path):
    path = written(tmp_path, changed([40, 41, 100], "NA"))
    task = tasks.task("weather")
    chosen = settings(task.options, {"data": path, "days": 7, "fill": 2})
    data = task.prepare(chosen)
    parts = [data.train, data.validation, data.test]
    predicted = {str(date) for part in parts for date in part.dates}
    assert len(predicted) == 120 - 7 - 3
    assert not predicted & {"2020-02-09", "2020-02-10", "2020-04-09"}
    assert data.lines[0].startswith("Read as: ") and "3 days filled" in data.lines[0]


def test_numbers_that_look_like_marks_but_are_values(tmp_path):
    """99 °F in summer; 9 mm; -9 °C; a wind of 6.6 m/s."""
    rows = [HEADER]
    for k, row in enumerate(ROWS[1:]):
        date, *_ = row.split(",")
        rows.append(f"{date},{(0, 9, 7.7)[k % 3]},{70 + k % 30},{-9 - k % 3},6.6")
    series = read_series(written(tmp_path, rows))
    assert series.values[:, 0].max() == 99 and not series.notes
    assert "°F" in series.cautions[0]


def test_columns_that_begin_later_and_days_without_anything(tmp_path):
    rows = changed(range(1, 6), "NA", "wind")
    rows += [f"2020-04-{day},,,," for day in (30,)] + ["2020-05-01,,,,"]
    series = read_series(written(tmp_path, rows))
    assert (
        str(series.dates[0]) == "2020-01-06" and str(series.dates[-1]) == "2020-04-29"
    )
    assert [note.split(" ")[0] for note in series.notes] == ["begins", "2"]
    with pytest.raises(DataError, match="wind has no value on any day"):
        read_series(written(tmp_path, changed(range(1, 121), "", "wind")))


def test_columns_that_are_measured_on_different_days(tmp_path):
    """The first day with a wind has no temperature of its own, but one before it."""
    rows = changed(range(1, 121, 2), "NA", "wind")
    for k in range(2, 121, 2):
        fields = rows[k].split(",")
        fields[NAMES.index("temp_max")] = "NA"
        rows[k] = ",".join(fields)
    path = written(tmp_path, rows)
    with pytest.raises(DataError, match="--fill 1"):
        read_series(path)
    series = read_series(path, fill=1)
    assert str(series.dates[0]) == "2020-01-02" and len(series.dates) == 119
    assert series.measured.tolist() == [k % 2 == 1 for k in range(119)]
    assert series.values[0, 0] == float(ROWS[1].split(",")[2])


def test_a_part_without_days_to_predict(tmp_path):
    path = written(tmp_path, changed(range(85, 121), "NA"))
    task = tasks.task("weather")
    chosen = settings(task.options, {"data": path, "days": 7, "fill": 40})
    with pytest.raises(DataError, match=r"too few days have a highest[\s\S]*0 in one"):
        task.prepare(chosen)


IMPOSSIBLE = {
    "swapped": (
        [ROWS[0].replace("max", "?").replace("min", "max").replace("?", "min"),
         *ROWS[1:]],
        r"line 2: temp_max is below temp_min[\s\S]*120 of 120[\s\S]*Swap their names"),
    "one day": (
        changed([30], "-30"),
        r"line 31: temp_max is below temp_min[\s\S]*1 of 120[\s\S]*empty both fields"),
    "colder than cold": (
        changed([30], "-300", "temp_min"), r"line 31: temp_min is -300[\s\S]*-273\.15"),
    "less than no rain": (
        changed([30, 33], "-1", "precipitation"),
        r"line 31: precipitation is -1[\s\S]*2 such rows[\s\S]*leave such fields"),
    "less than no wind": (changed([30], "-0.5", "wind"), "line 31: wind is -0.5"),
}  # fmt: skip


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_what_cannot_be(name, tmp_path):
    rows, said = IMPOSSIBLE[name]
    with pytest.raises(DataError, match=re.compile(said, re.IGNORECASE)) as caught:
        read_series(written(tmp_path, rows))
    if name == "swapped":  # follow the hint
        names = rows[0].replace("max", "?").replace("min", "max").replace("?", "min")
        read_series(written(tmp_path, [names, *rows[1:]]))
        return
    assert "--fill 1" in caught.value.hint
    emptied = changed([30, 33], "", *NAMES[1:])
    assert not read_series(written(tmp_path, emptied), fill=1).measured[29]


# ------------------------------------------------------------- the commands


def test_the_commands_take_the_hints(tmp_path, capsys):
    """Trained with --fill; the model reads other files, gaps filled in the same way."""
    path = written(tmp_path, changed([40, 41], "NA"))
    folder = str(tmp_path / "o")
    words = ["train", "weather", "--data", path, "-o", folder]
    words += ["--days", "7", "--hidden", "3", "--epochs", "1"]
    assert main(words) == 2
    (fill,) = re.findall(r"--fill \d+", capsys.readouterr().err)
    assert main([*words, *fill.split()]) == 0
    said = capsys.readouterr().out
    assert "Read as: gaps on 2 days filled" in said
    page = (tmp_path / "o" / "index.html").read_text(encoding="utf-8")
    assert "gaps on 2 days filled" in page
    assert main([*words, "--fill"]) == 0  # alone: up to 3
    asked = ["predict", "weather", "--model", folder]
    assert main([*asked, "2020-02-20"]) == 0
    assert "what came" in capsys.readouterr().out
    assert main([*asked, "2020-02-10"]) == 0  # a day without a temperature of its own
    assert "what came" not in capsys.readouterr().out
    german = [row.replace(",", ";").replace(".", ",") for row in ROWS]
    other = written(tmp_path, german, "other.csv")
    assert main([*asked, other]) == 0
    assert "semicolons between the fields" in capsys.readouterr().out
    gap = written(tmp_path, without(60, 61, 62, 63, 64), "gap.csv")
    assert main([*asked, gap]) == 2
    (fill,) = re.findall(r"--fill \d+", capsys.readouterr().err)
    assert main([*asked, *fill.split(), gap]) == 0
