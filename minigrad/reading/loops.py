"""Which loop over time an operation belongs to, at which step, and what is handed on.

    found = Loops(nodes)            # oldest first
    place = found.of(node)          # its (loop, step); None outside any loop
    place.loop.steps                # in the order in which they ran

A loop is what was computed in time steps within the same outer scopes (one layer, one
direction) in one go: a second run through the same steps is a loop of its own, and so
is every call of a model. Where nothing is marked, a cell that is called again and again
is found by the uses of its parameters (`repeated_cells.py`). A loop's states are what
one step hands to the next. Every reader asks here, so that a loop is the same loop in
the picture, the player, the tables and the messages.

Read next: `loop_search.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from itertools import pairwise, takewhile
from typing import Any, NamedTuple

from minigrad.engine.graph import AnyEdge, Leaf, Node, ancestors
from minigrad.engine.scope import Scope, path
from minigrad.engine.tensor import Tensor
from minigrad.reading.activations import bounded
from minigrad.reading.gates import by_letter, closing, letters
from minigrad.reading.handed_on import HandedOn
from minigrad.reading.levels import GATE, layer_of
from minigrad.reading.loop_names import Call, bare
from minigrad.reading.loop_search import Search

Scopes = tuple[Scope, ...]


class Loop:
    """One loop of a graph, in the form in which `models.unroll` gives its loops.

    scopes       those around it, outermost first; `around` are the user's own of them,
                 `layer` is (number, reverse) or None
    name         the scopes in words: "layer 0 / lstm"; "loop" if there are none. Where
                 there are several calls, the call's: "encoder", "GRU 2 / layer 1"
    call         the run through a network that it is part of
    number       which pass through these scopes it is
    marked       were its steps marked, by `time_step` or `unroll`?
    outer        the place (loop, step) of another loop that it runs in, or None
    nodes        {time step: its nodes, oldest first}, in the order in which they ran
    states       tuples of tensors: after the first step, after the second, ...; what
                 came before the first step cannot be told from its input
    times        the time step behind each entry of states[1:]
    state_names  their letters, from the gates they were computed in: h, c, or s0, s1
    cut          the steps whose state no gradient reaches from the next step: all but
                 the last, where the state is detached at every step
    parted       {name: steps} of parts of the state that are cut at these steps, where
                 another part is not
    gates        {letter: {time step: the node that gave the gate's value}}
    """

    cell = None
    whole = False  # are there repeated steps among its nodes? See `whole_loops.py`

    def __init__(
        self, scopes: Scopes, outer: Place | None, number: int = 0, marked: bool = True
    ) -> None:
        self.scopes, self.outer, self.number, self.marked = (
            scopes, outer, number, marked,
        )  # fmt: skip
        self.inside = len(scopes) + marked  # levels before a node's own in its step
        self.name = path(bare(scopes)) or "loop"
        self.layer = layer_of(scopes)
        self.call = Call(0, "")
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
        return next(iter(self.nodes)) > next(reversed(self.nodes))

    @property
    def around(self) -> Scopes:
        """The user's own scopes around its layer and cell: an encoder, a decoder."""
        own = takewhile(lambda level: level.kind not in ("layer", "cell"), self.scopes)
        return bare(own)

    # --------------------------------------------------------- gates and states

    @cached_property
    def gates(self) -> dict[str, dict[int, Node]]:
        """The nodes that gave gates their values; states are no gates."""
        found = by_letter(self.nodes, self.inside)
        return {k: nodes for k, nodes in found.items() if k not in self.state_names}

    @property
    def gate_rows(self) -> dict[str, Sequence[Any]]:
        """{letter: what gave the gate's value, step by step}."""
        return {letter: list(made.values()) for letter, made in self.gates.items()}

    def bounded(self, time: int) -> Sequence[tuple[str, Any]]:
        """The activations with ends at a time step: see `activations.bounded`."""
        return bounded(self.nodes[time])

    def is_state(self, made: Any) -> bool:
        """Did an operation make a part of a state?"""
        return made in self._makers

    @cached_property
    def _makers(self) -> set[Any]:
        return {part._edge.record for state in self.states for part in state}

    @property
    def state_names(self) -> tuple[str, ...]:
        """The letters of the state's parts."""
        return self._handed_on.names

    @cached_property
    def times(self) -> list[int]:
        """The time step behind each entry of states[1:]."""
        return self.state_times[1:]

    @cached_property
    def state_times(self) -> list[int]:
        """The time step behind each entry of states."""
        return list(self._handed_on.states)

    @property
    def cut(self) -> list[int]:
        """The steps whose state no gradient reaches from the next step."""
        return self._handed_on.cut

    @cached_property
    def parted(self) -> dict[str, list[int]]:
        """The parts that are cut where others are not, and after which steps."""
        return self._handed_on.parted or self._given_alone()

    def _given_alone(self) -> dict[str, list[int]]:
        """The h of a cell of ours that comes without its graph, and is in no step's:
        what the recurrent weight multiplies is a constant, also after the first."""
        cut = set(self.cut)
        after = [
            before
            for before, step in pairwise(self.steps)
            if any(_multiplies_constants(node) for node in self.nodes[step])
            and before not in cut
        ]
        return {"h": after} if after else {}

    @cached_property
    def states(self) -> list[tuple[Tensor, ...]]:
        """The parts of the state after every step."""
        return [
            tuple(map(Tensor.of, parts)) for parts in self._handed_on.states.values()
        ]

    @property
    def parts(self) -> list[tuple[Tensor, ...]]:
        """The same, under the name that it has in a trace."""
        return self.states

    def made_of(self, k: int) -> set[Node]:
        """The nodes that states[k] was made of within its step; not what reads it."""
        todo = [part._edge.record for part in self.states[k]]
        if not any([isinstance(made, Node) for made in todo]):
            return set()
        inside = set(self.nodes[self.state_times[k]])
        found: set[Node] = set()
        while todo:
            node = todo.pop()
            if isinstance(node, Node) and node in inside and node not in found:
                found.add(node)
                todo += [edge.record for edge in node.edges]
        return found

    @cached_property
    def _handed_on(self) -> HandedOn:
        return HandedOn(self.nodes)

    # --------------------------------------------------------- for `same_loops.py`

    def without_nodes(self) -> tuple[Loop, HandedOn]:
        """The loop with nothing in it, and what its steps hand on."""
        bare = Loop(self.scopes, None, self.number, self.marked)
        bare.inside, bare.name, bare.layer, bare.call = (
            self.inside, self.name, self.layer, self.call,
        )  # fmt: skip
        return bare, self._handed_on

    def know(self, handed_on: HandedOn, gates: dict[str, dict[int, Node]]) -> None:
        """Take over what would else be searched for."""
        self._handed_on, self.gates = handed_on, gates


def _multiplies_constants(node: Node) -> bool:
    """Is it a recurrent weight times something that no gradient comes back from?"""
    if node.origin is not None or node.primitive.name != "matmul":
        return False
    state, weight = node.edges
    leaf = weight.source
    return type(leaf) is Leaf and leaf.name == "W_h" and not state.requires_grad


class Place(NamedTuple):
    """Where a node belongs: a loop, and a time step of it."""

    loop: Loop
    step: int


class Loops:
    """All loops of some nodes.

    nodes    oldest first; those of a recorded backward pass are in the loop and the
             step that they are the derivative of
    all      every loop, inner ones among them, in order of time
    outside  the nodes that are in none
    calls    the runs through a network, in order of time; `several`: more than one?
    """

    def __init__(self, nodes: Iterable[Node]) -> None:
        nodes = list(nodes)
        search = Search(nodes, Loop, Place)
        self.all: list[Loop] = search.all
        self.calls: list[Call] = search.calls
        self._of: dict[Node, Place] = search.of
        self.outside = [node for node in nodes if node not in self._of]
        self._scopes: dict[tuple[Scopes, Place | None], Scopes] = {}

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
        same = (loop for loop in self.all if loop.scopes == scopes)
        alike = (loop for loop in self.all if bare(loop.scopes) == bare(scopes))
        return next(same, None) or next(alike, None)

    @property
    def several(self) -> bool:
        """Are there several calls, so that a step alone does not say where one is?"""
        return len(self.calls) > 1

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

    def scope(self, node: Node) -> Scopes:
        """The scope of a node as if all loops had been marked: found steps are written
        in, and where there are several calls, which one it is."""
        place = self.of(node)
        if (node.scope, place) not in self._scopes:
            self._scopes[node.scope, place] = self._written(node.scope, place)
        return self._scopes[node.scope, place]

    def _written(self, scope: Scopes, place: Place | None) -> Scopes:
        levels = list(bare(scope))
        if place is None:
            return tuple(levels)
        chain = [place]
        while chain[0].loop.outer is not None:
            chain.insert(0, chain[0].loop.outer)
        marked = sum(one.loop.marked for one in chain)
        spare = sum(level.kind == "step" for level in levels) - marked
        inserted = 0
        for depth, (loop, step) in enumerate(chain):
            if loop.marked:
                continue
            written = Scope("step", "step", step)
            there = [k for k, level in enumerate(levels) if level.kind == "step"]
            if spare > 0:  # a model called for one step: its own step says nothing
                levels[there[depth]] = written
                spare -= 1
            else:
                levels.insert(len(bare(loop.scopes)) + inserted, written)
                inserted += 1
        loop = chain[0].loop
        if not loop.call.alone:
            if loop.call.label == path(loop.around):  # the user's own words for it
                del levels[: len(loop.around)]
            levels.insert(0, Scope("loop", loop.call.label, loop.call.number))
        return tuple(levels)


def loops(outputs: Iterable[AnyEdge]) -> list[Loop]:
    """Every loop behind the outputs whose steps hand on a state, in order of time."""
    found = Loops(ancestors([edge.source for edge in outputs]))
    return [loop for loop in found.outer if len(loop.states) > 1]
