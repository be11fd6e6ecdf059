"""The ledger against copies per step, complex step and backward; sizes; bad input."""

import itertools
import re
import tracemalloc

import numpy as np
import pytest

import minigrad as mg
from minigrad.engine import errors
from minigrad.engine.scope import thread
from minigrad.flow import ledgers
from minigrad.models import GRU, LSTM, RNN, unroll
from minigrad.reading import uses
from minigrad.reading.levels import innermost

T, B, D, H = 5, 3, 2, 4


def switches(**choices):
    return [
        dict(zip(choices, values, strict=True))
        for values in itertools.product(*choices.values())
    ]


VARIANTS = [
    *[(RNN, how) for how in switches(activation=["tanh", "relu"])],
    *[
        (LSTM, how)
        for how in switches(
            forget_gate=[True, False],
            peephole=[None, "current", "previous"],
            couple=[None, "forget", "input"],
        )
        if how["forget_gate"] or not how["couple"]
    ],
    *[
        (GRU, how)
        for how in switches(reset=["after", "before"], update=["keep", "take"])
    ],
]
IDS = [f"{kind.__name__}-{'-'.join(map(str, how.values()))}" for kind, how in VARIANTS]


def network(kind, rng, **how):
    model = kind(D, H, rng=rng, **how)
    for p in model.parameters():  # larger than at the start: gates do work
        p.data = rng.standard_normal(p.shape) * 0.8
    return model


def step_losses(model, x, weights, **padding):
    output, _ = model(x, **padding)
    return [(output[t] * w).sum() for t, w in enumerate(weights)]


def copied_per_step(model):
    """Make each cell use a copy of its parameters at each step; returns the copies."""
    copies = {}

    def forward_with_copies(cell, names, original):
        def forward(x, state):
            t = innermost(thread.recorder.scope, "step").index
            for name, p in names.items():
                copy = mg.tensor(p.data, requires_grad=True)
                copies[id(p), t] = cell.__dict__[name] = copy
            made = original(x, state)
            cell.__dict__.update(names)
            return made

        return forward

    for cell in model.cells:
        names = {n: p for n, p in vars(cell).items() if isinstance(p, mg.Tensor)}
        cell.__dict__["forward"] = forward_with_copies(cell, names, cell.forward)
    return copies


def check_against_copies(model, rng, **padding):
    x = mg.tensor(rng.standard_normal((T, B, D)))
    width = H * (2 if model.config["bidirectional"] else 1)
    weights = rng.standard_normal((T, B, width))
    losses = step_losses(model, x, weights, **padding)
    led = mg.ledger(losses, model.parameters())
    assert led.steps == list(range(T))
    copies = copied_per_step(model)
    apart = step_losses(model, x, weights, **padding)
    for p in model.parameters():
        items = led.items(p)
        assert items.shape == (T, T, *p.shape)
        each = [copies[id(p), t] for t in range(T)]
        expected = np.array(
            [[g.data for g in mg.grad(a, each, allow_unused=True)] for a in apart]
        )
        scale = np.linalg.norm(expected)
        assert scale > 0
        assert np.linalg.norm(items - expected) <= 1e-12 * scale
        norms = np.sqrt((expected**2).sum(axis=tuple(range(2, expected.ndim))))
        np.testing.assert_allclose(led.norms(p), norms, rtol=1e-9, atol=1e-14 * scale)
        assert ((led.norms(p) == 0) == (norms == 0)).all()
    return led, losses


@pytest.mark.parametrize(("kind", "how"), VARIANTS, ids=IDS)
def test_every_variant_against_copies_per_step(kind, how, rng):
    check_against_copies(network(kind, rng, **how), rng)


@pytest.mark.parametrize("kind", [RNN, LSTM, GRU])
@pytest.mark.parametrize(("layers", "both"), [(2, False), (1, True), (2, True)])
def test_layers_and_directions_against_copies_per_step(kind, layers, both, rng):
    model = network(kind, rng, num_layers=layers, bidirectional=both)
    led, _ = check_against_copies(model, rng)
    norms = led.norms(model.cells[-1].W_h)  # of a loop over the same steps
    earlier = np.arange(T)[None, :] > np.arange(T)[:, None]  # use after the loss
    backwards = both or layers == 3
    assert (norms[earlier] == 0).all() != backwards


@pytest.mark.parametrize("both", [False, True])
def test_padding_against_copies_per_step(both, rng):
    model = network(LSTM, rng, bidirectional=both)
    check_against_copies(model, rng, lengths=[5, 2, 3])


def test_items_against_complex_step_on_copies(rng):
    """Derivatives that use no rule of ours: the replayed program on complex numbers."""
    model = network(LSTM, rng, peephole="current")
    x, weights = rng.standard_normal((T, B, D)), rng.standard_normal((T, B, H))
    led = mg.ledger(step_losses(model, mg.tensor(x), weights), model)
    copies = copied_per_step(model)
    losses = step_losses(model, mg.tensor(x), weights)
    cell = model.cells[0]
    for p, t in itertools.product((cell.W_h, cell.p_o, cell.b), range(T)):
        v = rng.standard_normal(p.shape)
        for row, loss in enumerate(losses):
            changed = mg.replay(loss, {copies[id(p), t]: p.data + 1e-200j * v})
            slope = (led.items(p)[row, t] * v).sum()
            np.testing.assert_allclose(slope, changed.imag / 1e-200, rtol=1e-11)


@pytest.mark.parametrize("kind", [RNN, LSTM, GRU])
def test_the_sum_is_the_gradient_and_grad_is_left_alone(kind, rng):
    model = network(kind, rng)
    losses = step_losses(
        model, rng.standard_normal((T, B, D)), rng.standard_normal((T, B, H))
    )
    led = mg.ledger(losses, model.parameters())
    for p in model.parameters():
        led.items(p), led.norms(p), led.uses(p), led.use_norms(p)
        assert p.grad is None
    sum(losses[1:], losses[0]).backward()
    for p in model.parameters():
        kept = p.grad.data.copy()
        for total in (led.items(p).sum((0, 1)), led.uses(p).sum(0)):
            assert np.linalg.norm(total - kept) <= 1e-12 * np.linalg.norm(kept)
        joined = led.items(p).sum(0)
        np.testing.assert_allclose(led.uses(p), joined, rtol=0, atol=1e-13)
        norms = np.linalg.norm(joined.reshape(T, -1), axis=1)
        np.testing.assert_allclose(led.use_norms(p), norms, rtol=1e-12)
        assert (p.grad.data == kept).all()


def test_float32_stays_float32(rng):
    model = LSTM(D, H, dtype="float32", rng=rng)
    output, _ = model(mg.tensor(rng.standard_normal((T, B, D)), dtype="float32"))
    loss = (output * output).sum()
    led = mg.ledger(loss, model)
    loss.backward()
    for p in model.parameters():
        items = led.items(p)
        assert items.dtype == np.float32
        error = np.linalg.norm(items.sum((0, 1)) - p.grad.data)
        assert error <= 1e-6 * np.linalg.norm(p.grad.data)


# ------------------------------------------------------------- which uses


def test_uses_outside_any_step_have_the_last_slot(rng):
    model = network(RNN, rng)
    W = mg.tensor(rng.standard_normal((H, H)), requires_grad=True, name="W")
    output, h = model(rng.standard_normal((T, B, D)))
    loss = ((output[-1] @ W) * h[0]).sum() + (W * W).sum()
    led = mg.ledger(loss, [W, model.cells[0].W_h])
    assert led.steps == [0, 1, 2, 3, 4, "outside"]
    assert (led.norms(W)[0, :T] == 0).all() and led.norms(W)[0, T] > 0
    used = led.norms("W_h")[0]
    assert used[0] == used[T] == 0  # the loop starts at h = 0
    assert (used[1:T] > 0).all()
    (gradient,) = mg.grad(loss, [W])
    np.testing.assert_allclose(led.items(W)[0, T], gradient.data, rtol=1e-13)
    assert mg.ledger(loss, model.cells[0].W_h).steps == list(range(T))


def test_a_weight_used_several_times_in_a_step_is_summed_within_it(rng):
    w = mg.tensor([0.5], requires_grad=True)

    def cell(x, h):
        return mg.tanh(w * h + w * x + w)

    loop = unroll(cell, rng.standard_normal((T, 2)), mg.zeros(2))
    loss = (loop.output**2).sum()
    led = mg.ledger(loss, w)
    np.testing.assert_allclose(led.norms(), np.abs(led.items()[:, :, 0]), rtol=1e-14)
    (gradient,) = mg.grad(loss, [w])
    np.testing.assert_allclose(led.items().sum((0, 1)), gradient.data, rtol=1e-13)


def test_a_product_and_another_use_in_one_step(rng):
    W = mg.tensor(rng.standard_normal((3, 4)), requires_grad=True)
    with mg.time_step(0):
        loss = (mg.tensor(rng.standard_normal((2, 3))) @ W + W.sum(axis=0)).sum()
    led = mg.ledger(loss, W)
    assert led.norms()[0, 0] == pytest.approx(np.linalg.norm(led.items()[0, 0]))


def test_inputs_and_computed_tensors_can_be_itemised(rng):
    model = network(GRU, rng)
    x = mg.tensor(rng.standard_normal((T, B, D)), requires_grad=True)
    scaled = model.cells[0].W_h * 0.5
    model.cells[0].__dict__["W_h"] = scaled
    output, _ = model(x)
    loss = output[-1].sum()
    led = mg.ledger(loss, [scaled, x])
    (gradient,) = mg.grad(loss, [scaled])
    assert led.steps == [*range(T), "outside"]  # x is taken apart before the loop
    np.testing.assert_allclose(led.items(scaled).sum((0, 1)), gradient.data, rtol=1e-12)
    assert (led.norms(scaled)[0, 1:T] > 0).all()


def test_a_tensor_of_losses_is_one_loss_per_entry(rng):
    model = network(RNN, rng)
    output, _ = model(rng.standard_normal((T, B, D)))
    losses = (output * output).sum(axis=(1, 2))
    led, apart = mg.ledger(losses, model), [losses[t] for t in range(T)]
    other = mg.ledger(apart, model)
    for p in model.parameters():
        np.testing.assert_allclose(led.items(p), other.items(p), rtol=1e-13)
        np.testing.assert_allclose(led.uses(p), other.uses(p), rtol=1e-13)


def test_steps_are_those_that_were_recorded():
    w = mg.tensor(2.0, requires_grad=True)
    h = mg.tensor(1.0)
    for t in (3, 7, 11):
        with mg.time_step(t):
            h = w * h
    led = mg.ledger(h, w)
    assert led.steps == [3, 7, 11]
    assert led.items().tolist() == [[4.0, 4.0, 4.0]]
    plain = mg.ledger(w * w, w)
    assert plain.steps == ["outside"] and plain.items().tolist() == [[4.0]]


def test_a_rebound_parameter_is_itemised_as_it_was(rng):
    model = network(RNN, rng)
    W = model.cells[0].W_h
    loss = model(rng.standard_normal((T, B, D)))[0].sum()
    before = mg.ledger(loss, W).items()
    W.data = W.data * 0
    assert (mg.ledger(loss, W).items() == before).all()


# ------------------------------------------------------------- cost


def passes(monkeypatch):
    count = []
    original = uses.backpropagate

    def counted(*args, **how):
        count.append(1)
        return original(*args, **how)

    monkeypatch.setattr(uses, "backpropagate", counted)
    return count


def test_one_pass_per_loss_and_one_in_all_for_the_use_step(rng, monkeypatch):
    model = network(LSTM, rng)
    x, weights = rng.standard_normal((T, B, D)), rng.standard_normal((T, B, H))
    led = mg.ledger(step_losses(model, x, weights), model)
    count = passes(monkeypatch)
    for p in model.parameters():
        led.use_norms(p)
        led.uses(p)
    assert len(count) == 4  # norms of one parameter at a time; sums of all at once
    count.clear()
    for p in model.parameters():
        led.norms(p), led.norms(p)
    assert len(count) == T
    for p in model.parameters():
        led.items(p), led.items(p)
    assert len(count) == 2 * T
    led.items("W_h", loss=3)
    assert len(count) == 2 * T + 1


def test_norms_without_the_dense_items(rng):
    model, steps = LSTM(8, 48, rng=rng), 30
    output, _ = model(rng.standard_normal((steps, 4, 8)))
    losses = (output * output).mean(axis=(1, 2))
    W = model.cells[0].W_h
    led = mg.ledger(losses, W)
    dense = W.data.nbytes * steps * steps
    tracemalloc.start()
    norms = led.norms(W)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < dense / 50
    row = led.items(W, loss=steps - 1).reshape(steps, -1)
    np.testing.assert_allclose(norms[-1], np.linalg.norm(row, axis=1), rtol=1e-12)


def test_what_is_too_large_is_refused_with_its_size(rng, monkeypatch):
    model = network(RNN, rng)
    output, _ = model(rng.standard_normal((T, B, D)))
    led = mg.ledger((output * output).sum(axis=(1, 2)), model)
    W = model.cells[0].W_h
    monkeypatch.setattr(ledgers, "LIMIT", 2 * T * W.data.nbytes)
    with pytest.raises(errors.ArgumentError, match=r"\(5, 5, 4, 4\) float64.*'W_h'"):
        led.items(W)
    assert led.norms(W).shape == (T, T)
    assert led.items(W, loss=0).shape == led.uses(W).shape == (T, H, H)
    assert led.items(model.cells[0].b).shape == (T, T, H)


def test_norms_of_vanishing_gradients_do_not_underflow():
    """Squares of 1e-200 are zero in float64; the norms are not."""
    w = mg.tensor([[1e-3, 0.0], [0.0, 1e-3]], requires_grad=True)
    loop = unroll(lambda x, h: h @ w, np.zeros((80, 1, 2)), mg.ones((1, 2)))
    led = mg.ledger(loop.output[-1].sum(), w)
    assert led.norms()[0, 0] == pytest.approx(np.sqrt(4) * 1e-3**79, rel=1e-9)


# ------------------------------------------------------------- bad input


@pytest.mark.parametrize("bad", [np.nan, np.inf, 0.0])
def test_nan_infinite_and_zero_gradients_are_told_as_they_are(bad, rng):
    model = network(RNN, rng)
    output, _ = model(rng.standard_normal((T, B, D)))
    led = mg.ledger((output[2] * bad).sum(), model)
    norms = led.norms("W_h")[0]
    assert (norms[3:] == 0).all()
    expected = np.full(2, bad) if bad != np.inf else [np.inf, np.inf]
    np.testing.assert_array_equal(
        np.where(np.isnan(norms[1:3]), bad, norms[1:3]), expected
    )


def test_a_parameter_that_no_loss_depends_on_has_zeros(rng):
    model = network(RNN, rng)
    spare = mg.tensor(np.ones(3), requires_grad=True, name="spare")
    loss = model(rng.standard_normal((T, B, D)))[0].sum()
    led = mg.ledger([loss], [spare, model.cells[0].W_h])
    assert not led.is_used(spare) and led.is_used("W_h")
    assert led.items(spare).shape == (1, T, 3) and not led.items(spare).any()
    assert not led.norms(spare).any() and not led.uses(spare).any()


def test_a_loss_without_a_graph_among_others_is_a_row_of_zeros(rng):
    model = network(RNN, rng)
    loss = model(rng.standard_normal((T, B, D)))[0].sum()
    led = mg.ledger([mg.tensor(1.0), loss], model)
    assert not led.norms("W_h")[0].any() and led.norms("W_h")[1].any()


def test_one_step_only(rng):
    model = network(LSTM, rng)
    loss = model(rng.standard_normal((1, B, D)))[0].sum()
    led = mg.ledger(loss, model)
    assert led.steps == [0] and led.items("W_x").shape == (1, 1, D, 4 * H)


W = mg.tensor(np.ones((2, 2)), requires_grad=True, name="W")
SCALAR = (W * W).sum()


@pytest.mark.parametrize(
    ("losses", "parameters", "error", "words"),
    [
        (W * W, W, errors.ShapeError, "more than one axis"),
        ([W * W], W, errors.ShapeError, "loss 0 is not a scalar"),
        ([], W, errors.ArgumentError, "losses is empty"),
        (SCALAR, [], errors.ArgumentError, "parameters is empty"),
        (3.0, W, errors.DTypeError, "losses[0] is not a tensor"),
        ([SCALAR, 3.0], W, errors.DTypeError, "losses[1] is not a tensor"),
        (SCALAR, ["W"], errors.DTypeError, "parameters[0] is not a tensor"),
        (mg.tensor(1.0), W, errors.GraphError, "no loss has a graph"),
        (SCALAR, mg.tensor(1.0), errors.GraphError, "has no gradient"),
    ],
)
def test_errors_say_what_is_wrong(losses, parameters, error, words):
    with pytest.raises(error, match=re.escape(words)):
        mg.ledger(losses, parameters)


def test_errors_of_what_is_asked_for():
    led = mg.ledger(SCALAR, W)
    with pytest.raises(errors.ArgumentError, match="does not contain this parameter"):
        led.items("b")
    with pytest.raises(errors.ArgumentError, match="there is no such loss"):
        led.items(W, loss=1)
    other = mg.tensor(np.ones(2), requires_grad=True)
    with pytest.raises(errors.ArgumentError, match="none given"):
        mg.ledger(SCALAR, [W, other]).norms()
    assert "1 losses" in repr(led) and "'W'" in repr(led)


def test_names_of_a_model_are_known_and_a_name_of_several_is_no_answer(rng):
    class Pair(mg.nn.Module):
        def __init__(self):
            self.encoder, self.decoder = RNN(2, 3, rng=0), RNN(2, 3, rng=1)

    pair, x = Pair(), rng.normal(size=(3, 1, 2))
    _, h = pair.encoder(x)
    led = mg.ledger(pair.decoder(x, h)[0].sum(), pair)
    for name, parameter in pair.named_parameters():
        assert led.items(name).tobytes() == led.items(parameter).tobytes()
    with pytest.raises(errors.ArgumentError, match="2 parameters are called 'W_h'"):
        led.items("W_h")
    alone = mg.ledger(pair.encoder(x)[0].sum(), pair.encoder)
    assert alone.items("W_h").tobytes() == alone.items("cells.0.W_h").tobytes()
