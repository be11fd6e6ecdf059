"""Did a cell return a state of the kind that it was given? If not, say what it did.

Read next: `word_models.py`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.engine.errors import DTypeError, ShapeError
from minigrad.engine.graph import ancestors
from minigrad.engine.primitives.messages import describe
from minigrad.engine.tensor import Tensor

SCALARS = (
    "a NumPy scalar such as np.sqrt(2.0) is a float64 too, and by NumPy's rules makes "
    "float32 wider: write float(...)"
)


def check_new_state(new: Any, now: tuple[Tensor, ...]) -> None:
    """Raise unless a cell returned a state like the one it was given."""
    if isinstance(new, tuple | list) and len(new) == len(now):
        for after, before in zip(new, now, strict=True):
            if not isinstance(after, Tensor):
                break
            a, b = after._edge.array, before._edge.array
            if a.shape != b.shape or a.dtype != b.dtype:
                break
        else:
            return
    parts = new if isinstance(new, tuple | list) else (new,)
    what = "unroll: the cell returned another kind of state than it was given"
    expect = ", ".join(f"{s.shape} {s.dtype}" for s in now)
    actual = ", ".join(
        f"{s.shape} {s.dtype}"
        if isinstance(s, Tensor)
        else ("ndarray" if isinstance(s, np.ndarray) else type(s).__name__)
        for s in parts
    )
    if [getattr(s, "shape", None) for s in parts] != [s.shape for s in now]:
        raise ShapeError(
            what,
            expect=expect,
            actual=actual,
            hint="give the initial state the full shape (B, H), and return tensors in "
            "the form they came in",
        )
    widest = widened(parts)
    raise DTypeError(
        what,
        expect=expect,
        actual=f"{actual}{f'     {widest}' if widest else ''}",
        hint=f"give x, weights and state one dtype; {SCALARS}",
    )


def widened(parts: Any) -> str | None:
    """The first operation that made a wider dtype of a narrow one, in words."""
    edges = [s._edge for s in parts if isinstance(s, Tensor)]
    for node in ancestors([edge.source for edge in edges]):
        floats = [edge for edge in node.edges if edge.array.dtype.kind == "f"]
        if len({edge.array.dtype for edge in floats}) > 1:
            wide = max(floats, key=lambda edge: edge.array.dtype.itemsize)
            by = describe(wide)
            if wide.source is None and wide.array.ndim == 0:
                by = f"np.{wide.array.dtype}({wide.array:.6g})"
            return f"widened in {node.primitive.name} by {by}"
    return None
