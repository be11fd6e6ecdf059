"""The same step in PyTorch: from primitives, by torch.nn, and through torch.compile.

Read next: `rivals_traced.py`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.comparing.same_step import GATES, Array, Gradients, Problem, Runner


def _torch() -> Any:
    import torch

    return torch


def _cell(torch: Any, kind: str, H: int) -> Any:
    """The statements of `models/`, on PyTorch tensors."""

    def rnn(x: Any, state: Any, W_x: Any, W_h: Any, b: Any) -> Any:
        return (torch.tanh(x @ W_x + state[0] @ W_h + b),)

    def lstm(x: Any, state: Any, W_x: Any, W_h: Any, b: Any) -> Any:
        h, c = state
        z_i, z_f, z_g, z_o = torch.split(x @ W_x + h @ W_h + b, H, 1)
        i, f, g = torch.sigmoid(z_i), torch.sigmoid(z_f), torch.tanh(z_g)
        c = i * g + f * c
        return torch.sigmoid(z_o) * torch.tanh(c), c

    def gru(x: Any, state: Any, W_x: Any, W_h: Any, b: Any, b_h: Any) -> Any:
        (h,) = state
        x_r, x_z, x_n = torch.split(x @ W_x + b, H, 1)
        h_r, h_z, h_n = torch.split(h @ W_h, H, 1)
        r, z = torch.sigmoid(x_r + h_r), torch.sigmoid(x_z + h_z)
        n = torch.tanh(x_n + r * (h_n + b_h))
        return (z * h + (1 - z) * n,)

    return {"RNN": rnn, "LSTM": lstm, "GRU": gru}[kind]


def _loss(torch: Any, given: Problem) -> Any:
    """A function of x and the weights: the sum of all outputs."""
    cell = _cell(torch, given.kind, given.size.H)
    parts = 2 if given.kind == "LSTM" else 1
    zeros = torch.zeros(given.size.B, given.size.H)

    def loss(x: Any, *weights: Any) -> Any:
        state, outputs = (zeros,) * parts, []
        for x_t in x:
            state = cell(x_t, state, *weights)
            outputs.append(state[0])
        return torch.stack(outputs).sum()

    return loss


def from_primitives(given: Problem, compile: bool = False) -> Runner:
    """PyTorch eager: the same program as minigrad's cells."""
    torch = _torch()
    weights = {n: torch.tensor(w, requires_grad=True) for n, w in given.weights.items()}
    x, loss = torch.tensor(given.x), _loss(torch, given)
    loss = torch.compile(loss) if compile else loss

    def step() -> None:
        for weight in weights.values():
            weight.grad = None
        loss(x, *weights.values()).backward()

    return Runner(step, lambda: {n: w.grad.numpy() for n, w in weights.items()})


def through_torch_compile(given: Problem) -> Runner:
    """The same program through torch.compile, which needs a C++ compiler."""
    return from_primitives(given, compile=True)


def torch_nn(given: Problem) -> Runner:
    """torch.nn.LSTM, GRU or RNN: the LSTM is one fused kernel on a CPU."""
    torch = _torch()
    size, weights = given.size, given.weights
    layer = getattr(torch.nn, given.kind)(size.D, size.H)
    inner = np.zeros(GATES[given.kind] * size.H, "float32")
    if "b_h" in weights:
        inner[2 * size.H :] = weights["b_h"]
    values = (weights["W_x"].T, weights["W_h"].T, weights["b"], inner)
    with torch.no_grad():
        for p, value in zip(layer.parameters(), values, strict=True):
            p.copy_(torch.tensor(np.ascontiguousarray(value)))
    x = torch.tensor(given.x)

    def step() -> None:
        layer.zero_grad(set_to_none=True)
        layer(x)[0].sum().backward()

    def gradients() -> Gradients:
        W_x, W_h, b, b_h = (p.grad.numpy() for p in layer.parameters())
        found: dict[str, Array] = {"W_x": W_x.T, "W_h": W_h.T, "b": b}
        return found | ({"b_h": b_h[2 * size.H :]} if "b_h" in weights else {})

    return Runner(step, gradients)
