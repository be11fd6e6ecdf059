"""The parameters of an exploration: their values, labels and where sliders start.

Read next: `result_kinds.py`.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterable, Mapping
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from minigrad.engine.errors import ArgumentError
from minigrad.reading.text import clean, nearest

MOST_SETTINGS = 20_000  # more would take longer than anyone waits
HINT = "mg.explore(fn, forget_bias=[0, 1, 2], scale=np.linspace(0.5, 1.5, 11))"


class Parameter(NamedTuple):
    """One slider.

    name    of the function's argument
    values  what the function is called with
    labels  the values as text: what the page shows
    start   the index of the value with which the page opens
    """

    name: str
    values: tuple[Any, ...]
    labels: tuple[str, ...]
    start: int


def parameters_of(
    fn: Callable[..., Any], ranges: Mapping[str, Any]
) -> tuple[Parameter, ...]:
    """The parameters, in the order of the ranges. ArgumentError if they do not fit."""
    if not ranges:
        raise ArgumentError(
            "explore: there is nothing to explore",
            expect="a range of values for one parameter of the function, or several",
            actual="no range",
            hint=HINT,
        )
    defaults = _defaults(fn, ranges)
    parameters = tuple(
        _parameter(name, given, defaults.get(name)) for name, given in ranges.items()
    )
    settings = math.prod(len(p.values) for p in parameters)
    if settings > MOST_SETTINGS:
        raise too_large(parameters, f"{settings} settings", MOST_SETTINGS / settings,
                        f"at most {MOST_SETTINGS} settings")  # fmt: skip
    return parameters


def combinations(parameters: tuple[Parameter, ...]) -> Iterable[tuple[Any, ...]]:
    """The values of every setting; the last parameter changes fastest."""
    return product(*(p.values for p in parameters))


def setting(parameters: tuple[Parameter, ...], values: Mapping[str, Any]) -> int:
    """The number of a setting, in the order of `combinations`.

    Raises ArgumentError for a parameter or a value that was not explored.
    """
    known = [p.name for p in parameters]
    for name in values:
        if name not in known:
            raise ArgumentError(
                f"at: there is no parameter {clean(name)!r}",
                expect=f"some of {', '.join(known)}",
                actual=clean(name),
                hint="each parameter has the name that mg.explore was given",
            )
    number = 0
    for p in parameters:
        index = _index(p, values[p.name]) if p.name in values else p.start
        number = number * len(p.values) + index
    return number


def too_large(
    parameters: tuple[Parameter, ...],
    actual: str,
    share: float,
    expect: str,
    blamed: Parameter | None = None,
    value: str = "",
) -> ArgumentError:
    """The error for a page that would be too large; it names the parameter to blame.

    share   of the settings, how many would fit
    blamed  the parameter; the one with the most values, if it is left out
    value   the value of it that gives the largest results, if it is one value's fault
    """
    worst = blamed or max(parameters, key=lambda p: len(p.values))
    counts = ", ".join(f"{p.name} {len(p.values)}" for p in parameters)
    fit = int(share * len(worst.values))
    hint = f"give {worst.name} fewer values: {fit} would fit"
    if value:
        hint = f"leave out {worst.name}={value}, or return less for it"
    elif fit < 1:
        hint = f"give {worst.name} and the others fewer values, or return less"
    return ArgumentError(
        f"explore: {worst.name} makes the page too large",
        expect=expect,
        actual=f"{actual} (values: {counts})",
        hint=hint,
    )


def _defaults(fn: Callable[..., Any], ranges: Mapping[str, Any]) -> dict[str, Any]:
    """The defaults of fn's arguments. ArgumentError if the ranges do not fit fn."""
    try:
        signature = inspect.signature(fn)
    except (TypeError, ValueError):  # a function written in C
        return {}
    taken = signature.parameters
    kinds = inspect.Parameter
    free = any(p.kind is kinds.VAR_KEYWORD for p in taken.values())
    named = (kinds.POSITIONAL_OR_KEYWORD, kinds.KEYWORD_ONLY)
    names = [p.name for p in taken.values() if p.kind in named]
    for name in ranges:
        if name not in names and not free:
            near = nearest(name, names)
            raise ArgumentError(
                f"explore: the function has no parameter {clean(name)!r}",
                expect=f"ranges for {', '.join(names) or 'no parameter at all'}",
                actual=clean(name),
                hint=f"did you mean {near}?" if near else HINT,
            )
    for p in taken.values():
        variable = p.kind in (kinds.VAR_POSITIONAL, kinds.VAR_KEYWORD)
        if p.name not in ranges and p.default is p.empty and not variable:
            raise ArgumentError(
                f"explore: the parameter {p.name!r} has no range",
                expect="a range for each parameter that has no default",
                actual=f"ranges for {', '.join(ranges)}",
                hint=f"{p.name}=[...] gives its values; one value makes no slider",
            )
    return {n: p.default for n, p in taken.items() if p.default is not p.empty}


def _parameter(name: str, given: Any, default: Any) -> Parameter:
    """One range, checked."""
    if isinstance(given, Mapping):
        values, labels = list(given.values()), [clean(key, 24) for key in given]
    else:
        values = _listed(name, given)
        labels = _labels(values)
    if not values:
        raise _bad(name, given, "at least one value")
    if len(set(labels)) < len(labels):
        raise _bad(name, given, "values that differ")
    p = Parameter(name, tuple(values), tuple(labels), (len(values) - 1) // 2)
    try:
        return p._replace(start=_index(p, default))
    except ArgumentError:
        return p


def _listed(name: str, given: Any) -> list[Any]:
    """The values of a sequence, NumPy's as Python's own."""
    if isinstance(given, np.ndarray) and given.ndim == 1:
        return given.tolist()
    text = isinstance(given, str | bytes)
    if text or isinstance(given, np.ndarray) or not isinstance(given, Iterable):
        raise _bad(name, given, "a sequence of values, or a dict {label: value}")
    values = [v.item() if isinstance(v, np.generic) else v for v in given]
    for value in values:
        if value is not None and not isinstance(value, bool | int | float | str):
            raise _bad(name, value, "numbers or words; other values as {label: value}")
    return values


def _labels(values: list[Any]) -> list[str]:
    """Numbers in six digits, or in full where six do not tell them apart."""
    words = {True: "yes", False: "no", None: "none"}
    short = [
        f"{v:g}" if isinstance(v, float)
        else words[v] if v is None or isinstance(v, bool)
        else clean(v, 24)
        for v in values
    ]  # fmt: skip
    if len(set(short)) < len(short):
        return [clean(repr(v), 24) for v in values]
    return short


def _index(p: Parameter, value: Any) -> int:
    """The index of a value, or of its label. ArgumentError if there is none."""
    for k, known in enumerate(p.values):
        if known is value or (type(known) is type(value) and _same(known, value)):
            return k
    for k, known in enumerate(p.values):
        if isinstance(known, int | float) and isinstance(value, int | float):
            if math.isclose(known, value, rel_tol=1e-12):
                return k
    if isinstance(value, str) and value in p.labels:
        return p.labels.index(value)
    raise ArgumentError(
        f"at: {p.name} was not explored at this value",
        expect=f"{p.name} among {clean(', '.join(p.labels), 120)}",
        actual=clean(repr(value), 60),
        hint="only values that were computed can be shown",
    )


def _same(a: Any, b: Any) -> bool:
    try:
        return bool(a == b)
    except ValueError:  # arrays have no truth of their own
        return False


def _bad(name: str, given: Any, expect: str) -> ArgumentError:
    return ArgumentError(
        f"explore: the range of {name!r} makes no sense",
        expect=expect,
        actual=clean(f"{type(given).__name__} {given!r}", 80),
        hint=HINT,
    )
