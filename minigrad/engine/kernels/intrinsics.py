"""A dozen scalar functions, each meaning spelled out once: what kernels are made of.

A scalar function or a rule of `primitives/elementwise.py` is written over these and
over ordinary arithmetic. It runs unchanged on three kinds of operand:

    NumPy arrays and numbers     the value
    `Text` (of `jit.py`)     the lines of a numba kernel
    SymPy expressions            the proof that a rule is right, and the formula to show

Read next: `jit.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

_NUMPY = (np.ndarray, np.generic, int, float, complex)


class Text:
    """An operand whose operations are written down instead of computed.

    `program` is a list of (operation, operands) shared by all texts of one trace; a
    text is an index into it. The same operation on the same operands is written only
    once.
    """

    __slots__ = ("index", "program")
    __array_ufunc__ = None

    def __init__(self, program: list[tuple[Any, ...]], index: int) -> None:
        self.program = program
        self.index = index

    @classmethod
    def write(cls, operation: str, *operands: Any) -> Text:
        """Append one line to the program of the operands, or find it there."""
        program = next(x.program for x in operands if isinstance(x, Text))
        line = (operation, *(cls.operand(program, x) for x in operands))
        return cls(program, _line_index(program, line))

    @staticmethod
    def operand(program: list[tuple[Any, ...]], x: Any) -> int:
        """The line that holds `x`: its own, or one for a constant."""
        if isinstance(x, Text):
            return x.index
        return _line_index(program, ("constant", float(x)))

    def __add__(self, other: Any) -> Text:
        return Text.write("add", self, other)

    def __radd__(self, other: Any) -> Text:
        return Text.write("add", other, self)

    def __sub__(self, other: Any) -> Text:
        return Text.write("subtract", self, other)

    def __rsub__(self, other: Any) -> Text:
        return Text.write("subtract", other, self)

    def __mul__(self, other: Any) -> Text:
        return Text.write("multiply", self, other)

    def __rmul__(self, other: Any) -> Text:
        return Text.write("multiply", other, self)

    def __truediv__(self, other: Any) -> Text:
        return Text.write("divide", self, other)

    def __rtruediv__(self, other: Any) -> Text:
        return Text.write("divide", other, self)

    def __pow__(self, other: Any) -> Text:
        return Text.write("power", self, other)

    def __rpow__(self, other: Any) -> Text:
        return Text.write("power", other, self)

    def __neg__(self) -> Text:
        return Text.write("negative", self)

    def __lt__(self, other: Any) -> Text:
        return Text.write("less", self, other)

    def __le__(self, other: Any) -> Text:
        return Text.write("less_equal", self, other)

    def __gt__(self, other: Any) -> Text:
        return Text.write("greater", self, other)

    def __ge__(self, other: Any) -> Text:
        return Text.write("greater_equal", self, other)


def _line_index(program: list[tuple[Any, ...]], line: tuple[Any, ...]) -> int:
    # 0.0 and -0.0 compare equal; their signs must not be merged.
    for index, known in enumerate(program):
        if known == line and repr(known) == repr(line):
            return index
    program.append(line)
    return len(program) - 1


class Intrinsic:
    """One scalar function with its meanings.

    name    the word in traced programs (see `jit.py` for its text there)
    numpy   on arrays
    sympy   on expressions: called with the sympy module and the operands
    """

    __slots__ = ("name", "numpy", "sympy")

    def __init__(
        self, name: str, numpy: Callable[..., Any], sympy: Callable[..., Any]
    ) -> None:
        self.name, self.numpy, self.sympy = name, numpy, sympy

    def __call__(self, *operands: Any) -> Any:
        if any(isinstance(x, Text) for x in operands):
            return Text.write(self.name, *operands)
        if all(isinstance(x, _NUMPY) for x in operands):
            return self.numpy(*operands)
        import sympy

        return self.sympy(sympy, *operands)


def _sigmoid(x: Any) -> Any:
    """1 / (1 + e^-x) without overflow: e^-|x| is at most 1 (two branches).

    What 1 + e^-|x| lost by rounding is put right, as in the kernel.
    """
    if np.iscomplexobj(x):
        return 1.0 / (1.0 + np.exp(-x))
    small, below = np.exp(-np.abs(x)), np.signbit(x)
    whole = 1.0 + small
    y = np.where(below, small, 1.0) / whole
    return y - y * (np.where(below, 1.0 - y, y) * (small - (whole - 1.0)))


def _where(sp: Any, condition: Any, a: Any, b: Any) -> Any:
    return sp.Piecewise((a, condition), (b, True))


exp = Intrinsic("exp", np.exp, lambda sp, x: sp.exp(x))
log = Intrinsic("log", np.log, lambda sp, x: sp.log(x))
log1p = Intrinsic("log1p", np.log1p, lambda sp, x: sp.log(1 + x))
expm1 = Intrinsic("expm1", np.expm1, lambda sp, x: sp.exp(x) - 1)
tanh = Intrinsic("tanh", np.tanh, lambda sp, x: sp.tanh(x))
sigmoid = Intrinsic("sigmoid", _sigmoid, lambda sp, x: 1 / (1 + sp.exp(-x)))
sin = Intrinsic("sin", np.sin, lambda sp, x: sp.sin(x))
cos = Intrinsic("cos", np.cos, lambda sp, x: sp.cos(x))
sqrt = Intrinsic("sqrt", np.sqrt, lambda sp, x: sp.sqrt(x))
absolute = Intrinsic("absolute", np.absolute, lambda sp, x: sp.Abs(x))
maximum = Intrinsic("maximum", np.maximum, lambda sp, a, b: sp.Max(a, b))
minimum = Intrinsic("minimum", np.minimum, lambda sp, a, b: sp.Min(a, b))
where = Intrinsic("where", np.where, _where)
equal = Intrinsic("equal", np.equal, lambda sp, a, b: sp.Eq(a, b))
not_equal = Intrinsic("not_equal", np.not_equal, lambda sp, a, b: sp.Ne(a, b))
