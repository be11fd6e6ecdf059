"""What the scopes of one node say: its gate, its layer, and what a mask stands before.

A level of a scope has a kind, a name and an index (`engine.scope.Scope`); the player's
`Place` has the same three and is read by the same functions.

Read next: `gates.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minigrad.engine.graph import AnyEdge, Node

GATE = ("gate",)
NAMED = ("gate", "scope")  # gates, and scopes of the user's own


def innermost(scope: Sequence[Any], *kinds: str) -> Any:
    """The innermost level of one of these kinds, or None."""
    for level in reversed(scope):
        if level.kind in kinds:
            return level
    return None


def layer_of(scope: Sequence[Any]) -> tuple[int, bool] | None:
    """(number, reverse) of the layer around; None if there is none."""
    level = innermost(scope, "layer")
    index = None if level is None else level.index
    return index if index is None or isinstance(index, tuple) else (index, False)


def letter(level: Any) -> str:
    """What a gate is called in formulas: its letter; its name if it has none."""
    return str(level.name if level.index is None else level.index)


def letter_of(node: Node) -> str:
    """The letter of the gate that a value comes from, also behind a mask; "" for none.

    A padded step chooses between what its gate gave and the state before.
    """
    made: Any = node
    while isinstance(made, Node):
        level = innermost(made.scope, *GATE)
        if level is not None:
            return letter(level)
        behind = behind_mask(made)
        made = None if behind is None else behind.source
    return ""


def behind_mask(node: Node) -> AnyEdge | None:
    """What a mask's choice takes where the mask is true; None for other operations."""
    return node.edges[1] if node.primitive.name == "where" else None
