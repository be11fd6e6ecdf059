"""Backpropagation through time written by hand in NumPy, and what no one can undercut.

The hand-written step keeps what backward needs, and makes each weight's gradient in one
product over all steps. The floors do nothing but its matrix products, or move the bytes
that it has to move.

Read next: `rivals_torch.py`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.comparing.same_step import GATES, Array, Gradients, Problem, Runner


def _sigmoid(x: Array) -> Array:
    return 1.0 / (1.0 + np.exp(-x))


def by_hand(given: Problem) -> Runner:
    """NumPy, the derivatives worked out on paper."""
    found: dict[str, Array] = {}
    write: Any = {"LSTM": _lstm, "GRU": _gru, "RNN": _rnn}[given.kind]

    def step() -> None:
        found.update(write(given.x, **given.weights))

    return Runner(step, lambda: dict(found))


def _weight_gradients(x: Array, states: Array, dz: Array) -> Gradients:
    """From the gradients of all sums before the gates: one product per weight."""
    rows = dz.reshape(-1, dz.shape[2])
    return {
        "W_x": x.reshape(-1, x.shape[2]).T @ rows,
        "W_h": states.reshape(-1, states.shape[2]).T @ rows,
        "b": rows.sum(axis=0),
    }


def _rnn(x: Array, W_x: Array, W_h: Array, b: Array) -> Gradients:
    T, B, H = *x.shape[:2], len(W_h)
    h = np.zeros((T + 1, B, H), x.dtype)
    projected = x @ W_x + b
    for t in range(T):
        h[t + 1] = np.tanh(projected[t] + h[t] @ W_h)
    dz, dh = np.empty_like(projected), np.zeros((B, H), x.dtype)
    for t in range(T)[::-1]:
        dz[t] = (dh + 1.0) * (1.0 - h[t + 1] ** 2)
        dh = dz[t] @ W_h.T
    return _weight_gradients(x, h[:-1], dz)


def _lstm(x: Array, W_x: Array, W_h: Array, b: Array) -> Gradients:
    T, B, H = *x.shape[:2], len(W_h)
    h, c = np.zeros((2, T + 1, B, H), x.dtype)
    gates = np.empty((T, B, 4 * H), x.dtype)
    squashed = np.empty((T, B, H), x.dtype)
    projected = x @ W_x + b
    for t in range(T):
        z = projected[t] + h[t] @ W_h
        gates[t] = _sigmoid(z)
        gates[t, :, 2 * H : 3 * H] = np.tanh(z[:, 2 * H : 3 * H])
        i, f, g, o = np.split(gates[t], 4, axis=1)
        c[t + 1] = f * c[t] + i * g
        squashed[t] = np.tanh(c[t + 1])
        h[t + 1] = o * squashed[t]
    dz = np.empty_like(gates)
    dh, dc = np.zeros((2, B, H), x.dtype)
    for t in range(T)[::-1]:
        i, f, g, o = np.split(gates[t], 4, axis=1)
        dh = dh + 1.0
        dc = dc + dh * o * (1.0 - squashed[t] ** 2)
        dz[t, :, :H] = dc * g * i * (1.0 - i)
        dz[t, :, H : 2 * H] = dc * c[t] * f * (1.0 - f)
        dz[t, :, 2 * H : 3 * H] = dc * i * (1.0 - g**2)
        dz[t, :, 3 * H :] = dh * squashed[t] * o * (1.0 - o)
        dh, dc = dz[t] @ W_h.T, dc * f
    return _weight_gradients(x, h[:-1], dz)


def _gru(x: Array, W_x: Array, W_h: Array, b: Array, b_h: Array) -> Gradients:
    T, B, H = *x.shape[:2], len(W_h)
    h = np.zeros((T + 1, B, H), x.dtype)
    r, z, n, inner = np.empty((4, T, B, H), x.dtype)
    projected = x @ W_x + b
    for t in range(T):
        x_r, x_z, x_n = np.split(projected[t], 3, axis=1)
        h_r, h_z, h_n = np.split(h[t] @ W_h, 3, axis=1)
        r[t], z[t], inner[t] = _sigmoid(x_r + h_r), _sigmoid(x_z + h_z), h_n + b_h
        n[t] = np.tanh(x_n + r[t] * inner[t])
        h[t + 1] = z[t] * h[t] + (1.0 - z[t]) * n[t]
    dx, dh_sums = np.empty((2, T, B, 3 * H), x.dtype)
    dh = np.zeros((B, H), x.dtype)
    for t in range(T)[::-1]:
        dh = dh + 1.0
        dn = dh * (1.0 - z[t]) * (1.0 - n[t] ** 2)
        dr = dn * inner[t] * r[t] * (1.0 - r[t])
        du = dh * (h[t] - n[t]) * z[t] * (1.0 - z[t])
        dx[t] = np.concatenate([dr, du, dn], axis=1)
        dh_sums[t] = np.concatenate([dr, du, dn * r[t]], axis=1)
        dh = dh * z[t] + dh_sums[t] @ W_h.T
    found = _weight_gradients(x, h[:-1], dx)
    rows = dh_sums.reshape(-1, 3 * H)
    found["W_h"] = h[:-1].reshape(-1, H).T @ rows
    return found | {"b_h": rows[:, 2 * H :].sum(axis=0)}


def products_alone(given: Problem) -> Runner:
    """The matrix products of a step and nothing else: x's in one, weights' in one."""
    T, B, D, H = given.size
    width = GATES[given.kind] * H
    W_x, W_h = given.weights["W_x"], given.weights["W_h"]
    rng = np.random.default_rng(0)
    x, h = given.x.reshape(-1, D), rng.standard_normal((T, B, H)).astype("float32")
    dz = rng.standard_normal((T, B, width)).astype("float32")

    def step() -> None:
        x @ W_x
        for t in range(T):
            h[t] @ W_h
        for t in range(T):
            dz[t] @ W_h.T
        rows = dz.reshape(-1, width)
        x.T @ rows
        h.reshape(-1, H).T @ rows

    return Runner(step, dict)


def memory_alone(given: Problem) -> Runner:
    """Moving what forward must leave for backward: the gates and states, there and
    back, one step at a time."""
    T, B, _, H = given.size
    width = (GATES[given.kind] + 2) * H
    kept = np.zeros((T, B, width), "float32")
    now: Any = np.ones((B, width), "float32")

    def step() -> None:
        for t in range(T):
            kept[t] = now
        for t in range(T)[::-1]:
            now[...] = kept[t]

    return Runner(step, dict)
