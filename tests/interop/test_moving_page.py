"""The programs of the page "From minigrad to PyTorch and beyond" run, and agree."""

import os
import re
import textwrap
from pathlib import Path

import numpy as np
import pytest
from minigrad.errors import ArgumentError

import minigrad as mg
from minigrad import tasks
from minigrad.commands.main import main
from minigrad.models import (
    Forecaster,
    LanguageModel,
    SentimentReader,
    TextTagger,
    WordTagger,
)

os.environ.setdefault("KERAS_BACKEND", "torch")
PAGE = Path(__file__).parents[2] / "docs" / "moving.rst"
PROGRAMS = [
    textwrap.dedent(code)
    for code in re.findall(
        r"code-block:: python\n\n((?:    .*\n|\n)+)", PAGE.read_text(encoding="utf-8")
    )
]
NEEDS = {
    "onnxruntime": ["onnx", "onnxruntime"],
    "PyTorch": ["torch"],
    "Keras": ["torch", "keras", "h5py"],
}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The folder of a small sentiment network, trained on a file of its own."""
    folder = tmp_path_factory.mktemp("trained")
    rng = np.random.default_rng(0)
    words = {1: ["fine", "great", "good"], -1: ["bad", "dull", "poor"]}
    lines = ["rating\ttext"]
    for mood in [1, -1] * 40:
        a, b = rng.choice(words[mood], 2)
        lines.append(f"{2.0 * mood}\ta {a} film with a {b} plot")
    (folder / "s.tsv").write_text("\n".join(lines) + "\n")
    place = folder / "my-sentiment"
    arguments = ["train", "sentiment", "--data", str(folder / "s.tsv"), "--epochs", "2"]
    assert main([*arguments, "-o", str(place)]) == 0
    return folder


def test_the_page_has_its_programs():
    assert len(PROGRAMS) == 6


@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept")
@pytest.mark.parametrize("library", NEEDS)
def test_the_sentiment_network_runs_there(library, trained, monkeypatch, capsys):
    for name in NEEDS[library]:
        pytest.importorskip(name, reason=f"needs {name}")
    kind = {"onnxruntime": "onnx", "PyTorch": "torch", "Keras": "keras"}[library]
    place = trained / "my-sentiment"
    again = ["train", "sentiment", "-o", str(place), "--resume", "--export", kind]
    assert main(again) == 0
    assert f"written to {place}" in capsys.readouterr().out
    (program,) = [code for code in PROGRAMS if f'"{library}: ' in code]
    monkeypatch.chdir(trained)
    space = {"__name__": "program"}
    exec(program, space)
    found = tasks.load("sentiment", place)
    tokens = np.array(found.reading["words"].encode("a good film"))[:, None]
    wanted = mg.sigmoid(found.model(tokens)[-1, 0]).item()
    assert space["chance"] == pytest.approx(wanted, abs=1e-6)


@pytest.mark.parametrize("number", [3, 4, 5])
def test_the_other_programs_run(number):
    pytest.importorskip("torch", reason="needs torch")
    exec(PROGRAMS[number], {"__name__": "program"})


# ------------------------------------------------------------- every network


def mask_of(lengths):
    return np.arange(max(lengths))[:, None] < lengths


LENGTHS = np.array([6, 3], "int32")


@pytest.fixture
def networks(rng):
    """Each network of a task: model, inputs of its file, and what it should give."""
    tokens = rng.integers(1, 9, size=(6, 2))
    masked = {"tokens": tokens, "lengths": LENGTHS}
    reader = SentimentReader(9, "gru", 3, 4, 2, rng=rng)
    tagger = TextTagger(9, 5, embedding_size=3, hidden_size=4, rng=rng)
    told = LanguageModel(9, "lstm", 4, 4, 2, rng=rng)
    tied = LanguageModel(9, "rnn", 4, 4, tied=True, rng=rng)
    word = WordTagger(9, 7, embedding_size=3, hidden_size=4, rng=rng)
    weather = Forecaster(3, 4, cell="gru", rng=rng)
    for model in (reader, tagger, told, tied, word, weather):
        model.eval()
    mask = mask_of(LENGTHS)
    states = {n: rng.normal(size=(2, 2, 4)).astype("float32") for n in ("h0", "c0")}
    h = {"h0": states["h0"][:1]}
    logits, (h_n, c_n) = told(tokens, (states["h0"], states["c0"]), mask)
    tied_logits, tied_end = tied(tokens, h["h0"], mask)
    words, pieces = rng.integers(0, 9, size=5), rng.integers(0, 7, size=(5, 3))
    pieces[2] = 0
    places = rng.integers(0, 5, size=(6, 2))
    x = rng.normal(size=(6, 2, 3)).astype("float32")
    return {
        "reader": (reader, masked, [reader(tokens, mask)]),
        "tagger": (tagger, masked, [tagger(tokens, mask)]),
        "told": (told, {**masked, **states}, [logits, h_n, c_n]),
        "tied": (tied, {**masked, **h}, [tied_logits, tied_end]),
        "word": (
            word,
            {"words": words, "pieces": pieces, "places": places, "lengths": LENGTHS},
            [word(words, pieces, places, mask)],
        ),
        "weather": (weather, {"x": x}, [weather(x)]),
    }


NAMES = ["reader", "tagger", "told", "tied", "word", "weather"]


@pytest.mark.parametrize("name", NAMES)
def test_every_network_runs_in_onnxruntime(name, networks, tmp_path):
    pytest.importorskip("onnx", reason="needs onnx")
    onnxruntime = pytest.importorskip("onnxruntime", reason="needs onnxruntime")
    model, inputs, wanted = networks[name]
    path = mg.interop.export(model, "onnx", tmp_path / "new")
    session = onnxruntime.InferenceSession(path.read_bytes())
    for theirs, ours in zip(session.run(None, inputs), wanted, strict=True):
        np.testing.assert_allclose(theirs, ours.data, atol=2e-6)
    part = mg.interop.from_onnx(path)  # the recurrent part comes back
    for key, value in model.recurrent.state_dict().items():
        assert np.array_equal(part.state_dict()[key], value)


@pytest.mark.parametrize("name", NAMES)
def test_every_network_has_weights_for_pytorch_and_keras(name, networks, tmp_path):
    model = networks[name][0]
    path = mg.interop.export(model, "torch", tmp_path)
    assert set(mg.load(path)) == set(mg.interop.to_torch_state_dict(model))
    if name == "tied":
        pytest.importorskip("h5py", reason="needs h5py")
        with pytest.raises(
            ArgumentError, match="the parameter bias has no counterpart"
        ):
            mg.interop.export(model, "keras", tmp_path)
        return
    layers = mg.interop.exported_files.keras_layers(model)
    ours = sum(p.size for p in model.parameters())
    gru = name in ("reader", "word", "weather")  # Keras has two of its biases
    held = sum(array.size for _, arrays in layers for array in arrays)
    assert held == ours or (gru and held > ours)
    assert len({label for label, _ in layers}) == len(layers)
