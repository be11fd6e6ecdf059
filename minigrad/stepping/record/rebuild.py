"""Builds a graph from the tables of `Steps`, so that it can be drawn.

A file of steps holds no drawing: it holds operations, what they read, and their scopes,
of which `mg.draw` makes the same picture as of the graph itself.

Read next: `json_format.py`.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from minigrad.engine.graph import Edge, Leaf, Node, Variable
from minigrad.engine.primitives import TABLE
from minigrad.engine.scope import Scope
from minigrad.stepping.record.events import Operation, Value


class _Owner:
    """Leaves refer to one weakly."""


def loss_of(steps: Any) -> Variable:
    """A tensor whose graph has the operations of `steps`, with the same numbers.

    It can be drawn, not differentiated: primitives have no arguments, and those that
    are not known here have a name only.
    """
    nodes: list[Node] = []
    leaves: dict[int, Leaf] = {}
    for operation in steps.operations:
        edges = tuple(
            [
                _edge(steps.values[k], steps.values, nodes, leaves)
                for k in operation.inputs
            ]
        )
        nodes.append(_node(operation, edges, steps.values, nodes))
    last = steps.operations[-1]
    value = steps.values[last.outputs[0]]
    if len(last.outputs) > 1:
        return Variable.result_type.of(Edge(nodes[-1], 0, _array(value), True))
    return Variable.result_type.of(nodes[-1])


def _node(
    operation: Operation, edges: tuple[Any, ...], values: list[Value], nodes: list[Node]
) -> Node:
    node = Node()
    node.primitive = _primitive(operation.name, len(operation.outputs) != 1)
    node.edges = edges
    node.attrs = {}
    made = [_array(values[k]) for k in operation.outputs]
    node.array = tuple(made) if node.primitive.multiple else made[0]
    node.requires_grad = any(values[k].gradient for k in operation.outputs)
    node.scope = tuple([Scope(p.kind, p.name, p.index) for p in operation.scope])
    node.code, node.offset = None, 0
    node.seq = operation.number
    node.origin = None
    if operation.origin is not None:
        node.origin = nodes[operation.origin]
    elif operation.rule_of:
        node.origin = _origin(operation)
    node.tags = None
    for index, k in enumerate(operation.outputs):
        if values[k].name:
            node.tag("names", index, values[k].name)
    return node


def _origin(operation: Operation) -> Node:
    """What stands for the operation with the rule, which is not among these."""
    older, order = operation.elsewhere or (operation.number, 0)
    made: Node | None = None
    for _ in range(order + 1):
        node = Node()
        node.primitive = _primitive(operation.rule_of, False)
        node.seq = older - 0.5  # type: ignore[assignment]  # between two of these
        node.origin, made = made, node
    assert made is not None
    return made


def _primitive(name: str, multiple: bool) -> Any:
    known = TABLE.get(name)
    if known is not None and known.multiple == multiple:
        return known
    return SimpleNamespace(name=name, multiple=multiple)


def _edge(
    value: Value, values: list[Value], nodes: list[Node], leaves: dict[int, Leaf]
) -> Edge | Node:
    if value.operation is not None:
        node = nodes[value.operation]
        if not node.primitive.multiple:
            return node
        return Edge(node, value.output, _array(value), value.gradient)
    if value.kind == "constant":
        return Edge(None, 0, _its_own(_array(value)), False)
    if value.target not in leaves:
        name = values[value.target].name or None
        leaves[value.target] = Leaf(_Owner(), name)  # type: ignore[arg-type]
    array = _its_own(_array(value))
    return Edge(leaves[value.target], 0, array, value.gradient)


def _its_own(array: np.ndarray) -> np.ndarray:
    """The array; where it may be equal to another by chance, as zeros are, a view. A
    value that was detached is known again by its array, which files hold once."""
    return array if (array != array.flat[:1]).any() else array[...]


def _array(value: Value) -> np.ndarray:
    """The array, or one of its shape that takes no memory."""
    kept = value.array
    if kept.array is not None:
        return kept.array
    return np.broadcast_to(np.ones((), kept.dtype), kept.shape)
