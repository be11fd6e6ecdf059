"""Names for stretches of a program, and the state of the recorder, one per thread.

    with time_step(3), scope("forget gate"):
        f = sigmoid(z)                      # recorded in: step 3 / forget gate

A scope is a tuple of `Scope` records, outermost first; readers of the graph group nodes
by these records and never parse text. The same thread-local state says whether
operations are recorded at all (`no_grad`) and watched for NaN (`detect_anomaly`).

Read next: `recorder.py` (what it sets, one state per thread).
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from functools import lru_cache, wraps
from itertools import count
from typing import Any, ClassVar

from minigrad.engine.calls import checked_call
from minigrad.engine.errors import ArgumentError, CallError, DTypeError
from minigrad.engine.recorder import Scope, path, thread

__all__ = [
    "GATES",
    "Scope",
    "cell",
    "detect_anomaly",
    "enable_grad",
    "gate",
    "layer",
    "loop",
    "no_grad",
    "path",
    "scope",
    "thread",
    "time_step",
]

# The one table of gates: letter -> name, in the field's words.
GATES = {
    "i": "input gate",
    "f": "forget gate",
    "g": "candidate",
    "o": "output gate",
    "r": "reset gate",
    "z": "update gate",
    "n": "candidate",
    "h": "hidden state",
    "c": "cell state",
}
_LETTERS = {"candidate": "g"} | {
    name: letter for letter, name in GATES.items() if name != "candidate"
}


class _Switched:
    """Sets switches of the recorder, and puts them back at the end.

    with no_grad(): ...            for a block
    @no_grad()                     for every call of a function; @no_grad works too
    """

    __slots__ = ("_saved",)
    _saved: list[dict[str, Any]]
    changes: ClassVar[dict[str, Any]] = {}

    def __new__(
        cls, function: Callable[..., Any] | None = None, *more: Any, **foreign: Any
    ) -> Any:
        if more or foreign:
            raise CallError(
                f"{cls.__name__} takes no argument",
                expect="a block, or a function to decorate",
                actual=", ".join([f"{x!r:.30}" for x in more] + list(foreign)),
                hint=f"with mg.{cls.__name__}(): ...",
            )
        made = object.__new__(cls)
        made._saved = []
        return made if function is None else made(function)

    def __enter__(self) -> None:
        recorder = thread.recorder
        self._saved.append({name: getattr(recorder, name) for name in self.changes})
        for name, value in self.changes.items():
            setattr(recorder, name, value)

    def __exit__(self, *exception: object) -> None:
        for name, value in self._saved.pop().items():
            setattr(thread.recorder, name, value)

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, with the switches set while it runs (and only then)."""
        import inspect

        if not callable(function):
            raise DTypeError(
                f"{type(self).__name__}({function!r:.40}) takes no argument",
                expect="a block, or a function to decorate",
                actual=type(function).__name__,
                hint=f"with mg.{type(self).__name__}(): ...",
            )
        kind = type(self)  # entered anew by each call: calls nest, in many threads
        if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(
            function
        ):
            raise DTypeError(
                f"@{kind.__name__}() cannot decorate a coroutine",
                expect="a function, or a generator",
                actual=f"async def {function.__name__}",
                hint=f"write `with mg.{kind.__name__}():` where it computes",
            )

        @wraps(function)
        def called(*inputs: Any, **options: Any) -> Any:
            with kind():
                return function(*inputs, **options)

        @wraps(function)
        def stepped(*inputs: Any, **options: Any) -> Any:
            running, given = function(*inputs, **options), None
            while True:  # set while the generator runs, not while its caller does
                with kind():
                    try:
                        made = running.send(given)
                    except StopIteration as end:
                        return end.value
                given = yield made

        return stepped if inspect.isgeneratorfunction(function) else called


class no_grad(_Switched):
    """Within it nothing is recorded: results are constants. (PyTorch's name.)"""

    __slots__ = ()
    changes: ClassVar[dict[str, Any]] = {"recording": False}


class enable_grad(_Switched):
    """Within it operations are recorded, even inside `no_grad()`. (PyTorch's name.)"""

    __slots__ = ()
    changes: ClassVar[dict[str, Any]] = {"recording": True}


class detect_anomaly(_Switched):
    """Within it the first NaN or infinity made from finite numbers raises.

    The `NonFiniteError` names the operation, the user's line and the scope, in the
    forward pass and in the backward pass. (PyTorch's name.)
    """

    __slots__ = ()
    changes: ClassVar[dict[str, Any]] = {"anomaly": True}


class Entered:
    """Enters one more level of scope. Stateless, so that one object serves all uses:
    a cell enters a handful of scopes per time step."""

    __slots__ = ("record",)

    def __init__(self, record: Scope) -> None:
        self.record = record

    def __enter__(self) -> None:
        recorder = thread.recorder
        recorder.outer.append(recorder.scope)
        recorder.scope = (*recorder.scope, self.record)

    def __exit__(self, *exception: object) -> None:
        recorder = thread.recorder
        recorder.scope = recorder.outer.pop()


@checked_call
def scope(name: str, index: Any = None, kind: str | None = None) -> Entered:
    """Name what is computed within: `with scope("forget gate"): ...`.

    A gate's name of the table (`GATES`) is known as a gate and gets its letter.
    ArgumentError for a name that is no words.
    """
    if not isinstance(name, str):
        raise ArgumentError(
            f"scope({name!r:.40}): a name is wanted",
            expect='words: scope("attention")',
            actual=f"{name!r:.40} ({type(name).__name__})",
            hint="time_step(3) is the scope of a step",
        )
    return _named(name, index, kind)


@lru_cache(maxsize=4096)
def _named(name: str, index: Any, kind: str | None) -> Entered:
    if kind is None:
        kind = "gate" if name in _LETTERS else "scope"
    if kind == "gate" and index is None:
        index = _LETTERS.get(name)
    return Entered(Scope(kind, name, index))


@lru_cache(maxsize=64)
def gate(letter: str) -> Entered:
    """The scope of the gate with this letter: `gate("f")` is the forget gate's."""
    return Entered(Scope("gate", GATES.get(letter, letter), letter))


@lru_cache(maxsize=4096, typed=True)
@checked_call
def time_step(t: int) -> Entered:
    """The scope of time step `t` (0-based). ArgumentError for what is no whole number:
    words for the steps are what `words=` of the readers is for."""
    try:
        number = operator.index(t)
    except TypeError:
        raise ArgumentError(
            f"time_step({t!r}): a time step is a whole number",
            expect="0, 1, 2, ...",
            actual=f"{t!r} ({type(t).__name__})",
            hint="for t, day in enumerate(days): with mg.time_step(t): ...; "
            "mg.draw(loss, words=days) writes the names",
        ) from None
    return Entered(Scope("step", "step", number))


_next_loop = count().__next__


def loop(name: str = "") -> Entered:
    """The scope of one loop over time, told apart from every other by a number of its
    own: `models.unroll` and the models enter it once per call.

    name  what the readers call it: an encoder, a decoder; "" leaves that to them
    """
    return Entered(Scope("loop", name, _next_loop()))


@lru_cache(maxsize=64)
def layer(number: int, reverse: bool = False) -> Entered:
    """The scope of a layer's forward or reverse cell; index is (number, reverse)."""
    name = f"layer {number}" + (" reverse" if reverse else "")
    return Entered(Scope("layer", name, (number, reverse)))


@lru_cache(maxsize=64)
def cell(kind: str) -> Entered:
    """The scope of a cell, named by its kind: "lstm"."""
    return Entered(Scope("cell", kind))
