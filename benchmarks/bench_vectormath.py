"""Time the functions of `vectormath.py` in ufuncs against NumPy on (64, 512) arrays.

Ours and NumPy's run in turns, best of many, so that a noisy machine harms both alike.
"special" is ours on NaN, infinities and huge numbers: a vectorised loop should take
the same time there. "subnormal" has one subnormal argument in eight, for ours and
NumPy's: what that costs is the processor's affair.

Run: python benchmarks/bench_vectormath.py [rounds]
"""

import sys
import time
from functools import partial

import numpy as np
from numba import vectorize

from minigrad.engine.kernels import vectormath

NAMES = ("exp", "expm1", "log", "log1p", "tanh", "sigmoid")
SHAPE = (64, 512)


def kernel(name, t):
    function, inlined = getattr(vectormath, f"{name}_{t}"), vectormath.inlined

    def body(x):
        return inlined(function(x))

    options = vectormath.VECTORIZE_OPTIONS
    return vectorize([f"{t}({t})"], **options)(body).ufunc


def best(calls, rounds):
    """Shortest time of each call in microseconds, taken in turns."""
    shortest = [float("inf")] * len(calls)
    for _ in range(rounds):
        for i, call in enumerate(calls):
            start = time.perf_counter()
            call()
            shortest[i] = min(shortest[i], time.perf_counter() - start)
    return [1e6 * seconds for seconds in shortest]


def main(rounds=600):
    rng = np.random.default_rng(0)
    print(
        "function  type     ours us  ns/element  numpy us  ours/numpy"
        "  special  subnormal  numpy"
    )
    for name in NAMES:
        for real in (np.float32, np.float64):
            f, one, info = kernel(name, real.__name__), real(1), np.finfo(real)
            x = (3 * rng.standard_normal(SHAPE)).astype(real)
            if name.startswith("log"):
                x = np.abs(x)
            odd = [np.nan, np.inf, -np.inf, info.max, -info.max, 1e30, -1, 0]
            special = np.resize(np.array(odd, real), SHAPE)
            small = np.resize(np.array([info.tiny / 8] + 7 * [1], real), SHAPE)
            out = np.empty_like(x)
            theirs = getattr(np, name, None)
            if theirs is None:

                def theirs(x, out, one=one):
                    return one / (one + np.exp(-x))

            pairs = [(f, x), (theirs, x), (f, special), (f, small), (theirs, small)]
            calls = [partial(g, data, out) for g, data in pairs]
            ours, numpy, *others = best(calls, rounds)
            print(
                f"{name:9} {real.__name__}  {ours:7.1f}  {1e3 * ours / x.size:10.2f}"
                f"  {numpy:8.1f}  {ours / numpy:10.2f}"
                "  {:7.1f}  {:9.1f}  {:5.0f}".format(*others)
            )


if __name__ == "__main__":
    with np.errstate(all="ignore"):
        main(*map(int, sys.argv[1:]))
