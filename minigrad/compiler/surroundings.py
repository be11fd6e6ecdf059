"""What a function finds around it: a part of the key of a call.

The variables that it closes over, the globals that it names, the attributes of modules
(training or not, a layer replaced), and what it names in the user's own classes and
modules. Parameters are known by identity: their numbers are read anew in each call.

Read next: `drawn_numbers.py` (what is not there a second time).
"""

from __future__ import annotations

import functools
import sys
import types
import zlib
from collections import deque
from collections.abc import Hashable
from dis import get_instructions
from operator import is_
from typing import Any

import numpy as np

from minigrad.compiler.drawn_numbers import moves
from minigrad.compiler.guard import PLAIN, Same, plain
from minigrad.engine.errors import CompileError
from minigrad.engine.primitives.base import Primitive
from minigrad.engine.tensor import Tensor

_GLOBAL = ("LOAD_GLOBAL", "LOAD_NAME")
_ATTRIBUTES = ("LOAD_ATTR", "LOAD_METHOD")
_LARGEST = 20_000  # objects that are looked at around a function


class Surroundings:
    """What a function finds around it, without being given it.

    tensors     ids of the tensors among it
    optimisers  objects with the methods `step` and `zero_grad`: what they are set to is
                read in each call
    moving      random generators and iterators
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
        self.optimisers: list[Any] = []
        self.moving: list[Any] = []
        self._watched: list[tuple[Any, list[Any]]] = []
        self._arrays: list[tuple[np.ndarray, int]] = []
        self._found: list[Hashable] = []
        self._seen: set[int] = set()
        self._names: set[str] = {"forward", "__call__"}  # that code looks up in objects
        self._spaces: dict[Any, set[str]] = {}  # classes and modules: what was found
        todo: list[Any] = list(self._things)
        while todo:
            self._follow(todo)
            todo = self._named_in_spaces()
        self._key = Key(self._found)

    def _follow(self, todo: list[Any]) -> None:
        """Look at these things, and at all that they lead to."""
        while todo and len(self._seen) < _LARGEST:
            part = todo.pop()
            if isinstance(part, PLAIN):
                self._found.append(plain(part))
                continue
            self._found.append(Same(part))
            if id(part) in self._seen:
                continue
            self._seen.add(id(part))
            if isinstance(part, Tensor):
                self.tensors.add(id(part))
            elif isinstance(part, np.ndarray):
                crc = zlib.crc32(_bytes(part))
                self._arrays.append((part, crc))
                self._found.append(crc)
            elif moves(part):
                self.moving.append(part)
            elif _is_optimiser(part):
                self.optimisers.append(part)  # its state is not part of a program
            else:
                self._enter(part, todo)

    def _enter(self, part: Any, todo: list[Any]) -> None:
        """Watch what an object refers to, and look at it next."""
        if isinstance(part, type | types.ModuleType):
            self._add_space(part)
            return
        if isinstance(part, types.FunctionType) and not _ours(part.__module__):
            self._names |= _names_in(part.__code__, _ATTRIBUTES)
        values = _contents(part)
        if values is not None:
            for kind in type(part).__mro__:
                self._add_space(kind)
            self._watch(values, todo)

    def _watch(self, values: Any, todo: list[Any]) -> None:
        now = values()
        self._watched.append((values, now))
        todo.extend(now)

    def _add_space(self, space: Any) -> None:
        name = space.__module__ if isinstance(space, type) else space.__name__
        if not _ours(name) and not _of_others(name):
            self._spaces.setdefault(space, set())

    def _named_in_spaces(self) -> list[Any]:
        """What code has looked up so far in the user's own classes and modules."""
        todo: list[Any] = []
        for space, known in self._spaces.items():
            inside = vars(space)
            new = [name for name in self._names if name in inside and name not in known]
            if new and len(self._seen) < _LARGEST:
                known.update(new)
                new.sort()
                self._watch(lambda i=inside, n=new: [i.get(name) for name in n], todo)
        return todo


class Key(tuple[Any, ...]):
    """A tuple that works out its hash once: it is asked for in every call."""

    def __hash__(self) -> int:
        try:
            return self._hash
        except AttributeError:
            self._hash: int = tuple.__hash__(self)
            return self._hash


class Settings:
    """What optimisers are set to: learning rates and the like, at this moment."""

    def __init__(self, optimisers: list[Any]) -> None:
        found = [(o, vars(o)) for o in optimisers if hasattr(o, "__dict__")]
        self._before = [
            (o, {k: v for k, v in d.items() if _is_plain(v)}) for o, d in found
        ]

    def unchanged(self) -> None:
        """CompileError if one is set to something else now: no replay would do that.
        What it was set to before is put back."""
        for optimiser, before in self._before:
            for name, value in before.items():
                now = getattr(optimiser, name, None)
                if now is not value and now != value:
                    self.put_back()
                    raise CompileError(
                        f"compile: the function sets {type(optimiser).__name__}'s "
                        f"{name.lstrip('_')} to {now!r:.40}",
                        expect="an optimiser that is set outside of the function",
                        actual=f"{value!r:.40} before the call",
                        hint="change a learning rate between two calls: it is seen",
                    )

    def put_back(self) -> None:
        """Set all of them as they were."""
        for optimiser, before in self._before:
            vars(optimiser).update(before)


def _is_optimiser(part: Any) -> bool:
    """`step` alone may be a training step, whose object is a part of the program."""
    found = (getattr(part, name, None) for name in ("step", "zero_grad"))
    return not isinstance(part, type) and all(map(callable, found))


def _is_plain(value: Any) -> bool:
    return isinstance(value, bool | int | float | str | tuple)


def _bytes(array: np.ndarray) -> Any:
    return np.ascontiguousarray(array).view(np.uint8).reshape(-1)


def _contents(part: Any) -> Any:
    """A function that lists what an object refers to; None if it is not looked into."""
    if isinstance(part, list | tuple | set | frozenset | deque):
        return lambda: list(part)
    if isinstance(part, dict):
        return lambda: list(part.values())
    if isinstance(part, bytearray):
        return lambda: [bytes(part)]
    if isinstance(part, functools.partial):
        return lambda: [part.func, *part.args, *part.keywords.values()]
    if isinstance(part, types.MethodType):
        return lambda: [part.__func__, part.__self__]
    if isinstance(part, staticmethod | classmethod):
        return lambda: [part.__func__]
    if isinstance(part, property):
        return lambda: [part.fget]
    if isinstance(part, types.FunctionType):
        return _of_function(part) if not _ours(part.__module__) else None
    if isinstance(part, Primitive):
        return None  # known by itself; it makes kernels when they are due
    kind = type(part).__module__
    if kind in ("builtins", "numpy") or kind.startswith("numpy."):
        return None
    if kind.startswith(__package__):  # a compiled function: what it is made of
        return lambda: [getattr(part, "fn", None)]
    if not callable(part) and _ours(kind):
        return None
    attributes = getattr(part, "__dict__", None)
    if attributes is not None:
        return lambda: list(attributes.values())
    names = [n for k in type(part).__mro__ for n in vars(k).get("__slots__", ())]
    return (lambda: [getattr(part, n, None) for n in names]) if names else None


def _of_function(function: types.FunctionType) -> Any:
    """What a function closes over, its defaults, and the globals that it names."""
    around = function.__globals__
    named = sorted(n for n in _names_in(function.__code__, _GLOBAL) if n in around)

    def values() -> list[Any]:
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


@functools.cache
def _names_in(code: types.CodeType, instructions: tuple[str, ...]) -> frozenset[str]:
    """The names that such instructions of a function look up, inner functions' too."""
    names: set[str] = set()
    todo = [code]
    while todo:
        code = todo.pop()
        names.update(
            line.argval
            for line in get_instructions(code)
            if line.opname in instructions and isinstance(line.argval, str)
        )
        todo += [c for c in code.co_consts if isinstance(c, types.CodeType)]
    return frozenset(names)


def _ours(module: str | None) -> bool:
    return (module or "").split(".")[0] in ("minigrad", "models")


@functools.cache
def _of_others(module: str | None) -> bool:
    """Is it a module of Python's own, or of a package that was installed?"""
    first = (module or "").split(".")[0]
    if first in sys.stdlib_module_names:
        return first != "__main__"
    path = getattr(sys.modules.get(module or ""), "__file__", None) or ""
    return "site-packages" in path or "dist-packages" in path
