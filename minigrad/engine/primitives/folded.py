"""A few elementwise operations that are recorded as one, until somebody looks at them.

    c = multiply_add(i, g, f, c)        i * g + f * c: what an LSTM keeps
    h = blend(z, h, n)                  z * h + (1 - z) * n: what a GRU keeps

The value is one kernel, and so is each derivative; they round each operation as if it
were alone, so the bits are those of the formula as it is written. The node is the last
operation's. It keeps what all were made from, and the ones before are made when
somebody asks for its `edges`: pictures, players and tables see the formula.

Read next: `affine.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from minigrad.engine.aliases import Value
from minigrad.engine.calls import checked_call
from minigrad.engine.foreign_arguments import refuse
from minigrad.engine.graph import AnyEdge, Node, Variable, next_seq
from minigrad.engine.kernels import jit
from minigrad.engine.primitives.base import NO_ATTRS, Primitive, record
from minigrad.engine.primitives.elementwise import add, multiply, subtract
from minigrad.engine.primitives.fused import Elementwise
from minigrad.engine.primitives.operands import constant
from minigrad.engine.quiet import hush, restore
from minigrad.engine.recorder import thread

Deliver = Callable[[AnyEdge, Value], None]


class Folded(Protocol):
    """What a node keeps that stands for several."""

    @property
    def inputs(self) -> tuple[AnyEdge, ...]:
        """The edges of all that they were made from."""

    def unfold(self, last: Node) -> tuple[AnyEdge, ...]:
        """The edges of the last one: those before it are made now."""

    def pull(self, node: Node, g: Value, deliver: Deliver, stacks: Any) -> None:
        """Deliver what all inputs get from the gradient of the last one; `stacks`
        (`stacking.py`) keeps the uses of weights."""


def may_fold() -> bool:
    """Are several operations to be recorded as one? Not where each is watched."""
    recorder = thread.recorder
    return recorder.trace is None and not recorder.anomaly


def record_folded(last: Primitive, made: Any, folded: Folded) -> Any:
    """Record an operation that stands for those before it, too."""
    edges = folded.inputs
    needed = True in [edge.requires_grad for edge in edges]
    handle = record(last, edges, NO_ATTRS, made, needed, 4)
    node = handle._edge
    if type(node) is Node:
        del node.edges
        node.tags = {"folded": folded}
    return handle


def part(last: Node, seq: int, primitive: Any, edges: tuple[AnyEdge, ...]) -> Node:
    """The node of an operation before `last`, with its value, made only now."""
    node = Node()
    node.primitive, node.edges, node.attrs = primitive, edges, NO_ATTRS
    token = hush()
    try:
        node.array = primitive.value(*[edge.array for edge in edges])
    finally:
        restore(token)
    node.array.setflags(write=False)
    node.requires_grad = True in [edge.requires_grad for edge in edges]
    node.scope, node.origin, node.tags = last.scope, last.origin, None
    node.code, node.offset, node.seq = last.code, last.offset, seq
    return node


class Formula:
    """An elementwise formula whose last operation is a sum.

    scalar   the formula on one entry; also on tensors, where it cannot be folded
    rule     its derivatives: (g, y, *inputs) -> one entry per input
    parts    (part, *edges) -> the edges of the sum; `part` makes the node of one
             operation, in the order in which the formula makes them
    count    how many there are before the sum
    """

    def __init__(
        self,
        scalar: Callable[..., Any],
        rule: Callable[..., Any],
        parts: Callable[..., Any],
        count: int,
    ) -> None:
        self.__name__ = scalar.__name__.removeprefix("_")
        self.written_out, self.parts = checked_call(scalar), parts
        self.before = range(count)
        self.least = scalar.__code__.co_argcount - len(scalar.__defaults__ or ())
        self.values: dict[str, Callable[..., Any]] = {}  # dtype character -> kernel
        self.kernels = Elementwise(scalar, listed=False)
        self.kernels.defvjp(rule)

    def __call__(self, *inputs: Any, **foreign: Any) -> Any:
        refuse(self.__name__, foreign)
        if not may_fold() or not jit.enabled or len(inputs) < self.least:
            return self.written_out(*inputs)
        try:
            edges = tuple([x._edge for x in inputs])
        except AttributeError:  # arrays among them
            return self.written_out(*inputs)
        arrays = [edge.array for edge in edges]
        shape, dtype = arrays[0].shape, arrays[0].dtype
        for array in arrays:
            if array.shape != shape or array.dtype is not dtype:
                return self.written_out(*inputs)
        value = self.values.get(dtype.char) or self._value(dtype.char)
        if value is None:
            return self.written_out(*inputs)
        token = hush()
        try:
            made = value(*arrays)
        finally:
            restore(token)
        seqs = [next_seq() for _ in self.before]
        return record_folded(add, made, Entry(self, edges, seqs))

    def _value(self, char: str) -> Callable[..., Any] | None:
        """The kernel for a dtype's character; None for one that has none."""
        if char in "fd" and (made := self.kernels.value_kernel(char)) is not None:
            self.values[char] = made
            return made
        return None


class Entry:
    """One use of a formula: see `Folded`."""

    __slots__ = ("formula", "inputs", "seqs")

    def __init__(
        self, formula: Formula, inputs: tuple[AnyEdge, ...], seqs: list[int]
    ) -> None:
        self.formula, self.inputs, self.seqs = formula, inputs, seqs

    def unfold(self, last: Node) -> tuple[AnyEdge, ...]:
        """The edges of the sum: the operations before it are made now."""
        seqs = iter(self.seqs)

        def made(primitive: Any, *edges: AnyEdge) -> Node:
            return part(last, next(seqs), primitive, edges)

        return self.formula.parts(made, *self.inputs)

    def pull(self, node: Node, g: Value, deliver: Deliver, stacks: Any) -> None:
        """Deliver what the operands get from the gradient `g` of the sum."""
        needs = tuple([edge.requires_grad for edge in self.inputs])
        arrays = [edge.array for edge in self.inputs]
        values = self.formula.kernels.pull(needs, g, node.array, arrays, NO_ATTRS)
        for edge, value in zip(self.inputs, values, strict=True):
            if value is not None:
                deliver(edge, value)


def _multiply_add(a, b, c, d):  # type: ignore[no-untyped-def]
    return a * b + c * d


def _multiply_add_vjp(g, y, a, b, c, d):  # type: ignore[no-untyped-def]
    return g * b, g * a, g * d, g * c


def _multiply_add_parts(made, a, b, c, d):  # type: ignore[no-untyped-def]
    return made(multiply, a, b), made(multiply, c, d)


def _blend(z, a, b):  # type: ignore[no-untyped-def]
    return z * a + (1.0 - z) * b


def _blend_vjp(g, y, z, a, b):  # type: ignore[no-untyped-def]
    return g * a - g * b, g * z, g * (1.0 - z)


def _blend_parts(made, z, a, b):  # type: ignore[no-untyped-def]
    one = constant(1.0, (Variable.of(z),))
    kept = made(multiply, z, a)
    return kept, made(multiply, made(subtract, one, z), b)


multiply_add = Formula(_multiply_add, _multiply_add_vjp, _multiply_add_parts, 2)
blend = Formula(_blend, _blend_vjp, _blend_parts, 3)
