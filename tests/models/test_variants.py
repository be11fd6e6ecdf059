"""Every cell and variant: gradients by complex step, hand-written BPTT, PyTorch."""

import itertools

import numpy as np
import pytest
from variants import every_variant, final, score

import minigrad as mg
from minigrad.engine import errors
from minigrad.engine.scope import gate
from minigrad.models import GRU, LSTM, RNN, unroll

# ------------------------------------------------------------- an independent forward


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def forward(model, P, x):
    """The equations, once more, in plain NumPy that takes complex numbers too.

    P: {name: array} of the one cell's parameters. Returns output (T, B, H), states.
    """
    cell = model.cells[0]
    H = cell.hidden_size
    col = {k: slice(n * H, (n + 1) * H) for n, k in enumerate(cell.gates)}
    h = c = np.zeros((x.shape[1], H))
    outputs = []
    for x_t in x:
        z = x_t @ P["W_x"] + P["b"]
        if isinstance(model, RNN):
            z = z + h @ P["W_h"]
            h = np.tanh(z) if cell.activation == "tanh" else z * (z.real > 0)
        elif isinstance(model, LSTM):
            z = z + h @ P["W_h"]
            look = {k: P.get(f"p_{k}", 0.0) for k in "ifo"}
            gates = {}
            for k in "if":
                if k in col:
                    gates[k] = sigmoid(z[:, col[k]] + look[k] * c)
            i = gates.get("i", 1 - gates["f"] if "i" not in gates else None)
            f = gates.get("f", 1 - i if cell.couple else 1.0)
            new = f * c + i * np.tanh(z[:, col["g"]])
            seen = new if cell.peephole == "current" else c
            c = new
            h = sigmoid(z[:, col["o"]] + look["o"] * seen) * np.tanh(c)
        else:
            u = h @ P["W_h"]
            r, g = (sigmoid(z[:, col[k]] + u[:, col[k]]) for k in "rz")
            if cell.reset == "after":
                n = np.tanh(z[:, col["n"]] + r * (u[:, col["n"]] + P["b_h"]))
            else:
                n = np.tanh(z[:, col["n"]] + (r * h) @ P["W_h"][:, col["n"]])
            h = g * h + (1 - g) * n if cell.update == "keep" else (1 - g) * h + g * n
        outputs.append(h)
    return np.stack(outputs), (h, c) if isinstance(model, LSTM) else (h,)


@every_variant
def test_gradients_against_complex_step_of_plain_numpy(model, variant, rng):
    net = model(3, 4, rng=1, **variant)
    x = rng.standard_normal((5, 2, 3))
    values = {n.split(".")[-1]: p.data.copy() for n, p in net.named_parameters()}
    output, states = forward(net, values, x)
    mine, state = net(mg.tensor(x))
    np.testing.assert_allclose(mine.data, output, rtol=1e-12)
    for a, b in zip(final(state), states, strict=True):
        np.testing.assert_allclose(a.data[0], b, rtol=1e-12)
    u = rng.standard_normal(output.shape)
    v = [rng.standard_normal(s.shape) for s in states]
    loss = (mine * u).sum()
    for a, b in zip(final(state), v, strict=True):
        loss = loss + (a[0] * b).sum()
    loss.backward()
    for name, p in net.named_parameters():
        name = name.split(".")[-1]
        # Three random directions in each parameter, to the last digits.
        for _ in range(3):
            direction = rng.standard_normal(p.shape)
            moved = {**values, name: values[name] + 1e-100j * direction}
            output, states = forward(net, moved, x)
            pairs = [(output, u), *zip(states, v, strict=True)]
            exact = sum((a.imag * b).sum() for a, b in pairs) / 1e-100
            terms = p.grad.data * direction
            assert abs(terms.sum() - exact) <= 1e-11 * np.abs(terms).sum(), name


# ------------------------------------------------------------- BPTT by hand


def test_lstm_against_bptt_by_hand(rng):
    """Hochreiter's chain rule, written out: what minigrad never writes."""
    net = LSTM(3, 4, rng=0)
    cell, T, B, H = net.cells[0], 6, 2, 4
    W_x, W_h, b = (p.data for p in (cell.W_x, cell.W_h, cell.b))
    x = rng.standard_normal((T, B, 3))
    h, c, kept = np.zeros((B, H)), np.zeros((B, H)), []
    for x_t in x:
        z = x_t @ W_x + h @ W_h + b
        i, f, o = (sigmoid(z[:, k * H : (k + 1) * H]) for k in (0, 1, 3))
        g = np.tanh(z[:, 2 * H : 3 * H])
        new = f * c + i * g
        kept.append((x_t, h, c, i, f, g, o, new))
        c, h = new, o * np.tanh(new)
    u = rng.standard_normal((T, B, H))
    dh, dc = np.zeros((B, H)), np.zeros((B, H))
    dW_x, dW_h, db = np.zeros_like(W_x), np.zeros_like(W_h), np.zeros_like(b)
    for t in reversed(range(T)):
        x_t, h, c, i, f, g, o, new = kept[t]
        dh = dh + u[t]
        dc = dc + dh * o * (1 - np.tanh(new) ** 2)
        dz = np.concatenate(
            [
                dc * g * i * (1 - i),
                dc * c * f * (1 - f),
                dc * i * (1 - g**2),
                dh * np.tanh(new) * o * (1 - o),
            ],
            axis=1,
        )
        dW_x, dW_h, db = dW_x + x_t.T @ dz, dW_h + h.T @ dz, db + dz.sum(0)
        dh, dc = dz @ W_h.T, dc * f
    output, _ = net(mg.tensor(x))
    (output * u).sum().backward()
    for p, expected in zip((cell.W_x, cell.W_h, cell.b), (dW_x, dW_h, db), strict=True):
        scale = np.abs(expected).max()
        np.testing.assert_allclose(
            p.grad.data, expected, rtol=1e-11, atol=1e-12 * scale
        )


# ------------------------------------------------------------- PyTorch


def torch_twin(torch, net, kind, layers, bidirectional, batch_first):
    """PyTorch's module with the same weights (its second bias holds GRU's b_h)."""
    H = net.cells[0].hidden_size
    options = {"nonlinearity": net.cells[0].activation} if kind == "RNN" else {}
    options["batch_first"] = batch_first
    twin = getattr(torch.nn, kind)(
        net.cells[0].input_size, H, layers, bidirectional=bidirectional, **options
    ).double()
    names = [
        f"l{layer}{'_reverse' if reverse else ''}"
        for layer in range(layers)
        for reverse in ((False, True) if bidirectional else (False,))
    ]
    with torch.no_grad():
        for cell, name in zip(net.cells, names, strict=True):
            second = np.zeros(len(cell.gates) * H)
            if kind == "GRU":
                second[2 * H :] = cell.b_h.data
            for word, array in (
                ("weight_ih", cell.W_x.data.T),
                ("weight_hh", cell.W_h.data.T),
                ("bias_ih", cell.b.data),
                ("bias_hh", second),
            ):
                getattr(twin, f"{word}_{name}").copy_(torch.tensor(array.copy()))
    return twin, names


CONFIGURATIONS = list(itertools.product((1, 2), (False, True), (False, True)))


@pytest.mark.parametrize("kind", ["RNN", "RNN relu", "LSTM", "GRU"])
@pytest.mark.parametrize("layers, both_ways, ragged", CONFIGURATIONS)
@pytest.mark.parametrize("batch_first", [False, True])
def test_against_pytorch(kind, layers, both_ways, ragged, batch_first, rng):
    torch = pytest.importorskip("torch", reason="needs torch")
    kind, _, activation = kind.partition(" ")
    options = {"activation": activation} if activation else {}
    options["batch_first"] = batch_first
    model = {"RNN": RNN, "LSTM": LSTM, "GRU": GRU}[kind]
    net = model(3, 4, layers, bidirectional=both_ways, rng=2, **options)
    twin, names = torch_twin(torch, net, kind, layers, both_ways, batch_first)
    x = rng.standard_normal((3, 6, 3) if batch_first else (6, 3, 3))
    lengths = [6, 2, 4] if ragged else None
    mine, state = net(mg.tensor(x), lengths=lengths)
    theirs = torch.tensor(x)
    if ragged:
        pack = torch.nn.utils.rnn.pack_padded_sequence
        theirs = pack(theirs, lengths, batch_first, enforce_sorted=False)
    output, other = twin(theirs)
    if ragged:
        output, _ = torch.nn.utils.rnn.pad_packed_sequence(output, batch_first)
    u = rng.standard_normal(output.shape)
    np.testing.assert_allclose(mine.data, output.detach().numpy(), atol=1e-12)
    loss, target = (mine * u).sum(), (output * torch.tensor(u)).sum()
    for a, b in zip(final(state), final(other), strict=True):
        np.testing.assert_allclose(a.data, b.detach().numpy(), atol=1e-12)
        v = rng.standard_normal(b.shape)
        loss, target = loss + (a * v).sum(), target + (b * torch.tensor(v)).sum()
    loss.backward()
    target.backward()
    for cell, name in zip(net.cells, names, strict=True):
        for p, word in (
            (cell.W_x, "weight_ih"),
            (cell.W_h, "weight_hh"),
            (cell.b, "bias_ih"),
        ):
            expected = getattr(twin, f"{word}_{name}").grad.numpy().T
            error = np.linalg.norm(p.grad.data - expected)
            assert error <= 1e-11 * np.linalg.norm(expected), (name, word)


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
def test_weights_with_pytorchs_names_are_answered_with_how_to_load_them(kind, rng):
    torch = pytest.importorskip("torch", reason="needs torch")
    twin = getattr(torch.nn, kind)(3, 4, dtype=torch.float64)
    state = {name: p.detach().numpy() for name, p in twin.named_parameters()}
    net = {"RNN": RNN, "LSTM": LSTM, "GRU": GRU}[kind](3, 4)
    hint = r"PyTorch's names(?s:.*)W_x\.data = weight_ih_l0\.T(?s:.*)b_h instead"
    with pytest.raises(errors.CheckpointError, match=hint):
        net.load_state_dict(state)
    cell, bias = net.cells[0], state["bias_hh_l0"].copy()  # as the hint says
    cell.W_x.data, cell.W_h.data = state["weight_ih_l0"].T, state["weight_hh_l0"].T
    if kind == "GRU":
        cell.b_h.data, bias[8:] = bias[8:], 0.0
    cell.b.data = state["bias_ih_l0"] + bias
    x = rng.standard_normal((5, 2, 3))
    theirs = twin(torch.tensor(x))[0].detach().numpy()
    np.testing.assert_allclose(net(x)[0].data, theirs, rtol=1e-12)


# ------------------------------------------------------------- padding


@every_variant
@pytest.mark.parametrize("both_ways", [False, True])
def test_padding_has_no_influence_at_all(model, variant, both_ways, rng):
    net = model(3, 4, 2, bidirectional=both_ways, rng=3, **variant)
    values = rng.standard_normal((5, 3, 3))
    lengths = [5, 2, 3]
    padded = np.arange(5)[:, None] >= np.array(lengths)
    values[padded] = np.nan
    x = mg.tensor(values, requires_grad=True)
    output, state = net(x, lengths=lengths)
    assert (output.data[padded] == 0).all()
    loss = score(net, x, np.random.default_rng(0), lengths=lengths)
    gx, *gp = mg.grad(loss, [x, *net.parameters()])
    assert (gx.data[padded] == 0).all() and np.isfinite(gx.data).all()
    assert all(np.isfinite(g.data).all() for g in gp)
    # Alone, each sequence gives what it gave among the padded.
    for k, length in enumerate(lengths):
        alone, end = net(mg.tensor(values[:length, k : k + 1]))
        np.testing.assert_allclose(
            output.data[:length, k], alone.data[:, 0], rtol=1e-12
        )
        for a, b in zip(final(state), final(end), strict=True):
            np.testing.assert_allclose(a.data[:, k], b.data[:, 0], rtol=1e-12)


# ------------------------------------------------------------- the loop, and its trace


def test_a_cell_of_ones_own(rng):
    """A minimal gated unit (Zhou et al. 2016): f = s(...), h' = (1-f) h + f n."""
    W = [mg.tensor(rng.standard_normal((5, 2)), requires_grad=True) for _ in range(2)]

    def mgu(x, h):
        with gate("f"):
            f = mg.sigmoid(mg.concatenate([x, h], 1) @ W[0])
        with gate("n"):
            n = mg.tanh(mg.concatenate([x, f * h], 1) @ W[1])
        return (1 - f) * h + f * n

    x = rng.standard_normal((4, 2, 3))

    def loss(x, a, b):
        W[:] = [a, b]
        output, h = unroll(mgu, x, mg.zeros((2, 2)))
        return (output * output).sum() + h.sum()

    mg.gradcheck(loss, [x, W[0], W[1]], order=2)
    loop = unroll(mgu, mg.tensor(x), mg.zeros((2, 2)))
    assert loop["f"].shape == (4, 2, 2) and ((loop["f"] > 0) & (loop["f"] < 1)).all()


def test_trace_names_every_gate_and_state(rng):
    net = LSTM(3, 4, 2, rng=0)
    x = mg.tensor(rng.standard_normal((5, 2, 3)))
    with mg.no_grad():
        trace = net.trace(x)
    for letter in "ifgohc":
        assert trace[letter].shape == (5, 2, 4)
    np.testing.assert_allclose(trace["h"], trace["o"] * np.tanh(trace["c"]), rtol=1e-14)
    assert len(trace.states) == 6
    (g,) = mg.grad(trace.output.sum(), [trace.states[0][0]])
    assert np.abs(g.data).max() > 0


def test_ten_thousand_steps():
    net = LSTM(1, 2, rng=0)
    output, _ = net(mg.ones((10_000, 1, 1)))
    output.sum().backward()
    assert np.isfinite(net.cells[0].W_h.grad.data).all()


def test_float32_stays_float32():
    for model in (RNN, LSTM, GRU):
        net = model(3, 4, dtype="float32", rng=0)
        output, state = net(mg.zeros((2, 3, 3), "float32"))
        output.sum().backward()
        found = [output, *final(state), *(p.grad for p in net.parameters())]
        assert {t.dtype.name for t in found} == {"float32"}


def test_starting_values():
    net = LSTM(3, 16, rng=0)
    b = net.cells[0].b.data
    assert (b[16:32] == 1.0).all() and np.abs(net.cells[0].W_h.data).max() <= 0.25
    assert sum(p.size for p in net.parameters()) == (3 + 16 + 1) * 64


BAD = {
    "activation": lambda: RNN(3, 4, activation="swish"),
    "peephole": lambda: LSTM(3, 4, peephole="yes"),
    "couple": lambda: LSTM(3, 4, couple="both"),
    "coupled to nothing": lambda: LSTM(3, 4, couple="forget", forget_gate=False),
    "reset": lambda: GRU(3, 4, reset="never"),
    "update": lambda: GRU(3, 4, update="?"),
    "sizes": lambda: RNN(0, 4),
    "x": lambda: RNN(3, 4)(mg.zeros((5, 2, 7))),
    "no steps": lambda: RNN(3, 4)(mg.zeros((0, 2, 3))),
    "dtype": lambda: RNN(3, 4)(mg.zeros((5, 2, 3), "float32")),
    "h0": lambda: RNN(3, 4)(mg.zeros((5, 2, 3)), mg.zeros((1, 3, 4))),
    "lengths": lambda: RNN(3, 4)(mg.zeros((5, 2, 3)), lengths=[5, 6]),
    "count of lengths": lambda: RNN(3, 4)(mg.zeros((5, 2, 3)), lengths=[5]),
    "no length": lambda: RNN(3, 4)(mg.zeros((5, 2, 3)), lengths=[5, 0]),
    "mask": lambda: RNN(3, 4)(mg.zeros((5, 2, 3)), mask=np.ones((2, 5), bool)),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input(name):
    with pytest.raises(errors.MinigradError) as caught:
        BAD[name]()
    assert caught.value.expect and caught.value.hint
