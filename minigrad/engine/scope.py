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
from functools import lru_cache
from itertools import count
from typing import Any

from minigrad.engine.errors import ArgumentError
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


class _Entered:
    """A context manager that sets attributes of the recorder and puts them back."""

    __slots__ = ("_changes", "_saved")

    def __init__(self, **changes: Any) -> None:
        self._changes = changes
        self._saved: list[dict[str, Any]] = []

    def __enter__(self) -> None:
        recorder = thread.recorder
        self._saved.append({name: getattr(recorder, name) for name in self._changes})
        for name, value in self._changes.items():
            setattr(recorder, name, value)

    def __exit__(self, *exception: object) -> None:
        for name, value in self._saved.pop().items():
            setattr(thread.recorder, name, value)


class no_grad(_Entered):
    """Within it nothing is recorded: results are constants. (PyTorch's name.)"""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(recording=False)


class enable_grad(_Entered):
    """Within it operations are recorded, even inside `no_grad()`. (PyTorch's name.)"""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(recording=True)


class detect_anomaly(_Entered):
    """Within it the first NaN or infinity made from finite numbers raises.

    The `NonFiniteError` names the operation, the user's line and the scope, in the
    forward pass and in the backward pass. (PyTorch's name.)
    """

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(anomaly=True)


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


@lru_cache(maxsize=4096)
def scope(name: str, index: Any = None, kind: str | None = None) -> Entered:
    """Name what is computed within: `with scope("forget gate"): ...`.

    A gate's name of the table (`GATES`) is known as a gate and gets its letter.
    """
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
