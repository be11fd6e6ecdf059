"""The operations that random expressions are made of, for any array library.

Each is written with NumPy's names, so that the same expression runs in minigrad and in
any library that has them: a library is an object with the functions of `MINIGRAD`. What
could leave its domain is composed with something that keeps it inside, as in
log(x*x + 0.5): a comparison of gradients then never hangs on a value near a pole.

Read next: `array_library.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

import minigrad as mg

Chosen = dict[str, Any] | None  # the other arguments of an operation
MINIGRAD = SimpleNamespace(
    **{
        name: getattr(mg, name)
        for name in (
            "exp expm1 log log1p sqrt tanh sigmoid relu softplus sin cos absolute clip "
            "maximum minimum where matmul einsum cumsum softmax log_softmax logsumexp "
            "norm var concatenate stack split broadcast_to take"
        ).split()
    },
    constant=lambda array: array,
    sum=lambda x, axis=None, keepdims=False: x.sum(axis, keepdims),
    mean=lambda x, axis, keepdims: x.mean(axis, keepdims),
    prod=lambda x, axis: x.prod(axis),
    max=lambda x, axis: x.max(axis),
    min=lambda x, axis: x.min(axis),
    reshape=lambda x, shape: x.reshape(shape),
    transpose=lambda x, axes: x.transpose(axes),
    item=lambda x, key: x[key],
)


class Operation(NamedTuple):
    """One kind of step.

    function  (library, *operands, **attrs) -> the result
    arity     how many operands it takes
    attrs     (generator, shape of the first operand) -> the other arguments, or None
              where the operation has no meaning for such a shape
    fits      which second operand: "broadcast", "same", "product", or "" for none
    smooth    analytic, so that the complex step applies
    kink      it has a kink at 0: operands that come nearer than this are not taken,
              since a difference would reach over it
    far       operands larger than this are not taken: there the slope is the small
              difference of two numbers, of which rounding leaves too few digits
    """

    function: Callable[..., Any]
    arity: int = 1
    attrs: Callable[[np.random.Generator, tuple[int, ...]], Chosen] = (
        lambda rng, shape: {}
    )
    fits: str = ""
    smooth: bool = True
    kink: float = 0.0
    far: float = np.inf


def _axis(rng: np.random.Generator, shape: tuple[int, ...]) -> Chosen:
    """An axis, or all, that is not empty; the axis kept or not."""
    if not shape or 0 in shape:
        return None
    axis = None if rng.random() < 0.2 else int(rng.integers(-len(shape), len(shape)))
    return {"axis": axis, "keepdims": bool(rng.random() < 0.5)}


def _one_axis(rng: np.random.Generator, shape: tuple[int, ...]) -> Chosen:
    if not shape or 0 in shape:
        return None
    return {"axis": int(rng.integers(len(shape)))}


def _new_shape(rng: np.random.Generator, shape: tuple[int, ...]) -> Chosen:
    size = int(np.prod(shape))
    for first in rng.permutation([2, 3, 4, 5, 6]):
        if size and size % first == 0 and size > first:
            return {"shape": (int(first), size // int(first))}
    return {"shape": (size,)}


def _order(rng: np.random.Generator, shape: tuple[int, ...]) -> Chosen:
    if len(shape) < 2:
        return None
    return {"axes": tuple(int(k) for k in rng.permutation(len(shape)))}


def _wider(rng: np.random.Generator, shape: tuple[int, ...]) -> Chosen:
    if len(shape) > 4:
        return None
    return {"shape": (int(rng.integers(1, 4)), *shape)}


def _part(rng: np.random.Generator, shape: tuple[int, ...]) -> Chosen:
    """Slices with steps, backwards too, an item or a new axis: NumPy's basic index."""
    if not shape or 0 in shape:
        return None
    key: list[Any] = []
    for size in shape:
        kind = rng.integers(4)
        if kind == 0:
            key.append(slice(None, None, int(rng.choice([-2, -1, 2]))))
        elif kind == 1 and len(shape) > 1:
            key.append(int(rng.integers(-size, size)))
        elif kind == 2:
            key.append(slice(int(rng.integers(size)), None))
        else:
            key.append(slice(None))
    return {"key": tuple(key)}


def _rows(rng: np.random.Generator, shape: tuple[int, ...]) -> Chosen:
    """Rows, some of them more than once."""
    if not shape or 0 in shape:
        return None
    rows = rng.integers(-shape[0], shape[0], int(rng.integers(1, 5)))
    return {"rows": tuple(int(k) for k in rows)}


def _matrix(rng: np.random.Generator, shape: tuple[int, ...]) -> Chosen:
    return {} if len(shape) == 2 else None


def _halves(rng: np.random.Generator, shape: tuple[int, ...]) -> Chosen:
    if not shape or shape[-1] < 2:
        return None
    return {"at": int(rng.integers(1, shape[-1]))}


def _mask(rng: np.random.Generator, shape: tuple[int, ...]) -> Chosen:
    size = int(np.prod(shape))
    return {"mask": tuple(bool(k) for k in rng.random(size) < 0.5), "shape": shape}


def _two_parts(L: Any, x: Any, at: int) -> Any:
    """Both parts of a split, one of them used twice."""
    a, b = L.split(x, [at], -1)
    return L.concatenate([b * 2.0, a, b], -1)


OPERATIONS: dict[str, Operation] = {
    "negative": Operation(lambda L, x: -x),
    "square": Operation(lambda L, x: x * x),
    "scale": Operation(lambda L, x: x * 0.7 + 0.3),
    "exp": Operation(lambda L, x: L.exp(L.sin(x))),
    "expm1": Operation(lambda L, x: L.expm1(L.cos(x))),
    "log": Operation(lambda L, x: L.log(x * x + 0.5)),
    "log1p": Operation(lambda L, x: L.log1p(x * x)),
    "sqrt": Operation(lambda L, x: L.sqrt(x * x + 0.5)),
    "tanh": Operation(lambda L, x: L.tanh(x), far=5.0),
    "sigmoid": Operation(lambda L, x: L.sigmoid(x), far=10.0),
    "sin": Operation(lambda L, x: L.sin(x)),
    "cos": Operation(lambda L, x: L.cos(x)),
    "softplus": Operation(lambda L, x: L.softplus(x), smooth=False),
    "relu": Operation(lambda L, x: L.relu(x), smooth=False),
    "absolute": Operation(lambda L, x: L.absolute(x), smooth=False, kink=0.05),
    "clip": Operation(lambda L, x: L.clip(x, -0.4, 0.5), smooth=False),
    "add": Operation(lambda L, x, y: x + y, 2, fits="broadcast"),
    "subtract": Operation(lambda L, x, y: x - y, 2, fits="broadcast"),
    "multiply": Operation(lambda L, x, y: x * y, 2, fits="broadcast"),
    "divide": Operation(lambda L, x, y: x / (y * y + 0.5), 2, fits="broadcast"),
    "power": Operation(lambda L, x, y: (x * x + 0.5) ** L.sin(y), 2, fits="broadcast"),
    "maximum": Operation(
        lambda L, x, y: L.maximum(x, y), 2, fits="broadcast", smooth=False
    ),
    "minimum": Operation(
        lambda L, x, y: L.minimum(x, y), 2, fits="broadcast", smooth=False
    ),
    "where": Operation(
        lambda L, x, y, mask, shape: L.where(np.reshape(mask, shape), x, y * 2.0),
        2,
        _mask,
        fits="same",
    ),
    "sum": Operation(lambda L, x, axis, keepdims: L.sum(x, axis, keepdims), 1, _axis),
    "mean": Operation(lambda L, x, axis, keepdims: L.mean(x, axis, keepdims), 1, _axis),
    "prod": Operation(lambda L, x, axis: L.prod(L.sin(x) + 1.5, axis), 1, _one_axis),
    "max": Operation(lambda L, x, axis: L.max(x, axis), 1, _one_axis, smooth=False),
    "min": Operation(lambda L, x, axis: L.min(x, axis), 1, _one_axis, smooth=False),
    "norm": Operation(
        lambda L, x, axis: L.norm(x + 0.1, axis), 1, _one_axis, smooth=False
    ),
    "var": Operation(lambda L, x, axis: L.var(x, axis), 1, _one_axis),
    "cumsum": Operation(lambda L, x, axis: L.cumsum(x, axis), 1, _one_axis),
    "softmax": Operation(lambda L, x, axis: L.softmax(x, axis), 1, _one_axis),
    "log_softmax": Operation(lambda L, x, axis: L.log_softmax(x, axis), 1, _one_axis),
    "logsumexp": Operation(lambda L, x, axis: L.logsumexp(x, axis), 1, _one_axis),
    "reshape": Operation(lambda L, x, shape: L.reshape(x, shape), 1, _new_shape),
    "transpose": Operation(lambda L, x, axes: L.transpose(x, axes), 1, _order),
    "broadcast_to": Operation(lambda L, x, shape: L.broadcast_to(x, shape), 1, _wider),
    "getitem": Operation(lambda L, x, key: L.item(x, key), 1, _part),
    "take": Operation(lambda L, x, rows: L.take(x, np.array(rows)), 1, _rows),
    "split": Operation(_two_parts, 1, _halves),
    "concatenate": Operation(
        lambda L, x, y, axis: L.concatenate([x, y, x], axis), 2, _one_axis, "same"
    ),
    "stack": Operation(
        lambda L, x, y, axis: L.stack([x, y], axis), 2, _one_axis, "same"
    ),
    "matmul": Operation(lambda L, x, y: L.matmul(x, y), 2, _matrix, "product"),
    "gram": Operation(lambda L, x: L.matmul(L.transpose(x, (1, 0)), x), 1, _matrix),
    "einsum": Operation(
        lambda L, x, y: L.einsum("ij,jk->ki", x, y), 2, _matrix, "product"
    ),
}
