"""What a function may return to `mg.explore`, and which of its kinds each result is.

Read next: `grid_evaluation.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from minigrad.engine.errors import ArgumentError, DTypeError
from minigrad.engine.graph import Variable
from minigrad.pages.plots import svg
from minigrad.reading.text import clean

MOST_CURVES = 40  # in one plot


class Lines:
    """Curves that share one plot, with names for its axes.

    series   {name: y (n,)} or {name: (x (n,), y (n,))}
    x        (n,) for the series that have none of their own; the index, if left out.
             A list of words names the places 0 to n - 1
    xlabel, ylabel  what the axes show
    xlim     (low, high) of the horizontal axis; points outside are drawn at its ends
    log      a logarithmic vertical axis, or not; None: if the numbers span a lot
    """

    def __init__(
        self,
        series: Mapping[str, Any],
        x: Any = None,
        *,
        xlabel: str = "",
        ylabel: str = "",
        xlim: tuple[float, float] | None = None,
        log: bool | None = None,
    ) -> None:
        self.labels: tuple[str, ...] | None = None
        if x is not None and len(x) and isinstance(x[0], str):
            self.labels, x = tuple(clean(word, 24) for word in x), None
        self.series = {
            clean(name, 40): _curve(name, given, x) for name, given in series.items()
        }
        if not 1 <= len(self.series) <= MOST_CURVES:
            raise ArgumentError(
                "explore: a plot of too many curves, or of none",
                expect=f"1 to {MOST_CURVES} curves",
                actual=f"{len(self.series)} curves",
                hint="an array of two axes is shown as a heat map",
            )
        self.xlabel, self.ylabel = clean(xlabel, 60), clean(ylabel, 60)
        self.log = log
        self.xlim = None if xlim is None else (float(xlim[0]), float(xlim[1]))
        self.shape: tuple[int, ...] | None = None  # of the array that it stands for

    def __repr__(self) -> str:
        return f"<Lines {', '.join(self.series)}>"


class Grid:
    """A heat map with names for its rows and columns.

    values   (n, m)
    rows, columns  the names of the n rows and the m columns; their index, if left out
    """

    def __init__(self, values: Any, rows: Any = None, columns: Any = None) -> None:
        self.values = numbers(values, "a Grid's values")
        if self.values.ndim != 2:
            raise ArgumentError(
                "explore: a Grid needs an array of two axes",
                expect="shape (rows, columns)",
                actual=f"shape {self.values.shape}",
                hint="values[None] makes one row of an array of one axis",
            )
        self.shape: tuple[int, ...] | None = None  # of the array that it stands for
        n, m = self.values.shape
        self.rows, self.columns = _names(rows, n, "rows"), _names(columns, m, "columns")

    def __repr__(self) -> str:
        return f"<Grid {self.values.shape}>"


class Text(NamedTuple):
    """Words, shown as they are."""

    words: str


class Picture(NamedTuple):
    """A drawing of a graph: its SVG, light and dark."""

    light: str
    dark: str


class Figure(NamedTuple):
    """A figure of matplotlib as SVG."""

    svg: str


Result = float | bool | Text | Lines | Grid | Picture | Figure


def results(returned: Any) -> dict[str, Result]:
    """What the function returned, by name. DTypeError for what cannot be shown."""
    named = returned if isinstance(returned, Mapping) else {"result": returned}
    if not named:
        raise DTypeError(
            "explore: the function returned an empty dict",
            expect="at least one result",
            actual="{}",
            hint="return {'loss': loss}",
        )
    return {clean(name, 60): result(name, value) for name, value in named.items()}


def result(name: object, value: Any) -> Result:
    """One result as one of the kinds. DTypeError if it is none of them."""
    if isinstance(value, Lines | Grid):
        return value
    if isinstance(value, str):
        return Text("\n".join(clean(line, 2000) for line in value.split("\n")))
    if isinstance(value, Mapping):
        return Lines(value)
    if hasattr(value, "in_theme") and hasattr(value, "svg"):  # what mg.draw returns
        return Picture(value.svg(), value.in_theme("dark").svg())
    if hasattr(value, "savefig"):
        return Figure(svg(value).decode())
    if isinstance(value, bool | np.bool_):
        return bool(value)
    array = numbers(value, f"the result {clean(name)!r}")
    if array.ndim == 0:
        return float(array)
    return _of_array(str(name), array)


def _of_array(name: str, array: np.ndarray) -> Lines | Grid:
    """A curve or a heat map: the last axis goes across, all before it down."""
    shown: Lines | Grid
    if array.ndim == 1:
        shown = Lines({name: array})
    else:
        *down, across = array.shape
        rows = [", ".join(map(str, place)) for place in np.ndindex(*down)]
        flat = array.reshape(len(rows), across)
        shown = Grid(flat, None if array.ndim == 2 else rows)
    shown.shape = array.shape
    return shown


def numbers(value: Any, what: str) -> np.ndarray:
    """An array of float64 that has exactly the numbers of `value`. DTypeError."""
    if isinstance(value, Variable):
        value = value._edge.array
    try:
        array = np.asarray(value)
        wide = array.astype(np.float64) if array.dtype.kind in "fiub" else None
    except (TypeError, ValueError):
        array, wide = None, None
    if array is None or wide is None:
        raise DTypeError(
            f"explore: {what} cannot be shown",
            expect="a number, text, an array, a dict of curves, a drawing or a figure",
            actual=clean(f"{type(value).__name__} {value!r}", 80),
            hint="return named results: {'loss': 0.5, 'gates': {'f': f, 'i': i}}",
        )
    return wide


def _curve(name: object, given: Any, x: Any) -> tuple[np.ndarray | None, np.ndarray]:
    """The x (or None: the index) and y of one curve; two arrays of one length."""
    if isinstance(given, tuple) and len(given) == 2 and np.ndim(given[1]) == 1:
        x, given = given
    y = numbers(given, f"the curve {clean(name)!r}")
    across = None if x is None else numbers(x, f"x of the curve {clean(name)!r}")
    if y.ndim != 1 or (across is not None and across.shape != y.shape):
        shapes = f"y {y.shape}" + ("" if across is None else f", x {across.shape}")
        raise ArgumentError(
            f"explore: the curve {clean(name)!r} cannot be drawn",
            expect="y of one axis, and x of the same length if it is given",
            actual=shapes,
            hint="Lines({'f': trace['f'][:, 0, 0]}) takes one unit of one sample",
        )
    return across, y


def _names(given: Any, count: int, what: str) -> tuple[str, ...] | None:
    """Names of rows or columns; None for their index."""
    if given is None:
        return None
    names = tuple(clean(name, 40) for name in given)
    if len(names) != count:
        raise ArgumentError(
            f"explore: a Grid's {what} do not fit its values",
            expect=f"{count} names",
            actual=f"{len(names)} names",
            hint=f"leave {what} out to see their index",
        )
    return names
