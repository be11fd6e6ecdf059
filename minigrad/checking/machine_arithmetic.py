"""The arithmetic of this machine, on which all the rest is built.

Products of whole numbers, which must come out exactly, and NumPy's functions against
Python's own, which come from another library (the system's, not NumPy's vector code).

Read next: `compiled_steps.py`.
"""

from __future__ import annotations

import locale
import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

import minigrad as mg
from minigrad.checking.outcome import Effort, Outcome

ONE: dict[str, Callable[[float], Any]] = {
    "exp": math.exp, "expm1": math.expm1, "log": math.log, "log1p": math.log1p,
    "sqrt": math.sqrt, "tanh": math.tanh, "sin": math.sin, "cos": math.cos,
    "negative": operator.neg, "absolute": abs, "isfinite": math.isfinite,
}  # fmt: skip
TWO: dict[str, Callable[[float, float], Any]] = {
    "add": operator.add, "subtract": operator.sub, "multiply": operator.mul,
    "divide": operator.truediv, "power": math.pow, "maximum": max, "minimum": min,
    "less": operator.lt, "greater": operator.gt, "equal": operator.eq,
}  # fmt: skip
LARGE = (257, 300, 129)  # another way through a BLAS than small matrices take


def this_machine(effort: Effort) -> Outcome:
    """Matrix products in every layout, sums, ufuncs; numbers as text."""
    outcome = Outcome(
        "this machine", "matrix products of whole numbers, NumPy's ufuncs"
    )
    for number in effort.rounds(8):
        rng = np.random.default_rng((effort.seed, number))
        sizes = LARGE if number % 8 == 7 else tuple(rng.integers(1, 90, 3).tolist())
        for dtype, largest in (("float32", 60), ("float64", 10_000)):
            _products(outcome, rng, sizes, dtype, largest)
        if number < 4 or number % 8 == 0:
            _ufuncs(outcome, rng)
        if number > 500:
            break
    point = locale.localeconv()["decimal_point"]
    outcome.expect(f"{1.5}" == "1.5" and float("1.5") == 1.5, "numbers as text")
    if point != ".":
        outcome.note = f"the decimal point of this locale is {point!r}; ours is '.'"
    return outcome


def _products(
    outcome: Outcome,
    rng: np.random.Generator,
    sizes: tuple[int, ...],
    dtype: str,
    largest: int,
) -> None:
    """a @ b of whole numbers, and sums, in several layouts."""
    m, k, n = sizes
    a = rng.integers(-largest, largest, (m, k))
    b = rng.integers(-largest, largest, (k, n))
    x, y = a.astype(dtype), np.asfortranarray(b.astype(dtype))
    exact = (a @ b).astype(dtype)  # of integers: NumPy's own loops, no BLAS
    tensors: dict[str, tuple[Any, Any, Any]] = {
        "": (mg.tensor(x), mg.tensor(y), exact),
        ", transposed": (mg.tensor(x.T).T, mg.tensor(y), exact),
        ", two of them": (mg.tensor(np.stack([x, x])), mg.tensor(y), [exact, exact]),
        ", a vector": (mg.tensor(x), mg.tensor(y[:, 0]), exact[:, 0]),
    }
    for how, (left, right, wanted) in tensors.items():
        case = f"({m}, {k}) @ ({k}, {n}) in {dtype}{how}"
        outcome.expect(np.array_equal((left @ right).data, wanted), case)
    total = mg.tensor(x).sum().item()
    outcome.expect(total == int(a.sum()), f"the sum of ({m}, {k}) in {dtype}")


def _ufuncs(outcome: Outcome, rng: np.random.Generator) -> None:
    """NumPy's functions of 100 numbers against Python's of each of them."""
    x, y = (np.exp(rng.uniform(-3, 3, 100)) for _ in range(2))
    for dtype, near in (("float32", 5e-7), ("float64", 1e-15)):
        a, b = x.astype(dtype), y.astype(dtype)
        for table, arrays in ((ONE, (a,)), (TWO, (a, b))):
            for name, function in table.items():
                with np.errstate(all="ignore"):
                    found = np.asarray(getattr(np, name)(*arrays), float)
                places = zip(*[array.tolist() for array in arrays], strict=True)
                wanted = np.array([function(*place) for place in places], float)
                right = abs(found - wanted) <= near * abs(wanted)
                outcome.expect(bool(right.all()), f"np.{name} in {dtype}")
