"""Loops whose repeated steps stay the one record each that they are.

    loop.nodes              {time: its records}: nodes, or the step that was repeated
    loop.operations(t)      what they did, one by one

What is measured in every batch that is looked at is asked in this way: the states, the
gates' values and the gradients between steps are there without it that anybody writes
the operations of all steps down.

Read next: `same_loops.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from minigrad.engine.graph import AnyEdge, Node
from minigrad.engine.repeating.step_operations import StepOperation, operations_of
from minigrad.reading.handed_on import HandedOn, output_of
from minigrad.reading.loops import Loop

At = tuple[int, int | None]  # the place of a record; which operation of a step


class WholeLoop(Loop):
    """A loop as it was recorded: see above. Its states lead to records, too."""

    whole = True

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
        return loop

    @property
    def gate_rows(self) -> dict[str, Sequence[Any]]:
        """{letter: what gave the gate's value, step by step}."""
        return {letter: _Row(list(made.values())) for letter, made in self._made.items()}

    def operations(self, time: int) -> list[Any]:
        """What was done at a time step, oldest first: a Node or StepOperation each."""
        return operations(self.nodes[time])

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
        return record if number is None else operations_of(record)[number]


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
            made = operations_of(record)
            found |= {one.seq: (n, number) for number, one in enumerate(made)}
    return found


def output(record: Any, index: int) -> AnyEdge:
    """An output of a record, as an edge."""
    return output_of(record, index) if type(record) is Node else record.outputs[index]
