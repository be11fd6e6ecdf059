"""Networks and trainings with a fault that was planted, each with the code to name it.

`FAULTS` has (code, name, function); a function returns the findings. More than two for
each code, of different cells, sizes and dtypes.
"""

import warnings

import numpy as np

import minigrad as mg
from minigrad.engine.scope import gate
from minigrad.models import GRU, LSTM, RNN

FAULTS = []
CELLS = {"RNN": RNN, "LSTM": LSTM, "GRU": GRU}


def fault(code, *names):
    """Register a function once for every name, which it is given."""

    def register(function):
        FAULTS.extend((code, name, function) for name in names)
        return function

    return register


def rng_of(name):
    return np.random.default_rng(sum(map(ord, name)))


def model_of(name, inputs=3, units=6, **options):
    kind = CELLS[name.split()[0]]
    return kind(inputs, units, rng=rng_of(name), **options)


def ends(output):
    return (output[-1] * output[-1]).sum()


def sequences(name, steps=12, batch=5, inputs=3):
    return rng_of(name).standard_normal((steps, batch, inputs))


def set_bias(cell, letter, value):
    b = np.array(cell.b.data)
    b[cell.columns(letter)] = value
    cell.b.data = b


class Network(mg.nn.Module):
    """A recurrent layer, and a linear one that reads its last output."""

    def __init__(self, name, inputs=3, units=6, **options):
        self.recurrent = model_of(name, inputs, units, **options)
        self.head = mg.nn.Linear(units, 1, rng=rng_of(name))

    def forward(self, x):
        return self.head(self.recurrent(x)[0][-1])


def task(rng, steps=8, batch=16):
    """The sum of a column over time, in [-2, 2] or so: easy."""
    x = rng.standard_normal((steps, batch, 3))
    return x, mg.tensor(x[:, :, :1].sum(axis=0) / np.sqrt(steps))


def train(model, optimizer, batches=14, clear=True, step=True, make=task, **options):
    """A loop of one's own with a monitor; its findings. max_norm: of the clipping."""
    rng = np.random.default_rng(0)
    max_norm = options.pop("max_norm", None)
    if options.pop("known", True):
        options |= {"model": model, "optimizer": optimizer}
    monitor = mg.Monitor(tell=len, **options)
    for _ in range(batches):
        x, y = make(rng)
        if clear:
            optimizer.zero_grad()
        loss = mg.losses.mse(model(x), y)
        loss.backward()
        norm = None
        if max_norm is not None:
            norm = mg.clip_grad_norm_(optimizer.parameters, max_norm)
        if step:
            with warnings.catch_warnings():  # it may say that itself
                warnings.simplefilter("ignore", mg.errors.MinigradWarning)
                optimizer.step()
        monitor.watch(loss, norm=norm, max_norm=max_norm)
    return monitor.findings


# ------------------------------------------------------------- distance


@fault("vanishing", "RNN 40", "LSTM 80", "GRU 60")
def far_back(name):
    steps = int(name.split()[1])
    output, _ = model_of(name)(sequences(name, steps + 1))
    return mg.diagnose(ends(output), lag=steps).findings


@fault("vanishing", "RNN stacked", "GRU float32")
def far_back_without_a_lag(name):
    options = {"num_layers": 2} if "stacked" in name else {"dtype": "float32"}
    x = mg.tensor(sequences(name, 70), dtype=options.get("dtype"))
    output, _ = model_of(name, **options)(x)
    return mg.diagnose(ends(output)).findings


@fault("exploding", "RNN 1.6", "RNN 4.0", "RNN identity 1.9")
def growing(name):
    kind = "identity" if "identity" in name else "orthogonal"
    model = model_of(name, activation="relu", init=kind)
    cell = model.cells[0]
    cell.W_h.data = np.abs(cell.W_h.data) * float(name.split()[-1])
    output, _ = model(sequences(name, 30))
    return mg.diagnose(ends(output)).findings


@fault("exploding", "own loop")
def growing_loop(name):
    w = mg.tensor(1.5, requires_grad=True)
    h = mg.zeros((4, 3))
    for t in range(25):
        with mg.time_step(t):
            h = h * w + sequences(name, 25, 4)[t]
    return mg.diagnose((h * h).sum()).findings


# ------------------------------------------------------------- cut


@fault("cut", "detach", "data", "new tensor")
def handed_on_without_graph(name):
    rng = rng_of(name)
    W = mg.tensor(rng.standard_normal((4, 4)), requires_grad=True)
    h, loss = mg.zeros((3, 4)), 0.0
    for t in range(6):
        with mg.time_step(t):
            h = mg.tanh(rng.standard_normal((3, 4)) + h @ W)
            loss = loss + (h * h).sum()
            cut = {"detach": h.detach, "data": lambda h=h: mg.tensor(h.data)}
            h = cut.get(name, lambda h=h: mg.tensor(h.numpy().copy()))()
    return mg.diagnose(loss).findings


@fault("cut", "last step alone")
def one_step_left(name):
    rng = rng_of(name)
    W = mg.tensor(rng.standard_normal((4, 4)), requires_grad=True)
    h = mg.zeros((3, 4))
    for t in range(6):
        with mg.time_step(t):
            h = mg.tanh(rng.standard_normal((3, 4)) + h.detach() @ W)
    return mg.diagnose((h * h).sum()).findings


@fault("cut", "once 4 of 9", "once 5 of 12 float32")
def cut_once_and_the_end_is_read(name):
    at, steps = int(name.split()[1]), int(name.split()[3])
    kind = "float32" if "float32" in name else "float64"
    rng = rng_of(name)
    W = mg.tensor(rng.standard_normal((4, 4)) * 0.5, dtype=kind, requires_grad=True)
    h = mg.zeros((3, 4), dtype=kind)
    for t in range(steps):
        with mg.time_step(t):
            h = h.detach() if t == at else h
            h = mg.tanh(mg.tensor(rng.standard_normal((3, 4)), dtype=kind) + h @ W)
    return mg.diagnose((h * h).sum()).findings


# ------------------------------------------------------------- numbers


@fault("not-finite", "RNN input", "LSTM input", "GRU weights")
def not_a_number_came_in(name):
    model, x = model_of(name), sequences(name)
    if "weights" in name:
        W = np.array(model.cells[0].W_h.data)
        W[1, 2] = np.nan
        model.cells[0].W_h.data = W
    else:
        x[4, 1, 2] = np.inf
    return mg.diagnose(ends(model(x)[0])).findings


@fault("not-finite", "log", "sqrt backward")
def an_operation_gives_no_number(name):
    W = mg.tensor(np.eye(3) * 0.5, requires_grad=True)
    h = mg.zeros((2, 3))
    for t in range(5):
        with mg.time_step(t):
            h = mg.tanh(h @ W + 0.1)
            if t == 3 and name == "log":
                h = h + mg.log(h * 0.0)
            if t == 3 and name != "log":
                h = h + mg.sqrt(h * 0.0)
    return mg.diagnose((h * h).sum()).findings


# ------------------------------------------------------------- units


@fault("saturated", "RNN inputs", "GRU inputs")
def large_inputs(name):
    output, _ = model_of(name)(sequences(name) * 1e3)
    return mg.diagnose(ends(output)).findings


@fault("saturated", "RNN weights", "LSTM weights")
def large_weights(name):
    model = model_of(name)
    model.cells[0].W_x.data = model.cells[0].W_x.data * 300
    return mg.diagnose(ends(model(sequences(name))[0])).findings


@fault("saturated", "LSTM i", "LSTM o")
def a_closed_gate(name):
    model = model_of(name)
    set_bias(model.cells[0], name[-1], -30.0)
    return mg.diagnose(ends(model(sequences(name))[0])).findings


@fault("dead-units", "RNN 2", "RNN 5")
def below_zero(name):
    model = model_of(name, activation="relu")
    b = np.array(model.cells[0].b.data)
    b[: int(name[-1])] = -1e3
    model.cells[0].b.data = b
    return mg.diagnose(ends(model(sequences(name))[0])).findings


@fault("dead-units", "LSTM zeros")
def all_weights_zero(name):
    model = model_of(name)
    for p in model.parameters():
        p.data = np.zeros(p.shape)
    output, _ = model(sequences(name))
    return mg.diagnose((output[-1] + 1.0).sum()).findings


@fault("symmetric", "RNN", "LSTM", "GRU")
def equal_weights(name):
    model = model_of(name)
    for p in model.parameters():
        p.data = np.full(p.shape, 0.1)
    return mg.diagnose(ends(model(sequences(name))[0])).findings


# ------------------------------------------------------------- what is not used


@fault("unused-state", "LSTM 0", "GRU 2")
def the_wrong_end(name):
    output, _ = model_of(name)(sequences(name))
    return mg.diagnose((output[int(name[-1])] ** 2).sum()).findings


@fault("unused-state", "LSTM bidirectional", "GRU bidirectional")
def the_reverse_direction_at_its_start(name):
    output, _ = model_of(name, bidirectional=True)(sequences(name))
    return mg.diagnose(ends(output)).findings


@fault("unused-parameter", "RNN", "LSTM", "GRU")
def a_part_that_is_not_called(name):
    model = Network(name)
    model.spare = mg.nn.Linear(3, 3)
    return mg.diagnose(ends(model.recurrent(sequences(name))[0]), model=model).findings


# ------------------------------------------------------------- data


@fault("input-scale", "RNN", "LSTM", "GRU large", "RNN small")
def columns_of_another_unit(name):
    x = sequences(name)
    x[:, :, 1] = x[:, :, 1] * 1e-4 if "small" in name else 40 + 15 * x[:, :, 1]
    return mg.diagnose(ends(model_of(name)(x)[0])).findings


@fault("input-scale", "LSTM target", "GRU target")
def targets_of_another_unit(name):
    y = mg.tensor(300 + 20 * rng_of(name).standard_normal((5, 1)), name="price")
    return mg.diagnose(mg.losses.mse(Network(name)(sequences(name)), y)).findings


# ------------------------------------------------------------- training


@fault("clipping", "RNN SGD", "LSTM SGD")
def clipped_nearly_always(name):
    model = Network(name)
    optimizer = mg.optim.SGD(model.parameters(), lr=0.05)
    return train(model, optimizer, max_norm=0.01)


@fault("no-update", "RNN", "LSTM", "GRU")
def step_forgotten(name):
    model = Network(name)
    return train(model, mg.optim.Adam(model.parameters()), step=False)


@fault("no-update", "RNN other", "GRU half")
def an_optimiser_of_other_parameters(name):
    model = Network(name)
    other = Network(name) if "other" in name else model.head
    return train(model, mg.optim.SGD(other.parameters(), lr=0.1))


@fault("no-update", "LSTM rate 0")
def a_rate_of_zero(name):
    model = Network(name)
    return train(model, mg.optim.SGD(model.parameters(), lr=0.0), every=2)


@fault("update-too-small", "RNN Adam", "LSTM SGD", "GRU Adam")
def a_rate_that_is_too_small(name):
    model = Network(name)
    kind = mg.optim.SGD if "SGD" in name else mg.optim.Adam
    return train(model, kind(model.parameters(), lr=1e-7), every=3)


@fault("update-too-large", "RNN Adam", "LSTM SGD", "GRU Adam")
def a_rate_that_is_too_large(name):
    model = Network(name)
    if "SGD" in name:
        optimizer = mg.optim.SGD(model.parameters(), lr=40.0)
        return train(model, optimizer, every=3, max_norm=1.0)
    return train(model, mg.optim.Adam(model.parameters(), lr=3.0), every=3)


@fault("gradient-not-cleared", "RNN", "LSTM", "GRU")
def zero_grad_forgotten(name):
    model = Network(name)
    optimizer = mg.optim.Adam(model.parameters(), lr=0.001)
    return train(model, optimizer, clear=False)


@fault("gradient-not-cleared", "LSTM alone", "RNN alone")
def zero_grad_forgotten_without_a_monitor(name):
    model, rng = Network(name), rng_of(name)
    for _ in range(2):
        x, y = task(rng)
        loss = mg.losses.mse(model(x), y)
        loss.backward()
    return mg.diagnose(loss).findings


@fault("no-learning", "RNN 40", "LSTM 60")
def too_far_to_be_learned(name):
    lag = int(name.split()[1])

    def make(rng):
        x = np.zeros((lag + 1, 16, 3))
        y = rng.choice([-1.0, 1.0], (16, 1))
        x[0, :, :1] = y
        return x, mg.tensor(y)

    model = Network(name)
    optimizer = mg.optim.Adam(model.parameters(), lr=0.01)
    return train(model, optimizer, 60, make=make)


@fault("no-learning", "GRU rate")
def too_slow_to_be_learned(name):
    model = Network(name)
    optimizer = mg.optim.Adam(model.parameters(), lr=1e-7)
    return train(model, optimizer, 60)


@fault("saturated", "own loop")
def a_loop_without_gates(name):
    rng = rng_of(name)
    W = mg.tensor(rng.standard_normal((4, 4)) * 200, requires_grad=True, name="W")
    h = mg.tensor(rng.standard_normal((3, 4)))
    for _ in range(8):
        h = mg.tanh(h @ W)
    return mg.diagnose((h * h).sum()).findings


@fault("vanishing", "own gate")
def a_gate_of_ones_own(name):
    rng = rng_of(name)
    W = mg.tensor(rng.standard_normal((4, 4)) * 0.3, requires_grad=True, name="W")
    h = mg.zeros((3, 4))
    for t in range(60):
        with mg.time_step(t):
            with gate("z"):
                z = mg.sigmoid(h @ W - 1.0)
            h = z * h + (1.0 - z) * mg.tanh(rng.standard_normal((3, 4)))
    return mg.diagnose((h * h).sum()).findings
