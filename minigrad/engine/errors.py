"""The errors a user of minigrad can meet, and the one form their messages take.

Every error is a `MinigradError` and also the builtin exception that fits, so that
`except ValueError` keeps working. A message names the operation, what it expects, what
it got, where in the user's program and in which scope, and one concrete fix:

    ShapeError: matmul(a, b): inner sizes differ
      expect  a.shape[-1] == b.shape[-2]
      actual  64 != 32        a: 'h' (8, 64) float32     b: 'W_h' (32, 16) float32
      in      step 3 / lstm / forget gate      train.py:41
      hint    is W_h transposed? minigrad stores weights as (inputs, outputs)

The row "in" fills itself: what raises an error need not say where.

Read next: `user_code.py` (where the row "in" comes from).
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from minigrad.engine.user_code import here, users_depth


class MinigradError(Exception):
    """What every error of minigrad is. Fields: what, expect, actual, where, hint.

    where  scope and line; the user's line that is running now, if it is left out
    """

    def __init__(
        self,
        what: str,
        *,
        expect: str | None = None,
        actual: str | None = None,
        where: str | None = None,
        hint: str | None = None,
    ) -> None:
        self.what, self.expect, self.actual = what, expect, actual
        self.where, self.hint = where or here(), hint
        rows = {"expect": expect, "actual": actual, "in": self.where, "hint": hint}
        super().__init__(_form(what, rows))


def _form(what: str, rows: dict[str, str | None]) -> str:
    lines = [what, *(f"  {key:<6}  {text}" for key, text in rows.items() if text)]
    return "\n".join(lines)


class ShapeError(MinigradError, ValueError):
    """Shapes or axes that an operation cannot combine."""


class DTypeError(MinigradError, TypeError):
    """A dtype or Python type that an operation cannot take."""


class IndexingError(MinigradError, IndexError):
    """An index out of range or of a kind that cannot index."""


class ArgumentError(MinigradError, ValueError):
    """A word, number or combination of arguments that is not offered."""


class CallError(ArgumentError, TypeError):
    """Arguments that are missing, too many or unknown."""


class UnknownNameError(MinigradError, AttributeError):
    """A name that there is not; the hint says what has that meaning here."""


class GraphError(MinigradError, RuntimeError):
    """A derivative that the recorded graph cannot give."""


class CompileError(GraphError):
    """A function that `mg.compile` cannot trace, or that changed between two calls."""


class GradientError(MinigradError, AssertionError):
    """A gradient that differs from its reference (raised by gradient checks)."""


class NonFiniteError(MinigradError, FloatingPointError):
    """A NaN or infinity where none may be."""


class DataError(MinigradError, ValueError):
    """Data that cannot be read or used as it is."""


class CheckpointError(MinigradError, ValueError):
    """A saved file that cannot be loaded into what it is for."""


class DrawingError(MinigradError, RuntimeError):
    """A picture that cannot be made."""


class SetupError(MinigradError, ImportError):
    """An installation in which minigrad cannot work as intended."""


class MinigradWarning(UserWarning):
    """What runs, and is most likely not what was meant."""


def warn(what: str, *, expect: str, actual: str, hint: str) -> None:
    """Warn at the user's line, in the form of the errors. Python shows it once there.

    (Filters of `warnings` decide: "error" makes it an exception, "ignore" hides it.)
    """
    text = _form(what, {"expect": expect, "actual": actual, "hint": hint})
    warnings.warn(text, MinigradWarning, stacklevel=users_depth())


def __getattr__(name: str) -> Any:
    """A name that this module does not have."""
    if name[:1] == "_":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    known = [one for one in globals() if one.endswith(("Error", "Warning"))]
    raise UnknownNameError(
        f"minigrad.errors has no {name!r}",
        expect="one of its classes: help(mg.errors)",
        actual=f"mg.errors.{name}",
        hint=meant(name, known) or "MinigradError is what all of them are",
    )


def meant(value: object, choices: Iterable[object]) -> str | None:
    """A question after the word that was most likely meant; None if none is near."""
    import difflib

    words = {str(one).casefold(): one for one in choices if isinstance(one, str)}
    typed = value.casefold() if isinstance(value, str) else ""
    near = difflib.get_close_matches(typed, words, 1)
    return f"did you mean {words[near[0]]!r}?" if near else None


def one_of(name: str, value: object, choices: tuple[object, ...]) -> None:
    """Raise ArgumentError unless `value` is one of the `choices` for `name`."""
    try:
        known = value in choices
    except ValueError:  # an array has no truth of its own
        known = False
    if not known:
        raise ArgumentError(
            f"{name}={value!r:.60} is not offered",
            expect=f"{name} in {', '.join(map(repr, choices))}",
            actual=f"{value!r:.60}",
            hint=meant(value, choices)
            or f"choose one of the {len(choices)} values above",
        )


def flag(name: str, value: object) -> bool:
    """The value as True or False. ArgumentError for what is neither, such as "no"."""
    if value is True or value is False:
        return value
    try:
        if value in (0, 1):
            return bool(value)
    except (TypeError, ValueError):  # an array has no truth of its own
        pass
    raise ArgumentError(
        f"{name}={value!r:.60} is neither True nor False",
        expect=f"{name}=True or {name}=False",
        actual=f"{value!r:.60} ({type(value).__name__})",
        hint="a word counts as true in Python, whatever it says",
    )


def checked_path(call: str, path: object) -> Path:
    """A name of a file or folder as a Path. DTypeError for what is none."""
    if not isinstance(path, str | bytes | os.PathLike):
        raise DTypeError(
            f"{call}: {path!r:.60} is not a path",
            expect="the name of a file or folder",
            actual=type(path).__name__,
            hint="a word or a pathlib.Path",
        )
    return Path(os.fsdecode(path))
