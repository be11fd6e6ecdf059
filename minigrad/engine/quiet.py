"""`np.errstate(all="ignore")` at a tenth of its price.

NumPy keeps the treatment of floating-point errors in a context variable. The engine
sets it around every operation, so that overflow to infinity and 0/0 pass silently with
kernels on or off (anomaly mode is what speaks). Going through `np.errstate` would cost
more than the bookkeeping of the whole operation, so the variable is set directly where
this NumPy has it under the known name, and through `np.errstate` elsewhere.

Read next: `minigrad/engine/repeating/`.
"""

from __future__ import annotations

import gc
from importlib import import_module
from typing import Any

import numpy as np

try:
    _variable: Any = import_module("numpy._core.umath")._extobj_contextvar

    with np.errstate(all="ignore"):
        _ignore_all = _variable.get()

    def hush() -> Any:
        """Ignore floating-point errors from here on; returns what `restore` takes."""
        return _variable.set(_ignore_all)

    restore = _variable.reset

except (ImportError, AttributeError, LookupError):  # pragma: no cover

    def hush() -> Any:
        """Ignore floating-point errors from here on; returns what `restore` takes."""
        return np.seterr(all="ignore")

    def restore(token: Any) -> None:
        """Undo one `hush`."""
        np.seterr(**token)


class uncollected:
    """Python's search for reference cycles, put off for a stretch that makes none.

    A graph holds no cycles, yet the collector looks through all of it again and again
    while it grows.

    settled  what is made stays for long: it joins the oldest generation at the end,
             unseen, where the collector would else look through all of it at once.
             Not in a program that has frozen objects of its own: they must stay so
    """

    __slots__ = ("_settled", "_was_on")
    # Once for all: to count what is frozen, Python walks through it.
    frozen_by_others = False

    def __init__(self, settled: bool = False) -> None:
        self._settled = settled

    def __enter__(self) -> None:
        self._was_on = gc.isenabled()
        gc.disable()

    def __exit__(self, *exception: object) -> None:
        if self._was_on:
            if self._settled and not uncollected.frozen_by_others:
                if gc.get_freeze_count():
                    uncollected.frozen_by_others = True
                else:
                    gc.freeze()
                    gc.unfreeze()
            gc.enable()


class quietly:
    """The two as a context manager, for whole passes."""

    __slots__ = ("_token",)

    def __enter__(self) -> None:
        self._token = hush()

    def __exit__(self, *exception: object) -> None:
        restore(self._token)
