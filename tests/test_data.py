"""mg.data: words, padding, batches, arrays and the data that is shipped."""

import json
import unicodedata
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minigrad.data as data
from minigrad.data.tables import parse_table
from minigrad.engine.errors import (
    ArgumentError,
    DataError,
    DTypeError,
    MinigradError,
    ShapeError,
)

TEXTS = ["a film", "a good film", "good"]
NUMBERS = st.integers(1, 1000)
RAGGED = st.lists(st.lists(NUMBERS, max_size=8), min_size=1, max_size=6)


# words


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        (
            "I loved the movie, but the ending was disappointing",
            "i loved the movie , but the ending was disappointing".split(),
        ),
        ("Don't panic!", ["don't", "panic", "!"]),
        ("don\u2019t", ["don't"]),
        ("rock'n'roll", ["rock'n'roll"]),
        ("`so they said,' 'tis", ["`", "so", "they", "said", ",", "'", "'", "tis"]),
        ("well-made...", ["well", "-", "made", ".", ".", "."]),
        ("_I_ paid 3.50", ["_", "i", "_", "paid", "3", ".", "50"]),
        ("21st", ["21st"]),
        ("", []),
        (" \t\r\n\u00a0 ", []),
        ("Touché", ["touché"]),
        ("Touche\u0301", ["touch\u00e9"]),  # the accent typed on its own
        ("हिन्दी", ["हिन्दी"]),  # vowel signs belong to the word
        ("\u039f\u03a3", ["\u03bf\u03c2"]),
        ("東京", ["東京"]),
        ("good\u2764\ufe0f", ["good", "\u2764\ufe0f"]),  # a heart and its variant mark
        ("\ufeffstart", ["start"]),  # byte order mark
        ("zero\u200bwidth", ["zerowidth"]),
        ("nul\x00 bell\x07", ["nul", "bell"]),
        ("half\ud800", ["half"]),  # a lone surrogate could not be saved as UTF-8
        (
            "\u201cQuoted\u201d \u2014 so",
            ["\u201c", "quoted", "\u201d", "\u2014", "so"],
        ),
    ],
)
def test_tokenize(text, tokens):
    assert data.tokenize(text) == tokens


@given(st.text())
def test_tokens_joined_by_spaces_tokenize_to_themselves(text):
    tokens = data.tokenize(text)
    assert data.tokenize(" ".join(tokens)) == tokens


@given(st.text())
def test_tokens_hold_no_space_and_every_letter(text):
    tokens = data.tokenize(text)
    assert not any(c.isspace() for token in tokens for c in token)
    letters = unicodedata.normalize("NFC", text.lower())
    for letter in filter(str.isalnum, letters):
        assert letter in "".join(tokens)


def test_fast_and_slow_way_of_tokenize_agree():
    text = data.alice()
    # one character beyond ASCII sends the whole text the slow way
    assert data.tokenize(text + " é")[:-1] == data.tokenize(text)


def test_vocabulary_order_is_by_count_then_alphabet():
    vocabulary = data.Vocabulary(["b a c", "c b", "c d"])
    assert vocabulary.words == ("<pad>", "<unk>", "c", "b", "a", "d")


@given(st.permutations(["b a", "c b", "c d", "a"]))
def test_vocabulary_does_not_depend_on_the_order_of_texts(texts):
    assert data.Vocabulary(texts) == data.Vocabulary(sorted(texts))


def test_vocabulary_limits():
    assert data.Vocabulary(TEXTS, min_count=2).words[2:] == ("a", "film", "good")
    assert len(data.Vocabulary(TEXTS, max_size=3)) == 3
    assert len(data.Vocabulary(TEXTS, max_size=99)) == 5


def test_vocabulary_encodes_and_decodes():
    vocabulary = data.Vocabulary(TEXTS)
    assert vocabulary.encode("A BAD film") == [2, 1, 3]
    assert vocabulary.encode(["film", "Film"]) == [3, 1]  # tokens taken as they are
    assert vocabulary.decode([0, 2, 1]) == ["<pad>", "a", "<unk>"]
    padded = data.pad_sequences([vocabulary.encode("film")], maxlen=2)
    assert vocabulary.decode(padded[0]) == ["<pad>", "film"]
    assert vocabulary.encode("") == [] and vocabulary.decode([]) == []
    assert vocabulary.index("film") == 3
    assert "film" in vocabulary and "Film" not in vocabulary and 3 not in vocabulary
    assert list(vocabulary) == list(vocabulary.words) and len(vocabulary) == 5
    assert repr(vocabulary).startswith("Vocabulary(5 words: '<pad>', '<unk>', 'a'")


def test_special_tokens_in_the_data_keep_their_places():
    vocabulary = data.Vocabulary([["<unk>", "<pad>", "word"]])
    assert vocabulary.words == ("<pad>", "<unk>", "word")
    assert vocabulary.encode(["<unk>", "<pad>"]) == [1, 0]


def test_letters_as_tokens():
    vocabulary = data.Vocabulary([[*"anna"], [*"an na"]])
    assert "".join(vocabulary.decode(vocabulary.encode([*"nan a"]))) == "nan a"


@given(st.lists(st.lists(st.text(min_size=1), min_size=1), min_size=1))
def test_known_words_survive_encoding_and_the_vocabulary_survives_json(lists):
    specials = {"<pad>", "<unk>"}
    if set().union(*lists) <= specials:
        lists.append(["word"])
    vocabulary = data.Vocabulary(lists)
    for tokens in lists:
        assert vocabulary.decode(vocabulary.encode(tokens)) == tokens
    again = data.Vocabulary.from_dict(json.loads(json.dumps(vocabulary.to_dict())))
    assert again == vocabulary and hash(again) == hash(vocabulary)


# padding: the examples of Keras' documentation and of our reference


def test_pad_sequences_as_keras():
    sequences = [[1], [2, 3], [4, 5, 6]]
    padded = data.pad_sequences(sequences)
    assert padded.tolist() == [[0, 0, 1], [0, 2, 3], [4, 5, 6]]
    assert padded.dtype == np.int32
    cases = [
        ({"value": -1}, [[-1, -1, 1], [-1, 2, 3], [4, 5, 6]]),
        ({"padding": "post"}, [[1, 0, 0], [2, 3, 0], [4, 5, 6]]),
        ({"maxlen": 2}, [[0, 1], [2, 3], [5, 6]]),
        ({"maxlen": 2, "truncating": "post"}, [[0, 1], [2, 3], [4, 5]]),
        ({"maxlen": 2, "padding": "post"}, [[1, 0], [2, 3], [5, 6]]),
        ({"maxlen": 4}, [[0, 0, 0, 1], [0, 0, 2, 3], [0, 4, 5, 6]]),
    ]
    for options, expected in cases:
        assert data.pad_sequences(sequences, **options).tolist() == expected, options


def test_arguments_come_in_keras_order():
    padded = data.pad_sequences([[1, 2, 3], [4]], 2, "float64", "post", "post", 9.5)
    assert padded.tolist() == [[1, 2], [4, 9.5]] and padded.dtype == np.float64


@given(
    RAGGED,
    st.none() | st.integers(1, 10),
    st.sampled_from(["pre", "post"]),
    st.sampled_from(["pre", "post"]),
)
def test_mask_is_time_first_and_tells_what_is_real(rows, maxlen, padding, truncating):
    padded, mask = data.pad_sequences(
        rows, maxlen, padding=padding, truncating=truncating, return_mask=True
    )
    steps = max(map(len, rows)) if maxlen is None else maxlen
    assert padded.shape == (len(rows), steps)  # (B, T)
    assert mask.shape == (steps, len(rows)) and mask.dtype == bool  # (T, B)
    assert np.array_equal(padded.T != 0, mask)  # these rows hold no 0
    for k, row in enumerate(rows):
        cut = len(row) - steps if truncating == "pre" and len(row) > steps else 0
        assert padded[k][mask[:, k]].tolist() == row[cut : cut + steps]
        changes = np.diff(mask[:, k].astype(int))
        assert not np.any(changes == (-1 if padding == "pre" else 1))


def test_mask_counts_a_real_zero_as_real():
    _, mask = data.pad_sequences([[0, 0], [7]], return_mask=True)
    assert mask.T.tolist() == [[True, True], [False, True]]


def test_an_empty_sequence_is_all_padding():
    padded, mask = data.pad_sequences([[], [1, 2]], return_mask=True)
    assert padded.tolist() == [[0, 0], [1, 2]] and not mask[:, 0].any()
    assert data.pad_sequences([[], []]).shape == (2, 0)


def test_steps_may_have_features():
    padded, mask = data.pad_sequences(
        [np.ones((1, 3)), [], np.ones((2, 3))], dtype="float32", return_mask=True
    )
    assert padded.shape == (3, 2, 3) and mask.shape == (2, 3)
    assert padded.sum() == 9


def test_words_can_be_padded_as_objects():
    padded = data.pad_sequences([["the"], ["a", "b"]], dtype=object, value="<pad>")
    assert padded.tolist() == [["<pad>", "the"], ["a", "b"]]


def test_padding_copies():
    row = np.array([1, 2])
    data.pad_sequences([row], dtype=row.dtype)[:] = 0
    assert row.tolist() == [1, 2]


def test_the_last_column_is_the_answer_only_with_padding_in_front():
    """The next-word lesson: x = padded[:, :-1], y = padded[:, -1]."""
    sentence = [4, 7, 2, 9]
    prefixes = data.ngram_prefixes(sentence)
    assert prefixes == [[4, 7], [4, 7, 2], [4, 7, 2, 9]]
    answers = [prefix[-1] for prefix in prefixes]

    before = data.pad_sequences(prefixes)
    assert before[:, -1].tolist() == answers
    assert before[:, :-1].tolist() == [[0, 0, 4], [0, 4, 7], [4, 7, 2]]

    after = data.pad_sequences(prefixes, padding="post")
    assert after[:, -1].tolist() == [0, 0, 9]  # two of three answers are padding ...
    assert after[0, :-1].tolist() == [4, 7, 0]  # ... and the input holds the answer


def test_ngram_prefixes():
    assert data.ngram_prefixes([]) == data.ngram_prefixes([1]) == []
    assert data.ngram_prefixes(("the", "sky", "is"))[-1] == ["the", "sky", "is"]
    assert data.ngram_prefixes(np.array([1, 2])) == [[1, 2]]


# classes and windows


def test_to_categorical():
    rows = data.to_categorical([1, 3], 5)
    assert np.array_equal(rows, np.eye(5)[[1, 3]]) and rows.dtype == np.float32
    assert data.to_categorical([0, 2]).shape == (2, 3)
    assert data.to_categorical(2).tolist() == [0, 0, 1]
    assert data.to_categorical([True, False], dtype="int8").tolist() == [[0, 1], [1, 0]]
    assert data.to_categorical([1.0], 2).tolist() == [[0, 1]]
    assert data.to_categorical([], 4).shape == (0, 4)
    assert data.one_hot is data.to_categorical


@pytest.mark.parametrize("shape", [(), (1,), (4, 1), (1, 1), (2, 3), (0, 2)])
def test_to_categorical_adds_one_axis_whatever_the_shape(shape):
    labels = np.random.default_rng(0).integers(0, 5, shape)
    rows = data.to_categorical(labels, 5)
    assert rows.shape == (*shape, 5)
    assert np.array_equal(rows.argmax(-1), labels)
    assert np.all(rows.sum(-1) == 1)


@given(st.integers(2, 20), st.integers(1, 5), st.integers(1, 3))
def test_windows(steps, length, horizon):
    if length + horizon > steps:
        return
    series = np.arange(2 * steps).reshape(steps, 2)
    x, y = data.windows(series, length, horizon)
    assert x.shape == (steps - length - horizon + 1, length, 2) and len(x) == len(y)
    for k in range(len(x)):
        assert np.array_equal(x[k], series[k : k + length])
        assert np.array_equal(y[k], series[k + length + horizon - 1])


def test_windows_of_a_flat_series_are_copies():
    series = np.array([1.0, 2.0, 3.0, 4.0, 5.0])
    x, y = data.windows(series, 3)
    assert x.tolist() == [[1, 2, 3], [2, 3, 4]] and y.tolist() == [4, 5]
    x[0, 1] = y[0] = 99
    assert x[1, 0] == 2 and series.tolist() == [1, 2, 3, 4, 5]


# batches and parts


def test_batches_keep_columns_together_and_lose_no_row():
    x, y = np.arange(10), [str(k) for k in range(10)]
    loader = data.batches(x, y, batch_size=4, rng=0)
    assert len(loader) == 3
    sizes, seen = [], []
    for bx, by in loader:
        assert isinstance(bx, np.ndarray) and isinstance(by, list)
        assert [str(k) for k in bx] == by
        sizes.append(len(by))
        seen += by
    assert sizes == [4, 4, 2] and sorted(seen) == y


def test_the_same_seed_gives_the_same_epochs():
    def epochs(rng, count=3):
        loader = data.batches(np.arange(20), batch_size=6, rng=rng)
        return [[batch.tolist() for batch in loader] for _ in range(count)]

    assert epochs(5) == epochs(5) == epochs(np.random.default_rng(5))
    assert epochs(5) != epochs(6)
    first, second, _ = epochs(5)
    assert first != second  # each epoch has an order of its own


def test_batches_in_order():
    x = np.arange(5)
    loader = data.batches(x, batch_size=2, shuffle=False)
    assert [batch.tolist() for batch in loader] == [[0, 1], [2, 3], [4]]
    for batch in loader:
        batch[:] = -1
    assert x.tolist() == [0, 1, 2, 3, 4]  # batches are copies
    dropped = data.batches(x, batch_size=2, shuffle=False, drop_last=True)
    assert [batch.tolist() for batch in dropped] == [[0, 1], [2, 3]]
    assert len(dropped) == 2


def test_batches_of_a_table_are_tables():
    batch = next(iter(data.batches(data.first_names(), batch_size=3, rng=0)))
    assert isinstance(batch, data.FirstNames) and len(batch.names) == 3
    assert len(data.batches(data.first_names(), batch_size=1000)) == 6


@given(
    st.lists(st.integers(1, 9), min_size=1, max_size=40),
    st.integers(1, 7),
    st.booleans(),
)
def test_batches_by_length_hold_neighbours_in_length(lengths, size, shuffle):
    rows = [[k] * length for k, length in enumerate(lengths)]
    loader = data.batches(
        rows, batch_size=size, shuffle=shuffle, rng=1, lengths=lengths
    )
    spans = []
    for batch in loader:
        inside = [len(row) for row in batch]
        spans.append((min(inside), max(inside)))
    assert sum(len(batch) for batch in loader) == len(rows)
    spans.sort()
    assert all(a[1] <= b[0] for a, b in pairwise(spans))


def test_batches_by_length_save_padding_and_shuffle():
    encoded = [text.split() for text in data.movie_reviews().texts[:2000]]
    lengths = [len(row) for row in encoded]

    def padded_steps(**options):
        loader = data.batches(lengths, batch_size=32, rng=0, **options)
        return sum(max(batch) * len(batch) for batch in loader)

    assert padded_steps(lengths=lengths) < 1.05 * sum(lengths)
    assert padded_steps() > 1.5 * sum(lengths)
    first = [max(b) for b in data.batches(lengths, batch_size=32, lengths=lengths)]
    assert first != sorted(first)


def test_drop_last_by_length_does_not_always_drop_the_longest():
    lengths = [1, 2, 3]
    kept = set()
    loader = data.batches(lengths, batch_size=2, drop_last=True, rng=0, lengths=lengths)
    for _ in range(30):
        kept.update(*loader)
    assert kept == {1, 2, 3}


@given(st.integers(10, 60), st.integers(0, 99), st.booleans())
def test_split_parts_share_nothing_and_lose_nothing(count, seed, shuffle):
    parts = data.split(count, (0.6, 0.2, 0.2), rng=seed, shuffle=shuffle)
    rows = np.concatenate(parts)
    assert sorted(rows.tolist()) == list(range(count))
    assert all(np.all(np.diff(part) > 0) for part in parts)
    assert abs(len(parts[0]) - 0.6 * count) <= 1
    if not shuffle:
        assert rows.tolist() == list(range(count))


def test_split_gives_parts_of_the_kind_it_got():
    train, test = data.split([*"abcde"], 0.8)
    assert isinstance(train, list) and len(train) == 4 and len(test) == 1
    x = np.arange(20).reshape(10, 2)
    past, future = data.split(x, (0.75, 0.25), shuffle=False)
    assert np.array_equal(np.concatenate([past, future]), x)
    assert data.split("hello world!", (0.5, 0.5), shuffle=False) == ("hello ", "world!")
    train, test = data.split(data.movie_reviews(), (0.8, 0.2))
    assert isinstance(train, data.MovieReviews)
    assert len(train.texts) == len(train.ratings) == 8482
    assert not set(train.texts) & set(test.texts)


def test_split_is_the_same_unless_told_otherwise():
    one, other = data.split(100)[1], data.split(100)[1]
    assert np.array_equal(one, other)
    assert not np.array_equal(one, data.split(100, rng=1)[1])


# the shipped data


def test_movie_reviews():
    texts, ratings = data.movie_reviews()
    assert len(texts) == len(ratings) == len(set(texts)) == 10_603
    assert ratings.dtype == np.float64 and ratings.min() >= -4 and ratings.max() <= 4
    clear = ratings[np.abs(ratings) >= 1]
    assert len(clear) == 9171 and (clear > 0).sum() == 4597
    assert all(text.strip() and "&amp;" not in text for text in texts)
    assert any("Lovely & Amazing" in text for text in texts)
    assert ("Effective but too tepid biopic", -0.6) in zip(texts, ratings, strict=True)


def test_alice():
    text = data.alice()
    assert text.startswith("ALICE'S ADVENTURES IN WONDERLAND")
    assert len(text) == 148_460 and text.isascii() and len(set(text)) == 72
    assert text.count("\n") == 3604 and text.endswith("THE END\n")


def test_first_names():
    names, lists = data.first_names()
    assert len(names) == len(lists) == 5494 and len(set(names)) == 5163
    assert lists.count("F") == 4275 and lists.count("M") == 1219
    assert names[0] == "Mary" and all(name.isalpha() for name in names)


def test_program_tags():
    texts, tags = data.program_tags()
    assert len(texts) == len(tags) == len(set(texts)) == 7379
    assert len({tag for row in tags for tag in row}) == 24
    assert sum(len(row) > 1 for row in tags) == 5838
    assert all(row == tuple(sorted(set(row))) and row for row in tags)


def test_seattle_weather():
    weather = data.seattle_weather()
    assert {len(column) for column in weather} == {1461}
    assert weather.dates[0] == np.datetime64("2012-01-01")
    assert np.all(np.diff(weather.dates) == np.timedelta64(1, "D"))
    assert np.all(weather.temp_max >= weather.temp_min)
    assert weather.temp_max.max() == 35.6 and weather.precipitation.max() == 55.9
    assert set(weather.weather) == {"drizzle", "fog", "rain", "snow", "sun"}
    in_2012 = weather.dates < np.datetime64("2013")
    labels = np.array(weather.weather)
    assert (labels[in_2012] == "rain").sum() == 191  # the break the README warns of


def test_shipped_data_are_read_once_and_cannot_be_spoilt():
    assert data.movie_reviews() is data.movie_reviews()
    with pytest.raises(ValueError, match="read-only"):
        data.seattle_weather().temp_max[0] = 0


def test_a_broken_data_file_is_one_clear_error(monkeypatch):
    from minigrad.data import shipped

    with pytest.raises(DataError, match=r"nothing\.txt: the data file of this"):
        shipped._read("nothing.txt")
    monkeypatch.setattr("gzip.decompress", lambda raw: raw[:0].decode("ascii", 1))
    monkeypatch.setattr("pathlib.Path.read_bytes", lambda path: b"\xff\xfe")
    with pytest.raises(DataError, match="UnicodeDecodeError"):
        shipped._read("alice.txt")


# tables


def read(text, separator=","):
    columns = {"rating": float, "text": str}
    return parse_table(text, columns, separator=separator, source="my.csv")


def test_parse_table():
    table = read('text,extra,rating\n"so, so",x,1\n\n"two\nlines",y,-2.5\n')
    assert table == {"rating": [1.0, -2.5], "text": ["so, so", "two\nlines"]}
    table = read('rating\ttext\n1\t"quoted" word\r\n', "\t")
    assert table["text"] == ['"quoted" word']


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "my.csv, line 1: column 'rating' is missing"),
        ("a,text\n1,b\n", "line 1: column 'rating' is missing"),
        ("rating,text\n", "no rows"),
        ("rating,text\n1,a\n2\n", r"line 3: not as many fields(.|\n)*actual  1 fields"),
        ("rating,text\n1,a,b\n", r"line 2: not as many fields"),
        ("rating,text\n1,a\nx,b\n", r"line 3: unreadable rating(.|\n)*actual  'x'"),
        ('rating,text\n1,"a\n', "not a well-formed row"),
    ],
)
def test_malformed_tables_name_the_line(text, message):
    with pytest.raises(DataError, match=message):
        read(text)


# bad input: each one clear error, with its class and words pinned

SMALL = data.Vocabulary(TEXTS)
BAD = [
    (lambda: data.tokenize(b"bytes"), DTypeError, "text is bytes, not str"),
    (lambda: data.tokenize(["a"]), DTypeError, r"\[tokenize\(t\) for t in texts\]"),
    (lambda: data.Vocabulary([]), DataError, "no word in the texts"),
    (lambda: data.Vocabulary(["", []]), DataError, "no word in the texts"),
    (lambda: data.Vocabulary([["<unk>"]]), DataError, "no word in the texts"),
    (lambda: data.Vocabulary("a text"), DTypeError, r"Vocabulary\(\[text\]\)"),
    (lambda: data.Vocabulary(7), DTypeError, "not a list of texts"),
    (lambda: data.Vocabulary({"a": 1}), DTypeError, "not a list of texts"),
    (lambda: data.Vocabulary([1, 2]), DTypeError, r"1 \(int\)"),
    (lambda: data.Vocabulary([[["a"]]]), DTypeError, "tokens are strings"),
    (
        lambda: data.Vocabulary(["a b"], min_count=2),
        DataError,
        "most frequent word has 1",
    ),
    (lambda: data.Vocabulary(["a"], min_count=0), ArgumentError, "min_count"),
    (lambda: data.Vocabulary(["a"], max_size=2), ArgumentError, "max_size"),
    (lambda: data.Vocabulary(["a"], max_size=2.5), ArgumentError, r"2.5 \(float\)"),
    (lambda: SMALL.encode([3]), DTypeError, r"encode\(text\): tokens are strings"),
    (lambda: SMALL.encode(None), DTypeError, "NoneType"),
    (lambda: SMALL.encode("xyzzy?", need_known=True), DataError, "'xyzzy', '[?]'"),
    (lambda: SMALL.encode("", need_known=True), DataError, "an empty text"),
    (lambda: SMALL.decode([5]), DataError, r"numbers\[0\](.|\n)*0 <= number < 5"),
    (lambda: SMALL.decode([0, -1]), DataError, r"numbers\[1\]"),
    (lambda: SMALL.decode([[1], [2]]), ShapeError, r"shape \(2, 1\)"),
    (lambda: SMALL.decode(3), ShapeError, "not one flat row"),
    (lambda: SMALL.decode([1.5]), DTypeError, "whole numbers"),
    (lambda: SMALL.decode(["film"]), DTypeError, "not numbers"),
    (lambda: SMALL.index("nope"), ArgumentError, "'nope'"),
    (lambda: data.Vocabulary.from_dict({}), DataError, "not a saved vocabulary"),
    (lambda: data.Vocabulary.from_dict([]), DataError, "not a saved vocabulary"),
    (
        lambda: data.Vocabulary.from_dict({"words": ["<pad>", "<unk>", "a", "a"]}),
        DataError,
        "each word a str, once",
    ),
    (
        lambda: data.Vocabulary.from_dict({"words": ["<pad>", "<unk>", ["a"]]}),
        DataError,
        "not a saved vocabulary",
    ),
    (lambda: data.pad_sequences([]), DataError, "there are no sequences"),
    (lambda: data.pad_sequences([1, 2]), ShapeError, r"\[0\] is 1 \(int\)"),
    (lambda: data.pad_sequences(np.array(3)), DTypeError, "not a list of sequences"),
    (lambda: data.pad_sequences("abc"), DTypeError, "not a list of sequences"),
    (lambda: data.pad_sequences(["abc"]), DTypeError, "encode words first"),
    (lambda: data.pad_sequences([["a"]]), DTypeError, "encode words first"),
    (lambda: data.pad_sequences([[None]]), DTypeError, "object"),
    (lambda: data.pad_sequences([[1, [2, 3]]]), ShapeError, "nested unevenly"),
    (lambda: data.pad_sequences([[1], [[2]]]), ShapeError, r"sequences\[1\] has other"),
    (lambda: data.pad_sequences([[1], [2.5]]), DTypeError, r"\[1\]\[0\] does not fit"),
    (lambda: data.pad_sequences([[300]], dtype="int8"), DTypeError, "actual  300"),
    (lambda: data.pad_sequences([[2**40]]), DTypeError, "does not fit into int32"),
    (lambda: data.pad_sequences([[2**70]]), DTypeError, "not numbers"),
    (lambda: data.pad_sequences([[np.nan]]), DTypeError, "nan"),
    (lambda: data.pad_sequences([[1]], maxlen=-1), ArgumentError, "maxlen=-1"),
    (lambda: data.pad_sequences([[1]], maxlen=0), ArgumentError, "maxlen=0"),
    (
        lambda: data.pad_sequences([[1]], padding="left"),
        ArgumentError,
        "padding='left'",
    ),
    (lambda: data.pad_sequences([[1]], truncating=1), ArgumentError, "truncating=1"),
    (lambda: data.pad_sequences([[1]], value=0.5), DTypeError, "value does not fit"),
    (lambda: data.pad_sequences([[1]], value=[0, 1]), ShapeError, "not one number"),
    (lambda: data.pad_sequences([[1]], dtype="str"), DTypeError, "words dtype=object"),
    (lambda: data.pad_sequences([[1]], dtype="nope"), DTypeError, "dtype='nope'"),
    (lambda: data.ngram_prefixes("the sky"), DTypeError, "not a list of tokens"),
    (lambda: data.ngram_prefixes(3), DTypeError, "int"),
    (lambda: data.ngram_prefixes(np.eye(2)), ShapeError, r"shape \(2, 2\)"),
    (lambda: data.to_categorical([0, 3], 3), DataError, r"y\[1\](.|\n)*0 <= class < 3"),
    (lambda: data.to_categorical([[0, -1]]), DataError, r"y\[0, 1\]"),
    (lambda: data.to_categorical(-1, 3), DataError, "y is no class"),
    (lambda: data.to_categorical([]), DataError, "pass num_classes"),
    (lambda: data.to_categorical([0.5]), DTypeError, "0.5"),
    (lambda: data.to_categorical(["cat"]), DTypeError, "give each class a number"),
    (lambda: data.to_categorical([[0], [1, 2]]), ShapeError, "nested unevenly"),
    (lambda: data.to_categorical([0], 0), ArgumentError, "num_classes=0"),
    (
        lambda: data.to_categorical([0], dtype="U3"),
        DTypeError,
        "not a dtype for numbers",
    ),
    (lambda: data.windows([1, 2, 3], 3), DataError, "at least 4 steps"),
    (lambda: data.windows([1, 2, 3], 0), ArgumentError, "length=0"),
    (lambda: data.windows([1, 2, 3], 1, horizon=0), ArgumentError, "horizon=0"),
    (lambda: data.windows([1, np.nan, 3], 1), DataError, r"series\[1\] is nan"),
    (lambda: data.windows(3.0, 1), ShapeError, "one number"),
    (lambda: data.windows(["a", "b"], 1), DTypeError, "not numbers"),
    (lambda: data.batches(batch_size=2), ArgumentError, "nothing to cut"),
    (lambda: data.batches([1], batch_size=0), ArgumentError, "batch_size=0"),
    (lambda: data.batches([1], batch_size=True), ArgumentError, r"True \(bool\)"),
    (lambda: data.batches([], batch_size=2), DataError, "there are no rows"),
    (lambda: data.batches([1], batch_size=2, drop_last=True), DataError, "1 rows make"),
    (lambda: data.batches([1, 2], [1], batch_size=1), ShapeError, "2, 1 rows"),
    (
        lambda: data.batches(np.ones((5, 2)), np.ones((2, 5)), batch_size=1),
        ShapeError,
        r"mask\.T",
    ),
    (lambda: data.batches("abc", batch_size=1), DTypeError, "str"),
    (lambda: data.batches({"a": 1}, batch_size=1), DTypeError, "dict"),
    (lambda: data.batches(iter([1]), batch_size=1), DTypeError, "of a generator"),
    (lambda: data.batches(np.array(1), batch_size=1), DTypeError, "ndarray"),
    (lambda: data.batches([1], batch_size=1, rng="x"), ArgumentError, "rng='x'"),
    (lambda: data.batches([1], batch_size=1, rng=-1), ArgumentError, "rng=-1"),
    (lambda: data.batches([1], batch_size=1, lengths=[1, 2]), ShapeError, "per row"),
    (lambda: data.split(10, (0.5, 0.4)), ArgumentError, "add up to 1"),
    (lambda: data.split(10, (1.5, -0.5)), ArgumentError, "add up to 1"),
    (lambda: data.split(10, (np.nan, 1)), ArgumentError, "add up to 1"),
    (lambda: data.split(10, ()), ArgumentError, "add up to 1"),
    (lambda: data.split(3, (0.9, 0.1)), DataError, "part 1 would be empty"),
    (lambda: data.split(0), ArgumentError, "data=0"),
    (lambda: data.split([]), DataError, "there are no rows"),
    (lambda: data.split("text"), ArgumentError, "shuffle=False"),
    (lambda: data.split("", shuffle=False), DataError, "part 0 would be empty"),
]


@pytest.mark.parametrize(("call", "error", "message"), BAD)
def test_bad_input_is_one_clear_error(call, error, message):
    with pytest.raises(error, match=message) as caught:
        call()
    assert isinstance(caught.value, MinigradError)
    text = str(caught.value)
    assert all(f"\n  {word}  " in text for word in ("expect", "actual", "hint  "))


def test_the_message_in_full():
    with pytest.raises(DTypeError) as caught:
        data.pad_sequences([[1, 2], [3, 4.5]])
    assert caught.value.where.startswith("test_data.py:")
    assert str(caught.value) == (
        "pad_sequences(sequences[1]): sequences[1][1] does not fit into int32\n"
        "  expect  values that int32 holds exactly\n"
        "  actual  4.5\n"
        f"  in      {caught.value.where}\n"
        '  hint    round it yourself, or choose a dtype that holds it ("float32")'
    )


def test_every_public_name_is_documented():
    for name in data.__all__:
        assert getattr(data, name).__doc__, name
