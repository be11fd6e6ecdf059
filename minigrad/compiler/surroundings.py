"""What a function finds around it: a part of the key of a call.

The variables that it closes over, the globals that it names, and the attributes of
modules (training or not, a layer replaced). Parameters are known by identity: their
numbers are read anew in each call.

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

from minigrad.compiler.guard import PLAIN, Same, plain
from minigrad.engine.errors import CompileError
from minigrad.engine.primitives.base import Primitive
from minigrad.engine.tensor import Tensor

_GLOBAL = ("LOAD_GLOBAL", "LOAD_NAME")
_LARGEST = 20_000  # objects that are looked at around a function


class Surroundings:
    """What a function finds around it, without being given it.

    tensors     ids of the tensors among it
    optimisers  objects with the methods `step` and `zero_grad`: what they are set to is
                read in each call
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
        self._watched: list[tuple[Any, list]] = []
        self._arrays: list[tuple[np.ndarray, int]] = []
        found: list[Hashable] = []
        todo: list[Any] = list(self._things)
        seen: set[int] = set()
        while todo and len(seen) < _LARGEST:
            part = todo.pop()
            if isinstance(part, PLAIN):
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
            elif _is_optimiser(part):
                self.optimisers.append(part)  # its state is not part of a program
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
    if isinstance(part, type | types.ModuleType | Primitive):
        return (
            None  # a primitive is known by itself; it makes kernels when they are due
        )
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
