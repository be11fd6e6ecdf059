"""Values to a number of ULP.

An ULP, unit in the last place, is the distance from a number to the next. float32 is
measured against float64, float64 against the wider numbers of the processor where NumPy
has them (not on every machine: then that part is left out, and the report says so).

Read next: `machine_arithmetic.py` (what they rest on).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import minigrad as mg
from minigrad.checking.outcome import Effort, Outcome

# Published: docs, "Accuracy". At most this many ULP, over all finite inputs.
LIMITS = {"float32": 4.0, "float64": 2.0}


def _sigmoid(x: Any) -> Any:
    small = np.exp(-np.abs(x))
    return np.where(x < 0, small / (1 + small), 1 / (1 + small))


def _softplus(x: Any) -> Any:
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "exp": np.exp, "log": np.log, "tanh": np.tanh, "sigmoid": _sigmoid,
    "softplus": _softplus,
}  # fmt: skip


def values(effort: Effort, dtype: str = "float32") -> Outcome:
    """The transcendental functions on numbers of every size, both signs."""
    what = f"{', '.join(FUNCTIONS)} in {dtype}"
    outcome = Outcome("values", what, LIMITS[dtype], "ULP")
    wide: Any = np.float64 if dtype == "float32" else np.longdouble
    if np.finfo(wide).nmant < np.finfo(dtype).nmant + 8:
        outcome.note = "left out: NumPy has no wider numbers on this machine"
        outcome.expect(True, "")
        return outcome
    for number in effort.rounds():
        rng = np.random.default_rng((effort.seed, number))
        for name, exact in FUNCTIONS.items():
            x = _inputs(rng, name, np.dtype(dtype))
            with np.errstate(all="ignore"):
                true = exact(x.astype(wide))
                found = getattr(mg, name)(mg.tensor(x)).data
                far = _ulp(found, true, np.finfo(dtype))
            worst = int(far.argmax())
            outcome.measure(float(far[worst]), f"{name}({x[worst]!r})")
            outcome.tried += x.size - 1
    return outcome


def _inputs(rng: np.random.Generator, name: str, dtype: np.dtype) -> np.ndarray:
    """20,000 numbers, evenly over the powers of two where the function is not flat."""
    highest = {"exp": 9.4, "log": 126.0}.get(name, 7.0)
    size = np.exp2(rng.uniform(-40, highest, 20_000))
    limit = np.log(float(np.finfo(dtype).max)) - 1
    x = size * (1 if name == "log" else rng.choice([-1.0, 1.0], size.size))
    if name != "log":
        x = np.clip(x, -limit + 3, limit)
    return x.astype(dtype)


def _ulp(found: np.ndarray, true: np.ndarray, kind: np.finfo) -> np.ndarray:
    """The distance in units of the true value's last place."""
    exponent = np.floor(np.log2(np.maximum(np.abs(true), kind.smallest_normal)))
    unit = np.exp2(exponent - kind.nmant)
    far = np.abs(found.astype(true.dtype) - true) / unit
    return np.where(np.isfinite(found), far, np.inf).astype(float)
