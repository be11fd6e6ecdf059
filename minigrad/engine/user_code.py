"""Where in the user's program something happened: the first frame that is not ours.

Read next: `tensor_checks.py`.
"""

from __future__ import annotations

import itertools
import sys
from opcode import opmap
from types import CodeType, FrameType
from typing import Any

from minigrad.engine.recorder import Scope, path, thread

Where = tuple[CodeType, int] | None  # code object and instruction offset

_STORE = opmap["STORE_SUBSCR"]
_called: dict[tuple[int, int], tuple[CodeType, tuple[str, ...]]] = {}
_ours: dict[str, bool] = {}  # file name -> is it minigrad's, and not one of its cells?


def caller(depth: int) -> tuple[CodeType | None, int]:
    """Code object and offset of the first frame outside of minigrad, for a record.

    The cells of `minigrad.models` count as outside: their lines are what a reader of
    the graph wants to see.
    """
    frame: FrameType | None = sys._getframe(depth)
    while frame is not None:
        code = frame.f_code
        ours = _ours.get(code.co_filename)
        if ours is None:
            ours = _ours[code.co_filename] = _is_ours(frame) and not _is_ours(
                frame, "minigrad.models"
            )
        if not ours:
            return code, frame.f_lasti
        frame = frame.f_back
    return None, 0  # of a thread that runs a function of ours, and nothing else


def here() -> str | None:
    """The scope, and the user's line, that are running now: for messages.

    Cells are not the user's. On the command line (a module of ours that sets
    COMMAND_LINE) there is no program of the user's, so there is no line either.
    """
    frame: FrameType | None = sys._getframe()
    where: Where = None
    while frame is not None and not frame.f_globals.get("COMMAND_LINE"):
        if not _is_between(frame):
            where = frame.f_code, frame.f_lasti
            break
        frame = frame.f_back
    return place(thread.recorder.scope, where) or None


def _is_between(frame: FrameType) -> bool:
    """Is it ours, or what calls us for the user: NumPy, or a cached property?"""
    name = frame.f_globals.get("__name__") or ""
    return name.partition(".")[0] in ("minigrad", "numpy", "functools")


def users_depth() -> int:
    """How many frames above its caller's the user's own code is: for `warnings`."""
    frame: FrameType | None = sys._getframe(1)
    depth = 1
    while frame is not None and _is_between(frame):
        frame, depth = frame.f_back, depth + 1
    return depth


def storing() -> bool:
    """Is what called our caller a line `array[k] = value`?

    NumPy then asks the value for its number, as `float(value)` would: only the
    instruction that is running tells the two apart.
    """
    frame = sys._getframe(2)
    return frame.f_code.co_code[frame.f_lasti] == _STORE


def calling() -> Any:
    """The function that is being called in the line of our caller's caller, where that
    is a function of C that has no frame of its own; None if it cannot be told.

    math.exp(t) asks a tensor for its number as float(t) does. It is found by the names
    that the running instruction's expression begins with.
    """
    frame = sys._getframe(2)
    place = id(frame.f_code), frame.f_lasti
    if place not in _called:
        _called[place] = frame.f_code, _names(frame.f_code, frame.f_lasti)
    first, *rest = _called[place][1] or ("",)
    spaces = frame.f_locals, frame.f_globals, frame.f_builtins
    found = next((names[first] for names in spaces if first in names), None)
    for name in rest:
        found = getattr(found, name, None)
    return found


def _names(code: CodeType, offset: int) -> tuple[str, ...]:
    """The dotted name that is called by the instruction at an offset; () for none."""
    import dis

    _, *begin, _ = line((code, offset)) or ("", 0, 0, 0)
    found: list[str] = []
    for one in dis.get_instructions(code):
        at: Any = one.positions
        if one.offset < offset and [at.lineno, at.col_offset] == begin:
            if one.opname.startswith("LOAD_") and isinstance(one.argval, str):
                attribute = one.opname in ("LOAD_ATTR", "LOAD_METHOD")
                found = [*found, one.argval] if attribute else [one.argval]
    return tuple(found)


def _is_ours(frame: FrameType, package: str = "minigrad") -> bool:
    """Does the frame's module belong to the package, wherever its file lies?"""
    name = frame.f_globals.get("__name__") or ""
    return name == package or name.startswith(package + ".")


def line(where: tuple[CodeType | None, int] | None) -> tuple[str, int, int, int] | None:
    """Decode a node's `where`: (file name, line, first column, last column)."""
    code, offset = where or (None, 0)
    if code is None:
        return None
    positions: Any = next(
        itertools.islice(code.co_positions(), offset // 2, None), None
    )
    if positions is None or positions[0] is None:
        return code.co_filename, code.co_firstlineno, 0, 0
    first_line, _, first, last = positions
    return code.co_filename, first_line, first or 0, last or 0


def place(scope: tuple[Scope, ...], where: tuple[CodeType | None, int] | None) -> str:
    """Scope and line as an error message shows them."""
    spot = line(where)
    words = [path(scope), f"{spot[0].rpartition('/')[2]}:{spot[1]}" if spot else ""]
    return "      ".join(word for word in words if word)
