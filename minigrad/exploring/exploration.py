"""`mg.explore` and the `Exploration` that it returns.

    check the ranges -> call the function for every setting -> pack -> one page

Read next: `parameter_ranges.py`.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from minigrad.engine.calls import checked_call
from minigrad.engine.errors import ArgumentError
from minigrad.exploring.explore_page import page
from minigrad.exploring.grid_evaluation import evaluate
from minigrad.exploring.packed_results import Packed
from minigrad.exploring.parameter_ranges import Parameter, parameters_of, setting
from minigrad.exploring.static_picture import picture
from minigrad.pages.notebook_view import View, Viewed, with_picture
from minigrad.pages.output_files import output_path
from minigrad.pages.page import framed
from minigrad.reading.text import clean
from minigrad.training.checkpoint import write_whole

LARGEST = 20.0  # megabytes of a page, unless the caller allows more


class Exploration(Viewed):
    """Every result of a function on a grid of settings, made by `mg.explore`.

    In a notebook it shows its page by itself.

    parameters  each with its name, its values and their labels
    results     the names of what the function returned
    settings    how many there are: the product of the numbers of values
    size        of the page, in bytes
    at(**values)  what was computed for one setting
    svg(**values)  a picture of it
    html()      the page: one file, which loads nothing
    save(path)  the page, written to an .html file
    """

    def __init__(
        self, title: str, parameters: tuple[Parameter, ...], packed: Packed
    ) -> None:
        self.title, self.parameters, self._packed = title, parameters, packed

    @property
    def results(self) -> tuple[str, ...]:
        """The names of the results, in the order of the page."""
        return tuple(self._packed.results)

    @property
    def settings(self) -> int:
        """How many settings were computed."""
        return self._packed.settings

    @cached_property
    def _page(self) -> str:
        return page(self.title, self.parameters, self._packed)

    @property
    def size(self) -> int:
        """The size of the page in bytes."""
        return len(self._page.encode())

    def at(self, **values: Any) -> dict[str, Any]:
        """The results for one setting, as they were computed.

        values  one for each parameter, among those that were explored; a parameter
                that is left out has the value that its slider starts with
        Returns a number, text, array (float64), `Lines`, `Grid` or SVG by name.
        Raises ArgumentError for a parameter or a value that was not explored.
        """
        return self._packed.read(setting(self.parameters, values))

    def html(self) -> str:
        """The page as text: one file that loads nothing."""
        return self._page

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the page to an .html file, whole or not at all; returns its path.

        A folder that is missing is made. Raises ArgumentError for another ending, and
        CheckpointError if the file cannot be written.
        """
        place = output_path(path, ("html",))
        write_whole(place, self._page.encode())
        return place

    def svg(self, **values: Any) -> str:
        """A picture of one setting: its numbers, words, curves and heat maps.

        values  as for `at`
        For slides, and for what shows notebooks without their scripts. Drawings are
        left out: `mg.draw` saves them.
        """
        results = self.at(**values)
        counts = [len(p.values) for p in self.parameters]
        places = np.unravel_index(setting(self.parameters, values), counts)
        told = ", ".join(
            f"{p.name.replace('_', ' ')} {p.labels[int(k)]}"
            for p, k in zip(self.parameters, places, strict=True)
        )
        return picture(self.title, told, results)

    def view(self) -> View:
        """For notebooks: the page in a sandboxed frame, a picture, and text."""
        words, svg = repr(self), self.svg()
        frame = framed(self._page, self.title, 760)
        return View(with_picture(frame, svg, words), svg, words)

    def __repr__(self) -> str:
        ranges = ", ".join(f"{p.name} ({len(p.values)})" for p in self.parameters)
        size = self.size / 1e6
        return (
            f"<Exploration: {self.settings} settings of {ranges}; "
            f"{', '.join(self.results)}; {size:.1f} MB>"
        )


@checked_call
def explore(
    fn: Callable[..., Any],
    /,
    *,
    title: str | None = None,
    max_mb: float = LARGEST,
    **ranges: Any,
) -> Exploration:
    """Run `fn` for every combination of values, and make a page with sliders.

    Each position of the sliders shows what `fn` returned for just these values. Nothing
    is interpolated: all results are computed now, and the page only looks them up.

    fn      called as fn(forget_bias=..., scale=...). It returns a result, or a dict
            of results by name. A result is a number; text; a Tensor or an array (one
            axis is a curve, more are a heat map); a dict of curves that share one plot;
            `minigrad.exploring.Lines` or `Grid`, which name their axes; a drawing made
            by `mg.draw`; or a figure of matplotlib
    ranges  the values of each parameter of fn: a sequence of numbers or words, as
            np.linspace(0, 2, 9), or a dict {label: value} with values of any kind.
            A slider starts at fn's own default, if it is one of them
    title   of the page; the name of fn, if it is left out
    max_mb  the largest page, in megabytes (20)

    A progress bar is shown if the output is a terminal.

    Raises ArgumentError if the ranges do not fit fn, if fn returns something else, or
    if the page would be larger than `max_mb`: the message names the parameter that
    makes it so. What `fn` raises is passed on, with a note that names the setting.
    """
    if not callable(fn):
        raise ArgumentError(
            "explore: the first argument is no function",
            expect="a function of the parameters that have ranges",
            actual=clean(f"{type(fn).__name__} {fn!r}", 80),
            hint="mg.explore(lambda w: {'loss': (w - 1) ** 2}, w=[0, 0.5, 1])",
        )
    limit = _bytes(max_mb)
    parameters = parameters_of(fn, ranges)
    name = getattr(fn, "__name__", "") or type(fn).__name__
    named = title or ("explore" if name == "<lambda>" else name.replace("_", " "))
    packed = evaluate(fn, parameters, limit)
    return Exploration(clean(named, 120), parameters, packed)


def _bytes(megabytes: Any) -> float:
    """The largest page in bytes. ArgumentError if it is no positive number."""
    number = isinstance(megabytes, int | float) and not isinstance(megabytes, bool)
    if not number or not megabytes > 0:
        raise ArgumentError(
            "explore: the largest size makes no sense",
            expect="max_mb, a number of megabytes above 0",
            actual=clean(f"max_mb={megabytes!r}", 80),
            hint="max_mb=20 is what you get if you leave it out",
        )
    return 1e6 * megabytes
