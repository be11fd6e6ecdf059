"""Runs that go on: an ended one with more epochs, a saved model on other data."""

import json

import numpy as np
import pytest
from tasks_rows import rows_of

from minigrad import tasks
from minigrad.commands.main import main
from minigrad.engine.errors import ArgumentError, CheckpointError, DataError
from minigrad.tasks.weather import Weather
from minigrad.training import Stopped, read_run
from minigrad.training.schedules import constant

SMALL = {"days": 7, "hidden": 3, "batch_size": 16, "page": False}


def train(folder, series=None, **options):
    given = {} if series is None else {**SMALL, "data": series}
    return tasks.train("weather", folder=folder, **given | {"page": False} | options)


def bits(model):
    return {name: array.tobytes() for name, array in model.state_dict().items()}


class Press:
    """Ctrl-C at a step."""

    def __init__(self, step):
        self.step = step

    def on_batch(self, report):
        import signal

        if report.step == self.step:
            signal.raise_signal(signal.SIGINT)


# ------------------------------------------------------------- more epochs


def test_an_ended_run_made_longer_is_the_long_run(series, tmp_path, monkeypatch):
    """To the last bit, where the schedule does not depend on the number of epochs."""
    monkeypatch.setattr(Weather, "schedule", lambda *_: constant())
    whole = train(tmp_path / "a", series, epochs=5)
    first = train(tmp_path / "b", series, epochs=2)
    longer = train(tmp_path / "b", resume=True, epochs=5)
    assert bits(longer.model) == bits(whole.model) != bits(first.model)
    assert longer.history == whole.history and longer.figures == whole.figures
    assert longer.settings.epochs == 5


def test_an_ended_run_keeps_the_last_weights_and_the_best(series, tmp_path):
    """The best are those that are used; the last are those to go on from."""
    task = tasks.task("weather")
    trained = train(tmp_path, series, epochs=6, lr=0.3, patience=100)
    best = [line["best"] for line in trained.history]
    assert not best[-1]  # otherwise they are the same, and nothing is shown
    run = read_run(tmp_path / "run.safetensors")
    last, kept = run.arrays.part("model"), run.arrays.part("best")
    assert any(last[name].tobytes() != kept[name].tobytes() for name in last)
    assert {n: a.tobytes() for n, a in kept.items()} == bits(trained.model)
    assert bits(tasks.load("weather", tmp_path).model) == bits(trained.model)
    assert run.about["figures"] == trained.figures and task.name == "weather"


def test_the_rate_is_that_of_the_longer_run(series, tmp_path):
    train(tmp_path / "a", series, epochs=2)
    ended = read_run(tmp_path / "a" / "run.safetensors").progress["history"][-1]
    longer = train(tmp_path / "a", resume=True, epochs=8)
    assert longer.history[1] == ended and len(longer.history) == 8
    whole = train(tmp_path / "b", series, epochs=8)
    rates = [[line["lr"] for line in run.history] for run in (longer, whole)]
    assert rates[0][2:] == rates[1][2:] and rates[0][2] > rates[0][1]


def test_a_run_that_early_stopping_ended_goes_on(series, tmp_path):
    stopped = train(tmp_path, series, epochs=30, lr=0.3, patience=1)
    count = len(stopped.history)
    assert count < 30
    same = train(tmp_path, resume=True)
    assert len(same.history) == count
    longer = train(tmp_path, resume=True, epochs=31)
    assert len(longer.history) > count
    again = train(tmp_path, resume=True, epochs=40, patience=3)
    assert len(again.history) > len(longer.history) and again.settings.patience == 3


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"epochs": 1}, r"epochs differs[\s\S]*it may grow, but not shrink"),
        ({"patience": 1}, "patience differs"),
        ({"epochs": 9, "hidden": 5}, r"hidden differs[\s\S]*leave out --hidden"),
    ],
)
def test_other_options_still_cannot_be_changed(options, said, series, tmp_path):
    train(tmp_path, series, epochs=2)
    before = (tmp_path / "run.safetensors").read_bytes()
    with pytest.raises(ArgumentError, match=said):
        train(tmp_path, resume=True, **options)
    assert (tmp_path / "run.safetensors").read_bytes() == before


def test_a_stopped_run_may_be_made_longer_too(series, tmp_path):
    with pytest.raises(Stopped):
        train(tmp_path, series, epochs=2, callbacks=[Press(3)])
    assert len(train(tmp_path, resume=True, epochs=3).history) == 3


def test_the_commands_say_that_a_run_is_made_longer(series, tmp_path, capsys):
    folder = str(tmp_path / "o")
    words = ["train", "weather", "-o", folder]
    new = ["--data", str(series), "--days", "7", "--hidden", "3", "--epochs", "1"]
    assert main([*words, *new]) == 0
    capsys.readouterr()
    assert main([*words, "--resume"]) == 0
    assert "already complete; more --epochs make it" in capsys.readouterr().out
    assert main([*words, "--resume", "--epochs", "2"]) == 0
    said = capsys.readouterr().out
    assert "continuing at epoch 2, batch 1, with the learning rates of a run" in said
    assert "epoch  2/2" in said or "epoch 2/2" in said


# ------------------------------------------------------------- a saved model


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """The folder of a small model of the weather."""
    folder = tmp_path_factory.mktemp("model")
    (folder / "days.csv").write_text("\n".join(rows_of()) + "\n", encoding="utf-8")
    train(folder, folder / "days.csv", epochs=2)
    return folder


@pytest.fixture
def other(tmp_path):
    """The file of another series."""
    path = tmp_path / "other.csv"
    path.write_text("\n".join(rows_of(140, seed=7)) + "\n", encoding="utf-8")
    return path


class First:
    """Keeps the weights as they were before the first step: the rate is 0 there."""

    def on_batch(self, report):
        if report.step == 1:
            self.weights = bits(report.model)


def test_it_starts_from_weights_and_scaling_of_the_model(model, other, tmp_path):
    first, new = First(), First()
    small = {"data": other, "epochs": 1, "lr": 0.0, "weight_decay": 0.0}
    tuned = train(tmp_path / "o", start=model, callbacks=[first], **small)
    old = tasks.load("weather", model)
    assert first.weights == bits(old.model) == bits(tuned.model)
    assert tuned.reading["scaling"] == old.reading["scaling"]
    assert tuned.settings.hidden == 3 and tuned.settings.days == 7  # of the model
    assert tuned.settings.data == str(other)
    assert (
        read_run(tmp_path / "o" / "run.safetensors")
        .about["start"]
        .startswith(str(model))
    )
    fresh = train(tmp_path / "p", other, epochs=1, lr=0.0, callbacks=[new])
    assert new.weights != first.weights
    assert fresh.reading["scaling"] != old.reading["scaling"]


def test_it_learns_from_there(model, other, tmp_path):
    tuned = train(tmp_path, start=model / "run.safetensors", data=other, epochs=3)
    assert bits(tuned.model) != bits(tasks.load("weather", model).model)
    assert len(tuned.history) == 3 and tuned.figures


def test_into_the_folder_of_the_model_itself(other, tmp_path):
    (tmp_path / "days.csv").write_text("\n".join(rows_of()) + "\n", encoding="utf-8")
    before = train(tmp_path, tmp_path / "days.csv", epochs=2)
    tuned = train(tmp_path, start=tmp_path, data=other, epochs=1, lr=0.0)
    assert bits(tuned.model) == bits(before.model)
    assert (tmp_path / "previous.safetensors").exists()


def test_a_run_from_a_model_is_resumed_alone(model, other, tmp_path):
    whole = train(tmp_path / "a", start=model, data=other, epochs=3)
    with pytest.raises(Stopped):
        press = [Press(9)]
        train(tmp_path / "b", start=model, data=other, epochs=3, callbacks=press)
    resumed = train(tmp_path / "b", resume=True)
    assert bits(resumed.model) == bits(whole.model)
    assert resumed.reading["scaling"] == whole.reading["scaling"]
    with pytest.raises(ArgumentError, match="--resume and --from: one of them"):
        train(tmp_path / "b", resume=True, start=model)


SHAPES = {"hidden": 5, "cell": "gru", "layers": 2}


@pytest.mark.parametrize("name", SHAPES)
def test_a_model_keeps_its_shape(name, model, other, tmp_path):
    with pytest.raises(ArgumentError, match=f"{name} cannot be changed") as caught:
        train(tmp_path, start=model, data=other, **{name: SHAPES[name]})
    assert f"leave out --{name}" in caught.value.hint
    assert not (tmp_path / "run.safetensors").exists()


def test_what_may_be_changed(model, other, tmp_path):
    given = {"dropout": 0.5, "lr": 1e-3, "days": 5, "batch_size": 8, "seed": 3}
    tuned = train(tmp_path, start=model, data=other, epochs=1, **given)
    assert {k: v for k, v in vars(tuned.settings).items() if k in given} == given
    assert tasks.load("weather", tmp_path).predict("")


def test_models_that_are_none_or_of_another_task(model, tmp_path):
    with pytest.raises(CheckpointError, match="no saved run of weather"):
        train(tmp_path, start=tmp_path / "nowhere")
    with pytest.raises(CheckpointError, match=r"another task[\s\S]*--from FOLDER"):
        tasks.train("sentiment", folder=tmp_path, start=model)
    path = tmp_path / "run.safetensors"
    path.write_bytes((model / "run.safetensors").read_bytes()[:-50])
    with pytest.raises(CheckpointError):
        train(tmp_path / "o", start=tmp_path)


def test_words_of_a_checkpoint_that_no_run_wrote(model, tmp_path):
    from minigrad.training.checkpoint import load, save

    content = load(model / "run.safetensors")
    for place, value in (("reading", 3), ("reading", {}), ("settings", [])):
        about = json.loads(content.metadata["minigrad.about"]) | {place: value}
        words = {**content.metadata, "minigrad.about": json.dumps(about)}
        save(tmp_path / "run.safetensors", dict(content), words)
        with pytest.raises(CheckpointError, match="does not fit this version"):
            train(tmp_path / "o", start=tmp_path)


# ------------------------------------------------------------- words and tags


KINDS = ["a viewer for chess games,game;gui", "a library of loud sounds,sound"]
TEXTS = {
    "sentiment": "rating,text\n" + "3,a fine film\n-3,a dull film\n" * 30,
    "autotagging": "text,tags\n" + f"{KINDS[0]}\n{KINDS[1]}\n" * 30,
    "name-tagging": "then *Tom came home again\nhe saw a dog\n" * 30,
    "next-word": "the queen said off with his head and ran . " * 60,
    "next-character": "the queen said off with his head. " * 60,
    "first-names": "\n".join(a + b for a in "abdefgh" for b in ("nna", "ra", "mo")),
}
OTHERS = {  # with something new in each
    "sentiment": "rating,text\n" + "1,a superb film\n0,a dull film\n" * 30,
    "autotagging": "text,tags\n" + f"{KINDS[0]};new\n{KINDS[1]}\na b,\n" * 30,
    "name-tagging": "then *Ann left home again\nhe ate a dog\n" * 30,
    "next-word": "the king said off with his nose and ran . " * 60,
    "next-character": "THE queen said off with his head. " * 60,
    "first-names": "\n".join(a + b for a in "abdefgx" for b in ("nna", "ra", "moz")),
}
TINY = {"epochs": 1, "hidden": 4, "batch_size": 4, "page": False}


def small(name):
    return TINY | ({"steps": 5} if name.startswith("next") else {})


@pytest.mark.parametrize("name", TEXTS)
def test_the_vocabulary_is_that_of_the_model(name, tmp_path, capsys):
    paths = []
    for key, texts in (("one", TEXTS), ("two", OTHERS)):
        paths.append(tmp_path / f"{key}.csv")
        paths[-1].write_text(texts[name], encoding="utf-8")
    first = tasks.train(name, folder=tmp_path / "a", data=paths[0], **small(name))
    words = ["train", name, "--data", str(paths[1]), "-o", str(tmp_path / "b")]
    assert main([*words, "--from", str(tmp_path / "a")]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "Starts from the weights and vocabulary of" in said
    assert "new to the model." in said
    tuned = tasks.load(name, tmp_path / "b")
    assert tuned.reading == first.reading and tuned.config == first.config
    if name == "autotagging":
        assert "1 tags that are not among the 3 of the model left out (new)" in said
        assert tuned.reading["tags"] == ["game", "gui", "sound"]
    resumed = ["train", name, "--resume", "--epochs", "2", "-o", str(tmp_path / "b")]
    assert main(resumed) == 0
    assert tasks.load(name, tmp_path / "b").reading == first.reading


def test_words_that_the_model_cannot_know(tmp_path):
    first, second = tmp_path / "one.csv", tmp_path / "two.csv"
    first.write_text(TEXTS["sentiment"], encoding="utf-8")
    second.write_text("rating,text\n" + "3,ein guter\n-3,schlecht\n" * 30)
    tasks.train("sentiment", folder=tmp_path / "a", data=first, **TINY)
    with pytest.raises(DataError, match="knows none of the words of these data"):
        tasks.train("sentiment", folder=tmp_path / "b", start=tmp_path / "a",
                    data=second)  # fmt: skip
    with pytest.raises(ArgumentError, match="min_count cannot be changed"):
        tasks.train("sentiment", folder=tmp_path / "b", start=tmp_path / "a",
                    data=first, min_count=1)  # fmt: skip


def test_fine_tuning_is_better_than_starting_anew_on_few_rows(tmp_path):
    """What it is for: 30 rows more, after a model of the same kind has seen 900."""
    rng = np.random.default_rng(0)
    sides = {3: "fine great superb lovely".split(), -3: "dull poor awful bad".split()}

    def reviews(count, path):
        rows = ["rating,text"]
        for _ in range(count):
            side = (3, -3)[rng.integers(2)]
            rows.append(f"{side},a {rng.choice(sides[side])} film by {rng.integers(9)}")
        path.write_text("\n".join(rows), encoding="utf-8")
        return path

    many, few = reviews(900, tmp_path / "many.csv"), reviews(60, tmp_path / "few.csv")
    given = {"hidden": 8, "epochs": 3, "lr": 1e-2, "dropout": 0.0, "page": False}
    tasks.train("sentiment", folder=tmp_path / "a", data=many, **given)
    one = given | {"data": few, "epochs": 1}
    tuned = tasks.train("sentiment", folder=tmp_path / "b", start=tmp_path / "a", **one)
    anew = tasks.train("sentiment", folder=tmp_path / "c", **one)
    losses = [t.figures["the model"]["loss"] for t in (tuned, anew)]
    assert losses[0] < 0.5 * losses[1]
