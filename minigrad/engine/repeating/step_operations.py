"""The operations of a repeated step, with their values, though none is written down.

    for made in operations_of(step): made.primitive, made.outputs, made.edges

What a training's watcher asks of every step, what the gates gave, is there already: the
way back takes these values. Only what is asked beyond that (`source`) makes the step
write its operations down.

Read next: `minigrad/engine/kernels/`.
"""

from __future__ import annotations

from typing import Any

from minigrad.engine.aliases import Array
from minigrad.engine.graph import AnyEdge, Node
from minigrad.engine.repeating.repeated_step import Step
from minigrad.engine.repeating.step_plan import Operation


class StepOperation:
    """One operation of a repeated step, as far as a node says the same.

    step       the step that it is part of
    like       the node that it repeats, of the step that was recorded in full
    primitive  the entry of the table of primitives
    seq        when: a counter that only grows
    origin     None: it is no part of a recorded backward pass

    An elementwise formula, which is recorded as one, is one: its last operation.
    """

    __slots__ = ("like", "one", "primitive", "seq", "step")

    origin = None

    def __init__(self, step: Step, one: Operation, seq: int) -> None:
        self.step, self.one, self.seq = step, one, seq
        self.like, self.primitive = one.node, one.node.primitive

    @property
    def part(self) -> int | None:
        """Which part of the new state it made: None for none of them."""
        outputs, made = self.step.again.plan.outputs, self.one.outputs
        return outputs.index(made[0]) if made[0] in outputs else None

    @property
    def outputs(self) -> tuple[Array, ...]:
        """The arrays it made. The step is written down if the way back has no use for
        them."""
        found = [_value(self.step, place) for place in self.one.outputs]
        arrays = tuple([array for array in found if array is not None])
        return arrays if len(arrays) == len(found) else self.source.outputs

    @property
    def edges(self) -> tuple[AnyEdge, ...]:
        """One per input. The step is written down if one leads to another operation
        of it."""
        given = self.step.edges
        if self.one.formula is None and max(self.one.inputs) < len(given):
            return tuple([given[place] for place in self.one.inputs])
        return self.source.edges

    @property
    def source(self) -> Node:
        """The node itself: the step is written down for it."""
        todo: set[Any] = {edge.source for edge in self.step.looked_at()}
        seen = set(todo)
        while todo:
            node = todo.pop()
            if node.seq == self.seq:
                return node
            before = {edge.record for edge in node.edges if type(edge.record) is Node}
            todo |= before - seen
            seen |= before
        raise AssertionError("an operation of a step that leads to no output of it")


def operation_of(step: Step, number: int) -> StepOperation:
    """One of them, counted from the oldest."""
    again = step.again
    seq = step.seqs[again.counts[number] - 1]
    return StepOperation(step, again.plan.operations[number], seq)


def operations_of(step: Step) -> list[StepOperation]:
    """All of them, oldest first."""
    return [operation_of(step, k) for k in range(len(step.again.counts))]


def _value(step: Step, place: int) -> Array | None:
    """What is at a place of the plan, if the step has kept it."""
    again = step.again
    if place in again.functions.keeps:
        return step.kept[again.functions.keeps.index(place)]
    if place in again.plan.outputs:
        return step.array[again.plan.outputs.index(place)]
    return None
