"""What the scope of each operation says about its place: step, layer, cell, clusters.

Read next: `placement.py`.
"""

from __future__ import annotations

from typing import NamedTuple

from minigrad.engine.graph import Node
from minigrad.engine.scope import Scope, path
from minigrad.reading.backward_passes import adds_gradients
from minigrad.reading.levels import innermost, layer_of
from minigrad.reading.loops import Loops, Place, Scopes


class Spot(NamedTuple):
    """The records of a scope, by what they say. Everything is None or () outside."""

    step: int | None
    layer: tuple[int, bool] | None  # (number, reverse)
    cell: str
    prefix: tuple[Scope, ...]  # which loop of several; the scopes around a single one
    clusters: tuple[Scope, ...]  # within a step (or outside all): gates and the like


def spots(nodes: list[Node]) -> list[Spot]:
    """For each operation its spot."""
    loops = Loops(nodes)
    known: dict[tuple[Place | None, Scopes], Spot] = {}
    found: list[Spot] = []
    for node in nodes:
        key = loops.outermost(node), loops.scope(node)
        if key not in known:
            known[key] = _spot(key[1], key[0])
        spot = known[key]
        if adds_gradients(node):  # in the step, of whatever gate the last one came
            spot = spot._replace(clusters=())
        found.append(spot)
    return found


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
