"""Training a task from its name: saved, resumed, loaded, asked; and what goes wrong."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from tasks_rows import rows_of

import minigrad as mg
from minigrad import tasks
from minigrad.commands.main import main
from minigrad.engine.errors import ArgumentError, CheckpointError, DataError
from minigrad.tasks.session import Session
from minigrad.tasks.task_folder import Claimed, folder_of
from minigrad.training import Stopped, read_run
from minigrad.training.checkpoint import load as load_arrays

SMALL = {"days": 7, "hidden": 3, "epochs": 3, "batch_size": 16}
OPTIONS = ["--days", "7", "--hidden", "3", "--epochs", "3", "--batch-size", "16"]


def train(series, folder, page=False, **options):
    return tasks.train(
        "weather", folder=folder, data=series, page=page, **SMALL | options
    )


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """The bytes of the file of a finished run."""
    folder = tmp_path_factory.mktemp("finished")
    (folder / "days.csv").write_text("\n".join(rows_of()) + "\n")
    train(folder / "days.csv", folder)
    return (folder / "run.safetensors").read_bytes()


def bits(model):
    return {name: array.tobytes() for name, array in model.state_dict().items()}


class Press:
    """Ctrl-C at a step."""

    def __init__(self, step):
        self.step = step

    def on_batch(self, report):
        if report.step == self.step:
            signal.raise_signal(signal.SIGINT)


# from start to end


def test_train_load_and_predict(series, tmp_path):
    folder = tmp_path / "new" / "out"
    trained = train(series, folder, page=True)
    assert sorted(os.listdir(folder)) == [".claimed", "index.html", "run.safetensors"]
    again = tasks.load("weather", folder)
    assert bits(again.model) == bits(trained.model)
    assert again.reading == trained.reading
    assert again.config == trained.config
    assert again.settings == trained.settings
    assert again.figures == trained.figures
    assert next(iter(again.figures)) == "the model"
    for text in ("", "2020-03-01", str(series)):
        [section] = again.predict(text)
        assert section.tables[0].rows[0][0] == "forecast"
        assert again.predict(text) == trained.predict(text)


def test_the_same_seed_gives_the_same_bits(series, tmp_path):
    one = train(series, tmp_path / "a", seed=3)
    two = train(series, tmp_path / "b", seed=3)
    other = train(series, tmp_path / "c", seed=4)
    assert bits(one.model) == bits(two.model) != bits(other.model)
    assert one.figures == two.figures


def test_stopped_and_resumed_is_as_if_it_had_not_been(series, tmp_path):
    whole = train(series, tmp_path / "a")
    with pytest.raises(Stopped) as caught:
        train(series, tmp_path / "b", callbacks=[Press(5)])
    assert caught.value.path == tmp_path / "b" / "run.safetensors"
    assert read_run(caught.value.path).progress["step"] == 5
    half = tasks.load("weather", tmp_path / "b")  # usable already
    assert half.predict("2020-03-01")[0].lines == []  # but without figures
    resumed = tasks.train("weather", folder=tmp_path / "b", resume=True, page=False)
    assert bits(resumed.model) == bits(whole.model)
    assert resumed.figures == whole.figures
    assert resumed.history == whole.history


def test_a_finished_run_is_kept_an_unfinished_one_not_lost(series, tmp_path):
    first = train(series, tmp_path, seed=1)
    train(series, tmp_path, seed=2)
    previous = read_run(tmp_path / "previous.safetensors")
    assert {k: v.tobytes() for k, v in previous.weights.items()} == bits(first.model)
    with pytest.raises(Stopped):
        train(series, tmp_path, callbacks=[Press(2)])
    before = (tmp_path / "run.safetensors").read_bytes()
    with pytest.raises(ArgumentError, match=r"an unfinished run[\s\S]*--resume"):
        train(series, tmp_path)
    assert (tmp_path / "run.safetensors").read_bytes() == before
    finished = (tmp_path / "previous.safetensors").read_bytes()
    train(series, tmp_path, anew=True)
    assert (tmp_path / "unfinished.safetensors").read_bytes() == before
    assert (tmp_path / "previous.safetensors").read_bytes() == finished


def test_the_user_s_data_folder_is_the_default(series, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    assert tmp_path in folder_of("weather").parents
    train(series, None)
    assert tasks.load("weather").figures


# the commands


def test_the_commands_say_what_they_did(series, tmp_path, capsys):
    folder = str(tmp_path / "o")
    assert (
        main(["train", "weather", "--data", str(series), "-o", folder, *OPTIONS]) == 0
    )
    said = capsys.readouterr().out
    assert f"written to {folder}/run.safetensors" in said.replace("\\", "/")
    assert f"written to {folder}/index.html" in said.replace("\\", "/")
    next_command = said.splitlines()[-1]
    assert next_command.startswith("next: minigrad predict weather")
    assert "epoch  3/3" in said and "the model" in said and "ridge" in said
    assert main(next_command.split()[2:]) == 0  # a day of the user's own data
    assert "forecast" in capsys.readouterr().out


def test_the_commands_after_ctrl_c(series, tmp_path, capsys, monkeypatch):
    folder = str(tmp_path / "o")
    words = ["train", "weather", "--data", str(series), "-o", folder, *OPTIONS]
    monkeypatch.setattr(mg.training.Progress, "on_batch", Press(3).__class__.on_batch)
    monkeypatch.setattr(mg.training.Progress, "step", 3, raising=False)
    assert main(words) == 130
    said = capsys.readouterr().out
    assert "stopped after 3 steps" in said
    assert f"next: minigrad train weather --resume -o {folder}" in said
    monkeypatch.undo()
    assert main(["train", "weather", "--resume", "-o", folder]) == 0
    assert "continuing at epoch 1, batch 4" in capsys.readouterr().out


def test_the_gradient_monitor_is_a_callback(series, tmp_path, capsys):
    words = ["train", "weather", "--data", str(series), "-o", str(tmp_path), *OPTIONS]
    assert main([*words, "--monitor"]) == 0
    said = capsys.readouterr().out
    assert "monitor.html" in said and "What the monitor found:" in said
    assert (tmp_path / "monitor.html").exists()
    rows = (tmp_path / "monitor.csv").read_text().splitlines()
    assert len(rows) > 1
    plain = train(series, tmp_path / "plain")
    watched = tasks.load("weather", tmp_path)
    assert bits(watched.model) == bits(plain.model)  # it only looks


@pytest.mark.skipif(os.name == "nt", reason="only where processes have limits")
def test_a_full_disk_is_one_clear_error_and_loses_nothing(series, tmp_path):
    """The file may not grow beyond 1 kB: what the system does when there is no room."""
    program = (
        "import resource, sys; from minigrad.commands.main import main;"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000)); sys.exit(main())"
    )
    words = ["train", "weather", "--data", str(series), "-o", str(tmp_path / "o")]
    ran = subprocess.run(
        [sys.executable, "-c", program, *words, *OPTIONS],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert ran.returncode == 2
    assert "File too large" in ran.stderr and "hint" in ran.stderr
    assert "Traceback" not in ran.stderr
    assert not (tmp_path / "o").exists()  # no half of a file, no empty folder


def test_a_disk_that_fills_up_keeps_the_last_checkpoint(series, tmp_path, monkeypatch):
    real, calls = os.fsync, []

    def full(descriptor):
        calls.append(descriptor)
        if len(calls) > 2:  # file and folder of the first save
            raise OSError(28, "No space left on device")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(CheckpointError, match="No space left"):
        train(series, tmp_path / "o")
    monkeypatch.undo()
    assert read_run(tmp_path / "o" / "run.safetensors").progress["epoch"] == 1
    resumed = tasks.train("weather", folder=tmp_path / "o", resume=True)
    assert bits(resumed.model) == bits(train(series, tmp_path / "p").model)


def test_what_a_killed_run_left_is_cleared_away(series, tmp_path):
    (tmp_path / ".run.safetensors.0123abcd.tmp").write_bytes(b"half")
    train(series, tmp_path)
    assert not list(tmp_path.glob("*.tmp"))
    assert not list(tmp_path.glob(".*.tmp"))


def test_one_training_at_a_time_in_a_folder(series, tmp_path):
    program = (
        "import sys; from pathlib import Path\n"
        "from minigrad.tasks.task_folder import Claimed\n"
        "with Claimed(Path(sys.argv[1])):\n"
        "    print('mine', flush=True); sys.stdin.read()\n"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert child.stdout.readline() == "mine\n"
    with pytest.raises(ArgumentError, match="another training is using"):
        train(series, tmp_path)
    child.kill()
    child.communicate()
    with Claimed(tmp_path):  # a claim ends with its process
        pass


# other checkpoints


def changed(path, words):
    """Write the run's file anew with other words."""
    arrays = load_arrays(path)
    mg.save(path, dict(arrays), {**arrays.metadata, **words})


OTHERS = {
    "no run": ({}, "not the file of a training run"),
    "a newer format": ({"minigrad.run": '{"format": 99}'}, "newer minigrad"),
    "no words": ({"minigrad.run": "words"}, "not the file of a training run"),
    "words cut off": ({"minigrad.about": "{"}, "is damaged"),
    "another task": (
        {"minigrad.about": '{"task": "cooking"}'},
        "belongs to another task",
    ),
    "no settings": (
        {"minigrad.about": '{"task": "weather"}'},
        "does not fit this vers",
    ),
    "nonsense": (
        {"minigrad.about": '{"task": "weather", "settings": 3, "reading": 1}'},
        "does not fit this version",
    ),
}


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("resume", [False, True], ids=["predict", "resume"])
def test_checkpoints_of_others(name, resume, finished, tmp_path):
    words, message = OTHERS[name]
    path = tmp_path / "run.safetensors"
    path.write_bytes(finished)
    if words:
        changed(path, words)
    else:
        mg.save(path, {"model": {"w": np.ones(3)}})
    before = path.read_bytes()
    with pytest.raises(CheckpointError, match=message) as caught:
        if resume:
            tasks.train("weather", folder=tmp_path, resume=True)
        else:
            tasks.load("weather", tmp_path)
    assert caught.value.hint
    assert path.read_bytes() == before


def test_a_model_of_other_sizes(finished, tmp_path):
    path = tmp_path / "run.safetensors"
    path.write_bytes(finished)
    about = json.loads(load_arrays(path).metadata["minigrad.about"])
    about["config"]["hidden"] = 5
    changed(path, {"minigrad.about": json.dumps(about)})
    with pytest.raises(CheckpointError, match="does not fit this version"):
        tasks.load("weather", tmp_path)


def test_damaged_and_missing_files(finished, tmp_path, capsys):
    with pytest.raises(CheckpointError, match=r"no saved run[\s\S]*train weather -o"):
        tasks.load("weather", tmp_path)
    path, whole = tmp_path / "run.safetensors", finished
    flipped = bytearray(whole)
    flipped[-100] ^= 1
    for content in (whole[:-1], whole[: len(whole) // 2], b"", bytes(flipped)):
        path.write_bytes(content)
        assert main(["predict", "weather", "--model", str(tmp_path)]) == 2
        said = capsys.readouterr().err
        assert "CheckpointError" in said and "hint" in said
        assert "Traceback" not in said


def test_a_damaged_run_is_put_aside_not_deleted(series, tmp_path):
    path = tmp_path / "run.safetensors"
    path.write_bytes(b"precious")
    (tmp_path / "previous.safetensors").write_bytes(b"finished")
    train(series, tmp_path)
    assert (tmp_path / "unfinished.safetensors").read_bytes() == b"precious"
    assert (tmp_path / "previous.safetensors").read_bytes() == b"finished"


def test_resuming_with_other_options_or_data(series, tmp_path):
    with pytest.raises(Stopped):
        train(series, tmp_path, callbacks=[Press(2)])
    with pytest.raises(ArgumentError, match="hidden differs"):
        tasks.train("weather", folder=tmp_path, resume=True, hidden=4)
    with pytest.raises(ArgumentError, match="data differs"):
        tasks.train("weather", folder=tmp_path, resume=True, data="other.csv")
    Session("weather", tmp_path, True, hidden=3, data=series)  # the same is no change
    series.write_text(series.read_text() + "\n")
    with pytest.raises(DataError, match="its data have changed"):
        tasks.train("weather", folder=tmp_path, resume=True)
    series.unlink()
    with pytest.raises(DataError, match="cannot be used"):
        tasks.train("weather", folder=tmp_path, resume=True)


# other arguments


def test_other_tasks_and_options(tmp_path, capsys):
    with pytest.raises(ArgumentError, match="task='cooking'"):
        tasks.train("cooking")
    with pytest.raises(ArgumentError, match="unknown option 'depth'"):
        tasks.train("weather", folder=tmp_path, depth=3)
    bad = (
        {"epochs": 0},
        {"epochs": 1.5},
        {"epochs": True},
        {"lr": float("nan")},
        {"lr": "fast"},
        {"dropout": 1.0},
        {"cell": "transformer"},
        {"seed": -1},
        {"hidden": None},
    )
    for given in bad:
        [name] = given
        with pytest.raises(ArgumentError, match=f"--{name} ") as caught:
            tasks.train("weather", folder=tmp_path, **given)
        assert caught.value.expect and caught.value.hint
    assert main(["train", "weather", "-o", str(tmp_path), "--epochs", "many"]) == 2
    assert "--epochs many: not allowed" in capsys.readouterr().err
    assert os.listdir(tmp_path) == []


def test_data_that_are_refused_leave_nothing_behind(tmp_path, capsys):
    """Neither a folder that was made for them, nor a file in one that was there."""
    bad = tmp_path / "bad.csv"
    bad.write_text("a,b\n1,2\n")
    here = tmp_path / "here"
    here.mkdir()
    for folder in (tmp_path / "runs" / "one", here):
        assert main(["train", "weather", "--data", str(bad), "-o", str(folder)]) == 2
    assert "column 'date' is missing" in capsys.readouterr().err
    assert sorted(one.name for one in tmp_path.iterdir()) == ["bad.csv", "here"]
    assert list(here.iterdir()) == []


def test_a_folder_that_cannot_be_made(series, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ArgumentError, match="cannot be used"):
        train(series, tmp_path / "file" / "folder")


def test_a_loss_that_explodes_keeps_the_checkpoint(series, tmp_path, capsys):
    words = ["train", "weather", "--data", str(series), "-o", str(tmp_path / "o")]
    words += [*OPTIONS, "--lr", "1e30", "--cell", "rnn", "--clip-norm", "0"]
    assert main(words) == 2
    said = capsys.readouterr()
    assert "NonFiniteError" in said.err and "smaller learning rate" in said.err


def test_callbacks_see_the_training(series, tmp_path):
    seen = []
    watcher = SimpleNamespace(on_epoch=lambda report: seen.append(report.metrics))
    trained = train(series, tmp_path, callbacks=[watcher])
    assert seen == [line["metrics"] for line in trained.history]
