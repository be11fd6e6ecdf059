"""Place: where each value lies. The parts of a concatenation are written in place.

A place is (base, offset, strides): a value with memory of its own, and where in it the
entries are. What belongs to several concatenations is written to several places, if a
kernel makes it; else, and for what comes from outside, a copy is made.

Read next: `overlay.py`.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from minigrad.compiler.value_form import Shape, Val, relocated, reshaped, strides_of


class Place(NamedTuple):
    """Where a value's entries are: in the memory of `base`."""

    base: Val
    offset: int
    strides: Shape


class Places:
    """Where values lie.

    of      the places of every value with memory, the first one to read from
    parts   of what a function makes several of: (which one, the value)
    copies  per concatenation: the parts that are to be copied, and where to
    """

    def __init__(self, order: list[Val]) -> None:
        self.of: dict[Val, list[Place]] = {}
        self.copies: dict[Val, list[tuple[Val, Place]]] = {}
        self.parts: dict[Val, list[tuple[int | None, Val]]] = {}
        self._views: dict[Val, list[Val]] = {}
        for value in order:
            if value.op == "part":
                self.parts.setdefault(value.args[0], []).append((value.attrs, value))
            if value.op == "view":
                self._views.setdefault(value.root, []).append(value)
        for value in reversed(order):
            if value.op == "concat":
                self._place_parts(value)
        for value in order:
            if value.op != "view" and value not in self.of:
                self.of[value] = [Place(value, 0, strides_of(value.shape))]

    def find(self, value: Val) -> Place:
        """Where to read a value or a view from."""
        root = value.root
        place = self.of[root][0]
        if value.op != "view":
            return place
        found = relocated(
            root.shape,
            place.offset,
            place.strides,
            value.offset,
            value.shape,
            value.strides,
        )
        assert found is not None, f"bug: no place for {value}"
        return Place(place.base, *found)

    def move(self, value: Val, place: Place) -> None:
        """Put a value that has memory of its own, and no views, elsewhere."""
        self.of[value] = [place]

    def rebase(self, old: Val, new: Val) -> None:
        """What lies in the memory of `old` lies in that of `new`, at the same place."""
        for value, places in self.of.items():
            if any([p.base is old for p in places]):
                self.of[value] = [
                    p._replace(base=new) if p.base is old else p for p in places
                ]

    def _place_parts(self, concat: Val) -> None:
        if concat not in self.of:
            self.of[concat] = [Place(concat, 0, strides_of(concat.shape))]
        base, offset, strides = self.of[concat][0]
        copies = self.copies[concat] = []
        axis, begin = concat.attrs, 0
        for part in concat.args:
            region = Place(base, offset + begin * strides[axis], strides)
            begin += part.shape[axis]
            if not self._placed(part, region):
                copies.append((part, region))

    def _placed(self, part: Val, region: Place) -> bool:
        """Can the value behind a part be written to its region? Then it will be."""
        root = part.root
        if root.op not in ("elementwise", "dot", "packed_dot", "concat"):
            return False
        strides: Shape | None = region.strides
        if part is not root:
            if part.offset or math.prod(part.shape) != math.prod(root.shape):
                return False
            if reshaped(root.shape, strides_of(root.shape), part.shape) != part.strides:
                pairs = zip(
                    part.shape, part.strides, strides_of(part.shape), strict=True
                )
                if not all([n == 1 or s == t for n, s, t in pairs]):
                    return False
            strides = reshaped(part.shape, region.strides, root.shape)
        if strides is None or not _rows_are_whole(root.shape, strides):
            return False
        place = Place(region.base, region.offset, strides)
        known = self.of.get(root)
        if known is not None:
            if root.op != "elementwise" or len(known) > 3:
                return False
            known.append(place)
            return True
        for view in self._views.get(root, ()):
            if (
                relocated(root.shape, 0, strides, view.offset, view.shape, view.strides)
                is None
            ):
                return False
        self.of[root] = [place]
        return True


def _rows_are_whole(shape: Shape, strides: Shape) -> bool:
    """Do the entries of the last axis lie side by side?"""
    return not shape or shape[-1] == 1 or strides[-1] == 1
