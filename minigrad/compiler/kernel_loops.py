"""The loops of a fused kernel: which axes it walks through, and in which order.

Read next: `sum_kernels.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minigrad.compiler.value_form import Shape, Val


class Loop(tuple[Any, ...]):
    """(length, axis) of a loop; axis None: it runs once."""

    __slots__ = ()

    @property
    def length(self) -> int:
        """How often it runs."""
        return self[0]

    @property
    def axis(self) -> int | None:
        """The axis whose strides it follows."""
        return self[1]


def collapsed(
    shape: Shape, strides: Sequence[Shape]
) -> tuple[list[tuple[int, int]], Loop, Loop]:
    """The axes of an elementwise kernel as few loops: outer ones, rows, entries.

    Neighbouring axes are one loop if every operand goes through them evenly. The
    innermost loop is along entries that lie side by side, or are the same.
    """
    loops: list[tuple[int, int]] = []  # (length, axis), innermost last
    for axis, n in enumerate(shape):
        if n == 1:
            continue
        if loops:
            before, k = loops[-1]
            if all([s[k] == s[axis] * n for s in strides]):
                loops[-1] = (before * n, axis)
                continue
        loops.append((n, axis))
    if not loops:
        return [], Loop((1, None)), Loop((1, None))
    length, axis = loops[-1]
    if any([s[axis] not in (0, 1) for s in strides]):
        return loops[:-1], Loop((length, axis)), Loop((1, None))
    rows = Loop(loops[-2]) if len(loops) > 1 else Loop((1, None))
    return loops[:-2], rows, Loop((length, axis))


def is_same(a: Val, step: int, loop: Loop) -> bool:
    """Is an operand one entry for a whole row?"""
    return step == 0 and (loop.length > 1 or (a.op == "full" and a.shape == ()))


def inner_step(steps: Shape, loop: Loop) -> int:
    """How far an operand moves from one entry of a row to the next."""
    return 0 if loop.axis is None else steps[loop.axis]


def in_order(members: list[Val]) -> list[Val]:
    """By time of recording, if that is an order in which operands come first: it is the
    same at every time step."""
    found = sorted(members, key=lambda v: v.seq)
    place = {v: k for k, v in enumerate(found)}
    for k, value in enumerate(found):
        if any([place.get(a, -1) > k for a in value.args]):
            return members
    return found
