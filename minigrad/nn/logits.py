"""Are these logits? The graph knows where they were made by a sigmoid or a softmax.

Losses of classes take logits, and apply sigmoid or softmax themselves. Applied twice it
is another loss, which cannot come near zero. PyTorch has a function of the same name
that takes probabilities (`binary_cross_entropy`), so it happens to anyone.

Read next: `clip.py`.
"""

from __future__ import annotations

from typing import Any

from minigrad.engine.errors import warn
from minigrad.engine.graph import AnyEdge, Node, Variable

# What moves entries, or bounds them, and leaves a probability a probability.
_PASSED = {
    "reshape", "transpose", "getitem", "split", "unstack", "concatenate", "stack",
    "broadcast_to", "astype", "clip", "maximum", "minimum",
}  # fmt: skip
_BELOW = {"sum", "where", "reshape", "broadcast_to", "maximum", "add"}


def expect_logits(call: str, logits: Any) -> None:
    """Warn if the graph says that the logits are probabilities already."""
    made_by = isinstance(logits, Variable) and _probability(logits._edge)
    if made_by:
        hint = f"leave out the {made_by}: {call}(z, target)"
        if call == "binary_cross_entropy":
            hint += (
                ". PyTorch's function of this name takes probabilities; this one is "
                "its binary_cross_entropy_with_logits"
            )
        warn(
            f"{call}(logits, target): these logits are probabilities already",
            expect="logits z, any real numbers: the loss itself makes probabilities",
            actual=f"the result of {made_by}",
            hint=hint,
        )


def _probability(edge: AnyEdge) -> str | None:
    """What made a probability of it: "sigmoid", "softmax" or nothing that is known."""
    node = _moved(edge, _PASSED)
    if node is None:
        return None
    if node.primitive.name == "sigmoid":
        return "sigmoid"
    if node.primitive.name != "divide":
        return None
    powers = node.edges[0].source
    if not isinstance(powers, Node):
        return "sigmoid" if _logistic(node) else None
    # e^z / sum(e^z): softmax, ours or one written out.
    if powers.primitive.name != "exp":
        return None
    below, seen = [node.edges[1].source], set()
    while below:
        source = below.pop()
        if source is powers:
            return "softmax"
        if source not in seen and isinstance(source, Node):
            seen.add(source)
            if source.primitive.name in _BELOW:
                below += [edge.source for edge in source.edges]
    return None


def _logistic(node: Node) -> bool:
    """Is it 1 / (1 + e^-z), written out?"""
    below = node.edges[1].source
    if not isinstance(below, Node) or below.primitive.name != "add":
        return False
    ones = [edge.array for edge in (node.edges[0], *below.edges)]
    made = [edge.source for edge in below.edges]
    powers = [isinstance(n, Node) and n.primitive.name == "exp" for n in made]
    return bool((ones[0] == 1).all()) and any(
        power and (one == 1).all()
        for power, one in zip(powers, ones[:0:-1], strict=True)
    )


def _moved(edge: AnyEdge, through: set[str]) -> Node | None:
    """The node that made the entries, before they were moved about."""
    node = edge.source
    while isinstance(node, Node) and node.primitive.name in through:
        node = node.edges[0].source
    return node if isinstance(node, Node) else None
