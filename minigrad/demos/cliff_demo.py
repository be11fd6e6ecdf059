"""Gradient descent on a loss with a wall, step by step, with and without clipping.

Read next: `gates_demo.py`.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from minigrad.exploring import Lines
from minigrad.flow import cliff

STEPS = 40
LEFT, RIGHT = -1.0, 2.0  # of the picture


def descent_at_the_cliff(
    learning_rate: float = 0.05,
    clip: float | None = None,
    start: float = 1.52,
    step: int = STEPS,
) -> dict[str, Any]:
    """Where gradient descent has got to on L(w) = (h_50 - target)^2.

    learning_rate  of plain gradient descent
    clip           the largest norm of a gradient; None: no clipping
    start          the first w
    step           how many steps were taken, up to 40

    Returns results for `mg.explore`: w, the loss and the slope now; the way on the loss
    surface; the loss and the slope over the steps. See `minigrad/flow/cliff.py`.
    """
    found = _descent(float(learning_rate), clip, float(start))
    w, losses, slopes = (part[: step + 1] for part in found[:3])
    line, surface = _surface()
    return {
        "loss": losses[-1],
        "what happens": _words(found, step),
        "on the loss surface": Lines(
            {"loss L(w)": (line, surface), "the way taken": (w, losses)},
            xlabel="w",
            xlim=(LEFT, RIGHT),
            log=False,
        ),
        "size of the slope, step by step": Lines(
            {"|dL/dw|": np.abs(slopes)}, xlabel="step", xlim=(0, STEPS)
        ),
        "w": w[-1],
    }


def _words(found: cliff.Descent, step: int) -> str:
    """What the last step did."""
    if not step:
        return f"It starts at w = {found.w[0]:.3g}. The slope is {found.slope[0]:.3g}."
    slope, move = found.slope[step - 1], found.moves[step - 1]
    told = f"Step {step}: the slope was {slope:.3g}, so w moved by {move:.3g}"
    outside = not LEFT <= found.w[step] <= RIGHT
    told += f" to {found.w[step]:.3g}."
    return f"{told} That is out of the picture." if outside else told


@cache
def _descent(lr: float, clip: float | None, start: float) -> cliff.Descent:
    return cliff.descend(start, lr, STEPS, clip)


@cache
def _surface() -> tuple[np.ndarray, np.ndarray]:
    """w, more of them at the wall, and L(w)."""
    wall = np.linspace(1.25, 1.33, 200)
    line = np.union1d(np.linspace(LEFT, RIGHT, 240), wall)
    return line, cliff.surface(line)[0]
