"""Measures how much of a gradient reaches back through an RNN, an LSTM or a GRU.

Read next: `memory_demo.py`.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

import minigrad as mg
from minigrad import models
from minigrad.engine.errors import one_of
from minigrad.exploring import Lines

KINDS = {"rnn": models.RNN, "lstm": models.LSTM, "gru": models.GRU}
UNITS, INPUTS = 6, 3
SHOWN = 4  # steps of a drawing; of more, the middle is left out


def gradient_by_distance(
    cell: str = "lstm",
    forget_bias: float = 1.0,
    largest_singular_value: float | None = None,
    scale: float = 1.0,
    T: int = 20,
    drawing: bool = False,
    seed: int = 0,
) -> dict[str, Any]:
    """An untrained network of 6 units reads T random inputs: what comes back?

    cell         "rnn", "lstm" or "gru"
    forget_bias  of an LSTM: what the bias of its forget gate starts at
    largest_singular_value  W_h is multiplied so that this is its largest singular value
    scale        W_h is multiplied by this, if no singular value is given
    T            time steps
    drawing      also the unrolled network, its lines lit by the gradient (needs dot)

    Returns results for `mg.explore`: the norm of ds_T/ds_0; by distance the norm of
    ds_T/ds_k (of an LSTM, its path through c alone as well) and the singular values;
    the gates; a sentence about it. s is the state h, of an LSTM [h, c].
    """
    one_of("cell", cell, tuple(KINDS))
    bias = forget_bias if cell == "lstm" else None
    size = None if largest_singular_value is None else float(largest_singular_value)
    return dict(_measured(cell, bias, size, float(scale), int(T), drawing, seed))


@lru_cache(maxsize=4096)  # an RNN has no forget gate: its page asks the same again
def _measured(
    cell: str,
    bias: float | None,
    size: float | None,
    scale: float,
    T: int,
    drawing: bool,
    seed: int,
) -> dict[str, Any]:
    options = {} if bias is None else {"forget_bias": bias}
    model = KINDS[cell](INPUTS, UNITS, rng=seed, **options)
    W_h = model.cells[0].W_h
    if size is not None:
        scale = size / float(np.linalg.svd(W_h.data, compute_uv=False)[0])
    W_h.data = W_h.data * scale
    x = np.random.default_rng(seed + 1).standard_normal((T, 1, INPUTS))
    trace = model.trace(mg.tensor(x, name="x"))
    products = mg.jacobian_products(trace)
    norms = products.norms()[::-1]
    curves = {"all paths": norms}
    if cell == "lstm":
        curves["through c alone"] = products.paths().alone_norms[::-1]
    values = products.singular_values()[::-1]
    back = "steps back"
    found = {
        "gradient at the first step": norms[-1],
        "what happens": _words(norms[-1], T),
        "gradient by distance": Lines(curves, xlabel=back, ylabel="norm of ds_T/ds_k"),
        "singular values by distance": Lines(
            {f"{k + 1}": values[:, k] for k in range(values.shape[1])},
            xlabel=back,
            ylabel="singular values of ds_T/ds_k",
            log=True,
        ),
        "gates": Lines(
            {name: trace[name].mean(axis=(1, 2)) for name in _gates_of(trace)},
            xlabel="time step",
            ylabel="means over the units (of an RNN: h)",
        ),
    }
    if drawing:
        found["where the gradient flows"] = _lit(cell, T, trace)
    return found


def _gates_of(trace: Any) -> list[str]:
    """The gates without the candidate; of an RNN, which has none, its state."""
    return [name for name in trace.names if name not in "gnhc"] or ["h"]


def _words(left: float, T: int) -> str:
    """The gradient that is left, in a sentence."""
    told = f"Of a gradient of size 1, {left:.2g} comes back over {T} steps"
    if left < 1e-3:
        return f"{told}: it vanishes."
    return f"{told}: it explodes." if left > 1e3 else f"{told}: it survives."


_PLACES: dict[tuple[str, int], Any] = {}  # a layout, for all drawings alike


def _lit(cell: str, T: int, trace: Any) -> Any:
    """The unrolled network, a box per step; wide and dark lines carry much gradient."""
    last = trace.states[-1][0].sum()
    drawing = mg.draw(last, level="cell", gradients=True, max_steps=SHOWN)
    if (cell, T) in _PLACES:
        drawing.layout = _PLACES[cell, T]
    else:
        _PLACES[cell, T] = drawing.layout
    return drawing
