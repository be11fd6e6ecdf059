"""Texts of a user's own: ratings on any scale, tags in any form, names in tables."""

import json
import re

import numpy as np
import pytest

from minigrad import tasks
from minigrad.data import read_text
from minigrad.engine.errors import ArgumentError, DataError
from minigrad.tasks.described_programs import read_tagged
from minigrad.tasks.name_labels import marked_in
from minigrad.tasks.name_lists import read_names
from minigrad.tasks.rated_sentences import read_rated
from minigrad.tasks.repeated_texts import repeated, repeated_passages
from minigrad.tasks.task_options import settings


def written(tmp_path, text, name="a.csv"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return str(path)


def prepared(name, **given):
    task = tasks.task(name)
    return task.prepare(settings(task.options, given))


# ------------------------------------------------------------- ratings


SCALES = {  # what the file has, --scale: ratings from -4 to 4, what is said
    "ours": ("-4 0 2.5 4", None, [-4, 0, 2.5, 4], ""),
    "ours, in part": ("-2 0 3.5", None, [-2, 0, 3.5], ""),
    "stars": ("1 2 3 4 5", None, [-4, -2, 0, 2, 4], "from 1 (worst) to 5 (best)"),
    "half stars": ("0.5 5 2.75", None, [-4, 4, 0], "from 0.5"),
    "stars from 0": ("0 5 2.5", None, [-4, 4, 0], "from 0"),
    "labels": ("0 1 1", None, [-4, 4, 4], "from 0 (worst) to 1 (best)"),
    "labels from 1": ("1 2 2", None, [-4, 4, 4], "to 2 (best)"),
    "three labels": ("0 1 2", None, [-4, 0, 4], "to 2 (best)"),
    "five labels": ("0 1 2 3 4", None, [-4, -2, 0, 2, 4], "to 4 (best)"),
    "0 and 4": ("0 4 4", None, [-4, 4, 4], "to 4 (best)"),
    "signs": ("-1 1 1", None, [-4, 4, 4], "from -1"),
    "polarity": ("-0.5 0.25 0.75", None, [-2, 1, 3], "from -1"),
    "1 to 10": ("1 10 5.5", None, [-4, 4, 0], "to 10"),
    "per cent": ("0 100 75", None, [-4, 4, 2], "to 100"),
    "words": ("positive negative Neutral POS neg", None, [4, -4, 0, 4, -4], "positive"),
    "decimal commas": ("1 5 3,5", None, [-4, 4, 1], "from 1"),
    "said": ("2 5", "1,5", [-2, 4], "from 1 (worst) to 5 (best)"),
    "said with dots": ("2 5", "1..5", [-2, 4], "to 5"),
    "said with a dash": ("2 5", "1-5", [-2, 4], "to 5"),
    "the best is 1": ("1 6 3.5", "6,1", [4, -4, 0], "from 6 (worst) to 1 (best)"),
    "with a minus": ("-10 5", "-10,10", [-4, 2], "from -10"),
    "ours, said": ("1 2", "-4,4", [1, 2], ""),
}


@pytest.mark.parametrize("name", SCALES)
def test_ratings_on_any_scale(name, tmp_path):
    given, scale, wanted, said = SCALES[name]
    rows = "".join(f"{rating}\ta text\n" for rating in given.split())
    found = read_rated(written(tmp_path, f"rating\ttext\n{rows}", "a.tsv"), None, scale)
    np.testing.assert_allclose(found.ratings, wanted, atol=1e-12)
    assert said in "; ".join(found.notes)
    assert bool(found.notes) == bool(said)


NO_SCALES = {  # what the file has, --scale: what the error says
    "between 1 and 5": ("2 3 4", None, r"on one side[\s\S]*2 to 4[\s\S]*--scale 1,5"),
    "chances": ("0.1 0.9", None, "--scale 0,1"),
    "up to 8": ("1 8 8", None, "--scale 1,10"),
    "up to 250": ("3 250", None, "--scale 0,250"),
    "beyond": ("-5 5 1", None, r"line 2: a rating beyond[\s\S]*--scale=-5,5"),
    "far beyond": ("-4 -60 1", None, r"line 3[\s\S]*-60; 1 such[\s\S]*=-100,100"),
    "one word": (
        "1 negative 2",
        None,
        "line 2: a number where other ratings are words",
    ),
    "no ratings": ("NA NA", None, "no row has a rating"),
    "another word": ("1 superb", None, "line 3: unreadable rating"),
    "a fraction": ("1/5 5/5", None, "line 2: unreadable rating"),
    "beyond what is said": ("1 6", "1,5", "line 3: a rating beyond the scale"),
}


@pytest.mark.parametrize("name", NO_SCALES)
def test_scales_that_cannot_be_found_out(name, tmp_path):
    given, scale, said = NO_SCALES[name]
    rows = "".join(f"{rating},a text\n" for rating in given.split())
    path = written(tmp_path, f"rating,text\n{rows}")
    with pytest.raises(DataError, match=said) as caught:
        read_rated(path, None, scale)
    hints = re.findall(r"--scale[ =]([-\d,.]+)", caught.value.hint)
    for hint in hints:  # following it works
        assert np.abs(read_rated(path, None, hint).ratings).max() <= 4


@pytest.mark.parametrize("scale", ["five", "5", "1,1", "", "1,2,3", "a,b"])
def test_what_is_no_scale(scale, tmp_path):
    path = written(tmp_path, "rating,text\n1,a\n5,b\n")
    with pytest.raises(ArgumentError, match=r"--scale.*not a scale"):
        read_rated(path, None, scale)


def test_rows_without_a_rating_or_a_text_are_left_out_and_counted(tmp_path):
    path = written(tmp_path, "rating,text\n1,a\nNA,b\n,c\n-2, \n3,d\n")
    found = read_rated(path)
    assert found.texts == ["a", "d"] and found.ratings.tolist() == [1, 3]
    assert found.notes == [
        "rows without a rating or a text: 3 left out (the first is line 3)"
    ]


# ------------------------------------------------------------- tags


TAGS = [("game", "gui"), (), ("c++",), ("a b", "game", "x")]
FORMS = {  # how a field is written: what is said
    "commas": (",".join, []),
    "commas and blanks": (", ".join, []),
    "semicolons": (";".join, ["tags with semicolons between them"]),
    "bars": (" | ".join, ["tags with vertical bars between them"]),
    "line ends": ("\n".join, ["tags with line ends between them"]),
    "JSON": (json.dumps, ["tags as lists"]),
    "JSON of tuples": (lambda tags: json.dumps(list(tags)), ["tags as lists"]),
    "Python": (lambda tags: repr(list(tags)), ["tags as lists"]),
    "Python tuples": (repr, ["tags as lists"]),
    "angles": (
        lambda tags: "".join(f"<{t}>" for t in tags), ["tags in angle brackets"]),
    "NA for none": (lambda tags: ";".join(tags) or "NA",
                    ["tags with semicolons between them", "'NA' as no tag (1 rows)"]),
}  # fmt: skip


def quoted(field):
    return '"' + field.replace('"', '""') + '"'


@pytest.mark.parametrize("name", FORMS)
def test_tags_in_any_form(name, tmp_path):
    form, said = FORMS[name]
    rows = [f"a text,{quoted(form(tags))}" for tags in TAGS]
    found = read_tagged(written(tmp_path, "\n".join(["text,tags", *rows])))
    assert found.tags == TAGS and found.notes == said


def test_tags_with_a_mark_before_them(tmp_path):
    rows = ["a,#game #gui", "b,", "c,#c++"]
    found = read_tagged(written(tmp_path, "\n".join(["text,tags", *rows])))
    assert found.tags == [("game", "gui"), (), ("c++",)]
    assert found.notes == ["tags with a # before them"]


def test_two_marks_between_tags_have_to_be_told_apart(tmp_path):
    path = written(tmp_path, 'text,tags\na,"x,y"\nb,"y;z"\nc,x\n')
    with pytest.raises(
        DataError, match=r"line 2: what stands between[\s\S]*line 3"
    ) as e:
        read_tagged(path)
    first, second = re.findall(r"--separator '(.)'", e.value.hint)
    assert read_tagged(path, None, first).tags == [("x", "y"), ("y;z",), ("x",)]
    assert read_tagged(path, None, second).tags == [("x,y",), ("y", "z"), ("x",)]


@pytest.mark.parametrize(
    "field", ["[1, x]", '["a", ["b"]]', '{"a": 1}', "[" * 9999 + "]"]
)
def test_a_list_that_is_none(field, tmp_path):
    rows = ["text,tags", 'a,"[""x""]"', f"b,{quoted(field)}", 'c,"[""y""]"']
    with pytest.raises(DataError, match="line 3: unreadable tags"):
        read_tagged(written(tmp_path, "\n".join(rows)))


def test_texts_without_a_tag_are_examples_of_none(tmp_path):
    kinds = ["viewer for chess,game;gui", "library of sounds,sound", "nothing at all,"]
    path = written(tmp_path, "text,tags\n" + "\n".join(kinds * 20))
    data = prepared("autotagging", data=path)
    whole = np.concatenate([data.train.tags, data.validation.tags, data.test.tags])
    assert data.reading["tags"] == ["game", "gui", "sound"]
    assert (whole.sum(axis=1) == 0).sum() == 20
    assert "20 have no tag: examples of none of them." in data.lines
    task = tasks.task("autotagging")
    assert all(
        np.isfinite(list(f.values())).all() for f in task.baselines(data).values()
    )


# ------------------------------------------------------------- names


PEOPLE = [
    f"{a}{b}" for a in ("An", "Bo", "Ca", "Di", "El") for b in ("na", "ra", "sa", "ta")
]
LISTS = {  # the file: what is said
    "a list": ("\n".join(PEOPLE), []),
    "with blank lines and blanks": ("\n\n  ".join(PEOPLE) + "\n\n", []),
    "with a header": (
        "Name\n" + "\n".join(PEOPLE), ["the first line, 'Name', as a header"]),
    "in quotation marks": (
        "\n".join(f'"{n}"' for n in PEOPLE), ["names in quotation marks"]),
    "a table": (
        "id,name,count\n" + "\n".join(f"{k},{n},7" for k, n in enumerate(PEOPLE)),
        ["the column 'name' of a table"]),
    "a table, First Name": (
        'sex;"First Name"\n' + "\n".join(f'F;"{n}"' for n in PEOPLE),
        ["the column 'First Name' of a table"]),
    "a table with tabs": (
        "given_name\tx\n" + "\n".join(f"{n}\t1" for n in PEOPLE),
        ["the column 'given_name' of a table"]),
}  # fmt: skip


@pytest.mark.parametrize("name", LISTS)
def test_lists_of_names(name, tmp_path):
    text, said = LISTS[name]
    found = read_names(written(tmp_path, text, "names.txt"))
    assert found.names == sorted(n.lower() for n in PEOPLE) and found.notes == said


TABLES = {
    "of the year": [f"{name},F,{k}" for k, name in enumerate(PEOPLE)],
    "numbered": [f"{k}\t{name}" for k, name in enumerate(PEOPLE)],
    "with surnames": [f"Smith; {name}; 1" for name in PEOPLE],
    "with other titles": ["id|who", *(f"{k}|{name}" for k, name in enumerate(PEOPLE))],
}


@pytest.mark.parametrize("name", TABLES)
def test_a_table_where_names_are_expected(name, tmp_path):
    """The hint is a line to write above the others; then it is read."""
    rows = TABLES[name]
    with pytest.raises(DataError, match="line 1: a table where names are") as caught:
        read_names(written(tmp_path, "\n".join(rows)))
    line = caught.value.hint.split(": ", 1)[1]
    found = read_names(written(tmp_path, "\n".join([line, *rows])))
    assert {n.lower() for n in PEOPLE} <= set(found.names)
    assert len(found.names) <= len(PEOPLE) + 1


OTHER_FILES = {
    "numbers": ("\n".join(f"{k},{k}" for k in range(30)), "no column has names"),
    "JSON": (json.dumps(PEOPLE), "JSON"),
    "a long line": ("Ann\n" + "x" * 41, "line 2: longer than a name"),
    "a long field": (
        "name,x\n" + "\n".join(f"{n},1" for n in PEOPLE) + "\n" + "x" * 41 + ",1",
        "line 22: longer than a name"),
}  # fmt: skip


@pytest.mark.parametrize("name", OTHER_FILES)
def test_what_is_no_list_of_names(name, tmp_path):
    text, said = OTHER_FILES[name]
    with pytest.raises(DataError, match=said):
        read_names(written(tmp_path, text))


def test_words_with_tags_are_no_sentences(tmp_path):
    lines = ["Tom B-PER", "came O", "home O", ""] * 20
    text = read_text(written(tmp_path, "\n".join(lines), "a.txt"))
    with pytest.raises(DataError, match="line 1: a word and its tag in each line"):
        marked_in(text, "a.txt")


# ------------------------------------------------------------- texts in two parts


def test_texts_in_both_parts_are_counted():
    train = ["One text", "two  texts", "three"]
    assert repeated(train, ["other", "ones"], "texts") == []
    (said,) = repeated(train, ["one TEXT", "two texts", "four", "one text"], "texts")
    assert said.startswith("3 of the 4 held-out texts also stand in the training part")
    (said,) = repeated(train, ["three", "four"], "texts")
    assert "1 of the 2 held-out texts also stands" in said


def test_passages_in_both_parts_are_counted():
    rng = np.random.default_rng(0)
    first, second = ("".join(rng.choice([*"abcd "], 3000)) for _ in "12")
    assert repeated_passages(first, second) == []
    assert repeated_passages(first, "short") == []
    (said,) = repeated_passages(first, second[:1500] + first[:1500])
    assert re.match(r"About (4[5-9]|5[0-5])% of the held-out part", said)


def test_each_task_says_how_many_texts_are_in_both_parts(tmp_path):
    rows = [
        f"{3 if k % 2 else -3},{'it is great' if k % 2 else 'awful'}" for k in range(60)
    ]
    files = {
        "sentiment": "rating,text\n" + "\n".join(rows),
        "autotagging": "text,tags\n" + "chess,game\nsound,audio\n" * 30,
        "name-tagging": "then *Tom came\nhe saw *Ann\n" * 30,
        "next-character": "the queen said off with his head. " * 60,
        "next-word": "the queen said off with his head. " * 90,
    }
    for name, text in files.items():
        data = prepared(name, data=written(tmp_path, text))
        assert len(data.cautions) == 1, name
        assert "also stand" in data.cautions[0]
    different = "".join(f"{3 if k % 2 else -3},film word{k}\n" for k in range(60))
    data = prepared("sentiment", data=written(tmp_path, "rating,text\n" + different))
    assert data.cautions == []


def test_an_encoding_reaches_every_task(tmp_path):
    texts = {
        "sentiment": "rating,text\n" + "3,caf\u00e9 a\n-3,d\u00e9j\u00e0 b\n" * 20,
        "autotagging": "text,tags\n" + "caf\u00e9,a;b\nd\u00e9j\u00e0,c\n" * 20,
        "name-tagging": "caf\u00e9 *Tom\n" * 30,
        "next-character": "caf\u00e9 d\u00e9j\u00e0 " * 60,
        "next-word": "caf\u00e9 d\u00e9j\u00e0 " * 300,
        "first-names": "\n".join(f"Zo\u00e9{a}" for a in "abcdefghijklmnopqrstuvwxyz"),
    }
    for name, text in texts.items():
        path = tmp_path / "a.csv"
        path.write_bytes(text.encode("cp1252"))
        with pytest.raises(DataError, match=r"not UTF-8[\s\S]*--encoding cp1252 if"):
            prepared(name, data=str(path))
        data = prepared(name, data=str(path), encoding="cp1252")
        assert data.lines[0].startswith("Read as: cp1252"), name
        path.write_bytes(text.encode("utf-16"))
        again = prepared(name, data=str(path))
        assert again.lines[0].startswith("Read as: UTF-16"), name
        assert again.reading == data.reading, name
