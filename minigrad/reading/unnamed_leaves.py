"""What are tensors called that nobody named? h_0 begins a loop, x_2 is read in step 2.

A later step reads what the step before made. The first step reads, in the same place of
the same operation, what the loop begins with. Of other tensors, x_2 is one that step 2
alone multiplies by something.

Read next: `preactivations.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from minigrad.engine.graph import AnyEdge, Leaf, Node
from minigrad.reading.loops import Loop, Loops, Place

_STATE = re.compile(r"s\d*")


class Unnamed(NamedTuple):
    """A symbol's parts, and an operation that reads the tensor: it has the layer."""

    base: str
    sub: str
    reader: Node


def unnamed_leaves(nodes: list[Node], loops: Loops) -> dict[Leaf, Unnamed]:
    """The tensors without a name that can be called by what a loop does with them."""
    found: dict[Leaf, Unnamed] = {}
    for loop in loops.outer:
        for name, leaf, reader in _initial(loop):
            part = name[1:] if _STATE.fullmatch(name) else ""
            several = part and len(loop.state_names) > 1
            sub = ("init" if loop.reverse else "0") + (f",{part}" if several else "")
            base = "s" if _STATE.fullmatch(name) else name
            found.setdefault(leaf, Unnamed(base, sub, reader))
    for leaf, (place, reader) in _read_once(nodes, loops).items():
        found.setdefault(leaf, Unnamed("x", str(place.step), reader))
    return {leaf: words for leaf, words in found.items() if not leaf.name}


def _initial(loop: Loop) -> Iterator[tuple[str, Leaf, Node]]:
    """The letter of each part of the state, and the tensor that it begins with; parts
    that begin with a number, or with something that was computed, are left out."""
    if len(loop.state_times) < 2:
        return
    first, second = (
        [node for node in loop.nodes[step] if node.origin is None]
        for step in loop.steps[:2]
    )
    for name, part in zip(loop.state_names, loop.states[0], strict=True):
        made = part._edge
        for at, reader in enumerate(second[: len(first)]):
            for k, read in enumerate(reader.edges):
                if (read.source, read.index) == (made.source, made.index):
                    edge = first[at].edges[k] if _alike(first[at], reader) else read
                    if edge.array.shape == made.array.shape:
                        if isinstance(edge.source, Leaf):
                            yield name, edge.source, first[at]


def _alike(one: Node, other: Node) -> bool:
    same = one.primitive.name == other.primitive.name
    return same and len(one.edges) == len(other.edges)


def _read_once(nodes: list[Node], loops: Loops) -> dict[Leaf, tuple[Place, Node]]:
    """Tensors without gradients that a product reads, in one step of one loop."""
    found: dict[Leaf, tuple[Place, Node]] = {}
    elsewhere = set()
    for node in nodes:
        if node.origin is not None:
            continue
        for k, edge in enumerate(node.edges):
            leaf = edge.source
            if not isinstance(leaf, Leaf) or edge.requires_grad or leaf.name:
                continue
            place = loops.of(node)
            if place is None or not _multiplied(node, k):
                elsewhere.add(leaf)
            elif found.setdefault(leaf, (place, node))[0] != place:
                elsewhere.add(leaf)
    return {leaf: where for leaf, where in found.items() if leaf not in elsewhere}


def _multiplied(node: Node, k: int) -> bool:
    """Is input k what a product's other operand, a weight, multiplies?"""
    edges: tuple[AnyEdge, ...] = node.edges
    return node.primitive.name == "matmul" and k == 0 and edges[1].requires_grad
