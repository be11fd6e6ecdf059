"""Which operations are activation functions, and which of them have ends.

Read next: `loops.py`.
"""

from __future__ import annotations

from collections.abc import Iterable

from minigrad.engine.graph import Node
from minigrad.reading.levels import letter_of

# Those with two ends, at which hardly any gradient passes, and the largest slope.
BOUNDED = {"tanh": 1.0, "sigmoid": 0.25}
ACTIVATIONS = {*BOUNDED, "relu", "softplus", "clip"}


def bounded(nodes: Iterable[Node]) -> list[tuple[str, Node]]:
    """The activations with ends among some nodes, each with its gate's letter or "".

    Those of a recorded backward pass are none.
    """
    return [
        (letter_of(node), node)
        for node in nodes
        if node.primitive.name in BOUNDED and node.origin is None
    ]
