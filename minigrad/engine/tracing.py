"""What the engine tells a trace in progress: `minigrad/compiler/` writes it, this asks.

While `mg.compile` traces a function, `thread.recorder.trace` is a `Trace`, and every
operation is told to it. What computes with NumPy beside the graph (a check of targets,
a dropout mask, an optimiser) goes through `outside`, so that a replay does it again;
whatever else would take numbers out of the graph is refused.

Read next: `minigrad/engine/primitives/` (operations and their rules).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from minigrad.engine.aliases import Array, Attrs
from minigrad.engine.graph import AnyEdge, Edge, Variable
from minigrad.engine.recorder import thread


class Tracing(Protocol):
    """What a trace has to be told.

    refused  the error that it raised last: a function may have caught it, and gone on
    """

    refused: Any

    def operation(
        self, primitive: Any, edges: tuple[AnyEdge, ...], attrs: Attrs, made: Any
    ) -> None:
        """An operation was computed."""

    def outside(
        self, function: Callable[..., Any], arrays: list[Array], kept: Any
    ) -> Any:
        """Run a function of arrays now, and again in every replay."""

    def leaving(self, edge: AnyEdge, call: str) -> None:
        """Raise CompileError if these numbers are another call's in a replay."""

    def known(self, edge: AnyEdge) -> bool:
        """Are these numbers another call's in a replay?"""

    def touch(self, tensor: Any, gradient: str = "") -> None:
        """A tensor is about to be rebound; or its gradient to be "read", "set"."""

    def number(self, array: Array) -> Any:
        """A tensor of what is to be handed out as a Python number."""

    def same(self, old: Array, new: Array) -> None:
        """`new` is a copy of `old`, in another dtype perhaps."""


def outside(function: Callable[..., Any], *tensors: Any, kept: Any = None) -> Any:
    """function(*arrays): arrays of the tensors in, an array, a tuple or None out.

    kept  what the function changes: a random generator, or an object whose `state` it
          sets anew. It is put back if a trace or a replay fails
    """
    arrays = [t._edge.array if isinstance(t, Variable) else t for t in tensors]
    if thread.recorder.trace is None:
        return function(*arrays)
    return thread.recorder.trace.outside(function, arrays, kept)


def number_of(array: Array) -> Any:
    """A 0-d array as a Python number; in a trace as a tensor, which the compiled
    function hands out as a number."""
    trace = thread.recorder.trace
    return float(array) if trace is None else trace.number(array)


def leaving(tensor: Any, call: str) -> None:
    """To be called before the numbers of a tensor go where no trace sees them."""
    if thread.recorder.trace is not None:
        thread.recorder.trace.leaving(tensor._edge, call)


def otherwise() -> None:
    """To be called where an error of `leaving` was caught, as it goes another way."""
    if thread.recorder.trace is not None:
        thread.recorder.trace.refused = None


def touch(tensor: Any, gradient: str = "") -> None:
    """To be called before a tensor is rebound, or its gradient is "read" or "set"."""
    if thread.recorder.trace is not None:
        thread.recorder.trace.touch(tensor, gradient)


def copied(old: Any, new: Array) -> None:
    """To be called where numbers are copied without an operation."""
    if thread.recorder.trace is not None:
        thread.recorder.trace.same(old, new)


def values_within(edge: AnyEdge) -> Any:
    """In a trace: the numbers of `x.data` as a constant tensor, if they are known to
    it; else None."""
    trace = thread.recorder.trace
    if trace is None or not trace.known(edge):
        return None
    return Variable.result_type.of(Edge(None, 0, edge.array, False))
