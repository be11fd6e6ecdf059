"""What a net's gradient and gates say about long lags: at the start, and at the end.

Read next: `published_figures.py`.
"""

from __future__ import annotations

import numpy as np

import minigrad as mg
from minigrad.lab.lab_nets import LabNet
from minigrad.lab.long_lag_task import Sequences

KEEPERS = ("f", "z")  # the gates that keep, where a cell has one


def evidence(net: LabNet, made: Sequences) -> dict[str, float]:
    """Figures about one batch, as JSON.

    back   size of the loss's gradient for the state after the first step, divided by
           that for the state at the end: what is left of the error that far back;
           not there if no error is at the end, as in strings that are padded
    early  the ledger: the share of W_x's gradient (sum of norms over the steps) that
           the first tenth of the steps has
    chance `mg.diagnose(loss).chance(lag)` for the distance from the first step to the
           last: the calibrated chance that what lies there can be learned
    keeps  mean of the gate that keeps (f of an LSTM, z of a GRU), where there is one
    """
    trace, loss = net.trace(made)
    states = trace.states
    first, last = states[1 + made.first], states[-1]
    found = mg.grad(loss, [*first, *last], allow_unused=True)
    sizes = [float(np.sqrt((g.data.astype(float) ** 2).sum())) for g in found]
    start, end = (float(np.hypot.reduce(p)) for p in _halves(sizes))
    weight = net.recurrent.cells[0].W_x
    norms = mg.ledger(loss, [weight]).norms(weight)[0]
    steps = len(made.x)
    figures = {
        "early": float(norms[: max(1, steps // 10)].sum() / max(norms.sum(), 1e-300)),
        "chance": mg.diagnose(loss).chance(steps - 1 - made.first),
    }
    if end:
        figures["back"] = start / end
    for letter in KEEPERS:
        if letter in trace.names:
            figures["keeps"] = float(trace[letter].mean())
    return figures


def _halves(values: list[float]) -> tuple[list[float], list[float]]:
    middle = len(values) // 2
    return values[:middle], values[middle:]
