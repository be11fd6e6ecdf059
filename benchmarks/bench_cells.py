"""The training gradient of each cell from primitives, against the same program in
PyTorch eager: float32, one thread, forward and backward of the sum of all outputs."""

from benchmarks.timing import best_of, machine  # isort: skip (sets the threads)

import numpy as np
from rich.console import Console
from rich.table import Table

import minigrad as mg
from minigrad.models import GRU, LSTM, RNN

SIZES = {"S": (50, 16, 32, 64), "M": (100, 32, 128, 128), "L": (50, 64, 256, 512)}
PROMISED = {"S": 0.75, "M": 0.85, "L": 1.0}
CELLS = {"RNN": RNN, "LSTM": LSTM, "GRU": GRU}


def ours(kind, x, rng):
    """minigrad's model: one call computes every gradient."""
    model = CELLS[kind](x.shape[2], SIZE[0], dtype="float32", rng=rng)
    inputs = mg.tensor(x)

    def gradient():
        model.zero_grad()
        output, _ = model(inputs)
        output.sum().backward()

    return model, gradient


SIZE = [0]


def torch_step(torch, kind, H):
    """The same statements as in models/, on PyTorch tensors."""

    def rnn(x, state, W_x, W_h, b):
        h = torch.tanh(x @ W_x + state[0] @ W_h + b)
        return (h,)

    def lstm(x, state, W_x, W_h, b):
        h, c = state
        zi, zf, zg, zo = torch.split(x @ W_x + h @ W_h + b, H, 1)
        i, f = torch.sigmoid(zi), torch.sigmoid(zf)
        g = torch.tanh(zg)
        c = i * g + f * c
        o = torch.sigmoid(zo)
        return o * torch.tanh(c), c

    def gru(x, state, W_x, W_h, b, b_h):
        (h,) = state
        xr, xz, xn = torch.split(x @ W_x + b, H, 1)
        hr, hz, hn = torch.split(h @ W_h, H, 1)
        r, z = torch.sigmoid(xr + hr), torch.sigmoid(xz + hz)
        n = torch.tanh(xn + r * (hn + b_h))
        return (z * h + (1 - z) * n,)

    return {"RNN": rnn, "LSTM": lstm, "GRU": gru}[kind]


def theirs(torch, kind, x, model):
    """PyTorch's eager mode with the same weights."""
    H = SIZE[0]
    step = torch_step(torch, kind, H)
    cell = model.cells[0]
    names = ["W_x", "W_h", "b"] + (["b_h"] if kind == "GRU" else [])
    weights = [
        torch.tensor(getattr(cell, n).data.copy(), requires_grad=True) for n in names
    ]
    inputs = torch.tensor(x)
    zeros = torch.zeros(x.shape[1], H)

    def gradient():
        for weight in weights:
            weight.grad = None
        state = (zeros, zeros) if kind == "LSTM" else (zeros,)
        outputs = []
        for x_t in inputs:
            state = step(x_t, state, *weights)
            outputs.append(state[0])
        torch.stack(outputs).sum().backward()

    return weights, gradient


def compare(torch, kind, size, seconds=6.0):
    """Times in ms; asserts first that both compute the same gradient."""
    T, B, D, H = SIZES[size]
    SIZE[0] = H
    rng = np.random.default_rng(0)
    x = rng.standard_normal((T, B, D)).astype("float32")
    model, mine = ours(kind, x, rng)
    weights, other = theirs(torch, kind, x, model)
    mine()
    other()
    for name, weight in zip(("W_x", "W_h", "b"), weights, strict=False):
        a, b = getattr(model.cells[0], name).grad.data, weight.grad.numpy()
        assert np.linalg.norm(a - b) <= 1e-4 * np.linalg.norm(b), (kind, size, name)
    times = best_of({"minigrad": mine, "torch": other}, seconds)
    return times["minigrad"] * 1e3, times["torch"] * 1e3


def main():
    """Print the table."""
    try:
        import torch
    except ImportError:
        print("cells: PyTorch is not installed, nothing to compare with")
        return
    torch.set_num_threads(1)
    table = Table(title="Training gradient, ms: minigrad against PyTorch eager")
    for name in ("cell", "size (T, B, D, H)", "minigrad", "PyTorch", "ratio", "aim"):
        table.add_column(name, justify="right")
    for kind in CELLS:
        for size, shape in SIZES.items():
            a, b = compare(torch, kind, size)
            aim = f"{PROMISED[size]:.2f}"
            row = (f"{size} {shape}", f"{a:.1f}", f"{b:.1f}", f"{a / b:.2f}", aim)
            table.add_row(kind, *row)
    console = Console(width=100)
    console.print(table)
    console.print(machine(), f"PyTorch {torch.__version__}", highlight=False)
