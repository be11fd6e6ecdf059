"""Recurrent networks in plain NumPy, with backpropagation through time derived by hand.

Nothing here knows minigrad. A cell is a pair of functions of one step:

    step(p, x, state, how) -> (new state, what backward needs)
    pull(p, kept, d_state, how) -> (gradients of p, dx, gradients of the old state)

and the loop, the padding, the layers and the directions are written once below. The
steps also work on complex numbers, for derivatives by complex step.
"""

import numpy as np

STATES = {"RNN": 1, "LSTM": 2, "GRU": 1}


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def gates_of(a, letters):
    """The stretch of each gate along the last axis, by letter."""
    return dict(zip(letters, np.split(a, len(letters), axis=-1), strict=True))


def affine(p, x, h, dz):
    """Gradients of z = x W_x + h W_h + b, given dL/dz."""
    grads = {"W_x": x.T @ dz, "W_h": h.T @ dz, "b": dz.sum(0)}
    return grads, dz @ p["W_x"].T, dz @ p["W_h"].T


# ------------------------------------------------------------- RNN


def rnn_step(p, x, state, how):
    (h,) = state
    z = x @ p["W_x"] + h @ p["W_h"] + p["b"]
    relu = how["activation"] == "relu"
    new = np.where(z.real > 0, z, 0) if relu else np.tanh(z)
    return (new,), (x, h, new)


def rnn_pull(p, kept, d_state, how):
    x, h, new = kept
    (d,) = d_state
    slope = (new > 0) * 1.0 if how["activation"] == "relu" else 1 - new**2
    grads, dx, dh = affine(p, x, h, d * slope)
    return grads, dx, (dh,)


# ------------------------------------------------------------- LSTM


def lstm_letters(how):
    absent = {"forget": "f", "input": "i", None: ""}[how["couple"]]
    return [k for k in "ifgo" if k != absent and (k != "f" or how["forget_gate"])]


def lstm_step(p, x, state, how):
    h, c = state
    letters = lstm_letters(how)
    z = gates_of(x @ p["W_x"] + h @ p["W_h"] + p["b"], letters)
    if how["peephole"]:
        for k in set(letters) & {"i", "f"}:
            z[k] = z[k] + p[f"p_{k}"] * c
    if how["couple"] == "input":
        f = sigmoid(z["f"])
        i = 1 - f
    else:
        i = sigmoid(z["i"])
        f = 1 - i if how["couple"] else sigmoid(z["f"]) if how["forget_gate"] else 1.0
    g = np.tanh(z["g"])
    new_c = f * c + i * g
    if how["peephole"]:
        z["o"] = z["o"] + p["p_o"] * (new_c if how["peephole"] == "current" else c)
    o = sigmoid(z["o"])
    return (o * np.tanh(new_c), new_c), (x, h, c, i, f, g, o, new_c)


def lstm_pull(p, kept, d_state, how):
    x, h, c, i, f, g, o, new_c = kept
    dh, dc = d_state
    t = np.tanh(new_c)
    dz = {"o": dh * t * o * (1 - o)}
    dc = dc + dh * o * (1 - t**2)
    if how["peephole"] == "current":
        dc = dc + dz["o"] * p["p_o"]
    df, di = dc * c, dc * g
    dz["g"] = dc * i * (1 - g**2)
    if how["couple"] == "forget":
        di = di - df
    if how["couple"] == "input":
        df = df - di
    dz["i"], dz["f"] = di * i * (1 - i), df * f * (1 - f)
    letters = lstm_letters(how)
    old_c, peeps = dc * f, {}
    if how["peephole"]:
        for k in set(letters) - {"g"}:
            current = k == "o" and how["peephole"] == "current"
            peeps[f"p_{k}"] = (dz[k] * (new_c if current else c)).sum(0)
            old_c = old_c + (0 if current else dz[k] * p[f"p_{k}"])
    grads, dx, old_h = affine(p, x, h, np.concatenate([dz[k] for k in letters], 1))
    return grads | peeps, dx, (old_h, old_c)


# ------------------------------------------------------------- GRU


def gru_step(p, x, state, how):
    (h,) = state
    a = gates_of(x @ p["W_x"] + p["b"], "rzn")
    W = gates_of(p["W_h"], "rzn")
    r, z = sigmoid(a["r"] + h @ W["r"]), sigmoid(a["z"] + h @ W["z"])
    if how["reset"] == "after":
        n = np.tanh(a["n"] + r * (h @ W["n"] + p["b_h"]))
    else:
        n = np.tanh(a["n"] + (r * h) @ W["n"])
    new = z * h + (1 - z) * n if how["update"] == "keep" else (1 - z) * h + z * n
    return (new,), (x, h, r, z, n)


def gru_pull(p, kept, d_state, how):
    x, h, r, z, n = kept
    (d,) = d_state
    W = gates_of(p["W_h"], "rzn")
    keep = how["update"] == "keep"
    dn, dh = (d * (1 - z), d * z) if keep else (d * z, d * (1 - z))
    dz = d * (h - n) * (1 if keep else -1) * z * (1 - z)
    dn = dn * (1 - n**2)
    extra = {}
    if how["reset"] == "after":
        inner = h @ W["n"] + p["b_h"]
        dr, d_inner = dn * inner, dn * r
        dW_n = h.T @ d_inner
        dh = dh + d_inner @ W["n"].T
        extra["b_h"] = d_inner.sum(0)
    else:
        d_rh = dn @ W["n"].T
        dr, dW_n = d_rh * h, (r * h).T @ dn
        dh = dh + d_rh * r
    dr = dr * r * (1 - r)
    dh = dh + dr @ W["r"].T + dz @ W["z"].T
    da = np.concatenate([dr, dz, dn], 1)
    grads = {
        "W_x": x.T @ da,
        "b": da.sum(0),
        "W_h": np.concatenate([h.T @ dr, h.T @ dz, dW_n], 1),
    }
    return grads | extra, da @ p["W_x"].T, (dh,)


STEPS = {"RNN": rnn_step, "LSTM": lstm_step, "GRU": gru_step}
PULLS = {"RNN": rnn_pull, "LSTM": lstm_pull, "GRU": gru_pull}


# ------------------------------------------------------------- loop, padding, layers


def loop(kind, p, x, state, mask, reverse, how):
    """One cell over time: outputs (T, B, H), the last state, what backward needs."""
    kept, outputs = [], [None] * len(x)
    for t in range(len(x))[:: -1 if reverse else 1]:
        real = mask[t][:, None]
        new, cache = STEPS[kind](p, np.where(real, x[t], 0), state, how)
        kept.append((t, real, cache))
        state = tuple(np.where(real, a, b) for a, b in zip(new, state, strict=True))
        outputs[t] = np.where(real, state[0], 0)
    return np.stack(outputs), state, kept


def loop_back(kind, p, kept, d_outputs, d_state, how):
    """Backpropagation through the loop: gradients of p, of x, of the first state."""
    total = {name: np.zeros_like(value) for name, value in p.items()}
    dx = [None] * len(d_outputs)
    for t, real, cache in reversed(kept):
        d_new = [np.where(real, d, 0) for d in d_state]
        d_new[0] = d_new[0] + np.where(real, d_outputs[t], 0)
        grads, d_input, d_old = PULLS[kind](p, cache, tuple(d_new), how)
        for name, value in grads.items():
            total[name] += value
        dx[t] = np.where(real, d_input, 0)
        d_state = [
            a + np.where(real, 0, d) for a, d in zip(d_old, d_state, strict=True)
        ]
    return total, np.stack(dx), tuple(d_state)


def forward(kind, cells, x, states, mask, bidirectional, how):
    """A stack of layers. cells: a dict of arrays each; states: a tuple each."""
    finals, record = [], []
    per_layer = 2 if bidirectional else 1
    for k in range(0, len(cells), per_layer):
        outputs = []
        for j in range(k, k + per_layer):
            args = (kind, cells[j], x, states[j], mask, j > k, how)
            output, final, kept = loop(*args)
            outputs.append(output)
            finals.append(final)
            record.append(kept)
        x = np.concatenate(outputs, axis=2)
    return x, finals, record


def backward(kind, cells, record, d_output, d_finals, bidirectional, how):
    """Gradients of every cell's parameters, of x, and of every first state."""
    grads, d_states = [None] * len(cells), [None] * len(cells)
    per_layer = 2 if bidirectional else 1
    for k in range(0, len(cells), per_layer)[::-1]:
        parts = np.split(d_output, per_layer, axis=2)
        d_output = 0
        for j in range(k, k + per_layer):
            args = (kind, cells[j], record[j], parts[j - k], d_finals[j], how)
            grads[j], dx, d_states[j] = loop_back(*args)
            d_output = d_output + dx
    return grads, d_output, d_states
