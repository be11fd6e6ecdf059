"""For which calls does a trace hold? The key of a call, and how two traces differ.

A trace holds for arguments of the same structure, shapes, dtypes and Python values, and
as long as what the function finds around it is the same.

Read next: `surroundings.py` (what a function finds around it).
"""

from __future__ import annotations

import functools
from collections.abc import Hashable
from typing import Any

import numpy as np

from minigrad.engine.errors import CompileError
from minigrad.engine.graph import Leaf
from minigrad.engine.tensor import Tensor
from minigrad.engine.user_code import place

_ARRAYS = (Tensor, np.ndarray, np.generic)
PLAIN = (int, float, complex, str, bytes, bool, type(None), type(Ellipsis), slice)


class Same:
    """An object as a part of a key: equal to itself alone, and kept alive."""

    __slots__ = ("thing",)

    def __init__(self, thing: Any) -> None:
        self.thing = thing

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Same) and self.thing is other.thing

    def __hash__(self) -> int:
        return id(self.thing)


class Slice:
    """A slice as a part of a key: equal to one of the same numbers. (A slice itself has
    no hash before Python 3.12.)"""

    __slots__ = ("parts", "thing")

    def __init__(self, thing: slice) -> None:
        self.thing = thing
        self.parts = tuple(map(plain, (thing.start, thing.stop, thing.step)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Slice) and self.parts == other.parts

    def __hash__(self) -> int:
        return hash(self.parts)


class Arguments:
    """The arguments of a call: the arrays among them, and everything else as a key.

    given    tensors and arrays, in the order in which they are met
    things   objects that are neither those nor plain values: modules, functions
    structure what stands around them: see `built`
    """

    def __init__(self, *call: Any) -> None:
        self.things: list[Any] = []
        plain_call = len(call) == 2 and type(call[1]) is dict and not call[1]
        if plain_call and _are_arrays(call[0]):
            self.given = list(call[0])  # f(x, y): by far the most common call
            self.structure = _flat(len(self.given))
            return
        self.given = []
        self.structure = self._taken_apart(call)

    def _taken_apart(self, part: Any) -> Hashable:
        kind = type(part)
        if kind in _ARRAYS or isinstance(part, _ARRAYS):
            self.given.append(part)
            return ("array", len(self.given) - 1)
        if kind is tuple or isinstance(part, list | tuple):
            return ("items", kind, tuple([self._taken_apart(p) for p in part]))
        if kind is dict:
            values = tuple([self._taken_apart(p) for p in part.values()])
            return ("dict", tuple([plain(k) for k in part]), tuple(part), values)
        key = plain(part)
        if isinstance(key, Same):
            self.things.append(part)
        return ("thing", key)

    def key(self, around: set[int]) -> Hashable:
        """Shapes, dtypes, which tensors are the same, and which are parameters too.

        around  the ids of tensors that the function finds without being given them
        """
        seen: dict[int, int] = {}
        parts: list[Any] = []
        for k, x in enumerate(self.given):
            if isinstance(x, Tensor):
                edge = x._edge
                known = id(x) if id(x) in around else None
                first = seen.setdefault(id(x), k)
                leaf = type(edge.source) is Leaf
                array = edge.array
                parts.append(
                    (array.shape, array.dtype, edge.requires_grad, leaf, first, known)
                )
            else:
                parts.append((x.shape, x.dtype))
        return self.structure, tuple(parts)


def _are_arrays(inputs: Any) -> bool:
    if type(inputs) is not tuple:
        return False
    for x in inputs:
        if type(x) not in _ARRAYS:
            return False
    return True


@functools.cache
def _flat(count: int) -> Hashable:
    """What is taken apart from (so many arrays, {})."""
    arrays = tuple([("array", k) for k in range(count)])
    parts = ("items", tuple, arrays), ("dict", (), (), ())
    return ("items", tuple, parts)


def built(structure: Any, arrays: list[Any]) -> Any:
    """What `Arguments` took apart, with other things in the places of the arrays."""
    kind, *rest = structure
    if kind == "array":
        return arrays[rest[0]]
    if kind == "items":
        make, parts = rest
        items = [built(part, arrays) for part in parts]
        return make(*items) if hasattr(make, "_fields") else make(items)
    if kind == "dict":
        _, keys, values = rest
        return dict(zip(keys, [built(v, arrays) for v in values], strict=True))
    [part] = rest
    return part.thing if isinstance(part, Same | Slice) else part[1]


def plain(part: Any) -> Hashable:
    """A Python value as a part of a key: 1, 1.0 and True differ; 0.0 and -0.0 too."""
    if isinstance(part, slice):
        return Slice(part)
    if isinstance(part, PLAIN):
        return (type(part), part, repr(part)) if part == part else (type(part), part)
    return Same(part)


def differences(first: Any, second: Any) -> str | None:
    """In words, with the line: where do two traces of one function differ? None if they
    do not."""
    for k, (a, b) in enumerate(zip(first.entries, second.entries, strict=False)):
        if a.name != b.name or a.inputs != b.inputs:
            return f"operation {k}{_at(b)}: {a.name}, then {b.name}"
        if a.name != "outside" and a.attrs != b.attrs:
            return f"operation {k}{_at(b)}, {a.name}: {a.attrs}, then {b.attrs}"
        for i, j in zip(a.outputs, b.outputs, strict=True):
            was, now = first.values[i].shape, second.values[j].shape
            if was != now:
                return f"operation {k}{_at(b)}, {a.name}: shape {was}, then {now}"
    if len(first.entries) != len(second.entries):
        return f"{len(first.entries)} operations, then {len(second.entries)}"
    for number, (a, b) in enumerate(zip(first.values, second.values, strict=True)):
        if a.kind != b.kind or (a.array is None) != (b.array is None):
            return f"a value of kind {a.kind}, then {b.kind}"
        if a.array is not None and a.array.tobytes() != b.array.tobytes():
            taker = next((e for e in second.entries if number in e.inputs), None)
            was, now = _shown(a.array), _shown(b.array)
            return f"a constant{_at(taker)}: {was}, then {now}"
    return None


def _at(entry: Any) -> str:
    """The line of an operation, if it is the user's."""
    spot = "" if entry is None else place((), entry.where)
    return f" of {spot}" if spot else ""


def another_shape(entry: Any, was: tuple[int, ...], now: tuple[int, ...]) -> Any:
    """The error for an operation whose result has another shape in a replay."""
    return CompileError(
        f"compile: the shape of {entry.name} depends on numbers, not on shapes alone",
        expect=f"shape {was}, as in the first two calls",
        actual=f"shape {now}{_at(entry)}",
        hint="mg.where(mask, x, 0) keeps the shape of x, x[mask] does not; losses take "
        "mask=",
    )


def _shown(array: np.ndarray) -> str:
    words = np.array2string(array, threshold=4, edgeitems=1, separator=", ")
    return f"{' '.join(words.split()):.60}, shape {array.shape}"


def changed(name: str, what: str) -> CompileError:
    """The error for a function that did another thing in its second call."""
    return CompileError(
        f"compile: {name} did something else in its second call",
        expect="the same operations and constants for arguments of the same shapes",
        actual=what,
        hint="numbers that differ from call to call have to be arguments: "
        "f(x, mg.tensor(rate)); random numbers come from nn.Dropout",
    )
