"""The loops over time in any graph, read from its scopes: states, gates, order.

A loop is what was computed in time steps within the same outer scopes (one layer, one
direction). Its states are what one step hands to the next: the edges that lead from a
node of one step to a node of another. Nothing is asked of the program but
`with mg.time_step(t): ...` (which `models.unroll` writes).

Read next: `gates.py`.
"""

from __future__ import annotations

from collections.abc import Iterable

from minigrad.engine.graph import AnyEdge, Edge, Node, ancestors
from minigrad.engine.scope import Scope, path
from minigrad.engine.tensor import Tensor

Prefix = tuple[Scope, ...]


class Loop:
    """One loop of a graph, in the form in which `models.unroll` gives its loops.

    name         the scopes around it: "layer 0 / lstm"; "loop" if there are none
    states       tuples of tensors: after the first step, after the second, ...; what
                 came before the first step cannot be told from its input
    times        the time step behind each entry of states[1:]
    state_names  their letters, from the gates they were computed in: h, c, or s0, s1
    gates        {letter: {time step: the node that gave the gate's value}}
    steps        the time steps, in the order in which they ran
    nodes        {time step: its nodes, oldest first}
    """

    cell = None

    def __init__(self, prefix: Prefix, steps: dict[int, list[Node]]) -> None:
        self.name = path(prefix) or "loop"
        self.nodes = dict(sorted(steps.items(), key=lambda item: item[1][0].seq))
        self.steps = list(self.nodes)
        self.gates = _gates(self.nodes, len(prefix))
        self.state_names, states = self._states(self._parts())
        self.states = [tuple(map(Tensor.of, parts)) for parts in states.values()]
        self._made_at = list(states)
        self.times = self._made_at[1:]
        for name in self.state_names:
            self.gates.pop(name, None)

    def made_of(self, k: int) -> set[Node]:
        """The nodes that states[k] was made of within its step; not what reads it."""
        inside = set(self.nodes[self._made_at[k]])
        todo = [part._edge.source for part in self.states[k]]
        found: set[Node] = set()
        while todo:
            node = todo.pop()
            if isinstance(node, Node) and node in inside and node not in found:
                found.add(node)
                todo += [edge.source for edge in node.edges]
        return found

    def _parts(self) -> list[tuple[int, int]]:
        """Where states come from: (number of the node within its step, output).

        A sum that is only added to, such as a loss gathered step by step, is no state:
        nothing else in the loop depends on it.
        """
        place = {
            n: (t, k) for t, made in self.nodes.items() for k, n in enumerate(made)
        }
        found: dict[tuple[int, int], bool] = {}  # is it more than a sum?
        read_within: set[int] = set()  # by its own step
        for t, nodes in self.nodes.items():
            for k, node in enumerate(nodes):
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

    def _states(
        self, parts: list[tuple[int, int]]
    ) -> tuple[tuple[str, ...], dict[int, list[AnyEdge]]]:
        """The parts of the state by name, and each after every step.

        Only steps that were recorded like the others count: the first and the last of
        a loop of one's own may do more, or less.
        """
        usual = self.nodes[self.steps[-2]]
        named: dict[str, tuple[int, int]] = {}
        for k, index in parts:
            name = _letter(usual[k]) if k < len(usual) else None
            if name is None or name in named:
                name = f"s{len(named)}"
            named[name] = k, index
        order = sorted(named, key=lambda n: (n != "h", n != "c", n))
        states: dict[int, list[AnyEdge]] = {}
        for t in self.steps if parts else ():
            nodes = self.nodes[t]
            if _alike(usual, nodes, max(k for k, _ in parts) + 1):
                states[t] = [_output(nodes[named[n][0]], named[n][1]) for n in order]
            elif states:
                break
        return tuple(order), states


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


def _letter(node: Node) -> str | None:
    """The state that a node computes, from its gate; a padded step chooses between
    that and the state before."""
    if node.primitive.name == "where":
        source = node.edges[1].source
        node = source if isinstance(source, Node) else node
    gates = [level for level in node.scope if level.kind == "gate"]
    return str(gates[-1].index or gates[-1].name) if gates else None


def _gates(nodes: dict[int, list[Node]], depth: int) -> dict[str, dict[int, Node]]:
    """What was computed last in each gate's scope, by letter and step."""
    found: dict[str, dict[int, Node]] = {}
    for t, made in nodes.items():
        for node in made:
            for level in node.scope[depth + 1 :]:
                if level.kind == "gate":
                    letter = str(level.index or level.name)
                    found.setdefault(letter, {})[t] = node
    return found


def loops(outputs: Iterable[AnyEdge]) -> list[Loop]:
    """Every loop behind the outputs whose steps hand on a state, in order of time."""
    found: dict[Prefix, dict[int, list[Node]]] = {}
    for node in ancestors([edge.source for edge in outputs]):
        for depth, level in enumerate(node.scope):
            if level.kind == "step":
                steps = found.setdefault(node.scope[:depth], {})
                steps.setdefault(level.index, []).append(node)
                break
    made = [Loop(prefix, steps) for prefix, steps in found.items() if len(steps) > 1]
    return [loop for loop in made if len(loop.states) > 1]
