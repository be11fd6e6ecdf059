"""Gradient checks that a vanished gradient does not pass by being small.

Each entry of each gradient is compared with a reference, relative to the sum of the
absolute terms it is made of, |u_1 J_1j| + |u_2 J_2j| + ..., with a random cotangent u.
There is no absolute tolerance.

The reference is the complex step where the program is analytic: f(x + ih).imag / h has
no cancellation and is right to 1e-15, however small it is (Squire & Trapp 1998). Else
it is a central difference of fourth order; an entry that is smaller than what
differences can resolve is reported as just that.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from minigrad.autodiff import grad
from minigrad.errors import ArgumentError, GradientError
from minigrad.replay import nodes_between, replay
from minigrad.tensor import Tensor

NOT_ANALYTIC = {
    "absolute", "maximum", "minimum", "where", "clip", "relu", "softplus", "max", "min",
    "norm", "astype",
    "equal", "not_equal", "less", "less_equal", "greater", "greater_equal",
}  # fmt: skip
COMPLEX, DIFFERENCE = "complex step", "central difference"
TOLERANCE = {COMPLEX: 1e-9, DIFFERENCE: 1e-9}
BELOW = "below the resolution of finite differences"


@dataclass
class Checked:
    """One gradient of one input: how it was checked and how far off it was at most."""

    order: int
    input: int
    method: str
    worst: float
    verdict: str

    def __str__(self) -> str:
        return (
            f"order {self.order}, input {self.input}: {self.verdict} "
            f"(worst relative error {self.worst:.1e}, {self.method})"
        )


@dataclass
class Report:
    """What `gradcheck` found: one entry per order and input."""

    checks: list[Checked] = field(default_factory=list)

    @property
    def worst(self) -> float:
        """The largest relative error of all."""
        return max((check.worst for check in self.checks), default=0.0)

    def __str__(self) -> str:
        return "\n".join(map(str, self.checks))


def gradcheck(
    fn: Callable[..., Tensor], inputs: Sequence[Any], order: int = 2, seed: int = 0
) -> Report:
    """Check the gradients of `fn` at `inputs`, and the gradients of these, to `order`.

    fn      a function of tensors to a tensor, the same at every call
    inputs  tensors or arrays; those of floating point are checked, in float64
    order   1: first derivatives; 2: their derivatives as well; and so on

    Raises GradientError, naming the worst entry, if a gradient is wrong.
    """
    if order < 1:
        raise ArgumentError(
            f"gradcheck(order={order}): nothing to check",
            expect="order >= 1",
            actual=str(order),
            hint="order=1 checks first derivatives",
        )
    arrays = [np.array(x._edge.array if isinstance(x, Tensor) else x) for x in inputs]
    arrays = [a.astype(np.float64) if a.dtype.kind == "f" else a for a in arrays]
    rng = np.random.default_rng(seed)
    report = Report()
    functions = [fn]
    for level in range(1, order + 1):
        functions = [
            derivative
            for function in functions
            for derivative in _check(function, arrays, level, rng, report)
        ]
    return report


def _check(
    fn: Callable, arrays: list, order: int, rng: np.random.Generator, report: Report
) -> list[Callable]:
    """Check one function's gradients; returns them as functions, for the next order."""
    leaves = [Tensor(a, requires_grad=a.dtype.kind == "f") for a in arrays]
    output = fn(*leaves)
    cotangent = rng.standard_normal(output.shape)
    moving = [k for k, leaf in enumerate(leaves) if leaf.requires_grad]
    if output.requires_grad:
        wanted = [leaves[k] for k in moving]
        gradients = grad(output, wanted, cotangent, allow_unused=True)
    else:
        gradients = tuple(Tensor(np.zeros_like(arrays[k])) for k in moving)
    for k, gradient in zip(moving, gradients, strict=True):
        report.checks.append(
            _compare(fn, leaves, output, cotangent, k, gradient.data, order)
        )
    if not output.requires_grad:
        return []

    def derivative(k: int) -> Callable:
        def gradient_of(*tensors: Tensor) -> Tensor:
            made = fn(*tensors)
            (found,) = grad(made, [tensors[k]], cotangent, True, True)
            return found

        return gradient_of

    return [derivative(k) for k in moving]


def _compare(
    fn: Callable,
    leaves: list[Tensor],
    output: Tensor,
    cotangent: np.ndarray,
    k: int,
    gradient: np.ndarray,
    order: int,
) -> Checked:
    """Compare one gradient with its reference, entry by entry."""
    between = nodes_between(output._edge, [leaves[k]._edge])
    analytic = not any(node.primitive.name in NOT_ANALYTIC for node in between)
    analytic = analytic and _replays(fn, leaves, output, k)
    method = COMPLEX if analytic else DIFFERENCE
    worst, verdict = 0.0, "ok"
    for index in np.ndindex(gradient.shape):
        if analytic:
            slopes, noise = _complex_step(output, leaves[k], index), 0.0
        else:
            slopes, noise = _difference(fn, leaves, k, index)
        terms = cotangent * slopes
        reference, scale = float(terms.sum()), float(np.abs(terms).sum())
        noise *= float(np.abs(cotangent).sum())
        error = abs(float(gradient[index]) - reference)
        if scale == 0 and error == 0:
            continue
        if not analytic and max(scale, abs(float(gradient[index]))) <= 1e3 * noise:
            verdict = BELOW
            continue
        relative = error / scale if scale else (0.0 if error == 0 else np.inf)
        if not relative <= TOLERANCE[method]:
            raise GradientError(
                f"gradcheck: the gradient of order {order} to input {k} is wrong",
                expect=f"{reference!r} at {index}, by {method}",
                actual=f"{float(gradient[index])!r}     relative error {relative:.1e}",
                hint="compare the rules of the primitives involved: "
                + ", ".join(sorted({node.primitive.name for node in between})),
            )
        worst = max(worst, relative)
    return Checked(order, k, method, worst, verdict)


def _replays(fn: Callable, leaves: list[Tensor], output: Tensor, k: int) -> bool:
    """Is the recorded graph the function? Not where it holds values as constants."""
    x = leaves[k].data
    moved = x + 1e-3 * (1.0 + np.abs(x)) * np.cos(np.arange(x.size)).reshape(x.shape)
    inputs = [Tensor(t.data, requires_grad=t.requires_grad) for t in leaves]
    inputs[k] = Tensor(moved, requires_grad=True)
    again, replayed = fn(*inputs).data, replay(output, {leaves[k]: moved})
    return bool(np.allclose(again, replayed, rtol=1e-12, atol=0, equal_nan=True))


def _complex_step(output: Tensor, leaf: Tensor, index: tuple) -> np.ndarray:
    """d(output)/d(leaf[index]) from one replay with an imaginary step."""
    step = 1e-100
    moved = leaf.data.astype(complex)
    moved[index] += 1j * step
    return np.asarray(replay(output, {leaf: moved})).imag / step


def _difference(
    fn: Callable, leaves: list[Tensor], k: int, index: tuple
) -> tuple[np.ndarray, float]:
    """The same by a central difference of fourth order, and its rounding error."""
    x = leaves[k].data
    step = 1e-3 * max(1.0, abs(float(x[index])))

    def at(distance: float) -> np.ndarray:
        moved = np.array(x)
        moved[index] += distance
        inputs = [Tensor(t.data, requires_grad=t.requires_grad) for t in leaves]
        inputs[k] = Tensor(moved, requires_grad=True)
        return fn(*inputs).data

    near, far = at(step) - at(-step), at(2 * step) - at(-2 * step)
    size = max(
        float(np.abs(at(0.0)).max(initial=0.0)), float(np.abs(near).max(initial=0))
    )
    return (8 * near - far) / (12 * step), np.finfo(float).eps * size / step
