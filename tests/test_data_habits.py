"""Files in which something stands that a reader would take for something else."""

import json
import random

import pytest

import minigrad as mg
from minigrad.data import read_table
from minigrad.data.fields import day, finite, some_text
from minigrad.engine.errors import DataError
from minigrad.tasks.name_lists import read_names
from minigrad.tasks.rating_scales import rating
from minigrad.tasks.repeated_texts import contradictory
from minigrad.tasks.tag_fields import tags_of


def table(tmp_path, text, name="table.csv", columns=None):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return read_table(path, columns or {"date": day, "high": finite})


# ------------------------------------------------------------- ends of files, headers


@pytest.mark.parametrize("last", ["Total,3.5", "average,", "Source: the station,1"])
def test_a_total_in_the_last_row_is_named(last, tmp_path):
    text = f"date,high\n2024-05-01,1.5\n2024-05-02,2\n{last}\n"
    with pytest.raises(DataError, match=r"line 4.*(?s:.*)in the last row\? Leave it"):
        table(tmp_path, text)
    assert table(tmp_path, text.replace(last, ""))["high"] == [1.5, 2.0]


def test_a_note_at_the_end_is_named(tmp_path):
    text = "date,high\n2024-05-01,1.5\n2024-05-02,2\n\nmade by hand\n"
    with pytest.raises(DataError, match=r"the rest of the file\? A note at the end\?"):
        table(tmp_path, text)


def test_a_broken_row_in_the_middle_is_no_note(tmp_path):
    text = "date,high\n2024-05-01,1.5\n2024-05-02\n2024-05-03,2\n"
    with pytest.raises(DataError, match="is a separator missing"):
        table(tmp_path, text)
    with pytest.raises(DataError) as caught:
        table(tmp_path, text.replace("02\n", "02,x\n"))
    assert "last row" not in str(caught.value)


@pytest.mark.parametrize(
    "names", ["year,month,day", "Year,Month,Day", "DAY,MONTH,YEAR"]
)
def test_a_date_in_three_columns(names, tmp_path):
    with pytest.raises(DataError, match="join year, month and day into one column"):
        table(tmp_path, f"{names},high\n2024,5,1,1.5\n")


def test_all_columns_of_other_names_are_named_at_once(tmp_path):
    with pytest.raises(DataError, match="'Title' to 'text', 'Labels' to 'tags'"):
        table(tmp_path, "Title,Labels\na,b\n", columns={"text": some_text, "tags": str})


# ------------------------------------------------------------- JSON


@pytest.mark.parametrize("ending, lines", [("json", False), ("jsonl", True)])
def test_the_hint_for_json_works(ending, lines, tmp_path, monkeypatch):
    rows = [{"date": f"2024-05-0{k}", "high": k + 0.5} for k in range(1, 4)]
    text = "\n".join(map(json.dumps, rows)) if lines else json.dumps(rows)
    with pytest.raises(DataError, match="JSON is not read as a table") as caught:
        table(tmp_path, text, f"days.{ending}")
    pandas = pytest.importorskip("pandas", reason="needs pandas")
    monkeypatch.chdir(tmp_path)
    call = str(caught.value).partition("in Python: ")[2]
    exec(call, {"pandas": pandas})
    assert read_table("data.csv", {"high": finite})["high"] == [1.5, 2.5, 3.5]


# ------------------------------------------------------------- tags, ratings, names


@pytest.mark.parametrize("mark, name", [(" ", "blanks"), ("/", "slashes")])
def test_tags_with_blanks_or_slashes_between_them(mark, name):
    fields = ["net", f"net{mark}game", "game", f"game{mark}mail", "mail"] * 3
    lines = range(2, 2 + len(fields))
    with pytest.raises(DataError, match=f"{name} in (?s:.*)--separator") as caught:
        tags_of(fields, lines, "posts.tsv")
    assert "line 3" in str(caught.value)
    tags, _ = tags_of(fields, lines, "posts.tsv", separator=mark)
    assert tags[1] == ("game", "net")
    tags, _ = tags_of(fields, lines, "posts.tsv", separator=",")
    assert tags[1] == (f"net{mark}game",)


@pytest.mark.parametrize(
    "fields",
    [["machine learning", "databases", "machine vision"], ["a/b testing", "ux"], ["x"]],
)
def test_tags_of_several_words_are_tags(fields):
    tags, notes = tags_of(fields, range(2, 2 + len(fields)), "posts.tsv")
    assert tags == [(field,) for field in fields] and notes == []


@pytest.mark.parametrize(
    "word, sign", [("True", 1), ("FALSE", -1), ("yes", 1), ("No", -1)]
)
def test_ratings_in_other_words(word, sign):
    assert rating(word) == sign


@pytest.mark.parametrize("pattern", ["{}. {}", "{}) {}", "{}: {}", "{}.{}"])
def test_names_with_numbers_before_them(pattern, tmp_path):
    letters = random.Random(0)
    names = {"".join(letters.choices("abcdeinor", k=6)) for _ in range(80)}
    path = tmp_path / "names.txt"
    path.write_text("\n".join(pattern.format(k, n) for k, n in enumerate(names, 1)))
    found = read_names(str(path))
    assert found.names == sorted(names) and found.notes == [
        "names with numbers before them"
    ]


@pytest.mark.parametrize(
    ("field", "words"),
    [
        ("2014-02-29", "there is no such day"),
        ("1388534400", "since 1970"),
        ("01/02/14", "a year has four figures"),
        ("2014-03", "first day of each month"),
        ("2014Q1", "first day of each month or quarter"),
        ("yesterday", "a date is written"),
    ],
)
def test_what_is_wrong_with_a_date(field, words):
    with pytest.raises(ValueError, match=words):
        day(field)


@pytest.mark.parametrize("field", ["$12.50", "1.250,50 €", "£ 3", "12 ¥"])
def test_a_currency_is_named(field):
    with pytest.raises(ValueError, match="without the currency"):
        finite(field)


def test_a_text_where_a_number_is_expected_is_named():
    with pytest.raises(ValueError, match="are two columns exchanged"):
        finite("it was the 3rd film that week")


def test_text_with_its_layout_is_no_text(tmp_path):
    (tmp_path / "book.txt").write_bytes(b"{\\rtf1\\ansi " + b"off with his head. " * 99)
    with pytest.raises(DataError, match="RTF"):
        mg.data.read_text(tmp_path / "book.txt")


def test_texts_rated_both_ways_are_counted():
    texts = ["A fine film", "a  fine film", "a dull one", "a dull one"]
    (said,) = contradictory(texts, [True, False, False, False])
    assert said.startswith("1 text is there twice")
    assert contradictory(texts, [True, True, False, False]) == []
