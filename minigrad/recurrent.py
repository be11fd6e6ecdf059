"""The package `models`, found safely: a user's own file may bear the same name."""

from __future__ import annotations

import importlib
import os
import sys
from importlib.util import find_spec
from types import ModuleType

from minigrad.errors import SetupError

_OURS = os.path.join(os.path.dirname(os.path.dirname(__file__)), "models")


def models() -> ModuleType:
    """Our package `models`, which stands beside `minigrad`: RNN, LSTM, GRU, unroll.

    Raises SetupError if another module of that name comes first on Python's path, or
    was imported before; the message names its file, which is not run.
    """
    loaded = sys.modules.get("models")
    if loaded is None:
        spec = find_spec("models")
        file = spec.origin if spec else None
    else:
        file = getattr(loaded, "__file__", None)
    ours = os.path.join(_OURS, "__init__.py")
    if file is None or os.path.realpath(file) != os.path.realpath(ours):
        mine = "rename your own models.py, or run from another folder"
        raise SetupError(
            "the package `models` of minigrad cannot be imported",
            expect=f"`models` to be {_OURS}",
            actual=f"`models` is {file or 'a folder without code, or missing'}",
            hint=mine if file else "install minigrad again: both packages belong to it",
        )
    return importlib.import_module("models")
