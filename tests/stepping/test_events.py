"""Events rebuild every gradient to the last bit, from memory and from a file."""

import numpy as np
import pytest
from variants import VARIANTS, every_variant, score

import minigrad as mg
from minigrad.engine import errors
from minigrad.engine.kernels import jit
from minigrad.models import GRU, LSTM, RNN, RNNCell, unroll
from minigrad.reading.names import Symbol
from minigrad.stepping import Contribution, Forward, Gradient, Incoming, Stacked, Steps


def same_bits(a, b):
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


def check_against_backward(loss, leaves, **how):
    """Events, and events from a file, add up to `.grad`; returns the steps."""
    steps = mg.steps(loss, **how)
    assert all(leaf.grad is None for leaf in leaves)
    loss.backward()
    again = Steps.from_json(steps.to_json())
    for made in (steps, again):
        rebuilt = made.rebuilt()
        by_name = {made.values[k].name: rebuilt[k] for k in rebuilt}
        assert len(rebuilt) == sum(leaf.grad is not None for leaf in leaves)
        for leaf in leaves:
            if leaf.grad is not None:
                assert same_bits(by_name[leaf.name], leaf.grad.data), leaf.name
        made.check()
    return steps


def named_leaves(net, x):
    """Parameters under their full names, so that equal ones are told apart."""
    for name, p in net.named_parameters():
        p.name = name
    x.name = "x"
    return [x, *net.parameters()]


@every_variant
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_every_variant_to_the_last_bit(model, variant, dtype, rng):
    net = model(3, 4, 2, bidirectional=True, dtype=dtype, rng=1, **variant)
    x = mg.tensor(rng.standard_normal((4, 3, 3)).astype(dtype), requires_grad=True)
    loss = score(net, x, rng, lengths=[4, 1, 3]) * np.asarray(1.7, dtype)
    loss = loss.astype(dtype)
    check_against_backward(loss, named_leaves(net, x))


@pytest.mark.parametrize("model, variant", VARIANTS[::4], ids=lambda v: str(v)[-30:])
@pytest.mark.parametrize("level", ["op", "gate", "cell"])
def test_without_kernels_and_at_every_level(model, variant, level, rng):
    with jit.use_kernels(False):
        net = model(3, 4, 2, rng=1, **variant)
        x = mg.tensor(rng.standard_normal((3, 2, 3)), requires_grad=True)
        loss = score(net, x, rng)
        check_against_backward(loss, named_leaves(net, x), level=level)


@pytest.mark.parametrize("model", [RNN, LSTM, GRU])
@pytest.mark.parametrize("chosen", [range(1, 3), [0], [4]])
def test_a_range_of_steps_adds_up_too(model, chosen, rng):
    net = model(3, 4, 2, rng=1)
    x = mg.tensor(rng.standard_normal((5, 2, 3)), requires_grad=True)
    loss = score(net, x, rng)
    steps = check_against_backward(loss, named_leaves(net, x), steps=chosen)
    whole = mg.steps(loss)
    assert len(steps) < len(whole)
    shown = {steps.operations[e.operation].step for e in steps.events
             if isinstance(e, Forward)}  # fmt: skip
    assert shown - {None} == set(chosen)
    # The sums shown on the way are those of all contributions, hidden ones included.
    for p in steps.parameters:
        there = whole.contributions(whole.find(p.name).number)
        all_of_it = {e.index: e for e in there if isinstance(e, Contribution)}
        for event in steps.contributions(p.number):
            if isinstance(event, Contribution):
                expected = whole.running(all_of_it[event.index])
                assert same_bits(steps.running(event).array, expected.array)


def test_sums_of_many_rows_are_told_as_the_engine_makes_them(rng):
    """1024 rows at a time: several stacked sums, and one of a single use."""
    W = mg.tensor(rng.standard_normal((3, 3)), requires_grad=True, name="W")
    h = mg.tensor(rng.standard_normal((500, 3)))
    for _ in range(5):
        h = mg.tanh(h @ W)
    loss = h.sum() + (W * W).sum()
    steps = check_against_backward(loss, [W])
    stacked = [e for e in steps.events if isinstance(e, Stacked)]
    assert [len(e.operations) for e in stacked] == [3, 2]
    big = mg.tensor(rng.standard_normal((1500, 3)))
    W.grad = None
    loss = (big @ W).sum() + ((big @ W) * 2.0).sum()
    steps = check_against_backward(loss, [W])
    stacked = [e for e in steps.events if isinstance(e, Stacked)]
    assert [len(e.operations) for e in stacked] == [1, 1]


def test_each_incoming_gradient_is_the_sum_of_its_contributions(rng):
    net = LSTM(3, 4, rng=0)
    x = mg.tensor(rng.standard_normal((4, 2, 3)))
    steps = mg.steps(score(net, x, rng))
    checked = 0
    for event in steps.events:
        if isinstance(event, Incoming):
            outputs = steps.operations[event.operation].outputs
            for k, part in zip(outputs, event.gradients, strict=True):
                before = [e for e in steps.contributions(k) if e.number < event.number]
                if before:
                    assert same_bits(steps.running(before[-1]).array, part.array)
                    assert [e.index for e in before] == [*range(1, len(before) + 1)]
                    assert before[-1].index == steps.values[k].uses
                    checked += 1
    assert checked > 60


def test_contribution_3_of_5(rng):
    """Each use of a shared weight is shown, with its own term and the sum so far."""
    net = RNN(2, 3, rng=0)
    x = mg.tensor(rng.standard_normal((5, 1, 2)))
    output, _ = net(x)
    steps = mg.steps((output * output).sum())
    W_h = steps.find("W_h")
    uses = [e for e in steps.contributions(W_h.number) if isinstance(e, Contribution)]
    assert [e.index for e in uses] == [1, 2, 3, 4, 5] and W_h.uses == 5
    assert [steps.operations[e.operation].step for e in uses] == [4, 3, 2, 1, 0]
    total = np.zeros((3, 3))
    for event in uses:
        operation = steps.operations[event.operation]
        h = steps.values[operation.inputs[0]].array.array
        g = next(e for e in steps.events if isinstance(e, Incoming)
                 and e.operation == event.operation).gradients[0].array  # fmt: skip
        np.testing.assert_array_equal(event.value.array, h.T @ g)
        total = total + h.T @ g
        assert same_bits(steps.running(event).array, total)
    [stacked] = [e for e in steps.contributions(W_h.number) if isinstance(e, Stacked)]
    assert len(stacked.operations) == 5
    np.testing.assert_allclose(stacked.value.array, total, rtol=1e-12)
    assert isinstance(steps.events[-1], Gradient)


def test_order_scope_and_line(rng):
    net = LSTM(3, 4, rng=0)
    output, _ = net(mg.tensor(rng.standard_normal((3, 1, 3))))
    loss = (output * output).sum()  # the line of the loss
    steps = mg.steps(loss)
    kinds = [event.kind for event in steps.events]
    forward = kinds.count("forward")
    assert kinds[:forward] == ["forward"] * forward and forward == len(steps.operations)
    assert [event.number for event in steps.events] == [*range(len(steps))]
    opened = [e.operation for e in steps.events if isinstance(e, Incoming)]
    assert opened == sorted(opened, reverse=True)
    last = steps.operations[-1]
    assert (
        last.line.file == "test_events.py"
        and "# the line of the loss" in last.line.text
    )
    assert last.line.text[last.line.first : last.line.last] == "(output * output).sum()"
    symbols = [str(v.symbol) for v in steps.values]
    assert {"x_0", "f_2", "h_1", "c_0", "W_h", "L"} <= set(symbols)
    assert not {"h_init", "c_init"} & set(symbols)
    gate = next(o for o in steps.operations if o.gate and o.gate.index == "f")
    assert (gate.step, gate.name, gate.path) == (
        0, "sigmoid", "layer 0 / lstm / step 0 / forget gate",
    )  # fmt: skip


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("make", [RNN, LSTM, GRU])
def test_states_are_numbered_as_in_a_trace_and_in_explain(make, bidirectional, rng):
    """s[t+1] leaves step t; in a reverse cell, which goes back, s[t]."""
    net = make(3, 4, rng=0, bidirectional=bidirectional)
    trace = net.trace(mg.tensor(rng.standard_normal((3, 1, 3))))
    loss = (trace.output * trace.output).sum()
    values = {v.symbol: v.array.array for v in mg.steps(loss).values}
    for loop, above in zip(trace.layers, ("(0)", "(0,rev)"), strict=False):
        back = above == "(0,rev)"
        for part, letter in enumerate(loop.state_names):
            for count, state in enumerate(loop.states[1:], 1):
                number = 3 - count if back else count
                symbol = Symbol(letter, str(number), above if bidirectional else "")
                assert np.array_equal(values[symbol], state[part].data)
    told = str(mg.explain(net.cells[0].W_h, (0, 0), loss))
    assert "_3" in told and "_4" not in told


def test_a_loop_that_goes_back_outside_any_layer(rng):
    start = mg.tensor(np.zeros((1, 4)), requires_grad=True, name="h0")
    x = rng.standard_normal((3, 1, 3))
    loop = unroll(RNNCell(3, 4, rng=0), x, start, reverse=True)
    values = {str(v.symbol): v.array.array for v in mg.steps(loop.output.sum()).values}
    assert np.array_equal(values["h_0"], loop.state.data)
    assert "h_2" in values and "h_3" not in values and "h_init" in values


def test_gradients_and_graph_stay_as_they_are(rng):
    w = mg.tensor(rng.standard_normal(3), requires_grad=True)
    loss = (w * w).sum()
    loss.backward()
    before = w.grad.data.copy()
    mg.steps(loss)
    mg.steps(w * w, grad=[1.0, 2.0, 3.0]).check()
    np.testing.assert_array_equal(w.grad.data, before)


def test_a_leaf_rebound_between_its_uses(rng):
    w = mg.tensor(2.0, requires_grad=True, name="w")
    a = w * 3.0
    w.data = np.asarray(5.0)
    loss = a * w
    steps = check_against_backward(loss, [w])
    arrays = [v.array.array.item() for v in steps.values if v.name == "w"]
    assert arrays == [2.0, 5.0]
    assert steps.find("w").uses == 2


# ------------------------------------------------------------- bad input


W = mg.tensor(1.0, requires_grad=True)
BAD = {
    "not a tensor": lambda: mg.steps(3.0),
    "no graph": lambda: mg.steps(mg.tensor(3.0)),
    "no graph ": lambda: mg.steps(W),
    "made of constants": lambda: mg.steps(mg.tensor(3.0) * 2.0),
    "scalar": lambda: mg.steps(mg.ones((3,)) * W),
    "shape": lambda: mg.steps(W * 2.0, grad=[1, 2]),
    "level": lambda: mg.steps(W * 2.0, level="x"),
    "time steps": lambda: mg.steps(W * 2.0, steps=[1]),
}


@pytest.mark.parametrize("words", BAD)
def test_losses_that_cannot_be_stepped_through(words):
    with pytest.raises(errors.MinigradError) as caught:
        BAD[words]()
    assert words.strip() in str(caught.value) and caught.value.hint


def test_too_large_a_graph_says_how_large_and_what_to_do(monkeypatch):
    monkeypatch.setattr("minigrad.stepping.stepper.MOST_EVENTS", 1000)
    net = LSTM(1, 2, rng=0)
    output, _ = net(mg.ones((70, 1, 1)))
    loss = output.sum()
    with pytest.raises(errors.GraphError) as caught:
        mg.steps(loss)
    text = str(caught.value)
    assert "983 operations" in text and "steps=range(60, 70)" in text
    assert 'level="gate"' in text
    steps = mg.steps(loss, steps=range(60, 70))
    assert len(steps) < 700
    steps.check()
    mg.steps(loss, level="cell").check()


def test_large_arrays_are_summarised(rng):
    x = mg.tensor(rng.standard_normal((1000, 2000)), requires_grad=True, name="x")
    with jit.use_kernels(False):
        steps = mg.steps((mg.tanh(x) * x).sum())
    big = steps.find("x").array
    assert big.array is None and len(big.sample) == 64
    assert big.facts.norm == pytest.approx(np.linalg.norm(x.data))
    text = steps.to_json()
    assert len(text) < 100_000
    again = Steps.from_json(text)
    assert again.find("x").array.facts == big.facts
    uses = steps.contributions(steps.find("x").number)
    assert steps.running(uses[1]).facts.norm > 0
    with pytest.raises(errors.GraphError, match="largest"):
        steps.rebuilt()


def test_nan_and_infinity_are_kept(rng):
    x = mg.tensor([0.0, -1.0, 1.0], requires_grad=True, name="x")
    loss = (mg.log(x) * mg.sqrt(x)).sum()
    steps = check_against_backward(loss, [x])
    facts = (
        steps.operations and steps.values[steps.operations[0].outputs[0]].array.facts
    )
    assert (facts.nans, facts.infinities) == (1, 1)
