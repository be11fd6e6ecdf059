"""mg.data: a user's own files, scaling, and the stretches of a long text."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minigrad.data as data
from minigrad.data.fields import day, finite, some_text
from minigrad.engine.errors import DataError, DTypeError, ShapeError

COLUMNS = {"text": some_text, "rating": finite}

# files


def table(tmp_path, content, name="my.csv", columns=COLUMNS):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return data.read_table(path, columns)


def test_a_table_and_its_lines(tmp_path):
    found = table(tmp_path, 'rating,more,text\n1,x,"two\nlines"\n\n-2.5,y,good\n')
    assert found == {"text": ["two\nlines", "good"], "rating": [1.0, -2.5]}
    assert found.lines == [3, 5]


@pytest.mark.parametrize("name", ["a.tsv", "a.TSV", "a.tab"])
def test_tabs_by_the_ending(name, tmp_path):
    found = table(tmp_path, b'\xef\xbb\xbftext\trating\r\n"quoted\t3\r\n', name)
    assert found == {"text": ['"quoted'], "rating": [3.0]}


MALFORMED = {
    "empty": (b"", r"my.csv cannot be used[\s\S]*an empty file"),
    "blank": (b" \n\n", "an empty file"),
    "header only": (b"text,rating\n", "my.csv: no rows"),
    "a column is missing": (b"text,stars\na,1\n", "line 1: column 'rating' is missing"),
    "a column is there twice": (b"text,text,rating\n", "two columns are called 'text'"),
    "too few fields": (
        b"text,rating\na,1\nb\n",
        r"line 3: not as many fields[\s\S]*1 f",
    ),
    "too many fields": (b"text,rating\na,1,2\n", r"line 2: not as many[\s\S]*3 fields"),
    "no number": (b"text,rating\na,one\n", r"line 2: unreadable rating[\s\S]*12.5"),
    "an empty number": (b"text,rating\na,1\nb,\n", r"line 3[\s\S]*fill gaps"),
    "NaN": (b"text,rating\na,nan\n", r"line 2[\s\S]*a finite number[\s\S]*'nan'"),
    "infinity": (b"text,rating\na,-inf\n", r"line 2[\s\S]*a finite number"),
    "no text": (b"text,rating\n  ,1\n", r"line 2: unreadable text[\s\S]*leave it out"),
    "an open quote": (b'text,rating\n"a,1\nb,2\n', "not a well-formed row"),
    "Latin-1": (b"text,rating\na,1\ncaf\xe9,2\n", r"line 3: not UTF-8[\s\S]*0xe9"),
    "a spreadsheet": (b"\xd0\xcf\x11\xe0\x00", r"not text[\s\S]*an Excel workbook"),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_tables(name, tmp_path):
    content, message = MALFORMED[name]
    with pytest.raises(DataError, match=message) as caught:
        table(tmp_path, content)
    assert "my.csv" in str(caught.value)
    assert caught.value.expect and caught.value.actual and caught.value.hint


def test_files_that_are_not_there_or_no_tables(tmp_path):
    with pytest.raises(DataError, match="No such file"):
        data.read_table(tmp_path / "a.csv", COLUMNS)
    with pytest.raises(DataError, match=r"ends in \.csv"):
        data.read_table(tmp_path / "a.xlsx", COLUMNS)
    with pytest.raises(DataError, match="cannot be used"):
        data.read_text(tmp_path)


def test_a_file_beyond_the_limit_is_not_read(tmp_path):
    path = tmp_path / "sparse.txt"
    with open(path, "wb") as file:
        file.truncate(1 << 40)  # takes no room on the disk
    with pytest.raises(DataError, match="1,099,511,627,776 bytes"):
        data.read_text(path)


def test_line_ends_are_one_kind(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"a\r\nb\rc\n")
    assert data.read_text(path) == "a\nb\nc\n"


def test_days():
    assert day(" 2024/05/31 ") == day("2024-05-31")
    for wrong in ("31.5.2024", "", "today"):
        with pytest.raises(ValueError, match="2024-05-31"):
            day(wrong)


# scaling


def test_scaling_has_mean_zero_and_deviation_one_and_comes_back(rng):
    values = rng.normal((3, -50, 0), (1, 20, 1e-3), (500, 3))
    scaling = data.Scaling(values)
    scaled = scaling(values)
    assert np.allclose(scaled.mean(0), 0, atol=1e-12)
    assert np.allclose(scaled.std(0), 1)
    assert np.allclose(scaling.back(scaled), values, rtol=1e-12)
    assert np.allclose(scaling.feature(1)(values[:, 1]), scaled[:, 1])
    windows = values.reshape(50, 10, 3)
    assert np.allclose(scaling(windows), scaled.reshape(50, 10, 3))


def test_scaling_knows_the_training_part_alone():
    scaling = data.Scaling([0.0, 2.0])
    assert scaling([100.0]) == [99.0]


def test_a_feature_that_never_changes_becomes_zeros():
    assert np.array_equal(data.Scaling([[7.0], [7.0]])([[7.0], [8.0]]), [[0.0], [1.0]])


def test_scaling_is_saved_and_found_again_exactly(rng):
    scaling = data.Scaling(rng.normal(size=(20, 4)))
    again = data.Scaling.from_dict(json.loads(json.dumps(scaling.to_dict())))
    assert again == scaling
    assert data.Scaling.from_dict(data.Scaling([1.0, 2.0]).to_dict()).mean == 1.5


@pytest.mark.parametrize(
    "saved",
    [
        {},
        {"mean": [0.0]},
        {"mean": [0.0], "deviation": [0.0]},
        {"mean": [0.0], "deviation": [1.0, 1.0]},
        {"mean": "words", "deviation": [1.0]},
        {"mean": [0.0], "deviation": [float("nan")]},
    ],
)
def test_what_is_no_saved_scaling(saved):
    with pytest.raises(DataError, match="not a saved scaling"):
        data.Scaling.from_dict(saved)


def test_what_cannot_be_scaled():
    with pytest.raises(DataError, match="no values"):
        data.Scaling([])
    with pytest.raises(DataError, match=r"values\[1, 0\] is nan"):
        data.Scaling([[1.0], [np.nan]])
    with pytest.raises(DataError, match=r"values\[0\] is inf"):
        data.Scaling([1.0, 2.0])([np.inf])
    with pytest.raises(ShapeError, match="number of features"):
        data.Scaling([[1.0, 2.0]])([[1.0]])
    with pytest.raises(DTypeError):
        data.Scaling(["a"])


# streams


def test_streams_by_hand():
    chunks = list(data.Streams(np.arange(12), batch_size=2, steps=3))
    assert [x.T.tolist() for x, _ in chunks] == [
        [[0, 1, 2], [5, 6, 7]],
        [[3, 4], [8, 9]],
    ]
    assert [y.T.tolist() for _, y in chunks] == [
        [[1, 2, 3], [6, 7, 8]],
        [[4, 5], [9, 10]],
    ]


@given(st.integers(2, 200), st.integers(1, 9), st.integers(1, 20))
def test_rows_of_streams_continue_and_targets_are_one_later(count, rows, steps):
    if count <= rows:
        with pytest.raises(DataError, match="too few tokens"):
            data.Streams(np.arange(count), rows, steps)
        return
    stream = data.Streams(np.arange(count), rows, steps)
    chunks = list(stream)
    assert len(chunks) == len(stream)
    x = np.concatenate([x for x, _ in chunks])
    y = np.concatenate([y for _, y in chunks])
    assert np.array_equal(y, x + 1)
    assert np.array_equal(
        x.T.ravel(), np.arange(x.size)
    )  # each row goes on; none twice
    assert count - 1 - x.size < rows


def test_what_is_no_stream():
    with pytest.raises(ShapeError):
        data.Streams([[1, 2]], 1, 1)
    with pytest.raises(DTypeError):
        data.Streams("words", 1, 1)
