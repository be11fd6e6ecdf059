"""Fuse: elementwise values of one shape that need no product between them.

The level of a value counts the products, sums and changes of shape on the longest way
to it. Values of one level and shape go into one kernel: nothing can lie between them.
What a later kernel alone needs, and is cheap, is computed there instead of being kept.

Read next: `place.py`.
"""

from __future__ import annotations

from typing import Any

from minigrad.compiler.value_form import Val, listed

_DEAR = {
    "exp", "log", "log1p", "expm1", "tanh", "sigmoid", "softplus", "sqrt", "divide",
}  # fmt: skip


class Unit:
    """What is done in one go: a kernel of elementwise values, or one other value.

    members  its values, in order
    kept     those of them that others need: they get memory
    seq      a hint for the order of units
    """

    __slots__ = ("kept", "members", "op", "seq")

    def __init__(self, op: str, members: list[Val], kept: list[Val]) -> None:
        self.op, self.members, self.kept = op, members, kept
        self.seq = max([v.seq for v in members])

    @property
    def inputs(self) -> list[Val]:
        """What it takes from outside, each once."""
        own = set(self.members) if self.op == "kernel" else set()
        found: dict[Val, None] = {}
        for value in self.members:
            for a in value.args:
                if a not in own:
                    found[a] = None
        return list(found)


def fuse(results: list[Val], order: list[Val] | None = None) -> list[Unit]:
    """The units that compute the results.

    order  all values that they need, if they are listed already
    """
    order = listed(results) if order is None else order
    spaces = {v: _space(v) for v in order if v.op == "elementwise"}
    levels = _levels(order, spaces)
    takers: dict[Val, list[Val]] = {}
    for value in order:
        for a in value.args:
            takers.setdefault(a, []).append(value)
    _sink(order, levels, takers, set(results), spaces)
    groups: dict[Any, list[Val]] = {}
    units: list[Unit] = []
    for value in order:
        if value.op == "elementwise":
            groups.setdefault((levels[value], *spaces[value]), []).append(value)
        elif value.op not in (
            "view",
            "full",
            "argument",
            "leaf",
            "gradient",
            "constant",
        ):
            units.append(Unit(value.op, [value], [value]))
    wanted = set(results)
    for group in groups.values():
        own = set(group)
        kept = [
            v
            for v in group
            if v in wanted or any([t not in own for t in takers.get(v, ())])
        ]
        units.append(Unit("kernel", group, kept))
    return units


def _space(value: Val) -> tuple[Any, ...]:
    """What the values of one kernel have in common: shape, floating dtype, and whether
    they are of a backward pass (else the last step forward would be a kernel of its
    own, with the first one backward)."""
    dtype = value.dtype
    if dtype.kind != "f":
        dtype = next((a.dtype for a in value.args if a.dtype.kind == "f"), None)
    return value.shape, dtype, value.late


Spaces = dict[Val, tuple[Any, ...]]  # of the elementwise values


def _levels(order: list[Val], spaces: Spaces) -> dict[Val, int]:
    levels: dict[Val, int] = {}
    for value in order:
        if value.op != "elementwise":
            levels[value] = max([levels[a] for a in value.args], default=0)
            continue
        space = spaces[value]
        levels[value] = max(
            [
                levels[a] + (spaces.get(a) != space)
                for a in value.args
                if a.op != "full"
            ],
            default=0,
        )
    return levels


def _sink(
    order: list[Val],
    levels: dict[Val, int],
    takers: dict[Val, list[Val]],
    wanted: set[Val],
    spaces: Spaces,
) -> None:
    """Move cheap values to the level where they are needed, if their operands are kept
    in memory for others anyway."""
    movable: set[Val] = set()
    for value in order:
        if value.op != "elementwise" or value.attrs in _DEAR or value in wanted:
            continue
        space = spaces[value]
        if any([spaces.get(t) != space for t in takers[value]]):
            continue
        if all([
            spaces.get(a) != space
            or a in movable
            or a in wanted
            or any([
                t.op != "elementwise" or levels[t] > levels[a]
                for t in takers[a]
                if t is not value
            ])
            for a in value.args
        ]):  # fmt: skip
            movable.add(value)
    for value in reversed(order):
        if value not in movable:
            continue
        level = min([levels[t] for t in takers[value]])
        moving = [a for a in value.args if a in movable]
        if all([_is_there(a, value, level, levels, takers[a]) for a in moving]):
            levels[value] = level


def _is_there(
    a: Val, value: Val, level: int, levels: dict[Val, int], takers: list[Val]
) -> bool:
    """Can an operand move to this level with the value, or is it kept for others that
    need it later? Else it would be kept for the value alone."""
    others = [levels[t] for t in takers if t is not value]
    first = min(others, default=level)
    return first >= level or any([n > max(first, levels[a]) for n in others])
