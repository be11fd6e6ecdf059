"""How a pass replaces some values and rebuilds what depends on them, and no more.

Read next: `hoist.py`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

from minigrad.compiler.value_builder import Builder
from minigrad.compiler.value_form import Val

Lookup = Callable[[Val], Val]


class Change:
    """A value to be replaced.

    needs  the values that the replacement is made of
    make   (lookup) -> the replacement; lookup gives what a value has become
    """

    __slots__ = ("make", "needs")

    def __init__(self, needs: Sequence[Val], make: Callable[[Lookup], Val]) -> None:
        self.needs, self.make = needs, make


def rewritten(
    builder: Builder, results: Iterable[Val], changes: Mapping[Val, Change]
) -> list[Val]:
    """The results, with the changes made in all that they are computed from."""
    results = list(results)
    become: dict[Val, Val] = {}
    seen: set[Val] = set()
    todo: list[tuple[Val, bool]] = [(v, False) for v in results][::-1]
    while todo:
        value, ready = todo.pop()
        change = changes.get(value)
        needs = value.args if change is None else change.needs
        if not ready:
            if value not in seen:
                seen.add(value)
                todo.append((value, True))
                todo.extend([(a, False) for a in needs if a not in seen])
            continue
        builder.seq, builder.scope = value.seq, value.scope
        builder.late = value.late
        if change is not None:
            become[value] = change.make(become.__getitem__)
            continue
        args = tuple([become[a] for a in value.args])
        become[value] = value if args == value.args else remade(builder, value, args)
    return [become[v] for v in results]


def remade(b: Builder, value: Val, args: tuple[Val, ...]) -> Val:
    """The value's operation on other values."""
    if value.op == "view":
        return b.within(args[0], value.offset, value.shape, value.strides)
    if value.op == "elementwise":
        if value.attrs == "copy":
            return b.copy(args[0])
        return b.elementwise(value.attrs, args, value.shape, value.dtype)
    if value.op == "dot":
        left, right = args
        return b.dot(left, right, *value.attrs)
    if value.op == "sum":
        return b.sum(args[0], value.attrs)
    if value.op == "concat":
        return b.concat(args, value.attrs)
    return b.make(value.op, args, value.attrs, value.shape, value.dtype)


def uses(order: Iterable[Val], results: Iterable[Val]) -> Counter[Val]:
    """How often each value is taken by others, or is a result."""
    counted: Counter[Val] = Counter(results)
    for value in order:
        counted.update(value.args)
    return counted
