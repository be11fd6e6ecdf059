"""What the recorder knows at this moment, one state per thread: scopes, and switches.

Read next: `autodiff.py` (the walk backwards).
"""

from __future__ import annotations

import threading
from typing import Any, NamedTuple


class Scope(NamedTuple):
    """One level of a scope: what kind it is, its name, and which one of its kind.

    kind   "loop", "step", "layer", "cell", "gate" or "scope" (a name of the user's own)
    name   the words to show; of a loop that nobody named, none
    index  the step's number, the layer's number, a gate's letter, or None; of a loop a
           number that no other loop has
    """

    kind: str
    name: str
    index: Any = None

    def __str__(self) -> str:
        return f"{self.name} {self.index}" if self.kind == "step" else self.name


class Recorder:
    """The state of one thread's recorder.

    scope      the scopes entered, outermost first
    recording  are operations recorded?
    anomaly    are results watched for NaN and infinity?
    origin     while a backward pass is recorded: the node whose rule is running, or
               whose contributions are added up
    outer      the scopes to return to
    last       what `backward` ran from last: (weak reference to the tensor, seed).
               Weak, so that no graph lives longer for it; seeds of one entry only
    trace    what `mg.compile` writes down at this moment, or None: see `tracing.py`
    """

    __slots__ = ("anomaly", "last", "origin", "outer", "recording", "scope", "trace")

    def __init__(self) -> None:
        self.scope: tuple[Scope, ...] = ()
        self.recording = True
        self.anomaly = False
        self.origin: Any = None
        self.outer: list[tuple[Scope, ...]] = []
        self.last: tuple[Any, Any] | None = None
        self.trace: Any = None


class _Thread(threading.local):
    def __init__(self) -> None:
        self.recorder = Recorder()


thread = _Thread()  # thread.recorder: looked up once per operation


class scope_kept:
    """At its end the recorder is in the scope of its start again: a backward pass that
    is recorded goes from the scope of one node to that of the next.

    recorded  shall it leave nodes? Else a trace is told of it, and it can be forgotten
    """

    __slots__ = ("_before", "_recorded")

    def __init__(self, recorded: bool = True) -> None:
        self._recorded = recorded

    def __enter__(self) -> None:
        recorder = thread.recorder
        self._before = recorder.scope, recorder.origin, recorder.recording
        recorder.recording = recorder.recording and self._recorded

    def __exit__(self, *exception: object) -> None:
        recorder = thread.recorder
        recorder.scope, recorder.origin, recorder.recording = self._before


def path(levels: tuple[Scope, ...]) -> str:
    """The scope as words: "step 3 / lstm / forget gate"."""
    return " / ".join([str(level) for level in levels if level.name])
