"""The same step in JAX (jit of a scan) and in HIPS autograd.

Both differentiate functions of arrays, so one cell serves them: it is handed the
library's own NumPy.

Read next: `side_by_side.py`.
"""

from __future__ import annotations

import importlib
from typing import Any

import numpy

from minigrad.comparing.same_step import Gradients, Problem, Runner


def _cell(np: Any, kind: str, w: Gradients, x: Any, state: Any) -> Any:
    """The equations of `models/` on the arrays of `np`."""

    def sigmoid(z: Any) -> Any:
        return 0.5 * (np.tanh(0.5 * z) + 1.0)

    h = state[0]
    H = h.shape[1]
    if kind == "RNN":
        return (np.tanh(x @ w["W_x"] + h @ w["W_h"] + w["b"]),)
    if kind == "LSTM":
        z = x @ w["W_x"] + h @ w["W_h"] + w["b"]
        i, f, o = (sigmoid(z[:, k * H : (k + 1) * H]) for k in (0, 1, 3))
        c = f * state[1] + i * np.tanh(z[:, 2 * H : 3 * H])
        return o * np.tanh(c), c
    x_z, h_z = x @ w["W_x"] + w["b"], h @ w["W_h"]
    r = sigmoid(x_z[:, :H] + h_z[:, :H])
    z = sigmoid(x_z[:, H : 2 * H] + h_z[:, H : 2 * H])
    n = np.tanh(x_z[:, 2 * H :] + r * (h_z[:, 2 * H :] + w["b_h"]))
    return (z * h + (1.0 - z) * n,)


def _start(given: Problem, np: Any) -> tuple[Any, ...]:
    zeros = np.zeros((given.size.B, given.size.H), "float32")
    return (zeros,) * (2 if given.kind == "LSTM" else 1)


def jax_scan(given: Problem) -> Runner:
    """JAX: jit of the gradient of a scan."""
    jax: Any = importlib.import_module("jax")
    np: Any = jax.numpy
    start, found = _start(given, np), {}

    def loss(w: Any, x: Any) -> Any:
        def step(state: Any, x_t: Any) -> Any:
            state = _cell(np, given.kind, w, x_t, state)
            return state, state[0]

        return jax.lax.scan(step, start, x)[1].sum()

    gradient = jax.jit(jax.grad(loss))
    weights = {n: np.asarray(w) for n, w in given.weights.items()}
    x = np.asarray(given.x)

    def step() -> None:
        found.update(jax.block_until_ready(gradient(weights, x)))

    return Runner(step, lambda: {n: numpy.asarray(g) for n, g in found.items()})


def hips_autograd(given: Problem) -> Runner:
    """HIPS autograd: NumPy, recorded."""
    np: Any = importlib.import_module("autograd.numpy")
    grad: Any = importlib.import_module("autograd").grad
    found: Gradients = {}

    def loss(w: Any) -> Any:
        state, total = _start(given, numpy), 0.0
        for x_t in given.x:
            state = _cell(np, given.kind, w, x_t, state)
            total = total + np.sum(state[0])
        return total

    gradient = grad(loss)

    def step() -> None:
        found.update(gradient(given.weights))

    return Runner(step, lambda: dict(found))
