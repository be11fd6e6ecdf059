"""What the scope of each operation says about its place: step, layer, cell, clusters.

Read next: `placement.py`.
"""

from __future__ import annotations

from typing import NamedTuple

from minigrad.engine.graph import Node
from minigrad.engine.scope import Scope, path
from minigrad.reading.levels import innermost, layer_of
from minigrad.reading.loops import Loops, Place, Scopes

SUMS = {"add", "sum_to", "astype", "add_at"}  # what adds up gradients


class Spot(NamedTuple):
    """The records of a scope, by what they say. Everything is None or () outside."""

    step: int | None
    layer: tuple[int, bool] | None  # (number, reverse)
    cell: str
    prefix: tuple[Scope, ...]  # which loop of several; the scopes around a single one
    clusters: tuple[Scope, ...]  # within a step (or outside all): gates and the like


def spots(nodes: list[Node], sources: list[list[int]]) -> tuple[list[Spot], list[bool]]:
    """For each operation its spot, and whether it belongs to a backward pass."""
    loops = Loops(nodes)
    known: dict[tuple[Place | None, Scopes], Spot] = {}
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
        key = loops.outermost(node), loops.scope(node)
        if key not in known:
            known[key] = _spot(loops.scope(node), key[0])
        found.append(known[key])
        back.append(origin is not None)
    return found, back


def _spot(scope: Scopes, place: Place | None) -> Spot:
    """A scope's records, sorted by what they say about the place."""
    if place is None:
        return Spot(None, None, "", (), scope)
    loop, step = place
    cell = innermost(scope, "cell")
    own = [level for level in scope if level.kind not in ("loop", "layer", "cell")]
    own.remove(next(level for level in own if level.kind == "step"))
    prefix = around = loop.around
    if not loop.call.alone:
        prefix = (Scope("loop", loop.call.label, loop.call.number),)
        around = () if loop.call.label == path(around) else around
    return Spot(
        step,
        layer_of(scope),
        "" if cell is None else cell.name,
        prefix,
        tuple(own[len(around) :]),
    )
