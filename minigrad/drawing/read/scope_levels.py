"""What the scope of each operation says about its place: step, layer, cell, clusters.

Read next: `placement.py`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from minigrad.engine.graph import Node
from minigrad.engine.scope import Scope

SUMS = {"add", "sum_to", "astype", "add_at"}  # what adds up gradients


class Spot(NamedTuple):
    """The records of a scope, by what they say. Everything is None or () outside."""

    step: int | None
    layer: tuple[int, bool] | None  # (number, reverse)
    cell: str
    prefix: tuple[Scope, ...]  # around the loop: an encoder, a decoder
    clusters: tuple[Scope, ...]  # within a step (or outside all): gates and the like


def spots(nodes: list[Node], sources: list[list[int]]) -> tuple[list[Spot], list[bool]]:
    """For each operation its spot, and whether it belongs to a backward pass."""
    known: dict[tuple[Scope, ...], Spot] = {}
    found: list[Spot] = []
    back: list[bool] = []
    for number, node in enumerate(nodes):
        origin = node.origin
        if origin is None and not node.scope and node.primitive.name in SUMS:
            added = [m for m in sources[number] if back[m]]
            if added:  # between rules gradients are added up: with the latest of them
                latest = max(added, key=lambda m: (found[m].step is not None, m))
                found.append(found[latest]._replace(clusters=()))
                back.append(True)
                continue
        spot = known.get(node.scope)
        if spot is None:
            spot = known[node.scope] = _spot(node.scope)
        found.append(spot)
        back.append(origin is not None)
    return found, back


def _spot(scope: Iterable[Scope]) -> Spot:
    """A scope's records, sorted by what they say about the place."""
    step = layer = None
    cell = ""
    prefix: list[Scope] = []
    clusters: list[Scope] = []
    for record in scope:
        if record.kind == "step" and step is None:
            step = record.index
        elif record.kind == "layer" and layer is None:
            layer = record.index
        elif record.kind == "cell" and not cell:
            cell = record.name
        elif step is None and layer is None and not cell:
            prefix.append(record)
        else:
            clusters.append(record)
    if step is None:
        return Spot(None, None, cell, (), tuple(scope))
    return Spot(step, layer, cell, tuple(prefix), tuple(clusters))
