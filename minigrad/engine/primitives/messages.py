"""Why an operation failed, in words: made only after it has failed.

`explain` turns NumPy's exception into the error to raise. What is wrong is worked out
anew from the operands by one function per kind of primitive (`DIAGNOSES`); where there
is none, NumPy's own words are kept.

Read next: `operands.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import zip_longest
from typing import Any, NamedTuple

import numpy as np

from minigrad.engine.aliases import Attrs, Shape
from minigrad.engine.errors import DTypeError, IndexingError, MinigradError, ShapeError
from minigrad.engine.graph import AnyEdge, Leaf, Node, Operation


class Diagnosis(NamedTuple):
    """What is wrong: the rule broken, the two things that clash, and one fix."""

    what: str
    expect: str
    clash: str
    hint: str


def describe(edge: AnyEdge) -> str:
    """An operand as messages show it: 'W_h' (32, 16) float32."""
    label = name_of(edge)
    return f"{f'{label!r} ' if label else ''}{edge.array.shape} {edge.array.dtype}"


def name_of(edge: AnyEdge) -> str | None:
    """The name of a leaf, or of an output, or of the operation that made it."""
    source = edge.source
    if isinstance(source, Leaf):
        return source.name
    if isinstance(source, Node):
        named = (source.tags or {}).get("names", {}).get(edge.index)
        return named or source.primitive.name
    return None


def explain(
    primitive: Operation,
    edges: tuple[AnyEdge, ...],
    attrs: Attrs,
    error: Exception,
) -> Exception:
    """The error to raise where computing a value failed with `error`."""
    if isinstance(error, MinigradError):
        return error
    letters = _letters(primitive, len(edges))
    operands = "     ".join(
        f"{letter}: {describe(edge)}"
        for letter, edge in zip(letters[:4], edges, strict=False)
    )
    more = ", ..." if len(edges) > 4 else ""
    if more:
        operands += f"     and {len(edges) - 4} more"
    call = f"{primitive.name}({', '.join(letters[:4])}{more})"
    kind: type[MinigradError] = ShapeError
    if isinstance(error, TypeError):
        kind = DTypeError
    elif isinstance(error, IndexError):
        kind = IndexingError
    found = _diagnose(primitive, kind, edges, letters, attrs)
    if found is None:
        found = Diagnosis(str(error).split("\n")[0], primitive.expect, "", _GENERAL)
    return kind(
        f"{call}: {found.what}",
        expect=found.expect,
        actual=f"{found.clash}        {operands}" if found.clash else operands,
        hint=found.hint,
    )


_GENERAL = "print the operands' .shape and .dtype where you make them"


def _letters(primitive: Operation, count: int) -> list[str]:
    """The operands as the primitive's own text calls them; a, b, ... if *many."""
    import inspect

    names: list[str] = []
    for parameter in inspect.signature(primitive).parameters.values():
        if parameter.kind is parameter.POSITIONAL_OR_KEYWORD:
            names.append(parameter.name)
    extra = count - len(names)
    if primitive.name in ("getitem", "add_at"):
        return [*names, *(["index"] if extra == 1 else _numbered("index", extra))]
    letters = "abcdefgh"
    return [*names, *(letters[:extra] if extra <= 8 else _numbered("x", extra))]


def _numbered(word: str, count: int) -> list[str]:
    return [f"{word}{k}" for k in range(count)]


# ------------------------------------------------------------- what is wrong


def _diagnose(
    primitive: Operation,
    kind: type[MinigradError],
    edges: tuple[AnyEdge, ...],
    letters: list[str],
    attrs: Attrs,
) -> Diagnosis | None:
    if kind is DTypeError:
        return _dtypes(primitive, edges)
    if kind is IndexingError:
        return None  # NumPy names the index, the axis and its length
    function = DIAGNOSES.get(primitive.name)
    if function is None and hasattr(primitive, "scalar"):
        function = _elementwise
    return function(edges, letters, attrs) if function else None


def _dtypes(primitive: Operation, edges: tuple[AnyEdge, ...]) -> Diagnosis:
    found = ", ".join(str(edge.array.dtype) for edge in edges)
    boolean = any(edge.array.dtype == bool for edge in edges)
    fix = "give a mask a number dtype first: mask.astype('float64')"
    return Diagnosis(
        "not defined for these dtypes",
        f"dtypes that NumPy's {primitive.name} takes",
        found,
        fix if boolean else "use .astype(...) where you make them",
    )


def _elementwise(edges: Any, letters: list[str], attrs: Any) -> Diagnosis | None:
    """Two operands that do not broadcast, and the axis on which."""
    for j, b in enumerate(edges):
        for i, a in enumerate(edges[:j]):
            at = _unequal(a.array.shape, b.array.shape)
            if at is not None:
                return Diagnosis(
                    "shapes do not broadcast",
                    "on every axis, counted from the last: equal lengths, or a 1",
                    f"{a.array.shape[at]} != {b.array.shape[at]} on axis {at}",
                    _line_up(a, b, letters[i], letters[j]),
                )
    return None


def _unequal(a: Shape, b: Shape) -> int | None:
    """The last axis on which two shapes do not broadcast, counted from the end."""
    for k, (m, n) in enumerate(zip_longest(a[::-1], b[::-1], fillvalue=1), 1):
        if m != n and 1 not in (m, n):
            return -k
    return None


def _line_up(a: AnyEdge, b: AnyEdge, first: str, second: str) -> str:
    """How two operands could be made to broadcast."""
    if a.array.ndim > b.array.ndim:
        a, b, first, second = b, a, second, first
    small, big = a.array.shape, b.array.shape
    name, other = name_of(a) or first, name_of(b) or second
    if len(small) == 2 and _unequal(small[::-1], big) is None:
        return f"is {name} transposed? {name}.T would fit"
    if small and len(small) < len(big) and small == big[: len(small)]:
        return (
            f"{name}.expand_dims(-1) lines it up with the leading axes of {other}; "
            "trailing axes are matched first"
        )
    return "print both shapes where you make them; reshape or index one to match"


def _matmul(edges: Any, letters: Any, attrs: Any) -> Diagnosis | None:
    a, b = edges
    left, right = a.array.shape, b.array.shape
    if not left or not right:
        return Diagnosis(
            "an operand has no axes",
            "a.ndim >= 1 and b.ndim >= 1",
            f"{len(left)} and {len(right)} axes",
            "use * to multiply by a number",
        )
    rows = right[-2] if len(right) > 1 else right[0]
    if left[-1] != rows:
        hint = "print the two shapes where you make them; use reshape or .T to match"
        if len(right) == 2 and left[-1] == right[1]:
            word = "it" if b.source is None else name_of(b) or "b"
            hint = f"is {word} transposed? minigrad stores weights as (inputs, outputs)"
        return Diagnosis(
            "inner sizes differ",
            "a.shape[-1] == b.shape[-2]" if len(right) > 1 else "a.shape[-1] == len(b)",
            f"{left[-1]} != {rows}",
            hint,
        )
    return Diagnosis(
        "batch axes do not broadcast",
        "axes before the last two that are equal, or 1",
        f"{left[:-2]} against {right[:-2]}",
        "matmul multiplies the last two axes; those before them count batches",
    )


def _reshape(edges: Any, letters: Any, attrs: Any) -> Diagnosis:
    size, shape = edges[0].array.size, attrs["shape"]
    open_axes = sum(n < 0 for n in shape)
    count = int(np.prod([n for n in shape if n >= 0], dtype=object))
    if open_axes == 1:
        clash = f"{size} is no multiple of {count}"
    else:
        clash = (
            f"{size} != {count}" if not open_axes else f"{shape} leaves lengths open"
        )
    return Diagnosis(
        f"the entries do not fit the shape {shape}",
        "as many entries in the new shape as in the old",
        clash,
        "one length may be -1: it is worked out from the others",
    )


def _join(edges: Any, letters: list[str], attrs: Any) -> Diagnosis | None:
    """Concatenate: the first operand that does not go with the one before it."""
    axis, first = attrs["axis"], edges[0].array.shape
    for k, edge in enumerate(edges):
        shape = edge.array.shape
        if len(shape) != len(first):
            return Diagnosis(
                "numbers of axes differ",
                "as many axes in each",
                f"{letters[0]}: {len(first)} axes, {letters[k]}: {len(shape)}",
                "expand_dims gives a missing axis; stack joins along a new one",
            )
        for at, (m, n) in enumerate(zip(first, shape, strict=True)):
            if m != n and at != axis:
                return Diagnosis(
                    f"lengths differ on axis {at}",
                    f"equal lengths on every axis but {axis}, the one joined along",
                    f"{m} != {n}",
                    f"did you mean axis={at}?"
                    if first[:at] + first[at + 1 :] == shape[:at] + shape[at + 1 :]
                    else "print the shapes in the loop that collects them",
                )
    return None


def _stack(edges: Any, letters: list[str], attrs: Any) -> Diagnosis | None:
    first = edges[0].array.shape
    for k, edge in enumerate(edges):
        if edge.array.shape != first:
            return Diagnosis(
                "shapes differ",
                "one shape for all: they get a new axis",
                f"{first} != {edge.array.shape}, the shape of number {k}",
                "concatenate joins along an axis that they have",
            )
    return None


def _empty(edges: Any, letters: Any, attrs: Any) -> Diagnosis:
    axes = attrs["axes"]
    return Diagnosis(
        "no entry to choose from",
        "a length of at least 1 on the axes reduced",
        f"axes {axes} of shape {edges[0].array.shape}",
        "check the filter or slice that left nothing",
    )


def _broadcast_to(edges: Any, letters: Any, attrs: Any) -> Diagnosis:
    return Diagnosis(
        "x does not broadcast to the shape",
        f"an x that can be repeated to {attrs['shape']}",
        f"{edges[0].array.shape} against {attrs['shape']}",
        "only axes of length 1, and new leading axes, are repeated",
    )


DIAGNOSES: dict[str, Callable[[Any, list[str], Any], Diagnosis | None]] = {
    "matmul": _matmul,
    "reshape": _reshape,
    "concatenate": _join,
    "stack": _stack,
    "max": _empty,
    "min": _empty,
    "broadcast_to": _broadcast_to,
}
