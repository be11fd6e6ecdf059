"""Elementary functions written as arithmetic that LLVM can vectorise.

Without Intel's SVML, numba turns `math.exp` into one scalar library call per element.
The functions here are straight-line arithmetic, with selections where one would
branch, so a loop that contains them runs several elements at a time and they can sit
in the middle of a fused kernel: `exp`, `expm1`, `log`, `log1p`, `tanh`, `sigmoid`,
`sin` and `cos`, each as `<name>_float32` and `<name>_float64`.

The kernel generator pastes the text of this file in front of the kernels it writes (a
cached kernel must have its helpers in its own file, or it goes stale), so nothing but
NumPy and numba is imported. Compile kernels with `VECTORIZE_OPTIONS` and return
`inlined(result)` from them.

One text serves both types, see `_family`. Its rules: each constant has the type `real`
(a bare literal would promote float32 to float64); 2^k is assembled in the bits of a
float by unsigned arithmetic, because conversions between int64 and float64 are vector
instructions only in AVX-512; products in a range reduction are exact, so accuracy does
not depend on whether the machine contracts them to fused multiply-adds; a clamp is
written so that NaN passes through it.

Docstrings state the worst error found against mpmath and long double, in units in the
last place, as "float32 / float64 ULP". IEEE exception flags are not part of the
contract: the unselected side of a selection may raise them, so call kernels under
`np.errstate(all="ignore")`.

Sources: Cody & Waite 1980, "Software Manual for the Elementary Functions" (reduction
with split constants); Payne & Hanek 1983, "Radian reduction for trigonometric
functions"; Tang 1990, "Table-driven implementation of the logarithm function", for
log(1 + f) by atanh; Knuth, "The Art of Computer Programming" 4.2.2, for the error of a
sum; Muller 2016, "Elementary Functions", 3rd ed., for all of them together. The
polynomials were fitted for this file by `benchmarks/fit_vectormath.py`.

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


def _family(real, uint, ln2, exp_range, saturation, exp_tail, tanh_tail, log_tail):
    """Everything but sine and cosine for one type; `uint` has its width.

    `exp_range` is what x is clamped to: at the low end k = -2 BIAS, where both factors
    of 2^k are zeros, so that e^-inf (a mask) does not pay the processor's slow path for
    underflow; the high end overflows. From `saturation` on, tanh is 1.
    """
    info = np.finfo(real)
    zero, half, one, two = real(0), real(0.5), real(1), real(2)
    inf, nan, tiny = real(np.inf), real(np.nan), real(info.smallest_normal)
    eps = real(info.eps / 4)
    ln2_high, ln2_low = real(ln2[0]), real(ln2[1])
    half_ln2_high, half_ln2_low = real(ln2[0] / 2), real(ln2[1] / 2)
    log2e, two_log2e = real(1 / math.log(2)), real(2 / math.log(2))
    exp_min, exp_max = real(exp_range[0]), real(exp_range[1])
    saturated = real(saturation)
    exp_tail = _polynomial(*map(real, exp_tail))
    tanh_tail = _polynomial(*map(real, tanh_tail))
    log_tail = _polynomial(*map(real, log_tail))
    # y = x + SHIFT has k + 2 BIAS in its low bits, k = round(x), and y - SHIFT is k.
    # Shifted left into the exponent's place, the bits above that number drop out.
    WIDTH, BIAS, UNIT = uint(info.nmant), uint(1 - info.minexp), uint(1)
    ROUND = real(1.5 * 2.0**info.nmant)
    SHIFT = real(float(ROUND) + 2 * int(BIAS))
    HALVE, REFLECT = uint(BIAS + 1), uint(3 * BIAS)
    # log: mantissas from [sqrt(1/2), sqrt(2)); subnormal arguments are scaled up
    ROOT_BITS = uint(real(math.sqrt(0.5)).view(uint))
    ROUND_BITS, ONE_BITS = uint(ROUND.view(uint)), uint(one.view(uint))
    MANTISSA = uint(2**info.nmant - 1)
    K_ZERO, SCALE = real(BIAS), real(2.0 ** (info.nmant + 1))
    K_SCALED = real(int(BIAS) + info.nmant + 1)

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
        z = (h - k * half_ln2_high) - k * half_ln2_low
        w = z * z
        return shifted, z + z * w * tanh_tail(w)

    @_inline
    def power(shifted):
        """2^k in two factors: k may leave the exponents of normal numbers."""
        biased = real(shifted).view(uint)
        first = uint(biased >> UNIT)
        second = uint(uint(biased - first) << WIDTH)
        return uint(first << WIDTH).view(real), second.view(real)

    @_inline
    def exp(x):
        """e^x = 2^k e^r, rounded once where it is subnormal. 1.1 / 1.1 ULP."""
        shifted, high, low = reduce_exp(clamp(x, exp_min, exp_max))
        r = high - low
        first, second = power(shifted)
        return (one + (r + r * r * exp_tail(r))) * first * second

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
        """Addition theorem with F = 2^-k; where k = 0 it is s itself. 2.5 / 2.5 ULP.

        tanh x = ((1 - F) + s (1 + F)) / ((1 + F) + s (1 - F)).
        """
        shifted, s = half_tanh(clamp(x, -saturated, saturated))
        f = uint(uint(REFLECT - real(shifted).view(uint)) << WIDTH).view(real)
        plus, minus = one + f, one - f
        y = (minus + s * plus) / (plus + s * minus)
        return x if x == zero else y  # -0.0

    @_inline
    def sigmoid(x):
        """1 / (1 + e^-x) = y / (y + (1 - s)), y = 2^k (1 + s). 2.4 / 2.4 ULP.

        As accurate in the far negative tail; subnormal results round twice, 1 ULP.
        """
        shifted, s = half_tanh(half * clamp(x, exp_min, two * saturated))
        first, second = power(shifted)
        y = (one + s) * first * second
        return y / (one + (y - s))

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

    return exp, expm1, log, log1p, tanh, sigmoid


# ln 2 is split so that k times its first part is exact for every k that occurs;
# coefficients come highest power first.
(
    exp_float32,
    expm1_float32,
    log_float32,
    log1p_float32,
    tanh_float32,
    sigmoid_float32,
) = _family(
    np.float32,
    np.uint32,
    ln2=(0.693145751953125, 1.4286068203094173e-06),
    exp_range=(-176.0, 89.0),
    saturation=10.0,
    exp_tail=(0.001392625, 0.008363233, 0.041666552, 0.16666576, 0.5),
    tanh_tail=(-0.0529946, 0.13332239, -0.3333333),
    log_tail=(0.23332763, 0.28550735, 0.40000123, 0.6666667),
)
(
    exp_float64,
    expm1_float64,
    log_float64,
    log1p_float64,
    tanh_float64,
    sigmoid_float64,
) = _family(
    np.float64,
    np.uint64,
    ln2=(0.6931471805598903, 5.497923018708371e-14),
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


# Sine and cosine. The reduction modulo pi/2 is that of Payne and Hanek for every
# argument from 1/2 on, however large: |x| = 2^e f is multiplied by the bits of 2/pi
# that matter at that e, cut into windows of 26 bits so that the products are exact.
# Windows of weight above 4 quarter turns per unit of f change nothing and are left out.


def _two_over_pi_windows(count):
    """Entry n: the 26 bits of 2/pi of weight 2^(54-n) to 2^(29-n), as an integer."""
    guard = count + 64

    def arctan_inverse(n):
        total, term, odd = 0, (1 << guard) // n, 1
        while term:
            total += term // odd if odd % 4 == 1 else -(term // odd)
            term, odd = term // (n * n), odd + 2
        return total

    pi = 4 * (4 * arctan_inverse(5) - arctan_inverse(239))  # Machin 1706
    bits = (2 << 2 * guard) // pi >> (guard + 29 - count)
    return np.array([bits >> count - n & 2**26 - 1 for n in range(count)], np.float64)


_WINDOWS = _two_over_pi_windows(1200)  # the largest index is 1025 + 6 * 26
_PIO2_HIGH = np.float64(1.5707963407039642)  # 26 bits of pi/2
_PIO2_LOW = np.float64(-1.3909067614167116e-08)
_PIO2 = np.float64(math.pi / 2)
_ROUND = np.float64(1.5 * 2.0**52)
_SPLIT = np.float64(1.5 * 2.0**27)  # rounds [1, 2) to multiples of 2^-25
_HALF = np.float64(0.5)
_TOP_26 = np.uint64(2**64 - 2**27)
_EXPONENT_64, _MANTISSA_64 = np.uint64(52), np.uint64(2**52 - 1)
_EXPONENT_32, _MANTISSA_32 = np.uint32(23), np.uint32(2**23 - 1)
_ONE_64, _HALF_64 = np.uint64(1023 << 52), np.uint64(1022)
_ONE_32, _HALF_32 = np.uint32(127 << 23), np.uint32(126)
# Unsigned indices: a signed one goes through wrap-around handling.
_FIRST_64 = tuple(np.uint64(26 * i) for i in range(7))
_WEIGHT_64 = tuple(np.float64(2.0 ** (28 - 26 * i)) for i in range(7))
_FIRST_32 = tuple(np.uint64(29 + 26 * i) for i in range(4))
_WEIGHT_32 = tuple(np.float64(2.0 ** (-1 - 26 * i)) for i in range(4))


@_inline
def _nearest(x):
    """The integer nearest to x, |x| < 2^51."""
    return (x + _ROUND) - _ROUND


@_inline
def _two_sum(a, b):
    """a + b, and what its rounding lost (Knuth)."""
    total = a + b
    part = total - a
    return total, (a - (total - part)) + (b - part)


@_inline
def _reduce_float64(size):
    """size = (n + q) pi/2, |q| <= 1/2: bits that end in n mod 4, and q pi/2 as a sum.

    n = 0 and q pi/2 = size below 1/2. Comments give largest value and lowest bit.
    """
    bits = np.float64(size).view(np.uint64)
    e = np.uint64(bits >> _EXPONENT_64)
    i = np.uint64((e if e > _HALF_64 else _HALF_64) - _HALF_64)
    f = np.uint64(np.uint64(bits & _MANTISSA_64) | _ONE_64).view(np.float64)
    high = (f + _SPLIT) - _SPLIT
    low = f - high
    w0 = _WINDOWS[i] * _WEIGHT_64[0]
    w1 = _WINDOWS[i + _FIRST_64[1]] * _WEIGHT_64[1]
    w2 = _WINDOWS[i + _FIRST_64[2]] * _WEIGHT_64[2]
    w3 = _WINDOWS[i + _FIRST_64[3]] * _WEIGHT_64[3]
    w4 = _WINDOWS[i + _FIRST_64[4]] * _WEIGHT_64[4]
    w5 = _WINDOWS[i + _FIRST_64[5]] * _WEIGHT_64[5]
    w6 = _WINDOWS[i + _FIRST_64[6]] * _WEIGHT_64[6]
    a, b = low * w0, high * w1  # 2^29, 2^-24 (high * w0: multiples of 8)
    c, d = low * w1, high * w2  # 2^3, 2^-50
    na, nb, nc, nd = _nearest(a), _nearest(b), _nearest(c), _nearest(d)
    q = ((a - na) + (b - nb)) + ((c - nc) + (d - nd))  # 2, 2^-50: exact
    nq = _nearest(q)
    n = ((na + nb) + (nc + nd)) + nq
    # q may cancel down to 2^-61: no term above 2^-75 is added with a rounding
    q, lost_0 = _two_sum(q - nq, high * w3)
    q, lost_1 = _two_sum(q, low * w2)
    q, lost_2 = _two_sum(q, high * w4)
    q, lost_3 = _two_sum(q, low * w3)
    last = (high * w5 + low * w4) + (high * w6 + low * w5)
    q, rest = _two_sum(q, ((lost_0 + lost_1) + (lost_2 + lost_3)) + last)
    # times pi/2, with the product of the leading parts exact
    top = np.uint64(np.float64(q).view(np.uint64) & _TOP_26).view(np.float64)
    small = top * _PIO2_LOW + ((q - top) + rest) * _PIO2
    r = top * _PIO2_HIGH + small
    tail = (top * _PIO2_HIGH - r) + small
    near = size < _HALF
    n, r, tail = (n - n, size, n - n) if near else (n, r, tail)
    return np.float64(n + _ROUND).view(np.uint64), r, tail


@_inline
def _reduce_float32(size):
    """As `_reduce_float64`, in float64: f has 24 bits, so nothing need be split."""
    bits = np.float32(size).view(np.uint32)
    e = np.uint32(bits >> _EXPONENT_32)
    i = np.uint64(np.uint32((e if e > _HALF_32 else _HALF_32) - _HALF_32))
    f = np.float64(np.uint32(np.uint32(bits & _MANTISSA_32) | _ONE_32).view(np.float32))
    a = f * (_WINDOWS[i + _FIRST_32[0]] * _WEIGHT_32[0])  # 2^26, 2^-24
    b = f * (_WINDOWS[i + _FIRST_32[1]] * _WEIGHT_32[1])  # 1, 2^-50
    c = f * (_WINDOWS[i + _FIRST_32[2]] * _WEIGHT_32[2])
    d = f * (_WINDOWS[i + _FIRST_32[3]] * _WEIGHT_32[3])
    na = _nearest(a)
    q = (a - na) + b
    nq = _nearest(q)
    wide = np.float64(size)
    r = ((q - nq) + (c + d)) * _PIO2
    n = na + nq
    n, r = (n - n, wide) if wide < _HALF else (n, r)
    high = np.float32(r)
    tail = np.float32(r - np.float64(high))
    return np.uint32(np.float64(n + _ROUND).view(np.uint64)), high, tail


def _circular(real, uint, reduce, sin_tail, cos_tail):
    """Sine and cosine for one type, correct for arguments of any size."""
    one, half, inf = real(1), real(0.5), real(np.inf)
    EVEN, ODD, TURN = uint(0), uint(1), uint(2)
    TO_SIGN, SIGN = uint(8 * uint(0).itemsize - 2), uint(real(-0.0).view(uint))
    sin_tail = _polynomial(*map(real, sin_tail))
    cos_tail = _polynomial(*map(real, cos_tail))

    @_inline
    def turned(n, r, tail, sign):
        """sin(n pi/2 + r + tail), its sign bit flipped by `sign`."""
        w = r * r
        s = r + (r * w * sin_tail(w) + tail * (one - half * w))
        h = half * w
        c = one - h
        c = c + (((one - c) - h) + (w * w * cos_tail(w) - r * tail))
        y = s if uint(n & ODD) == EVEN else c
        flip = uint(uint(uint(n & TURN) << TO_SIGN) ^ sign)
        return uint(real(y).view(uint) ^ flip).view(real)

    @_inline
    def sin(x):
        """sin x; inf gives NaN. 0.9 / 0.9 ULP."""
        size = abs(x)
        n, r, tail = reduce(size)
        y = turned(n, r, tail, uint(real(x).view(uint) & SIGN))
        return y if size < inf else x - x

    @_inline
    def cos(x):
        """cos x = sin(|x| + pi/2); inf gives NaN. 0.9 / 0.9 ULP."""
        size = abs(x)
        n, r, tail = reduce(size)
        y = turned(uint(n + ODD), r, tail, EVEN)
        return y if size < inf else x - x

    return sin, cos


sin_float32, cos_float32 = _circular(
    np.float32,
    np.uint32,
    _reduce_float32,
    sin_tail=(-0.00019587387, 0.008332746, -0.16666664),
    cos_tail=(2.4547437e-05, -0.00138883, 0.041666664),
)
sin_float64, cos_float64 = _circular(
    np.float64,
    np.uint64,
    _reduce_float64,
    sin_tail=(
        1.5917848524808262e-10,
        -2.5051127944014188e-08,
        2.755731608381636e-06,
        -0.00019841269836722418,
        0.008333333333330925,
        -0.16666666666666666,
    ),
    cos_tail=(
        -1.1382456778061306e-11,
        2.0876143827993133e-09,
        -2.7557317260008837e-07,
        2.480158729874307e-05,
        -0.0013888888888887382,
        0.041666666666666664,
    ),
)
