"""Weights as Keras has them: the same bits back, the same numbers as its layers."""

import itertools
import os

import numpy as np
import pytest
from minigrad.errors import ArgumentError, CheckpointError

import minigrad as mg
from minigrad.interop.gate_blocks import ORDERS, reordered
from minigrad.models import GRU, LSTM, RNN

os.environ.setdefault("KERAS_BACKEND", "torch")

pytestmark = pytest.mark.filterwarnings(
    # Keras' own arrays, when NumPy copies them.
    "ignore:__array__ implementation doesn't accept:DeprecationWarning"
)
MAKES = {"SimpleRNN": RNN, "LSTM": LSTM, "GRU": GRU}
GATES = {"SimpleRNN": 1, "LSTM": 4, "GRU": 3}


@pytest.fixture(scope="module")
def keras():
    pytest.importorskip("torch", reason="needs torch")
    keras = pytest.importorskip("keras", reason="needs keras")
    yield keras
    keras.config.set_floatx("float32")


def drawn(rng, kind, width, hidden, bias=True, reset="after", dtype="float32"):
    """Weights as get_weights() of one direction gives them."""
    columns = GATES[kind] * hidden
    shapes = [(width, columns), (hidden, columns)]
    if bias:
        two = kind == "GRU" and reset == "after"
        shapes.append((2, columns) if two else (columns,))
    return [rng.normal(size=shape, scale=0.5).astype(dtype) for shape in shapes]


CASES = [
    (kind, both, bias, reset, activation)
    for kind, both, bias in itertools.product(MAKES, (False, True), (True, False))
    for reset in (("after", "before") if kind == "GRU" else ("after",))
    for activation in (("tanh", "relu") if kind == "SimpleRNN" else ("tanh",))
]


@pytest.mark.parametrize(("kind", "both", "bias", "reset", "activation"), CASES)
def test_a_layer_and_back(keras, kind, both, bias, reset, activation, rng, proof):
    row = proof("other libraries", "Keras' layers, values and gradients")
    width, hidden = int(rng.integers(1, 6)), int(rng.integers(1, 7))
    dtype = str(rng.choice(["float32", "float64"]))
    keras.config.set_floatx(dtype)  # layers within Bidirectional hear of nothing else
    options = {"reset_after": reset == "after"} if kind == "GRU" else {}
    layer = getattr(keras.layers, kind)(
        hidden,
        return_sequences=True,
        use_bias=bias,
        activation=activation,
        dtype=dtype,
        **options,
    )
    if both:
        layer = keras.layers.Bidirectional(layer, dtype=dtype)
    steps, batch = int(rng.integers(1, 7)), int(rng.integers(1, 4))
    x = rng.normal(size=(batch, steps, width)).astype(dtype)
    layer.build(x.shape)
    weights = [
        array
        for _ in range(2 if both else 1)
        for array in drawn(rng, kind, width, hidden, bias, reset, dtype)
    ]
    layer.set_weights(weights)
    model = mg.interop.from_keras_weights(
        kind, layer.get_weights(), activation=activation, reset=reset, batch_first=True
    )
    assert type(model) is MAKES[kind] and model.bidirectional == both
    import torch

    tx = torch.tensor(x, requires_grad=True)
    theirs = layer(tx)
    mx = mg.tensor(x, requires_grad=True)
    ours, _ = model(mx)
    # On PyTorch, Keras' own matmul, which some layers use, computes in float32.
    exact = dtype == "float64" and (kind == "LSTM" or options == {"reset_after": True})
    tolerance = 1e-12 if exact else 1e-6
    close = {"rtol": 10 * tolerance, "atol": tolerance}
    np.testing.assert_allclose(ours.data, theirs.detach().numpy(), **close)
    cotangent = rng.normal(size=ours.shape).astype(dtype)
    (theirs * torch.tensor(cotangent)).sum().backward()
    (ours * cotangent).sum().backward()
    close["atol"] *= 10
    np.testing.assert_allclose(mx.grad.data, tx.grad.numpy(), **close)
    again = mg.interop.to_keras_weights(model)
    assert len(again) == len(weights)
    assert all(np.array_equal(a, w) for a, w in zip(again, weights, strict=True))
    theirs_by_cell = np.array_split(np.arange(len(layer.weights)), 2 if both else 1)
    for cell, numbers in zip(model.cells, theirs_by_cell, strict=True):
        ours_in_their_order = [
            reordered(p.grad.data, cell.gates, ORDERS["Keras"][cell.kind])
            for p in (cell.W_x, cell.W_h, cell.b)
            if p.requires_grad
        ]
        for k, grad in zip(numbers, ours_in_their_order, strict=True):
            wanted = layer.weights[k].value.grad.numpy()
            # A GRU's second bias is b_h and, for two gates, the same b once more.
            wanted = wanted[0] if wanted.shape == (2, *grad.shape) else wanted
            np.testing.assert_allclose(grad, wanted, **close)
    row.expect(True, kind)


@pytest.mark.parametrize("kind", MAKES)
def test_layers_in_a_row(kind, rng):
    first = [a for _ in range(2) for a in drawn(rng, kind, 3, 4)]
    second = [a for _ in range(2) for a in drawn(rng, kind, 8, 4)]
    model = mg.interop.from_keras_weights(kind, [first, second])
    assert model.num_layers == 2 and model.bidirectional
    again = mg.interop.to_keras_weights(model)
    for layer, wanted in zip(again, [first, second], strict=True):
        assert all(np.array_equal(a, w) for a, w in zip(layer, wanted, strict=True))


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
def test_cudnn_layers(kind, rng):
    """Blocks as CuDNN stores them: (H, D) in the memory of Keras' (D, H)."""
    width, hidden, gates = 3, 4, GATES[kind]
    kernel, recurrent, _ = drawn(rng, kind, width, hidden)
    biases = rng.normal(size=(2, gates * hidden)).astype("float32")

    def stored(matrix):
        blocks = np.split(matrix, gates, axis=1)
        return np.concatenate([b.T.reshape(b.shape) for b in blocks], axis=1)

    model = mg.interop.from_keras_weights(
        f"CuDNN{kind}", [stored(kernel), stored(recurrent), biases.ravel()]
    )
    if kind == "GRU":
        plain = [kernel, recurrent, biases]
    else:
        plain = [kernel, recurrent, biases.sum(axis=0)]
    same = mg.interop.from_keras_weights(kind, plain)
    for name, value in same.state_dict().items():
        assert np.array_equal(model.state_dict()[name], value), name


def test_arrays_that_do_not_fit(rng):
    good = drawn(rng, "LSTM", 3, 4)
    for kind, weights, error in [
        ("LSTM", good[:1], CheckpointError),
        ("LSTM", [], CheckpointError),
        ("LSTM", [*good, *good, *good], CheckpointError),
        ("GRU", good, CheckpointError),
        ("LSTM", [good[1][:, :-1], *good[1:]], CheckpointError),
        ("LSTM", [good[0], good[1], good[2][:-1]], CheckpointError),
        ("LSTM", [*good, *drawn(rng, "LSTM", 3, 5)], CheckpointError),
        ("LSTM", [*good[:2], good[2].astype("float64")], CheckpointError),
        ("ConvLSTM2D", good, ArgumentError),
        (7, good, ArgumentError),
    ]:
        with pytest.raises(error):
            mg.interop.from_keras_weights(kind, weights)
    with pytest.raises(CheckpointError):
        mg.interop.from_keras_weights("LSTM", good, bidirectional=True)


@pytest.mark.parametrize(
    ("model", "name"),
    [
        (LSTM(2, 3, peephole="previous"), "peephole='previous'"),
        (LSTM(2, 3, couple="input"), "couple='input'"),
        (LSTM(2, 3, forget_gate=False), "forget_gate=False"),
        (GRU(2, 3, reverse=True), "reverse=True"),
    ],
)
def test_what_has_no_counterpart_there(model, name):
    with pytest.raises(ArgumentError) as error:
        mg.interop.to_keras_weights(model)
    assert f"{name} has no counterpart" in str(error.value)
