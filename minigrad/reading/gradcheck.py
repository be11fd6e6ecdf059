"""Gradient checks that a vanished gradient does not pass by being small.

Each entry of each gradient is compared with a reference, relative to the sum of the
absolute terms it is made of, |u_1 J_1j| + |u_2 J_2j| + ..., with a random cotangent u.
There is no absolute tolerance.

The reference is the complex step where the program is analytic: f(x + ih).imag / h has
no cancellation and is right to 1e-15, however small it is (Squire & Trapp 1998). Else
it is a central difference of sixth order; an entry that is smaller than what
differences can resolve is reported as just that. So is an entry of which float64 itself
holds too few digits, as in 1 - tanh(x)^2 of a saturated unit: there the gradient moves
by as much if every recorded value is off by one rounding.

Read next: `text.py`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from minigrad.engine.autodiff import backpropagate, grad
from minigrad.engine.calls import checked_call
from minigrad.engine.errors import ArgumentError, DTypeError, GradientError
from minigrad.engine.graph import AnyEdge, Edge, ancestors, key
from minigrad.engine.quiet import quietly
from minigrad.engine.tensor import Tensor
from minigrad.reading.replay import nodes_between, replay

# Without a meaning for complex numbers.
NOT_ANALYTIC = {"absolute", "softplus", "norm", "astype"}
# Analytic on each side of a kink; on it only a difference sees both sides. (Of complex
# numbers the real parts are compared first.)
KINKED = {"maximum", "minimum", "clip", "relu", "max", "min"}
COMPLEX, DIFFERENCE = "complex step", "central difference"
TOLERANCE = 1e-9  # relative to the sum of the absolute terms
BELOW = "below the resolution of finite differences"
ROUNDED = "below the resolution of float64"


@dataclass(repr=False)
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

    __repr__ = __str__


@dataclass(repr=False)
class Report:
    """What `gradcheck` found: one entry per order and input."""

    checks: list[Checked] = field(default_factory=list)

    @property
    def worst(self) -> float:
        """The largest relative error of all."""
        return max((check.worst for check in self.checks), default=0.0)

    def __str__(self) -> str:
        return "\n".join(map(str, self.checks))

    __repr__ = __str__


@checked_call
def gradcheck(
    fn: Callable[..., Tensor], inputs: Sequence[Any], order: int = 2, seed: int = 0
) -> Report:
    """Check the gradients of `fn` at `inputs`, and the gradients of these, to `order`.

    fn      a function of tensors to a tensor, the same at every call
    inputs  tensors or arrays; those of floating point are checked, in float64
    order   1: first derivatives; 2: their derivatives as well; and so on

    Raises GradientError, naming the worst entry, if a gradient is wrong.
    """
    _need_a_program(fn, inputs, order)
    names = [x.name if isinstance(x, Tensor) else None for x in inputs]
    arrays = [np.array(x._edge.array if isinstance(x, Tensor) else x) for x in inputs]
    arrays = [a.astype(np.float64) if a.dtype.kind == "f" else a for a in arrays]
    if not any(a.dtype.kind == "f" for a in arrays):
        raise ArgumentError(
            "gradcheck(fn, inputs): none of the inputs is of floating point",
            expect="at least one input that has a gradient",
            actual=", ".join(f"{a.dtype} {a.shape}" for a in arrays) or "no input",
            hint="mg.gradcheck(mg.tanh, [np.ones(3)])",
        )
    rng = np.random.default_rng(seed)
    report = Report()
    functions = [fn]
    for level in range(1, order + 1):
        functions = [
            derivative
            for function in functions
            for derivative in _check(function, arrays, names, level, rng, report)
        ]
    return report


def _need_a_program(fn: Any, inputs: Any, order: Any) -> None:
    """Raise for what is no function, no sequence of inputs, or no order."""
    if not callable(fn):
        raise DTypeError(
            "gradcheck(fn, inputs): fn cannot be called",
            expect="a function of tensors to a tensor",
            actual=f"{fn!r:.60} ({type(fn).__name__})",
            hint="mg.gradcheck(lambda x: mg.tanh(x) * x, [x])",
        )
    if isinstance(inputs, Tensor | str) or not isinstance(inputs, Sequence):
        raise DTypeError(
            "gradcheck(fn, inputs): the inputs are not in a list",
            expect="one tensor or array for each argument of fn",
            actual=f"{inputs!r:.60} ({type(inputs).__name__})",
            hint="mg.gradcheck(fn, [x]), for one",
        )
    if not isinstance(order, int) or order < 1:
        raise ArgumentError(
            f"gradcheck(order={order!r}): nothing to check",
            expect="order >= 1",
            actual=repr(order),
            hint="order=1 checks first derivatives",
        )


def _called(fn: Callable[..., Any], leaves: list[Tensor]) -> Tensor:
    """What fn makes of the leaves; DTypeError if that is no tensor."""
    try:
        inspect.signature(fn).bind(*leaves)
    except TypeError as error:
        raise ArgumentError(
            f"gradcheck(fn, inputs): fn cannot take {len(leaves)} inputs: {error}",
            expect="one input for each argument of fn",
            actual=f"{len(leaves)} inputs",
            hint="lambda x: fn(x, constant) keeps some arguments fixed",
        ) from None
    except ValueError:  # a function whose arguments Python does not know
        pass
    output = fn(*leaves)
    if isinstance(output, Tensor):
        return output
    raise DTypeError(
        "gradcheck(fn, inputs): fn returned no tensor",
        expect="a tensor computed from the inputs",
        actual=f"{output!r:.60} ({type(output).__name__})",
        hint="does it return? does it call .data or .item()?",
    )


def _check(
    fn: Callable[..., Any],
    arrays: list[np.ndarray],
    names: list[str | None],
    order: int,
    rng: np.random.Generator,
    report: Report,
) -> list[Callable[..., Any]]:
    """Check one function's gradients; returns them as functions, for the next order."""
    leaves = [
        Tensor(a, requires_grad=a.dtype.kind == "f", name=name)
        for a, name in zip(arrays, names, strict=True)
    ]
    output = _called(fn, leaves)
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

    def derivative(k: int) -> Callable[..., Any]:
        def gradient_of(*tensors: Tensor) -> Tensor:
            made = fn(*tensors)
            (found,) = grad(made, [tensors[k]], cotangent, True, True)
            return found

        return gradient_of

    return [derivative(k) for k in moving]


def _compare(
    fn: Callable[..., Any],
    leaves: list[Tensor],
    output: Tensor,
    cotangent: np.ndarray,
    k: int,
    gradient: np.ndarray,
    order: int,
) -> Checked:
    """Compare one gradient with its reference, entry by entry."""
    between = nodes_between(output._edge, [leaves[k]._edge])
    analytic = not any(
        node.primitive.name in NOT_ANALYTIC
        and any(edge.array.dtype.kind == "f" for edge in node.edges)
        for node in between
    )
    analytic = analytic and _replays(fn, leaves, output, k)
    kinked = any(node.primitive.name in KINKED for node in between)
    method = COMPLEX if analytic else DIFFERENCE
    verdict, accepted, wrong = "ok", 0.0, (0.0, (), 0.0)  # relative error, index, value
    rounding: np.ndarray | None = None
    for index in np.ndindex(gradient.shape):
        found = float(gradient[index])
        error = relative = np.inf
        if analytic:
            terms, noise = cotangent * _complex_step(output, leaves[k], index), 0.0
            reference, error, relative = _distance(found, terms)
        if not analytic or (kinked and relative > TOLERANCE):
            slopes, noises = _difference(fn, leaves, k, index)
            reference, error, relative = _distance(found, cotangent * slopes)
            noise = float((np.abs(cotangent) * noises).sum())
        if relative <= TOLERANCE and noise <= TOLERANCE * abs(found):
            accepted = max(accepted, relative)
            continue
        if error <= 4 * noise:
            verdict = BELOW
            continue
        if rounding is None:
            rounding = _rounding(output, leaves[k], cotangent)
        if error <= 8 * rounding[index]:
            verdict = ROUNDED
        elif not relative <= wrong[0]:
            wrong = relative, index, reference
    if wrong[0]:
        name = f" ({leaves[k].name!r})" if leaves[k].name else ""
        relative, index, reference = wrong
        raise GradientError(
            f"gradcheck: the gradient of order {order} to input {k}{name} is wrong",
            expect=f"{reference!r} at {index}, by {method}",
            actual=f"{float(gradient[index])!r}     relative error {relative:.1e}, "
            "the largest",
            hint="compare the rules of the primitives involved: "
            + ", ".join(sorted({node.primitive.name for node in between})),
        )
    return Checked(order, k, method, accepted, verdict)


def _rounding(output: Tensor, leaf: Tensor, cotangent: np.ndarray) -> np.ndarray:
    """How far the gradient moves if each recorded value is off by one rounding."""
    rng = np.random.default_rng(0)
    eps = np.finfo(float).eps
    edge, nodes = output._edge, ancestors([output._edge.source])
    at = key(leaf._edge)
    found = []
    for sample in range(9):
        twins: dict[Any, Any] = {}
        for node in nodes:
            twin = twins[node] = copy(node)
            twin.edges = tuple([_twin(e, twins) for e in node.edges])
            arrays = [
                np.asarray(
                    a * (1.0 + eps * rng.choice([-1.0, 1.0], a.shape) * (sample > 0))
                )
                if a.dtype.kind == "f"
                else a
                for a in map(np.asarray, node.outputs)
            ]
            twin.array = tuple(arrays) if node.primitive.multiple else arrays[0]
        with quietly():
            sums = backpropagate(_twin(edge, twins), cotangent, [leaf._edge])
        found.append(np.asarray(sums.get(at, 0.0)) + np.zeros(leaf.shape))
    return np.max([np.abs(g - found[0]) for g in found], axis=0)


def _twin(edge: AnyEdge, twins: dict[Any, Any]) -> AnyEdge:
    """The same edge in a copied graph."""
    twin = twins.get(edge.source)
    if twin is None:
        return edge
    if not twin.primitive.multiple:
        return twin
    return Edge(twin, edge.index, twin.array[edge.index], edge.requires_grad)


def _replays(
    fn: Callable[..., Any], leaves: list[Tensor], output: Tensor, k: int
) -> bool:
    """Is the recorded graph the function? Not where it holds values as constants."""
    x = leaves[k].data
    moved = x + 1e-3 * (1.0 + np.abs(x)) * np.cos(np.arange(x.size)).reshape(x.shape)
    inputs = [Tensor(t.data, requires_grad=t.requires_grad) for t in leaves]
    inputs[k] = Tensor(moved, requires_grad=True)
    again, replayed = fn(*inputs).data, replay(output, {leaves[k]: moved})
    return bool(np.allclose(again, replayed, rtol=1e-12, atol=0, equal_nan=True))


def _complex_step(output: Tensor, leaf: Tensor, index: tuple[int, ...]) -> np.ndarray:
    """d(output)/d(leaf[index]) from one replay with an imaginary step."""
    step = 1e-100
    moved = leaf.data.astype(complex)
    moved[index] += 1j * step
    return np.asarray(replay(output, {leaf: moved})).imag / step


def _difference(
    fn: Callable[..., Any], leaves: list[Tensor], k: int, index: tuple[int, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """The same by a central difference of sixth order, and its rounding errors."""
    x = leaves[k].data
    step = 2.0**-8 * max(1.0, abs(float(x[index])))

    def at(distance: float) -> np.ndarray:
        moved = np.array(x)
        moved[index] += distance
        inputs = [Tensor(t.data, requires_grad=t.requires_grad) for t in leaves]
        inputs[k] = Tensor(moved, requires_grad=True)
        return fn(*inputs).data

    values = [at(n * step) for n in (1, -1, 2, -2, 3, -3)]
    first, second, third = (values[n] - values[n + 1] for n in (0, 2, 4))
    slopes = (45 * first - 9 * second + third) / (60 * step)
    size = np.max(np.abs(values), axis=0)
    return slopes, np.finfo(float).eps * size / step


def _distance(found: float, terms: np.ndarray) -> tuple[float, float, float]:
    """The reference, how far `found` is from it, and that relative to its terms."""
    reference, scale = float(terms.sum()), float(np.abs(terms).sum())
    error = abs(found - reference)
    return reference, error, 0.0 if error == 0 else error / scale if scale else np.inf
