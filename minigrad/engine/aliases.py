"""The types that signatures speak of, each said once.

Types of the graph (`AnyEdge`, `Source`, `Key`) are in `graph.py`.

Read next: `quiet.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.random import Generator

    Rng = int | Generator | None  # a seed, a generator, or the global one

Array = np.ndarray
Operand = Any  # a tensor, an array, a number, or nested lists of numbers
Value = Any  # an array; or a tensor, where what is computed is recorded
Attrs = dict[str, Any]  # the arguments of an operation that are no operands
Needs = tuple[bool, ...]  # for each input of a node: is its gradient wanted?
Shape = tuple[int, ...]
Lengths = int | Sequence[int]  # a shape as a user may write it
Axes = int | Sequence[int]  # one axis, or several
Axis = Axes | None  # or all of them
