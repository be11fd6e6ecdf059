"""Numbers on the picture: values in the boxes, sizes of gradients on the lines.

Gradients come from a backward pass of the drawing's own: a watcher sees what flows back
along each edge; no `.grad` is touched. A line's gradient is the L2 norm of dL/d(value)
as it comes back along that line alone, L being the drawn tensor (its sum, if it is not
a scalar). It changes how a line looks, never where it is.

Read next: `style.py`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from minigrad.drawing.read.operation_symbols import short, text_width
from minigrad.drawing.read.picture import Box, Picture
from minigrad.engine.autodiff import backpropagate
from minigrad.engine.errors import DrawingError
from minigrad.engine.quiet import quietly
from minigrad.engine.watching import Watcher
from minigrad.reading.norms import euclidean

CELLS = 24  # the longest row that gets a heat map
POSITIVE = ("i", "f", "o", "r", "z")  # gates: sigmoids, between 0 and 1
ROWS = 4  # of a heat map; more are not shown


def show_values(picture: Picture, mean: bool = False) -> None:
    """Write each box's value: the number, or minimum, mean and maximum.

    mean  gates, cells and groups of a step show their mean alone (of what may be
          negative the mean absolute value), and gates are the darker the larger it is

    Trained arrays are the same at every step: their values stand in the legend. Boxes
    that are alike (the same gate in another step) are made as wide as the widest.
    """
    alike: dict[tuple[Any, ...], list[Box]] = {}
    for box in picture.boxes.values():
        array = box.array
        if array is None or box.kind in ("elision", "bar", "constant"):
            continue
        if box.kind in ("weight", "input") and box.leaf is not None:
            if array.size != 1 and box.kind == "weight":
                continue
            if array.size == 1 and not box.leaf.name:
                continue  # the number is in the box already
        if mean and box.kind in ("gate", "cell", "group"):
            _show_mean(box)
        else:
            box.values = summary(np.asarray(array))
            box.heat = heat(box)
        tile = picture.tiles[box.tile]
        place = tile.id if tile.column is None else tile.row
        key = (
            place,
            box.kind,
            box.lines[1:] if box.kind == "cell" else box.lines,
            box.clusters,
            len(box.values),
            bool(box.heat),
        )
        alike.setdefault(key, []).append(box)
    for boxes in alike.values():
        texts = [v for box in boxes for v in (*box.values, box.widest)]
        widest = max(texts, key=value_width)
        for box in boxes:
            box.widest = widest
    arrays = {box.leaf: box.array for box in picture.boxes.values() if box.leaf}
    for use in picture.legend:
        use.values = summary(np.asarray(arrays[use.leaf])) if use.leaf in arrays else ()


def _show_mean(box: Box) -> None:
    """One number in place of the shape, and the strength of a gate's colour."""
    size = np.abs(np.asarray(box.array))
    with quietly():
        value = float(size.mean()) if size.size else 0.0
    positive = box.letter in POSITIVE
    box.lines = box.lines[:-1] if len(box.lines) > 1 else box.lines
    box.values = (f"{'mean' if positive else 'size'} {short(value)}",)
    box.shade = min(1.0, value) if math.isfinite(value) else 0.0


def value_width(text: str) -> float:
    """How wide a value is written, in parts of the font's size."""
    return text_width(text, 1.0)


def summary(array: np.ndarray) -> tuple[str, ...]:
    """A scalar as itself, an array as minimum, maximum and mean; NaN is counted.

    Arrays always give two lines, so that boxes of one kind have one size.
    """
    number = short
    if array.size == 0:
        return ("empty", "")
    if array.size == 1:
        return (number(array.reshape(-1)[0]),)
    if array.dtype.kind == "b":
        return (f"{int(array.sum())} of {array.size} true", "")
    real = array.real if array.dtype.kind == "c" else array
    finite = real[np.isfinite(real)]
    bad = array.size - finite.size
    marks = []
    if bad:
        nans = int(np.isnan(real).sum())
        marks += [f"⚠ {nans} NaN"] if nans else []
        marks += [f"⚠ {bad - nans} ∞"] if bad > nans else []
    if finite.size == 0:
        return (" ".join(marks), "")
    if not finite.any() and not bad:
        return ("all 0", "")
    with quietly():
        mean = float(finite.mean())
    low, high = number(finite.min()), number(finite.max())
    return (f"{low} … {high}", " ".join(marks) or f"mean {number(mean)}")


def heat(box: Box) -> tuple[tuple[float, ...], ...]:
    """The first rows of a small array, each entry as a part (-1..1) of the largest."""
    array = box.array
    if box.kind not in ("op", "gate", "cell", "group") or array.ndim == 0:
        return ()
    if not 2 <= array.shape[-1] <= CELLS or array.size == 0:
        return ()
    if array.dtype.kind != "f":
        return ()
    rows = array.reshape(-1, array.shape[-1])[:ROWS]
    finite = np.abs(rows[np.isfinite(rows)])
    top = float(finite.max()) if finite.size else 0.0
    with quietly():
        parts = rows / top if top else np.where(np.isfinite(rows), 0.0, rows)
    return tuple(tuple(float(part) for part in row) for row in parts)


@dataclass
class Scale:
    """From a gradient's size to a number between 0 and 1, by its logarithm."""

    low: int  # powers of ten
    high: int
    what: str  # of what the gradients are

    def part(self, size: float) -> float:
        """0 for the smallest, 1 for the largest."""
        span = self.high - self.low
        return min(1.0, max(0.0, (math.log10(size) - self.low) / span))


class _Flow(Watcher):
    """Adds up what flows back along each line."""

    def __init__(self, picture: Picture) -> None:
        self.numbers = {node: k for k, node in enumerate(picture.nodes)}
        self.line_of: dict[tuple[int, int], list[str]] = {}
        self.mixed: dict[str, bool] = {}
        for line in picture.lines:
            first = None
            for n, k in line.uses:
                self.line_of.setdefault((n, k), []).append(line.id)
                edge = picture.nodes[n].edges[k]
                value = (edge.source, edge.index)
                first = first or value
                self.mixed[line.id] = self.mixed.get(line.id, False) or value != first
        self.sums: dict[str, Any] = {}
        self.squares: dict[str, float] = {}

    def contribution(self, node: Any, k: int, value: Any) -> None:
        """`value` flows back along input `k` of the node."""
        for line in self.line_of.get((self.numbers.get(node, -1), k), ()):
            if self.mixed[line]:
                size = euclidean(value)
                self.squares[line] = math.hypot(self.squares.get(line, 0.0), size)
            else:
                before = self.sums.get(line)
                self.sums[line] = value if before is None else before + value


def show_gradients(picture: Picture, outputs: list[Any]) -> None:
    """Give every line the size of the gradient that flows back along it.

    outputs  the edges of the drawn tensors. DrawingError if one needs no gradient.
    """
    for output in outputs:
        if output.requires_grad:
            continue
        raise DrawingError(
            "draw(gradients=True): the tensor needs no gradient",
            expect="a tensor computed from one with requires_grad=True",
            actual=f"shape {output.array.shape}, requires_grad=False",
            hint="set requires_grad=True on an input, or leave out gradients=True",
        )
    watcher = _Flow(picture)
    with quietly():
        for output in outputs:
            seed = np.ones(output.array.shape, output.array.dtype)
            backpropagate(output, seed, stack=False, watcher=watcher)
        for line in picture.lines:
            if line.id in watcher.sums:
                line.gradient = euclidean(watcher.sums[line.id])
            elif line.id in watcher.squares:
                line.gradient = watcher.squares[line.id]
    sizes = [
        line.gradient
        for line in picture.lines
        if line.gradient and math.isfinite(line.gradient)
    ]
    low = math.floor(math.log10(min(sizes))) if sizes else -1
    high = math.ceil(math.log10(max(sizes))) if sizes else 0
    sizes_out = [output.array.size for output in outputs]
    what = "the output" if sizes_out == [1] else "the sum of the output"
    picture.scale = Scale(low, max(high, low + 2), what)
