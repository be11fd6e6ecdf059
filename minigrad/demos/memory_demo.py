"""Holds one bit in a memory cell whose gates are set by hand.

Read next: `cliff_demo.py`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import minigrad as mg
from minigrad.exploring import Lines

DRAWS = 200  # sequences of noise


def one_bit(
    forget_gate: float = 0.95,
    input_gate: float = 0.1,
    T: int = 20,
    seed: int = 0,
) -> dict[str, Any]:
    """The first input is a bit, +1 or -1; T - 1 inputs of noise follow. Is it kept?

        c_t = f c_{t-1} + i_t x_t,    i_0 = 1,    c_{-1} = 0

    forget_gate  f, from 0 to 1, at every step
    input_gate   i_t of all steps after the first: how much noise is let in
    T            time steps; the noise is uniform between -1 and 1, 200 draws of it

    Returns results for `mg.explore`: how often the sign of the last c is the bit, the
    gradient of the last c with respect to each input, c over time for both bits.
    """
    noise = np.random.default_rng(seed).uniform(-1, 1, (T, DRAWS))
    noise[0] = np.where(np.arange(DRAWS) % 2, -1.0, 1.0)  # the bits
    inputs = [mg.tensor(row, requires_grad=True, name="x") for row in noise]
    memory, states = mg.zeros(DRAWS), []
    for t, x in enumerate(inputs):
        with mg.time_step(t):
            opened = 1.0 if t == 0 else input_gate
            memory = forget_gate * memory + opened * x
        states.append(memory)
    gradients = mg.grad(memory.sum(), inputs)
    first = np.array([g.data[0] for g in gradients])
    right = np.sign(memory.data) == noise[0]
    share = float(right.mean())
    over_time = np.array([state.data for state in states])
    return {
        "right at the end": share,
        "what happens": _words(share, forget_gate, input_gate, first[0]),
        "memory over time": Lines(
            {"the bit was +1": over_time[:, 0], "the bit was −1": over_time[:, 1]},
            xlabel="time step",
            ylabel="c, for one draw of the noise each",
        ),
        "gradient of the last c": Lines(
            {"with respect to the input": first},
            xlabel="time step of the input",
            ylabel="dc_T/dx_t",
        ),
    }


def _words(share: float, f: float, i: float, gradient: float) -> str:
    """What became of the bit, in a sentence or two."""
    kept = f"The sign of the last c is the bit in {share:.0%} of {DRAWS} sequences."
    if f == 1 and i == 0:
        return f"{kept} Nothing is forgotten and nothing else comes in."
    if gradient == 0:
        return f"{kept} No gradient reaches the bit: it cannot be learned."
    return f"{kept} Of a gradient of 1, {gradient:.2g} reaches it."
