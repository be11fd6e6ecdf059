"""Cells and models as objects: sizes, starting values, dtypes, orders, messages."""

import numpy as np
import pytest
from minigrad.models.cell import is_same_every_step

import minigrad as mg
from minigrad.engine.errors import ArgumentError, DTypeError, MinigradError, ShapeError
from minigrad.models import GRU, LSTM, RNN, GRUCell, LSTMCell, RNNCell

KINDS = [RNN, LSTM, GRU]
D, H = 3, 8


# ------------------------------------------------------------- sizes and orders


@pytest.mark.parametrize(
    "model, gates, extra",
    [
        (RNN(D, H), ("h",), 0),
        (LSTM(D, H), ("i", "f", "g", "o"), 0),
        (LSTM(D, H, forget_gate=False), ("i", "g", "o"), 0),
        (LSTM(D, H, couple="forget"), ("i", "g", "o"), 0),
        (LSTM(D, H, couple="input"), ("f", "g", "o"), 0),
        (LSTM(D, H, peephole="current"), ("i", "f", "g", "o"), 3 * H),
        (LSTM(D, H, peephole="previous", couple="input"), ("f", "g", "o"), 2 * H),
        (GRU(D, H), ("r", "z", "n"), H),
        (GRU(D, H, reset="before"), ("r", "z", "n"), 0),
    ],
)
def test_gates_and_the_number_of_parameters(model, gates, extra):
    [cell] = model.cells
    assert cell.gates == model.gates == gates
    G = len(gates)
    assert cell.W_x.shape == (D, G * H) and cell.W_h.shape == (H, G * H)
    assert cell.b.shape == (G * H,)
    count = sum(p.size for p in model.parameters())
    assert count == G * H * (D + H + 1) + extra
    peepholes = {name for name, _ in cell.named_parameters() if name.startswith("p_")}
    seen = {"p_i", "p_f", "p_o"} & {f"p_{k}" for k in gates}
    assert peepholes == (seen if getattr(cell, "peephole", None) else set())


@pytest.mark.parametrize("kind", KINDS)
def test_cells_stand_in_pytorchs_order(kind):
    model = kind(D, H, 2, bidirectional=True, rng=0)
    assert [cell.input_size for cell in model.cells] == [D, D, 2 * H, 2 * H]
    names = [name for name, _ in model.named_parameters()]
    assert names[0] == "cells.0.W_x" and names[-1].startswith("cells.3.b")
    assert [p.name for p in model.parameters()] == names
    assert [p.name for p in kind(D, H).parameters()][:2] == ["W_x", "W_h"]
    assert kind(D, H, 2).parameters()[0].name == "cells.0.W_x"


@pytest.mark.parametrize("kind", KINDS)
def test_a_state_with_a_row_for_each_feature_is_refused(kind):
    """Beside one sample it would broadcast."""
    cell = kind(3, 4, rng=0).cells[0]
    parts = [mg.zeros((3, 4)) for _ in cell.states]
    with pytest.raises(ShapeError, match="cell"):
        cell(mg.ones((1, 3)), parts[0] if len(parts) == 1 else tuple(parts))


@pytest.mark.parametrize("kind", KINDS)
def test_a_configuration_makes_the_same_model(kind):
    model = kind(D, H, 2, bidirectional=True, dtype=np.float32, rng=0)
    again = kind(**model.config)
    assert again.config == model.config and model.config["dtype"] == "float32"
    again.load_state_dict(model.state_dict())
    x = np.ones((4, 2, D), np.float32)
    assert (again(x)[0].data == model(x)[0].data).all()
    assert "num_layers=2" in repr(model) and "cells.3" in repr(model)


# ------------------------------------------------------------- starting values


@pytest.mark.parametrize("kind", KINDS)
def test_weights_start_uniform(kind):
    """U(-1/sqrt(H), 1/sqrt(H)): within the bounds, near them, spread evenly."""
    model = kind(30, 100, rng=0, **({"peephole": "current"} if kind is LSTM else {}))
    [cell] = model.cells
    for name, p in cell.named_parameters():
        values = np.array(p.data)
        if name == "b" and kind is LSTM:
            assert (values[cell.columns("f")] == 1).all()
            values = np.delete(values, np.r_[cell.columns("f")])
        assert np.abs(values).max() <= 0.1
        assert np.abs(values).max() >= 0.1 * (1 - 10 / values.size), name
        deviation = 0.1 / np.sqrt(3)
        assert abs(values.std() - deviation) < deviation * 2 / np.sqrt(values.size)
        assert abs(values.mean()) < deviation * 4 / np.sqrt(values.size)


def test_the_forget_bias_is_as_asked():
    cell = LSTMCell(D, H, forget_bias=-2.5, couple="input")
    assert (cell.b.data[:H] == -2.5).all() and np.abs(cell.b.data[H:]).max() < 1
    cell = LSTMCell(D, H, forget_bias=-2.5, couple="forget")
    assert np.abs(cell.b.data).max() < 1  # no forget gate of its own


@pytest.mark.parametrize("cell", [RNNCell, LSTMCell, GRUCell])
def test_orthogonal_and_identity_by_name(cell):
    one = cell(D, H, init="orthogonal", rng=0)
    for letter in one.gates:
        block = one.W_h.data[:, one.columns(letter)]
        np.testing.assert_allclose(block.T @ block, np.eye(H), atol=1e-14)
    same = cell(D, H, init="identity", dtype="float32")
    for letter in same.gates:
        assert (same.W_h.data[:, same.columns(letter)] == np.eye(H)).all()
    assert same.W_h.dtype == np.float32
    assert np.abs(one.W_x.data).max() <= 1 / np.sqrt(H)


@pytest.mark.parametrize("kind", KINDS)
def test_chance_comes_from_rng_or_the_global_generator(kind):
    def weights(**how):
        return np.concatenate(
            [p.data.ravel() for p in kind(D, H, 2, **how).parameters()]
        )

    assert (weights(rng=3) == weights(rng=3)).all()
    assert (weights(rng=3) == weights(rng=np.random.default_rng(3))).all()
    assert (weights(rng=3) != weights(rng=4)).any()
    mg.manual_seed(5)
    first = weights()
    assert (weights() != first).any()
    mg.manual_seed(5)
    assert (weights() == first).all()
    assert (weights(rng=3, dtype="float32") == weights(rng=3).astype("float32")).all()


# ------------------------------------------------------------- shapes and dtypes


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("T, B", [(1, 1), (1, 4), (5, 1), (3, 0)])
def test_small_shapes(kind, T, B):
    model = kind(D, H, 2, bidirectional=True, rng=0)
    x = mg.tensor(np.ones((T, B, D)), requires_grad=True)
    output, state = model(x)
    assert output.shape == (T, B, 2 * H)
    for part in state if kind is LSTM else [state]:
        assert part.shape == (4, B, H)
    output.sum().backward()
    assert x.grad.shape == x.shape and (x.grad.data != 0).all()
    assert model.trace(x)["h"].shape == (T, B, H)


@pytest.mark.parametrize("kind", KINDS)
def test_float32_agrees_with_float64_and_stays(kind, rng):
    x, lengths = rng.standard_normal((6, 3, D)), [6, 2, 4]
    u = rng.standard_normal((6, 3, 2 * H))
    found = {}
    for dtype in ("float32", "float64"):
        model = kind(D, H, 2, bidirectional=True, dtype=dtype, rng=0)
        inputs = mg.tensor(x.astype(dtype), requires_grad=True)
        tr = model.trace(inputs, lengths=lengths)
        (tr.output * u.astype(dtype)).sum().backward()
        tensors = [tr.output, inputs.grad, *(p.grad for p in model.parameters())]
        assert {t.dtype for t in tensors} == {np.dtype(dtype)}
        assert {tr[name].dtype for name in tr.names} == {np.dtype(dtype)}
        found[dtype] = [t.data for t in tensors]
    for small, exact in zip(found["float32"], found["float64"], strict=True):
        assert np.abs(small - exact).max() <= 3e-6 * np.abs(exact).max()


@pytest.mark.parametrize("kind", KINDS)
def test_a_second_backward_adds_the_same_again(kind, rng):
    model = kind(D, H, rng=0)
    output, _ = model(rng.standard_normal((5, 2, D)))
    loss = (output * rng.standard_normal(output.shape)).sum()
    loss.backward()
    once = [p.grad.data for p in model.parameters()]
    loss.backward()
    for p, g in zip(model.parameters(), once, strict=True):
        np.testing.assert_allclose(p.grad.data, 2 * g, rtol=1e-13)


@pytest.mark.parametrize("kind", KINDS)
def test_the_hessian_through_a_masked_bidirectional_model(kind, rng):
    """H v by differentiating the gradient, against differences of gradients."""
    model = kind(2, 3, bidirectional=True, rng=0)
    parameters = model.parameters()
    x, u = rng.standard_normal((4, 2, 2)), rng.standard_normal((4, 2, 6))
    start = [p.data for p in parameters]
    v = [rng.standard_normal(p.shape) for p in parameters]

    def gradient(step, **how):
        for p, value, direction in zip(parameters, start, v, strict=True):
            p.data = value + step * direction
        output, _ = model(x, lengths=[4, 2])
        return mg.grad((output * output * u).sum(), parameters, **how)

    slope = gradient(0.0, create_graph=True)
    along = sum((g * d).sum() for g, d in zip(slope, v, strict=True))
    exact = mg.grad(along, parameters)
    h = 1e-3  # sixth order: the error is about 1e-16 / h and h^6
    weights = {1: 45, 2: -9, 3: 1}
    for k in range(len(parameters)):
        numeric = sum(
            w * (gradient(n * h)[k].data - gradient(-n * h)[k].data)
            for n, w in weights.items()
        ) / (60 * h)
        scale = np.abs(numeric).max()
        assert scale > 0
        assert np.abs(exact[k].data - numeric).max() <= 1e-9 * scale


@pytest.mark.parametrize("cell", [RNNCell(D, H), LSTMCell(D, H), GRUCell(D, H)])
def test_a_cell_takes_one_step(cell, rng):
    x = rng.standard_normal((2, D))
    state = cell(x, cell.zero_state(2))
    parts = state if len(cell.states) > 1 else (state,)
    assert all(isinstance(part, mg.Tensor) and part.shape == (2, H) for part in parts)
    arrays = [np.zeros((2, H)) for _ in cell.states]  # arrays and lists are taken too
    again = cell(x, arrays if len(arrays) > 1 else arrays[0])
    for a, b in zip(parts, again if len(arrays) > 1 else [again], strict=True):
        assert (a.data == b.data).all()


# ------------------------------------------------------------- messages

X = np.ones((5, 2, D))
MESSAGES = [
    (lambda: RNN(D, H)(X[0]), ShapeError, r"x of shape \(T, B, 3\)(.|\n)*expand_dims"),
    (lambda: RNN(D, H)(X[0, 0]), ShapeError, "time comes first"),
    (lambda: LSTM(D, H)(X[:, :, :2]), ShapeError, "is input_size right"),
    (lambda: LSTM(D, H)(X[:0]), ShapeError, "one step or more"),
    (lambda: GRU(D, H)(X.astype("f4")), DTypeError, r"x\.astype\('float64'\)"),
    (lambda: GRU(D, H, dtype="float32")(X), DTypeError, "with dtype='float64'"),
    (lambda: GRU(D, H)(X.astype(int)), DTypeError, "Embedding"),
    (
        lambda: RNN(D, H)(X, np.zeros((2, H))),
        ShapeError,
        r"h0 of shape \(1, 2, 8\)(.|\n)*h0\.expand_dims\(0\)",
    ),
    (lambda: RNN(D, H, 2)(X, np.zeros((2, H))), ShapeError, r"one \(B, H\) slice per"),
    (
        lambda: LSTM(D, H)(X, np.zeros((1, 2, H))),
        ShapeError,
        r"pass a tuple \(h0, c0\)",
    ),
    (
        lambda: LSTM(D, H)(X, (np.zeros((1, 2, H)),) * 3),
        ShapeError,
        "actual  3 tuple",
    ),
    (
        lambda: LSTM(D, H)(X, (np.zeros((1, 2, H)), np.zeros((1, 2, 5)))),
        ShapeError,
        "c0 has another shape",
    ),
    (
        lambda: LSTM(D, H)(X, (np.zeros((1, 2, H)), np.zeros((1, 2, H), "f4"))),
        DTypeError,
        "c0 is float32 and the weights are float64",
    ),
    (lambda: LSTM(D, H).trace(X, lengths=[5, 6]), ArgumentError, r"lengths\[1\] = 6"),
    (
        lambda: LSTM(D, H)(X, mask=np.ones((2, 5), bool)),
        ShapeError,
        r"shape \(5, 2\)(.|\n)*mask\.T",
    ),
    (lambda: RNN(0, H), ArgumentError, "input_size=0 is not a size"),
    (lambda: RNN(D, 2.5), ArgumentError, "hidden_size=2.5 is not a size"),
    (lambda: RNN(D, H, True), ArgumentError, "num_layers=True is not a size"),
    (lambda: RNN(D, H, dtype="int64"), DTypeError, "dtype='int64' is not for weights"),
    (lambda: RNN(D, H, dtype="floaty"), DTypeError, "'float64'"),
    (lambda: LSTMCell(D, H, forget_bias="1"), ArgumentError, "forget_bias"),
    (lambda: LSTM(D, H, forget_bias=np.nan), ArgumentError, "a finite number"),
    (
        lambda: LSTM(D, H, forget_gate=False, couple="input"),
        ArgumentError,
        "needs a forget gate to couple",
    ),
    (
        lambda: RNNCell(D, H)(X, np.zeros((2, H))),
        ShapeError,
        r"x does not fit this cell(.|\n)*models\.unroll",
    ),
    (
        lambda: LSTMCell(D, H)(X[0], (np.zeros((2, H)), np.zeros((3, H)))),
        ShapeError,
        r"the state is of 3 sequences, and x of 2(.|\n)*'c0' \(3, 8\)",
    ),
    (
        lambda: GRUCell(D, H)(X[0].astype("f4"), np.zeros((2, H))),
        DTypeError,
        "GRUCell: x is float32 and the weights are float64",
    ),
    (
        lambda: LSTMCell(D, H)(X[0], np.zeros((2, H))),
        ShapeError,
        r"LSTMCell: the initial state has not 2 parts",
    ),
]


@pytest.mark.parametrize("call, error, words", MESSAGES)
def test_messages(call, error, words):
    with pytest.raises(error, match=words) as caught:
        call()
    text = str(caught.value)
    assert all(f"\n  {row}" in text for row in ("expect", "actual", "in ", "hint"))
    assert "test_cells.py:" in text  # the user's line, not one of ours


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda: RNN(D, H, activation="gelu"), "one of|activation in 'tanh', 'relu'"),
        (lambda: LSTM(D, H, peephole=True), "peephole in None, 'current', 'previous'"),
        (lambda: LSTM(D, H, couple="f"), "couple in None, 'forget', 'input'"),
        (lambda: GRU(D, H, reset="first"), "reset in 'after', 'before'"),
        (lambda: GRU(D, H, update=None), "update in 'keep', 'take'"),
        (lambda: GRU(D, H, init="zero"), "init in 'uniform', 'orthogonal', 'identity'"),
        (lambda: GRU(D, H, rng="1"), "None, a seed"),
    ],
)
def test_unknown_names_list_the_known(call, words):
    with pytest.raises(MinigradError, match=words):
        call()


def test_a_cell_whose_call_was_replaced_is_not_taken_to_do_the_same(monkeypatch):
    cell = RNNCell(2, 3, rng=0)
    assert is_same_every_step(cell)
    monkeypatch.setattr(RNNCell, "__call__", lambda self, x, state: state)
    assert not is_same_every_step(cell)
