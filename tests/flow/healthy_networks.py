"""Networks and trainings that are as they should be: `HEALTHY` has (name, function)."""

import numpy as np
from faulty_networks import Network, ends, model_of, rng_of, sequences, set_bias, train

import minigrad as mg
from minigrad.engine.scope import gate
from minigrad.models import LSTM, LanguageModel, last, unroll

HEALTHY = []


def healthy(*names):
    """Register a function once for every name, which it is given."""

    def register(function):
        HEALTHY.extend((name, function) for name in names)
        return function

    return register


@healthy("RNN", "LSTM", "GRU")
def a_network_as_it_comes(name):
    model = Network(name)
    y = mg.tensor(rng_of(name).standard_normal((5, 1)))
    loss = mg.losses.mse(model(sequences(name, 7)), y)
    loss.backward()
    return mg.diagnose(loss, model=model).findings


@healthy("RNN", "LSTM", "GRU")
def every_output_is_read(name):
    output, _ = model_of(name, units=12)(sequences(name, 40))
    return mg.diagnose((output * output).mean()).findings


@healthy("RNN", "LSTM", "GRU")
def single_precision(name):
    x = mg.tensor(sequences(name, 8), dtype="float32")
    output, _ = model_of(name, dtype="float32")(x)
    return mg.diagnose(ends(output)).findings


@healthy("LSTM 3", "LSTM 4", "LSTM 5", "LSTM 6")
def an_open_forget_gate(name):
    bias = float(name[-1])
    output, _ = model_of(name, forget_bias=bias)(sequences(name, 61))
    return mg.diagnose(ends(output), lag=20).findings


@healthy("GRU 3", "GRU 5")
def an_update_gate_that_keeps(name):
    model = model_of(name, units=8)
    set_bias(model.cells[0], "z", float(name[-1]))
    return mg.diagnose(ends(model(sequences(name, 31))[0]), lag=20).findings


@healthy("RNN tanh", "RNN relu")
def an_orthogonal_start(name):
    kind = name.split()[1]
    init = {"tanh": "orthogonal", "relu": "identity"}[kind]
    model = model_of(name, units=16, activation=kind, init=init)
    if kind == "relu":
        set_bias(model.cells[0], "h", 0.0)
    return mg.diagnose(ends(model(0.1 * sequences(name, 30))[0])).findings


@healthy("RNN", "LSTM", "GRU")
def layers_and_directions(name):
    model = model_of(name, num_layers=2, bidirectional=True)
    output, _ = model(sequences(name, 9))
    return mg.diagnose((output * output).mean(), model=model).findings


@healthy("LSTM", "GRU")
def sequences_of_unequal_length(name):
    lengths = [9, 4, 7, 2, 9]
    output, _ = model_of(name)(sequences(name, 9), lengths=lengths)
    return mg.diagnose((last(output, lengths) ** 2).sum()).findings


@healthy("RNN", "LSTM")
def one_sample(name):
    output, _ = model_of(name)(sequences(name, 8, batch=1))
    return mg.diagnose(ends(output)).findings


@healthy("one-hot", "counts")
def symbols(name):
    rng = rng_of(name)
    x = np.eye(20)[rng.integers(0, 20, (10, 6))]
    if name == "counts":
        x = rng.poisson(2.0, (10, 6, 20)).astype(float)
    output, _ = LSTM(20, 8, rng=rng)(x)
    return mg.diagnose((output * output).mean()).findings


@healthy("add", "gate")
def a_loop_of_ones_own(name):
    rng = rng_of(name)
    W = mg.tensor(rng.standard_normal((6, 6)) * 0.3, requires_grad=True, name="W")
    h = mg.zeros((4, 6))
    for _ in range(9):
        x = rng.standard_normal((4, 6))
        if name == "gate":
            with gate("z"):
                z = mg.sigmoid(h @ W + 2.0)
            h = z * h + (1.0 - z) * mg.tanh(x)
        else:
            h = mg.tanh(x + h @ W)
    return mg.diagnose((h * h).sum()).findings


@healthy("own cell")
def a_cell_that_is_unrolled(name):
    V = mg.tensor(rng_of(name).standard_normal((6, 6)) * 0.4, requires_grad=True)
    x = sequences(name, 9, inputs=6)
    loop = unroll(lambda x, h: mg.tanh(x + h @ V), x, np.zeros((5, 6)))
    return mg.diagnose(loop).findings


@healthy("pieces")
def truncated_on_purpose(name):
    W = mg.tensor(rng_of(name).standard_normal((6, 6)) * 0.4, requires_grad=True)
    h, loss = mg.zeros((4, 6)), 0.0
    for t in range(20):
        with mg.time_step(t):
            if t and t % 5 == 0:
                h = h.detach()
            h = mg.tanh(sequences(name, 20, 4, 6)[t] + h @ W)
            loss = loss + (h * h).mean()
    return mg.diagnose(loss).findings


@healthy("after training")
def diagnosed_when_trained(name):
    model = Network("LSTM")
    optimizer = mg.optim.Adam(model.parameters(), lr=0.01)
    train(model, optimizer, 40)
    x = sequences(name, 8)
    y = mg.tensor(x[:, :, :1].sum(axis=0) / 3)
    return mg.diagnose(mg.losses.mse(model(x), y), model=model).findings


@healthy("from step 1", "a piece")
def steps_that_do_not_begin_at_zero(name):
    rng = rng_of(name)
    W = mg.tensor(rng.standard_normal((4, 4)) * 0.5, requires_grad=True)
    first = 1 if name == "from step 1" else 12
    h = mg.zeros((3, 4)) if first == 1 else mg.tensor(rng.standard_normal((3, 4)))
    for t in range(first, first + 6):
        with mg.time_step(t):
            h = mg.tanh(rng.standard_normal((3, 4)) + h @ W)
    return mg.diagnose((h * h).sum()).findings


# ------------------------------------------------------------- trainings


@healthy("RNN", "LSTM", "GRU")
def trained_by_adam(name):
    model = Network(name, units=8)
    return train(model, mg.optim.Adam(model.parameters(), lr=0.01), 60)


@healthy("RNN", "LSTM", "GRU")
def trained_by_sgd_and_clipped(name):
    model = Network(name)
    optimizer = mg.optim.SGD(model.parameters(), lr=0.1)
    return train(model, optimizer, 60, max_norm=5.0)


@healthy("RNN", "GRU")
def trained_without_telling_of_the_model(name):
    model = Network(name)
    optimizer = mg.optim.RMSprop(model.parameters(), lr=0.005)
    return train(model, optimizer, 50, known=False)


@healthy("LSTM", "RNN")
def gradients_of_four_batches_added_up(name):
    model, rng = Network(name), rng_of(name)
    optimizer = mg.optim.Adam(model.parameters(), lr=0.01)
    monitor = mg.Monitor(model=model, optimizer=optimizer, every=3, tell=len)
    for number in range(24):
        x = rng.standard_normal((8, 8, 3))
        y = mg.tensor(x[:, :, :1].sum(axis=0) / 3)
        loss = mg.losses.mse(model(x), y)
        loss.backward()
        if number % 4 == 3:
            optimizer.step()
            optimizer.zero_grad()
        monitor.watch(loss)
    return monitor.findings


@healthy("language model")
def trained_on_symbols_with_a_carried_state(name):
    rng = rng_of(name)
    model = LanguageModel(12, embedding_size=8, hidden_size=16, rng=rng)
    optimizer = mg.optim.Adam(model.parameters(), lr=0.01)
    monitor = mg.Monitor(model=model, optimizer=optimizer, every=5, tell=len)
    text = np.cumsum(rng.integers(1, 3, (200, 6)), axis=0) % 12
    state = None
    for start in range(0, 190, 15):
        x, y = text[start : start + 15], text[start + 1 : start + 16]
        optimizer.zero_grad()
        logits, state = model(x[: len(y)], state)
        loss = mg.losses.cross_entropy(logits, y)
        loss.backward()
        optimizer.step()
        state = tuple(part.detach() for part in state)
        monitor.watch(loss)
    return monitor.findings


@healthy("frozen")
def a_part_that_is_frozen(name):
    model = Network("GRU")
    model.recurrent.requires_grad_(False)
    model.recurrent.cells[0].W_h.requires_grad = True
    model.recurrent.cells[0].b.requires_grad = True
    trained = [p for p in model.parameters() if p.requires_grad]
    return train(model, mg.optim.Adam(trained, lr=0.01), 50)
