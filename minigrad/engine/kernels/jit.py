"""From a scalar function or rule to a numba kernel: trace, write, compile, remember.

    def tanh_vjp(g, y, x): return (g * (1.0 - y * y),)

run on `Text` operands leaves a program, from which one kernel per needed input and
dtype is written:

    def tanh_vjp_0(g, y):
        t1 = np.float32(1.0)
        t2 = y * y
        ...

`numba.vectorize` compiles it into a genuine NumPy ufunc: one pass over memory, no
temporaries, broadcasting and strides as NumPy does them. (The ufunc inside the DUFunc
that numba returns is called directly: a call costs 1 us instead of 5.) Kernels are
keyed by their text: equal programs share one kernel, in memory and in a private cache
on disk.

Without numba, or with MINIGRAD_KERNELS=off, `enabled` is false and every reader runs
the same Python functions on NumPy arrays instead.

Read next: `kernel_store.py`.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache, lru_cache
from types import ModuleType
from typing import Any

import numpy as np

from minigrad.engine.errors import MinigradError, warn
from minigrad.engine.kernels.intrinsics import Text

# How each word of a traced program is written for numba. Comparisons and `where` become
# selects; constants are cast once, to the kernel's dtype, or float32 would be promoted.
_WRITTEN = {
    "add": "{} + {}",
    "subtract": "{} - {}",
    "multiply": "{} * {}",
    "divide": "{} / {}",
    "power": "{} ** {}",
    "negative": "-{}",
    "less": "{} < {}",
    "less_equal": "{} <= {}",
    "greater": "{} > {}",
    "greater_equal": "{} >= {}",
    "equal": "{} == {}",
    "not_equal": "{} != {}",
    "where": "{1} if {0} else {2}",
    # As NumPy's: NaN wins, and of equals the second: maximum(-0.0, 0.0) is 0.0.
    "maximum": "{0} if ({0} > {1} or {0} != {0}) else {1}",
    "minimum": "{0} if ({0} < {1} or {0} != {0}) else {1}",
    "absolute": "abs({})",
    "sqrt": "math.sqrt({})",
}
_IN_VECTORMATH = {"exp", "expm1", "log", "log1p", "tanh", "sigmoid"}
_WORDS = {"input", "constant", *_WRITTEN, *_IN_VECTORMATH}
_DTYPES = {"f": "float32", "d": "float64"}


def _installed() -> bool:
    """Is there a numba? Whether it works shows when it is first needed."""
    try:
        return importlib.util.find_spec("numba") is not None
    except (ImportError, ValueError):  # something stands in its place
        return True


def _usable() -> bool:
    wanted = os.environ.get("MINIGRAD_KERNELS", "on").lower() not in ("off", "0", "no")
    jit_on = os.environ.get("NUMBA_DISABLE_JIT", "0") in ("", "0")
    return wanted and jit_on and _installed()


enabled: bool = _usable()  # are kernels in use? Read as jit.enabled


@lru_cache(maxsize=1)
def numba_works() -> bool:
    """Can numba be imported? If not, kernels are off from now on, and a warning says
    so: it may be installed and too old for the NumPy beside it."""
    from minigrad.engine.kernels.kernel_store import compiling

    try:
        with compiling:
            import numba  # noqa: F401
    except Exception as error:
        _give_up("be imported", "import numba", error)
        return False
    return True


def _give_up(what: str, expect: str, error: Exception) -> None:
    """No kernels from now on; one warning says why."""
    global enabled
    enabled = False
    warn(
        f"numba is installed but cannot {what}: NumPy does the work, slower",
        expect=expect,
        actual=f"{type(error).__name__}: {error}"[:200],
        hint="pip install --upgrade numba, or pip uninstall numba",
    )


@contextmanager
def use_kernels(on: bool) -> Iterator[None]:
    """Within it kernels are used, or are not. For tests and comparisons."""
    global enabled
    before, enabled = enabled, on and _installed()
    try:
        yield
    finally:
        enabled = before


def argument_names(function: Callable[..., Any]) -> tuple[str, ...]:
    """The positional arguments of a Python function."""
    code = function.__code__
    return code.co_varnames[: code.co_argcount]


class Program:
    """What a traced function does: lines of (operation, operands), and its results.

    lines    the first len(names) are the inputs, ("input", name)
    results  per output: an index into lines, or None (no derivative)
    contract may a product and a sum be rounded as one, where that is faster?
    """

    def __init__(
        self, function: Callable[..., Any], names: Sequence[str], contract: bool = True
    ) -> None:
        self.contract = contract
        self.names = tuple(names)
        self.lines: list[tuple[Any, ...]] = [("input", name) for name in names]
        texts = [Text(self.lines, k) for k in range(len(names))]
        outputs = function(*texts)
        if not isinstance(outputs, tuple):
            outputs = (outputs,)
        self.results = [
            None if out is None else Text.operand(self.lines, out) for out in outputs
        ]

    def needed(self, result: int) -> list[int]:
        """The lines that `result` depends on, itself last, in order."""
        keep = {result}
        for index in range(result, -1, -1):
            if index in keep and self.lines[index][0] not in ("input", "constant"):
                keep.update(self.lines[index][1:])
        return sorted(keep)

    def operands(self, result: int) -> tuple[int, ...]:
        """Which inputs `result` depends on."""
        return tuple(k for k in self.needed(result) if self.lines[k][0] == "input")

    def text(self, name: str, result: int, dtype: str) -> str:
        """The source of a scalar function of the needed inputs."""
        needed = self.needed(result)
        known: dict[int, str] = {}
        body = []
        for index in needed:
            operation, *rest = self.lines[index]
            if operation == "input":
                known[index] = rest[0]
                continue
            known[index] = f"t{len(known)}"
            operands = rest if operation == "constant" else [known[k] for k in rest]
            formula = written(operation, operands, dtype)
            body.append(f"    {known[index]} = {formula}\n")
        arguments = ", ".join(known[k] for k in self.operands(result))
        body.append(f"    return inlined({known[result]})\n")
        return f"def {name}({arguments}):\n{''.join(body)}"


def written(operation: str, operands: Sequence[Any], dtype: str) -> str:
    """A line of a program as numba's text: operands are names, or a constant's number.

    Constants are cast once, to the kernel's dtype, or float32 would be promoted.
    """
    if operation == "constant":
        [number] = operands
        text = repr(number) if np.isfinite(number) else f"np.{number}"
        return f"np.{dtype}({text.replace('np.-', '-np.')})"
    if operation in _IN_VECTORMATH:
        return f"{operation}_{dtype}({operands[0]})"
    return _WRITTEN[operation].format(*operands)


@cache
def scalar_program(scalar: Callable[..., Any]) -> Program | None:
    """A scalar function's program, if numba's text has all of its words; else None."""
    program = Program(scalar, argument_names(scalar))
    return program if {line[0] for line in program.lines} <= _WORDS else None


class Kernel:
    """One result of a program as a ufunc for one dtype, and the operands it takes."""

    def __init__(self, program: Program, result: int, name: str, dtype: str) -> None:
        self.operands = program.operands(result)
        self.text = program.text(name, result, dtype)
        arguments = ", ".join([dtype] * len(self.operands))
        signature = f"{dtype}({arguments})"
        self.ufunc = _compile(self.text, name, signature, program.contract)


def kernel(program: Program, result: int, name: str, char: str) -> Kernel | None:
    """The kernel for a dtype's character; None where NumPy is to compute it: for other
    dtypes, for constants, and for what NumPy's own functions do faster (sine, cosine).
    """
    dtype = _DTYPES.get(char)
    words = {program.lines[index][0] for index in program.needed(result)}
    if dtype is None or "input" not in words or not words <= _WORDS:
        return None
    if not numba_works():
        return None
    try:
        return Kernel(program, result, name, dtype)
    except MinigradError:
        raise
    except Exception as error:  # it imports, and does not fit what is beside it
        _give_up("compile", "a kernel", error)
        return None


@cache
def _compile(text: str, name: str, signature: str, contract: bool) -> Any:
    from minigrad.engine.kernels import kernel_store

    with kernel_store.compiling:
        import numba

        from minigrad.engine.kernels import vectormath

    apart = "" if contract else "every operation rounded, "
    source = f"""# {signature}, {apart}vectormath {vectormath_digest()}
import math

import numpy as np

from minigrad.engine.kernels.vectormath import *
from minigrad.engine.kernels.vectormath import inlined


{text}"""

    def make(module: ModuleType, keep: bool) -> Any:
        options = {**vectormath.VECTORIZE_OPTIONS}
        if not contract:
            options["fastmath"] = False
        scalar = getattr(module, name)
        dufunc = numba.vectorize([signature], cache=keep, **options)(scalar)
        return getattr(dufunc, "ufunc", dufunc)

    return kernel_store.compiled(source, name, make)


@lru_cache(maxsize=1)
def vectormath_digest() -> str:
    """Names the text that a kernel takes its functions from: another one makes another
    kernel."""
    import hashlib
    import inspect

    from minigrad.engine.kernels import vectormath

    return hashlib.sha256(inspect.getsource(vectormath).encode()).hexdigest()[:16]
