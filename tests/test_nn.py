"""Modules, parameters, layers and initial values."""

import copy
import gc
import weakref

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn
from minigrad.engine.errors import (
    ArgumentError,
    CheckpointError,
    DTypeError,
    IndexingError,
    ShapeError,
)
from minigrad.nn import init


class Inner(nn.Module):
    def __init__(self):
        self.W_x = nn.Parameter(np.ones((2, 3)))


class Outer(nn.Module):
    def __init__(self):
        self.first = Inner()
        self.scale = nn.Parameter(2.0)
        self.steps = nn.ModuleList([Inner(), Inner()])
        self.plain = [Inner(), (nn.Parameter([1.0]), 5)]
        self.named = {"a": Inner(), "b": "not a module"}
        self.shared = self.first
        self.constant = mg.ones(3)
        self.words = ["the", "a"]


NAMES = [
    "first.W_x",
    "scale",
    "steps.0.W_x",
    "steps.1.W_x",
    "plain.0.W_x",
    "plain.1.0",
    "named.a.W_x",
]


# parameters


def test_a_parameter_is_a_tensor_that_is_trained():
    data = np.arange(3.0)
    p = nn.Parameter(data)
    data[0] = 9.0
    assert isinstance(p, mg.Tensor)
    assert p.requires_grad
    assert np.array_equal(p.data, [0, 1, 2])
    assert not nn.Parameter(data, requires_grad=False).requires_grad
    assert nn.Parameter(data, dtype="float32", name="v").dtype == np.float32
    assert type(p * 2.0) is type(p.detach()) is mg.Tensor
    assert repr(nn.Parameter([1.0], name="b")) == (
        "Parameter([1.], shape=(1,), dtype=float64, name='b', requires_grad=True)"
    )


def test_a_parameter_takes_the_name_of_its_attribute():
    assert Inner().W_x.name == "W_x"
    module = nn.Module()
    module.a = nn.Parameter([1.0], name="own")
    module.b = module.a
    assert module.a.name == "own"


def test_a_parameter_is_not_lost_to_an_assignment():
    module = Inner()
    with pytest.raises(DTypeError) as caught:
        module.W_x = module.W_x - 0.1
    assert caught.value.where.startswith("test_nn.py:")
    assert str(caught.value) == (
        "self.W_x = tensor: the parameter would be lost\n"
        "  expect  a Parameter, or new data for the one that 'W_x' is\n"
        "  actual  Tensor (2, 3) float64\n"
        f"  in      {caught.value.where}\n"
        "  hint    self.W_x.data = array keeps the parameter"
    )
    module.W_x = nn.Parameter([1.0])
    module.W_x = None
    assert module.parameters() == []


# modules


def test_everything_within_is_found_in_order_and_once():
    module = Outer()
    assert [name for name, _ in module.named_parameters()] == NAMES
    assert [id(p) for p in module.parameters()] == [
        id(p) for _, p in module.named_parameters()
    ]
    assert [name for name, _ in module.named_modules()] == [
        "",
        "first",
        "steps",
        "steps.0",
        "steps.1",
        "plain.0",
        "named.a",
    ]
    assert len(list(module.modules())) == 7


def test_a_cycle_of_modules_or_lists_ends():
    module = Outer()
    module.first.parent = module
    module.plain.append(module.plain)
    assert [name for name, _ in module.named_parameters()] == NAMES


def test_deep_nesting_is_no_recursion():
    module = top = nn.Module()
    for _ in range(3000):
        module.below = nn.Module()
        module = module.below
    module.p = nn.Parameter([1.0])
    [(name, _)] = top.named_parameters()
    assert name.count("below") == 3000


def test_train_and_eval_reach_every_module():
    module = Outer()
    assert all(m.training for m in module.modules())
    assert module.eval() is module
    assert not any(m.training for m in module.modules())
    assert module.train() is module
    assert all(m.training for m in module.modules())


def test_zero_grad_and_freezing():
    module = Outer()
    sum((p.sum() for p in module.parameters()), 0.0).backward()
    assert all(p.grad is not None for p in module.parameters())
    module.zero_grad()
    assert all(p.grad is None for p in module.parameters())
    assert module.requires_grad_(False) is module
    assert not any(p.requires_grad for p in module.parameters())
    assert len(module.state_dict()) == len(NAMES)


def test_lists_and_sequences_of_modules():
    items = nn.ModuleList([Inner()])
    assert items.append(Inner()) is items
    assert len(items) == 2
    assert items[-1] is list(items)[1]
    model = nn.Sequential(nn.Linear(2, 3, rng=0), mg.tanh, nn.Linear(3, 1, rng=1))
    x = np.ones((4, 2))
    expected = model[2](mg.tanh(model[0](x)))
    assert np.array_equal(model(x).data, expected.data)
    assert [name for name, _ in model.named_parameters()] == [
        "0.weight",
        "0.bias",
        "2.weight",
        "2.bias",
    ]


def test_repr_shows_the_tree():
    model = nn.Sequential(
        nn.Embedding(5, 2, 0), nn.Linear(2, 3, False), nn.Dropout(0.2)
    )
    assert repr(model) == (
        "Sequential()  16 parameters\n"
        "  0  Embedding(5, 2, padding_idx=0)\n"
        "  1  Linear(2, 3, bias=False)\n"
        "  2  Dropout(p=0.2)"
    )


# state


def test_state_is_copied_out_and_in():
    module, other = Outer(), Outer()
    state = module.state_dict()
    assert list(state) == NAMES
    state["scale"][...] = 7.0
    assert module.scale.item() == 2.0
    assert other.load_state_dict(state) == ([], [])
    assert other.scale.item() == 7.0
    state["scale"][...] = 8.0
    assert other.scale.item() == 7.0
    other.load_state_dict({k: mg.tensor(v) for k, v in module.state_dict().items()})
    assert other.scale.item() == 2.0


def test_loading_what_fits():
    module = Outer()
    keys = module.load_state_dict({"scale": np.array(3.0), "new": 1}, strict=False)
    assert keys.unexpected == ["new"]
    assert keys.missing == [name for name in NAMES if name != "scale"]
    assert module.scale.item() == 3.0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.pop("scale"), "missing: 'scale'     unexpected: none"),
        (lambda s: s.update(new=1), "missing: none     unexpected: 'new'"),
        (lambda s: s.update(scale=np.ones(1)), r"'scale' differs\n.*\(\) float64"),
        (lambda s: s.update(scale=np.float32(1)), r"astype\('float64'\) converts"),
        (lambda s: s.update({"named.a.W_x": np.ones((3, 2))}), r"\(3, 2\) float64"),
        (
            lambda s: s.update({"named.a.W_x": s["named.a.W_x"].T}),
            r"pass array\.T: minigrad stores weights as \(inputs, outputs\)",
        ),
        (lambda s: s.update(scale="word"), "'scale' differs"),
    ],
)
def test_loading_is_all_or_nothing(change, message):
    module = Outer()
    state = {name: array + 1 for name, array in module.state_dict().items()}
    change(state)
    with pytest.raises(CheckpointError, match=message) as caught:
        module.load_state_dict(state)
    assert "\n  hint    " in str(caught.value)
    before = Outer().state_dict()
    assert all(np.array_equal(v, before[k]) for k, v in module.state_dict().items())


def test_a_module_is_not_copied_with_its_graph():
    with pytest.raises(DTypeError, match="neither pickled nor deep-copied"):
        copy.deepcopy(Outer())


# layers


@pytest.mark.parametrize("shape", [(3,), (4, 3), (2, 4, 3), (0, 3), (2, 0, 3)])
def test_linear(shape, rng):
    layer = nn.Linear(3, 5, rng=0)
    x = mg.tensor(rng.normal(size=shape), requires_grad=True)
    y = layer(x)
    W, b = layer.weight.data, layer.bias.data
    np.testing.assert_allclose(y.data, x.data @ W + b, rtol=1e-13)
    u = rng.normal(size=y.shape)
    y.backward(u)
    rows, us = x.data.reshape(-1, 3), u.reshape(-1, 5)
    np.testing.assert_allclose(layer.weight.grad.data, rows.T @ us, rtol=1e-12)
    np.testing.assert_allclose(layer.bias.grad.data, us.sum(0), rtol=1e-12)
    np.testing.assert_allclose(x.grad.data, u @ W.T, rtol=1e-12)


def test_linear_starts_as_documented():
    layer = nn.Linear(400, 300, dtype="float32", rng=0)
    assert layer.weight.shape == (400, 300)
    assert layer.weight.dtype == layer.bias.dtype == np.float32
    for p in (layer.weight, layer.bias):
        assert 0.9 / 20 < abs(p.data).max() <= 1 / 20
        assert abs(p.data.mean()) < 0.005
    again = nn.Linear(400, 300, rng=0)
    assert np.array_equal(again.weight.data.astype("float32"), layer.weight.data)
    assert nn.Linear(2, 3, bias=False).bias is None
    assert nn.Linear(0, 3)(np.zeros((2, 0))).shape == (2, 3)
    assert layer([0.0] * 400).dtype == np.float32  # a list takes the layer's dtype


def test_embedding(rng):
    layer = nn.Embedding(6, 3, rng=0)
    words = np.array([[1, 5], [1, 0]])
    y = layer(words)
    assert np.array_equal(y.data, layer.weight.data[words])
    u = rng.normal(size=y.shape)
    y.backward(u)
    expected = np.zeros((6, 3))
    np.add.at(expected, words, u)
    np.testing.assert_allclose(layer.weight.grad.data, expected, rtol=1e-13)
    assert np.array_equal(layer([2, 3]).data, layer.weight.data[2:4])
    assert np.array_equal(layer(4).data, layer.weight.data[4])
    assert np.array_equal(layer(mg.tensor(words)).data, y.data)
    assert layer([]).shape == (0, 3)


@pytest.mark.parametrize("padding", [0, 2])
def test_padding_is_zeros_and_never_trained(padding, rng):
    layer = nn.Embedding(4, 3, padding_idx=padding, rng=0)
    assert not layer.weight.data[padding].any()
    layer.weight.data = layer.weight.data + np.nan * (np.arange(4) == padding)[:, None]
    words = np.array([[padding, 1], [3, padding]])
    y = layer(words)
    assert np.array_equal(y.data[words == padding], np.zeros((2, 3)))
    y.backward(rng.normal(size=y.shape))
    assert np.array_equal(layer.weight.grad.data[padding], np.zeros(3))
    assert layer.weight.grad.data[[1, 3]].all()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_dropout(dtype, rng):
    layer = nn.Dropout(0.25, rng=0)
    x = mg.tensor(rng.normal(size=(200, 50)), dtype=dtype, requires_grad=True)
    y = layer(x)
    assert y.dtype == np.dtype(dtype)
    kept = y.data != 0
    assert abs(kept.mean() - 0.75) < 0.02
    np.testing.assert_allclose(y.data[kept], x.data[kept] / 0.75, rtol=1e-6)
    y.sum().backward()
    np.testing.assert_allclose(x.grad.data, kept / 0.75, rtol=1e-6)
    assert not np.array_equal(layer(x).data, y.data)
    assert np.array_equal(nn.Dropout(0.25, rng=0)(x).data, y.data)
    assert layer.eval()(x) is x


def test_dropout_over_time_has_one_mask_per_sequence():
    x = np.ones((7, 50, 40), "float32")
    y = nn.Dropout(0.25, rng=0, over_time=True)(x).data
    assert np.array_equal(y, np.broadcast_to(y[:1], y.shape))
    assert y.dtype == "float32"
    assert len({row.tobytes() for row in y[0]}) == 50  # each sequence its own
    assert abs((y[0] == 0).mean() - 0.25) < 0.03
    assert np.array_equal(np.unique(y), np.array([0, 1 / 0.75], "float32"))
    quiet = nn.Dropout(0.25, rng=0, over_time=True).eval()
    assert np.array_equal(quiet(x).data, x)
    assert repr(quiet).startswith("Dropout(p=0.25, over_time=True)")


def test_the_dropout_mask_is_an_input_of_its_node():
    x = mg.ones((3, 4), requires_grad=True)
    node = nn.Dropout(0.5, rng=0)(x).node
    assert node.primitive.name == "multiply"
    assert node.attrs == {}
    assert node.edges[1].source.name == "dropout mask"
    assert set(np.unique(node.edges[1].array)) == {0.0, 2.0}


@pytest.mark.parametrize(("p", "expected"), [(0.0, 1.0), (1.0, 0.0)])
def test_dropping_nothing_or_everything(p, expected):
    assert np.array_equal(nn.Dropout(p)(mg.ones(5)).data, np.full(5, expected))


def test_a_module_frees_its_graph_by_reference_counting():
    model = nn.Sequential(nn.Embedding(5, 3, 0), nn.Dropout(0.5), nn.Linear(3, 2))
    gc.disable()
    try:
        loss = mg.losses.cross_entropy(model([[1, 2], [0, 4]]), [[0, 1], [1, 0]])
        loss.backward()
        alive = weakref.ref(loss.node.edges[0].array)
        assert alive() is not None
        del loss
        assert alive() is None
    finally:
        gc.enable()


# initial values


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_initial_values(dtype):
    shape = (300, 200)
    options = {"rng": 0, "dtype": dtype}
    arrays = {
        "uniform": init.uniform(shape, -2.0, 1.0, **options),
        "normal": init.normal(shape, 1.0, 0.5, **options),
        "xavier_uniform": init.xavier_uniform(shape, 2.0, **options),
        "xavier_normal": init.xavier_normal(shape, **options),
        "zeros": init.zeros(shape, dtype=dtype),
        "constant": init.constant(shape, 3.0, dtype=dtype),
    }
    deviation = {
        "uniform": 3 / 12**0.5,
        "normal": 0.5,
        "xavier_uniform": 2 * (2 / 500) ** 0.5,
        "xavier_normal": (2 / 500) ** 0.5,
        "zeros": 0.0,
        "constant": 0.0,
    }
    mean = {"uniform": -0.5, "normal": 1.0, "constant": 3.0}
    for name, array in arrays.items():
        assert array.shape == shape, name
        assert array.dtype == np.dtype(dtype), name
        assert array.std() == pytest.approx(deviation[name], rel=0.02), name
        assert abs(array.mean() - mean.get(name, 0.0)) < 0.02, name
    assert abs(arrays["xavier_uniform"]).max() <= 2 * (6 / 500) ** 0.5


@pytest.mark.parametrize("shape", [(5, 5), (8, 3), (3, 8), (2, 4, 3), (1, 1), (0, 3)])
def test_orthogonal(shape):
    q = init.orthogonal(shape, gain=2.0, rng=0)
    assert q.shape == shape
    assert q.flags.c_contiguous
    if shape[-2] < shape[-1]:
        q = q.swapaxes(-1, -2)
    product = q.swapaxes(-1, -2) @ q
    assert np.allclose(product, 4 * np.eye(q.shape[-1]), atol=1e-14)


def test_orthogonal_matrices_are_drawn_evenly():
    signs = [np.sign(np.linalg.det(init.orthogonal((3, 3), rng=k))) for k in range(60)]
    assert 15 < signs.count(1.0) < 45  # without R's signs all would be of one sign
    corners = [init.orthogonal((2, 2), rng=k)[0, 0] for k in range(200)]
    assert abs(np.mean(corners)) < 0.15


# errors


def module_without_forward():
    nn.Module()(1)


BAD = [
    (module_without_forward, ArgumentError, "Module cannot be called"),
    (lambda: nn.Parameter([1, 2]), DTypeError, "cannot have a gradient"),
    (lambda: nn.Linear(2.5, 3), ArgumentError, r"Linear\(in_features=2.5\)"),
    (lambda: nn.Linear(2, -3), ArgumentError, r"Linear\(out_features=-3\)"),
    (lambda: nn.Linear(True, 3), ArgumentError, "in_features=True"),
    (lambda: nn.Linear(2, 3, dtype="int64"), DTypeError, "weights are of floating"),
    (lambda: nn.Linear(2, 3, dtype="word"), DTypeError, "weights are of floating"),
    (lambda: nn.Linear(2, 3)(np.ones((4, 3))), ShapeError, "'weight'"),
    (lambda: nn.Linear(2, 3)(np.ones((5, 4, 3))), ShapeError, "'weight'"),
    (lambda: nn.Linear(2, 3)(np.ones((4, 2), "float32")), DTypeError, "layer's dtype"),
    (lambda: nn.Linear(2, 3)(mg.tensor([1, 2])), DTypeError, "layer's dtype"),
    (lambda: nn.Embedding(0.5, 3), ArgumentError, "num_embeddings=0.5"),
    (lambda: nn.Embedding(3, 3, padding_idx=3), ArgumentError, "no such row"),
    (lambda: nn.Embedding(3, 3, padding_idx=-1), ArgumentError, "padding_idx=-1"),
    (
        lambda: nn.Embedding(3, 2)([[0, 1], [3, 0]]),
        IndexingError,
        r"out of range\n.*< 3\n  actual  3 at \(1, 0\)",
    ),
    (lambda: nn.Embedding(3, 2)([-1]), IndexingError, r"-1 at \(0,\)"),
    (lambda: nn.Embedding(3, 2)([1.0]), DTypeError, "whole numbers"),
    (lambda: nn.Embedding(3, 2)([True]), DTypeError, "whole numbers"),
    (lambda: nn.Dropout(1.5), ArgumentError, r"Dropout\(p=1.5\)"),
    (lambda: nn.Dropout(np.nan), ArgumentError, r"Dropout\(p=nan\)"),
    (lambda: nn.Dropout(0.5)([1, 2]), DTypeError, "floating point are dropped"),
    (lambda: nn.Dropout(0.5, over_time=True)([1.0]), ShapeError, "is no sequence"),
    (lambda: init.uniform((2,), 1.0, 0.0), ArgumentError, "the wrong way round"),
    (lambda: init.normal((2,), 0.0, -1.0), ArgumentError, "negative standard"),
    (lambda: init.orthogonal((4,)), ShapeError, "inputs and outputs"),
    (lambda: init.xavier_uniform(4), ShapeError, "inputs and outputs"),
]


@pytest.mark.parametrize(("call", "error", "message"), BAD)
def test_bad_input_is_one_clear_error(call, error, message):
    with pytest.raises(error, match=message) as caught:
        call()
    text = str(caught.value)
    assert all(f"\n  {word}  " in text for word in ("expect", "actual", "hint  "))


# ------------------------------------------------------------- tensors as parameters


class Plain(mg.nn.Module):
    """Parameters that are plain tensors, in attributes and in a list."""

    def __init__(self):
        self.W = mg.tensor(np.eye(2), requires_grad=True)
        self.scale = mg.ones((2,))
        self.offsets = [mg.tensor(0.0, requires_grad=True)]
        self.computed = self.W * 2.0


def test_leaves_with_gradients_are_parameters():
    module = Plain()
    assert [name for name, _ in module.named_parameters()] == ["W", "offsets.0"]
    assert module.W.name == "W" and list(module.state_dict()) == ["W", "offsets.0"]
    optimizer = mg.optim.SGD(module.parameters(), lr=0.1)
    ((module.W.sum() + module.offsets[0]) ** 2).backward()
    optimizer.step()
    assert module.W.data[0, 0] != 1.0 and module.offsets[0].item() != 0.0


def test_leaves_that_are_frozen_stay_parameters():
    module = Plain()
    module.requires_grad_(False)
    assert [name for name, _ in module.named_parameters()] == ["W", "offsets.0"]
    module.load_state_dict({"W": np.ones((2, 2)), "offsets.0": np.array(3.0)})
    assert module.requires_grad_().offsets[0].requires_grad
    assert module.W.data[0, 1] == 1.0


def test_a_leaf_in_a_module_is_found_by_the_diagnosis():
    module = Plain()
    h = mg.zeros((3, 2))
    for _ in range(4):
        h = mg.tanh(h @ module.W + 1.0)
    d = mg.diagnose((h * h).sum(), model=module)
    (found,) = [f for f in d.findings if f.code == "unused-parameter"]
    assert found.evidence["names"] == ["offsets.0"]


@pytest.mark.parametrize("count", [4, 5])
def test_a_message_names_four_weights_at_most(count):
    module = nn.Module()
    for k in range(count):
        setattr(module, f"w{k}", nn.Parameter(1.0))
    with pytest.raises(CheckpointError) as caught:
        module.load_state_dict({})
    assert "missing: 'w0', 'w1', 'w2', 'w3'" in str(caught.value)
    assert ("and 1 more" in str(caught.value)) == (count == 5)
    assert "more     unexpected: none" in str(caught.value) or count == 4


def test_weights_beyond_all_room_are_refused():
    with pytest.raises(ArgumentError, match="larger than weights may be"):
        init.zeros((1 << 31, 2))
    with init.at_most(10):
        assert init.zeros((2, 3)).shape == (2, 3) and init.zeros(4).shape == (4,)
        with pytest.raises(ArgumentError, match="at most 0 entries"):
            init.zeros((1, 1))
    assert init.zeros((4, 4)).shape == (4, 4)


def test_a_name_in_capitals_is_looked_for_like_any_other():
    with pytest.raises(mg.errors.UnknownNameError, match="did you mean 'scale'"):
        _ = Outer().Scale
    assert not hasattr(Outer(), "__array__") and not hasattr(Outer(), "_hidden")


def test_only_the_weight_of_a_layer_may_be_the_wrong_way_round():
    """Of PyTorch's arrays; another one that is square is taken as it is."""
    theirs = type("Tensor", (np.ndarray,), {"__module__": "torch"})
    layer = nn.Linear(2, 2, rng=0)
    layer.weight_scale = nn.Parameter(np.eye(2))
    state = layer.state_dict()
    state["weight_scale"] = (2.0 * np.eye(2)).view(theirs)
    layer.load_state_dict(state)
    assert (layer.weight_scale.data == 2.0 * np.eye(2)).all()
    state["weight"] = state["weight"].view(theirs)
    with pytest.raises(CheckpointError, match="fits both ways round"):
        layer.load_state_dict(state)


@pytest.mark.parametrize(
    "function",
    [
        init.uniform, init.normal, init.xavier_uniform, init.orthogonal, init.zeros,
        mg.clip_grad_norm_, mg.clip_grad_value_, mg.losses.mse, mg.losses.cross_entropy,
        mg.optim.SGD, mg.optim.RMSprop, mg.optim.Adam, mg.optim.AdamW,
    ],
    ids=lambda function: function.__name__,
)  # fmt: skip
def test_a_call_without_what_is_needed_says_what_is_missing(function):
    with pytest.raises(mg.errors.CallError, match=f"{function.__name__}: missing"):
        function()
