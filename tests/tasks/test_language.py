"""The tasks that say what comes next, and those that tag: parts kept apart, figures
against plain loops, small data trained to the end, and input that is refused."""

import signal
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest

import minigrad as mg
from minigrad import tasks
from minigrad.engine import errors
from minigrad.engine.functions import log_softmax
from minigrad.models import LanguageModel
from minigrad.tasks import first_names, sentiment, tag_figures, text_passages
from minigrad.tasks.statistics import f1
from minigrad.tasks.task_options import settings
from minigrad.tasks.writing import continued, read_through, suggestions
from minigrad.training import Stopped

SMALL = {"epochs": 2, "hidden": 6, "page": False}


def prepared(name, **given):
    task = tasks.task(name)
    chosen = settings(task.options, given)
    return task, chosen, task.prepare(chosen)


def built(name, **given):
    task, chosen, data = prepared(name, **given)
    return task, task.build(task.configure(chosen, data), 0, 0).eval(), data


# ------------------------------------------------------------- files of one's own


def sentence(rng, mood):
    words = {1: ["fine", "great", "good"], -1: ["bad", "dull", "poor"]}[mood]
    return f"a {rng.choice(words)} film with a {rng.choice(words)} plot"


@pytest.fixture
def files(tmp_path):
    """A small file for each task, by the task's name."""
    rng = np.random.default_rng(0)
    moods = [(-1) ** k for k in range(80)]
    made = {
        "sentiment.tsv": "rating\ttext\n"
        + "\n".join(f"{2.0 * m}\t{sentence(rng, m)}" for m in moods),
        "autotagging.csv": "text,tags\n"
        + "\n".join(
            f'{sentence(rng, m)},"{"up" if m > 0 else "down"},film"' for m in moods
        ),
        "next-word.txt": "the quick brown fox jumps over the lazy dog . " * 60,
        "next-character.txt": "the quick brown fox jumps over the lazy dog\n" * 40,
        "first-names.txt": "\n".join(
            a + b + c for a in "abeo" for b in ("nn", "ll", "rt") for c in ("a", "e")
        ),
        "name-tagging.txt": "\n".join(
            f"then *{n} came to the {p} again"
            for n in ("Tom", "Ann", "Bob", "Eve", "Max")
            for p in ("house", "river", "town", "old mill")
        ),
    }
    found = {}
    for name, text in made.items():
        path = tmp_path / name
        path.write_text(text + "\n", encoding="utf-8")
        found[name.partition(".")[0]] = str(path)
    return found


INPUTS = {
    "sentiment": "a good film",
    "autotagging": "a dull plot",
    "next-word": "the quick",
    "next-character": "the q",
    "first-names": "an",
    "name-tagging": "then tom came",
}


@pytest.mark.parametrize("name", INPUTS)
def test_every_task_runs_to_its_end_on_a_file_of_one_s_own(name, files, tmp_path):
    given = dict(SMALL, page=True, data=files[name])
    if name in ("next-word", "next-character"):
        given |= {"batch_size": 4, "steps": 10}
    trained = tasks.train(name, folder=tmp_path / "run", **given)
    assert len(trained.history) == 2
    own, *others = trained.figures.values()
    assert others and all(np.isfinite(list(own.values())))
    page = (tmp_path / "run" / "index.html").read_text()
    assert "Held out" in page or "held out" in page
    answers = trained.predict(INPUTS[name])
    again = tasks.load(name, tmp_path / "run").predict(INPUTS[name])
    assert answers and repr(answers) == repr(again)
    chosen = settings(trained.task.options, {"data": files[name]})
    example = trained.task.prepare(chosen).example
    assert example and trained.predict(example)  # of the user's own data


def test_only_wrong_sentences_are_shown_as_wrong(files):
    """Not the least sure of the right ones, where fewer are wrong than are shown."""
    part = prepared("sentiment", data=files["sentiment"])[2].test
    right = 2.0 * part.positive - 1
    told = sentiment.mistakes(part, right)
    assert told.lines and not told.tables
    logits = right.copy()
    logits[[1, 4]] *= -1, -2
    told = sentiment.mistakes(part, logits)
    shown = [row[0] for row in told.tables[0].rows]
    assert shown == [part.texts[4], part.texts[1]] and not told.lines


def test_names_are_new_or_learned_from():
    """Only of the package's names: a user's file may be gone."""
    task, model, data = built("first-names")
    found = {}
    for path in (None, "gone.txt"):
        asked = SimpleNamespace(settings=SimpleNamespace(data=path), model=model)
        asked.reading = data.reading
        _, found[path] = task.predict(asked, "mary", temperature=0.3)[0].tables
    assert {len(row) for row in found["gone.txt"].rows} == {1}
    learned = set(data.train.names)
    for name, kind in found[None].rows:
        assert kind == ("in the training data" if name.lower() in learned else "new")


def test_what_a_file_has_to_hold(tmp_path):
    def refused(name, text, match, suffix=".tsv", **given):
        path = tmp_path / f"file{suffix}"
        path.write_text(text, encoding="utf-8")
        with pytest.raises(errors.DataError, match=match) as found:
            prepared(name, data=str(path), **given)
        return str(found.value)

    refused("sentiment", "rating\ttext\n2\tone\n3\ttwo\n", "all sentences are on one")
    said = refused("sentiment", "rating\ttext\n2\tfine\nhm\tbad\n", "line 3")
    assert "'hm'" in said
    refused("sentiment", "stars\ttext\n2\tfine\n", "line 1")
    refused("sentiment", "rating\ttext\n2\tfine\n3\n", "line 3")
    refused("autotagging", "text\ttags\na\tx\nb\tx\n", "the same tag")
    refused("autotagging", "text\ttags\na\tx\nb\t , \n", "the same tag")
    refused("next-word", "too short", "too short to learn", ".txt")
    refused("next-word", "", "cannot be used", ".txt")
    refused("first-names", "Ann\nBob\n", "too few names", ".txt")
    refused("first-names", "Ann\n" + "x" * 60 + "\n", "line 2", ".txt")
    refused("name-tagging", "then *Tom came\n", "too few sentences", ".txt")
    refused("name-tagging", "one\nthen * , came\n", "line 2: a star without", ".txt")
    refused("name-tagging", "then he came *\n", "star at the end", ".txt")
    refused("name-tagging", "nobody came here\n" * 30, "no word .* is marked", ".txt")


@pytest.mark.parametrize("name", INPUTS)
def test_input_that_says_nothing(name):
    """Unknown words, or none: an error, not an answer."""
    task = tasks.task(name)
    vocabulary = mg.data.Vocabulary([["only", "these"]])
    names = ("words", "tokens", "letters")
    reading = dict.fromkeys(names, vocabulary) | {"tags": ["x"], "threshold": 0.5}
    trained = SimpleNamespace(model=None, reading=reading)
    for text in ("qwertz", "   " if name != "first-names" else "ß"):
        with pytest.raises(errors.DataError):
            task.predict(trained, text)


def test_a_very_long_sentence_is_refused_by_its_length():
    vocabulary = mg.data.Vocabulary([["word"]])
    trained = SimpleNamespace(model=None, reading={"words": vocabulary})
    with pytest.raises(errors.DataError, match="the sentence has 5000 words"):
        tasks.task("sentiment").predict(trained, "word " * 5000)


# ------------------------------------------------------------- parts and figures


def test_sentences_are_in_one_part_only_and_unclear_ones_only_train():
    _, _, data = prepared("sentiment")
    texts = [part.texts for part in (data.train, data.validation, data.test)]
    assert sum(map(len, texts)) == len(set().union(*texts)) == 10603
    assert all((np.abs(p.ratings) >= 1).all() for p in (data.validation, data.test))
    assert (np.abs(data.train.ratings) < 1).sum() == 1432
    chances = data.train.chances
    assert ((chances > 0.5) == (data.train.ratings > 0)).all()
    often = sentiment.Sentiment().baselines(data)["the more frequent side"]
    assert 0.5 < often["accuracy"] < 0.52


@pytest.mark.parametrize("name", ["next-word", "next-character"])
def test_the_text_is_cut_in_order(name):
    task, _, data = prepared(name)
    words = data.reading["tokens"]
    whole = task.cut(mg.data.alice())
    parts = [data.train, data.validation, data.test]
    joined = np.concatenate([part.tokens for part in parts])
    assert np.array_equal(joined, words.encode(whole))
    assert np.array_equal(data.test.before, data.validation.tokens[-200:])
    batches = task.batches(data, SimpleNamespace(batch_size=4, steps=7), mg_rng(0))
    stretches = list(batches)
    assert len(stretches) == len(batches)
    for (x, y), (later, _) in pairwise(stretches):
        assert np.array_equal(x[1:], y[:-1]) and np.array_equal(y[-1], later[0])


def mg_rng(seed):
    return np.random.default_rng(seed)


def test_bits_are_those_of_reading_the_text_through():
    _, model, data = built("next-character", hidden=5)
    part = text_passages.Passage(data.test.before, data.test.tokens[:90])
    found = text_passages.bits(model, part)
    whole = np.concatenate(part)
    with mg.no_grad():
        logits, _ = model(whole[:-1, None])
    chances = log_softmax(logits).data[:, 0] / np.log(2)
    expected = -chances[np.arange(len(whole) - 1), whole[1:]][-90:]
    # a strand has CONTEXT tokens before it, not all: that is enough here
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_bits_of_names_count_their_end():
    _, model, data = built("first-names", hidden=5)
    part = first_names.Names(data.test.names[:5], data.test.tokens[:5])
    found = first_names.bits(model, part)
    assert [len(b) for b in found] == [len(name) + 1 for name in part.names]
    tokens = np.array(part.tokens[3])
    with mg.no_grad():
        logits, _ = model(tokens[:-1, None])
    chances = log_softmax(logits).data[:, 0] / np.log(2)
    expected = -chances[np.arange(len(tokens) - 1), tokens[1:]]
    np.testing.assert_allclose(found[3], expected, rtol=1e-4)


def test_micro_f1_is_counted_over_all_tags():
    given = np.array([[1, 0], [1, 1], [0, 0]], bool)
    wanted = np.array([[1, 1], [0, 1], [0, 0]], bool)
    assert f1(given, wanted) == pytest.approx(2 * 2 / 6)
    assert f1(~wanted & wanted, wanted) == 0.0
    assert tag_figures.of_tag(given[:, 0], wanted[:, 0]) == (0.5, 1.0, 2 / 3)


# ------------------------------------------------------------- writing


def test_a_text_that_was_read_is_not_read_again():
    model = LanguageModel(9, "gru", 4, 5, rng=0)
    model.eval()
    calls = []
    forward = model.forward
    model.forward = lambda *given: calls.append(given[0].size) or forward(*given)
    tokens = [2, 3, 4, 5] * 300
    read = read_through(model, tokens)
    assert sum(calls) == len(tokens)
    again = suggestions(model, tokens, 3), continued(model, tokens, 4, seed=1)
    calls.clear()
    known = (
        suggestions(model, tokens, 3, read=read),
        continued(model, tokens, 4, seed=1, read=read),
    )
    assert known == again and sum(calls) == 4


def test_suggestions_are_the_likeliest_and_never_padding():
    _, model, _ = built("first-names", hidden=5)
    found = suggestions(model, [2, 3], top=50)
    chances = [p for _, p in found]
    assert chances == sorted(chances, reverse=True)
    assert sum(chances) == pytest.approx(1) and not {0, 1} & {k for k, _ in found}
    assert 0 in {k for k, _ in suggestions(model, [2, 3], 50, end=0)}


def test_drawing_follows_temperature_and_seed():
    _, model, _ = built("first-names", hidden=5)
    once, again, other = (continued(model, [2], 30, 1.0, seed) for seed in (1, 1, 2))
    assert once == again != other and len(once) == 30
    cold = continued(model, [2], 5, 0)
    assert cold == continued(model, [2], 5, 0, seed=9)
    assert cold[0] == suggestions(model, [2], 1)[0][0]
    freezing = continued(model, [2], 5, 1e-3)
    assert freezing == cold  # the limit of ever lower temperatures
    with pytest.raises(errors.ArgumentError, match="below zero"):
        continued(model, [2], 5, -1.0)
    ended = continued(model, [2], 200, 3.0, end=0)
    assert len(ended) < 200 and 0 not in ended


def test_how_often_a_token_is_drawn_is_its_probability():
    _, model, _ = built("first-names", hidden=5)
    drawn = np.array([continued(model, [2], 1, 1.0, s)[0] for s in range(400)])
    chances = dict(suggestions(model, [2], 50))
    for token, p in list(chances.items())[:3]:
        assert (drawn == token).mean() == pytest.approx(p, abs=4 * np.sqrt(p / 400))


# ------------------------------------------------------------- stopped and resumed


class Press:
    """Ctrl-C after so many steps."""

    def __init__(self, step):
        self.step = step

    def on_batch(self, report):
        if report.step == self.step:
            signal.raise_signal(signal.SIGINT)


@pytest.mark.parametrize("name", ["next-character", "autotagging", "name-tagging"])
def test_a_run_that_was_stopped_gives_the_same_bits(name, files, tmp_path):
    """In the middle of an epoch: the carried state, lost words, drawn names."""
    given = {**SMALL, "data": files[name], "batch_size": 4}
    if name == "next-character":
        given["steps"] = 10
    whole = tasks.train(name, folder=tmp_path / "a", **given)
    with pytest.raises(Stopped):
        tasks.train(name, folder=tmp_path / "b", callbacks=[Press(3)], **given)
    resumed = tasks.train(name, folder=tmp_path / "b", resume=True, page=False)
    expected = whole.model.state_dict()
    for key, array in resumed.model.state_dict().items():
        np.testing.assert_array_equal(array, expected[key])
    assert resumed.history == whole.history and resumed.figures == whole.figures
