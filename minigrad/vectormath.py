"""Elementary functions written as arithmetic that LLVM can vectorise.

Without Intel's SVML, numba turns `math.exp` into one scalar library call per element.
The functions here are straight-line arithmetic instead, with selections for branches,
so a loop that contains them runs several elements at a time and they can sit in the
middle of a fused kernel: `exp`, `expm1`, `log`, `log1p`, `tanh`, `sigmoid`, `sin` and
`cos`, each as `<name>_float32` and `<name>_float64`.

The kernel generator pastes the text of this file in front of the kernels it writes (a
cached kernel must have its helpers in its own file, or it goes stale), so nothing but
NumPy and numba is imported, and every kernel is compiled with `VECTORIZE_OPTIONS`.

Both types share one text, `_family(real, ...)`. Its rules: each constant has the type
`real` (a bare literal would promote float32 to float64); 2^k is assembled in the bits
of a float with unsigned arithmetic, since conversions between int64 and float64 are
vector instructions only in AVX-512; products in a range reduction are exact, so that
the results do not depend on whether the machine contracts them to fused
multiply-adds; a clamp is written so that NaN passes through it.

Accuracy is the worst error found against mpmath, in units in the last place (ULP),
"float32 / float64". IEEE exception flags are not part of the contract: unselected
sides of a selection may raise them, so call kernels under `np.errstate(all="ignore")`.

Sources: Cody & Waite 1980, "Software Manual for the Elementary Functions" (reduction
with split constants); Payne & Hanek 1983, "Radian reduction for trigonometric
functions"; Tang 1990 and fdlibm for the form of log; Muller 2016, "Elementary
Functions", 3rd ed. The polynomials are fitted by `benchmarks/fit_vectormath.py`.
"""

import math

import numpy as np
from numba import njit

# numba.vectorize always compiles with error_model="numpy"; contraction to fused
# multiply-add is the only liberty the compiler gets (NaN and inf stay what they are).
VECTORIZE_OPTIONS = {"nopython": True, "fastmath": {"contract"}}

# forceinline: LLVM gives up on a loop with a call in it, and its own size limit for
# inlining is soon reached in a fused kernel.
_inline = njit(error_model="numpy", fastmath={"contract"}, forceinline=True)


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


def _family(real, uint, ln2, limits, exp_tail, tanh_tail, log_tail):
    """Everything but sine and cosine for one type; `uint` has its width."""
    info = np.finfo(real)
    zero, half, one, two = real(0), real(0.5), real(1), real(2)
    inf, nan, tiny = real(np.inf), real(np.nan), real(info.smallest_normal)
    ln2_high, ln2_low = real(ln2[0]), real(ln2[1])
    half_ln2_high, half_ln2_low = real(ln2[0] / 2), real(ln2[1] / 2)
    log2e, two_log2e = real(1 / math.log(2)), real(2 / math.log(2))
    far_from = real(math.atanh(0.5))
    exp_min, exp_max, saturated = real(limits[0]), real(limits[1]), real(limits[2])
    # y = x + SHIFT holds round(x) + 2 BIAS in its low bits; y - SHIFT is round(x)
    BITS, BIAS, UNIT = uint(info.nmant), uint(1 - info.minexp), uint(1)
    ROUND = real(1.5 * 2.0**info.nmant)
    SHIFT = real(float(ROUND) + 2 * int(BIAS))
    ROUND_BITS, ONE_BITS = uint(ROUND.view(uint)), uint(one.view(uint))
    SIGN, REFLECT, HALVE = uint(real(-0.0).view(uint)), uint(3 * BIAS), uint(BIAS + 1)
    MANTISSA = uint(2**info.nmant - 1)
    # log takes its mantissa from [sqrt(1/2), sqrt(2)); subnormals are scaled up first
    ROOT_BITS = uint(real(math.sqrt(0.5)).view(uint))
    SCALE, K_ZERO = real(2.0 ** (info.nmant + 1)), real(BIAS)
    SCALED_ZERO = real(int(BIAS) + info.nmant + 1)
    exp_tail = _polynomial(*map(real, exp_tail))
    tanh_tail = _polynomial(*map(real, tanh_tail))
    log_tail = _polynomial(*map(real, log_tail))

    @_inline
    def reduce_exp(x):
        """x = k ln 2 + r, |r| <= ln(2)/2; returns k + SHIFT and r as high - low."""
        shifted = x * log2e + SHIFT
        k = shifted - SHIFT
        return shifted, x - k * ln2_high, k * ln2_low

    @_inline
    def power(shifted):
        """2^k in two factors, since 2^k itself may be no normal number."""
        biased = real(shifted).view(uint)  # k + 2 BIAS, under bits that shift out
        first = uint(biased >> UNIT)
        second = uint(biased - first)
        return real(uint(first << BITS).view(real)), real(
            uint(second << BITS).view(real)
        )

    @_inline
    def clamp(x, low, high):
        x = high if x > high else x
        return low if x < low else x

    @_inline
    def with_sign(y, x):
        """y >= 0 with the sign bit of x, also where both are zero."""
        return uint(real(y).view(uint) | uint(real(x).view(uint) & SIGN)).view(real)

    @_inline
    def exp(x):
        """e^x = 2^k e^r, e^r by a polynomial. Rounds once where it is subnormal."""
        shifted, high, low = reduce_exp(clamp(x, exp_min, exp_max))
        r = high - low
        y = one + (r + r * r * exp_tail(r))
        first, second = power(shifted)
        return y * first * second

    @_inline
    def expm1(x):
        """e^x - 1 = 2 (E (e^r - 1) + (E - 1/2)) with E = 2^(k-1)."""
        shifted, high, low = reduce_exp(clamp(x, -two * saturated, exp_max))
        r = high - low
        tail = r * r * exp_tail(r) - low
        e = uint(uint(real(shifted).view(uint) - HALVE) << BITS).view(real)
        y = two * (((e - half) + e * high) + e * tail)
        return x if x == zero else y  # -0.0

    @_inline
    def half_tanh(h):
        """e^2h = 2^k (1 + s) / (1 - s) with s = tanh z, |z| <= ln(2)/4."""
        shifted = h * two_log2e + SHIFT
        k = shifted - SHIFT
        z = (h - k * half_ln2_high) - k * half_ln2_low
        w = z * z
        return shifted, z + z * w * tanh_tail(w)

    @_inline
    def tanh(x):
        """With F = 2^-k, n = (1 - F) + s (1 + F) and d = (1 + F) + s (1 - F): n / d.

        Where y > 1/2 as 1 - (d - n) / d, where roundings of n and d count less.
        """
        size = abs(x)
        shifted, s = half_tanh(saturated if size > saturated else size)
        f = uint(REFLECT - uint(real(shifted).view(uint)) << BITS).view(real)
        far = size > far_from
        plus, minus = one + f, one - f
        d = plus + s * minus
        n = (f + f) * (s - one) if far else minus + s * plus
        return with_sign((one if far else zero) + n / d, x)

    @_inline
    def sigmoid(x):
        """1 / (1 + e^-x) as E (1 + s) / (E (1 + s) + (1 - s)) with E = 2^k."""
        shifted, s = half_tanh(half * clamp(x, exp_min, two * saturated))
        first, second = power(shifted)
        y = (one + s) * first * second
        return y / (one + (y - s))

    @_inline
    def mantissa(x):
        """x = 2^k m with m in [sqrt(1/2), sqrt(2)), x normal; returns k + BIAS, m."""
        bits = uint(uint(real(x).view(uint) - ROOT_BITS) + ONE_BITS)
        return uint(bits >> BITS), real(
            uint(uint(bits & MANTISSA) + ROOT_BITS).view(real)
        )

    @_inline
    def log_sum(biased, offset, f):
        """k ln 2 + log(1 + f) for k = biased - offset; log(1 + f) = 2 atanh s."""
        k = uint(biased + ROUND_BITS).view(real) - (ROUND + offset)
        s = f / (two + f)
        w = s * s
        square = half * f * f
        tail = s * (square + w * log_tail(w)) + k * ln2_low
        return k * ln2_high - ((square - tail) - f)

    @_inline
    def log(x):
        """log x = k ln 2 + log m, subnormals scaled up first."""
        small = x < tiny
        biased, m = mantissa(x * SCALE if small else x)
        y = log_sum(biased, SCALED_ZERO if small else K_ZERO, m - one)
        y = y if x > zero else (-inf if x == zero else nan)
        return y if x < inf else x + x  # inf, and NaN, whose comparisons are false

    @_inline
    def log1p(x):
        """log of u = 1 + x, with what the sum lost (Knuth's two-sum) put back into f."""
        u = one + x
        part = u - one
        lost = (one - (u - part)) + (x - part)
        biased, m = mantissa(u)
        # 2^-k as half of 2^(1-k): k = emax + 1 gives 0, not a bit pattern of inf
        scale = uint(uint(BIAS + BIAS + UNIT - biased) << BITS).view(real) * half
        y = log_sum(biased, K_ZERO, (m - one) + lost * scale)
        y = y if x > -one else (-inf if x == -one else nan)
        y = x if x == zero else y  # -0.0
        return y if x < inf else x + x

    return exp, expm1, log, log1p, tanh, sigmoid


# Coefficients from benchmarks/fit_vectormath.py, highest power first. ln 2 is split
# so that k times the first part is exact for every k that occurs.
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
    limits=(-104.5, 89.0, 10.0),
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
    limits=(-746.0, 710.0, 20.0),
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


def _two_over_pi_windows(count):
    """The 26-bit windows of the bits of 2/pi, one for each position of the first bit.

    Entry n holds bits of weight 2^(54-n) ... 2^(29-n); pi by Machin's formula.
    """
    digits = count + 32

    def arctan_inverse(n):
        total, power, odd = 0, (1 << digits) // n, 1
        while power:
            total += power // odd if odd % 4 == 1 else -(power // odd)
            power, odd = power // (n * n), odd + 2
        return total

    pi = 4 * (4 * arctan_inverse(5) - arctan_inverse(239))
    bits = (2 << (2 * digits)) // pi >> (digits + 29 - count)
    return np.array(
        [float(bits >> (count - n) & (2**26 - 1)) for n in range(count)], np.float64
    )


_WINDOWS = _two_over_pi_windows(1160)
_ROUND = np.float64(1.5 * 2.0**52)
_ROUND_BITS = np.uint64(_ROUND.view(np.uint64))
_ONE, _HALF = np.float64(1), np.float64(0.5)
_PIO2_HIGH, _PIO2_LOW = np.float64(1.5707963407039642), np.float64(-1.3909067614167116e-08)


@_inline
def _nearest(x):
    """The integer nearest to x, for |x| < 2^51."""
    return (x + _ROUND) - _ROUND


@_inline
def _two_sum(a, b):
    """a + b and what its rounding lost (Knuth)."""
    total = a + b
    part = total - a
    return total, (a - (total - part)) + (b - part)


@_inline
def _to_radians(quarter, lost):
    """(quarter + lost) pi/2 as a sum of two."""
    high = np.uint64(np.float64(quarter).view(np.uint64) & _U_HIGH).view(np.float64)
    low = (quarter - high) + lost
    small = high * _PIO2_LOW + low * (_PIO2_HIGH + _PIO2_LOW)
    r = high * _PIO2_HIGH + small
    return r, (high * _PIO2_HIGH - r) + small


_U_HIGH = np.uint64(2**64 - 2**27)
_U_LEAST, _U_EXP = np.uint64(1022), np.uint64(52)
_U_MANT, _U_ONE_BITS = np.uint64(2**52 - 1), np.uint64(_ONE.view(np.uint64))
_U = tuple(np.uint64(26 * i) for i in range(6))
_SPLIT26 = np.float64(1.5 * 2.0**27)
_W = tuple(np.float64(2.0 ** (28 - 26 * i)) for i in range(6))


@_inline
def _quarter_turns_float64(size):
    bits = np.float64(size).view(np.uint64)
    exponent = np.uint64(bits >> _U_EXP)
    j = np.uint64((exponent if exponent > _U_LEAST else _U_LEAST) - _U_LEAST)
    f = np.uint64(np.uint64(bits & _U_MANT) | _U_ONE_BITS).view(np.float64)
    high = (f + _SPLIT26) - _SPLIT26
    low = f - high
    w0 = _WINDOWS[j] * _W[0]
    w1 = _WINDOWS[j + _U[1]] * _W[1]
    w2 = _WINDOWS[j + _U[2]] * _W[2]
    w3 = _WINDOWS[j + _U[3]] * _W[3]
    w4 = _WINDOWS[j + _U[4]] * _W[4]
    w5 = _WINDOWS[j + _U[5]] * _W[5]
    a, b, c, d = low * w0, high * w1, low * w1, high * w2
    na, nb, nc, nd = _nearest(a), _nearest(b), _nearest(c), _nearest(d)
    main = ((a - na) + (b - nb)) + ((c - nc) + (d - nd))
    n = _nearest(main)
    main = main - n
    count = ((na + nb) + (nc + nd)) + n
    main, e1 = _two_sum(main, high * w3)
    main, e2 = _two_sum(main, low * w2)
    rest = (e1 + e2) + ((low * w3 + high * w4) + (low * w4 + high * w5))
    quarter = main + rest
    r, t = _to_radians(quarter, rest - (quarter - main))
    near = size < _HALF
    r = size if near else r
    t = t - t if near else t
    count = t - t if near else count
    return np.uint64(np.float64(count + _ROUND).view(np.uint64)), r, t


_W32 = tuple(np.float64(2.0 ** (-1 - 26 * i)) for i in range(4))
_U32 = tuple(np.uint64(30 + 26 * i) for i in range(4))
_U32_EXP, _U32_MANT, _U32_ONE = np.uint32(23), np.uint32(2**23 - 1), np.uint32(127 << 23)
_U32_LEAST = np.uint32(126)


@_inline
def _quarter_turns_float32(size):
    bits = np.float32(size).view(np.uint32)
    exponent = np.uint32(bits >> _U32_EXP)
    j = np.uint64((exponent if exponent > _U32_LEAST else _U32_LEAST) - np.uint32(127))
    f = np.float64(np.uint32(np.uint32(bits & _U32_MANT) | _U32_ONE).view(np.float32))
    a = f * (_WINDOWS[j + _U32[0]] * _W32[0])
    b = f * (_WINDOWS[j + _U32[1]] * _W32[1])
    c = f * (_WINDOWS[j + _U32[2]] * _W32[2])
    d = f * (_WINDOWS[j + _U32[3]] * _W32[3])
    na = _nearest(a)
    main = (a - na) + b
    n = _nearest(main)
    quarter = (main - n) + (c + d)
    r = quarter * (_PIO2_HIGH + _PIO2_LOW)
    near = size < np.float32(0.5)
    r = np.float64(size) if near else r
    count = r - r if near else na + n
    high = np.float32(r)
    return (
        np.uint32(np.float64(count + _ROUND).view(np.uint64)),
        high,
        np.float32(r - np.float64(high)),
    )


def _trigonometry(real, uint, quarter_turns, sin_tail, cos_tail):
    one, half, inf = real(1), real(0.5), real(np.inf)
    U1, U2, UTOP = uint(1), uint(2), uint(8 * uint(0).itemsize - 2)
    SIGN = uint(real(-0.0).view(uint))
    sin_tail = _polynomial(*map(real, sin_tail))
    cos_tail = _polynomial(*map(real, cos_tail))

    @_inline
    def turn(count, r, t, signs):
        w = r * r
        s = r + (r * w * sin_tail(w) + t * (one - half * w))
        h = half * w
        top = one - h
        c = top + (((one - top) - h) + (w * w * cos_tail(w) - r * t))
        y = c if uint(count & U1) == U1 else s
        flip = uint(uint(uint(count & U2) << UTOP) ^ signs)
        return uint(real(y).view(uint) ^ flip).view(real)

    @_inline
    def sin(x):
        count, r, t = quarter_turns(abs(x))
        y = turn(count, r, t, uint(real(x).view(uint) & SIGN))
        return y if abs(x) < inf else x - x

    @_inline
    def cos(x):
        count, r, t = quarter_turns(abs(x))
        y = turn(uint(count + U1), r, t, uint(0))
        return y if abs(x) < inf else x - x

    return sin, cos


sin_float32, cos_float32 = _trigonometry(
    np.float32,
    np.uint32,
    _quarter_turns_float32,
    sin_tail=(-0.00019587387, 0.008332746, -0.16666664),
    cos_tail=(2.4547437e-05, -0.00138883, 0.041666664),
)
sin_float64, cos_float64 = _trigonometry(
    np.float64,
    np.uint64,
    _quarter_turns_float64,
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
