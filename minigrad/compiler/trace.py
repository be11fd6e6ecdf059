"""What a function of tensors does, written down while it runs: a flat list.

    with tracing(Trace()) as trace:
        function(...)
    trace.entries       # [Entry(what, inputs, outputs), ...]: a program of numbers

Values are known by the arrays that hold them. An array that no entry made is an
argument, a leaf of the user's (a parameter, read anew in each call), the gradient that
a leaf had before, or else a constant.

Read next: `guard.py` (for which calls a trace holds).
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

from minigrad.compiler.drawn_numbers import Drawn
from minigrad.engine.aliases import Array, Attrs
from minigrad.engine.errors import CompileError
from minigrad.engine.graph import Edge, Leaf, Node, Variable, next_seq
from minigrad.engine.primitives.messages import describe
from minigrad.engine.recorder import Scope, thread
from minigrad.engine.user_code import caller

_NOTHING: Any = None, lambda: None
_CLOSELY = 2000  # operations, after each of which it is asked if numbers were drawn


class Entry(NamedTuple):
    """One line of a program.

    name      the primitive's name, or "outside"
    function  of arrays; its result is an array, a tuple of them or None
    attrs     keyword arguments of it
    inputs    numbers of values
    outputs   numbers of the values that it makes
    scope     the scopes it was recorded in
    where     (code object, offset) of the user's line
    late      does it belong to a backward pass?
    """

    name: str
    function: Callable[..., Any]
    attrs: dict[str, Any]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    scope: tuple[Scope, ...] = ()
    where: tuple[Any, int] = (None, 0)
    late: bool = False


class Value(NamedTuple):
    """Where a value comes from.

    kind   "argument", "leaf", "gradient" (of a leaf, before the call), "constant" or
           "made" (by an entry)
    number which argument or leaf
    array  of a constant: its numbers; else None
    """

    kind: str
    number: int
    shape: tuple[int, ...]
    dtype: np.dtype
    array: Any = None


class Touched(NamedTuple):
    """A tensor whose data or gradient the function uses, as it was before the call.

    argument  which argument it is; None: the function finds it elsewhere
    """

    tensor: Any
    edge: Any
    grad: Any
    argument: int | None = None


class Trace:
    """The recorder's listener: see `minigrad/engine/tracing.py` for what it is told.

    entries  the program
    values   where each value comes from
    leaves   the user's tensors that it reads or changes
    kept     what `outside` functions change: [(generator or optimiser, state before)]
    reads    leaves whose gradient from before the call counts
    refused  the error that it raised, if the function went on all the same
    """

    def __init__(self, drawn: Drawn | None = None) -> None:
        self._drawn = drawn
        self.entries: list[Entry] = []
        self.values: list[Value] = []
        self.leaves: list[Touched] = []
        self.kept: list[tuple[Any, Any]] = []
        self.reads: set[int] = set()
        self._set: set[int] = set()
        self.numbers: set[int] = set()  # values to be handed out as Python numbers
        self.refused: CompileError | None = None
        self._began = next_seq()
        # By id: the value's number, and a way to tell a later array with that id.
        self._by_array: dict[int, tuple[int, Callable[[], Any]]] = {}
        self._leaf_of: dict[int, int] = {}

    # --------------------------------------------------------- what is known

    def add(self, kind: str, number: int, array: np.ndarray, keep: Any = None) -> int:
        """A new value, known by its array from now on."""
        self.values.append(Value(kind, number, array.shape, array.dtype, keep))
        return self._know(array, len(self.values) - 1)

    def _know(self, array: np.ndarray, number: int) -> int:
        try:
            self._by_array[id(array)] = number, weakref.ref(array)
        except TypeError:  # one of NumPy's numbers: it is kept
            self._by_array[id(array)] = number, lambda: array
        return number

    def _number_of(self, array: np.ndarray) -> int | None:
        number, known = self._by_array.get(id(array), _NOTHING)
        return number if known() is array else None

    def find(self, edge: Any) -> int:
        """The number of the value that an edge leads to; a constant if it is new."""
        known = self._number(edge)
        if known is not None:
            return known
        source = edge.source
        if type(source) is Node and source.seq < self._began and edge.requires_grad:
            self._refuse(
                "compile: a tensor that was computed outside is used within",
                expect="arguments, parameters and what is computed from them",
                actual=describe(edge),
                hint="compute it within, or hand in x.detach() as an argument",
            )
        if self._drawn and not thread.recorder.origin:
            self._drawn.nothing()
        return self.add("constant", len(self.values), edge.array, edge.array)

    def _number(self, edge: Any) -> int | None:
        """The number of the value that an edge leads to, if it is known: that of a leaf
        always is."""
        known = self._number_of(edge.array)
        source = edge.source
        if known is None and type(source) is Leaf and source.seq < self._began:
            owner = source.owner()
            if owner is not None:
                self.touch(owner)
                known = self._number_of(edge.array)
        return known

    def known(self, edge: Any) -> bool:
        """Are these numbers another call's in a replay?"""
        number = self._number(edge)
        return number is not None and self.values[number].kind != "constant"

    def _refuse(self, what: str, **rows: str) -> None:
        """Raise CompileError, and keep it: a function may catch it, and go on."""
        self.refused = CompileError(what, **rows)
        raise self.refused

    # --------------------------------------------------------- what it is told

    def operation(self, primitive: Any, edges: Any, attrs: Attrs, made: Any) -> None:
        """An operation was computed: one entry."""
        inputs = tuple([self.find(edge) for edge in edges])
        recorder = thread.recorder
        late = recorder.origin is not None
        if self._drawn and not late and len(self.entries) < _CLOSELY:
            self._drawn.nothing()
        parts = made if primitive.multiple else (made,)
        outputs = tuple([self.add("made", len(self.entries), a) for a in parts])
        self.entries.append(
            Entry(
                primitive.name,
                primitive.value,
                attrs,
                inputs,
                outputs,
                recorder.scope,
                (None, 0) if late else caller(2),
                late,
            )
        )

    def outside(
        self, function: Callable[..., Any], arrays: list[Array], kept: Any
    ) -> Any:
        """Run what NumPy does beside the graph, and note it."""
        inputs = tuple([self.find(Edge(None, 0, a, False)) for a in arrays])
        if kept is not None:
            self.kept.append((kept, copy_of(kept)))
        if self._drawn:
            self._drawn.nothing()
        made = function(*arrays)
        if self._drawn:
            self._drawn.again()
        parts = () if made is None else made if type(made) is tuple else (made,)
        parts = tuple([np.asarray(part).view() for part in parts])
        outputs = tuple([self.add("made", len(self.entries), a) for a in parts])
        attrs = {} if kept is None else {"kept": kept}
        self.entries.append(Entry("outside", function, attrs, inputs, outputs))
        return made if made is None else parts if type(made) is tuple else parts[0]

    def leaving(self, edge: Any, call: str) -> None:
        """Raise CompileError where numbers of this call would become constants."""
        if self.known(edge):
            self._refuse(
                f"compile: {call} takes the numbers of this call, and a replay would "
                "use them for other calls",
                expect="operations on tensors alone, from the arguments to the results",
                actual=describe(edge),
                hint="mg.where(condition, a, b) chooses without a branch; return the "
                "tensor, and use its number outside of the compiled function",
            )

    def touch(self, tensor: Any, gradient: str = "") -> None:
        """Know a tensor of the user's, and how it was before."""
        number = self._leaf_of.get(id(tensor))
        if number is None:
            number = self._first_touch(tensor, None)
        if number is not None and gradient:
            if gradient == "read" and number not in self._set:
                self.reads.add(number)
            self._set.add(number)

    def argument(self, number: int, array: np.ndarray, tensor: Any = None) -> None:
        """Know an argument: its numbers, and the tensor if it is a leaf."""
        self.add("argument", number, array)
        if tensor is not None:
            self._first_touch(tensor, number)

    def _first_touch(self, tensor: Any, argument: int | None) -> int | None:
        edge = tensor._edge
        if type(edge.source) is not Leaf or edge.source.seq >= self._began:
            return None
        number = self._leaf_of[id(tensor)] = len(self.leaves)
        self.leaves.append(Touched(tensor, edge, tensor._grad, argument))
        if self._number_of(edge.array) is None:
            self.add("leaf", number, edge.array)
        if tensor._grad is not None:
            array = tensor._grad._edge.array
            if self._number_of(array) is None:
                self.add("gradient", number, array)
        return number

    def number(self, array: np.ndarray) -> Any:
        """A tensor of what is to be handed out as a Python number."""
        edge = Edge(None, 0, array, False)
        self.numbers.add(self.find(edge))
        return Variable.result_type.of(edge)

    def same(self, old: Any, new: np.ndarray) -> None:
        """A copy is the same value; in another dtype it is an operation more."""
        number = self._number_of(old) if isinstance(old, np.ndarray) else None
        if number is None:
            return
        if self.values[number].dtype == new.dtype:
            self._know(new, number)
        else:
            attrs = {"dtype": new.dtype.name}
            output = self.add("made", len(self.entries), new)
            self.entries.append(Entry("astype", _cast, attrs, (number,), (output,)))

    # --------------------------------------------------------- at its end

    def complete(self) -> None:
        """Raise what was refused, if the function caught it; and if it drew numbers."""
        if self.refused is not None:
            raise self.refused
        if self._drawn:
            self._drawn.nothing()

    def undo(self) -> None:
        """Put back what the function changed: it failed."""
        if self._drawn:
            self._drawn.put_back()
        for tensor, edge, grad, _ in self.leaves:
            tensor._edge, tensor._grad = edge, grad
        for kept, before in self.kept[::-1]:
            put_back(kept, before)

    def forget(self) -> None:
        """Let go of all arrays but the constants: the program is complete."""
        self._by_array, self.kept = {}, []


def _cast(x: np.ndarray, *, dtype: str) -> np.ndarray:
    return x.astype(dtype)


def copy_of(kept: Any) -> Any:
    """The state of a random generator, or of an optimiser, which makes a new one in
    each step and writes to none."""
    if isinstance(kept, np.random.Generator):
        return kept.bit_generator.state
    return kept.state


def put_back(kept: Any, before: Any) -> None:
    """The generator or optimiser as it was when `before` was taken from it."""
    if isinstance(kept, np.random.Generator):
        kept.bit_generator.state = before
    else:
        kept.state = before


@contextmanager
def tracing(trace: Trace) -> Iterator[Trace]:
    """Within it the recorder tells `trace` what is computed. After an error all that
    it changed is put back."""
    recorder = thread.recorder
    before, recorder.trace = recorder.trace, trace
    try:
        yield trace
    except BaseException:
        recorder.trace = before
        trace.undo()
        raise
    finally:
        recorder.trace = before
