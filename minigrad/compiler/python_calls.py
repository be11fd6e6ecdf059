"""What no kernel does, as functions of a call's values: NumPy does it, or Python.

Each function here makes one such function, with the places of its operands looked up
once. Its argument, `live`, has the arrays of the call by number, and by value what
functions have made in this call.

Read next: `plan.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.compiler.guard import another_shape
from minigrad.compiler.place import Place
from minigrad.compiler.plan_memory import Memory, by_rows
from minigrad.compiler.value_form import Val
from minigrad.engine.primitives import TABLE

Call = Callable[[Any], None]


def by_numpy(
    memory: Memory, members: list[Val], writes: list[tuple[Val, Place]]
) -> Call:
    """A few numbers, such as a loss: not worth a kernel of their own."""
    own = set(members)
    gets = {a: memory.get(a) for v in members for a in v.args if a not in own}
    stores = [(v, memory.at(v, place)(())) for v, place in writes]
    functions = {v: value_of(v) for v in members}

    def compute(live: Any) -> None:
        known = {a: get(live) for a, get in gets.items()}
        for v, function in functions.items():
            known[v] = function(*[known[a] for a in v.args])
        for v, out in stores:
            np.copyto(out, known[v])

    return compute


def value_of(value: Val) -> Callable[..., Any]:
    """An elementwise value's operation as a function of arrays."""
    if value.attrs == "copy":
        return lambda x: x
    if value.attrs == "astype":
        return lambda x: x.astype(value.dtype)
    return TABLE[value.attrs].value


def product(memory: Memory, value: Val) -> Call:
    """A matrix product by `np.matmul`."""
    left, right = (memory.get(a) for a in value.args)
    flip_left, flip_right = value.attrs
    out = memory.get(value)(())

    def multiply(live: Any) -> None:
        a, b = left(live), right(live)
        a, b = a.T if flip_left else a, b.T if flip_right else b
        np.matmul(a, b, out=out)

    return multiply


def transposed(memory: Memory, value: Val) -> Call:
    """A transposed copy of a matrix."""
    source, out = memory.get(value.args[0]), memory.get(value)(())
    return lambda live: np.copyto(out, source(live).T)


def total(memory: Memory, value: Val) -> Call:
    """The sum over some axes."""
    source, axes = memory.get(value.args[0]), value.attrs
    out = memory.get(value)(())
    return lambda live: np.copyto(out, np.add.reduce(source(live), axes))


def function_of(
    memory: Memory,
    value: Val,
    function: Callable[..., Any],
    options: dict[str, Any],
    entry: Any,
) -> Call:
    """A function of arrays; its results stay among the call's values.

    entry  the program's line: if a result has another shape than in the trace, the
           CompileError names it
    """
    sources = [memory.get(a) for a in value.args]
    parts = memory.places.parts.get(value, [])
    if value.op == "general" and not parts:
        parts = [(None, value)]
    keep = []
    for k, part in parts:
        kept = memory.holds(part)
        keep.append((k, part, memory.get(part)(()) if kept else None))

    def run(live: Any) -> None:
        made = function(*[get(live) for get in sources], **options)
        for k, part, out in keep:
            found = made if k is None or type(made) is not tuple else made[k]
            if found.shape != part.shape:
                raise another_shape(entry, part.shape, found.shape)
            if out is None:
                array = by_rows(np.asarray(found))
                # A view of the plan's memory, such as x[1:], would be written over.
                within = np.may_share_memory(array, memory.arena)
                live[part] = array.copy() if within else array
            else:
                np.copyto(out, found)

    return run
