"""Programs as people write them, eager and compiled; and what cannot be replayed."""

from __future__ import annotations

import itertools
import random
import sys
import threading
import types

import numpy as np
import pytest

import minigrad as mg
from compiler.steps import close
from minigrad import models
from minigrad.compiler import plan
from minigrad.engine.kernels import jit

CompileError = mg.errors.CompileError
PROGRAMS = {}
REFUSED = {}


def program(make):
    """make() -> (step, tensors to compare, inputs of its calls)."""
    PROGRAMS[make.__name__] = make
    return make


def refused(make):
    """make() -> a function of an array that cannot be replayed."""
    REFUSED[make.__name__] = make
    return make


def _normal(*shape, calls=5, seed=0):
    rng = np.random.default_rng(seed)
    return [(rng.standard_normal(shape),) for _ in range(calls)]


def _trained(model, loss, optimizer=None):
    """A training step, and all parameters."""
    optimizer = optimizer or mg.optim.SGD(model.parameters(), lr=0.1, momentum=0.5)

    def step(*inputs):
        optimizer.zero_grad()
        value = loss(*inputs)
        value.backward()
        optimizer.step()
        return value

    return step, list(model.parameters())


class MinimalGate(mg.nn.Module):
    """A cell of the user's own."""

    def __init__(self, inputs, units):
        rng = np.random.default_rng(3)
        self.W = mg.nn.Parameter(rng.standard_normal((inputs, units)) / 3)
        self.U = mg.nn.Parameter(rng.standard_normal((units, units)) / 3)

    def forward(self, x, h):
        f = mg.sigmoid(x @ self.W + h @ self.U)
        return (1 - f) * h + f * mg.tanh(x @ self.W + (f * h) @ self.U)


@program
def a_cell_of_ones_own():
    cell = MinimalGate(3, 4)

    def loss(x):
        _, h = models.unroll(cell, x, mg.zeros((2, 4)))
        by_hand = mg.zeros((2, 4))
        for t in range(len(x)):
            by_hand = cell(x[t], by_hand)
        return (h * by_hand).mean()

    return (*_trained(cell, loss), _normal(5, 2, 3))


@program
def several_models_and_two_optimisers():
    encoder, decoder = models.LSTM(3, 4, rng=0), models.GRU(2, 4, rng=1)
    out = mg.nn.Linear(4, 2, rng=2)
    first = mg.optim.SGD(encoder.parameters(), lr=0.1)
    second = mg.optim.SGD([*decoder.parameters(), *out.parameters()], lr=0.3)

    def step(x):
        first.zero_grad()
        second.zero_grad()
        _, (h, _) = encoder(x)
        word, total = mg.zeros((1, 2, 2)), 0.0
        for _ in range(3):
            output, h = decoder(word, h)
            word = mg.tanh(out(output))
            total = total + (word**2).mean()
        total.backward()
        first.step()
        second.step()
        return total, word

    owners = [*encoder.parameters(), *decoder.parameters(), *out.parameters()]
    return step, owners, _normal(4, 2, 3)


@program
def gradients_over_micro_batches():
    rnn = models.RNN(3, 4, rng=0)
    optimizer = mg.optim.SGD(rnn.parameters(), lr=0.1)

    def step(x):
        optimizer.zero_grad()
        for k in range(0, 6, 2):
            (rnn(x[:, k : k + 2])[0] ** 2).mean().backward()
        for p in rnn.parameters():
            p.grad = p.grad / 3
        norm = mg.clip_grad_norm_(rnn.parameters(), 0.05)
        optimizer.step()
        return norm

    return step, list(rnn.parameters()), _normal(4, 6, 3)


@program
def a_running_mean_of_parameters():
    layer = mg.nn.Linear(3, 2, rng=0)
    means = [mg.tensor(p.data.copy()) for p in layer.parameters()]
    train, owners = _trained(layer, lambda x: (layer(x) ** 2).mean())

    def step(x):
        value = train(x)
        for mean, p in zip(means, owners, strict=True):
            mean.data = 0.9 * mean.data + 0.1 * p.data
        return value

    return step, [*owners, *means], _normal(4, 3)


@program
def momentum_by_hand_and_repeated_closures():
    w, v = mg.nn.Parameter(np.ones(3)), mg.tensor(np.zeros(3))

    def step(x):
        for _ in range(3):
            w.grad = None
            value = ((w * x - 1) ** 4).sum()
            value.backward()
            with mg.no_grad():
                v.data = 0.9 * v.data + w.grad.data.copy()
                w.data = w.data - 0.01 * v.data
        return value

    return step, [w, v], _normal(3)


@program
def a_state_that_is_carried_on():
    gru = models.GRU(3, 4, rng=0)
    start = mg.zeros((1, 2, 4))

    def loss(x):
        output, h = gru(x, start)
        start.data = h.data
        return (output**2).mean()

    step, owners = _trained(gru, loss)
    return step, [*owners, start], _normal(4, 2, 3)


@program
def a_state_in_an_attribute():
    """Another kind of call each time: slow, and right."""
    gru = models.GRU(3, 4, rng=0)
    net = types.SimpleNamespace(h=mg.zeros((1, 2, 4)))

    def step(x):
        output, h = gru(x, net.h)
        net.h = h.detach()
        return output.sum()

    return step, [], _normal(4, 2, 3)


@program
def weight_decay_by_the_loss_and_a_frozen_parameter():
    lstm = models.LSTM(3, 4, rng=0)
    frozen, *owners = lstm.parameters()
    frozen.requires_grad = False

    def loss(x):
        return (lstm(x)[0] ** 2).mean() + 0.01 * sum((p * p).sum() for p in owners)

    return (*_trained(lstm, loss), _normal(4, 2, 3))


@program
def a_target_network():
    online, target = mg.nn.Linear(3, 2, rng=0), mg.nn.Linear(3, 2, rng=1)

    def loss(x):
        for p, q in zip(online.parameters(), target.parameters(), strict=True):
            q.data = 0.5 * q.data + 0.5 * p.data
        return ((online(x) - target(x).detach()) ** 2).mean()

    step, owners = _trained(online, loss)
    return step, [*owners, *target.parameters()], _normal(4, 3)


@program
def tied_weights_and_a_mask():
    words, rnn = mg.nn.Embedding(7, 4, rng=0), models.RNN(4, 4, rng=1)
    net = mg.nn.Module()
    net.words, net.rnn = words, rnn

    def loss(numbers, mask):
        output, _ = rnn(words(numbers), mask=mask)
        return mg.losses.cross_entropy(output @ words.weight.T, numbers, mask=mask)

    rng = np.random.default_rng(0)
    calls = [(rng.integers(0, 7, (4, 2)), rng.random((4, 2)) < 0.7) for _ in range(5)]
    return (*_trained(net, loss), calls)


@program
def attention_and_second_derivatives():
    w = mg.nn.Parameter(np.eye(4) / 2)

    def step(x):
        w.grad = None
        weights = mg.softmax(x @ w @ x.transpose(0, 2, 1), -1)
        (slope,) = mg.grad((weights @ x).sum(), [w], create_graph=True)
        (slope**2).sum().backward()
        return weights, slope

    return step, [w], _normal(2, 5, 4)


@program
def an_optimiser_of_ones_own():
    class Sign(mg.optim.Optimizer):
        slots = ("mean",)

        def update(self, p, g, kept, step):
            kept[0][:] = 0.9 * kept[0] + 0.1 * g
            return p - self.lr * np.sign(kept[0]) / step

    layer = mg.nn.Linear(3, 2, rng=0)
    optimizer = Sign(layer.parameters(), lr=0.01)
    loss = lambda x: (layer(x) ** 2).sum()  # noqa: E731
    return (*_trained(layer, loss, optimizer), _normal(4, 3))


@program
def evaluation_without_gradients():
    layer = mg.nn.Linear(3, 4, rng=0)

    def step(x):
        with mg.no_grad():
            z = layer(x)
        return z.argmax(-1), (z.argmax(-1) == 0).astype("float64").mean()

    return step, [], _normal(5, 3)


@program
def dropout_with_noise_as_an_argument():
    lstm = models.LSTM(3, 4, num_layers=2, dropout=0.4, rng=0)
    drop = mg.nn.Dropout(0.3, rng=1)
    rng = np.random.default_rng(0)
    calls = [tuple(rng.standard_normal((2, 4, 2, 3))) for _ in range(5)]
    loss = lambda x, noise: (drop(lstm(x + noise)[0]) ** 2).mean()  # noqa: E731
    return (*_trained(lstm, loss), calls)


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_does_what_it_does_eagerly(name, monkeypatch):
    monkeypatch.setattr(plan, "FEW", 10_000)  # NumPy in the place of fused kernels
    (eager, ours, calls), (step, theirs, _) = PROGRAMS[name](), PROGRAMS[name]()
    compiled = mg.compile(step)
    for inputs in calls:
        found, expected = compiled(*inputs), eager(*inputs)
        pairs = [*zip(_flat(found), _flat(expected), strict=True)]
        pairs += zip(theirs, ours, strict=True)
        for a, b in pairs:
            close(getattr(a, "data", a), getattr(b, "data", b), 1e-12)
    assert all(report.trouble is None for report in compiled.explain())
    assert compiled.replays == (0 if name == "a_state_in_an_attribute" else 3)


def _flat(part):
    if isinstance(part, tuple):
        return [p for each in part for p in _flat(each)]
    return [part]


@refused
def python_draws():
    return lambda x: x * random.random()


@refused
def python_draws_for_a_branch():
    return lambda x: x + x if random.random() < 1e-9 else x * x


@refused
def numpy_draws():
    return lambda x: x * np.random.rand(3)  # noqa: NPY002


@refused
def a_generator_of_ones_own_draws():
    rng = np.random.default_rng(0)
    return lambda x: x[rng.permutation(3)]


@refused
def a_generator_in_a_module_draws():
    class Noisy(mg.nn.Module):
        def __init__(self):
            self.rng = np.random.default_rng(0)

        def forward(self, x):
            return x if self.rng.random() < 1e-9 else x * 2.0

    return Noisy()


@refused
def an_iterator_goes_on():
    rates = iter([2.0, 2.0, 2.0, 3.0])
    return lambda x: x * next(rates)


@refused
def a_generator_function_goes_on():
    rates = (2.0 if k < 2 else 3.0 for k in range(9))
    return lambda x: x * next(rates)


@refused
def a_clock():
    ticks = itertools.count()
    clock = types.SimpleNamespace(now=lambda: float(next(ticks)))
    return lambda x: x * clock.now()


@refused
def a_refusal_is_caught():
    def f(x):
        try:
            return x * float(x.sum())
        except Exception:
            return x

    return f


@refused
def numbers_of_a_parameter():
    w = mg.nn.Parameter(np.ones(3))
    return lambda x: x / max(w.data.tolist())


@refused
def numbers_of_a_parameter_by_numpy():
    w = mg.nn.Parameter(np.ones(3))
    return lambda x: x / np.asarray(w.data).max()


@refused
def gates_of_a_trace():
    gru = models.GRU(3, 2, rng=0)
    return lambda x: mg.tensor(gru.trace(x.reshape(1, 1, 3))["z"])


@pytest.mark.parametrize("name", REFUSED)
def test_what_no_replay_can_repeat_is_refused(name):
    f = mg.compile(REFUSED[name]())
    state = random.getstate()
    with pytest.raises(CompileError) as caught:
        for _ in range(2):
            state = random.getstate()
            f(np.array([0.5, 0.25, 1.0]))
    assert "test_user_programs.py" in str(caught.value)
    assert random.getstate() == state  # as it was before the call that failed


def test_a_thread_that_draws_nothing_changes_nothing():
    end = threading.Event()
    thread = threading.Thread(target=end.wait)
    thread.start()
    try:
        test_what_no_replay_can_repeat_is_refused("python_draws_for_a_branch")
    finally:
        end.set()
        thread.join()


def test_another_thread_may_draw_meanwhile(monkeypatch):
    monkeypatch.setattr(plan, "FEW", 10_000)
    traced, end = threading.Event(), threading.Event()

    def draw():
        while not end.is_set():
            random.random()
            traced.set()

    def f(x):
        traced.clear()
        traced.wait(10)
        return x * 2.0

    thread = threading.Thread(target=draw)
    thread.start()
    try:
        compiled = mg.compile(f)
        for _ in range(3):
            assert compiled(np.ones(1)).item() == 2.0
    finally:
        end.set()
        thread.join()
    assert compiled.replays == 1


def test_a_state_in_an_attribute_is_told_of(monkeypatch):
    monkeypatch.setattr(plan, "FEW", 10_000)
    step, _, calls = a_state_in_an_attribute()
    compiled = mg.compile(step)
    with pytest.warns(mg.errors.MinigradWarning, match=r"start\.data = h\.data"):
        for inputs in calls * 2:
            compiled(*inputs)


def test_a_mask_that_picks_another_number_of_entries_is_an_error(monkeypatch):
    monkeypatch.setattr(plan, "FEW", 10_000)
    f = mg.compile(lambda x: (x[x > 0] * 2.0).sum())
    for x in ([1.0, -1.0], [-3.0, 4.0], [-5.0, 6.0]):
        assert f(np.array(x)).item() == 2 * max(x)
    with pytest.raises(CompileError, match=r"shape \(2,\) of test_user_programs\.py"):
        f(np.ones(2))


class Scaled(mg.nn.Module):
    """Uses a global, an attribute of its class, of a module, and of an object."""

    factor = 2.0

    def forward(self, x):
        return x * FACTOR * self.factor * settings.factor * slots.factor * max(queue)


class Slots:
    """An object without a __dict__."""

    __slots__ = ("factor",)


FACTOR = 2.0
settings = types.ModuleType("settings_of_a_program")
sys.modules["settings_of_a_program"] = settings
slots, queue = Slots(), {2.0}


def test_globals_and_attributes_of_classes_and_modules_are_seen(monkeypatch):
    monkeypatch.setattr(settings, "factor", 2.0, raising=False)
    monkeypatch.setattr(slots, "factor", 2.0, raising=False)
    f = mg.compile(Scaled())
    for _ in range(3):
        assert f(np.ones(1)).item() == 32.0
    monkeypatch.setattr(Scaled, "factor", 4.0)
    assert f(np.ones(1)).item() == 64.0
    monkeypatch.setattr(settings, "factor", 4.0)
    assert f(np.ones(1)).item() == 128.0
    monkeypatch.setattr(slots, "factor", 4.0)
    assert f(np.ones(1)).item() == 256.0
    monkeypatch.setitem(globals(), "FACTOR", 4.0)
    assert f(np.ones(1)).item() == 512.0
    queue.add(4.0)
    assert f(np.ones(1)).item() == 1024.0
    queue.discard(4.0)


@pytest.mark.parametrize("kernels", [True, False])
def test_an_argument_handed_back_stays_the_callers_own(kernels, monkeypatch):
    """A result in the same shape was the caller's array itself, frozen for good."""
    monkeypatch.setattr(jit, "enabled", kernels and jit.enabled)
    same = mg.compile(lambda x: (x.reshape(x.shape), x[...], x.squeeze(), x))
    for number in range(4):
        given = np.full((2, 3), float(number))
        behind = given[:]
        results = same(given)
        given[0] = 9
        behind[1] = 9
        for result in results:
            assert (result.data == number).all()


@pytest.mark.parametrize("kernels", [True, False])
def test_a_parameter_handed_back_can_be_written_to(kernels, monkeypatch):
    monkeypatch.setattr(jit, "enabled", kernels and jit.enabled)
    w = mg.tensor(np.zeros(3), requires_grad=True)
    optimizer = mg.optim.SGD([w], lr=1.0)

    @mg.compile
    def step(x):
        optimizer.zero_grad()
        (w * x).sum().backward()
        optimizer.step()
        return w.detach().reshape(3), w.detach()[...]

    for number in range(5):
        w.data = np.full(3, float(number))
        results = step(np.ones(3))
        with mg.no_grad():
            w[0] = 9.0
        for result in results:
            assert (result.data == number - 1).all()


def _descent(w, optimizer):
    """A compiled step, in which the gradient of w is x."""

    @mg.compile
    def step(x):
        optimizer.zero_grad()
        (w * x).sum().backward()
        optimizer.step()

    return step


def test_an_update_of_ones_own_goes_before_the_formula_of_its_class():
    class Half(mg.optim.SGD):
        def update(self, p, g, kept, step):
            return p - 0.5 * g

    w = mg.tensor(np.zeros(3), requires_grad=True)
    optimizer = Half([w], lr=0.1)

    step = _descent(w, optimizer)
    for number in range(1, 5):
        step(np.ones(3))
        assert (w.data == -0.5 * number).all()


def test_without_kernels_an_update_of_a_step_is_made_by_none(monkeypatch):
    from minigrad.nn.optim import update_together

    monkeypatch.setattr(jit, "enabled", False)
    monkeypatch.setattr(update_together, "row_kernel", None)
    w = mg.tensor(np.zeros(3), requires_grad=True)
    optimizer = mg.optim.SGD([w], lr=0.5)

    step = _descent(w, optimizer)
    for number in range(1, 5):
        step(np.ones(3))
        assert (w.data == -0.5 * number).all()
