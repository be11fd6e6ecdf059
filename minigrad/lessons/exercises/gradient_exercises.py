"""The exercises of lessons 1 to 5: the chain rule, graphs, vanishing, clipping.

Read next: `cell_exercises.py`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import minigrad as mg
from minigrad import models
from minigrad.engine.graph import Node
from minigrad.lessons.exercises.exercise import Exercise, difference


def _small(rng: np.random.Generator) -> float:
    return float(np.round(rng.uniform(0.5, 4.0), 3))


def _memory(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A memory and a wanted product, both with zeros here and there."""
    memory = rng.integers(1, 9, 5) * (rng.random(5) < 0.7)
    return memory * 1.0, memory * rng.integers(0, 3, 5) * 1.0


def _graph(rng: np.random.Generator) -> tuple[Any, dict[Any, np.ndarray]]:
    """A loss of three leaves, and new arrays for two of them."""
    a, b, c = (mg.tensor(rng.standard_normal(3), requires_grad=True) for _ in range(3))
    h = mg.tanh(a * b + c)
    loss = (h * a).sum() + mg.exp(c).mean()
    return loss, {a: rng.standard_normal(3), c: rng.standard_normal(3)}


def _runs_early(given: Any, x: Any) -> str:
    """Would a backward pass in the order of finding take a node too early?"""
    if not isinstance(given, mg.Tensor) or given.node is None:
        return "it has to return a tensor that is computed from x"
    order, waiting = [given.node], [given.node]
    while waiting:  # nodes in the order in which they are found, from the loss on
        for edge in waiting.pop(0).edges:
            found = edge.source
            if isinstance(found, Node) and found not in order:
                order.append(found)
                waiting.append(found)
    late = any(
        order.index(edge.source) < k
        for k, node in enumerate(order)
        for edge in node.edges
        if edge.source in order
    )
    if late:
        return ""
    return "here each node is found after all its readers: the order does no harm"


def _cell(rng: np.random.Generator) -> tuple[Any, np.ndarray]:
    """A cell, and an input (T, 1, D) for a few steps."""
    cell = models.RNNCell(2, 3, rng=int(rng.integers(1000)))
    return cell, rng.standard_normal((int(rng.integers(3, 6)), 1, 2))


def _of_W_h(cell: Any, x: np.ndarray, cut_at: int | None) -> np.ndarray:
    """The gradient of the last state's sum for W_h, cut before one of the steps."""
    state = cell.zero_state(1)
    for t, row in enumerate(x):
        state = cell(row, state.detach() if cut_at in (t, -1) else state)
    return mg.grad(state.sum(), [cell.W_h])[0].data


def _last_use(cell: Any, x: np.ndarray) -> np.ndarray:
    return _of_W_h(cell, x, len(x) - 1)


def _matrix(rng: np.random.Generator) -> tuple[np.ndarray, float]:
    """A matrix of spectral radius 0.5 to 0.9, and the least norm that still counts."""
    W = rng.standard_normal((4, 4))
    W *= rng.uniform(0.5, 0.9) / np.abs(np.linalg.eigvals(W)).max()
    return W, float(rng.uniform(0.001, 0.05))


def _reach(W: np.ndarray, least: float) -> int:
    """The last k up to which no product of k Jacobians is smaller than `least`."""
    product, k = W, 0
    while np.linalg.norm(product, 2) >= least:
        product, k = product @ W, k + 1
    return k


def _by_one_step(W: np.ndarray, least: float) -> int:
    return _steps(float(np.linalg.norm(W, 2)), least)


def _by_radius(W: np.ndarray, least: float) -> int:
    return _steps(float(np.abs(np.linalg.eigvals(W)).max()), least)


def _steps(factor: float, least: float) -> int:
    """How often this factor leaves at least `least`; -1 if it always does."""
    return -1 if factor >= 1 else int(math.log(least) / math.log(factor))


def _angle(rng: np.random.Generator) -> tuple[float, float, int]:
    return (
        float(rng.uniform(0, 3)),
        float(rng.uniform(0.5, 1.2)),
        int(rng.integers(1, 9)),
    )


def _gradients(rng: np.random.Generator) -> tuple[list[np.ndarray], float]:
    sizes = (3, 5, 2)
    return [10 * rng.standard_normal(n) for n in sizes], float(rng.uniform(0.2, 60))


def _clipped(grads: list[np.ndarray], limit: float) -> np.ndarray:
    norm = math.sqrt(sum(float((g**2).sum()) for g in grads))
    return np.concatenate([g * min(1.0, limit / norm) for g in grads])


def _judged(given: Any, grads: list[np.ndarray], limit: float) -> str:
    """Clipping by norm, with the usual mistakes."""
    if not isinstance(given, list | tuple) or len(given) != len(grads):
        return "it has to return a list with one array for each gradient"
    made = np.concatenate([np.ravel(np.asarray(g, float)) for g in given])
    by_value = np.concatenate([np.clip(g, -limit, limit) for g in grads])
    alone = np.concatenate([g * min(1, limit / np.linalg.norm(g)) for g in grads])
    always = _clipped(grads, limit)
    always = always * limit / np.linalg.norm(always)
    told = difference(made, _clipped(grads, limit))
    if told and not difference(made, by_value):
        return "that is clipping by value: the direction changes"
    if told and not difference(made, alone):
        return "each gradient is clipped by its own norm: take the norm of all together"
    if told and not difference(made, always):
        return "gradients that are small enough are made larger, too"
    return told


EXERCISES = (
    Exercise(
        1, 1, "contributions(x)",
        "the contributions that x gets in the backward pass of y = (x * x) * x: a list",
        lambda rng: (_small(rng),), lambda x: [x * x] * 3,
        {"that is their sum: list them one by one": lambda x: 3 * x * x},
    ),
    Exercise(
        1, 2, "must_be_zero(memory, wanted)",
        "booleans: where must a gate be 0, so that memory * gate is `wanted`?",
        _memory, lambda memory, wanted: (wanted == 0) & (memory != 0),
        {"where the memory is 0 itself, any gate will do":
            lambda memory, wanted: wanted == 0},
    ),
    Exercise(
        1, 3, "slope(s)",
        "the derivative of the logistic function, in terms of its value s",
        lambda rng: (rng.uniform(0.01, 0.99, 5),), lambda s: s * (1 - s),
        {"that is the derivative of tanh": lambda s: 1 - s**2,
         "s is the value already: no exp is needed":
            lambda s: np.exp(-s) / (1 + np.exp(-s)) ** 2},
    ),
    Exercise(
        2, 1, "gradients(w, x, target)",
        "dL/dw and dL/dx of L = (w * x - target)**2, by pencil and paper: two numbers",
        lambda rng: tuple(rng.standard_normal(3)),
        lambda w, x, target: [2 * (w * x - target) * x, 2 * (w * x - target) * w],
        {"the factor 2 of the square is missing":
            lambda w, x, target: [(w * x - target) * x, (w * x - target) * w],
         "the two have changed places":
            lambda w, x, target: [2 * (w * x - target) * w, 2 * (w * x - target) * x]},
    ),
    Exercise(
        2, 2, "my_forward(loss, changed)",
        "the loss again, with new arrays for some leaves: {tensor: array}",
        _graph, lambda loss, changed: mg.replay(loss, changed),
        {"that is the old loss: the new arrays are not used":
            lambda loss, changed: loss.data},
    ),
    Exercise(
        2, 3, "goes_wrong(x)",
        "an expression of the tensor x for which nodes in the order in which they are "
        "found (from the loss, breadth first) would be visited too early",
        lambda rng: (mg.tensor(rng.uniform(0.5, 2, 3), requires_grad=True),),
        judge=_runs_early,
    ),
    Exercise(
        3, 1, "terms(w, T)",
        "the terms of dL/dw for h_t = w h_{t-1}, h_0 = 1 and L = h_1 + ... + h_T: a "
        "list with one number for each use of w, the first use first",
        lambda rng: (float(rng.uniform(0.3, 1.6)), int(rng.integers(2, 7))),
        lambda w, T: [
            w**t * sum(w**k for k in range(T - t)) for t in range(T)
        ],
        {"these are the terms of the last state's gradient alone":
            lambda w, T: [w ** (T - 1)] * T},
    ),
    Exercise(
        3, 2, "last_use(cell, x)",
        "the gradient of the sum of the last state for cell.W_h, if it is cut before "
        "the last step (with detach): the cell reads x (T, 1, D) from a state of zeros",
        _cell, _last_use,
        {"that is the whole gradient: nothing is cut":
            lambda cell, x: _of_W_h(cell, x, None),
         "it is cut one step too early: the last step but one is in it as well":
            lambda cell, x: _of_W_h(cell, x, len(x) - 2)},
    ),
    Exercise(
        3, 3, "multiplications(T, H)",
        "how many numbers are multiplied in the matrix products h @ W_h over T steps "
        "with H units and one sample, forward",
        lambda rng: (int(rng.integers(1, 90)), int(rng.integers(1, 90))),
        lambda T, H: T * H * H,
        {"each step multiplies an (H, H) matrix, not H numbers": lambda T, H: T * H},
    ),
    Exercise(
        4, 1, "reach(W, least)",
        "how far a gradient reaches in h_t = h_{t-1} @ W: the largest number of steps "
        "k so that the spectral norm of the product of Jacobians is at least this, for "
        "1 step, 2 steps, ... and k steps",
        _matrix, _reach,
        {"that is the norm of one step to the power k: multiply the matrices first":
            _by_one_step,
         "that is the spectral radius to the power k: take the norm of the product":
            _by_radius,
         "that is the first number of steps for which it is too small":
            lambda W, least: _reach(W, least) + 1},
    ),
    Exercise(
        4, 2, "singular_values(angle, factor, k)",
        "the singular values of (factor times a rotation by this angle) to the power "
        "k: two numbers",
        _angle, lambda angle, factor, k: [factor**k] * 2,
        {"that is one step: there are k of them": lambda a, factor, k: [factor] * 2},
    ),
    Exercise(
        4, 3, "term_of_first_use(h_0, x_0, delta)",
        "the term of the first step in the gradients of W_h and of W_x, if the "
        "gradient delta arrives at h_0 @ W_h + x_0 @ W_x: two arrays, (H, H), (D, H)",
        lambda rng: (np.zeros((1, 3)), rng.standard_normal((1, 2)),
                     rng.standard_normal((1, 3))),
        judge=lambda given, h, x, d: _two_terms(given, h.T @ d, x.T @ d),
    ),
    Exercise(
        5, 1, "growth(w, h_0)",
        "by which factor the slope at the wall grows with each further step",
        lambda rng: (float(rng.uniform(1.5, 3)), float(rng.uniform(0.1, 0.8))),
        lambda w, h_0: w * (1 - h_0**2),
        {"w alone: the tanh makes it smaller": lambda w, h_0: w},
    ),
    Exercise(
        5, 2, "clipped(grads, limit)",
        "the gradients, a list of arrays, clipped together to this norm",
        _gradients, judge=_judged,
    ),
    Exercise(
        5, 3, "farthest(lr, limit, steps)",
        "how far from the start clipped gradient descent can lead at most",
        lambda rng: (float(rng.uniform(0.01, 1)), float(rng.uniform(0.1, 9)),
                     int(rng.integers(1, 500))),
        lambda lr, limit, steps: lr * limit * steps,
        {"that is one step": lambda lr, limit, steps: lr * limit},
    ),
)  # fmt: skip


def _two_terms(given: Any, of_W_h: np.ndarray, of_W_x: np.ndarray) -> str:
    """The two terms, one after the other."""
    if not isinstance(given, list | tuple) or len(given) != 2:
        return "it has to return two arrays"
    for name, one, wanted in zip(("W_h", "W_x"), given, (of_W_h, of_W_x), strict=True):
        told = difference(one, wanted)
        if told:
            return f"the term of {name}: {told}"
    return ""
