"""A trace made into a program: run it again with other numbers, entry by entry.

This is the plain way, the recorded operations in their order: what the passes start
from, what they are tested against, and what runs where there is no numba.

Read next: `value_form.py` (the form that the passes work on).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from minigrad.compiler.guard import Same, another_shape, built, plain
from minigrad.compiler.trace import Entry, Trace, copy_of, put_back
from minigrad.engine.errors import CompileError
from minigrad.engine.graph import Edge
from minigrad.engine.quiet import quietly
from minigrad.engine.recorder import thread
from minigrad.engine.tensor import Tensor


class Effect(NamedTuple):
    """What a call leaves behind in a leaf.

    leaf      its number
    data      the value that its data become; None: they stay
    grad      the value that its gradient becomes; None: see `changes`
    changes   is the gradient changed? To None, if `grad` is None
    requires_grad  whether the leaf needs a gradient afterwards
    """

    leaf: int
    data: int | None
    grad: int | None
    changes: bool
    requires_grad: bool


class Program:
    """What was traced, complete: entries, values, results and effects.

    entries, values, leaves, reads: see `Trace`
    structure  of what the function returned, and
    results    the numbers of the values in it
    needing    which of them need a gradient
    effects    what is left behind in leaves
    numbers    values that are handed out as Python numbers
    recorded   how many operations were traced
    """

    entries: list[Entry]
    values: Any  # by number: a list of all, and later a dict of those still needed

    def __init__(self, trace: Trace, returned: Any) -> None:
        self.structure, self.results, self.needing = taken_apart(trace, returned)
        self.effects = list(_effects(trace))
        self.numbers = trace.numbers
        self._renumber(trace)
        self.leaves = [
            leaf._replace(tensor=None if leaf.argument is not None else leaf.tensor)
            for leaf in trace.leaves
        ]
        self.reads = {k: trace.leaves[k].grad is None for k in trace.reads}
        self.kept = [
            e.attrs["kept"] for e in self.entries if e.name == "outside" and e.attrs
        ]
        self.leaves = [leaf._replace(grad=None) for leaf in self.leaves]
        outside = [k for k, v in enumerate(self.values) if v.kind != "made"]
        self._live = [k for k in outside if self.values[k].kind != "constant"]
        self._constants = {
            k: self.values[k].array
            for k in outside
            if self.values[k].kind == "constant"
        }
        leaving = [*self.results, *[k for e in self.effects for k in e[1:3]]]
        self._leaving = [
            (k, self.values[k].kind == "made")
            for k in dict.fromkeys(leaving)
            if k is not None
        ]
        self.recorded = len(self.entries)
        trace.forget()

    def let_go(self) -> None:
        """Forget the entries: from now on a plan does what they say. What it needs of
        them it has."""
        needed = {*self._live, *[k for k, _ in self._leaving]}
        self.values = {k: self.values[k] for k in needed}
        self.entries, self._constants = [], {}

    def _renumber(self, trace: Trace) -> None:
        """Keep the values that are used, in the order of their use."""
        place: dict[int, int] = {}
        self.values = []

        def new(old: int) -> int:
            if old not in place:
                place[old] = len(self.values)
                self.values.append(trace.values[old])
            return place[old]

        self.entries = [
            entry._replace(
                inputs=tuple([new(k) for k in entry.inputs]),
                outputs=tuple([new(k) for k in entry.outputs]),
            )
            for entry in trace.entries
        ]
        self.results = [new(k) for k in self.results]
        self.effects = [
            effect._replace(
                data=None if effect.data is None else new(effect.data),
                grad=None if effect.grad is None else new(effect.grad),
            )
            for effect in self.effects
        ]
        self.numbers = {place[k] for k in self.numbers if k in place}

    def holds(self, tensors: Sequence[Any]) -> bool:
        """Are the leaves as they were: needing gradients or not, with one or none?"""
        for k, leaf in enumerate(self.leaves):
            tensor = tensors[k]
            if tensor._edge.requires_grad != leaf.edge.requires_grad:
                return False
            if k in self.reads and (tensor._grad is None) != self.reads[k]:
                return False
        return True

    def tensors(self, given: Sequence[Any]) -> list[Any]:
        """The leaves of a call: its arguments among them."""
        return [
            leaf.tensor if leaf.argument is None else given[leaf.argument]
            for leaf in self.leaves
        ]

    def starting(self, given: Sequence[Any], tensors: Sequence[Any]) -> dict[int, Any]:
        """The numbers that a call starts from, by value: all but the constants."""
        start: dict[int, Any] = {}
        for k in self._live:
            value = self.values[k]
            if value.kind == "leaf":
                start[k] = tensors[value.number]._edge.array
            elif value.kind == "gradient":
                start[k] = tensors[value.number]._grad._edge.array
            else:
                x = given[value.number]
                start[k] = x._edge.array if isinstance(x, Tensor) else np.asarray(x)
        return start

    def run(self, start: dict[int, Any]) -> dict[int, Any]:
        """The numbers of all values, entry by entry. `start` is filled up."""
        start.update(self._constants)
        with quietly():
            for entry in self.entries:
                inputs = [start[k] for k in entry.inputs]
                attrs = {} if entry.name == "outside" else entry.attrs
                made = entry.function(*inputs, **attrs)
                if made is None:
                    continue
                parts = made if isinstance(made, tuple) else (made,)
                for k, part in zip(entry.outputs, parts, strict=True):
                    start[k] = np.asarray(part)
                    if start[k].shape != self.values[k].shape:
                        raise another_shape(entry, self.values[k].shape, start[k].shape)
        return start

    def finish(
        self,
        env: Mapping[int, Any],
        tensors: Sequence[Any],
        attach: Any = list,
        others: Iterable[np.ndarray] = (),
    ) -> Any:
        """Leave the effects behind, and give what the function returned.

        attach  (results) -> results: those that need a gradient with a graph
        others  arrays that belong to someone else: a result may be one of them, as
                x.reshape(x.shape) is, and is copied then
        """
        handed: dict[int, Any] = {}
        taken = set(map(id, others))
        for k, made in self._leaving:
            array = env[k]
            if not made or array.base is not None or id(array) in taken:
                array = array.copy()  # the memory is not its own
            taken.add(id(array))
            array.setflags(write=False)
            handed[k] = array
        results = attach([self._handed(k, handed[k]) for k in self.results])
        returned = built(self.structure, results)
        for leaf, data, grad, changes, requires_grad in self.effects:
            tensor = tensors[leaf]
            edge = tensor._edge
            if data is not None or requires_grad != edge.requires_grad:
                array = edge.array if data is None else handed[data]
                tensor._edge = Edge(edge.source, 0, array, requires_grad)
            if grad is not None:
                tensor._grad = Tensor.of(Edge(None, 0, handed[grad], False))
            elif changes:
                tensor._grad = None
        return returned

    def _handed(self, k: int, array: np.ndarray) -> Any:
        if k in self.numbers:
            return array.item()
        return Tensor.of(Edge(None, 0, array, False))

    def keep(self) -> list[tuple[Any, Any]]:
        """Copies of what the program changes on the way, for `put_back`."""
        return [(kept, copy_of(kept)) for kept in self.kept]

    @staticmethod
    def undo(kept: list[tuple[Any, Any]]) -> None:
        """Put back what was changed: a run has failed."""
        for thing, before in kept[::-1]:
            put_back(thing, before)


def taken_apart(trace: Trace, returned: Any) -> tuple[Any, list[int], list[int]]:
    """The structure of what a function returned, the numbers of its values, and which
    of them need a gradient."""
    numbers: list[int] = []
    needing: list[int] = []

    def apart(part: Any) -> Any:
        if isinstance(part, Tensor):
            if part._edge.requires_grad and thread.recorder.recording:
                needing.append(len(numbers))
            numbers.append(trace.find(part._edge))
            return ("array", len(numbers) - 1)
        if isinstance(part, list | tuple):
            return ("items", type(part), tuple([apart(p) for p in part]))
        if type(part) is dict:
            values = tuple([apart(p) for p in part.values()])
            return ("dict", (), tuple(part), values)
        if isinstance(part, np.ndarray | np.generic):
            raise _not_returned(part, "return the tensor instead of its numbers")
        key = plain(part)
        if isinstance(key, Same):
            raise _not_returned(part, "return its tensors, in a tuple or dict")
        return ("thing", key)

    structure = apart(returned)
    return structure, numbers, needing


def _not_returned(part: Any, hint: str) -> CompileError:
    return CompileError(
        "compile: the function returned what cannot be made anew by a replay",
        expect="tensors, Python numbers and text, and tuples, lists and dicts of them",
        actual=f"{type(part).__name__}: {part!r:.40}",
        hint=hint,
    )


def _effects(trace: Trace) -> Any:
    """What the traced call left behind in leaves."""
    for number, leaf in enumerate(trace.leaves):
        tensor = leaf.tensor
        data = grad = None
        if tensor._edge.array is not leaf.edge.array:
            data = trace.find(Edge(None, 0, tensor._edge.array, False))
        changes = tensor._grad is not leaf.grad
        if changes and tensor._grad is not None:
            grad = trace.find(Edge(None, 0, tensor._grad._edge.array, False))
        needs = tensor._edge.requires_grad
        if data is not None or changes or needs != leaf.edge.requires_grad:
            yield Effect(number, data, grad, changes, needs)
