"""How far off exp, log, tanh, sigmoid and softplus are, and their slopes, in ULP.

    python -m benchmarks accuracy       half an hour; writes the page

float32 is compared with float64, for every float32: see `every_float32.py`.
float64 is compared with 50 digits, for numbers of all sizes and beside the places where
the kernels change their formula. The page is docs/accuracy.rst.

An ULP, unit in the last place, is the distance from the true value to the next number
of that dtype.
"""

import sys
from pathlib import Path

import mpmath as mp
import numpy as np

from benchmarks.every_float32 import FLAT, NAMES, every_float32, ours
from benchmarks.timing import machine

PAGE = Path(__file__).parent.parent / "docs" / "accuracy.rst"
SIZES = (0.5, 1.0, 2.0, 4.0, 6.0, 8.0, 10.0, 14.0, 18.0, 25.0, 40.0)


def exact(name, x):
    """(value, slope) in 50 digits."""
    x = mp.mpf(float(x))
    if name == "exp":
        return mp.exp(x), mp.exp(x)
    if name == "log":
        return mp.log(x), 1 / x
    if name == "tanh":
        return mp.tanh(x), mp.sech(x) ** 2
    share = 1 / (1 + mp.exp(-x))
    if name == "sigmoid":
        return share, share / (1 + mp.exp(x))
    return mp.log1p(mp.exp(x)), share


def float64_samples(name, count):
    """Numbers of all sizes, and neighbours of the seams."""
    rng = np.random.default_rng(1)
    top = {"log": 1000.0, "exp": 9.4}.get(name, 9.0)
    x = np.exp2(rng.uniform(-60, top, count))
    x = np.concatenate([x, np.abs(rng.standard_normal(count)) * 3])
    seams = np.arange(1, 81) * np.log(2) / 4
    x = np.concatenate([x, seams, np.nextafter(seams, 99), 2.0 ** np.arange(-9, 9.5)])
    if name == "log":
        return np.concatenate([x, 1 / x, 1 + rng.standard_normal(count) * 1e-3])
    x = np.concatenate([x, -x])
    return x[np.abs(x) < 700]


def worst_float64(name, count):
    """(count, (worst ULP of the value, at), (of the slope, at)), against 50 digits."""
    x = float64_samples(name, count)
    worst = [(0.0, 0.0), (0.0, 0.0)]
    info = np.finfo(float)
    with mp.workdps(50):
        pairs = [exact(name, number) for number in x]
        for k, found in enumerate(ours(name, x)):
            for number, value, pair in zip(x, found, pairs, strict=True):
                exponent = max(int(mp.frexp(pair[k])[1]) - 1, info.minexp)
                unit = mp.mpf(2) ** (exponent - info.nmant)
                far = float(abs(mp.mpf(float(value)) - pair[k]) / unit)
                worst[k] = max(worst[k], (far, float(number)))
    return x.size, *worst


def tail_rows():
    """The slopes of tanh and sigmoid by the size of x: true, and as computed."""
    for size in SIZES:
        row = [f"{size:g}"]
        for name in ("tanh", "sigmoid"):
            true = float(exact(name, size)[1])
            row.append(f"{true:.1e}")
            for dtype in ("float32", "float64"):
                found = float(ours(name, np.array([size], dtype))[1][0])
                far = f"{abs(found / true - 1):.0e}".replace("0e+00", "exact")
                row.append("0" if found == 0 else far)
        yield row


def listed(heading, rows):
    """A table in reStructuredText."""
    lines = ["", ".. list-table::", "    :header-rows: 1", ""]
    for row in (heading, *rows):
        marks = ["*"] + [" "] * (len(row) - 1)
        lines += [f"    {m} - {c}".rstrip() for m, c in zip(marks, row, strict=True)]
    return [*lines, ""]


def figure(worst, of=""):
    far, at = worst
    return f"{far:.2f}{of} at {at:.6g}"


def measured(found32, count=20_000):
    """The rows of the table of values and slopes.

    found32  what `every_float32` gave, or a part of it: {"exp value": (ULP, at), ...}
    """
    for name in NAMES:
        _, value64, slope64 = worst_float64(name, count)
        print(name, found32[f"{name} value"], figure(value64), flush=True)
        flat = " of 1" if f"{name} slope" in FLAT else ""
        yield [
            f"``{name}``",
            figure(found32[f"{name} value"]),
            figure(found32[f"{name} slope"], flat),
            figure(value64),
            "see below" if flat else figure(slope64),
        ]


def page(rows, missing=None):
    """The page of the documentation.

    missing  the first float32 that was not tried, where a run was not finished
    """
    words = """.. This page is written by `python3 run.py bench accuracy`: change that.

Accuracy
========

A computed value is rarely the number itself: it is a number near it that the dtype has.
One ULP (unit in the last place) is the distance from there to the next. A result that
is rounded perfectly is 0.5 ULP off at most.

minigrad promises at most 4 ULP in float32 and 2 in float64 for the values of these
functions, with compiled kernels. The table shows the worst that was found, and for
which x. float32 was compared with float64, for
ALL. float64 was compared with 50
digits, for some 100,000 numbers of all sizes and beside the places where the kernels
change their formula. The slopes of ``tanh`` and ``sigmoid`` are small where the
functions are flat, so their float32 error is given in ULP of 1.
"""
    every = "every number that there is"
    if missing is not None:
        every += f" but those below {missing:.3g}, where all five are flat or NaN"
    words = words.replace("ALL", every).split("\n")
    heading = ["", "float32 value", "float32 slope", "float64 value", "float64 slope"]
    words += listed(heading, rows)
    words += """The slopes of tanh and sigmoid
------------------------------

Their rules are the textbook's: :math:`1 - y^2` and :math:`y\\,(1 - y)`, of the computed
y. That is right to about one rounding of 1, whatever x is. But where y is near 1 the
slope is small and such a rounding is a large part of it. The table shows the true slope
by the size of x, and the relative error of what is computed; "0" says that the computed
slope is exactly zero.

From :math:`e^{-|x|}` the slope would be right everywhere. It was measured: the rules
then take 0.7 ns longer for each float32 entry (0.9 instead of 0.2), which would be 1 to
2 % of a training step of an LSTM. The rules are still the textbook's, as in other
libraries: they are what the player shows and what ``mg.explain`` writes out, and a unit
so far in its tail does not learn either way. ``mg.diagnose`` calls it saturated.
""".split("\n")
    tail = ["size of x", "tanh' true", "float32", "float64"]
    words += listed([*tail, "sigmoid' true", "float32", "float64"], tail_rows())
    words += [f"Measured on: {machine()}.", ""]
    return "\n".join(words)


def main():
    """Measure everything and write the page: half an hour; a run can be resumed."""
    found32, missing = every_float32()
    PAGE.write_text(page(list(measured(found32)), missing), encoding="utf-8")
    print(f"written: {PAGE}")


if __name__ == "__main__":
    sys.exit(main())
