"""From the entries of a program to values: one rule for each primitive that is known.

What has no rule here stays a function of arrays ("general"), so that every program can
be lowered; what has one is within reach of the passes.

Read next: `rewriting.py`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from minigrad.compiler.program import Program
from minigrad.compiler.trace import Entry
from minigrad.compiler.value_builder import Builder
from minigrad.compiler.value_form import Shape, Val
from minigrad.engine.aliases import Attrs
from minigrad.engine.kernels import jit
from minigrad.engine.primitives import TABLE
from minigrad.engine.primitives.fused import Elementwise

FLOATS = (np.dtype("float32"), np.dtype("float64"))
_BOOL = np.dtype(bool)
_COMPARED = {"equal", "not_equal", "less", "less_equal", "greater", "greater_equal"}


class Lowered:
    """A program as values.

    values   of the program's own values, by number
    outside  what has to be done in order: the "outside" values
    """

    def __init__(self, program: Program) -> None:
        self.builder = Builder()
        self.values: list[Any] = [None] * len(program.values)
        self.outside: list[Val] = []
        for k, value in enumerate(program.values):
            if value.kind != "made":
                self.values[k] = self._given(k, value)
        for number, entry in enumerate(program.entries):
            self.builder.seq, self.builder.scope = number, entry.scope
            self.builder.late = entry.late
            outputs = [program.values[k] for k in entry.outputs]
            made = self._lowered(number, entry, outputs)
            for k, part, value in zip(entry.outputs, made, outputs, strict=True):
                assert part.shape == value.shape and part.dtype == value.dtype, entry
                self.values[k] = part

    def _given(self, k: int, value: Any) -> Val:
        array = value.array
        if value.kind == "constant" and array.size:
            flat = array.reshape(-1)
            if array.size == 1 or flat.tobytes() == flat[:1].tobytes() * array.size:
                return self.builder.full(flat[0], array.shape, array.dtype)
        return self.builder.make(value.kind, (), k, value.shape, value.dtype)

    def _lowered(self, number: int, entry: Entry, outputs: Sequence[Any]) -> list[Val]:
        args = [self.values[k] for k in entry.inputs]
        if entry.name == "outside":
            whole = self.builder.make("outside", tuple(args), number, (), _BOOL)
            self.outside.append(whole)
            return self._parts(whole, outputs)
        rule = _RULES.get(entry.name)
        if rule is not None:
            made = rule(self.builder, args, entry.attrs)
            if made is not None:
                return made if isinstance(made, list) else [made]
        elif _fusible(entry.name, args, outputs[0].dtype):
            shape = outputs[0].shape
            return [self.builder.elementwise(entry.name, args, shape, outputs[0].dtype)]
        # Equal entries have equal names, attributes and inputs: the first one stands.
        attrs = (entry.name, tuple(sorted(entry.attrs.items())))
        if len(outputs) == 1:
            out = outputs[0]
            return [
                self.builder.make("general", tuple(args), attrs, out.shape, out.dtype)
            ]
        whole = self.builder.make("general", tuple(args), attrs, (), _BOOL)
        return self._parts(whole, outputs)

    def _parts(self, whole: Val, outputs: Sequence[Any]) -> list[Val]:
        make = self.builder.make
        return [
            make("part", (whole,), k, out.shape, out.dtype)
            for k, out in enumerate(outputs)
        ]


def _fusible(name: str, args: Sequence[Val], dtype: Any) -> bool:
    """Is it an elementwise primitive that a fused kernel can hold?"""
    primitive = TABLE.get(name)
    if (
        not isinstance(primitive, Elementwise)
        or jit.scalar_program(primitive.scalar) is None
    ):
        return False
    floats = {a.dtype for a in args if a.dtype != _BOOL}
    if len(floats) != 1 or not floats <= set(FLOATS):
        return False
    bools = [k for k, a in enumerate(args) if a.dtype == _BOOL]
    if dtype == _BOOL:
        return name in _COMPARED and not bools
    return dtype in floats and (not bools or (name == "where" and bools == [0]))


# ------------------------------------------------------------- rules by primitive


def _matmul(b: Builder, args: list[Val], attrs: Attrs) -> Val | None:
    x, y = args
    if len(x.shape) != 2 or len(y.shape) != 2 or x.dtype != y.dtype:
        return None
    if x.dtype not in FLOATS or 0 in (*x.shape, *y.shape):
        return None
    return b.dot(x, y)


def _reshape(b: Builder, args: list[Val], attrs: Attrs) -> Val | None:
    return b.reshape(args[0], attrs["shape"]) if 0 not in args[0].shape else None


def _transpose(b: Builder, args: list[Val], attrs: Attrs) -> Val | None:
    return b.transpose(args[0], attrs["axes"])


def _broadcast_to(b: Builder, args: list[Val], attrs: Attrs) -> Val | None:
    return b.broadcast(args[0], attrs["shape"])


def _astype(b: Builder, args: list[Val], attrs: Attrs) -> Val | None:
    [x] = args
    dtype = np.dtype(attrs["dtype"])
    if dtype == x.dtype:
        return x
    if x.dtype == _BOOL and dtype in FLOATS:
        return b.elementwise("astype", args, x.shape, dtype)
    return None


def _split(b: Builder, args: list[Val], attrs: Attrs) -> list[Val] | None:
    [x], axis, bounds = args, attrs["axis"], attrs["bounds"]
    found = []
    for first, last in pairwise(bounds):
        starts, stops = [0] * len(x.shape), list(x.shape)
        starts[axis], stops[axis] = first, last
        found.append(b.slice(x, starts, stops))
    return found


def _unstack(b: Builder, args: list[Val], attrs: Attrs) -> list[Val] | None:
    [x], axis = args, attrs["axis"]
    rest = x.shape[:axis] + x.shape[axis + 1 :]
    found = []
    for k in range(x.shape[axis]):
        starts, stops = [0] * len(x.shape), list(x.shape)
        starts[axis], stops[axis] = k, k + 1
        found.append(b.dropped(b.slice(x, starts, stops), rest))
    return found


def _concatenate(b: Builder, args: list[Val], attrs: Attrs) -> Val | None:
    if len({a.dtype for a in args}) > 1:
        return None
    return b.concat(args, attrs["axis"])


def _stack(b: Builder, args: list[Val], attrs: Attrs) -> Val | None:
    axis, shape = attrs["axis"], args[0].shape
    if len({a.dtype for a in args}) > 1 or 0 in shape:
        return None
    one = (*shape[:axis], 1, *shape[axis:])
    return b.concat([b.reshape(a, one) for a in args], axis)


def _getitem(b: Builder, args: list[Val], attrs: Attrs) -> Val | None:
    if len(args) > 1:
        return None
    [x] = args
    places = _places(attrs["pattern"], x.shape)
    if places is None:
        return None
    starts, stops, shape = places
    part = b.slice(x, starts, stops)
    if len(shape) < len(part.shape):
        return b.dropped(part, shape)
    return b.reshape(part, shape)


def _add_at(b: Builder, args: list[Val], attrs: Attrs) -> Val | None:
    """Zeros around g: a concatenation along each axis that is not taken whole."""
    if len(args) > 1:
        return None
    [g], shape = args, attrs["shape"]
    places = _places(attrs["pattern"], shape)
    if places is None:
        return None
    starts, stops, _ = places
    y = b.reshape(g, tuple([j - i for i, j in zip(starts, stops, strict=True)]))
    for axis in range(len(shape)):
        parts = [y]
        for length, at in ((starts[axis], 0), (shape[axis] - stops[axis], 2)):
            if length:
                around = list(y.shape)
                around[axis] = length
                parts.insert(at, b.full(0, tuple(around), g.dtype))
        y = b.concat(parts, axis)
    return y


def _places(
    pattern: tuple[Any, ...], shape: Shape
) -> tuple[list[int], list[int], Shape] | None:
    """Starts and stops per axis, and the result's shape, of an index without steps."""
    taken = sum(1 for kind, *_ in pattern if kind not in ("new", "rest"))
    starts, stops, result = [], [], []
    lengths = list(shape)
    pattern = pattern if ("rest",) in pattern else (*pattern, ("rest",))
    for kind, *rest in pattern:
        if kind == "new":
            result.append(1)
        elif kind == "rest":
            for _ in range(len(shape) - taken):
                n = lengths.pop(0)
                starts.append(0)
                stops.append(n)
                result.append(n)
        elif kind == "at":
            n = lengths.pop(0)
            k = rest[0] % n
            starts.append(k)
            stops.append(k + 1)
        elif kind == "slice":
            first, last, step = slice(*rest).indices(lengths.pop(0))
            if step != 1 or last <= first:
                return None
            starts.append(first)
            stops.append(last)
            result.append(last - first)
        else:
            return None
    return starts, stops, tuple(result)


def _sum_to(b: Builder, args: list[Val], attrs: Attrs) -> Val | None:
    [x], shape = args, attrs["shape"]
    lead = len(x.shape) - len(shape)
    repeated = [
        k + lead for k, n in enumerate(shape) if n == 1 and x.shape[k + lead] != 1
    ]
    if x.dtype not in FLOATS or 0 in x.shape:
        return None
    return b.reshape(b.sum(x, (*range(lead), *repeated)), shape)


def _sum(b: Builder, args: list[Val], attrs: Attrs) -> Val | None:
    [x], axes = args, attrs["axes"]
    if x.dtype not in FLOATS or 0 in x.shape:
        return None
    kept = tuple([1 if k in axes else n for k, n in enumerate(x.shape)])
    made = b.sum(x, axes)
    return b.reshape(made, kept) if attrs["keepdims"] else made


def _mean(b: Builder, args: list[Val], attrs: Attrs) -> Val | None:
    total = _sum(b, args, attrs)
    if total is None:
        return None
    count = math.prod([args[0].shape[k] for k in attrs["axes"]])
    over = b.full(count, (), total.dtype)
    return b.elementwise("divide", (total, over), total.shape, total.dtype)


_RULES: dict[str, Callable[[Builder, list[Val], Attrs], Any]] = {
    "matmul": _matmul,
    "reshape": _reshape,
    "transpose": _transpose,
    "broadcast_to": _broadcast_to,
    "astype": _astype,
    "split": _split,
    "unstack": _unstack,
    "concatenate": _concatenate,
    "stack": _stack,
    "getitem": _getitem,
    "add_at": _add_at,
    "sum_to": _sum_to,
    "sum": _sum,
    "mean": _mean,
}
