"""The loops of graphs that the same program makes again and again, found only once.

    known = SameLoops()
    known.outer(nodes)      # as Loops(nodes).outer; quicker from the second time on

Whether two graphs are of the same program is told by every operation, its line, its
scope and what it is computed from. No graph is kept: only where in it things are.

Read next: `unnamed_leaves.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from typing import Any, NamedTuple

from minigrad.engine.graph import Node
from minigrad.reading.handed_on import HandedOn, output_of
from minigrad.reading.loops import Loop, Loops


class SameLoops:
    """The outer loops of the latest graph, by the places of their nodes."""

    def __init__(self) -> None:
        self._signature: list[Any] = []
        self._plans: list[_Plan] = []

    def outer(self, nodes: Sequence[Node]) -> list[Loop]:
        """The loops of these nodes (oldest first) that run in no other loop."""
        places: dict[Any, int] = {node: n for n, node in enumerate(nodes)}
        signature = _signature(nodes, places)
        if signature == self._signature:
            return [plan.loop_of(nodes) for plan in self._plans]
        found = Loops(nodes).outer
        self._plans = [_plan(loop, places) for loop in found]
        self._signature = signature
        return found


class _Plan(NamedTuple):
    """A loop without its nodes, and the places where these are in a graph."""

    loop: Loop
    nodes: dict[int, list[int]]
    states: dict[int, list[tuple[int, int]]]
    gates: dict[str, dict[int, int]]
    handed_on: HandedOn

    def loop_of(self, nodes: Sequence[Node]) -> Loop:
        """The loop in another graph of the same program."""
        handed_on = copy(self.handed_on)
        handed_on.states = {
            time: [output_of(nodes[n], index) for n, index in parts]
            for time, parts in self.states.items()
        }
        gates = {
            letter: {step: nodes[n] for step, n in made.items()}
            for letter, made in self.gates.items()
        }
        loop = copy(self.loop)
        loop.nodes = {
            step: [nodes[n] for n in made] for step, made in self.nodes.items()
        }
        loop.know(handed_on, gates)
        return loop


def _plan(loop: Loop, places: dict[Any, int]) -> _Plan:
    bare, handed_on = loop.without_nodes()
    states = {
        time: [(places[part.source], part.index) for part in parts]
        for time, parts in handed_on.states.items()
    }
    gates = {
        letter: {step: places[node] for step, node in made.items()}
        for letter, made in loop.gates.items()
    }
    nodes = {step: [places[n] for n in made] for step, made in loop.nodes.items()}
    return _Plan(bare, nodes, states, gates, handed_on.alone())


def _signature(nodes: Sequence[Node], places: dict[Any, int]) -> list[Any]:
    """All that the search for loops depends on, without the nodes themselves."""
    found: list[Any] = []
    scope: Any = None
    for node in nodes:
        if node.scope is not scope:
            scope = node.scope
            found.append([(s.kind, s.name, s.index) for s in scope if s.kind != "loop"])
        found += (node.primitive, node.code, node.offset, node.origin is None)
        for edge in node.edges:
            if type(edge) is Node:
                found.append(places[edge])
            else:
                found += (places.get(edge.source, -1), edge.index)
            found.append(edge.requires_grad)
    return found
