"""The two biases of other libraries, and the one that a cell has here.

PyTorch, ONNX and Keras with CuDNN add two biases to each gate, b_ih and b_hh: one is
enough, and a cell here has their sum. So that weights go out as they came in, a cell
remembers the two that its sum was made of.

Read next: `gate_blocks.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass
class BiasSource:
    """What a cell's biases were made of: `cell.bias_source`, where there is one.

    first, second  as long as all gates of the cell; None both: it had no bias at all
    """

    first: np.ndarray | None
    second: np.ndarray | None


def set_biases(cell: Any, first: Any, second: Any = None) -> None:
    """Set b (and b_h of a GRU that resets after the product) from one bias or two.

    first, second  (G*H,) in the order of `cell.gates`; None and None: no bias, so b is
                   zero and frozen (requires_grad=False)
    """
    size = cell.b.shape[0]
    dtype = cell.b.dtype
    cell.bias_source = BiasSource(first, second)
    zeros = np.zeros(size, dtype)
    one = zeros if first is None else first
    two = zeros if second is None else second
    total = one + two
    if hasattr(cell, "b_h"):
        inner = cell.columns("n")  # this part stays apart: it is within r * (...)
        total[inner] = one[inner]
        cell.b_h.data = two[inner].copy()
    cell.b.data = total
    if first is None:
        for bias in _biases(cell):
            bias.requires_grad = False


def get_biases(cell: Any) -> tuple[np.ndarray, np.ndarray] | None:
    """The two biases (G*H,) whose sum a cell has; None if it has none.

    Where the sum is still what it was when it came in, they are the two that it was
    made of, to the bit. Elsewhere the first is the whole sum and the second is zero.
    """
    source = getattr(cell, "bias_source", None)
    b = cell.b.data
    first, second = b.copy(), np.zeros_like(b)
    if source is not None and source.first is None:
        if not any(np.any(bias.data) for bias in _biases(cell)):
            return None
    elif source is not None and source.second is not None:
        same = source.first + source.second == b
        first = np.where(same, source.first, first)
        second = np.where(same, source.second, second)
    if hasattr(cell, "b_h"):
        inner = cell.columns("n")
        first[inner], second[inner] = b[inner], cell.b_h.data
    return first, second


def _biases(cell: Any) -> list[Any]:
    return [cell.b, *([cell.b_h] if hasattr(cell, "b_h") else [])]
