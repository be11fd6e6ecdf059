"""For which calls does a trace hold? The key of a call, and what a function looks at.

A trace holds for arguments of the same structure, shapes, dtypes and Python values, and
as long as what the function finds around it is the same: the variables that it closes
over, and the attributes of modules (training or not, a layer replaced). Parameters are
known by identity: their numbers are read anew in each call.

Read next: `program.py` (a trace that can be run again).
"""

from __future__ import annotations

import functools
import types
import zlib
from collections.abc import Hashable
from dis import get_instructions
from operator import is_
from typing import Any

import numpy as np

from minigrad.engine.errors import CompileError
from minigrad.engine.graph import Leaf
from minigrad.engine.tensor import Tensor

_ARRAYS = (Tensor, np.ndarray, np.generic)
_PLAIN = (int, float, complex, str, bytes, bool, type(None), type(Ellipsis), slice)
_GLOBAL = ("LOAD_GLOBAL", "LOAD_NAME")
_LARGEST = 20_000  # objects that are looked at around a function


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
    if isinstance(part, _PLAIN):
        return (type(part), part, repr(part)) if part == part else (type(part), part)
    return Same(part)


# ------------------------------------------------------------- around a function


class Surroundings:
    """What a function finds around it, without being given it.

    tensors  ids of the tensors among it
    """

    def __init__(self, *things: Any) -> None:
        self._things = things
        self._look()

    def key(self) -> Hashable:
        """Plain values, and which tensors, arrays and objects there are."""
        if not self._unchanged():
            self._look()
        return self._key

    def _unchanged(self) -> bool:
        for values, before in self._watched:
            now = values()
            if len(now) != len(before) or not all(map(is_, now, before)):
                return False
        return all(crc == zlib.crc32(_bytes(a)) for a, crc in self._arrays)

    def _look(self) -> None:
        self.tensors: set[int] = set()
        self._watched: list[tuple[Any, list]] = []
        self._arrays: list[tuple[np.ndarray, int]] = []
        found: list[Hashable] = []
        todo: list[Any] = list(self._things)
        seen: set[int] = set()
        while todo and len(seen) < _LARGEST:
            part = todo.pop()
            if isinstance(part, _PLAIN):
                found.append(plain(part))
                continue
            found.append(Same(part))
            if id(part) in seen:
                continue
            seen.add(id(part))
            if isinstance(part, Tensor):
                self.tensors.add(id(part))
            elif isinstance(part, np.ndarray):
                crc = zlib.crc32(_bytes(part))
                self._arrays.append((part, crc))
                found.append(crc)
            else:
                values = _contents(part)
                if values is not None:
                    now = values()
                    self._watched.append((values, now))
                    todo.extend(now)
        self._key = Key(found)


class Key(tuple):
    """A tuple that works out its hash once: it is asked for in every call."""

    def __hash__(self) -> int:
        try:
            return self._hash
        except AttributeError:
            self._hash: int = tuple.__hash__(self)
            return self._hash


def _bytes(array: np.ndarray) -> Any:
    return np.ascontiguousarray(array).view(np.uint8).reshape(-1)


def _contents(part: Any) -> Any:
    """A function that lists what an object refers to; None if it is not looked into."""
    if isinstance(part, list | tuple):
        return lambda: list(part)
    if isinstance(part, dict):
        return lambda: list(part.values())
    if isinstance(part, functools.partial):
        return lambda: [part.func, *part.args, *part.keywords.values()]
    if isinstance(part, types.MethodType):
        return lambda: [part.__func__, part.__self__]
    if isinstance(part, types.FunctionType):
        return _of_function(part) if not _ours(part.__module__) else None
    if isinstance(part, type | types.ModuleType) or callable(getattr(part, "step", 0)):
        return None  # an optimiser's state is not part of a program
    kind = type(part).__module__
    if kind in ("builtins", "numpy") or kind.startswith("numpy."):
        return None
    if kind.startswith(__package__):  # a compiled function: what it is made of
        return lambda: [getattr(part, "fn", None)]
    attributes = getattr(part, "__dict__", None)
    if attributes is None or not (callable(part) or not _ours(kind)):
        return None
    return lambda: list(attributes.values())


def _of_function(function: types.FunctionType) -> Any:
    """What a function closes over, its defaults, and the globals that it names."""
    names: set[str] = set()
    todo = [function.__code__]
    while todo:
        code = todo.pop()
        names.update(
            line.argval for line in get_instructions(code) if line.opname in _GLOBAL
        )
        todo += [c for c in code.co_consts if isinstance(c, types.CodeType)]
    around = function.__globals__
    named = [name for name in sorted(names) if name in around]

    def values() -> list:
        cells = function.__closure__ or ()
        inside = []
        for cell in cells:
            try:
                inside.append(cell.cell_contents)
            except ValueError:  # not set yet
                inside.append(None)
        given = list(function.__defaults__ or ())
        given += (function.__kwdefaults__ or {}).values()
        return inside + given + [around.get(name) for name in named]

    return values


def _ours(module: str | None) -> bool:
    return (module or "").split(".")[0] in ("minigrad", "models")


def differences(first: Any, second: Any) -> str | None:
    """In words: where do two traces of one function differ? None if they do not."""
    if len(first.entries) != len(second.entries):
        return f"{len(first.entries)} operations, then {len(second.entries)}"
    for k, (a, b) in enumerate(zip(first.entries, second.entries, strict=True)):
        if a.name != b.name or a.inputs != b.inputs:
            return f"operation {k}: {a.name}, then {b.name}"
        if a.name != "outside" and a.attrs != b.attrs:
            return f"operation {k}, {a.name}: {a.attrs}, then {b.attrs}"
    for a, b in zip(first.values, second.values, strict=True):
        if a.kind != b.kind or (a.array is None) != (b.array is None):
            return f"a value of kind {a.kind}, then {b.kind}"
        if a.array is not None and a.array.tobytes() != b.array.tobytes():
            return f"a constant {_shown(a.array)}, then {_shown(b.array)}"
    return None


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
