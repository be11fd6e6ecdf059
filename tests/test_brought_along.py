"""Habits from other libraries that Python would answer badly, or not at all."""

import math
import warnings
from math import sqrt

import numpy as np
import pytest

import minigrad as mg
from minigrad.engine.errors import (
    ArgumentError,
    CheckpointError,
    DTypeError,
    MinigradWarning,
    UnknownNameError,
)
from minigrad.engine.foreign_arguments import ARGUMENTS
from minigrad.engine.foreign_names import LOSSES, NN
from minigrad.models import LSTM


def matrix():
    return mg.tensor([[1.0, 2.0, 0.5], [0.1, 0.2, 0.3]], requires_grad=True)


# ------------------------------------------------------------- arguments


@pytest.mark.parametrize(
    "call",
    ["sum", "mean", "max", "min", "prod", "std", "var", "argmax", "argmin", "cumsum"],
)
def test_methods_say_that_dim_is_called_axis(call):
    with pytest.raises(ArgumentError, match="it is called axis") as caught:
        getattr(matrix(), call)(dim=1)
    assert f"Tensor.{call}(dim=1)" in str(caught.value)


@pytest.mark.parametrize(
    "call",
    [
        lambda x: mg.softmax(x, dim=1),
        lambda x: mg.log_softmax(x, dim=-1),
        lambda x: mg.logsumexp(x, dim=0),
        lambda x: mg.concatenate([x, x], dim=1),
        lambda x: mg.stack([x, x], dim=1),
    ],
)
def test_functions_say_that_dim_is_called_axis(call):
    with pytest.raises(ArgumentError, match="it is called axis"):
        call(matrix())


@pytest.mark.parametrize("name", ARGUMENTS)
def test_other_arguments_are_answered(name):
    with pytest.raises(ArgumentError) as caught:
        matrix().sum(**{name: True})
    assert ARGUMENTS[name] in str(caught.value)


@pytest.mark.parametrize("name", ["retain_graph", "gradient", "inputs"])
def test_backward_and_grad_name_their_own_arguments(name):
    y = matrix().sum()
    with pytest.raises(ArgumentError, match=rf"backward\({name}="):
        y.backward(**{name: None})
    if name != "inputs":
        with pytest.raises(ArgumentError, match=rf"grad\({name}="):
            mg.grad(y, [y], **{name: None})


@pytest.mark.parametrize("function", [lambda x: (x**2).sum(), math.exp, mg.exp])
def test_grad_of_a_function_says_what_to_compute(function):
    with pytest.raises(DTypeError, match=r"compute y = f\(x\) first"):
        mg.grad(function)


# ------------------------------------------------------------- names


@pytest.mark.parametrize("name", [*NN, "Nonsense"])
def test_names_of_nn(name):
    with pytest.raises(UnknownNameError) as caught:
        getattr(mg.nn, name)
    _answered(NN, name, str(caught.value))


@pytest.mark.parametrize("name", [*LOSSES, "nonsense"])
def test_names_of_losses(name):
    with pytest.raises(UnknownNameError) as caught:
        getattr(mg.losses, name)
    _answered(LOSSES, name, str(caught.value))


def _answered(table, name, said):
    assert (f"write {table[name]}" in said) if name in table else ("write" not in said)
    if name in table:
        exec(table[name], {"mg": mg, "x": mg.tensor(np.ones((2, 3)))})


# ------------------------------------------------------------- numbers


@pytest.mark.parametrize(
    "call",
    [
        lambda t: math.exp(t),
        lambda t: math.log(t) * 2,
        lambda t: sqrt(t),
        lambda t: [k + math.sin(t) for k in range(2)],
        lambda t: math.pow(t, 2.0),
        lambda t: max(1.0, math.tanh(math.fabs(t))),
    ],
)
def test_functions_of_pythons_math_are_said(call):
    t = mg.tensor(0.5, requires_grad=True)
    with pytest.warns(MinigradWarning, match=r"math\.\w+\(t\), of a tensor"):
        call(t)


@pytest.mark.parametrize(
    "call",
    [float, int, round, lambda t: float(t), lambda t: math.exp(t.item()),
     lambda t: math.exp(float(t)), lambda t: f"{t:.2f}", lambda t: t.item() + 1,
     lambda t: np.float64(t), lambda t: format(t, ".1f")],
)  # fmt: skip
def test_numbers_that_are_asked_for_are_given_in_silence(call):
    call(mg.tensor(0.5, requires_grad=True))
    math.exp(mg.tensor(0.5))
    with mg.no_grad():
        math.exp(mg.tensor(0.5, requires_grad=True))


# ------------------------------------------------------------- gradients that are none


def test_the_gradient_of_a_computed_tensor_is_not_kept_and_says_so():
    x = matrix()
    y = 2 * x
    y.sum().backward()
    with pytest.warns(MinigradWarning, match="is not kept"):
        assert y.grad is None
    z = (2 * x).retain_grad()
    assert z.grad is None  # before backward
    z.sum().backward()
    assert z.grad.shape == z.shape
    assert (2 * mg.tensor([1.0])).grad is None  # needs none


def test_a_tensor_of_a_modules_own_that_needs_a_gradient_is_trained():
    class Net(mg.nn.Module):
        def __init__(self, kind):
            self.w = kind(np.ones(3))

    def leaf(data):
        return mg.tensor(data, requires_grad=True)

    for kind, count in ((mg.nn.Parameter, 1), (leaf, 1), (mg.tensor, 0)):
        assert len(list(Net(kind).parameters())) == count


# ------------------------------------------------------------- probabilities


@pytest.mark.parametrize(
    "made",
    [
        lambda z: 1 / (1 + mg.exp(-z)),
        lambda z: 1.0 / (mg.exp(-z) + 1.0),
        lambda z: (1 / (1 + np.exp(-z))).reshape(-1, 3),
        lambda z: mg.clip(1 / (1 + mg.exp(-z)), 1e-7, 1 - 1e-7),
    ],
)
def test_a_sigmoid_written_out_is_known_as_one(made):
    with pytest.warns(MinigradWarning, match="probabilities already"):
        mg.losses.binary_cross_entropy(made(matrix()), np.ones((2, 3)))


def test_other_fractions_are_logits():
    z = matrix()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for logits in (1 / z, 2 / (1 + mg.exp(z)), 1 / (2 + mg.exp(z)), z / (1 + z)):
            mg.losses.binary_cross_entropy(logits, np.ones((2, 3)))


# ------------------------------------------------------------- weights


def test_a_square_weight_of_pytorchs_is_not_loaded_the_wrong_way_round():
    torch = pytest.importorskip("torch", reason="needs torch")
    theirs, x = torch.nn.Linear(3, 3), np.ones((2, 3), "float32")
    x[0] = [0.5, -1.0, 2.0]
    ours = mg.nn.Linear(3, 3, dtype="float32")
    before = ours.weight.data
    with pytest.raises(CheckpointError, match="fits both ways round"):
        ours.load_state_dict(theirs.state_dict())
    assert ours.weight.data is before or (ours.weight.data == before).all()
    state = {name: value.numpy() for name, value in theirs.state_dict().items()}
    ours.load_state_dict({"weight": state["weight"].T, "bias": state["bias"]})
    expected = theirs(torch.tensor(x)).detach().numpy()
    np.testing.assert_allclose(ours(x).data, expected, rtol=1e-5, atol=1e-6)


def test_words_for_the_arguments_of_models_are_still_there():
    with pytest.raises(ArgumentError, match="cells always have one"):
        LSTM(3, 4, bias=True)


# ------------------------------------------------------------- steps for nothing


@pytest.mark.parametrize("kind", ["SGD", "RMSprop", "Adam", "AdamW"])
@pytest.mark.parametrize("reason", ["another model", "forgotten", "after zero_grad"])
def test_a_step_without_any_gradient_is_said(kind, reason):
    layer, other = mg.nn.Linear(3, 2, rng=0), mg.nn.Linear(3, 2, rng=1)
    optimizer = getattr(mg.optim, kind)(layer.parameters(), lr=0.1)
    loss = ((other if reason == "another model" else layer)(np.ones((1, 3))) ** 2).sum()
    before = layer.weight.data
    if reason != "forgotten":
        loss.backward()
    if reason == "after zero_grad":
        optimizer.zero_grad()
    with pytest.warns(MinigradWarning, match=rf"{kind}\.step\(\): no parameter has"):
        optimizer.step()
    assert layer.weight.data is before or (layer.weight.data == before).all()


def test_a_step_with_some_gradients_is_silent_and_zeros_are_gradients():
    layer = mg.nn.Linear(3, 2, rng=0)
    optimizer = mg.optim.SGD(layer.parameters(), lr=0.1)
    layer.bias.grad = np.ones(2)
    optimizer.step()
    optimizer.zero_grad(set_to_none=False)
    assert (layer.weight.grad.data == 0).all()
    optimizer.step()
    layer.zero_grad()
    assert layer.weight.grad is None
    layer.zero_grad(set_to_none=False)
    assert layer.bias.grad.shape == (2,)


# ------------------------------------------------------------- padded outputs, dtypes


@pytest.mark.parametrize("call", ["mean", "max", "min"])
@pytest.mark.parametrize("batch_first", [False, True])
def test_a_mean_over_padded_steps_is_said(call, batch_first):
    time = 1 if batch_first else 0
    x = np.random.default_rng(0).standard_normal(
        (2, 5, 3) if batch_first else (5, 2, 3)
    )
    model = LSTM(3, 4, batch_first=batch_first, rng=0)
    output, _ = model(x, lengths=[5, 3])
    for axis in (time, time - 3, None, (0, 1)):
        with pytest.warns(MinigradWarning, match="the zeros at padded steps count"):
            getattr(output, call)(axis=axis)
    getattr(output, call)(axis=2)
    getattr(output, call)(axis=1 - time, keepdims=True)
    getattr(model(x, lengths=[5, 5])[0], call)(axis=time)


@pytest.mark.parametrize("wide", [np.float64(0.5), np.sqrt(2.0), np.ones(4)])
def test_what_widened_the_state_of_a_float32_cell_is_named(wide):
    from minigrad.models import GRUCell

    cell = GRUCell(3, 4, rng=0, dtype="float32")
    x, h = np.zeros((2, 3), "float32"), cell.zero_state(2)
    with pytest.raises(DTypeError, match=r"widened in multiply by .*float64"):
        for _ in range(2):
            h = cell(x, h) * wide
    h = cell(x, cell.zero_state(2)) * float(np.sum(wide))
    assert cell(x, h).dtype == np.float32
