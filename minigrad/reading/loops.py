"""Which loop over time an operation belongs to, at which step, and what is handed on.

    found = Loops(nodes)            # oldest first
    place = found.of(node)          # its (loop, step); None outside any loop
    place.loop.steps                # in the order in which they ran

A loop is what was computed in time steps within the same outer scopes (one layer, one
direction). Its states are what one step hands to the next: the edges that lead from a
node of one step to a node of another. Nothing is asked of the program but
`with mg.time_step(t): ...` (which `models.unroll` writes). Every reader asks here, so
that a loop is the same loop in the picture, the player, the tables and the messages.

Read next: `names.py`.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from itertools import takewhile
from typing import NamedTuple

from minigrad.engine.graph import AnyEdge, Edge, Node, ancestors
from minigrad.engine.scope import Scope, path
from minigrad.engine.tensor import Tensor
from minigrad.reading.gates import by_letter, closing, letters
from minigrad.reading.levels import GATE, layer_of, letter_of

Scopes = tuple[Scope, ...]


class Loop:
    """One loop of a graph, in the form in which `models.unroll` gives its loops.

    scopes       those around it, outermost first; `around` are the user's own of them,
                 `layer` is (number, reverse) or None
    name         the scopes in words: "layer 0 / lstm"; "loop" if there are none
    number       which pass through these scopes it is, where passes are told apart
    outer        the place (loop, step) of another loop that it runs in, or None
    nodes        {time step: its nodes, oldest first}, in the order in which they ran
    states       tuples of tensors: after the first step, after the second, ...; what
                 came before the first step cannot be told from its input
    times        the time step behind each entry of states[1:]
    state_names  their letters, from the gates they were computed in: h, c, or s0, s1
    gates        {letter: {time step: the node that gave the gate's value}}
    """

    cell = None

    def __init__(self, scopes: Scopes, outer: Place | None, number: int = 0) -> None:
        self.scopes, self.outer, self.number = scopes, outer, number
        self.name = path(scopes) or "loop"
        self.layer = layer_of(scopes)
        self.nodes: dict[int, list[Node]] = {}

    def __repr__(self) -> str:
        return f"<Loop {self.name}: {len(self.nodes)} steps>"

    @property
    def steps(self) -> list[int]:
        """The time steps, in the order in which they ran."""
        return list(self.nodes)

    @property
    def reverse(self) -> bool:
        """Does it go back in time, from the last step to the first?"""
        if self.layer is not None and self.layer[1]:
            return True
        steps = self.steps
        return steps[0] > steps[-1]

    @property
    def around(self) -> Scopes:
        """The user's own scopes around its layer and cell: an encoder, a decoder."""
        own = takewhile(lambda level: level.kind not in ("layer", "cell"), self.scopes)
        return tuple(own)

    @property
    def inside(self) -> int:
        """The number of levels before a node's own within its step."""
        return len(self.scopes) + 1

    # --------------------------------------------------------- gates and states

    @cached_property
    def gates(self) -> dict[str, dict[int, Node]]:
        """The nodes that gave gates their values; states are no gates."""
        found = by_letter(self.nodes, self.inside)
        return {k: nodes for k, nodes in found.items() if k not in self.state_names}

    @property
    def state_names(self) -> tuple[str, ...]:
        """The letters of the state's parts."""
        return self._handed_on[0]

    @property
    def times(self) -> list[int]:
        """The time step behind each entry of states[1:]."""
        return list(self._handed_on[1])[1:]

    @cached_property
    def states(self) -> list[tuple[Tensor, ...]]:
        """The parts of the state after every step."""
        return [tuple(map(Tensor.of, parts)) for parts in self._handed_on[1].values()]

    def made_of(self, k: int) -> set[Node]:
        """The nodes that states[k] was made of within its step; not what reads it."""
        inside = set(self.nodes[list(self._handed_on[1])[k]])
        todo = [part._edge.source for part in self.states[k]]
        found: set[Node] = set()
        while todo:
            node = todo.pop()
            if isinstance(node, Node) and node in inside and node not in found:
                found.add(node)
                todo += [edge.source for edge in node.edges]
        return found

    @cached_property
    def _handed_on(self) -> tuple[tuple[str, ...], dict[int, list[AnyEdge]]]:
        """The parts of the state by name, and each after every step.

        Only steps that were recorded like the others count: the first and the last of
        a loop of one's own may do more, or less.
        """
        forward = {
            t: [n for n in made if n.origin is None] for t, made in self.nodes.items()
        }
        forward = {t: made for t, made in forward.items() if made}
        parts = self._parts(forward)
        if not parts:
            return (), {}
        usual = forward[list(forward)[-2]]
        named: dict[str, tuple[int, int]] = {}
        for k, index in parts:
            name = letter_of(usual[k]) if k < len(usual) else ""
            if not name or name in named:
                name = f"s{len(named)}"
            named[name] = k, index
        order = sorted(named, key=lambda n: (n != "h", n != "c", n))
        states: dict[int, list[AnyEdge]] = {}
        for t, nodes in forward.items():
            if _alike(usual, nodes, max(k for k, _ in parts) + 1):
                states[t] = [_output(nodes[named[n][0]], named[n][1]) for n in order]
            elif states:
                break
        return tuple(order), states

    def _parts(self, forward: dict[int, list[Node]]) -> list[tuple[int, int]]:
        """Where states come from: (number of the node within its step, output).

        A sum that is only added to, such as a loss gathered step by step, is no state:
        nothing else in the loop depends on it.
        """
        place = {n: (t, k) for t, made in forward.items() for k, n in enumerate(made)}
        found: dict[tuple[int, int], bool] = {}  # is it more than a sum?
        read_within: set[int] = set()  # by its own step
        for node, (t, k) in place.items():
            for edge in node.edges:
                made_at, number = place.get(edge.source, (None, 0))  # type: ignore
                if made_at == t:
                    read_within.add(number)
                elif made_at is not None:
                    added = node.primitive.name == "add" and k == number
                    part = number, edge.index
                    found[part] = found.get(part, False) or not added
        real = [p for p, more in found.items() if more or p[0] in read_within]
        return sorted(real or found)


class Place(NamedTuple):
    """Where a node belongs: a loop, and a time step of it."""

    loop: Loop
    step: int


class Loops:
    """All loops of some nodes, found by the scopes that they were recorded in.

    nodes    oldest first; those of a recorded backward pass are in the loop and the
             step that they are the derivative of
    passes   is a second pass through the same scopes (a model that is called twice) a
             loop of its own?
    all      every loop, inner ones among them, in order of time
    outside  the nodes that are in none
    """

    def __init__(self, nodes: Iterable[Node], passes: bool = False) -> None:
        self.all: list[Loop] = []
        self.outside: list[Node] = []
        self._passes = passes
        self._latest: dict[tuple[Place | None, Scopes], Loop] = {}
        self._of: dict[Node, Place] = {}
        scope: Scopes = ()
        places: list[Place] = []
        for node in nodes:
            if node.origin is not None:
                scope, places = node.scope, self._differentiated(node)
            elif node.scope is not scope:
                scope, places = node.scope, self._places(node.scope)
            for place in places:
                place.loop.nodes.setdefault(place.step, []).append(node)
            if places:
                self._of[node] = places[-1]
            else:
                self.outside.append(node)

    def of(self, node: Node) -> Place | None:
        """The loop and the step of a node: of loops in loops the innermost."""
        return self._of.get(node)

    def outermost(self, node: Node) -> Place | None:
        """The same of the outermost loop."""
        place = self._of.get(node)
        while place is not None and place.loop.outer is not None:
            place = place.loop.outer
        return place

    def at(self, scopes: Scopes) -> Loop | None:
        """The first loop that has just these scopes around it."""
        return next((loop for loop in self.all if loop.scopes == scopes), None)

    @property
    def outer(self) -> list[Loop]:
        """The loops that run in no other loop."""
        return [loop for loop in self.all if loop.outer is None]

    @property
    def steps(self) -> set[int]:
        """The time steps of all loops."""
        return {step for loop in self.all for step in loop.nodes}

    def letters(self, kinds: tuple[str, ...] = GATE) -> dict[Node, str]:
        """The letter of every node that closes a gate: see `gates.closing`. Outside of
        loops scopes of the user's own are no gates."""
        found = letters(closing(self.outside))
        for loop in self.outer:
            for nodes in loop.nodes.values():
                found |= letters(closing(nodes, loop.inside, kinds))
        return found

    def _places(self, scope: Scopes) -> list[Place]:
        """The loops that a scope lies in, outermost first, and the steps."""
        places: list[Place] = []
        outer: Place | None = None
        for depth, level in enumerate(scope):
            if level.kind == "step":
                step = level.index
                outer = Place(self._loop(outer, scope[:depth], step), step)
                places.append(outer)
        return places

    def _differentiated(self, node: Node) -> list[Place]:
        """The same in a recorded backward pass: those of the rule's operation."""
        origin = node.origin
        while origin is not None and origin not in self._of:
            origin = origin.origin
        if origin is None:
            passes, self._passes = self._passes, False
            places = self._places(node.scope)
            self._passes = passes
            return places
        places = [self._of[origin]]
        while places[0].loop.outer is not None:
            places.insert(0, places[0].loop.outer)
        return places

    def _loop(self, outer: Place | None, scopes: Scopes, step: int) -> Loop:
        loop = self._latest.get((outer, scopes))
        again = self._passes and loop is not None and step in loop.nodes
        if loop is None or (again and step != next(reversed(loop.nodes))):
            number = 0 if loop is None else loop.number + 1
            loop = self._latest[outer, scopes] = Loop(scopes, outer, number)
            self.all.append(loop)
        return loop


def loops(outputs: Iterable[AnyEdge]) -> list[Loop]:
    """Every loop behind the outputs whose steps hand on a state, in order of time."""
    found = Loops(ancestors([edge.source for edge in outputs]))
    return [loop for loop in found.outer if len(loop.states) > 1]


def _output(node: Node, index: int) -> AnyEdge:
    if not node.primitive.multiple:
        return node
    return Edge(node, index, node.array[index], node.requires_grad)


def _alike(a: list[Node], b: list[Node], count: int) -> bool:
    """Were the first `count` operations of both steps the same?"""
    if min(len(a), len(b)) < count:
        return False
    pairs = zip(a[:count], b[:count], strict=True)
    return all(x.primitive is y.primitive for x, y in pairs)
