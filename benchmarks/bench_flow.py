"""What the ledger and the monitor cost, in backward passes of the same graph."""

from benchmarks.timing import best_of, machine  # isort: skip (sets the threads)

from time import perf_counter

import numpy as np
from rich.console import Console
from rich.table import Table

import minigrad as mg
from minigrad.models import GRU, LSTM, RNN

SIZES = {"S": (50, 16, 32, 64), "M": (100, 32, 128, 128)}
CELLS = {"RNN": RNN, "LSTM": LSTM, "GRU": GRU}


def graph(kind, size):
    """A model, the sum of its losses, and the losses, one per step."""
    T, B, D, H = SIZES[size]
    rng = np.random.default_rng(0)
    model = CELLS[kind](D, H, dtype="float32", rng=rng)
    output, _ = model(mg.tensor(rng.standard_normal((T, B, D)), dtype="float32"))
    losses = (output * output).mean(axis=(1, 2))
    return model, losses.sum(), losses


def passes(kind, size, seconds=3.0):
    """Times in ms of one backward pass, and of what the ledger and a look take."""
    model, total, losses = graph(kind, size)

    monitor = mg.Monitor(model=model, every=1, tell=len)

    def backward():
        model.zero_grad()
        total.backward()

    calls = {
        "backward": backward,
        "use_norms, one parameter": lambda: mg.ledger(losses, model).use_norms("W_h"),
        "norms, one loss, all": lambda: mg.ledger(total, model).norms("W_h"),
        "uses (dense), all": lambda: mg.ledger(total, model).uses("W_h"),
        "monitor, one look": lambda: monitor.watch(total),
    }
    found = best_of(calls, seconds)
    return {name: 1e3 * time for name, time in found.items()}


def per_loss(kind, size):
    """Norms of all items, a loss per step, against as many backward passes."""
    model, _, losses = graph(kind, size)
    each = [losses[t] for t in range(len(losses))]

    def backward():
        for loss in each:
            model.zero_grad()
            loss.backward()

    calls = {"passes": backward, "ledger": lambda: mg.ledger(each, model).norms("W_h")}
    found = best_of(calls, 0.1, rounds=2)
    return found["ledger"] / found["passes"]


def overhead(kind, size, every=20, seconds=4.0):
    """What share of a training's time a monitor takes, as (looks alone, all batches).

    A training in which every graph is new; looks and steps are timed apart, as their
    ratio is far below the noise of whole runs. Medians; the first looks are left out:
    they also compare gradients.
    """
    T, B, D, H = SIZES[size]
    rng = np.random.default_rng(0)
    x = mg.tensor(rng.standard_normal((T, B, D)), dtype="float32")
    model = CELLS[kind](D, H, dtype="float32", rng=0)
    optimizer = mg.optim.Adam(model.parameters(), lr=0.001)
    monitor = mg.Monitor(model=model, optimizer=optimizer, every=every, tell=len)
    times = {"step": [], "look": [], "pass": []}
    until, number = perf_counter() + seconds, 0
    while perf_counter() < until or len(times["look"]) < 5:
        start = perf_counter()
        output, _ = model(x)
        loss = (output * output).mean()
        optimizer.zero_grad()
        loss.backward()
        before = perf_counter()
        monitor.watch(loss)
        after = perf_counter()
        optimizer.step()
        if number > 4 * every:
            times["step"].append(perf_counter() - start - (after - before))
        if number > 4 * every or number % every == 0:
            times["pass" if number % every else "look"].append(after - before)
        number += 1
    step = every * np.median(times["step"])
    look, others = np.median(times["look"][4:]), np.median(times["pass"])
    return look / step, (look + (every - 1) * others) / step


def main():
    """Print the tables."""
    console = Console(width=110)
    table = Table(title="Cost in backward passes of the same graph")
    for name in ("cell, size", "backward, ms"):
        table.add_column(name, justify="right")
    rows = {}
    for kind in CELLS:
        for size in SIZES:
            times = passes(kind, size)
            backward = times.pop("backward")
            names = list(times)
            ratios = [f"{time / backward:.2f}" for time in times.values()]
            each = f"{per_loss(kind, size):.2f}" if size == "S" else ""
            rows[f"{kind}, {size}"] = [f"{backward:.1f}", *ratios, each]
    for name in [*names, "norms, a loss per step, per loss"]:
        table.add_column(name, justify="right")
    for name, row in rows.items():
        table.add_row(name, *row)
    console.print(table)
    table = Table(title="What a monitor adds to training, every=20")
    table.add_column("cell, size")
    table.add_column("looks alone, of its time", justify="right")
    table.add_column("all batches", justify="right")
    for kind in CELLS:
        for size in SIZES:
            shares = [f"{share:.1%}" for share in overhead(kind, size)]
            table.add_row(f"{kind}, {size}", *shares)
    console.print(table)
    console.print(machine(), highlight=False)
