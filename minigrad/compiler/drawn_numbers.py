"""Random generators and iterators around a function: have they moved while it ran?

What is drawn from them differs from call to call, and a replay would not draw. So their
states are compared while a function is traced for the second time. What the engine
itself draws, the mask of a dropout, is drawn anew in each replay, and does not count.

Read next: `program.py` (a trace that can be run again).
"""

from __future__ import annotations

import operator
import random
import threading
import time
from collections.abc import Callable, Hashable, Iterable
from types import GeneratorType
from typing import Any, NamedTuple

import numpy as np

from minigrad.engine.errors import CompileError
from minigrad.engine.random import generator


class _Source(NamedTuple):
    """name for messages; read its state; write one back (None: nothing can).

    shared  may other threads draw from it?
    """

    name: str
    read: Callable[[], Any]
    write: Callable[[Any], Any] | None
    shared: bool = False

    def moves_by_itself(self) -> bool:
        """Does another thread draw from it, again and again?"""
        if not self.shared or threading.active_count() == 1:
            return False
        before = _frozen(self.read())
        time.sleep(0.02)
        return _frozen(self.read()) != before


def moves(thing: Any) -> bool:
    """Does it give something else each time it is asked?"""
    if isinstance(thing, np.random.Generator | np.random.RandomState | random.Random):
        return True
    return hasattr(type(thing), "__next__")


class Drawn:
    """The states of generators and iterators, as they were when tracing began.

    name    of the function, for messages
    things  generators and iterators around it
    """

    def __init__(self, name: str, things: Iterable[Any]) -> None:
        self._name = name
        sources = [_source(thing) for thing in things]
        sources += [
            _Source("random", random.getstate, random.setstate, True),
            _Source("numpy.random", np.random.get_state, np.random.set_state, True),
            _source(generator())._replace(shared=True),
        ]
        self._first = {source: source.read() for source in sources}
        self._now = dict(self._first)

    def again(self) -> None:
        """Take the states as they are now: what was drawn will be drawn anew."""
        self._now = {source: source.read() for source in self._now}

    def nothing(self) -> None:
        """CompileError if something was drawn; it is put back, where it can be."""
        for source, before in list(self._now.items()):
            if _frozen(source.read()) == _frozen(before):
                continue
            if source.moves_by_itself():
                del self._now[source]
                continue
            self.put_back()
            raise CompileError(
                f"compile: {self._name} does something else in its second call: it "
                f"draws from {source.name}, and a replay would not",
                expect="random numbers as arguments, or from nn.Dropout",
                actual="drawn in this line, or in one shortly before",
                hint="draw before the call: f(x, rng.random(n)); a choice by "
                "chance is mg.where(chance < 0.5, a, b)",
            )

    def put_back(self) -> None:
        """Set all generators to their first states."""
        for source in self._now:
            if source.write is not None and not source.moves_by_itself():
                source.write(self._first[source])


def _source(thing: Any) -> _Source:
    name = f"a {type(thing).__name__}"
    if isinstance(thing, np.random.Generator):
        bits = thing.bit_generator
        return _Source(
            name, lambda: bits.state, lambda state: setattr(bits, "state", state)
        )
    if isinstance(thing, np.random.RandomState):
        return _Source(name, thing.get_state, thing.set_state)
    if isinstance(thing, random.Random):
        return _Source(name, thing.getstate, thing.setstate)
    return _Source(name, lambda: _position(thing), None)


def _position(thing: Any) -> Hashable:
    """Where an iterator is, as far as it can be told without asking it."""
    if isinstance(thing, GeneratorType):
        frame = thing.gi_frame
        if frame is None:
            return None
        inside = [
            v for v in frame.f_locals.values() if isinstance(v, int | float | str)
        ]
        return frame.f_lasti, tuple(inside)
    if type(thing).__module__ == "itertools":
        return repr(thing)
    return operator.length_hint(thing, -1)


def _frozen(state: Any) -> Hashable:
    """A state that can be compared: arrays have no one answer to ==."""
    if isinstance(state, np.ndarray):
        return state.tobytes()
    if isinstance(state, dict):
        return tuple([(k, _frozen(v)) for k, v in state.items()])
    if isinstance(state, tuple):
        return tuple(map(_frozen, state)) if len(state) < 20 else state
    return state
