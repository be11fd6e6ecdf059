"""Loops whose repeated steps stay the one record each that they are.

    loop.nodes              {time: its records}: nodes, or the step that was repeated
    loop.bounded(t)         the activations among what they did

What is measured in every batch that is looked at is asked in this way: the states, the
gates' values and the gradients between steps are there without it that anybody writes
the operations of all steps down.

Read next: `same_loops.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from minigrad.engine.aliases import Array
from minigrad.engine.graph import AnyEdge, Node, record_key
from minigrad.engine.primitives.shape import fitted
from minigrad.engine.repeating.repeated_step import Step
from minigrad.engine.repeating.step_operations import (
    StepOperation,
    operation_of,
    operations_of,
)
from minigrad.engine.tensor import Tensor
from minigrad.reading.activations import bounded
from minigrad.reading.handed_on import HandedOn, output_of
from minigrad.reading.loops import Loop

At = tuple[int, int | None]  # the place of a record; which operation of a step


class WholeLoop(Loop):
    """A loop as it was recorded: see above. Its states lead to records, too."""

    whole = True
    _made: Mapping[str, Mapping[int, tuple[Any, int | None]]]
    _known: dict[Any, list[tuple[str, int]]]

    @classmethod
    def of(
        cls,
        bare: Loop,
        handed_on: HandedOn,
        parted: dict[str, list[int]],
        nodes: dict[int, list[Any]],
        gates: Mapping[str, Mapping[int, Any]],
    ) -> WholeLoop:
        """A loop without nodes, filled.

        gates  {letter: {time: (the record, which of the operations of a step)}}
        """
        loop = cls.__new__(cls)
        vars(loop).update(vars(bare))
        loop.know(handed_on, {})
        loop.parted, loop.nodes, loop._made = parted, nodes, gates
        loop._known = {}
        return loop

    @property
    def gate_rows(self) -> dict[str, Sequence[Any]]:
        """{letter: what gave the gate's value, step by step}."""
        return {
            letter: _Row(list(made.values())) for letter, made in self._made.items()
        }

    def bounded(self, time: int) -> list[tuple[str, Any]]:
        """The activations with ends at a time step: see `activations.bounded`."""
        found: list[tuple[str, Any]] = []
        record: Any
        for record in self.nodes[time]:
            if type(record) is Node:
                found += bounded([record])
                continue
            if record.again not in self._known:  # where in such a step they are
                done = record.again.plan.operations
                self._known[record.again] = [
                    (letter, k)
                    for k, one in enumerate(done)
                    for letter, _ in bounded([one.node])
                ]
            for letter, k in self._known[record.again]:
                found.append((letter, operation_of(record, k)))
        return found

    def is_state(self, made: Any) -> bool:
        """Did an operation make a part of a state?"""
        if isinstance(made, StepOperation):
            return made.part is not None
        return super().is_state(made)


class _Row(Sequence[Any]):
    """Operations that are looked up once they are asked for."""

    def __init__(self, made: Sequence[tuple[Any, int | None]]) -> None:
        self._made = made

    def __len__(self) -> int:
        return len(self._made)

    def __getitem__(self, k: Any) -> Any:
        record, number = self._made[k]
        return record if number is None else operation_of(record, number)


def operations(recorded: Iterable[Any]) -> list[Any]:
    """What some records did, one by one: a Node or StepOperation each."""
    found: list[Any] = []
    for record in recorded:
        found += [record] if type(record) is Node else operations_of(record)
    return found


def numbered(recorded: Sequence[Any]) -> dict[int, At]:
    """{seq: where an operation is among the records}: also within repeated steps."""
    found: dict[int, At] = {}
    for n, record in enumerate(recorded):
        if type(record) is Node:
            found[record.seq] = n, None
        else:
            found |= dict.fromkeys(record.seqs, (n, None))
            for number, count in enumerate(record.again.counts):
                found[record.seqs[count - 1]] = n, number
    return found


def outputs(record: Any) -> Sequence[AnyEdge]:
    """All that a record made, as edges."""
    if type(record) is not Node:
        return record.outputs
    return [output_of(record, k) for k in range(len(record.outputs))]


def steps_back(loop: Loop, gradients: list[Array], number: int) -> list[list[Array]]:
    """What a gradient of states[number] gives to the state before, to the one before
    that, ..., as far as repeated steps lead: a list of (parts of the state) arrays.

    gradients  one per part of the state
    """
    found: list[list[Array]] = []
    arrived: dict[int, Array] = {}  # at an input of the step, by its place
    way: _Way | None = None

    def deliver(edge: AnyEdge, value: Array) -> None:
        value, before = fitted(value, edge.array), arrived.get(id(edge))
        arrived[id(edge)] = value if before is None else before + value

    while loop.whole and number > 0:
        before, after = loop.states[number - 1], loop.states[number]
        if way is None or not way.leads(before, after):
            way = _way(before, after)
        if way is None:
            break
        step: Any = after[0]._edge.record
        gs: list[Any] = [None] * len(step.array)
        for k, g in zip(way.outputs, gradients, strict=True):
            gs[k] = g
        arrived.clear()
        step.pull_needed(way.needs, gs, deliver, None)
        gradients = []
        for k in way.inputs:
            edge = step.inputs[k]
            value = arrived.get(id(edge))
            gradients.append(np.zeros_like(edge.array) if value is None else value)
        found.append(gradients)
        number -= 1
    return found


class _Way(NamedTuple):
    """From one state to another, through a repeated step.

    again    how the step was repeated
    outputs  which of its outputs the parts of the state after it are
    inputs   which of its inputs those before it are
    needs    the same, as one flag per edge of the step
    """

    again: Any
    outputs: list[int]
    inputs: list[int]
    needs: tuple[bool, ...]

    def leads(self, before: Sequence[Tensor], after: Sequence[Tensor]) -> bool:
        """Does it lead from these parts of a state to those?"""
        step = after[0]._edge.record
        if type(step) is not Step or step.again is not self.again:
            return False
        for part, k in zip(after, self.outputs, strict=True):
            if part._edge.record is not step or part._edge.number != k:  # type: ignore
                return False
        for part, k in zip(before, self.inputs, strict=True):
            if not _same(part._edge, step.inputs[k]):
                return False
        return True


def _same(a: AnyEdge, b: AnyEdge) -> bool:
    """Do both edges lead to the same output of the same record?"""
    return a is b or record_key(a) == record_key(b)


def _way(before: Sequence[Tensor], after: Sequence[Tensor]) -> _Way | None:
    """The way between two states; None if there is no repeated step between them."""
    step = after[0]._edge.record
    if type(step) is not Step:
        return None
    places = {record_key(edge): k for k, edge in enumerate(step.inputs)}
    inputs = [places.get(record_key(part._edge), -1) for part in before]
    outputs = [getattr(part._edge, "number", -1) for part in after]
    needs = tuple([k in inputs for k in range(len(step.edges))])
    way = _Way(step.again, outputs, inputs, needs)
    return way if min(inputs) >= 0 and way.leads(before, after) else None
