"""Every float32, put into exp, log, tanh, sigmoid and softplus: how far off are the
values and slopes at worst?

There are 2^32 of them less the NaNs, in 256 pieces of up to 2^24. What a piece gave is
written to a file, so that a run that was stopped goes on where it was. All pieces take
about half an hour of one processor.
"""

import json
import tempfile
from functools import cache
from pathlib import Path

import numpy as np

import minigrad as mg
from minigrad.engine.kernels.jit import vectormath_digest

NAMES = ("exp", "log", "tanh", "sigmoid", "softplus")
PIECE = 1 << 24  # numbers that are noted together
CHUNK = 1 << 16  # numbers that are computed together: they stay in the cache
LAST = 0x7F800000  # the bits of infinity
PIECES = 2 * (LAST // PIECE + 1)  # the last of each sign is half a piece
ONE = 2.0**-23  # an ULP of 1, in which the slopes of tanh and sigmoid are measured
FLAT = ("tanh slope", "sigmoid slope")


def ours(name, x):
    """(value, slope) as a user gets them."""
    leaf = mg.tensor(x, requires_grad=True)
    y = getattr(mg, name)(leaf)
    return y.data, mg.grad(y.sum(), leaf)[0].data


def all_wide(x):
    """{name: (value, slope)} in float64 by NumPy, without cancellation."""
    with np.errstate(all="ignore"):
        small = np.exp(-np.abs(x))
        share, low = 1 / (1 + small), small / (1 + small)
        sigmoid = np.where(x < 0, low, share)
        power = np.exp(x)
        twice = small * small
        tanh = np.tanh(x), 4 * twice / (1 + twice) ** 2
        softplus = np.maximum(x, 0) + np.log1p(small)
        return {
            "exp": (power, power),
            "log": (np.log(x), 1 / x),
            "tanh": tanh,
            "sigmoid": (sigmoid, share * low),
            "softplus": (softplus, sigmoid),
        }


@cache
def worst_of():
    """The compiled `_worst_of`: without numba there is nothing to measure."""
    import numba

    return numba.njit(error_model="numpy")(_worst_of)


def _worst_of(found, true, bits, unit):
    """(the largest distance from the true value, its place), in ULP of float32.

    bits  of `true`, for its exponent
    unit  0, or another unit to measure in. A true value beyond float32 must be found as
          infinity, a NaN as NaN: else the distance is infinite
    """
    most, place = -1.0, 0
    for k in range(len(found)):
        t = true[k]
        if t != t:
            far = 0.0 if found[k] != found[k] else np.inf
        elif abs(t) >= 3.4028235677973366e38:  # rounds to infinity
            far = 0.0 if found[k] == np.float32(t) else np.inf
        else:
            exponent = max(((bits[k] >> 52) & 0x7FF) - 1023, -126)
            ulp = unit if unit > 0.0 else 2.0 ** (exponent - 23)
            far = abs(np.float64(found[k]) - t) / ulp
            if far != far:
                far = np.inf
        if far > most:
            most, place = far, k
    return most, place


def numbers(number, chunk):
    """The bits of a piece's numbers, in arrays of so many."""
    sign, rest = divmod(number, PIECES // 2)
    last = min((rest + 1) * PIECE, LAST + 1)
    for start in range(rest * PIECE, last, chunk):
        bits = np.arange(start, min(start + chunk, last), dtype=np.uint32)
        yield bits | np.uint32(sign << 31)


def piece_found(number):
    """{"exp value": [worst, at], ...} over one piece of the float32."""
    found, worst = {}, worst_of()
    for bits in numbers(number, CHUNK):
        x = bits.view(np.float32)
        for name, pair in all_wide(x.astype(float)).items():
            both = zip(("value", "slope"), ours(name, x), pair, strict=True)
            for what, mine, true in both:
                label = f"{name} {what}"
                if label == "log slope" and bits[0] >> 31:
                    continue  # 1/x below 0, where log is NaN
                unit = ONE if label in FLAT else 0.0
                far, at = worst(mine, true, true.view(np.int64), unit)
                if far > found.get(label, (-1.0, 0.0))[0]:
                    found[label] = [far, float(x[at])]
    return found


def kept():
    """The file that says what the pieces gave, for these kernels."""
    return Path(tempfile.gettempdir()) / f"minigrad-float32-{vectormath_digest()}.json"


def every_float32(tell=print, most=PIECES):
    """({"exp value": (worst ULP, at), ...}, the first number not tried or None).

    It goes on where it stopped. `most` pieces are enough for now.
    """
    path = kept()
    pieces = json.loads(path.read_text()) if path.exists() else {}
    for number in range(most):
        if str(number) not in pieces:
            pieces[str(number)] = piece_found(number)
            path.write_text(json.dumps(pieces))
            tell(f"{len(pieces)} of {PIECES} pieces")
    worst = {}
    for found in pieces.values():
        for label, (far, at) in found.items():
            if far > worst.get(label, (-1.0, 0.0))[0]:
                worst[label] = (far, at)
    if len(pieces) == PIECES:
        return worst, None
    bits = next(numbers(len(pieces), 1))
    return worst, float(bits.view(np.float32)[0])
