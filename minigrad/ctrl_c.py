"""Ctrl-C on the command line ends in one line, while Python is still importing, too.

`minigrad/__init__.py` imports this first. The command line catches Ctrl-C itself, in
`commands/main.py`, but that is imported last, up to a second later. A program that
imports minigrad, and a session in Python, keep Python's own traceback.

Read next: `minigrad/engine/`.
"""

from __future__ import annotations

import os
import sys
from types import TracebackType


def on_command_line() -> bool:
    """Was Python started as `minigrad ...`, or as `python -m minigrad ...`?"""
    words = getattr(sys, "argv", None) or [""]
    if words[0] == "-m":  # so long as Python imports the module that it is to run
        return sys.orig_argv[-len(words)].endswith("minigrad")  # or "-mminigrad"
    return os.path.basename(words[0]).removesuffix(".exe") == "minigrad"


def end_in_one_line(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """Print what ended the program: of Ctrl-C one line, and the exit code is 130."""
    if not issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
        return
    print("stopped", file=sys.stderr)
    raise SystemExit(130)


if on_command_line():
    sys.excepthook = end_in_one_line
