"""ONNX files of every variant: checked, run by onnxruntime, and the same bits back."""

import itertools

import numpy as np
import pytest
from minigrad.errors import ArgumentError, MinigradWarning

import minigrad as mg
from minigrad.models import GRU, LSTM, RNN

onnx = pytest.importorskip("onnx", reason="needs onnx")

MODELS = {
    "RNN": (RNN, {}),
    "relu RNN": (RNN, {"activation": "relu"}),
    "LSTM": (LSTM, {}),
    "peepholes": (LSTM, {"peephole": "current"}),
    "coupled": (LSTM, {"couple": "forget"}),
    "coupled, peepholes": (LSTM, {"couple": "forget", "peephole": "current"}),
    "GRU": (GRU, {}),
    "GRU, before": (GRU, {"reset": "before"}),
}
OTHERS = {  # written as what is the same function
    "i from f": (LSTM, {"couple": "input"}),
    "i from f, peepholes": (LSTM, {"couple": "input", "peephole": "current"}),
    "z takes": (GRU, {"update": "take"}),
    "z takes, before": (GRU, {"update": "take", "reset": "before"}),
}
WAYS = {"forward": {}, "reverse": {"reverse": True}, "both": {"bidirectional": True}}


def made(name, rng, layers=1, dtype="float32", **more):
    make, options = {**MODELS, **OTHERS}[name]
    sizes = int(rng.integers(1, 6)), int(rng.integers(1, 7))
    return make(*sizes, layers, dtype=dtype, rng=rng, **options, **more)


def fed(model, rng, lengths):
    """Inputs of a model, and of the file that it is written to."""
    steps, batch = max(lengths), len(lengths)
    dtype = model.cells[0].dtype
    x = rng.normal(size=(steps, batch, model.input_size)).astype(dtype)
    shape = (len(model.cells), batch, model.hidden_size)
    states = [rng.normal(size=shape).astype(dtype) for _ in model.cells[0].states]
    names = [f"{letter}0" for letter in model.cells[0].states]
    given = dict(zip(names, states, strict=True))
    given["lengths"] = np.array(lengths, "int32")
    if model.batch_first:
        x = np.ascontiguousarray(x.swapaxes(0, 1))
    return {"x": x, **given}


def ours(model, given):
    states = [given[name] for name in ("h0", "c0") if name in given]
    state = tuple(states) if len(states) > 1 else states[0]
    output, ends = model(given["x"], state, lengths=given["lengths"])
    ends = ends if isinstance(ends, tuple) else (ends,)
    return [output.data, *[end.data for end in ends]]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("name", [*MODELS, *OTHERS])
def test_onnxruntime_gives_the_same_numbers(name, layers, way, rng, tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime", reason="needs onnxruntime")
    model = made(name, rng, layers, batch_first=bool(rng.integers(2)), **WAYS[way])
    path = tmp_path / "model.onnx"
    mg.interop.to_onnx(model, path)
    onnx.checker.check_model(str(path), full_check=True)
    session = onnxruntime.InferenceSession(path.read_bytes())
    names = [value.name for value in session.get_inputs()]
    states = ["h0", "c0"] if isinstance(model, LSTM) else ["h0"]
    assert names == ["x", *states, "lengths"]
    given = fed(model, rng, lengths=[6, 1, 4])
    for theirs, wanted in zip(
        session.run(None, given), ours(model, given), strict=True
    ):
        np.testing.assert_allclose(theirs, wanted, rtol=1e-5, atol=1e-6)


def test_a_network_that_onnxruntime_cannot_run_is_told(tmp_path):
    with pytest.warns(MinigradWarning, match="has no kernel") as caught:
        mg.interop.to_onnx(RNN(2, 3, rng=0), tmp_path / "rnn.onnx")
    assert len(caught) == 1
    mg.interop.to_onnx(RNN(2, 3, dtype="float32", rng=0), tmp_path / "rnn.onnx")


@pytest.mark.filterwarnings("ignore:to_onnx. an RNN of float64")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_model_and_back(name, way, dtype, rng, tmp_path):
    layers = int(rng.integers(1, 4))
    model = made(name, rng, layers, dtype, **WAYS[way])
    path = tmp_path / "model.onnx"
    mg.interop.to_onnx(model, path)
    back = mg.interop.from_onnx(path)
    assert back.config == {**model.config, "dropout": 0.0}
    for key, value in model.state_dict().items():
        assert np.array_equal(back.state_dict()[key], value), key


@pytest.mark.parametrize("name", OTHERS)
def test_what_comes_back_in_other_words(name, rng, tmp_path):
    model = made(name, rng, 2, "float64", bidirectional=True)
    mg.interop.to_onnx(model, tmp_path / "model.onnx")
    back = mg.interop.from_onnx(tmp_path / "model.onnx")
    given = fed(model, rng, lengths=[5, 3])
    for one, other in zip(ours(back, given), ours(model, given), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-14)


def node_file(path, kind, arrays, *, steps=4, batch=2, lengths=True, **attributes):
    """A file of one node, written with onnx alone. Returns x, states, the reference."""
    from onnx import TensorProto, helper, numpy_helper

    ways, _, width = arrays["W"].shape
    hidden = arrays["R"].shape[2]
    state = ["h0"] + ["c0"] * (kind == "LSTM")
    inputs = ["x", "W", "R", "B" * ("B" in arrays), "lengths" * lengths, *state]
    inputs += ["P"] if "P" in arrays else []
    outputs = ["Y", "Y_h"] + ["Y_c"] * (kind == "LSTM")
    number = helper.np_dtype_to_tensor_dtype(arrays["W"].dtype)
    info = helper.make_tensor_value_info
    graph = helper.make_graph(
        [helper.make_node(kind, inputs, outputs, hidden_size=hidden, **attributes)],
        "g",
        [info("x", number, [steps, batch, width])]
        + ([info("lengths", TensorProto.INT32, [batch])] if lengths else [])
        + [info(s, number, [ways, batch, hidden]) for s in state],
        [info("Y", number, [steps, ways, batch, hidden])]
        + [info(o, number, [ways, batch, hidden]) for o in outputs[1:]],
        initializer=[numpy_helper.from_array(a, n) for n, a in arrays.items()],
    )
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8
    )
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)
    return model


def node_arrays(rng, kind, ways, width, hidden, bias, peep, dtype="float32"):
    gates = {"RNN": 1, "LSTM": 4, "GRU": 3}[kind]
    shapes = {"W": (gates * hidden, width), "R": (gates * hidden, hidden)}
    if bias:
        shapes["B"] = (2 * gates * hidden,)
    if peep:
        shapes["P"] = (3 * hidden,)
    return {
        name: rng.normal(size=(ways, *shape), scale=0.6).astype(dtype)
        for name, shape in shapes.items()
    }


NODES = [
    ("RNN", {}), ("RNN", {"activations": ["Relu"]}), ("LSTM", {}),
    ("LSTM", {"peep": True}), ("LSTM", {"input_forget": 1}),
    ("LSTM", {"input_forget": 1, "peep": True}), ("GRU", {}),
    ("GRU", {"linear_before_reset": 1}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("node", "bias", "way"),
    list(itertools.product(NODES, (True, False), WAYS)),
)
def test_a_node_of_any_file_and_back(node, bias, way, rng, tmp_path):
    """Weights come back as they were, both biases too."""
    onnxruntime = pytest.importorskip("onnxruntime", reason="needs onnxruntime")
    kind, options = node[0], dict(node[1])
    direction = "bidirectional" if way == "both" else way
    ways = 2 if direction == "bidirectional" else 1
    if "activations" in options:
        options["activations"] = options["activations"] * ways
    width, hidden = int(rng.integers(1, 6)), int(rng.integers(1, 7))
    arrays = node_arrays(rng, kind, ways, width, hidden, bias, options.pop("peep", 0))
    path = tmp_path / "node.onnx"
    node_file(path, kind, arrays, direction=direction, **options)
    model = mg.interop.from_onnx(path)
    given = fed(model, rng, lengths=[4, 2])
    output, *ends = onnxruntime.InferenceSession(path.read_bytes()).run(None, given)
    theirs = [output.transpose(0, 2, 1, 3).reshape(4, 2, -1), *ends]
    for one, other in zip(ours(model, given), theirs, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)
    mg.interop.to_onnx(model, tmp_path / "again.onnx")
    held = {t.name: t for t in onnx.load(tmp_path / "again.onnx").graph.initializer}
    for name, array in arrays.items():
        key = next(k for k in held if k.endswith(f".{name}"))
        again = onnx.numpy_helper.to_array(held[key])
        if "input_forget" in options:  # of f nothing is used
            array = without_f(array, name, hidden)
        assert np.array_equal(again, array), name
    assert ("B" in arrays) == any(key.endswith(".B") for key in held)


def without_f(array, name, hidden):
    """The same with zeros for the forget gate, which input_forget never reads."""
    array = array.copy()
    blocks = array.reshape(array.shape[0], -1, hidden, *array.shape[2:][:1])
    if name == "P":
        blocks[:, 2] = 0
    elif name == "B":
        blocks[:, [2, 6]] = 0
    else:
        blocks[:, 2] = 0
    return array


@pytest.mark.parametrize(
    ("model", "name"),
    [
        (LSTM(2, 3, peephole="previous"), "peephole='previous'"),
        (LSTM(2, 3, forget_gate=False), "forget_gate=False"),
    ],
)
def test_what_has_no_counterpart_there(model, name, tmp_path):
    with pytest.raises(ArgumentError) as error:
        mg.interop.to_onnx(model, tmp_path / "x.onnx")
    assert f"{name} has no counterpart" in str(error.value)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ArgumentError, match="not a recurrent model"):
        mg.interop.to_onnx(mg.nn.Linear(2, 3), tmp_path / "x.onnx")


@pytest.mark.parametrize(
    ("kind", "attributes", "name"),
    [
        ("LSTM", {"clip": 3.0}, "clip=3.0"),
        ("LSTM", {"activations": ["HardSigmoid", "Tanh", "Tanh"]}, "HardSigmoid"),
        ("RNN", {"activations": ["Elu"], "activation_alpha": [0.5]}, "Elu"),
        ("GRU", {"activations": ["Sigmoid", "Relu"]}, "Relu"),
    ],
)
def test_nodes_that_have_no_counterpart_here(kind, attributes, name, rng, tmp_path):
    arrays = node_arrays(rng, kind, 1, 2, 3, True, False)
    node_file(tmp_path / "node.onnx", kind, arrays, **attributes)
    with pytest.raises(ArgumentError) as error:
        mg.interop.from_onnx(tmp_path / "node.onnx")
    assert name in str(error.value) and "no counterpart" in str(error.value)
