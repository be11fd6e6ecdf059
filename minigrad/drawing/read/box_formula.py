"""A few operations as one short formula: "x W_x + h W_h + b".

It is the formula of every step: letters stand in it without their time, and without
the layer that the box lies in. What has no letter is "…".

Read next: `operation_symbols.py`.
"""

from __future__ import annotations

from typing import Any

from minigrad.engine.graph import Node
from minigrad.engine.primitives.fused import Elementwise
from minigrad.reading.formula_printers import text
from minigrad.reading.formulas import NOTES, Tree, filled, forward_formula, letters_of
from minigrad.reading.names import Names, Symbol

LONGEST = 34  # characters; longer formulas are told in other words
MOST = 2  # results that are told
NAMELESS = "…"
_MOVES = {"split", "reshape", "unstack", "astype", "broadcast_to", "transpose"}
_JOINS = {"concatenate", "stack", "matmul"}


def formulas(nodes: list[Node], names: Names, inside: list[int]) -> tuple[str, ...]:
    """What these operations compute, one formula per result; () if that gets long."""
    trees: dict[Node, Tree] = {}
    used: set[Node] = set()
    for node in (nodes[n] for n in inside):
        parts: list[Tree] = []
        for edge in node.edges:
            if edge.source in trees:
                used.add(edge.source)
                parts.append(trees[edge.source])
            else:
                parts.append(_outside(edge, node, names))
        name = node.primitive.name
        if name in _MOVES:
            trees[node] = parts[0]
        elif len(parts) == 1 and name not in NOTES:
            trees[node] = [name, *parts]
        elif isinstance(node.primitive, Elementwise) or name in {*_JOINS, *NOTES}:
            letters = dict(zip(letters_of(node), parts, strict=True))
            trees[node] = filled(forward_formula(node), letters)
        else:
            return ()
        if len(text(trees[node])) > LONGEST:
            return ()
    results = dict.fromkeys(text(trees[n]) for n in trees if n not in used)
    return tuple(results) if len(results) <= MOST else ()


def _outside(edge: Any, node: Node, names: Names) -> Tree:
    """The letter of what comes from elsewhere."""
    symbol = names.known(edge)
    if symbol is None or symbol.value is not None:
        return symbol or NAMELESS
    own = names.layer(node)
    shared = symbol.sup in (own, own.replace(",rev", ""))  # with what reads it
    return Symbol(symbol.base, "", "" if shared else symbol.sup)
