"""The loops of graphs that the same program makes again and again, found only once.

    known = SameLoops()
    known.outer(loss._edge)     # as Loops(...).outer; quicker from the second time on

Whether two graphs are of the same program is told by every operation, its line, its
scope and what it is computed from. No graph is kept: only where in it things are. The
loops are whole ones (`whole_loops.py`), so that only the first graph is written out.

Read next: `unnamed_leaves.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from typing import Any, NamedTuple

from minigrad.engine.graph import AnyEdge, Edge, Node, ancestors, records
from minigrad.reading.handed_on import HandedOn
from minigrad.reading.loops import Loop, Loops
from minigrad.reading.whole_loops import At, WholeLoop, numbered, operations, outputs


class SameLoops:
    """The outer loops of the latest graph, by the places of its records.

    new  was it of another program than the one before?
    """

    def __init__(self) -> None:
        self.new = True
        self._signature: list[Any] = []
        self._plans: list[_Plan] = []

    def outer(
        self, loss: AnyEdge, recorded: Sequence[Any] | None = None
    ) -> Sequence[Loop]:
        """The loops behind a loss that run in no other loop.

        recorded  its `records`, if they are known
        """
        recorded = records([loss]) if recorded is None else recorded
        signature = _signature(recorded)
        self.new = signature != self._signature
        if self.new:
            found = Loops(ancestors([loss.source])).outer
            plans = _plans(found, recorded)
            if plans is None:
                return found
            self._plans, self._signature = plans, signature
        return [plan.loop_of(recorded) for plan in self._plans]


def without_written(found: Sequence[Loop], recorded: Sequence[Any]) -> Sequence[Loop]:
    """The same loops as whole ones: what was written down of steps is left out.

    found     loops of `Loops(nodes)`
    recorded  the `records` behind the same output
    Where no step was repeated, they are returned as they are.
    """
    if all([type(record) is Node for record in recorded]):
        return found
    plans = _plans(found, recorded)
    return found if plans is None else [plan.loop_of(recorded) for plan in plans]


class _Plan(NamedTuple):
    """A loop without its nodes, and the places where these are in a graph."""

    loop: Loop
    nodes: dict[int, list[int]]
    states: dict[int, list[tuple[int, int]]]
    gates: dict[str, dict[int, At]]
    handed_on: HandedOn
    parted: dict[str, list[int]]

    @property
    def makers(self) -> set[int]:
        """The places of what made the states."""
        return {n for parts in self.states.values() for n, _ in parts}

    def loop_of(self, recorded: Sequence[Any]) -> WholeLoop:
        """The loop in another graph of the same program."""
        handed_on = copy(self.handed_on)
        made = {n: outputs(recorded[n]) for n in self.makers}
        handed_on.states = {
            time: [made[n][index] for n, index in parts]
            for time, parts in self.states.items()
        }
        gates = {
            letter: {time: (recorded[n], number) for time, (n, number) in made.items()}
            for letter, made in self.gates.items()
        }
        nodes = {time: [recorded[n] for n in made] for time, made in self.nodes.items()}
        return WholeLoop.of(self.loop, handed_on, self.parted, nodes, gates)


def _plans(found: Sequence[Loop], recorded: Sequence[Any]) -> list[_Plan] | None:
    """Where the loops are among the records; None if that cannot be said of one."""
    places = numbered(recorded)
    plans = [_plan(loop, recorded, places) for loop in found]
    known = [plan for plan in plans if plan is not None]
    return known if len(known) == len(plans) else None


def _plan(loop: Loop, recorded: Sequence[Any], places: dict[int, At]) -> _Plan | None:
    """None if a state is within a repeated step, and nothing that the step hands on.

    The last step may make more than the loss reads. Behind a mask, the state that is
    found there is then what the mask would choose from: the step's own is meant.
    """
    bare, handed_on = loop.without_nodes()
    states: dict[int, list[tuple[int, int]]] = {}
    known: dict[int, int] = {}  # which output of a repeated step a part of the state is
    for time, parts in handed_on.states.items():
        states[time] = []
        for k, part in enumerate(parts):
            source: Any = part.source
            n, number = places[source.seq]
            index: Any = part.index
            if type(recorded[n]) is not Node:
                made = operations([recorded[n]])
                index = None if number is None else made[number].part
                index = known.get(k) if index is None else index
                if index is None:
                    return None
                known[k] = index
            states[time].append((n, index))
    gates = {
        letter: {time: places[node.seq] for time, node in made.items()}
        for letter, made in loop.gates.items()
    }
    nodes = {
        time: list(dict.fromkeys([places[node.seq][0] for node in made]))
        for time, made in loop.nodes.items()
    }
    return _Plan(bare, nodes, states, gates, handed_on.alone(), loop.parted)


def _signature(recorded: Sequence[Any]) -> list[Any]:
    """All that the search for loops depends on, without the records themselves."""
    places: dict[Any, int] = {record: n for n, record in enumerate(recorded)}
    found: list[Any] = []
    scope: Any = None
    again: Any = None
    for record in recorded:
        if record.scope is not scope:
            if scope is None or record.scope[:-1] != scope[:-1]:
                found.append(_levels(record.scope[:-1]))
            scope = record.scope
            found.append(_levels(scope[-1:]))
        if type(record) is Node:
            found += _done(record)
            edges = record.edges
        elif record.again is not again:
            again = record.again
            for one in again.plan.operations:
                found += _done(one.node)
                found += (_levels(one.node.scope), one.inputs, one.outputs)
            edges = record.edges
        else:
            edges = record.inputs
        for edge in edges:
            if type(edge) is Node:
                found.append(places[edge])
            else:
                index = edge.index if type(edge) is Edge else edge.number  # type: ignore
                found += (places.get(edge.record, -1), index)
            found.append(edge.requires_grad)
    return found


def _done(node: Node) -> tuple[Any, ...]:
    return node.primitive, node.code, node.offset, node.origin is None


def _levels(scope: Sequence[Any]) -> list[Any]:
    return [(s.kind, s.name, s.index) for s in scope if s.kind != "loop"]
