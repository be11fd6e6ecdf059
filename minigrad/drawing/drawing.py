"""`mg.draw` and the `Drawing` that it returns.

Read next: `reading.py`, `arrange.py`, `dot.py`: what happens in turn.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from functools import cached_property
from typing import Any

from minigrad.drawing import engines
from minigrad.drawing.arrange import Arranger, Layout
from minigrad.drawing.dot import Writer, line_words
from minigrad.drawing.elide import choose, elide
from minigrad.drawing.model import Picture
from minigrad.drawing.reading import LEVELS, read
from minigrad.drawing.style import THEMES
from minigrad.drawing.tiles import Tiles
from minigrad.drawing.values import show_gradients, show_values
from minigrad.errors import DrawingError, one_of

FORMATS = ("svg", "png", "pdf", "dot", "html")
LARGEST = 9000  # boxes: more are refused at once


class Drawing:
    """A picture of a graph. Made by `mg.draw`."""

    def __init__(
        self,
        picture: Picture,
        theme: str = "light",
        engine: str | None = None,
        timeout: float | None = None,
    ) -> None:
        self.picture = picture
        self.theme = theme
        self.engine = engine
        self.timeout = timeout

    @cached_property
    def dot(self) -> str:
        """DOT text; no program is needed. The same for the same program."""
        return Writer(self.picture, THEMES[self.theme]).text()

    @property
    def source(self) -> Any:
        """The DOT text as a `graphviz.Source` of the PyPI package graphviz."""
        import graphviz

        return graphviz.Source(self.dot, filename="minigrad.gv")

    @cached_property
    def layout(self) -> Layout:
        """Where everything is; needs an engine."""
        if len(self.picture.boxes) > LARGEST:
            raise DrawingError(
                f"draw: {len(self.picture.boxes)} boxes and {len(self.picture.lines)} "
                "lines are too many to lay out",
                expect=f"at most {LARGEST} boxes",
                actual=f"{len(self.picture.nodes)} operations",
                hint='draw fewer steps (max_steps=10), or level="gate" or "cell"; '
                ".dot gives the text for any size",
            )

        def run(texts: list[str]) -> bytes:
            return engines.run(
                "dot", "json0", texts, timeout=self.timeout, engine=self.engine
            )

        tiles = Tiles(self.picture, run, lying=not self.picture.recurrent)
        arranger = Arranger(self.picture, tiles)
        layout = arranger.arrange()
        arranger.label({line.id: line_words(line) for line in self.picture.lines})
        return layout

    @cached_property
    def placed(self) -> str:
        """DOT text with positions, for `neato -n2`."""
        return Writer(self.picture, THEMES[self.theme], self.layout).text()

    def render(self, form: str) -> bytes:
        """The picture in a format that Graphviz writes: svg, png, pdf, json, ..."""
        return engines.run(
            "neato", form, [self.placed], ["-n2"], self.timeout, self.engine
        )

    def svg(self) -> str:
        """The picture as SVG."""
        return self.render("svg").decode()

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the picture to a file; its ending says how."""
        path = os.fspath(path)
        ending = path.rpartition(".")[2].lower()
        one_of("ending", ending, FORMATS)
        if ending == "dot":
            data = self.dot.encode()
        elif ending == "html":
            raise DrawingError("draw: no page yet", hint="save as .svg")
        else:
            data = self.render(ending)
        try:
            with open(path, "wb") as file:
                file.write(data)
        except OSError as error:
            raise DrawingError(
                f"draw: {path} cannot be written",
                expect="an existing folder, where you may write",
                actual=str(error),
                hint="make the folder first, or choose another",
            ) from None

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict:
        return {"image/svg+xml": self.svg(), "text/plain": repr(self)}

    def __repr__(self) -> str:
        p = self.picture
        return f"<Drawing of {len(p.nodes)} operations, level {p.level!r}>"


def draw(
    tensor: Any,
    level: str = "op",
    values: bool = False,
    gradients: bool = False,
    max_steps: int | None = 10,
    *,
    first: int | None = None,
    last: int | None = None,
    steps: Collection[int] | None = None,
    theme: str = "light",
    engine: str | None = None,
    timeout: float | None = None,
) -> Drawing:
    """Draw the graph that `tensor` was computed from."""
    one_of("level", level, LEVELS)
    one_of("theme", theme, tuple(THEMES))
    picture = read(tensor._edge.source, level)
    picture = elide(picture, choose(picture.columns, max_steps, first, last, steps))
    if values:
        show_values(picture)
    if gradients:
        show_gradients(picture, tensor._edge)
    return Drawing(picture, theme, engine, timeout)
