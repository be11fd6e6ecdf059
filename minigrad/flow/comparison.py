"""Compares networks: measures how far back each gradient reaches, and writes a page.

measured = {"LSTM": measure(lstm, x), "GRU": measure(gru, x)}
print(verdict("LSTM", measured["LSTM"]))
write_comparison("flow.html", "untrained, 32 units", measured)

Read next: `minigrad/data/` (from text and tables to arrays).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from minigrad.engine.tensor import Tensor
from minigrad.flow.figure_page import write_page
from minigrad.flow.findings import reach
from minigrad.flow.jacobians import JacobianProducts, jacobian_products
from minigrad.flow.ledgers import Ledger, ledger
from minigrad.flow.page_sections import comparison_body


class Measured(NamedTuple):
    """One run of a network, with a loss at every step.

    trace     what the network did
    products  the Jacobians of its loop, and their products
    ledger    the gradient of W_h, by loss and step of use
    """

    trace: Any
    products: JacobianProducts
    ledger: Ledger


def measure(model: Any, x: Tensor) -> Measured:
    """Run a recurrent network of one layer over x (T, B, D); measure its gradients."""
    trace = model.trace(x)
    losses = (trace.output * trace.output).mean(axis=(1, 2))
    led = ledger(losses, model.cells[0].W_h)
    return Measured(trace, jacobian_products(trace), led)


def verdict(name: str, measured: Measured) -> str:
    """A sentence: how far back this network's gradient reaches."""
    jp = measured.products
    steps = jp.steps
    last = float(jp.log10_norms()[0])
    if last > 3:
        return f"{name}: over {steps} steps a gradient can grow to 10^{last:.0f} times"
    far = reach(jp.norms()[::-1])
    if far >= steps:
        return f"{name}: after {steps} steps more than 1e-6 of the gradient is left"
    return f"{name}: after more than {far} steps less than 1e-6 of the gradient is left"


def write_comparison(
    path: Any,
    about: str,
    measured: Mapping[str, Measured],
    words: Sequence[str] | None = None,
) -> Path:
    """Write the page of some networks, {name: what was measured}; returns its path."""
    body = comparison_body(
        about,
        {name: one.trace for name, one in measured.items()},
        {name: one.products for name, one in measured.items()},
        {name: one.ledger for name, one in measured.items()},
        words,
    )
    return write_page(path, "Where the gradient goes", body)
