"""Overlay: results take the place of operands that nobody reads afterwards.

    the gates of step t       are written over the sums z_t that they are made from
    the gradients of z_t      are written over those gates, when the walk back is there

So what an LSTM keeps for its backward pass needs one stretch of memory in the place of
three. Only whole stretches are taken: all parts that are read, or none.

Read next: `schedule.py`.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from minigrad.compiler.fuse import Unit
from minigrad.compiler.place import Place, Places
from minigrad.compiler.value_form import OUTSIDE, Shape, Val, strides_of

_MADE = (*OUTSIDE, "general", "outside", "part")  # memory that is not the plan's alone


class Region(NamedTuple):
    """Entries of a base: where they begin, and how they lie."""

    offset: int
    shape: Shape
    strides: Shape


Reads = dict[Region, int]  # of a base, and the number of the last unit that reads it


def overlay(units: list[Unit], places: Places, results: list[Val]) -> None:
    """Move results in `places` to where operands lie that are not needed any more.

    units    in the order in which they run
    results  of the whole program: they stay where they are
    """
    reads = _last_reads(units, places, results)
    taken: set[Val] = set(results)
    bases = [base for base, found in reads.items() if len(found) > 1]
    for base in sorted(bases, key=lambda b: -math.prod(b.shape)):
        if base.op in _MADE or len(units) in reads[base].values():
            continue
        if not _apart(base, reads[base]):
            continue
        claims = _claims(base, units, places, reads, taken)
        if claims is None:
            continue
        taken.update(claims)
        for value, region in claims.items():
            places.move(value, Place(base, region.offset, region.strides))
            reads[base][region] = max(reads[value].values())
        _take_over(base, units, places, reads)


def _last_reads(
    units: list[Unit], places: Places, results: list[Val]
) -> dict[Val, Reads]:
    found: dict[Val, Reads] = {}
    for k, unit in enumerate(units):
        for a in unit.inputs:
            if a.op != "full":
                place = places.find(a)
                region = Region(place.offset, a.shape, place.strides)
                found.setdefault(place.base, {})[region] = k
    for value in results:
        if value.op != "full":
            place = places.find(value)
            region = Region(place.offset, value.shape, place.strides)
            found.setdefault(place.base, {})[region] = len(units)
    return found


def _apart(base: Val, reads: Reads) -> bool:
    """Do the regions cover the base, and no entry twice?"""
    if sum([math.prod(r.shape) for r in reads]) != math.prod(base.shape):
        return False
    marks = np.zeros(math.prod(base.shape), bool)
    for region in reads:
        part = np.ndarray(region.shape, bool, marks, region.offset, region.strides)
        part[...] = True
    return bool(marks.all())


def _claims(
    base: Val,
    units: list[Unit],
    places: Places,
    reads: dict[Val, Reads],
    taken: set[Val],
) -> dict[Val, Region] | None:
    """For every region of a base: the value that is made where it is read last."""
    found: dict[Val, Region] = {}
    for region, k in sorted(reads[base].items()):
        unit = units[k]
        if unit.op != "kernel" or region.strides[-1:] != (1,):
            return None
        for value in unit.kept:
            if value in taken or value in found:
                continue
            if value.shape != region.shape or value.dtype != base.dtype:
                continue
            whole = Region(0, value.shape, strides_of(value.shape))
            alone = places.of[value] == [Place(value, 0, whole.strides)]
            if alone and list(reads.get(value, ())) == [whole]:
                found[value] = region
                break
        else:
            return None
    return found


def _take_over(
    base: Val, units: list[Unit], places: Places, reads: dict[Val, Reads]
) -> None:
    """Let a concatenation of the same regions be written over the base, if each of its
    parts is made when what lies there has been read, or is read for the last time."""
    unfit: set[Val] = {c for c, copies in places.copies.items() if copies}
    writes: dict[Val, list[tuple[int, Region]]] = {}
    for k, unit in enumerate(units):
        for value in unit.kept:
            for place in places.of[value]:
                region = Region(place.offset, value.shape, place.strides)
                if unit.op == "kernel":
                    writes.setdefault(place.base, []).append((k, region))
                elif unit.op != "concat":
                    unfit.add(place.base)
    known = reads[base]
    for other, written in writes.items():
        if other.op != "concat" or other in unfit or other.dtype != base.dtype:
            continue
        if math.prod(other.shape) != math.prod(base.shape):
            continue
        if all([region in known and known[region] <= k for k, region in written]):
            places.rebase(other, base)
            return
