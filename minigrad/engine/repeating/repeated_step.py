"""A step that was repeated: one record, and its operations when somebody looks.

    again = repetition((xs[1],), (h_1,), (h_2,))    # of a step that was just recorded
    states = again.through([xs], range(2, T), (h_2,))

What a user gets is a tensor whose edge (`StepEdge`) leads to the `Step`. The walk
backwards goes through the step in one call. Whoever asks such an edge where it came
from (`source`: pictures, players, tables, names) makes the step write its operations
down, with the numbers, scopes and lines that they would have had.

Read next: `step_operations.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate, islice, repeat
from typing import Any, ClassVar, NamedTuple

import numpy as np

from minigrad.engine.aliases import Array, Value
from minigrad.engine.graph import (
    AnyEdge,
    Edge,
    Node,
    Variable,
    numbers,
    set_edge,
    set_grad,
    unfolding,
)
from minigrad.engine.kernels import jit
from minigrad.engine.primitives.folded import Entry
from minigrad.engine.quiet import hush, restore
from minigrad.engine.recorder import Scope, thread
from minigrad.engine.repeating.step_plan import Operation, Plan, plan_of
from minigrad.engine.repeating.step_text import functions_of, widened
from minigrad.engine.scope import time_step

_new = object.__new__
Deliver = Callable[[AnyEdge, Value], None]


class StepEdge(Edge):
    """Where a part of the new state came from: found out once somebody asks."""

    __slots__ = ("number", "step")

    step: Step
    number: int

    @property
    def source(self) -> Any:  # type: ignore[override]
        """The node of the operation that made it."""
        return self.step.looked_at()[self.number].source

    @property
    def index(self) -> int:  # type: ignore[override]
        """Which of that node's outputs it is."""
        return self.step.looked_at()[self.number].index

    @property
    def place(self) -> tuple[Any, int]:
        """What a gradient is filed under now: the step, or the operation in it."""
        written = self.step.written
        if written is None:
            return self.step, self.number
        return written[self.number].source, written[self.number].index


StepEdge.record = StepEdge.step  # type: ignore  # whoever has looked at it


class _Several(NamedTuple):
    """What a step is to the walk backwards: an operation with several outputs."""

    multiple: bool = True


class Step:
    """The record of a repeated step.

    again    how it was computed, and is walked back through
    inputs   the edges of x and of the state
    array    the parts of the new state
    kept     the values that the way back takes
    seqs     when each of its operations was made
    scope    the scopes that it ran in
    written  None, or what leads to each part of the new state, once looked at
    """

    __slots__ = ("again", "array", "inputs", "kept", "scope", "seq", "seqs", "written")

    primitive: ClassVar[_Several] = _Several()
    again: Repetition
    inputs: tuple[AnyEdge, ...]
    array: tuple[Array, ...]
    kept: tuple[Array, ...]
    seqs: tuple[int, ...]
    seq: int
    scope: tuple[Scope, ...]
    written: tuple[AnyEdge, ...] | None

    @property
    def edges(self) -> tuple[AnyEdge, ...]:
        """The edges of all that it reads: what it was given, then what is fixed."""
        return self.inputs + self.again.edges

    @property
    def outputs(self) -> tuple[StepEdge, ...]:
        """An edge to each part of the new state."""
        return tuple([_edge_to(self, k, array) for k, array in enumerate(self.array)])

    def pull(self, gs: list[Value], deliver: Deliver, stacks: Any) -> None:
        """Deliver what the step's inputs get from the gradients of its outputs.

        stacks  keeps the uses of weights; None: the operations are to be walked
                through, as they are where kernels were switched on or off since
        """
        functions = self.again.functions
        if stacks is None or functions.kernels != jit.enabled:
            for edge, g in zip(self.looked_at(), gs, strict=True):
                if g is not None:
                    deliver(edge, g)
            return
        run = self.again.run_back
        for g in gs:
            if g is None:
                self.pull_needed(None, gs, deliver, stacks)
                return
        run(deliver, stacks.keep, *gs, *self.inputs, *self.again.fixed, *self.kept)

    def pull_needed(
        self,
        needs: tuple[bool, ...] | None,
        gs: list[Value],
        deliver: Deliver,
        stacks: Any,
    ) -> None:
        """The same, to those of its `edges` that need it; None: to all. `stacks` may be
        None where no weight is among them. A gradient that is None counts as zeros."""
        again = self.again
        arrived = tuple([g is not None for g in gs])
        run = again.functions.backward(again.plan, arrived, needs).run
        came = [g for g in gs if g is not None]
        keep = None if stacks is None else stacks.keep
        run(deliver, keep, *came, *self.inputs, *again.fixed, *self.kept)

    def looked_at(self) -> tuple[AnyEdge, ...]:
        """The edges to the new state's parts: its operations are written down now."""
        if self.written is None:
            with unfolding:
                if self.written is None:  # else another thread was first
                    with jit.use_kernels(self.again.functions.kernels):
                        self.written = self._written_down()
        return self.written

    def _written_down(self) -> tuple[AnyEdge, ...]:
        plan = self.again.plan
        arrays = dict(zip(self.again.functions.keeps, self.kept, strict=True))
        arrays |= dict(zip(plan.outputs, self.array, strict=True))
        edges: list[AnyEdge] = [*self.inputs, *plan.edges[plan.given : plan.fixed.stop]]
        token = hush()
        try:
            seqs = iter(self.seqs)
            for one in plan.operations:
                takes = tuple([edges[place] for place in one.inputs])
                if any([place not in arrays for place in one.outputs]):
                    made = _computed(one, takes)
                    values = dict(zip(one.outputs, made, strict=True))
                    arrays = values | arrays
                made = tuple([arrays[place] for place in one.outputs])
                edges += self._node(one, takes, made, list(islice(seqs, one.length)))
        finally:
            restore(token)
        return tuple([edges[place] for place in plan.outputs])

    def _node(
        self,
        one: Operation,
        takes: tuple[AnyEdge, ...],
        made: tuple[Array, ...],
        seqs: list[int],
    ) -> Sequence[AnyEdge]:
        """The record of one operation, like that of the step it repeats; its edges."""
        node, like = Node(), one.node
        node.primitive, node.attrs = like.primitive, like.attrs
        node.origin = node.tags = None
        if one.formula is None:
            node.edges = takes
        else:
            node.tags = {"folded": Entry(one.formula, takes, seqs[:-1])}
        for array in made:
            _freeze(array)
        node.array = made if like.primitive.multiple else made[0]
        node.requires_grad = like.requires_grad
        node.scope = self.scope + like.scope[self.again.plan.depth :]
        node.code, node.offset, node.seq = like.code, like.offset, seqs[-1]
        if not like.primitive.multiple:
            return [node]
        return [Edge(node, k, a, node.requires_grad) for k, a in enumerate(made)]


def _computed(one: Operation, edges: tuple[AnyEdge, ...]) -> tuple[Array, ...]:
    made = one.primitive.value(*[edge.array for edge in edges], **one.node.attrs)
    return tuple(made) if one.primitive.multiple else (made,)


class Repetition:
    """How to repeat a step.

    plan        what the step did
    functions   the step as functions of arrays
    run_back    the way back where all of the new state has a gradient
    arrays      of what no step changes
    edges       to it
    fixed       the edges, and the arrays
    counts      how many operations there are up to each of the plan's, itself included
    """

    __slots__ = (
        "_kinds", "arrays", "counts", "edges", "fixed", "functions", "plan", "run_back",
    )  # fmt: skip

    def __init__(self, plan: Plan, others: int) -> None:
        self.plan, self.functions = plan, functions_of(plan)
        self.counts = list(accumulate([one.length for one in plan.operations]))
        self._kinds = [_kind(edge) for edge in plan.edges[:others]]
        self.run_back = self.functions.backward(plan, (True,) * len(plan.outputs)).run
        self.edges = tuple([plan.edges[place] for place in plan.fixed])
        self.arrays = [
            widened(edge.array, shape)
            for edge, shape in zip(self.edges, self.functions.wide, strict=True)
        ]
        self.fixed = (*self.edges, *self.arrays)

    def through(
        self,
        given: Sequence[Sequence[Variable]],
        times: Iterable[int],
        state: tuple[Variable, ...],
    ) -> list[tuple[Any, ...]]:
        """The step again and again: the state after each time, as far as it goes.

        given  for each input that is no part of the state, the tensors of all times
        It ends before a time that is given something of another kind. Within
        `no_grad()` nothing is recorded.
        """
        rows = [self._alike(row, times, k) for k, row in enumerate(given)]
        if not thread.recorder.recording:
            return self._computed(rows, state)
        arrays_of = [[edge.array for edge in row] for row in rows]
        steps = zip(*rows, strict=False), zip(*arrays_of, strict=False)
        forward, fixed = self.functions.forward, self.arrays
        around = thread.recorder.scope
        outputs = range(len(state))
        now: tuple[Any, ...] = tuple([part._edge for part in state])
        arrays: Any = [edge.array for edge in now]
        states = []
        token = hush()
        try:
            for t, edges, new in zip(times, *steps, strict=False):
                made, kept = forward(*new, *arrays, *fixed)
                step = _new(Step)
                step.again, step.inputs = self, edges + now
                step.array, step.kept, step.written = made, kept, None
                step.seqs = seqs = tuple(islice(numbers, self.counts[-1]))
                step.seq, step.scope = seqs[-1], (*around, time_step(t).record)
                arrays = made
                now = tuple(map(_edge, repeat(step), outputs, made))
                states.append(tuple(map(_handle, now)))
        finally:
            restore(token)
        return states

    def _computed(
        self, rows: Sequence[Sequence[AnyEdge]], state: tuple[Variable, ...]
    ) -> list[tuple[Any, ...]]:
        """The states alone."""
        forward, fixed = self.functions.forward, self.arrays
        now: Any = [part._edge.array for part in state]
        states = []
        token = hush()
        try:
            for edges in zip(*rows, strict=False):
                now, _ = forward(*[edge.array for edge in edges], *now, *fixed)
                for array in now:
                    _freeze(array)
                states.append(tuple([_handle(Edge(None, 0, a, False)) for a in now]))
        finally:
            restore(token)
        return states

    def _alike(
        self, tensors: Sequence[Variable], times: Iterable[int], place: int
    ) -> list[AnyEdge]:
        """The edges of a row of tensors, up to the first of another kind."""
        wanted, found = self._kinds[place], []
        for t in times:
            if not isinstance(tensors[t], Variable):
                break
            edge = tensors[t]._edge
            if _kind(edge) != wanted:
                break
            found.append(edge)
        return found


def constant_of(tensor: Variable) -> Any:
    """A tensor of the same array, without its graph: as if it was not recorded."""
    return _handle(Edge(None, 0, tensor._edge.array, False))


def _handle(edge: Edge) -> Any:
    """A tensor of what an edge leads to, made without `__init__`, for speed."""
    handle = _new(Variable.result_type)
    set_edge(handle, edge)
    set_grad(handle, None)
    return handle


def _edge(step: Step, number: int, array: Array) -> StepEdge:
    """The edge to a part of the new state, whose array is to be read only from now."""
    _freeze(array)
    return _edge_to(step, number, array)


def _edge_to(step: Step, number: int, array: Array) -> StepEdge:
    edge = _new(StepEdge)
    edge.step, edge.number, edge.array, edge.requires_grad = step, number, array, True
    return edge


def _freeze(array: Array) -> None:
    """Nobody may write to it from now on, nor to what it is a view of."""
    array.setflags(write=False)
    base = array.base
    if type(base) is np.ndarray:
        base.setflags(write=False)


def _kind(edge: AnyEdge) -> tuple[Any, ...]:
    return edge.requires_grad, edge.array.dtype, edge.array.shape


def repetition(
    given: Sequence[Variable],
    state: Sequence[Variable],
    new: Sequence[Variable],
    alone: int | None = None,
) -> Repetition | None:
    """How to repeat the step that was just recorded, in the scope of now.

    given  what it was given besides the state: x, a mask
    state  the parts of the state before it; new: those after it
    alone  None, or the seq since when it was recorded, only so that it can be repeated
           where nothing is
    None if it cannot be repeated, or if the next step would be of another kind: the
    first state of a sequence mostly has no gradient.
    """
    recorder = thread.recorder
    if recorder.trace is not None or recorder.anomaly or not recorder.recording:
        return None
    if recorder.origin is not None:
        return None
    if not all([isinstance(tensor, Variable) for tensor in given]):
        return None  # an array, of which the cell made a tensor
    before = [tensor._edge for tensor in state]
    ends = [tensor._edge for tensor in new]
    edges = [tensor._edge for tensor in given]
    if alone is None:
        if [_kind(edge) for edge in before] != [_kind(edge) for edge in ends]:
            return None
        if not all([edge.requires_grad for edge in ends]):
            return None
    plan = plan_of([*edges, *before], ends, recorder.scope, alone)
    return None if plan is None else Repetition(plan, len(edges))
