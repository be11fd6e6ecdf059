"""What one step of a loop did: its operations, in numbered places for their values.

    0, 1, 2          x, h, c: what another step has others of
    3, 4, ...        what no step changes: weights, biases, numbers
    then             what each operation made, in order

Read next: `step_text.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter
from typing import Any, NamedTuple

from minigrad.engine.graph import AnyEdge, Edge, Leaf, Node
from minigrad.engine.primitives.folded import Entry, Formula
from minigrad.engine.recorder import Scope


class Operation(NamedTuple):
    """One operation of the step: its record, and the places of its values.

    formula  None, or the elementwise formula that the record stands for
    """

    node: Node
    formula: Formula | None
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]

    @property
    def primitive(self) -> Any:
        """What computes it, and has its rule."""
        return self.node.primitive if self.formula is None else self.formula.kernels

    @property
    def length(self) -> int:
        """How many operations it is when somebody looks."""
        return 1 if self.formula is None else 1 + len(self.formula.before)


class Plan(NamedTuple):
    """The operations of one step, in order.

    edges    by place: the shape, dtype and need of a gradient of what is there
    given    how many places the step is given: x, and the parts of the state
    fixed    the places of what no step changes
    leaves   those among them that are a tensor of the user's: a weight, a bias
    outputs  the places of the new state's parts
    depth    how many scopes are around the step, itself included
    """

    operations: list[Operation]
    edges: list[AnyEdge]
    given: int
    fixed: range
    leaves: frozenset[int]
    outputs: tuple[int, ...]
    depth: int


def plan_of(
    inputs: Sequence[AnyEdge],
    outputs: Sequence[AnyEdge],
    scope: tuple[Scope, ...],
    since: int | None = None,
) -> Plan | None:
    """What led from the inputs of a step to its outputs, within its scope.

    since  a number before those of what the step made; None: that of its inputs

    None where it cannot be repeated: an output that is no operation's own result, or
    two that are the same; numbers without axes; an input that stands twice among them,
    or that may be a weight as well; numbers of this step's own that were cut off from
    what they were computed from, by `detach()` or under `no_grad()`.
    """
    if any(
        [e.requires_grad and type(e) is Edge and type(e.source) is Leaf for e in inputs]
    ):
        return None
    places = {id(edge): place for place, edge in enumerate(inputs)}
    if len(places) < len(inputs) or len({id(edge) for edge in outputs}) < len(outputs):
        return None
    found: dict[Node, tuple[Formula | None, Sequence[AnyEdge]]] = {}
    fixed: dict[int, AnyEdge] = {}
    parts: dict[tuple[Node, int], AnyEdge] = {}  # of operations with several outputs
    todo = list(outputs)
    while todo:
        edge = todo.pop()
        if id(edge) in places:
            continue
        node = _made_within(edge, scope)
        if node is None:
            fixed[id(edge)] = edge
            continue
        parts[node, edge.index] = edge
        if node not in found:
            found[node] = _taken_by(node)
            todo.extend(found[node][1])
    start = since
    if start is None:
        start = max([e.source.seq for e in inputs if type(e) is Node], default=-1)
    if any([_may_change(edge, start) for edge in fixed.values()]):
        return None
    edges = [*inputs, *fixed.values()]
    places |= {key: place for place, key in enumerate(fixed, len(inputs))}
    operations = []
    for node in sorted(found, key=attrgetter("seq")):
        if any([array.ndim == 0 for array in node.outputs]):
            return None
        formula, takes = found[node]
        if any([id(edge) not in places for edge in takes]):
            return None
        made: Sequence[AnyEdge] = [node]
        if node.primitive.multiple:
            made = [
                parts.get((node, k)) or Edge(node, k, array, node.requires_grad)
                for k, array in enumerate(node.array)
            ]
        gives = tuple(range(len(edges), len(edges) + len(made)))
        places |= {id(edge): place for place, edge in zip(gives, made, strict=True)}
        edges += made
        operations.append(
            Operation(node, formula, tuple([places[id(e)] for e in takes]), gives)
        )
    ends = tuple([places.get(id(edge), 0) for edge in outputs])
    between = range(len(inputs), len(inputs) + len(fixed))
    if not operations or min(ends) < between.stop:
        return None
    leaves = frozenset([k for k in between if type(edges[k].source) is Leaf])
    return Plan(operations, edges, len(inputs), between, leaves, ends, len(scope))


def _may_change(edge: AnyEdge, start: int) -> bool:
    """Was it perhaps computed by the step, unrecorded? `start`: when the state was."""
    if type(edge.source) is Leaf:
        return edge.source.seq > start >= 0
    return edge.source is None and edge.array.ndim > 0


def _made_within(edge: AnyEdge, scope: tuple[Scope, ...]) -> Node | None:
    """The node behind an edge, if the step itself made it."""
    node = edge if type(edge) is Node else edge.source if type(edge) is Edge else None
    if type(node) is Node and node.scope[: len(scope)] == scope:
        return node
    return None


def _taken_by(node: Node) -> tuple[Formula | None, Sequence[AnyEdge]]:
    """The edges of a node's inputs; of a formula that nobody has looked at, its own."""
    folded = node.tags and node.tags.get("folded")
    if type(folded) is Entry:
        return folded.formula, folded.inputs
    return None, node.edges
