"""Files of a user's own that no program wrote well: each one clear error, or read."""

import os
import signal
import subprocess
import sys
import warnings

import numpy as np
import pytest

from minigrad import tasks
from minigrad.commands.main import main
from minigrad.engine.errors import ArgumentError, CheckpointError, DataError
from minigrad.tasks import text_passages, writing
from minigrad.tasks.writing import PORTION, read_through

FAST = ["--epochs", "1", "--hidden", "4"]
SIDES = ["3,a fine film {}", "-3,a dull film {}"]


def reviews(count):
    return "rating,text\n" + "".join(
        SIDES[k % 2].format(k % 5) + "\n" for k in range(count)
    )


def described(count):
    kinds = ['viewer for chess,"game,gui"', 'library of sounds,"library,sound"']
    return "text,tags\n" + "".join(kinds[k % 2] + "\n" for k in range(count))


def days(value, wind=lambda k: 2):
    rows = np.arange("2020-01-01", "2021-01-01", dtype="datetime64[D]")
    lines = [f"{day},{value(k)},5,0.1,{wind(k)}\n" for k, day in enumerate(rows)]
    return "date,temp_max,temp_min,precipitation,wind\n" + "".join(lines)


FILES = {  # task, file, content: what the error says; None: it is trained
    "a long field": ("sentiment", "a.csv", reviews(40) + "3," + "x" * 200_000 + "\n",
        r"line 42: a field that does not end[\s\S]*131,072"),
    "few sentences": ("sentiment", "a.csv", reviews(4),
        r"a.csv: too few sentences with a clear side[\s\S]*10 or more"),
    "huge ratings": ("sentiment", "a.csv",
        reviews(40) + "1e308,fine\n-1e308,dull\n",
        r"line 42: a rating beyond the scale[\s\S]*-4 to 4[\s\S]*1e\+308; 2 such rows"),
    "invisible text": ("sentiment", "a.csv",
        reviews(40) + "3,\u200b\n-3,\u200b\n" * 10, None),
    "few descriptions": ("autotagging", "a.csv", described(3),
        r"a.csv: too few descriptions[\s\S]*10 or more"),
    "four held out": ("autotagging", "a.csv", described(20), None),
    "a long text": ("autotagging", "a.csv",
        described(40) + '"' + "chess " * 2000 + '",game\n',
        r"line 42[\s\S]*at most 1,000 words[\s\S]*2,000 words"),
    "a long sentence": ("name-tagging", "a.txt",
        "then *Tom came\n" * 20 + "came " * 2000 + "\n",
        r"line 21: too long a sentence[\s\S]*1,000"),
    "other line ends": ("name-tagging", "a.txt",
        "then \x0b *Tom \x0c came \u2028 here\n" * 20 + "and *\n", "line 21: a star"),
    "other line ends of names": ("first-names", "a.txt",
        "an\x0cn\n" * 20 + "x" * 60 + "\n", "line 21"),
    "beyond floating point": ("weather", "a.csv",
        days(lambda k: (-1) ** k * 1e300), r"line 3: temp_max is -1e\+300"),
    "a wind beyond floating point": ("weather", "a.csv",
        days(lambda k: 9 + k % 2, lambda k: f"{1 + k % 4}e300"), "too large"),
    "underscores": ("weather", "a.csv", days(lambda k: "1_0"), "line 2: unreadable"),
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_files_of_a_user_s_own(name, tmp_path, capsys):
    task, file, content, message = FILES[name]
    path = tmp_path / file
    path.write_text(content, encoding="utf-8", newline="")
    folder = tmp_path / "o"
    words = ["train", task, "--data", str(path), "-o", str(folder), *FAST]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        code = main(words)
    said = capsys.readouterr()
    if message is None:
        assert code == 0, said.err
        assert (folder / "index.html").exists()
        return
    assert code == 2
    with pytest.raises(DataError, match=message):
        tasks.train(task, data=path, folder=folder)
    assert "DataError" in said.err and "hint" in said.err
    assert not folder.exists()


@pytest.mark.skipif(os.name == "nt", reason="only where there are such files")
def test_what_has_no_end_is_not_read(tmp_path, capsys):
    os.mkfifo(tmp_path / "pipe.csv")
    for path in ("/dev/zero", tmp_path / "pipe.csv"):
        words = ["train", "sentiment", "--data", str(path), "-o", str(tmp_path / "o")]
        assert main(words) == 2
        assert "a device or a pipe" in capsys.readouterr().err


def test_a_terminal_is_sent_nothing_that_it_would_obey(tmp_path, capsys):
    path = tmp_path / "a.csv"
    path.write_text("\x1b]0;title\x07\x1b[31mrating,txt\n3,x\n", encoding="utf-8")
    folder = str(tmp_path / "o")
    assert main(["train", "sentiment", "--data", str(path), "-o", folder]) == 2
    said = capsys.readouterr().err
    assert "column 'rating' is missing" in said
    assert "\x1b" not in said and "\x07" not in said
    assert len(said.splitlines()) == 4


# ------------------------------------------------------------- long texts


class Counting:
    """A model of what comes next that says how much it was given at once."""

    def __init__(self, model):
        self.model, self.most = model, 0

    def __call__(self, tokens, state=None, mask=None):
        self.most = max(self.most, tokens.size)
        return self.model(tokens, state, mask=mask)


@pytest.fixture(scope="module")
def model():
    from minigrad.models import LanguageModel

    return LanguageModel(11, "gru", 4, 8, dtype="float64", rng=0).eval()


def test_a_text_of_any_length_is_read_in_portions(model, rng):
    tokens = rng.integers(2, 11, 3 * PORTION + 7)
    watched = Counting(model)
    logits, state = read_through(watched, tokens)
    whole, end = model(tokens[:, None])
    np.testing.assert_allclose(logits.data[-1], whole.data[-1], rtol=1e-12)
    np.testing.assert_allclose(state.data, end.data, rtol=1e-12)
    assert watched.most == PORTION


def test_a_very_long_text_is_read_by_a_compiled_step(model, rng, monkeypatch):
    monkeypatch.setattr(writing, "LONG", 100)
    monkeypatch.setattr(writing, "STRETCH", 20)
    tokens = rng.integers(2, 11, 147)
    logits, state = read_through(model, tokens)
    whole, end = model(tokens[:, None])
    np.testing.assert_allclose(logits.data[-1], whole.data[-1], rtol=1e-12)
    np.testing.assert_allclose(state.data, end.data, rtol=1e-12)


def test_figures_of_a_long_text_keep_few_logits(model, rng):
    tokens = rng.integers(2, 11, 9000)
    part = text_passages.Passage(tokens[:300], tokens[300:])
    watched = Counting(model)
    found = text_passages.bits(watched, part)
    assert (
        len(found) == 8700
        and watched.most <= text_passages.STRANDS * text_passages.CONTEXT
    )


def test_line_ends_in_what_is_written_are_shown():
    from types import SimpleNamespace

    from minigrad.data import Vocabulary
    from minigrad.models import LanguageModel

    letters = Vocabulary([[*"ab\n"]])
    model = LanguageModel(len(letters), "gru", 4, 4, rng=0).eval()
    trained = SimpleNamespace(model=model, reading={"tokens": letters})
    task = tasks.task("next-character")
    lines = task.predict(trained, "a\nb", length=60, temperature=1.0)[1].lines
    assert all("\u21b5" in line and "\n" not in line for line in lines[1:])


def test_a_name_has_an_end():
    with pytest.raises(DataError, match="at most 40 letters"):
        tasks.task("first-names").predict(None, "an" * 50_000)


# ------------------------------------------------------------- commands and signals


def test_the_next_command_can_be_pasted(tmp_path, capsys):
    import shlex

    path = tmp_path / "a b.txt"
    path.write_text("the quick brown fox jumps over the lazy dog\n" * 40)
    folder = str(tmp_path / "o o")
    small = ["--hidden", "4", "--epochs", "1", "--batch-size", "4", "--steps", "10"]
    words = ["train", "next-character", "--data", str(path), "-o", folder, *small]
    assert main(words) == 0
    said = capsys.readouterr().out
    command = said[said.index("next: ") + 6 :].strip()
    program, *words = shlex.split(command)
    assert words[:2] == ["predict", "next-character"]
    assert program == "minigrad" and words[3:] == ["--model", folder]
    assert main(words) == 0


def test_every_task_says_what_a_file_of_one_s_own_has():
    for name in tasks.TASKS:
        assert tasks.task(name).file, name


@pytest.mark.skipif(os.name == "nt", reason="only where signals can be sent")
@pytest.mark.parametrize("kind", ["SIGINT", "SIGTERM"])
def test_a_signal_stops_and_saves(kind, series, tmp_path):
    """In a process of its own, as a shell or a system that shuts down would do it."""
    folder = tmp_path / "o o"
    code = (
        "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from minigrad.commands.main import main; sys.exit(main(sys.argv[1:]))"
    )
    words = ["train", "weather", "--data", str(series), "-o", str(folder)]
    words += ["--days", "5", "--epochs", "100000", "--patience", "100000"]
    process = subprocess.Popen(
        [sys.executable, "-c", code, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    said = ""
    while "epoch  1/" not in said:
        line = process.stdout.readline()
        assert line, process.stderr.read()
        said += line
    process.send_signal(getattr(signal, kind))
    rest, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert f"next: minigrad train weather --resume -o '{folder}'" in rest
    assert "Traceback" not in errors
    assert tasks.load("weather", folder).history


def test_stopped_in_the_last_epoch_s_validation_is_stopped(tmp_path):
    """The last epoch has no batch after it in which it would be noticed."""
    from minigrad import nn
    from minigrad.nn import optim
    from minigrad.nn.losses import mse
    from minigrad.training import Stopped, Trainer

    def validate(model):
        os.kill(os.getpid(), signal.SIGINT)
        return {"loss": 0.0}

    model = nn.Linear(1, 1, rng=0)
    x = np.ones((4, 1))
    trainer = Trainer(
        model,
        optim.SGD(model.parameters(), lr=0.1),
        lambda model, batch: mse(model(batch), batch),
        [x],
        epochs=1,
        validate=validate,
        checkpoint=tmp_path / "run.safetensors",
    )
    with pytest.raises(Stopped):
        trainer.fit()
    assert trainer.epoch == 1 and (tmp_path / "run.safetensors").exists()


# ------------------------------------------------------------- sizes


def test_sizes_that_no_memory_has(series, tmp_path):
    with pytest.raises(ArgumentError, match="larger than weights may be"):
        tasks.train("weather", data=series, days=5, folder=tmp_path, hidden=10**9)


def test_the_sizes_in_a_checkpoint_do_not_make_it_allocate(series, tmp_path):
    import tracemalloc

    from minigrad.training.checkpoint import load, save

    small = {"days": 5, "epochs": 1, "hidden": 4, "page": False}
    tasks.train("weather", data=series, folder=tmp_path, **small)
    path = tmp_path / "run.safetensors"
    content = load(path)
    words = content.metadata
    changes = [('"hidden": 4', '"hidden": 20000'), ('"layers": 1', '"layers": 90000')]
    for old, new in changes:
        about = words["minigrad.about"]
        at = about.index('"config"')
        about = about[:at] + about[at:].replace(old, new, 1)
        assert about != words["minigrad.about"]
        save(path, dict(content), {**words, "minigrad.about": about})
        tracemalloc.start()
        with pytest.raises(CheckpointError, match="does not fit this version"):
            tasks.load("weather", tmp_path)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 2e7


# ------------------------------------------------------------- words of a checkpoint


@pytest.fixture(scope="module")
def unfinished(tmp_path_factory):
    """The file of a run that was stopped: what is resumed, and asked."""
    from tasks_rows import rows_of

    from minigrad.training import Stopped
    from minigrad.training.checkpoint import load

    class Press:
        def on_batch(self, report):
            if report.step == 9:
                signal.raise_signal(signal.SIGINT)

    folder = tmp_path_factory.mktemp("unfinished")
    (folder / "days.csv").write_text("\n".join(rows_of()) + "\n")
    small = {"days": 5, "epochs": 9, "hidden": 3, "batch_size": 16, "page": False}
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    with pytest.raises(Stopped):
        tasks.train(
            "weather",
            data=folder / "days.csv",
            folder=folder,
            callbacks=[Press()],
            **small,
        )
    signal.signal(signal.SIGINT, before)
    return load(folder / "run.safetensors")


CHANGES = {  # part, where in it, and what stands there: nothing that a run wrote
    "sums": ("progress", ("sums", "batches"), "many"),
    "a history": ("progress", ("history", 0, "largest_norm"), [[]]),
    "metrics": ("progress", ("history", 0, "metrics", "rmse"), None),
    "random states": ("progress", ("random",), 10**18),
    "figures": ("about", ("figures",), {"the model": {"rmse": "low"}}),
    "figures, a word": ("about", ("figures",), "good"),
    "days": ("about", ("reading", "days", 1), float("nan")),
    "no scaling": ("about", ("reading",), {}),
    "an option": ("about", ("settings", "dropout"), 10**400),
    "another option": ("about", ("settings", "cell"), "tree"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_sealed_words_that_no_run_wrote(name, unfinished, tmp_path, capsys):
    """Anyone can seal a file: what its words say is not trusted either."""
    import json

    from minigrad.training.checkpoint import save

    part, place, value = CHANGES[name]
    words = dict(unfinished.metadata)
    said = json.loads(words[f"minigrad.{part}"])
    inner = said
    for step in place[:-1]:
        inner = inner[step]
    inner[place[-1]] = value
    words[f"minigrad.{part}"] = json.dumps(said)
    save(tmp_path / "run.safetensors", dict(unfinished), words)
    commands = [
        ["predict", "weather", "2020-03-01", "--model", str(tmp_path)],
        ["train", "weather", "--resume", "-o", str(tmp_path)],
    ]
    assert 2 in [main(words) for words in commands]
    assert "CheckpointError" in capsys.readouterr().err
