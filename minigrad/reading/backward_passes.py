"""Forward or backward: which recorded backward pass an operation belongs to.

    part = Passes(nodes).of(node)       # Part(0, 0): the forward pass
    part.number, part.order             # (2, 1): the second pass, rules of the first

What `create_graph=True` records is a graph like any other, and can be differentiated
again. The second pass then goes through the operations that the first one recorded
(`order` 2) and, from there, through those of the forward pass (`order` 1). Its steps
run in the order of time where `order` is even, and against it where it is odd.

Read next: `activations.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from minigrad.engine.graph import Node


class Part(NamedTuple):
    """A part of a graph: the forward pass (0, 0), or rules that one pass applied.

    number  which of the graph's recorded backward passes, from 1 on
    order   the rules of what: 1 of forward operations, 2 of those of order 1, ...
    """

    number: int
    order: int

    @property
    def backward(self) -> bool:
        """Does it go through its operations from the last to the first?"""
        return self.order % 2 == 1

    def words(self, several: bool) -> str:
        """What it is called: "backward", "backward 2 of backward"; "" for forward."""
        if not self.order:
            return ""
        number = f" {self.number}" if several else ""
        return f"backward{number}" + " of backward" * (self.order - 1)


FORWARD = Part(0, 0)


class Passes:
    """The parts of a graph. A pass takes the operations from the latest to the oldest,
    so where the next rule is that of a later operation, another pass has begun.

    nodes   oldest first
    count   how many recorded backward passes there are
    """

    def __init__(self, nodes: Sequence[Node]) -> None:
        self.count = 0
        self._of: dict[Node, Part] = {}
        last: float | None = None  # the operation whose rule was applied last
        for node in nodes:
            origin = node.origin
            if origin is None:
                last = None
                continue
            if last is None or origin.seq > last:
                self.count += 1
            last = origin.seq
            self._of[node] = Part(self.count, order_of(node))
        self._nodes = set(nodes) if self.count else set()  # asked of rules alone

    def of(self, node: Node) -> Part:
        """The part that an operation belongs to."""
        return self._of.get(node, FORWARD)

    def named(self, part: Part) -> str:
        """What a part is called: see `Part.words`."""
        return part.words(self.count > 1)

    def saved(self, node: Node, source: Node) -> bool:
        """Does an operation of a rule read here what the operation with the rule read
        or made? Else it is a gradient on its way."""
        origin = node.origin
        if origin is None:
            return False
        if origin not in self._nodes:  # what it read is not known of every graph
            return order_of(source) < order_of(node)
        return source is origin or any([e.source is source for e in origin.edges])


def order_of(node: Node) -> int:
    """How many rules led to it: 0 (forward), 1 (a rule of a forward operation), ..."""
    order, made = 0, node.origin
    while made is not None:
        order, made = order + 1, made.origin
    return order


def adds_gradients(node: Node) -> bool:
    """Does it add up what came to one value, in a recorded backward pass?"""
    return (
        node.origin is not None
        and node.primitive.name == "add"
        and all([type(e.source) is Node and e.source.origin for e in node.edges])
    )
