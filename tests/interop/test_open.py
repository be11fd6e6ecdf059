"""Files of every kind are opened: what is in them, and the page of what it does."""

import os

import numpy as np
import pytest
from minigrad.errors import ArgumentError, CheckpointError, MinigradWarning

import minigrad as mg
from minigrad.commands.main import main
from minigrad.models import GRU, LSTM, RNN

os.environ.setdefault("KERAS_BACKEND", "torch")


@pytest.fixture
def state(rng):
    """A state dict of a whole network, as arrays: an encoder, a decoder, a head."""
    encoder = LSTM(3, 4, 2, bidirectional=True, dtype="float32", rng=rng)
    decoder = GRU(5, 4, dtype="float32", rng=rng)
    made = {}
    for name, model in (("net.encoder", encoder), ("decoder", decoder)):
        for key, value in mg.interop.to_torch_state_dict(model).items():
            made[f"{name}.{key}"] = np.asarray(value)
    made["head.weight"] = rng.normal(size=(2, 4)).astype("float32")
    return made


def check(op, state, kind):
    assert op.kind == kind and len(op.layers) == 2
    encoder, decoder = op.layers["net.encoder"], op.layers["decoder"]
    assert encoder.num_layers == 2 and encoder.bidirectional
    assert isinstance(decoder, GRU) and not decoder.training
    for name, model in op.layers.items():
        for key, value in mg.interop.to_torch_state_dict(model).items():
            assert np.array_equal(value, state[f"{name}.{key}"])
    assert "head.weight (2, 4)" in repr(op) and op.refused == {}
    with pytest.raises(ArgumentError, match="is not an ONNX file"):
        op.capture({})


def test_npz_and_safetensors(state, tmp_path):
    np.savez(tmp_path / "a.npz", **state)
    check(mg.interop.open(tmp_path / "a.npz"), state, "NumPy")
    np.savez_compressed(tmp_path / "b.npz", **state)
    check(mg.interop.open(tmp_path / "b.npz"), state, "NumPy")
    mg.save(tmp_path / "c.safetensors", state)
    check(mg.interop.open(str(tmp_path / "c.safetensors")), state, "safetensors")


def test_a_pytorch_file(state, tmp_path):
    torch = pytest.importorskip("torch", reason="needs torch")
    tensors = {k: torch.tensor(v) for k, v in state.items()}
    torch.save(tensors, tmp_path / "a.pt")
    check(mg.interop.open(tmp_path / "a.pt"), state, "PyTorch")
    torch.save({"model": tensors, "epoch": 3, "loss": [1.0]}, tmp_path / "b.pt")
    assert list(mg.interop.open(tmp_path / "b.pt").layers) == [
        "model.net.encoder",
        "model.decoder",
    ]


def test_short_names_and_cells_alone(rng, tmp_path):
    gru = GRU(3, 4, dtype="float32", rng=rng)
    parts = mg.interop.to_torch_state_dict(gru)
    short = {
        f"enc_{k.replace('weight', 'w').replace('bias', 'b').removesuffix('_l0')}": v
        for k, v in parts.items()
    }
    assert "enc_w_ih" in short
    np.savez(tmp_path / "a.npz", **short)
    op = mg.interop.open(tmp_path / "a.npz")
    for name, value in gru.state_dict().items():
        assert np.allclose(op.layers["enc"].state_dict()[name], value, atol=1e-7)


def test_an_rnn_does_not_say_its_function(rng, tmp_path):
    rnn = RNN(2, 3, dtype="float32", rng=rng)
    np.savez(tmp_path / "a.npz", **mg.interop.to_torch_state_dict(rnn))
    op = mg.interop.open(tmp_path / "a.npz")
    assert list(op.layers) == ["rnn"] and "assumed tanh" in repr(op)


def test_what_is_not_opened_is_listed(state, tmp_path):
    del state["decoder.bias_hh_l0"]
    state["third.weight_hr_l0"] = state["head.weight"]
    np.savez(tmp_path / "a.npz", **state)
    op = mg.interop.open(tmp_path / "a.npz")
    assert list(op.layers) == ["net.encoder"]
    assert "missing: 'bias_hh_l0'" in op.refused["decoder"]
    assert "proj_size" in op.refused["third"]


@pytest.mark.parametrize("ending", ["keras", "weights.h5", "h5"])
def test_files_of_keras(ending, rng, tmp_path):
    pytest.importorskip("torch", reason="needs torch")
    keras = pytest.importorskip("keras", reason="needs keras")
    layers = keras.layers
    parts = [
        layers.Embedding(9, 3, name="words"),
        layers.Bidirectional(layers.LSTM(4, return_sequences=True), name="reader"),
        layers.GRU(3, return_sequences=True, reset_after=False, name="second"),
        layers.SimpleRNN(2, activation="relu", use_bias=False, name="third"),
        layers.Dense(1),
    ]
    network = keras.Sequential([keras.Input((5,)), *parts])
    path = tmp_path / f"a.{ending}"
    (network.save_weights if ending == "weights.h5" else network.save)(path)
    op = mg.interop.open(path)
    kinds = {type(model): model for model in op.layers.values()}
    if ending != "weights.h5":
        assert list(op.layers) == ["reader", "second", "third"]
        assert kinds[RNN].config["activation"] == "relu"
    else:
        assert "the file has no description" in repr(op)
    assert kinds[LSTM].bidirectional and kinds[GRU].config["reset"] == "before"
    for model, layer in ((kinds[LSTM], parts[1]), (kinds[GRU], parts[2])):
        held = [variable.value.detach().numpy() for variable in layer.weights]
        ours = mg.interop.to_keras_weights(model)
        assert all(np.array_equal(a, b) for a, b in zip(ours, held, strict=True))
    x = rng.normal(size=(5, 2, 3)).astype("float32")
    theirs = parts[1](x.swapaxes(0, 1)).detach().numpy().swapaxes(0, 1)
    np.testing.assert_allclose(kinds[LSTM](x)[0].data, theirs, atol=1e-6)


pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept:DeprecationWarning"
)


def test_keras_layers_with_other_functions_are_refused(tmp_path):
    pytest.importorskip("torch", reason="needs torch")
    keras = pytest.importorskip("keras", reason="needs keras")
    network = keras.Sequential(
        [
            keras.Input((5, 2)),
            keras.layers.LSTM(3, return_sequences=True, name="hard",
                              recurrent_activation="hard_sigmoid"),
            keras.layers.Bidirectional(
                keras.layers.GRU(3, return_sequences=True), "sum", name="added"),
            keras.layers.GRU(3, go_backwards=True, name="back"),
        ]
    )  # fmt: skip
    network.save(tmp_path / "a.keras")
    op = mg.interop.open(tmp_path / "a.keras")
    assert "hard_sigmoid" in op.refused["hard"] and "merge_mode" in op.refused["added"]
    assert op.layers["back"].reverse and "from the end" in repr(op)


# ------------------------------------------------------------- ONNX


@pytest.fixture
def network(rng, tmp_path):
    """A file with products around an LSTM and a GRU behind it; and its inputs."""
    onnx = pytest.importorskip("onnx", reason="needs onnx")
    from minigrad.interop.onnx_writer import OnnxWriter

    lstm = LSTM(4, 5, bidirectional=True, dtype="float32", rng=rng)
    gru = GRU(3, 6, reset="before", reverse=True, dtype="float32", rng=rng)
    between = mg.nn.Linear(10, 3, dtype="float32", rng=rng)
    first = mg.nn.Linear(2, 4, dtype="float32", rng=rng)
    writer = OnnxWriter()
    x = writer.input("audio", "float32", ["T", "B", 2])
    lengths = writer.input("lengths", "int32", ["B"])
    h = writer.constant("start", np.ones((2, 3, 5), "float32"))
    c = writer.input("c", "float32", [2, "B", 5])
    y, _ = writer.recurrent(lstm, writer.linear(first, x, "a"), [h, c], lengths, "lstm")
    (y,) = writer.add("Relu", [writer.linear(between, y, "b")])
    y, (last,) = writer.recurrent(gru, y, [], "", "gru")
    writer.output("y", y, "float32", ["T", "B", 6])
    writer.output("last", last, "float32", [1, "B", 6])
    path = tmp_path / "network.onnx"
    writer.write(path, "network")
    inputs = {
        "audio": rng.normal(size=(7, 3, 2)).astype("float32"),
        "lengths": np.array([7, 4, 2], "int32"),
        "c": rng.normal(size=(2, 3, 5)).astype("float32"),
    }
    assert onnx.load(path).graph.node
    return path, inputs


def test_what_reaches_the_layers_of_a_network_is_captured(network):
    pytest.importorskip("onnxruntime", reason="needs onnxruntime")
    path, inputs = network
    op = mg.interop.open(path)
    assert list(op.layers) == ["lstm_l0", "gru_l0"]
    assert op.inputs[0] == "audio: float (T, B, 2)"
    found = op.capture(inputs)
    x, states, wanted = found["lstm_l0"]
    assert x.shape == (7, 3, 4) and wanted.shape == (7, 3, 10)
    assert np.array_equal(states[0], np.ones((2, 3, 5)))
    assert np.array_equal(states[1], inputs["c"])
    output, _ = op.layers["lstm_l0"](x, states, lengths=found["lstm_l0"].lengths)
    np.testing.assert_allclose(output.data, wanted, atol=1e-6)
    x, states, wanted = found["gru_l0"]
    assert states is None and found["gru_l0"].lengths is None
    np.testing.assert_allclose(op.layers["gru_l0"](x)[0].data, wanted, atol=1e-6)
    with pytest.raises(ArgumentError, match="missing: 'c'"):
        op.capture({k: v for k, v in inputs.items() if k != "c"})
    with pytest.raises(CheckpointError, match="onnxruntime cannot run"):
        op.capture({**inputs, "audio": np.ones((7, 3, 9), "float32")})


def test_two_layers_that_are_no_one_model(network):
    with pytest.raises(
        CheckpointError, match="2 recurrent layers that are no one model"
    ):
        mg.interop.from_onnx(network[0])


def test_the_command_lists_and_writes_a_page(rng, tmp_path, capsys, page):
    pytest.importorskip("onnxruntime", reason="needs onnxruntime")
    path = tmp_path / "one.onnx"
    lstm = LSTM(4, 5, bidirectional=True, dtype="float32", rng=rng)
    mg.interop.to_onnx(lstm, path)
    states = {n: np.ones((2, 2, 5), "float32") for n in ("h0", "c0")}
    x = rng.normal(size=(5, 2, 4)).astype("float32")
    inputs = {"x": x, "lengths": np.array([5, 3], "int32"), **states}
    np.savez(tmp_path / "in.npz", **inputs)
    folder = tmp_path / "out"
    code = main(
        ["open", str(path), "--input", str(tmp_path / "in.npz"), "-o", str(folder)]
    )
    said = capsys.readouterr().out
    assert code == 0 and "lstm_l0: LSTM, 4 in, 5 units" in said
    assert sorted(p.name for p in folder.iterdir()) == [
        "index.html",
        "layer0-graph.html",
        "layer0-player.html",
    ]
    page.goto((folder / "index.html").as_uri())
    text = page.inner_text("body")
    assert "The largest difference between our outputs and the file's is" in text
    assert "Gradient flow" in text and "layer 0, reverse" in text
    assert page.locator("figure").count() > 8
    page.goto((folder / "layer0-player.html").as_uri())


def test_the_command_without_input(state, tmp_path, capsys):
    np.savez(tmp_path / "a.npz", **state)
    assert main(["open", str(tmp_path / "a.npz")]) == 0
    assert "decoder: GRU" in capsys.readouterr().out
    assert [path.name for path in tmp_path.iterdir()] == ["a.npz"]
    out = str(tmp_path / "page")
    assert main(["open", str(tmp_path / "a.npz"), "-o", out]) == 0
    text = (tmp_path / "page" / "index.html").read_text()
    assert "It was given no input" in text and "spectral radius" in text


def test_the_input_of_a_file_without_a_graph(state, tmp_path, capsys, rng):
    np.savez(tmp_path / "a.npz", **state)
    np.save(tmp_path / "x.npy", rng.normal(size=(3, 5)))  # fits the decoder alone
    arguments = ["open", str(tmp_path / "a.npz"), "-o", str(tmp_path / "page")]
    assert main([*arguments, "--input", str(tmp_path / "x.npy")]) == 0
    assert (tmp_path / "page" / "layer1-player.html").exists()
    np.save(tmp_path / "x.npy", rng.normal(size=(6, 9)))
    assert main([*arguments, "--input", str(tmp_path / "x.npy")]) == 2
    assert "net.encoder (T, B, 3)" in capsys.readouterr().err
    assert main([*arguments, "--input", str(tmp_path / "none.npy")]) == 2


def test_what_weights_say_of_themselves(rng, tmp_path):
    lstm = LSTM(2, 30, dtype="float32", rng=rng, forget_bias=5.0)
    W_h = lstm.cells[0].W_h
    found = mg.interop.layer_health.health(lstm)[0]
    wanted = np.abs(np.linalg.eigvals(W_h.data[:, :30].astype("float64"))).max()
    assert found.radius["i"] == pytest.approx(wanted)
    assert found.saturated == {"i": 0.0, "f": 1.0, "o": 0.0}
    assert found.forget_bias == pytest.approx(5.0)
    assert found.memory == pytest.approx(np.log(2) / np.log1p(np.exp(-5)))
    assert found.parameters == 120 * 2 + 120 * 30 + 120
    said = mg.interop.layer_health.figures(found)
    assert f"i {wanted:.2f}" in said and "beyond 4: f 100%" in said
    assert "forget bias 5.00, half is kept for 103.2 steps" in said
    b = np.array(lstm.cells[0].b.data)
    b[3] = np.nan
    lstm.cells[0].b.data = b
    mg.save(tmp_path / "a.safetensors", mg.interop.to_torch_state_dict(lstm))
    with pytest.warns(MinigradWarning, match="1 weights are NaN or infinite"):
        said = repr(mg.interop.open(tmp_path / "a.safetensors"))
    with pytest.warns(MinigradWarning, match="from_torch: 1 weights"):
        mg.interop.from_torch(mg.interop.to_torch_state_dict(lstm))
    with pytest.warns(MinigradWarning, match="from_keras_weights: 1 weights"):
        mg.interop.from_keras_weights("LSTM", mg.interop.to_keras_weights(lstm))
    assert "1 weights are NaN or infinite" in said and "beyond 4" in said
