"""Elementwise primitives: one scalar function and one rule each.

Both are ordinary arithmetic over the intrinsics, so the same text gives the value, the
kernels, the recorded backward graph, the formula to show and the proof (SymPy's own
derivative of the scalar function must equal the rule).

Kinks follow PyTorch: relu'(0) = abs'(0) = 0, clip' = 1 at the bounds, and of two equals
`maximum` and `minimum` each get one half.

Read next: `bounds.py`.
"""

from __future__ import annotations

import numpy as np

from minigrad.engine.kernels import intrinsics as fn
from minigrad.engine.primitives.fused import elementwise

# ------------------------------------------------------------- arithmetic


@elementwise(numpy=np.add)
def add(a, b):
    """y = a + b."""
    return a + b


@add.defvjp
def add_vjp(g, y, a, b):
    """dL/da = g, dL/db = g."""
    return g, g


@elementwise(numpy=np.subtract)
def subtract(a, b):
    """y = a - b."""
    return a - b


@subtract.defvjp
def subtract_vjp(g, y, a, b):
    """dL/da = g, dL/db = -g."""
    return g, -g


@elementwise(numpy=np.multiply)
def multiply(a, b):
    """y = a * b."""
    return a * b


@multiply.defvjp
def multiply_vjp(g, y, a, b):
    """dL/da = g * b, dL/db = g * a."""
    return g * b, g * a


@elementwise(numpy=np.divide)
def divide(a, b):
    """y = a / b."""
    return a / b


@divide.defvjp
def divide_vjp(g, y, a, b):
    """dL/da = g / b, dL/db = -g * y / b."""
    return g / b, -(g * y) / b


@elementwise(numpy=np.negative)
def negative(x):
    """y = -x."""
    return -x


@negative.defvjp
def negative_vjp(g, y, x):
    """dL/dx = -g."""
    return (-g,)


def _power(a, b):
    if np.ndim(b) == 0:  # NumPy has fast paths for whole and half exponents
        dtype = np.asarray(a).dtype
        if dtype.kind in "iub" and b < 0:
            return np.float_power(a, b)
        if not isinstance(b, np.ndarray | np.generic) or b.dtype == dtype:
            return a ** (b.item() if hasattr(b, "item") else b)
    return np.power(a, b)


@elementwise(numpy=_power, fused=False)
def power(a, b):
    """y = a ** b."""
    return a**b


@power.defvjp
def power_vjp(g, y, a, b, *, needs):
    """dL/da = g * b * a^(b-1), dL/db = g * y * log(a).

    At a = 0 two limits are set by hand: x^0 does not depend on x, and 0^b not on b,
    where the formulas alone would give 0 * infinity.
    """
    at_zero = equal(a, 0.0)
    da = db = None
    if needs[0]:
        base = where(at_zero, where(equal(b, 0.0), 1.0, a), a)
        da = g * b * base ** (b - 1.0)
    if needs[1]:
        db = g * y * log(where(at_zero, 1.0, a))
    return da, db


# ------------------------------------------------------------- exponentials


@elementwise()
def exp(x):
    """y = e^x."""
    return fn.exp(x)


@exp.defvjp
def exp_vjp(g, y, x):
    """dL/dx = g * y."""
    return (g * y,)


@elementwise()
def log(x):
    """y = ln x; -inf at 0, NaN below."""
    return fn.log(x)


@log.defvjp
def log_vjp(g, y, x):
    """dL/dx = g / x."""
    return (g / x,)


@elementwise(numpy=np.log1p)
def log1p(x):
    """y = ln(1 + x), exact for small x."""
    return fn.log1p(x)


@log1p.defvjp
def log1p_vjp(g, y, x):
    """dL/dx = g / (1 + x)."""
    return (g / (1.0 + x),)


@elementwise(numpy=np.expm1)
def expm1(x):
    """y = e^x - 1, exact for small x."""
    return fn.expm1(x)


@expm1.defvjp
def expm1_vjp(g, y, x):
    """dL/dx = g * e^x; written with e^x, since y + 1 loses e^x below x = -37."""
    return (g * exp(x),)


@elementwise(numpy=np.sqrt)
def sqrt(x):
    """y = the square root of x; NaN below 0."""
    return fn.sqrt(x)


@sqrt.defvjp
def sqrt_vjp(g, y, x):
    """dL/dx = g / (2 y); infinite at 0, as the slope is."""
    return (g / (2.0 * y),)


# ------------------------------------------------------------- activations


@elementwise()
def tanh(x):
    """y = tanh x, in [-1, 1]."""
    return fn.tanh(x)


@tanh.defvjp
def tanh_vjp(g, y, x):
    """dL/dx = g * (1 - y^2); exactly 0 once |x| >= 19 (float64) or 9 (float32)."""
    return (g * (1.0 - y * y),)


@elementwise()
def sigmoid(x):
    """y = 1 / (1 + e^-x), the logistic function, in [0, 1]; exact in both tails."""
    return fn.sigmoid(x)


@sigmoid.defvjp
def sigmoid_vjp(g, y, x):
    """dL/dx = g * y * (1 - y)."""
    return (g * (y * (1.0 - y)),)


@elementwise()
def softplus(x):
    """y = ln(1 + e^x), without overflow."""
    return fn.maximum(x, 0.0) + fn.log1p(fn.exp(-fn.absolute(x)))


@softplus.defvjp
def softplus_vjp(g, y, x):
    """dL/dx = g * sigmoid(x)."""
    return (g * sigmoid(x),)


@elementwise()
def relu(x):
    """y = x where x > 0, else 0; NaN stays NaN."""
    return fn.maximum(x, 0.0)


@relu.defvjp
def relu_vjp(g, y, x):
    """dL/dx = g where x > 0, else 0; relu'(0) = 0."""
    return (where(x > 0.0, g, 0.0),)


@elementwise(numpy=np.absolute)
def absolute(x):
    """y = |x|."""
    return fn.absolute(x)


@absolute.defvjp
def absolute_vjp(g, y, x):
    """dL/dx = g * sign(x); abs'(0) = 0."""
    return (where(x > 0.0, g, where(x < 0.0, -g, 0.0)),)


@elementwise(numpy=np.sin)
def sin(x):
    """y = sin x, x in radians."""
    return fn.sin(x)


@sin.defvjp
def sin_vjp(g, y, x):
    """dL/dx = g * cos x."""
    return (g * cos(x),)


@elementwise(numpy=np.cos)
def cos(x):
    """y = cos x, x in radians."""
    return fn.cos(x)


@cos.defvjp
def cos_vjp(g, y, x):
    """dL/dx = -g * sin x."""
    return (-g * sin(x),)


# ------------------------------------------------------------- choices


@elementwise(numpy=np.maximum)
def maximum(a, b):
    """y = the larger of a and b; NaN if either is."""
    return fn.maximum(a, b)


@maximum.defvjp
def maximum_vjp(g, y, a, b):
    """The larger gets g; of equals each gets one half."""
    half = 0.5 * g
    return (
        where(a > b, g, where(equal(a, b), half, 0.0)),
        where(b > a, g, where(equal(a, b), half, 0.0)),
    )


@elementwise(numpy=np.minimum)
def minimum(a, b):
    """y = the smaller of a and b; NaN if either is."""
    return fn.minimum(a, b)


@minimum.defvjp
def minimum_vjp(g, y, a, b):
    """The smaller gets g; of equals each gets one half."""
    half = 0.5 * g
    return (
        where(a < b, g, where(equal(a, b), half, 0.0)),
        where(b < a, g, where(equal(a, b), half, 0.0)),
    )


@elementwise(numpy=np.where)
def where(condition, a, b):
    """y = a where the condition holds, else b."""
    return fn.where(condition, a, b)


@where.defvjp
def where_vjp(g, y, condition, a, b):
    """The one chosen gets g, the other 0; the condition has no derivative."""
    return None, where(condition, g, 0.0), where(condition, 0.0, g)


@elementwise()
def clip(x, low, high):
    """y = x, but at least `low` and at most `high`."""
    return fn.minimum(fn.maximum(x, low), high)


@clip.defvjp
def clip_vjp(g, y, x, low, high):
    """x gets g within the bounds and on them; beyond a bound, the bound gets it."""
    return (
        where(x < low, 0.0, where(x > high, 0.0, g)),
        where(x < low, where(low > high, 0.0, g), 0.0),
        where(x > high, g, where(low > high, g, 0.0)),
    )


# ------------------------------------------------------------- comparisons: constants


@elementwise(numpy=np.equal)
def equal(a, b):
    """Is a equal to b? A boolean constant, as for all comparisons."""
    return fn.equal(a, b)


@elementwise(numpy=np.not_equal)
def not_equal(a, b):
    """Is a different from b?"""
    return fn.not_equal(a, b)


@elementwise(numpy=np.less)
def less(a, b):
    """Is a smaller than b?"""
    return a < b


@elementwise(numpy=np.less_equal)
def less_equal(a, b):
    """Is a at most b?"""
    return a <= b


@elementwise(numpy=np.greater)
def greater(a, b):
    """Is a larger than b?"""
    return a > b


@elementwise(numpy=np.greater_equal)
def greater_equal(a, b):
    """Is a at least b?"""
    return a >= b
