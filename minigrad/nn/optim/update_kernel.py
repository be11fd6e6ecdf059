"""An optimiser's formula as one kernel: a single pass over memory for a big parameter.

    def row(n, new, k0, p, g, numbers):        RMSprop's, say
        ...
        for j in range(n):
            a0 = p[j]
            a1 = g[j]
            a2 = k0[j]
            ...
            new[j] = t9
            k0[j] = t5

The formula is traced as the rules of the engine are (`kernels/jit.py`), and compiled as
the fused groups of the compiler are.

Read next: `update_together.py` (all parameters of a compiled step).
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy import ndarray

from minigrad.engine.kernels import jit

SMALLEST = 1 << 14  # entries: NumPy is as fast below, and needs no compiling
_DTYPES = {"f": "float32", "d": "float64"}

Kernel = Callable[[ndarray, ndarray, Sequence[ndarray], Sequence[float]], ndarray]


def usable(p: ndarray) -> bool:
    """Is there a kernel for a parameter like this, and is it worth while?"""
    big = p.size >= SMALLEST and p.dtype.char in _DTYPES
    return jit.enabled and big and jit.numba_works()


def update_kernel(
    formula: Callable[..., Any], kept: int, numbers: int, char: str
) -> Kernel:
    """(p, g, kept arrays, numbers) -> the new p; the kept arrays are written to.

    formula  (p, g, kept, numbers) -> the new p, then what is kept, entry by entry
    kept     how many arrays it keeps
    numbers  how many numbers it takes, the same for all entries
    char     the dtype's character
    All arrays are contiguous, of this dtype and of one size.
    """
    code = row_kernel(formula, kept, numbers, char)
    compute = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(code)

    def run(
        p: ndarray, g: ndarray, arrays: Sequence[ndarray], given: Sequence[float]
    ) -> ndarray:
        new = np.empty(p.shape, char)
        values = np.array(given, char)
        table = [1, p.size]
        for array in (new, *arrays, p, g, values):
            table += [array.ctypes.data, 0]
        addresses = np.array(table, np.int64)
        compute(addresses.ctypes.data)
        return new

    return run


def row_kernel(
    formula: Callable[..., Any], kept: int, numbers: int, char: str, apart: bool = False
) -> int:
    """The address of the kernel itself, which takes that of a row of whole numbers.

    The row has 1, the number of entries, then address and 0 for each of: the new p, the
    arrays that are kept, p, g, and the numbers.

    apart  what is kept afterwards is written elsewhere, not over what was there: its
           places follow the numbers
    """
    from minigrad.compiler.kernel_text import compiled

    made = compiled(_text(formula, kept, numbers, _DTYPES[char], apart))
    return int(made.address)


def _text(
    formula: Callable[..., Any], kept: int, numbers: int, dtype: str, apart: bool
) -> str:
    """The kernel's text: see `compiler/kernel_text.py` for its form."""
    reads = ["p", "g", *[f"k{k}" for k in range(kept)]]
    names = [*reads, *[f"s{k}" for k in range(numbers)]]

    def traced(*texts: Any) -> Any:
        return formula(*texts[:2], texts[2 : 2 + kept], texts[2 + kept :])

    program = jit.Program(traced, names)
    known: list[str] = []
    body: list[str] = []
    for operation, *rest in program.lines:
        if operation == "input":
            [name] = rest
            k = len(known)
            known.append(f"a{k}" if name in reads else name)
            if name in reads:
                body.append(f"a{k} = {name}[j]")
            continue
        parts = rest if operation == "constant" else [known[i] for i in rest]
        known.append(f"t{len(known)}")
        body.append(f"{known[-1]} = {jit.written(operation, parts, dtype)}")
    outs = ["new", *reads[2:]]
    later = [f"l{k}" for k in range(kept)] if apart else []
    written = ["new", *later] if apart else outs
    for out, result in zip(written, program.results, strict=True):
        assert result is not None
        body.append(f"{out}[j] = {known[result]}")
    names = [*outs, "p", "g", "numbers", *later]
    places = range(2, 2 + 2 * len(names), 2)
    pointers = [f"pointer_{dtype}(a[{k}])" for k in places]
    lines = [
        f"def row(n, {', '.join(names)}):",
        "    unaliased()",
        *[f"    s{k} = numbers[{k}]" for k in range(numbers)],
        "    for j in range(n):",
        *[f"        {line}" for line in body],
        "",
        "",
        "def kernel(a):",
        f"    row(a[1], {', '.join(pointers)})",
        "",
    ]
    return "\n".join(lines)
