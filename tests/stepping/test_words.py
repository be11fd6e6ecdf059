"""Events in words, with numbers; moving about; breakpoints."""

import numpy as np
import pytest
from primitives.cases import CASES

import minigrad as mg
from minigrad.engine import errors
from minigrad.models import GRU, LSTM, RNN
from minigrad.stepping import Contribution, Incoming


@pytest.fixture(scope="module")
def steps():
    rng = np.random.default_rng(0)
    net = LSTM(3, 4, rng=0)
    output, _ = net(mg.tensor(rng.standard_normal((3, 2, 3)), name="x"))
    return mg.steps((output * output).sum())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_primitive_can_be_told(case, rng):
    """Forward and backward, in words and numbers; what is worked out is right."""
    leaves = [mg.tensor(x, requires_grad=x.dtype.kind == "f")
              for x in case.inputs(rng)]  # fmt: skip
    made = case.function(*leaves)
    made = made if isinstance(made, mg.Tensor) else sum(part.sum() for part in made)
    if not made.requires_grad:
        return
    told = mg.steps(made, grad=np.ones(made.shape))
    for event in told.events:
        assert told.headline(event) and told.formula(event)
        line = told.worked(event)
        if line and "⋯" not in line:
            left, right = line.split(" = ", 1)
            names = {"σ": lambda x: 1 / (1 + np.exp(-x)), "ln": np.log, "e": np.e,
                     "tanh": np.tanh, "max": max, "min": min, "√": np.sqrt, "cos":
                     np.cos, "sin": np.sin, "NaN": np.nan, "sqrt": np.sqrt}  # fmt: skip
            code = right.replace("−", "-").replace("·", "*").replace("²", "**2")
            code = code.replace("^", "**").replace("√", "sqrt")
            if " = " in code or "|" in code or "≠" in code or "⋯" in code:
                continue
            value = eval(code, names)  # our own text, three digits of each number
            assert float(left.replace("−", "-")) == pytest.approx(
                value, rel=0.05, abs=0.05
            ), line


def test_formulas_of_an_lstm(steps):
    lines = [steps.formula(event) for event in steps.events]
    assert "f_1 = σ(a_f,1)" in lines
    assert "c_2 = v_23 + v_24" in lines
    assert "∂L/∂W_h += h_2ᵀ ∂L/∂a_2^h" in lines
    assert "∂L/∂a_f,1 += ∂L/∂f_1 · f_1 · (1 − f_1)" in lines
    assert "∂L/∂b += Σ[0] ∂L/∂a_2" in lines
    heads = [steps.headline(event) for event in steps.events]
    assert "backward: matmul gives to W_h (2 of 3)" in heads
    assert "backward: 3 contributions to W_h, summed in one product" in heads
    assert heads[-1].startswith("backward: the gradient of")


def test_worked_entries(steps):
    event = steps.until("receives W_h")
    value = event.value.array
    line = steps.worked(event, (3, 2))
    assert float(line.split(" = ")[0].replace("−", "-")) == pytest.approx(
        value[3, 2], rel=1e-2
    )
    assert line.count("·") == 2  # a batch of two
    with pytest.raises(errors.IndexingError):
        steps.worked(event, (4, 0))


# ------------------------------------------------------------- moving about


def test_seek(steps):
    def place(k):
        event = steps.events[k]
        return steps.place(event), event.forward

    gates, k = [], 0
    while (k := steps.seek(k, "gate")) is not None:
        gates.append(place(k))
    names = [path.rpartition(" / ")[2] for path, _ in gates]
    assert names[:5] == [
        "input gate", "forget gate", "candidate", "cell state", "output gate",
    ]  # fmt: skip
    assert len(gates) == 2 * 3 * 6
    back, k = [], len(steps) - 1
    while (k := steps.seek(k, "gate", back=True)) is not None:
        back.append(place(k))
    assert back == gates[::-1]
    forward = sum(event.forward for event in steps.events)
    assert steps.seek(0, "pass") == forward and steps.seek(forward, "pass") is None
    assert steps.seek(len(steps) - 1, "pass", back=True) == 0
    W = steps.find("W_h").number
    found, k = [], 0
    while (k := steps.seek(k, "contribution", target=W)) is not None:
        found.append(steps.events[k].kind)
    assert found == ["contribution"] * 3 + ["stacked", "gradient"]
    assert steps.seek(len(steps) - 1, "event") is None
    assert steps.seek(0, "event", back=True) is None
    with pytest.raises(errors.ArgumentError):
        steps.seek(0, "word")


# ------------------------------------------------------------- breakpoints


@pytest.mark.parametrize("model", [RNN, LSTM, GRU])
def test_until_the_gradient_vanishes(model, rng):
    net = model(2, 3, rng=0)
    for p in net.parameters():
        p.data = p.data * 0.3
    output, _ = net(mg.tensor(rng.standard_normal((40, 1, 2))))
    steps = mg.steps(output[39].sum())
    event = steps.until("norm of h < 1e-6")
    assert isinstance(event, Incoming) and event.gradients[0].facts.norm < 1e-6
    assert 0 < steps.operations[event.operation].step < 39
    before = [e for e in steps.events[: event.number] if isinstance(e, Incoming)]
    of_h = [e for e in before if steps.values[
        steps.operations[e.operation].outputs[0]].symbol.base == "h"]  # fmt: skip
    assert all(e.gradients[0].facts.norm >= 1e-6 for e in of_h if e.gradients)
    assert steps.until("norm<1e-6").number <= event.number


def test_until_a_parameter_receives(steps):
    event = steps.until("receives W_h")
    assert isinstance(event, Contribution) and event.index == 1
    second = steps.until("receives W_h", after=event.number)
    assert second.index == 2
    assert steps.until("receives W_h", after=second.number, back=True) is event


def test_until_a_nan_or_an_infinity():
    x = mg.tensor([1.0, 0.0], requires_grad=True, name="x")
    steps = mg.steps((mg.log(x) * x).sum())
    assert steps.operations[steps.until("inf").operation].name == "log"
    event = steps.until("nan")
    assert steps.operations[event.operation].name == "multiply" and event.forward
    finite = mg.steps((x * x).sum())
    assert finite.until("nan") is None and finite.until("inf") is None


def test_until_any_function(steps):
    event = steps.until(lambda s, e: s.headline(e).endswith("h_2"))
    assert event.forward and steps.formula(event).startswith("h_2 = ")


NO_CONDITION = ["", "norm", "norm < x", "norm < -1", "norm < nan", "norm of q < 1"]
NO_CONDITION += ["go on", "receives nothing", "receives"]


@pytest.mark.parametrize("text", NO_CONDITION)
def test_conditions_that_are_none(steps, text):
    with pytest.raises(errors.ArgumentError) as caught:
        steps.until(text)
    assert caught.value.hint


def test_a_sum_over_nothing_is_worked_out():
    x = mg.tensor(2.0, requires_grad=True, name="x")
    steps = mg.steps((x * x).sum())
    assert [steps.worked(event) for event in steps.events[:2]] == ["4 = 2 · 2", "4 = 4"]
