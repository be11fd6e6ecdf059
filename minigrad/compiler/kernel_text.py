"""From a group of elementwise values to the text of a numba kernel, and the kernel.

    def row(n, o0, i0, i1):                one row of the entries
        unaliased()
        s1 = i1[0]                         an operand that is the same along the row
        for j in range(n):
            a0 = i0[j]
            t0 = a0 * s1
            o0[j] = t0

Names count from zero, so equal groups at other time steps have equal texts, and share
one kernel: in memory, and on disk by the engine's own store.

Read next: `register_tiles.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from minigrad.compiler.value_form import Val
from minigrad.engine.kernels import jit, kernel_store
from minigrad.engine.primitives import TABLE

_LITERALS = (0.0, 1.0, -1.0, 0.5, 2.0)  # others are arguments: 1/N changes with N


class Operand(NamedTuple):
    """What a kernel reads: a value, and whether it is one entry for a whole row."""

    value: Val
    same: bool


class Written(NamedTuple):
    """A kernel's text, and what its pointers lead to.

    reads   values and whether each is the same along a row
    writes  values, as often as they have places
    """

    text: str
    reads: list[Operand]
    writes: list[Val]


def written(
    members: Sequence[Val],
    same: Any,
    writes: Sequence[Val],
    over: Mapping[Val, int] | None = None,
) -> Written:
    """The text of a group.

    members  in an order in which each comes after its operands
    same     (value) -> is it one entry along a row? Then numbers may be literals
    writes   the members to store, one by one, as often as they have places
    over     operands that are written over, and by which of the writes: both are one
             pointer, as no two pointers may lead to the same memory
    """
    names: dict[Val, str] = {}
    reads: list[Operand] = []
    head: list[str] = []
    body: list[str] = []
    for value in members:
        for a in value.args:
            if a in names:
                continue
            if over and a in over:
                names[a] = f"b{over[a]}"
                body.append(f"{names[a]} = o{over[a]}[j]")
            else:
                names[a] = _operand(a, same, reads, head, body)
        _formula(value, names, body)
    for k, value in enumerate(writes):
        stored = names[value]
        if value.dtype == bool:
            stored = f"np.uint8(1) if {stored} else np.uint8(0)"
        body.append(f"o{k}[j] = {stored}")
    outs = [f"o{k}" for k in range(len(writes))]
    ins = [f"i{k}" for k in range(len(reads))]
    dtypes = [v.dtype for v in writes] + [r.value.dtype for r in reads]
    pointers = [
        f"pointer_{d.name}(a[{2 + 2 * k}] + r * a[{3 + 2 * k}])"
        for k, d in enumerate(dtypes)
    ]
    lines = [
        f"def row(n, {', '.join(outs + ins)}):",
        "    unaliased()",
        *[f"    {line}" for line in head],
        "    for j in range(n):",
        *[f"        {line}" for line in body],
        "",
        "",
        "def kernel(a):",
        "    for r in range(a[0]):",
        f"        row(a[1], {', '.join(pointers)})",
        "",
    ]
    return Written("\n".join(lines), reads, list(writes))


def kind_of(
    members: Sequence[Val],
    same: Mapping[Val, bool],
    writes: Sequence[Val],
    over: Mapping[Val, int],
) -> tuple[Any, ...]:
    """What the text of a group depends on: groups of one kind have one text.

    same  the operands from outside, in order, and whether each is one entry for a row
    """
    number = {value: k for k, value in enumerate([*same, *members])}
    return (
        tuple(
            [
                (a.dtype.char, one, over.get(a), a.attrs if a.op == "full" else None)
                for a, one in same.items()
            ]
        ),
        tuple([(v.attrs, v.dtype.char, *[number[a] for a in v.args]) for v in members]),
        tuple([number[v] for v in writes]),
    )


def _operand(
    a: Val, same: Any, reads: list[Operand], head: list[str], body: list[str]
) -> str:
    """The name of an operand from outside, written where it is read."""
    if a.op == "full" and same(a):
        number = np.frombuffer(a.attrs, a.dtype)[0]
        if a.dtype == bool:
            return "True" if number else "False"
        if float(number) in _LITERALS and not (number == 0 and np.signbit(number)):
            return jit.written("constant", [float(number)], a.dtype.name)
    k = len(reads)
    reads.append(Operand(a, same(a)))
    name = f"{'s' if reads[k].same else 'a'}{k}"
    source = f"i{k}[{'0' if reads[k].same else 'j'}]"
    if a.dtype == bool:
        source += " != 0"
    (head if reads[k].same else body).append(f"{name} = {source}")
    return name


def _formula(value: Val, names: dict[Val, str], body: list[str]) -> None:
    """Append the lines that compute a value from its operands."""
    operands = [names[a] for a in value.args]
    if value.attrs == "copy":
        names[value] = operands[0]
        return
    result = names[value] = f"t{len(names)}"
    dtype = next((x.dtype for x in (value, *value.args) if x.dtype.kind == "f"), None)
    if value.attrs == "astype":
        real = f"np.{value.dtype.name}"
        body.append(f"{result} = {real}(1.0) if {operands[0]} else {real}(0.0)")
        return
    assert dtype is not None
    scalar: Any = TABLE[value.attrs]
    program = jit.scalar_program(scalar.scalar)
    assert program is not None
    [wanted] = program.results
    known: list[str] = []
    for k, (operation, *rest) in enumerate(program.lines):
        if operation == "input":
            known.append(operands[k])
            continue
        parts = rest if operation == "constant" else [known[i] for i in rest]
        text = jit.written(operation, parts, dtype.name)
        if operation == "constant":
            known.append(text)
            continue
        known.append(result if k == wanted else f"{result}_{k}")
        body.append(f"{known[k]} = {text}")
    assert wanted is not None
    if known[wanted] != result:  # the result is an operand itself
        body.append(f"{result} = {known[wanted]}")


@cache
def digest() -> str:
    """Names the texts that kernels take their functions from."""
    import hashlib
    import inspect

    from minigrad.compiler import pointers

    text = inspect.getsource(pointers).encode()
    return f"{jit.vectormath_digest()} {hashlib.sha256(text).hexdigest()[:16]}"


@cache
def compiled(text: str) -> Any:
    """The kernel of a text, with its `address`."""
    import numba

    source = f"""# functions {digest()}
import numpy as np
from numba import njit

import math
from minigrad.compiler.pointers import *
from minigrad.engine.kernels.vectormath import *

@njit(error_model="numpy", fastmath={{"contract"}})
{text}"""

    def make(module: Any, keep: bool) -> Any:
        kind = numba.types.void(numba.types.CPointer(numba.types.int64))
        return numba.cfunc(kind, cache=keep)(module.kernel)

    return kernel_store.compiled(source, "fused", make)
