"""A loss surface with a cliff: a recurrent network of one unit and one parameter.

    h_t = tanh(w h_{t-1} + b),  h_0 = 0.5,  b = -0.1,  L(w) = (h_50 - target)^2

When w grows past 1.29, the last state jumps from one attractor of the recurrence to the
other, and the loss rises like a wall. On the wall the gradient is a thousand times
larger than next to it. A step along it moves w far away; clipping keeps w near.

Source: Pascanu, Mikolov & Bengio 2013, "On the difficulty of training recurrent neural
networks", section 2.3 and figure 6 (theirs has two parameters).

Read next: `terminal_tables.py`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from minigrad.engine.autodiff import grad
from minigrad.engine.errors import ArgumentError
from minigrad.engine.primitives.elementwise import tanh
from minigrad.engine.scope import enable_grad, time_step
from minigrad.engine.tensor import Tensor
from minigrad.flow.plot_style import INK, new_axes
from minigrad.nn.clip import clip_grad_norm_
from minigrad.pages.plots import BLUE, ORANGE

BIAS, START, TARGET, STEPS = -0.1, 0.5, -0.78, 50


class Descent(NamedTuple):
    """Gradient descent on the surface: entry k is before step k.

    w, loss, slope  (n+1,) the parameter, the loss and dL/dw there
    moves           (n,) what was added to w
    """

    w: np.ndarray
    loss: np.ndarray
    slope: np.ndarray
    moves: np.ndarray


def losses(w: Any, steps: int = STEPS) -> Tensor:
    """L(w) for an array of parameters, one network each: a tensor of w's shape."""
    w = w if isinstance(w, Tensor) else Tensor(np.asarray(w, float))
    h = Tensor(np.full(w.shape, START))
    for t in range(steps):
        with time_step(t):
            h = tanh(w * h + BIAS)
    return (h - TARGET) ** 2


def surface(w: Any, steps: int = STEPS) -> tuple[np.ndarray, np.ndarray]:
    """(n,) losses and (n,) slopes dL/dw at the points w (n,)."""
    points = Tensor(np.asarray(w, float), requires_grad=True)
    with enable_grad():
        values = losses(points, steps)
        (slope,) = grad(values.sum(), [points])
    return values.data, slope.data


def descend(
    w: float = 1.52,
    lr: float = 0.05,
    count: int = 40,
    clip: float | None = None,
    steps: int = STEPS,
) -> Descent:
    """`count` steps of gradient descent from w; `clip` is the largest norm."""
    if count < 1:
        raise ArgumentError(
            f"descend(count={count}): the number of steps is too small",
            expect="count of 1 or more",
            actual=repr(count),
            hint="count=40 shows the wall",
        )
    p = Tensor([float(w)], requires_grad=True, name="w")
    places, values, slopes, moves = [], [], [], []
    for k in range(count + 1):
        with enable_grad():
            loss = losses(p, steps).sum()
            (p.grad,) = grad(loss, [p])
        places.append(p.item())
        values.append(loss.item())
        slopes.append(p.grad.item())
        if k < count:
            if clip is not None:
                clip_grad_norm_([p], clip)
            moves.append(-lr * p.grad.item())
            p.data = p.data + moves[-1]
    return Descent(*map(np.array, (places, values, slopes, moves)))


def plot(axes: Any = None, lr: float = 0.05, clip: float = 1.0, count: int = 40) -> Any:
    """Plot the surface, and descent from one point with and without clipping."""
    axes = axes or new_axes(7.2, 4.4)
    free, held = descend(lr=lr, count=count), descend(lr=lr, count=count, clip=clip)
    left = min(-0.5, float(free.w.min()) - 0.2)
    line = np.union1d(np.linspace(left, 2.0, 600), np.linspace(1.25, 1.33, 400))
    values, slopes = surface(line)
    axes.plot(line, values, color=INK, linewidth=1.2, label="loss $L(w)$")
    looks = (
        (free, {"color": ORANGE, "marker": "o", "label": "without clipping"}),
        (held, {"color": BLUE, "marker": "s", "label": f"clipped at norm {clip:g}"}),
    )
    for path, look in looks:
        axes.plot(path.w, path.loss, markersize=5, linewidth=1, alpha=0.75, **look)
    thrown = int(np.abs(free.moves).argmax())
    axes.annotate(
        f"slope {free.slope[thrown]:.0f}:\none step throws $w$\nfrom "
        f"{free.w[thrown]:.2f} to {free.w[thrown + 1]:.2f}",
        (free.w[thrown], free.loss[thrown]),
        xytext=(0.52, 0.78),
        textcoords="axes fraction",
        fontsize=9,
        arrowprops={"arrowstyle": "->", "color": INK},
    )
    axes.annotate(
        f"the cliff: slopes up to {np.abs(slopes).max():.0f}",
        (line[np.abs(slopes).argmax()], float(values[np.abs(slopes).argmax()])),
        xytext=(0.56, 0.36),
        textcoords="axes fraction",
        fontsize=9,
        arrowprops={"arrowstyle": "->", "color": INK},
    )
    axes.set(xlabel="the parameter $w$", ylabel="loss $L(w)$")
    axes.set_title(f"A cliff: one unit, {STEPS} steps, learning rate {lr:g}")
    axes.legend(fontsize=9, loc="lower left")
    return axes
