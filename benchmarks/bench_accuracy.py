"""How far off exp, log, tanh, sigmoid and softplus are, and their slopes, in ULP.

    python -m benchmarks accuracy       some minutes; writes the page

float32 is compared with float64 for one in EVERY of all finite numbers of 2^-30 to 2^7
in size, both signs, and for fewer of the others, where the functions are flat or the
identity.
float64 is compared with 50 digits, for numbers of all sizes and beside the places where
the kernels change their formula. The page is docs/accuracy.rst.

An ULP, unit in the last place, is the distance from the true value to the next number
of that dtype.
"""

import sys
from pathlib import Path

import mpmath as mp
import numpy as np

import minigrad as mg
from benchmarks.timing import machine

PAGE = Path(__file__).parent.parent / "docs" / "accuracy.rst"
NAMES = ("exp", "log", "tanh", "sigmoid", "softplus")
EVERY = 8  # 1 tries all float32, in half an hour
SIZES = (0.5, 1.0, 2.0, 4.0, 6.0, 8.0, 10.0, 14.0, 18.0, 25.0, 40.0)


def wide(name, x):
    """(value, slope) in float64 by NumPy, without cancellation."""
    small = np.exp(-np.abs(x))
    share = np.where(x < 0, small / (1 + small), 1 / (1 + small))
    with np.errstate(all="ignore"):
        if name == "exp":
            return np.exp(x), np.exp(x)
        if name == "log":
            return np.log(x), 1 / x
        if name == "tanh":
            s = np.exp(-2 * np.abs(x))
            return np.tanh(x), 4 * s / (1 + s) ** 2
        if name == "sigmoid":
            return share, small / (1 + small) ** 2
        return np.maximum(x, 0) + np.log1p(small), share


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


def ours(name, x):
    """(value, slope) as a user gets them."""
    leaf = mg.tensor(x, requires_grad=True)
    y = getattr(mg, name)(leaf)
    return y.data, mg.grad(y.sum(), leaf)[0].data


def ulps(found, true, dtype):
    """The distance in ULP of the true value; 0 where both overflow."""
    info = np.finfo(dtype)
    exponent = np.frexp(np.maximum(np.abs(true), info.smallest_normal))[1] - 1
    unit = np.ldexp(1.0, exponent - info.nmant)
    with np.errstate(all="ignore"):
        far = np.abs(found.astype(true.dtype) - true) / unit
    far = np.where(np.abs(true) >= info.max, 0.0, far)
    return np.where(np.isnan(far), np.inf, far)


def float32_chunks(name, step):
    """Bits of all float32 to be tried, in arrays of up to a million."""
    low, high = np.float32(2.0**-30).view("u4"), np.float32(2.0**7).view("u4")
    if name == "log":
        low, high = np.float32(0).view("u4"), np.float32(np.inf).view("u4")
        step *= 4  # the same mantissas again for each exponent
    signs = (0,) if name == "log" else (0, 1 << 31)
    rest = ((0, int(low), 64 * step), (int(high), 0x7F800000, 64 * step))
    for start, stop, every in ((int(low), int(high), step), *rest):
        for sign in signs:
            for first in range(start, stop, every << 20):
                last = min(first + (every << 20), stop)
                bits = np.arange(first, last, every, dtype=np.uint32) + np.uint32(sign)
                yield bits.view(np.float32)


def worst_float32(name, step):
    """(count, (worst ULP of the value, at), (of the slope, at))."""
    count, worst = 0, [(0.0, 0.0), (0.0, 0.0)]
    for x in float32_chunks(name, step):
        x = x[x > 0] if name == "log" else x
        count += x.size
        for k, (found, true) in enumerate(
            zip(ours(name, x), wide(name, x.astype(float)), strict=True)
        ):
            if x.size:
                far = ulps(found, true, "float32")
                at = int(far.argmax())
                worst[k] = max(worst[k], (float(far[at]), float(x[at])))
    return count, *worst


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


def figure(worst):
    far, at = worst
    return f"{far:.2f} at {at:.6g}"


def measured(step=EVERY, count=20_000):
    """The rows of the table of values and slopes."""
    for name in NAMES:
        tried32, value32, slope32 = worst_float32(name, step)
        tried64, value64, slope64 = worst_float64(name, count)
        print(name, figure(value32), figure(value64), flush=True)
        flat = name in ("tanh", "sigmoid")
        yield [
            f"``{name}``",
            figure(value32),
            "see below" if flat else figure(slope32),
            figure(value64),
            "see below" if flat else figure(slope64),
            f"{tried32:,} / {tried64:,}",
        ]


def page(rows):
    """The page of the documentation."""
    words = """.. This page is written by `python3 run.py bench accuracy`: change that.

Accuracy
========

A computed value is rarely the number itself: it is a number near it that the dtype has.
One ULP (unit in the last place) is the distance from there to the next. A result that
is rounded perfectly is 0.5 ULP off at most.

minigrad promises at most 4 ULP in float32 and 2 in float64 for the values of these
functions, with compiled kernels. The table shows the worst that was found, and for
which x. float32 was compared with float64, for one in EVERY of all numbers whose size
is between 2^-30 and 2^7 (``log``: one in LOGS of all positive numbers) and a sample of
the others. float64 was compared with 50 digits.
"""
    words = words.replace("EVERY", str(EVERY)).replace("LOGS", str(4 * EVERY))
    words = words.split("\n")
    heading = ["", "float32 value", "float32 slope", "float64 value", "float64 slope"]
    words += listed([*heading, "numbers tried"], rows)
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
    """Measure everything and write the page: some minutes."""
    PAGE.write_text(page(list(measured())), encoding="utf-8")
    print(f"written: {PAGE}")


if __name__ == "__main__":
    sys.exit(main())
