"""Names: which words are marked, what is drawn for them, how words are read; figures
against plain loops; lists; models that were saved by another version."""

from types import SimpleNamespace

import numpy as np
import pytest

import minigrad as mg
from minigrad import tasks
from minigrad.data import Vocabulary
from minigrad.engine import errors
from minigrad.tasks import name_figures, name_filling, name_labels, spelling
from minigrad.tasks.name_filling import Filled, Names, Refilled
from minigrad.tasks.spelling import Reader
from minigrad.tasks.task_options import settings

CENSUS = {name.lower() for name in mg.data.first_names().names}


def drawing(seed):
    return np.random.default_rng(seed)


@pytest.fixture(scope="module")
def prepared():
    task = tasks.task("name-tagging")
    return task.prepare(settings(task.options, {}))


# ------------------------------------------------------------- labels


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("then director Kevin Smith and Wesley came", "Kevin Wesley"),
        ("Woody Allen films are like Mike Leigh films", "Woody Mike"),
        ("Allen's film is about Susan's house", "Allen's Susan's"),
        ("Paul Thomas Anderson and Director Paul Cox", "Paul Thomas Paul"),
        ("Spielberg's Tom and Miss Daisy Miller", "Tom Daisy"),
        ("Will it be good , as Will said", ""),  # an ordinary word
        ("Mark the day , said Mark", "Mark"),
        ("In Paris on Sunday", ""),
        ("Neither kevin nor KEVIN came", ""),
    ],
)
def test_which_words_are_first_names(text, names):
    words = text.split()
    listed = {*"Kevin Wesley Woody Mike Leigh Susan Paul Thomas Tom Daisy".split()}
    listed |= {"Allen", "Mark", "Will", "Anderson"}
    ordinary = {*"then director and came films like will it the day mark".split()}
    ordinary |= {"in", "neither", "director", "on"}
    found = name_labels._first_names(words, listed, ordinary)
    assert [w for w, name in zip(words, found, strict=True) if name] == names.split()


def test_marked_words_are_names_and_capitalised():
    marked = name_labels.shipped()
    found = [
        word
        for words, places in zip(*marked, strict=True)
        for word, name in zip(words, places, strict=True)
        if name
    ]
    assert 2000 < len(found) < 3000
    listed = {*mg.data.first_names().names} | name_labels.PEOPLE
    assert {name_labels.stem(word) for word in found} <= listed
    assert not {*found} & (name_labels.OTHER | name_labels.TITLES)
    assert "Alice's" in found and "Robert" in found


def test_stars_mark_the_word_that_follows(tmp_path):
    path = tmp_path / "marked.txt"
    lines = ["Then *Tom's dog saw * Ann , again ."] + ["nobody came"] * 10
    path.write_text("\n\n".join(lines), encoding="utf-8")
    words, places = name_labels.marked_in(mg.data.read_text(path), "a.txt")
    assert words[0] == "Then Tom's dog saw Ann , again .".split() and len(words) == 11
    assert np.flatnonzero(places[0]).tolist() == [1, 4] and not places[1].any()
    path.write_text("\n\nthen **Tom came\n" * 10, encoding="utf-8")
    with pytest.raises(errors.DataError, match="line 3: a star without"):
        name_labels.marked_in(mg.data.read_text(path), "a.txt")


# ------------------------------------------------------------- names drawn


def test_no_name_is_in_two_parts_and_none_is_a_title(prepared):
    _, parts = prepared.train
    each = [name for part in parts for name in part.all()]
    assert len(each) == len(set(each)) > 4000 and set(each) <= CENSUS
    assert {"tom", "mary"} <= set(parts[0].familiar)  # the most frequent all train
    assert not parts[2].familiar and not parts[2].anything
    assert not set(parts[0].anything) & CENSUS
    assert not {"major", "queen", "in", "my", "so"} & set(each)
    assert {"will", "grace", "may"} <= {n for part in parts for n in part.ordinary}
    held_out = {
        name_labels.stem(word)
        for words, places in zip(*prepared.test, strict=True)
        for word, name in zip(words, places, strict=True)
        if name
    }
    assert held_out <= set(parts[2].all())
    words = prepared.reading["words"]
    assert all(name in words for name in parts[0].familiar)
    rarer = [name for part in parts for name in part.proper if name in words]
    assert len(rarer) < 30  # surnames in the text: jackson, parker


def test_places_of_names_get_names_and_nothing_else_changes(prepared):
    marked, (names, *_) = prepared.train
    some = marked.rows(range(800))
    found = name_filling.filled(some, names, drawing(0))
    allowed = {*names.all(), *names.anything}
    changed = 0
    for before, after, places in zip(some.words, found.words, some.places, strict=True):
        for old, new, name in zip(before, after, places, strict=True):
            assert name or new == old.lower()
            assert not name or name_labels.stem(new) in allowed
            assert not name or new.endswith("'s") == old.endswith("'s")
            changed += bool(name)
    assert changed > 50


def test_how_often_each_kind_of_name_is_drawn():
    names = Names(["a"], ["b"], ["c"], ["d"])
    drawn = names.draw(4000, drawing(0))
    shares = [1 - 0.2 - 0.3 - 0.2, 0.2, 0.3, 0.2]
    for name, share in zip("abcd", shares, strict=True):
        assert drawn.count(name) / 4000 == pytest.approx(share, abs=0.03)
    held_out = Names(["a"], ["b"]).draw(4000, drawing(0))
    assert held_out.count("b") / 4000 == pytest.approx(0.2, abs=0.03)
    assert set(Names(["a"]).draw(50, drawing(0))) == {"a"}


def test_every_epoch_has_other_names(prepared):
    marked, (names, *_) = prepared.train
    some = marked.rows(range(300))
    reader = Reader(prepared.reading)
    batches = Refilled(some, names, reader, 32, drawing(0))
    epochs = [list(batches) for _ in range(2)]
    assert [len(epoch) for epoch in epochs] == [len(batches)] * 2
    having = sum(places.any() for places in some.places)
    sentences = 300 + having * (name_filling.OFTEN - 1)
    for epoch in epochs:
        assert sum(numbers.mask.shape[1] for numbers, _ in epoch) == sentences
        wanted = sum(wanted.sum() for _, wanted in epoch)
        assert wanted == name_filling.OFTEN * sum(p.sum() for p in some.places)
    read = [
        {row.tobytes() for numbers, _ in epoch for row in numbers.pieces}
        for epoch in epochs
    ]
    assert read[0] != read[1]


# ------------------------------------------------------------- words as numbers


def test_pieces_are_runs_of_letters_with_the_ends_marked():
    assert spelling.pieces_of("tom", 3) == "<t to om m> <to tom om>".split()
    assert spelling.pieces_of("a", 9) == ["<a", "a>", "<a>"]
    assert len(spelling.pieces_of("a" * 10**6, 4)) < 150


def test_each_different_word_is_read_once():
    pieces = [spelling.pieces_of(word, 2) for word in ("ann", "came")]
    reading = {
        "words": Vocabulary([["came", "then"]]),
        "pieces": Vocabulary(pieces),
        "longest": 2,
    }
    found = Reader(reading).numbers([["then", "ann", "came"], ["came", "xq"]])
    words, known = reading["words"], reading["pieces"]
    assert words.decode(found.words) == ["then", "<unk>", "came", "<unk>"]
    assert found.places[:, 0].tolist() == [0, 1, 2]
    assert found.places[:2, 1].tolist() == [2, 3]
    assert found.mask.tolist() == [[True, True], [True, True], [True, False]]
    spelled = [[known.words[k] for k in row if k] for row in found.pieces]
    assert spelled[1] == ["<a", "an", "nn", "n>"] and spelled[3] == []


def test_words_of_another_script_have_no_pieces_and_are_read():
    task = tasks.task("name-tagging")
    reading = {
        "words": Vocabulary([["你", "好"]]),
        "pieces": Vocabulary([spelling.pieces_of("came", 3)]),
        "longest": 3,
    }
    config = {"words": 4, "pieces": len(reading["pieces"]), "hidden_size": 3}
    model = task.build(config, 0, 0).eval()
    (found,) = name_figures.chances(model, [["你", "好", "吗"]], reading)
    assert len(found) == 3 and np.isfinite(found).all()


# ------------------------------------------------------------- figures


def test_figures_and_lists_by_hand():
    part = Filled(
        [["tom", "saw", "ann's", "dog"], ["will", "came"]],
        [np.array([True, False, True, False]), np.array([True, False])],
    )
    found = name_figures.listed(part, ["ann", "came"])
    assert found.tolist() == [False, False, True, False, False, True]
    figures = name_figures.figures(found, np.concatenate(part.places))
    assert figures == {
        "F1": pytest.approx(2 / 5),
        "precision": pytest.approx(1 / 2),
        "recall": pytest.approx(1 / 3),
    }
    none = np.zeros(6, bool)
    assert set(name_figures.figures(none, none).values()) == {0.0}


def test_comparison_counts_each_kind_of_name():
    part = Filled(
        [["tom", "came"], ["will", "will"]] * 10, [np.array([True, False])] * 20
    )
    both = [np.array([0.9, 0.1])] * 20
    section = name_figures.compared(part, both, np.zeros(40, bool), ["will"])
    assert "+1.000" in section.lines[0] and "a clear difference" in section.lines[0]
    rows = section.tables[0].rows
    assert [row[1:] for row in rows] == [[10, "100%", "0%"]] * 2


def test_look_up_knows_what_its_list_has(prepared):
    task = tasks.task("name-tagging")
    wanted = np.concatenate(prepared.test.places)
    task._known = prepared, wanted  # as if one direction had found all
    one, known, census, but_words = task.baselines(prepared).values()
    assert one["F1"] == 1 and census["recall"] == 1
    assert known["recall"] == 0  # the held-out names are on no list of training
    assert but_words["precision"] > census["precision"] + 0.3
    assert 0.7 < but_words["recall"] < 0.9  # every fifth name is an ordinary word


def test_chances_do_not_depend_on_the_other_sentences(prepared):
    task = tasks.task("name-tagging")
    chosen = settings(task.options, {"hidden": 5})
    model = task.build(task.configure(chosen, prepared), 0, 0).eval()
    some = prepared.test.words[:7]
    together = name_figures.chances(model, some, prepared.reading)
    for words, found in zip(some, together, strict=True):
        (alone,) = name_figures.chances(model, [words], prepared.reading)
        assert len(found) == len(words)
        np.testing.assert_allclose(found, alone, rtol=1e-4)


# ------------------------------------------------------------- saved models


def test_a_model_of_words_without_pieces_is_refused(tmp_path):
    """The configuration of an earlier version has no pieces."""
    from minigrad.tasks import saved_model

    task = tasks.task("name-tagging")
    config = {"words": 5, "kind": "lstm", "bidirectional": True, "embedding_size": 4}
    words = Vocabulary([["then", "came"]])
    about = {
        "config": config,
        "settings": {},
        "figures": {},
        "reading": saved_model.reading_to_json({"words": words}),
    }
    run = SimpleNamespace(about=about, weights={}, progress={"history": []})
    with pytest.raises(errors.CheckpointError, match="does not fit this version"):
        saved_model.trained_from(task, run)
