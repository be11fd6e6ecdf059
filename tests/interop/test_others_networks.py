"""Networks that others trained: the page's programs, against the originals' code."""

import ast
import importlib
import os
import re
import sys
import textwrap
import types
import warnings
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

import minigrad as mg

os.environ.setdefault("KERAS_BACKEND", "torch")
PAGE = Path(__file__).parents[2] / "docs" / "others-networks.rst"
PROGRAMS = [
    textwrap.dedent(code)
    for code in re.findall(
        r"code-block:: python\n\n((?:    .*\n|\n)+)", PAGE.read_text(encoding="utf-8")
    )
]


def folder_of(package, name):
    """Where a package lies, without importing it: its own needs are not installed."""
    found = find_spec(package)
    if found is None:
        pytest.skip(f"needs {name}")
    return Path(found.submodule_search_locations[0])


def run(program, folder, monkeypatch):
    monkeypatch.chdir(folder)
    space = {"__name__": "program"}
    exec(compile(program, "the page", "exec"), space)
    return space


# ------------------------------------------------------------- silero-vad


@pytest.fixture(scope="module")
def silero():
    pytest.importorskip("onnx", reason="needs onnx")
    pytest.importorskip("onnxruntime", reason="needs onnxruntime")
    return folder_of("silero_vad", "silero-vad") / "data"


def test_speech_or_silence(silero, tmp_path, monkeypatch, capsys):
    space = run(PROGRAMS[0], tmp_path, monkeypatch)
    output, wanted = space["trace"].output.data, space["wanted"]
    assert output.shape == (62, 1, 128)
    np.testing.assert_allclose(output, wanted, atol=5e-6)
    assert "131,584 parameters" in capsys.readouterr().out
    # What is behind the LSTM, in NumPy: the file's own last layer.
    import onnx
    import onnxruntime

    path = silero / "silero_vad_16k_sequence.onnx"
    held = {
        t.name: onnx.numpy_helper.to_array(t) for t in onnx.load(path).graph.initializer
    }
    inner = np.maximum(output[:, 0], 0) @ held["output.weight"][0, :, 0]
    ours = 1 / (1 + np.exp(-inner - held["output.bias"]))
    session = onnxruntime.InferenceSession(path.read_bytes())
    theirs, hn, cn = session.run(None, space["inputs"])
    np.testing.assert_allclose(ours, theirs.ravel(), atol=1e-5)
    h, c = space["trace"].state
    np.testing.assert_allclose(h.data, hn, atol=5e-6)
    np.testing.assert_allclose(c.data, cn, atol=5e-5)
    assert ours[20:45].min() > 0.5 and ours[1:14].max() < 0.1  # the voice, the hiss
    assert (tmp_path / "silero-input.npz").exists()


def test_the_other_files_of_silero_are_called_what_they_are(silero):
    branches = mg.interop.open(silero / "silero_vad.onnx")
    assert len(branches.layers) == 4 and "in a branch" in repr(branches)
    apart = mg.interop.open(silero / "silero_vad_op18_ifless.onnx")
    assert apart.layers == {} and "an LSTM cell, taken apart" in repr(apart)
    for name in ("silero_vad_16k_op15.onnx", "silero_vad_half.onnx"):
        assert mg.interop.open(silero / name).layers
    with pytest.raises(mg.errors.CheckpointError, match="TorchScript"):
        mg.interop.open(silero / "silero_vad.jit")


# ------------------------------------------------------------- g2p_en


@pytest.fixture(scope="module")
def g2p():
    """The package's own G2p, made from its source: its imports are not installed."""
    folder = folder_of("g2p_en", "g2p_en")
    with warnings.catch_warnings(action="ignore"):  # of its regular expressions
        tree = ast.parse((folder / "g2p.py").read_text(encoding="utf-8"))
    (own,) = [n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == "G2p"]
    space = {
        "np": np,
        "os": os,
        "dirname": str(folder),
        "cmudict": types.SimpleNamespace(dict=dict),
        "construct_homograph_dictionary": dict,
    }
    exec(compile(ast.Module([own], []), "g2p.py", "exec"), space)
    return space["G2p"]()


def test_letters_to_sounds(g2p, tmp_path, monkeypatch, capsys):
    space = run(PROGRAMS[1], tmp_path, monkeypatch)
    assert space["sounds"] == ["N", "AY1", "T"]
    for word in ("minigrad", "gradient", "vanishing", "recurrent", "activationist"):
        assert space["spell"](word)[0] == g2p.predict(word), word
    x = g2p.encode("microscope")
    theirs = g2p.gru(
        x, x.shape[1], g2p.enc_w_ih, g2p.enc_w_hh, g2p.enc_b_ih, g2p.enc_b_hh
    )
    output, _ = space["encoder"](np.ascontiguousarray(x.swapaxes(0, 1)))
    np.testing.assert_allclose(output.data[:, 0], theirs[0], atol=2e-6)
    table, ledger = space["table"], space["ledger"]
    assert table.shape[0] == 4 and not table[:, 0].any() and table[:, 1:7].all()
    whole = ledger.items(space["W_h"]).sum(axis=(0, 1))
    total = sum(space["losses"][1:], space["losses"][0])
    (wanted,) = mg.grad(total, [space["W_h"]])
    np.testing.assert_allclose(whole, wanted.data, atol=1e-6)


# ------------------------------------------------------------- textgenrnn


def tensorflow_from(keras):
    """As much of the name `tensorflow` as textgenrnn's model asks for, from Keras 3."""
    ops = keras.ops
    backend = types.SimpleNamespace(
        backend=keras.backend.backend,
        cast=ops.cast,
        dot=ops.matmul,
        epsilon=keras.backend.epsilon,
        exp=ops.exp,
        expand_dims=lambda x: ops.expand_dims(x, -1),
        floatx=keras.backend.floatx,
        max=ops.max,
        reshape=ops.reshape,
        shape=ops.shape,
        sum=ops.sum,
    )
    own = types.ModuleType("tensorflow.keras")
    own.backend, own.initializers = backend, keras.initializers
    optimizers = types.ModuleType("tensorflow.keras.optimizers")
    optimizers.Adam = lambda lr: keras.optimizers.Adam(lr)
    top = types.ModuleType("tensorflow")
    top.keras, top.config = own, types.SimpleNamespace()
    return {
        "tensorflow": top,
        "tensorflow.keras": own,
        "tensorflow.keras.optimizers": optimizers,
        "tensorflow.keras.layers": keras.layers,
        "tensorflow.keras.models": keras.models,
    }


@pytest.fixture
def textgenrnn(monkeypatch):
    """The package's own network, with its weights; its LSTMs have ours."""
    pytest.importorskip("torch", reason="needs torch")
    h5py = pytest.importorskip("h5py", reason="needs h5py")
    folder = folder_of("textgenrnn", "textgenrnn")
    keras = pytest.importorskip("keras", reason="needs keras")
    for name, module in tensorflow_from(keras).items():
        monkeypatch.setitem(sys.modules, name, module)
    bare = types.ModuleType("textgenrnn_files")  # its __init__ asks for much more
    bare.__path__ = [str(folder)]
    monkeypatch.setitem(sys.modules, "textgenrnn_files", bare)
    model = importlib.import_module("textgenrnn_files.model")
    for name in ("model", "AttentionWeightedAverage"):
        monkeypatch.delitem(sys.modules, f"textgenrnn_files.{name}")
    sizes = {"max_length": 40, "dim_embeddings": 100, "rnn_layers": 2, "rnn_size": 128}
    network = model.textgenrnn_model(465, {**sizes, "rnn_bidirectional": False})
    op = mg.interop.open(folder / "textgenrnn_weights.hdf5")
    with h5py.File(folder / "textgenrnn_weights.hdf5") as file:
        for name, parts in {
            "embedding": ["embeddings"],
            "attention": ["attention_W"],
            "output": ["kernel", "bias"],
        }.items():
            arrays = [file[f"{name}/{name}/{part}:0"][:] for part in parts]
            network.get_layer(name).set_weights(arrays)
    for name, lstm in op.layers.items():
        network.get_layer(name).set_weights(mg.interop.to_keras_weights(lstm))
    return network


@pytest.mark.filterwarnings("ignore:Argument `input_length` is deprecated")
@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept")
def test_writing_text(textgenrnn, tmp_path, monkeypatch):
    space = run(PROGRAMS[2], tmp_path, monkeypatch)
    assert space["text"].startswith("This is what happens when you try to stop the ")
    numbers = space["numbers"]
    for text in ("The meaning of life is", "What is the best way to learn a la"):
        tokens = [numbers["<s>"], *[numbers[letter] for letter in text]]
        padded = np.array([[0] * (40 - len(tokens)) + tokens])
        theirs = textgenrnn.predict(padded, verbose=0)[0]
        np.testing.assert_allclose(space["chances"](text)[0], theirs, atol=2e-6)


def test_its_matrices_are_stored_the_other_way_round(tmp_path, monkeypatch):
    """Read as Keras' own layers store them, the network would write nonsense."""
    pytest.importorskip("h5py", reason="needs h5py")
    folder_of("textgenrnn", "textgenrnn")
    space = run(PROGRAMS[2], tmp_path, monkeypatch)
    chances, numbers, op = space["chances"], space["numbers"], space["op"]

    def surprise(text):
        ends = range(10, len(text), 2)
        chance = [chances(text[:k])[0][numbers[text[k]]] for k in ends]
        return -np.mean(np.log(chance))

    text = "This is what happens when you try to do it"
    assert surprise(text) < 1.0  # nats for a character; 6.1 for one of 465 at random
    import h5py

    with h5py.File(folder_of("textgenrnn", "") / "textgenrnn_weights.hdf5") as file:
        for name in op.layers:
            kernel, recurrent, bias = (
                file[f"{name}/{name}/{part}:0"][:]
                for part in ("kernel", "recurrent_kernel", "bias")
            )
            plain = [kernel, recurrent, bias[:512] + bias[512:]]
            op.layers[name] = mg.interop.from_keras_weights("LSTM", plain)
    assert surprise(text) > 3.0
