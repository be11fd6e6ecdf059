"""The package `models`, found safely: a user's own file may bear the same name."""

from __future__ import annotations

import importlib
from types import ModuleType

from minigrad.errors import SetupError
from minigrad.nn import Module


def models() -> ModuleType:
    """Our package `models`: RNN, LSTM, GRU, unroll.

    Raises SetupError if another module of that name comes first on Python's path; the
    message names its file.
    """
    try:
        found = importlib.import_module("models")
    except ImportError as error:
        found, reason = None, str(error)
    else:
        reason = f"models is {getattr(found, '__file__', None) or found!r}"
    lstm = getattr(found, "LSTM", None)
    if found is None or not (isinstance(lstm, type) and issubclass(lstm, Module)):
        raise SetupError(
            "the package `models` of minigrad cannot be imported",
            expect="the package installed with minigrad, with RNN, LSTM and GRU",
            actual=reason,
            hint="rename your own models.py, or run from another folder",
        )
    return found
