"""The picture of a compiled function's plan: `mg.draw(compiled)`.

Read next: `row_breaks.py`.
"""

from __future__ import annotations

import os
from functools import cached_property

from minigrad.drawing.write import graphviz_engines
from minigrad.drawing.write.picture_files import save
from minigrad.engine.errors import DrawingError
from minigrad.pages.notebook_view import View, Viewed, with_picture
from minigrad.pages.page import document, house_style, picture

STYLE = """
figure img { background: #fff; }
@media (max-width: 600px) { figure img.fit { min-width: 60rem; } }
@media (prefers-color-scheme: dark) {
  figure img { filter: invert(0.92) hue-rotate(180deg); } }
"""
# On a narrow screen the page opens on the middle, where the plan begins.
SCRIPT = """
for (const wide of document.querySelectorAll("figure")) {
  wide.scrollLeft = (wide.scrollWidth - wide.clientWidth) / 2;
}
"""


class PlanDrawing(Viewed):
    """A picture of a plan: a box for each kernel, product and call of Python.

    dot         DOT text: needs no program
    svg()       the picture as SVG text
    save(path)  to a file: .svg .png .pdf .html or .dot

    Raises DrawingError where a layout engine is needed and there is none, or it fails.
    """

    def __init__(self, dot: str, engine: str | None, timeout: float | None) -> None:
        self.dot, self.engine, self.timeout = dot, engine, timeout

    def render(self, form: str) -> bytes:
        """The picture in a format that Graphviz writes."""
        return graphviz_engines.run("dot", form, [self.dot], self.timeout, self.engine)

    @cached_property
    def _svg(self) -> str:
        return self.render("svg").decode()

    def svg(self) -> str:
        """The picture as SVG text."""
        return self._svg

    def html(self) -> str:
        """The picture as one self-contained page."""
        title = "The plan of a compiled function"
        image = picture(self.svg().encode(), "svg", repr(self))
        body = f"<h1>{title}</h1>\n<figure>{image}</figure>"
        return document(title, body, style=house_style() + STYLE, script=SCRIPT)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the picture to a file; its ending says how. Nothing half-written."""
        save(self, path)

    def view(self) -> View:
        """For notebooks: a static picture, and text."""
        try:
            svg = self.svg()
        except DrawingError as error:
            return View("", None, f"{self!r}\n{error}")
        return View(with_picture("", svg, repr(self)), svg, repr(self))

    def _repr_svg_(self) -> str:
        return self.svg()

    def __repr__(self) -> str:
        return f"<PlanDrawing: {self.dot.count('[label=')} units>"
