"""Print the polynomial coefficients of `vectormath.py`, fitted here.

Each function is reduced to a smooth remainder on a short interval; `mpmath.chebyfit`
gives the near-minimax polynomial (Chebyshev interpolation at 60 digits), which is
then rounded to the type. The error printed is the largest one seen on a grid after
that rounding, relative to the whole function and in units of the type's epsilon:
what the polynomial costs, before any rounding of the evaluation.

Run: python benchmarks/fit_vectormath.py
"""

import mpmath as mp
import numpy as np

mp.mp.dps = 60
LN2 = mp.log(2)
SLACK = mp.mpf("1.001")  # k = round(x / ln 2) is itself rounded: r may overshoot


def exp_tail(r):
    """(e^r - 1 - r) / r^2."""
    return mp.expm1(r) / r**2 - 1 / r if r else mp.mpf(1) / 2


def tanh_tail(w):
    """(tanh z - z) / z^3 in w = z^2."""
    z = mp.sqrt(w)
    return (mp.tanh(z) - z) / z**3 if w else -mp.mpf(1) / 3


def log_tail(w):
    """(log((1 + s) / (1 - s)) - 2 s) / s^3 in w = s^2."""
    s = mp.sqrt(w)
    return 2 * (mp.atanh(s) - s) / s**3 if w else mp.mpf(2) / 3


HALF = LN2 / 2 * SLACK  # |r| of exp
TANH = (LN2 / 4 * SLACK) ** 2
LOG = ((mp.sqrt(2) - 1) / (mp.sqrt(2) + 1) * SLACK) ** 2
# name: remainder, interval, {type: terms}, weight w(x): the error's share of the whole
CASES = {
    "EXP": (exp_tail, (-HALF, HALF), (5, 10), lambda r: r**2 / mp.exp(r)),
    "TANH": (tanh_tail, (0, TANH), (3, 6), lambda w: w),
    "LOG": (log_tail, (0, LOG), (4, 7), lambda w: w / 2),
}


def main():
    for name, (tail, (a, b), terms, weight) in CASES.items():
        for real, count in zip((np.float32, np.float64), terms, strict=True):
            with mp.workdps(120):  # the remainders cancel: compute them with care
                fit = mp.chebyfit(tail, [a, b], count)
                rounded = [real(mp.nstr(c, 40)) for c in fit]
                grid = [a + (b - a) * mp.mpf(i) / 400 for i in range(401)]
                exact = [mp.mpf(float(c)) for c in rounded]
                worst = max(
                    abs((mp.polyval(exact, x) - tail(x)) * weight(x)) for x in grid
                )
            eps = mp.mpf(float(np.finfo(real).eps))
            print(f"{name} {real.__name__}: error {float(worst / eps):.4f} eps")
            for c in reversed(rounded):
                print(f"    {c!r},".replace(f"np.{real.__name__}", "real"))


if __name__ == "__main__":
    main()
