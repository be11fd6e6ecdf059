"""How the loops of a graph are found: by the marks of their steps, else by repetition.

Read next: `handed_on.py`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise, takewhile
from typing import Any

from minigrad.engine.graph import Leaf, Node
from minigrad.engine.scope import Scope
from minigrad.reading.loop_names import Call, bare, base_of, number, record_of
from minigrad.reading.repeated_cells import repeated

Scopes = tuple[Scope, ...]
DEEPEST = 3  # loops within loops that nobody marked


class Search:
    """Finds the loops of some nodes: the work behind `Loops`.

    nodes        oldest first
    loop, place  what is made of what is found: `Loop(scopes, outer, number, marked)`,
                 `Place(loop, step)`
    all, of      every loop in order of time, and {node: place in the innermost}
    calls        the runs through a network: `loop_names.Call`
    """

    def __init__(
        self, nodes: Sequence[Node], loop: Callable[..., Any], place: Callable[..., Any]
    ) -> None:
        self._loop, self._place = loop, place
        self.all: list[Any] = []
        self.of: dict[Node, Any] = {}
        self._latest: dict[tuple[Any, Scopes], Any] = {}
        forward = [node for node in nodes if node.origin is None]
        self._marked(forward)
        self._passes()
        self._unmarked(forward)
        self._backward(nodes)
        self.all = [loop for loop in self.all if loop.nodes]
        self.all.sort(key=lambda loop: next(iter(loop.nodes.values()))[0].seq)
        self.calls = self._calls()

    # ------------------------------------------------------------- marked steps

    def _marked(self, nodes: Sequence[Node]) -> None:
        """Loops by the scopes that their steps were recorded in."""
        scope: Scopes = ()
        places: list[Any] = []
        for node in nodes:
            if node.scope is not scope:
                scope, places = node.scope, self._places(node.scope)
            for place in places:
                place.loop.nodes.setdefault(place.step, []).append(node)
            if places:
                self.of[node] = places[-1]

    def _places(self, scope: Scopes, runs: bool = True) -> list[Any]:
        """The loops that a scope lies in, outermost first, and the steps. Does it run
        through them, or only belong to them?"""
        places: list[Any] = []
        outer: Any = None
        for depth, level in enumerate(scope):
            if level.kind == "step":
                step = level.index
                outer = self._place(self._pass(outer, scope[:depth], step, runs), step)
                places.append(outer)
        return places

    def _pass(self, outer: Any, scopes: Scopes, step: int, runs: bool) -> Any:
        """The loop of these scopes; a new one, where a run returns to a step."""
        loop = self._latest.get((outer, scopes))
        again = runs and loop is not None and step in loop.nodes
        if loop is None or (again and step != next(reversed(loop.nodes))):
            count = 0 if loop is None else loop.number + 1
            loop = self._latest[outer, scopes] = self._loop(scopes, outer, count)
            self.all.append(loop)
        return loop

    def _passes(self) -> None:
        """Second runs through the same steps that hand nothing on (losses, say) belong
        to the first; two cells that follow each other are two loops."""
        first: dict[tuple[Any, Scopes], Any] = {}
        for loop in list(self.all):
            name = loop.outer, loop.scopes
            before = first.get(name)
            if before is not None and loop.nodes.keys() <= before.nodes.keys():
                if not loop.states:
                    self._move(loop, before)
                    continue
            first[name] = loop
            if record_of(loop.scopes) is None and len(loop.nodes) > 3:
                self._split(loop)

    def _move(self, loop: Any, into: Any) -> None:
        """All nodes of a loop become another's."""
        for step, nodes in loop.nodes.items():
            into.nodes[step] = [*into.nodes[step], *nodes]
            self.of |= {
                n: self._place(into, step) for n in nodes if self.of[n].loop is loop
            }
        for inner in self.all:
            if inner.outer is not None and inner.outer.loop is loop:
                inner.outer = self._place(into, inner.outer.step)
        self.all.remove(loop)

    def _split(self, loop: Any) -> None:
        """Two loops, where from some step on none of the parameters is used again."""
        used = [_trained(nodes) for nodes in loop.nodes.values()]
        ends = [
            k for k, (a, b) in enumerate(pairwise(used), 1) if a and b and not a & b
        ]
        if not ends or 2 * (len(ends) + 1) > len(used):
            return
        steps = list(loop.nodes.items())
        loop.nodes = dict(steps[: ends[0]])
        for low, high in pairwise([*ends, len(steps)]):
            part = self._loop(loop.scopes, loop.outer, loop.number + 1)
            part.nodes = dict(steps[low:high])
            for step, nodes in part.nodes.items():
                place = self._place(part, step)
                self.of |= {n: place for n in nodes if self.of[n].loop is loop}
            for inner in self.all:
                if inner.outer is not None and inner.outer.loop is loop:
                    if inner.outer.step in part.nodes:
                        inner.outer = self._place(part, inner.outer.step)
            self.all.append(part)
            loop = part

    # ------------------------------------------------------------- unmarked steps

    def _unmarked(self, nodes: Sequence[Node]) -> None:
        """Loops that nobody marked, within the steps of others too."""
        todo: deque[tuple[Sequence[Node], Any, int]] = deque([(nodes, None, 0)])
        for loop in self.all:
            todo += [(n, self._place(loop, t), 1) for t, n in loop.nodes.items()]
        while todo:
            inside, outer, depth = todo.popleft()
            for steps in repeated(inside, partial(self._free, outer)):
                loop = self._found(steps, outer)
                if loop is not None and depth < DEEPEST:
                    todo += [
                        (found, self._place(loop, t), depth + 1)
                        for t, found in loop.nodes.items()
                    ]

    def _free(self, outer: Any, node: Node) -> bool:
        """May a node be a step of a loop within `outer` that nobody marked? A model
        that was called for one step is such a step itself."""
        place = self.of.get(node)
        return place == outer or (
            place is not None and place.loop.outer == outer and _one_step(place.loop)
        )

    def _found(self, steps: list[list[Node]], outer: Any) -> Any:
        """A loop of these steps; None if they hand nothing on."""
        free = {n: None for nodes in steps for n in nodes if self._free(outer, n)}
        scopes = _common([bare(node.scope) for node in free])
        loop = self._loop(scopes, outer, 0, False)
        loop.nodes = dict(enumerate(steps))
        if len(loop.states) < 2:
            return None
        loop.inside = len(_common([node.scope for node in free]))
        whole: dict[Any, int] = {}  # marked loops that run in a step of this one
        for step, nodes in loop.nodes.items():
            place = self._place(loop, step)
            for node in nodes:
                if node in free:  # as it was: taking one empties the loop it was in
                    self._take(node, place)
                else:
                    whole[self._below(node, outer)] = step
        for inner, step in whole.items():
            inner.outer = self._place(loop, step)
        self.all.append(loop)
        return loop

    def _take(self, node: Node, place: Any) -> None:
        before = self.of.get(node)
        if before is not None and before.loop is not place.loop:
            if _one_step(before.loop):
                before.loop.nodes.clear()
        self.of[node] = place

    def _below(self, node: Node, outer: Any) -> Any:
        """The loop directly within `outer` that a node lies in."""
        loop = self.of[node].loop
        while loop.outer is not None and loop.outer != outer:
            loop = loop.outer.loop
        return loop

    # ------------------------------------------------------------- backward passes

    def _backward(self, nodes: Sequence[Node]) -> None:
        """What a recorded backward pass computed is where its operation is. If
        that is not among the nodes, it is in the latest loop of its scopes: to go back
        through the steps is not another run."""
        self._latest = {(loop.outer, loop.scopes): loop for loop in self.all}
        for node in nodes:
            origin = node.origin
            while origin is not None and origin not in self.of:
                origin = origin.origin
            if origin is not None:
                self._add(node, self.of[origin])
            elif node.origin is not None:
                for place in self._places(node.scope, runs=False):
                    self._add(node, place, alone=True)

    def _add(self, node: Node, place: Any, alone: bool = False) -> None:
        self.of[node] = place
        while place is not None:
            place.loop.nodes.setdefault(place.step, []).append(node)
            place = None if alone else place.loop.outer

    # ------------------------------------------------------------- calls

    def _calls(self) -> list[Call]:
        """The runs through a network, named; every outer loop is told its own."""
        calls: dict[Any, Call] = {}
        outer = [loop for loop in self.all if loop.outer is None]
        joined = []
        for loop in outer:
            name: Any = record_of(loop.scopes)
            if name is None:
                if not loop.states:
                    joined.append(loop)
                    continue
                name = (loop.around, loop.number) if loop.marked else loop
            if name not in calls:
                calls[name] = Call(len(calls), base_of(loop))
            loop.call = calls[name]
        for loop in joined:  # steps that hand nothing on: those of a loop beside them
            near = [o for o in outer if o.nodes.keys() >= loop.nodes.keys()]
            near = [o for o in near if o not in joined]
            if near:
                at = outer.index(loop)
                loop.call = min(near, key=lambda o: abs(outer.index(o) - at)).call
            else:
                loop.call = Call(len(calls), "loop", "loop", not calls)
        found = list(calls.values())
        number(found)
        if len(found) > 1:
            self._name(outer)
        return found

    def _name(self, outer: list[Any]) -> None:
        """Where there are several calls, loops are named by theirs."""
        for loop in outer:
            if loop.call.label:
                mates = [o for o in outer if o.call is loop.call and o.layer]
                level = next((s.name for s in loop.scopes if s.kind == "layer"), "")
                words = [loop.call.label, level if len(mates) > 1 else ""]
                loop.name = " / ".join(filter(None, words))


def _one_step(loop: Any) -> bool:
    """Is it a model's, or unroll's, called for a single step?"""
    kinds = [level.kind for level in loop.scopes]
    return len(loop.nodes) == 1 and "loop" in kinds


def _common(scopes: list[Scopes]) -> Scopes:
    """The levels that all scopes begin with, up to the first gate or step."""
    together = zip(*set(scopes), strict=False)
    same = takewhile(lambda levels: len(set(levels)) == 1, together)
    outer = takewhile(lambda levels: levels[0].kind not in ("gate", "step"), same)
    return tuple([levels[0] for levels in outer])


def _trained(nodes: Sequence[Node]) -> set[Leaf]:
    """The tensors with gradients that some nodes use."""
    edges = [edge for node in nodes for edge in node.edges if edge.requires_grad]
    return {edge.source for edge in edges if type(edge.source) is Leaf}
