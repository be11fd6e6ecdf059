"""What rules give to the inputs of a few operations, on plain arrays.

    pull_one(node, g)               # one array per input, or None
    pull(reversed(nodes), seeds)    # carried through these nodes only, and added up

`autodiff.backpropagate` is the walk over a whole graph; this is for readers that look
at a part of it, or at the same operations with other arrays.

Read next: `replay.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from minigrad.engine.graph import AnyEdge, Key, Node, key
from minigrad.engine.primitives.shape import fitted


def pull_one(
    node: Node,
    g: Any,
    needs: tuple[bool, ...] | None = None,
    y: Any = None,
    inputs: Sequence[Any] | None = None,
) -> list[Any]:
    """What a node's rule gives to each input, in its shape and dtype; None for none.

    g          dL/d(output), of the output's shape; a list if there are several outputs
    needs      one bool per input; by default those that a gradient flows to
    y, inputs  other arrays in place of those that the node holds
    """
    needs = needs or tuple([edge.requires_grad for edge in node.edges])
    y = node.array if y is None else y
    inputs = inputs or [edge.array for edge in node.edges]
    values = node.primitive.pull(needs, g, y, inputs, node.attrs)
    return [
        fitted(value, array) if need and value is not None else None
        for need, value, array in zip(needs, values, inputs, strict=True)
    ]


def pull(
    nodes: Iterable[Node],
    seeds: dict[Key, Any],
    through: Callable[[Node, Any], Sequence[Any]] = pull_one,
) -> dict[Key, Any]:
    """Gradients carried back through these nodes only, newest first.

    seeds    {`name_of(edge)`: what arrives there}
    through  (node, g) -> one entry per input, if it is not the node's own rule
    Returns the sums under every name, those of inputs from elsewhere among them. A seed
    counts where it is given; what the nodes add to it is carried on as well.
    """
    sums = dict(seeds)
    for node in nodes:
        g = arrived(node, sums)
        if g is not None:
            for edge, value in zip(node.edges, through(node, g), strict=True):
                if value is not None:
                    name = name_of(edge)
                    before = sums.get(name)
                    sums[name] = value if before is None else before + value
    return sums


def name_of(edge: AnyEdge) -> Key:
    """What a gradient is filed under: as `autodiff.key`; a constant as itself."""
    return id(edge) if edge.source is None else key(edge)


def name_of_output(node: Node, k: int) -> Key:
    """The same for output k of a node."""
    return (node, k) if k else node


def arrived(node: Node, sums: dict[Key, Any]) -> Any:
    """dL/d(output) of a node, a list if it has several; None if nothing arrived."""
    if not node.primitive.multiple:
        return sums.get(node)
    parts = [sums.get(name_of_output(node, k)) for k in range(len(node.array))]
    return None if all(part is None for part in parts) else parts
