"""The gradient is right: operations, random programs and cells, by the complex step.

The complex step has no cancellation: f(x + ih).imag / h is the derivative to the last
digits, however small it is. Operations that are not analytic are compared with central
differences of sixth order.

Read next: `arrays_kept.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import minigrad as mg
from minigrad import models
from minigrad.checking.expressions import Expression, draw, run, smallest
from minigrad.checking.operations import MINIGRAD, OPERATIONS
from minigrad.checking.outcome import Effort, Outcome
from minigrad.engine.errors import GradientError
from minigrad.reading.gradcheck import gradcheck

STEP = 1e-100
LIMIT = 1e-9


def every_operation(
    effort: Effort, order: int = 1, names: Sequence[str] = tuple(OPERATIONS)
) -> Outcome:
    """Each operation alone, with random shapes, axes and layouts, entry by entry."""
    limit = {1: 1e-9, 2: 1e-7}[order]
    what = "operations, every entry" + (" of second order" if order == 2 else "")
    outcome = Outcome("gradients", what, limit, "relative")
    for number in effort.rounds(len(names)):
        rng = np.random.default_rng((effort.seed, order, number))
        made = draw(rng, 1, first=names[number % len(names)])
        layout = LAYOUTS[int(rng.integers(len(LAYOUTS)))]

        def function(*inputs: Any, made: Any = made, layout: Any = layout) -> mg.Tensor:
            given = iter(inputs)
            return run(made, MINIGRAD, lambda _: layout(next(given)))[0]

        try:
            report = gradcheck(function, made.inputs, order=order, seed=number)
        except GradientError as error:
            outcome.measure(np.inf, f"{made}\n{error}")
        else:
            outcome.measure(report.worst, str(made))
    return outcome


def _reversed(x: mg.Tensor) -> mg.Tensor:
    return x[::-1][::-1] if x.ndim else x


def _every_other(x: mg.Tensor) -> mg.Tensor:
    return mg.stack([x, x * 2.0], -1)[..., 0]


# How a value lies in memory when the operation takes it: as it was made, in the order
# of Fortran, from a view with negative steps, from every other place.
LAYOUTS: tuple[Callable[[Any], Any], ...] = (
    lambda x: x,
    lambda x: (x.T * 1.0).T,
    _reversed,
    _every_other,
)


def random_programs(effort: Effort) -> Outcome:
    """<u, J v> = <J' u, v> for programs of 5 to 100 steps and random u and v."""
    outcome = Outcome("gradients", "random programs, 5 to 100 steps", LIMIT, "relative")
    for number in effort.rounds():
        rng = np.random.default_rng((effort.seed, number))
        made = draw(rng, int(rng.integers(5, 101)), smooth=True)
        figure = difference(made)
        text = ""
        if not figure <= LIMIT:
            text = str(smallest(made, lambda part: not difference(part) <= LIMIT))
        outcome.measure(figure, text)
    return outcome


def difference(made: Expression) -> float:
    """How far backward is from the complex step along one direction, relative to the
    terms that it adds up, or to what cancels before, where that is more."""
    found = along_a_direction(*run(made, MINIGRAD, _leaf))
    if not found <= LIMIT:
        found /= max(1.0, cancellation(made))
    return found


def cancellation(made: Expression) -> float:
    """How much the gradient along one direction moves, relative to its terms, when the
    inputs move by 1e-15 of themselves; in units of 1e-15. It is small where the
    gradient is well conditioned, and large where next to nothing is left of large
    terms, as of a softmax of equal entries."""

    def moved(seed: int) -> np.ndarray:
        rng = np.random.default_rng(seed)

        def leaf(array: np.ndarray) -> mg.Tensor:
            return _leaf(array * (1.0 + 1e-15 * rng.standard_normal(array.shape)))

        return _terms(*run(made, MINIGRAD, leaf))

    terms = _terms(*run(made, MINIGRAD, _leaf))
    moves = [moved(seed).sum() - terms.sum() for seed in range(5)]
    size = float(np.abs(terms).sum())
    return float(np.abs(moves).max()) / size / 1e-15 if size else 0.0


def _leaf(array: np.ndarray) -> mg.Tensor:
    return mg.tensor(array, requires_grad=True)


def along_a_direction(output: mg.Tensor, leaves: list[mg.Tensor]) -> float:
    """|forward - backward| / sum of the absolute terms, for a direction from a seed.

    output  () the recorded result; leaves: what it is derived with respect to
    """
    pairs = zip(leaves, _directions(leaves), strict=True)
    moved = {x: x.data + 1j * STEP * v for x, v in pairs}
    forward = float(np.imag(mg.replay(output, moved))) / STEP
    terms = _terms(output, leaves)
    size = float(np.abs(terms).sum())
    return abs(forward - float(terms.sum())) / size if size else abs(forward)


def _directions(leaves: list[mg.Tensor]) -> list[np.ndarray]:
    """The same ones for leaves of the same shapes."""
    rng = np.random.default_rng(1)
    return [rng.standard_normal(x.shape) for x in leaves]


def _terms(output: mg.Tensor, leaves: list[mg.Tensor]) -> np.ndarray:
    """What each entry of the leaves adds to the derivative along the directions."""
    gradients = mg.grad(output, leaves, allow_unused=True)
    pairs = zip(gradients, _directions(leaves), strict=True)
    return np.concatenate([(g.data * v).ravel() for g, v in pairs])


def cells(effort: Effort) -> Outcome:
    """Backpropagation through time of RNN, LSTM and GRU, in random sizes."""
    outcome = Outcome("gradients", "RNN, LSTM and GRU over time", 1e-10, "relative")
    for number in effort.rounds(3):
        rng = np.random.default_rng((effort.seed, number))
        kind = (models.RNN, models.LSTM, models.GRU)[number % 3]
        T, B, D, H = (int(n) for n in rng.integers(1, [13, 4, 5, 6]))
        model = kind(D, H, num_layers=int(rng.integers(1, 3)), rng=rng)
        x = mg.tensor(rng.standard_normal((T, B, D)), requires_grad=True)
        output = model(x)[0]
        total = (output * rng.standard_normal(output.shape)).sum()
        figure = along_a_direction(total, [x, *model.parameters()])
        outcome.measure(figure, f"{kind.__name__}({D}, {H}), {T} steps, batch of {B}")
    return outcome


def float32(effort: Effort) -> Outcome:
    """float32 gradients against those of the same numbers in float64."""
    outcome = Outcome("gradients", "float32 against float64", 1e-5, "of the largest")
    names = list(OPERATIONS)
    for number in effort.rounds(len(names)):
        rng = np.random.default_rng((effort.seed, number))
        made = draw(rng, 1, first=names[number % len(names)])
        narrow = [a.astype(np.float32) for a in made.inputs]
        found = []
        for dtype in (np.float32, np.float64):
            single = made._replace(inputs=tuple(a.astype(dtype) for a in narrow))
            library = _in(dtype)
            output, leaves = run(single, library, _leaf)
            found.append(mg.grad(output, leaves, allow_unused=True))
        far = 0.0
        for g, h in zip(*found, strict=True):
            scale = np.abs(h.data).max(initial=0.0)
            error = np.abs(g.data - h.data).max(initial=0.0)
            far = max(far, float(error / scale) if scale else float(error))
            if g.dtype != np.float32:
                outcome.wrong.append(f"a gradient in {g.dtype}: {made}")
        outcome.measure(far, str(made))
    return outcome


def _in(dtype: Any) -> Any:
    """minigrad's functions, constants in this dtype."""
    return type(MINIGRAD)(
        **(vars(MINIGRAD) | {"constant": lambda array: array.astype(dtype)})
    )
