"""Models from PyTorch and back: the same bits in weights, the same numbers in use."""

import itertools

import numpy as np
import pytest
from minigrad.errors import ArgumentError, CheckpointError, DTypeError, MinigradError

import minigrad as mg
from minigrad.models import GRU, LSTM, RNN, HiddenDropout, LSTMCell

torch = pytest.importorskip("torch", reason="needs torch")

KINDS = ("RNN", "relu RNN", "LSTM", "GRU")
VARIANTS = list(
    itertools.product(
        KINDS, (1, 2), (False, True), (True, False), ("float32", "float64")
    )
)


def torch_module(kind, sizes, layers, both, bias, dtype, **more):
    name, options = kind, more
    if kind == "relu RNN":
        name, options = "RNN", {"nonlinearity": "relu", **more}
    torch.manual_seed(sum(sizes) + 100 * layers)
    return getattr(torch.nn, name)(
        *sizes,
        num_layers=layers,
        bidirectional=both,
        bias=bias,
        dtype=getattr(torch, dtype),
        **options,
    )


def states_for(module, batch, rng):
    directions = 2 if module.bidirectional else 1
    shape = (module.num_layers * directions, batch, module.hidden_size)
    parts = 2 if isinstance(module, torch.nn.LSTM) else 1
    dtype = module.weight_ih_l0.detach().numpy().dtype
    return [rng.normal(size=shape).astype(dtype) for _ in range(parts)]


def compared(module, model, rng, lengths=None):
    """Runs both and compares outputs, final states and all gradients."""
    steps, batch = int(rng.integers(2, 8)), int(rng.integers(1, 5))
    dtype = module.weight_ih_l0.detach().numpy().dtype
    if lengths is not None:
        batch, steps = len(lengths), max(lengths)
    x = rng.normal(size=(steps, batch, module.input_size)).astype(dtype)
    starts = states_for(module, batch, rng)
    tx = torch.tensor(x, requires_grad=True)
    ts = [torch.tensor(s, requires_grad=True) for s in starts]
    fed = tx
    if lengths is not None:
        fed = torch.nn.utils.rnn.pack_padded_sequence(
            tx, torch.tensor(lengths), enforce_sorted=False
        )
    out, ends = module(fed, tuple(ts) if len(ts) > 1 else ts[0])
    if lengths is not None:
        out, _ = torch.nn.utils.rnn.pad_packed_sequence(out)
    ends = ends if isinstance(ends, tuple) else (ends,)
    mx = mg.tensor(x, requires_grad=True)
    ms = [mg.tensor(s, requires_grad=True) for s in starts]
    output, state = model(mx, tuple(ms) if len(ms) > 1 else ms[0], lengths=lengths)
    state = state if isinstance(state, tuple) else (state,)
    tolerance = 1e-6 if dtype == np.float32 else 1e-12
    close = {"rtol": 10 * tolerance, "atol": tolerance}
    np.testing.assert_allclose(output.data, out.detach().numpy(), **close)
    for ours, theirs in zip(state, ends, strict=True):
        np.testing.assert_allclose(ours.data, theirs.detach().numpy(), **close)
    # A loss that gives every output another weight.
    cotangent = rng.normal(size=output.shape).astype(dtype)
    (out * torch.tensor(cotangent)).sum().backward()
    (output * cotangent).sum().backward()
    close["atol"] *= 10  # sums over steps and the batch
    np.testing.assert_allclose(mx.grad.data, tx.grad.numpy(), **close)
    for ours, theirs in zip(ms, ts, strict=True):
        np.testing.assert_allclose(ours.grad.data, theirs.grad.numpy(), **close)
    for k, cell in enumerate(model.cells):
        ways = 2 if module.bidirectional else 1
        suffix = f"_l{k // ways}" + "_reverse" * (k % ways)
        for ours, theirs in ((cell.W_x, "weight_ih"), (cell.W_h, "weight_hh")):
            wanted = getattr(module, theirs + suffix).grad.numpy().T
            np.testing.assert_allclose(ours.grad.data, wanted, **close)
        if module.bias:
            wanted = getattr(module, f"bias_ih{suffix}").grad.numpy()
            np.testing.assert_allclose(cell.b.grad.data, wanted, **close)
        else:
            assert not cell.b.requires_grad and not cell.b.data.any()


@pytest.mark.parametrize(("kind", "layers", "both", "bias", "dtype"), VARIANTS)
def test_a_module_and_back(kind, layers, both, bias, dtype, rng):
    sizes = int(rng.integers(1, 7)), int(rng.integers(1, 9))
    module = torch_module(kind, sizes, layers, both, bias, dtype)
    model = mg.interop.from_torch(module)
    assert type(model) is {"RNN": RNN, "LSTM": LSTM, "GRU": GRU}[kind.split()[-1]]
    compared(module, model, rng)
    again = mg.interop.to_torch_state_dict(model)
    state = module.state_dict()
    assert list(again) == list(state)
    for name, value in state.items():
        assert np.array_equal(np.asarray(again[name]), value.numpy()), name
    other = torch_module(kind, sizes, layers, both, bias, dtype)
    with torch.no_grad():
        for parameter in other.parameters():
            parameter.zero_()
    other.load_state_dict(again)
    assert all(torch.equal(other.state_dict()[k], v) for k, v in state.items())


@pytest.mark.parametrize("kind", KINDS)
def test_packed_lengths(kind, rng):
    module = torch_module(kind, (3, 4), 2, True, True, "float64")
    compared(module, mg.interop.from_torch(module), rng, lengths=[5, 2, 4])


@pytest.mark.parametrize("kind", KINDS)
def test_a_state_dict_says_the_same_as_the_module(kind, rng):
    module = torch_module(kind, (3, 4), 2, True, True, "float32")
    activation = "relu" if kind == "relu RNN" else "tanh"
    model = mg.interop.from_torch(module.state_dict(), activation=activation)
    compared(module, model, rng)
    # Arrays instead of tensors, below a name: PyTorch is not needed.
    arrays = {f"a.b.{k}": v.numpy() for k, v in module.state_dict().items()}
    for prefix in ("a.b.", "a.b"):
        same = mg.interop.from_torch(arrays, prefix, activation=activation)
        for name, value in same.state_dict().items():
            assert np.array_equal(value, model.state_dict()[name])


@pytest.mark.parametrize("kind", ["RNNCell", "LSTMCell", "GRUCell"])
@pytest.mark.parametrize("bias", [True, False])
def test_cells(kind, bias, rng):
    module = getattr(torch.nn, kind)(3, 5, bias=bias, dtype=torch.float64)
    cell = mg.interop.from_torch(module)
    x, h, c = (rng.normal(size=(2, k)) for k in (3, 5, 5))
    state = (h, c) if kind == "LSTMCell" else h
    theirs = module(
        torch.tensor(x),
        tuple(map(torch.tensor, state)) if kind == "LSTMCell" else torch.tensor(state),
    )
    ours = cell(x, state)
    for one, other in zip(
        *[v if isinstance(v, tuple) else (v,) for v in (ours, theirs)], strict=True
    ):
        # A number near 0 is what is left of others near 1.
        np.testing.assert_allclose(
            one.data, other.detach().numpy(), rtol=1e-12, atol=1e-15
        )
    again = mg.interop.to_torch_state_dict(cell)
    assert list(again) == list(module.state_dict())
    assert all(
        torch.equal(torch.tensor(again[k]), v) for k, v in module.state_dict().items()
    )


def test_trained_here_the_weights_still_fit_there():
    """The sum of both biases counts, once b has changed."""
    module = torch.nn.LSTM(2, 3)
    model = mg.interop.from_torch(module)
    b = model.cells[0].b
    b.data = b.data + np.eye(12, dtype="float32")[0]
    again = mg.interop.to_torch_state_dict(model)
    total = np.asarray(again["bias_ih_l0"]) + np.asarray(again["bias_hh_l0"])
    assert np.array_equal(total, b.data)
    kept = module.state_dict()["bias_ih_l0"].numpy()[1:]
    assert np.array_equal(np.asarray(again["bias_ih_l0"])[1:], kept)


@pytest.mark.parametrize("make", [RNN, LSTM, GRU])
def test_what_began_here_runs_there(make, rng):
    model = make(3, 4, 2, bidirectional=True, rng=rng)
    module = getattr(torch.nn, make.__name__)(
        3, 4, 2, bidirectional=True, dtype=torch.float64
    )
    module.load_state_dict(mg.interop.to_torch_state_dict(model))
    compared(module, model, rng)
    back = mg.interop.from_torch(module)
    for name, value in model.state_dict().items():
        assert np.array_equal(back.state_dict()[name], value)


def test_z_the_other_way_round_is_the_same_function_there(rng):
    model = GRU(3, 4, update="take", rng=rng)
    module = torch.nn.GRU(3, 4, dtype=torch.float64)
    module.load_state_dict(mg.interop.to_torch_state_dict(model))
    x = rng.normal(size=(5, 2, 3))
    wanted = module(torch.tensor(x))[0].detach().numpy()
    np.testing.assert_allclose(model(x)[0].data, wanted, rtol=1e-12)


class Tagger(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = torch.nn.Embedding(11, 6, padding_idx=0)
        self.drop = torch.nn.Dropout(0.25)
        self.lstm = torch.nn.LSTM(6, 4, bidirectional=True, batch_first=True)
        self.out = torch.nn.Sequential(
            torch.nn.Linear(8, 5), torch.nn.ReLU(), torch.nn.Linear(5, 3, bias=False)
        )
        self.scale = torch.nn.Parameter(torch.ones(3))

    def forward(self, words):
        output, _ = self.lstm(self.drop(self.embedding(words)))
        return self.out(output) * self.scale


class Whole(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = Tagger()
        self.head = torch.nn.Linear(3, 2)


def test_a_whole_model_and_its_parts(rng):
    torch.manual_seed(0)
    whole = Whole().eval()
    parts = mg.interop.from_torch(whole, prefix="encoder")
    assert parts.drop.p == 0.25 and parts.embedding.padding_idx == 0
    assert parts.lstm.batch_first and not parts.lstm.training
    words = rng.integers(0, 11, size=(2, 7))
    output, _ = parts.lstm(parts.drop(parts.embedding(words)))
    ours = parts.out(output) * parts.scale
    theirs = whole.encoder(torch.tensor(words)).detach().numpy()
    np.testing.assert_allclose(ours.data, theirs, atol=1e-6)
    again = mg.interop.to_torch_state_dict(mg.interop.from_torch(whole))
    state = whole.state_dict()
    assert set(again) == set(state)
    assert all(torch.equal(torch.tensor(again[k]), v) for k, v in state.items())
    with pytest.raises(ArgumentError, match="cannot be called as a whole"):
        parts(words)


def test_parts_by_the_prefix_of_a_state_dict():
    state = Whole().state_dict()
    del state["encoder.scale"]
    lstm = mg.interop.from_torch(state, prefix="encoder.lstm.", batch_first=True)
    assert lstm.batch_first and lstm.bidirectional
    assert mg.interop.from_torch(state, "encoder.embedding").num_embeddings == 11
    assert mg.interop.from_torch(state, "head").out_features == 2
    with pytest.raises(ArgumentError, match="or a Linear without bias"):
        mg.interop.from_torch(state, "encoder")
    parts = mg.interop.from_torch(state, "encoder", embeddings=["out.2"])
    assert parts.lstm.hidden_size == 4
    with pytest.raises(CheckpointError, match=r"encoder\.lstm\."):
        mg.interop.from_torch(state, prefix="decoder")


def refused(state, error, match):
    with pytest.raises(error, match=match):
        mg.interop.from_torch(state)


def test_weights_that_do_not_belong_together():
    state = {k: v.numpy() for k, v in torch.nn.LSTM(2, 3, 2).state_dict().items()}
    for name in state:
        rest = {k: v for k, v in state.items() if k != name}
        refused(rest, CheckpointError, name)
        refused({**state, name: state[name][:-1]}, CheckpointError, "weight|bias")
        refused({**state, name: state[name].astype("float16")}, DTypeError, "float16")
        refused({**state, name: np.array(None)}, DTypeError, "object")
    refused({**state, "surplus": state["bias_ih_l0"]}, CheckpointError, "surplus")
    refused({**state, "weight_ih_l9": state["bias_ih_l0"]}, CheckpointError, "l2")
    mixed = {**state, "bias_ih_l1": state["bias_ih_l1"].astype("float64")}
    refused(mixed, CheckpointError, "float64")
    refused({}, CheckpointError, "prefix")
    refused(3, ArgumentError, "neither a module")
    refused(
        {"weight_ih_l0": np.ones((5, 2)), "weight_hh_l0": np.ones((5, 3))},
        CheckpointError,
        "G = 1, 3 or 4",
    )


def test_what_has_no_counterpart_here():
    for module, name in [
        (torch.nn.LSTM(2, 3, proj_size=2), "proj_size"),
        (torch.nn.LayerNorm(3), "LayerNorm"),
        (
            torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Conv1d(2, 2, 1)),
            "Conv1d",
        ),
        (torch.nn.Embedding(3, 2, max_norm=1.0), "max_norm"),
    ]:
        with pytest.raises(ArgumentError, match=f"{name}.*has no counterpart"):
            mg.interop.from_torch(module)
    with pytest.raises(DTypeError, match="bfloat16"):
        mg.interop.from_torch(torch.nn.GRU(2, 3).bfloat16())
    state = torch.nn.BatchNorm1d(3).state_dict()
    with pytest.raises(MinigradError, match="running_mean"):
        mg.interop.from_torch(state)


@pytest.mark.parametrize(
    ("model", "name"),
    [
        (LSTM(2, 3, peephole="current"), "peephole='current'"),
        (LSTM(2, 3, couple="forget"), "couple='forget'"),
        (LSTM(2, 3, forget_gate=False), "forget_gate=False"),
        (GRU(2, 3, reset="before"), "reset='before'"),
        (RNN(2, 3, reverse=True), "reverse=True"),
    ],
)
def test_what_has_no_counterpart_there(model, name):
    with pytest.raises(ArgumentError) as error:
        mg.interop.to_torch_state_dict(model)
    assert f"{name} has no counterpart" in str(error.value)


def test_a_cell_with_dropout_is_not_an_lstm_there():
    model = LSTM(2, 3)
    model.cells[0] = HiddenDropout(model.cells[0], 0.5)
    with pytest.raises(ArgumentError, match="HiddenDropout"):
        mg.interop.to_torch_state_dict(model)
    assert isinstance(model.cells[0].cell, LSTMCell)
