"""Elementary functions written as arithmetic that LLVM can vectorise.

Without Intel's SVML, numba turns `math.exp` into one scalar library call per element.
The functions here are straight-line arithmetic, with selections where one would
branch, so a loop that contains them runs several elements at a time and they can sit
in the middle of a fused kernel: `exp`, `expm1`, `log`, `log1p`, `tanh` and `sigmoid`,
each as `<name>_float32` and `<name>_float64`. Sine and cosine are NumPy's, which are
faster (`benchmarks/bench_elementwise.py`).

Compile kernels with `VECTORIZE_OPTIONS` and return `inlined(result)` from them.

One text serves both types, see `_exponentials` and `_logarithms`. Its rules: each
constant has the type `real` (a bare literal would promote float32 to float64); 2^k is
assembled in the bits of a float by unsigned arithmetic, because conversions between
int64 and float64 are vector instructions only in AVX-512; products in a range reduction
are exact, so accuracy does not depend on whether the machine contracts them to fused
multiply-adds; a clamp is written so that NaN passes through it.

Docstrings state the worst error found against mpmath and long double, in units in the
last place, as "float32 / float64 ULP". IEEE exception flags are not part of the
contract: the unselected side of a selection may raise them, so call kernels under
`np.errstate(all="ignore")`.

Sources: Cody & Waite 1980, "Software Manual for the Elementary Functions" (reduction
with split constants); Tang 1990, "Table-driven implementation of the logarithm
function", for log(1 + f) by atanh; Knuth, "The Art of Computer Programming" 4.2.2, for
the error of a sum; Muller 2016, "Elementary Functions", 3rd ed., for all of them
together. The polynomials were fitted for this file by `benchmarks/fit_vectormath.py`.

Read next: `models/` (the cells and the time loop).
"""

import math

import numpy as np
from numba import njit
from numba.extending import intrinsic

# For numba.vectorize, whose error model is NumPy's already. Contraction to fused
# multiply-add is the only liberty the compiler gets: NaN and inf stay what they are.
VECTORIZE_OPTIONS = {"nopython": True, "fastmath": {"contract"}}

# forceinline: LLVM does not vectorise a loop with a call in it, and its own size limit
# for inlining is soon reached.
_inline = njit(error_model="numpy", fastmath={"contract"}, forceinline=True)


@intrinsic
def inlined(typing_context, value):
    """value itself; the kernel that contains the call is inlined into its loop.

    `vectorize` knows no `forceinline`, and past LLVM's size limit (about three
    transcendentals) a ufunc's loop would call its kernel once per element: measured,
    six times slower.
    """

    def generate(context, builder, signature, arguments):
        builder.function.attributes.add("alwaysinline")
        return arguments[0]

    return value(value), generate


def _polynomial(*coefficients):
    """Horner's scheme, highest power first; LLVM unrolls the loop over the tuple."""
    lead, rest = coefficients[0], coefficients[1:]

    @_inline
    def evaluate(x):
        y = lead
        for c in rest:
            y = y * x + c
        return y

    return evaluate


def _exponentials(real, uint, ln2, exp_range, saturation, exp_tail, tanh_tail, careful):
    """exp, expm1, tanh and sigmoid for one type; `uint` has its width.

    `careful` adds what sums have lost by rounding, half an ULP to one in all: float64
    has 2 ULP to keep to; float32 has 4, and takes half the time without.

    `exp_range` is what x is clamped to: at the low end k = -2 BIAS, where both factors
    of 2^k are zeros, so that e^-inf (a mask) does not pay the processor's slow path for
    underflow; the high end overflows. From `saturation` on, tanh is 1.
    """
    info = np.finfo(real)
    zero, half, one, two = real(0), real(0.5), real(1), real(2)
    eps = real(info.eps / 4)
    ln2_high, ln2_low = real(ln2[0]), real(ln2[1])
    half_ln2_high, half_ln2_low = real(ln2[0] / 2), real(ln2[1] / 2)
    log2e, two_log2e = real(1 / math.log(2)), real(2 / math.log(2))
    exp_min, exp_max = real(exp_range[0]), real(exp_range[1])
    saturated = real(saturation)
    exp_tail = _polynomial(*map(real, exp_tail))
    tanh_tail = _polynomial(*map(real, tanh_tail))
    # y = x + SHIFT has k + 2 BIAS in its low bits, k = round(x), and y - SHIFT is k.
    # Shifted left into the exponent's place, the bits above that number drop out.
    WIDTH, BIAS, UNIT = uint(info.nmant), uint(1 - info.minexp), uint(1)
    SHIFT = real(1.5 * 2.0**info.nmant + 2 * int(BIAS))
    HALVE, REFLECT = uint(BIAS + 1), uint(3 * BIAS)

    @_inline
    def clamp(x, low, high):
        x = high if x > high else x
        return low if x < low else x

    @_inline
    def reduce_exp(x):
        """x = k ln 2 + r, |r| <= ln(2)/2; returns k + SHIFT and r as high - low."""
        shifted = x * log2e + SHIFT
        k = shifted - SHIFT
        return shifted, x - k * ln2_high, k * ln2_low

    @_inline
    def half_tanh(h):
        """e^2h = 2^k (1 + s) / (1 - s), s = tanh z, |z| <= ln(2)/4: k + SHIFT, s."""
        shifted = h * two_log2e + SHIFT
        k = shifted - SHIFT
        high, low = h - k * half_ln2_high, k * half_ln2_low
        z = high - low
        w = z * z
        tail = z * w * tanh_tail(w)
        if careful:
            tail = tail + ((high - z) - low)
        return shifted, z + tail

    @_inline
    def power(shifted):
        """2^k in two factors: k may leave the exponents of normal numbers."""
        biased = real(shifted).view(uint)
        first = uint(biased >> UNIT)
        second = uint(uint(biased - first) << WIDTH)
        return uint(first << WIDTH).view(real), second.view(real)

    @_inline
    def exp(x):
        """e^x = 2^k e^r, rounded once where it is subnormal. 1.1 / 0.8 ULP."""
        shifted, high, low = reduce_exp(clamp(x, exp_min, exp_max))
        r = high - low
        first, second = power(shifted)
        if careful:
            y = one + high
            y = y + ((high - (y - one)) + (r * r * exp_tail(r) - low))
        else:
            y = one + (r + r * r * exp_tail(r))
        return y * first * second

    @_inline
    def expm1(x):
        """e^x - 1 = 2 ((E - 1/2) + E (e^r - 1)) with E = 2^(k-1). 1.4 / 1.4 ULP."""
        shifted, high, low = reduce_exp(clamp(x, -two * saturated, exp_max))
        r = high - low
        tail = r * r * exp_tail(r) - low
        e = uint(uint(real(shifted).view(uint) - HALVE) << WIDTH).view(real)
        y = two * (((e - half) + e * high) + e * tail)
        return x if abs(x) < eps else y  # -0.0, and subnormal x, which e halves

    @_inline
    def tanh(x):
        """Addition theorem with F = 2^-k; where k = 0 it is s itself. 2.5 / 1.9 ULP.

        tanh x = ((1 - F) + s (1 + F)) / ((1 + F) + s (1 - F)).
        """
        shifted, s = half_tanh(clamp(x, -saturated, saturated))
        f = uint(uint(REFLECT - real(shifted).view(uint)) << WIDTH).view(real)
        plus, minus = one + f, one - f
        up, down = s * plus, s * minus
        above, below = minus + up, plus + down
        y = above / below
        if careful:
            lost = (up - (above - minus)) - y * (down - (below - plus))
            y = y + lost / below
        return x if x == zero else y  # -0.0

    @_inline
    def sigmoid(x):
        """1 / (1 + e^-x) = y / (y + (1 - s)), y = 2^k (1 + s). 2.4 / 1.9 ULP.

        As accurate in the far negative tail; subnormal results round twice, 1 ULP.
        Carefully: 1 / (1 + E) or E / (1 + E), E = e^-|x|.
        """
        if careful:
            e = exp(-abs(x))
            whole = one + e
            y = (e if x < zero else one) / whole
            other = one - y if x < zero else y
            return y - y * (other * (e - (whole - one)))
        shifted, s = half_tanh(half * clamp(x, exp_min, two * saturated))
        first, second = power(shifted)
        y = (one + s) * first * second
        return y / (one + (y - s))

    return exp, expm1, tanh, sigmoid


def _logarithms(real, uint, ln2, log_tail):
    """log and log1p for one type; `uint` has its width."""
    info = np.finfo(real)
    zero, half, one, two = real(0), real(0.5), real(1), real(2)
    inf, nan, tiny = real(np.inf), real(np.nan), real(info.smallest_normal)
    ln2_high, ln2_low = real(ln2[0]), real(ln2[1])
    log_tail = _polynomial(*map(real, log_tail))
    WIDTH, BIAS = uint(info.nmant), uint(1 - info.minexp)
    ROUND, HALVE = real(1.5 * 2.0**info.nmant), uint(BIAS + 1)
    # Mantissas are from [sqrt(1/2), sqrt(2)); subnormal arguments are scaled up.
    ROOT_BITS = uint(real(math.sqrt(0.5)).view(uint))
    ROUND_BITS, ONE_BITS = uint(ROUND.view(uint)), uint(one.view(uint))
    MANTISSA = uint(2**info.nmant - 1)
    K_ZERO, SCALE = real(BIAS), real(2.0 ** (info.nmant + 1))
    K_SCALED = real(int(BIAS) + info.nmant + 1)

    @_inline
    def split(x):
        """x = 2^k m with m in [sqrt(1/2), sqrt(2)), x normal; returns k + BIAS, m."""
        bits = uint(uint(real(x).view(uint) - ROOT_BITS) + ONE_BITS)
        m = uint(uint(bits & MANTISSA) + ROOT_BITS).view(real)
        return uint(bits >> WIDTH), m

    @_inline
    def log_of(biased, k_zero, f):
        """k ln 2 + log(1 + f), k = biased - k_zero; log(1 + f) = 2 atanh s."""
        k = (uint(biased + ROUND_BITS).view(real) - ROUND) - k_zero
        s = f / (two + f)
        w = s * s
        square = half * f * f
        tail = s * (square + w * log_tail(w)) + k * ln2_low
        return k * ln2_high - ((square - tail) - f)

    @_inline
    def log(x):
        """log x = k ln 2 + log m, subnormal x included. 0.9 / 0.9 ULP."""
        small = x < tiny
        biased, m = split(x * SCALE if small else x)
        y = log_of(biased, K_SCALED if small else K_ZERO, m - one)
        y = y if x > zero else (-inf if x == zero else nan)
        return y if x < inf else x + x  # inf; NaN, whose comparisons are false

    @_inline
    def log1p(x):
        """log of u = 1 + x, f corrected by what that sum lost. 1.4 / 1.5 ULP."""
        u = one + x
        part = u - one
        lost = (one - (u - part)) + (x - part)
        biased, m = split(u)
        # 2^-k as half of 2^(1-k): for the largest k that is 0, not the bits of inf
        scale = uint(uint(BIAS + HALVE - biased) << WIDTH).view(real) * half
        y = log_of(biased, K_ZERO, (m - one) + lost * scale)
        y = y if x > -one else (-inf if x == -one else nan)
        y = x if x == zero else y  # -0.0
        return y if x < inf else x + x

    return log, log1p


# ln 2 is split so that k times its first part is exact for every k that occurs;
# coefficients come highest power first.
LN2_FLOAT32 = (0.693145751953125, 1.4286068203094173e-06)
LN2_FLOAT64 = (0.6931471805598903, 5.497923018708371e-14)

exp_float32, expm1_float32, tanh_float32, sigmoid_float32 = _exponentials(
    np.float32,
    np.uint32,
    LN2_FLOAT32,
    exp_range=(-176.0, 89.0),
    saturation=10.0,
    exp_tail=(0.001392625, 0.008363233, 0.041666552, 0.16666576, 0.5),
    tanh_tail=(-0.0529946, 0.13332239, -0.3333333),
    careful=False,
)
log_float32, log1p_float32 = _logarithms(
    np.float32,
    np.uint32,
    LN2_FLOAT32,
    log_tail=(0.23332763, 0.28550735, 0.40000123, 0.6666667),
)
exp_float64, expm1_float64, tanh_float64, sigmoid_float64 = _exponentials(
    np.float64,
    np.uint64,
    LN2_FLOAT64,
    exp_range=(-1418.0, 710.0),
    saturation=20.0,
    exp_tail=(
        2.5100472505694996e-08,
        2.7620201591031547e-07,
        2.7557268276905696e-06,
        2.4801521057868204e-05,
        0.00019841269863171557,
        0.0013888888917367081,
        0.008333333333330039,
        0.041666666666623824,
        0.16666666666666669,
        0.5000000000000001,
    ),
    tanh_tail=(
        0.0034636670195542472,
        -0.008858919211524261,
        0.021869421428449724,
        -0.053968253495869305,
        0.1333333333321161,
        -0.3333333333333328,
    ),
    careful=True,
)
log_float64, log1p_float64 = _logarithms(
    np.float64,
    np.uint64,
    LN2_FLOAT64,
    log_tail=(
        0.1461916613488797,
        0.1533150161114533,
        0.18182895750119193,
        0.22222211043776857,
        0.2857142862653362,
        0.3999999999989827,
        0.666666666666667,
    ),
)
