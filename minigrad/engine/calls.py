"""Calls whose arguments do not fit a function of ours: an error in the usual form.

    mg.nn.Linear(3)      # CallError: ... expect  Linear(in_features, out_features, ...)

Read next: `gradient_arguments.py`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from minigrad.engine.errors import CallError, meant
from minigrad.engine.foreign_arguments import ARGUMENTS

P = ParamSpec("P")
R = TypeVar("R")


def checked_call(function: Callable[P, R]) -> Callable[P, R]:
    """The same function, or `__init__`, which raises CallError for missing, unknown and
    too many arguments, where Python raises a TypeError of its own."""

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        try:  # not by `called`: a method of a tensor should not cost one call more
            return function(*args, **kwargs)
        except TypeError as error:
            if not of_the_call(error):
                raise
            raise wrong_call(function, args, kwargs, error) from None

    return call


def called(function: Callable[..., R], args: Any, kwargs: dict[str, Any]) -> R:
    """What a function known only now returns, called as by `checked_call`."""
    try:
        return function(*args, **kwargs)
    except TypeError as error:
        if not of_the_call(error):
            raise
        raise wrong_call(function, args, kwargs, error) from None


C = TypeVar("C", bound=type)


def checked_methods(kind: C) -> C:
    """The class, of which each public method is a `checked_call`; as a decorator."""
    for name, method in list(vars(kind).items()):
        public = name[:1] != "_" and name != "forward"  # which Module.__call__ checks
        function = method.__func__ if isinstance(method, classmethod) else method
        if public and inspect.isfunction(function):
            checked: Any = checked_call(function)
            # The parts of a class that users know as one: Tensor.sum.
            checked.__qualname__ = f"{SHOWN.get(kind.__name__, kind.__name__)}.{name}"
            setattr(kind, name, checked if method is function else classmethod(checked))
    return kind


SHOWN = {"ArrayMethods": "Tensor", "NumpyProtocol": "Tensor"}


def of_the_call(error: TypeError) -> bool:
    """Was it raised by the call itself, in the frame that caught it, not deeper?"""
    return error.__traceback__ is not None and error.__traceback__.tb_next is None


def wrong_call(
    function: Callable[..., Any], args: Any, kwargs: dict[str, Any], error: TypeError
) -> CallError:
    """The error for a call whose arguments do not fit."""
    name = getattr(function, "__qualname__", type(function).__name__)
    name = name.removesuffix(".__init__").removesuffix(".__call__")
    name = name.replace("<locals>.", "").lstrip("_")
    known = list(inspect.signature(function).parameters.values())
    if known and known[0].name in ("self", "cls"):
        known, args = known[1:], args if inspect.ismethod(function) else args[1:]
    given = [_short(value) for value in args]
    given += [f"{key}={_short(value)}" for key, value in kwargs.items()]
    names = tuple(one.name for one in known)
    unknown = [key for key in kwargs if key not in names]
    hint = None
    if unknown:
        hint = ARGUMENTS.get(unknown[0]) or meant(unknown[0], names)
    said = str(error).partition("() ")
    complaint = said[2] or said[0]
    if "positional argument" in complaint and "given" in complaint:
        # Python counts self, which nobody wrote.
        plain = (
            inspect.Parameter.POSITIONAL_ONLY,
            inspect.Parameter.POSITIONAL_OR_KEYWORD,
        )
        most = sum(one.kind in plain for one in known)
        complaint = f"at most {most} arguments without a name, not {len(args)}"
    return CallError(
        f"{name}: {complaint}",
        expect=f"{name}({', '.join(map(_written, known))})",
        actual=f"{name}({', '.join(given)})",
        hint=hint or f"help({name}) says what each argument is",
    )


def _written(parameter: inspect.Parameter) -> str:
    """As in a definition, without its type."""
    return str(parameter.replace(annotation=inspect.Parameter.empty))


def _short(value: object) -> str:
    return f"{value!r:.40}".split("\n")[0]
