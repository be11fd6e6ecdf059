"""`mg.draw` and the `Drawing` that it returns.

    read the graph -> leave out steps -> add numbers -> arrange -> DOT -> an engine

Read next: `plan_drawing.py`.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import cached_property
from typing import Any

from minigrad.drawing.arrange.arrangement import Arranger
from minigrad.drawing.arrange.layout import Layout
from minigrad.drawing.arrange.stacked_rows import stacked, together
from minigrad.drawing.arrange.tiles import Tiles
from minigrad.drawing.plan_drawing import PlanDrawing
from minigrad.drawing.read.continued_rows import without_repeats
from minigrad.drawing.read.elision import choose, elide, in_rows
from minigrad.drawing.read.folding import read_folded
from minigrad.drawing.read.picture import Picture
from minigrad.drawing.read.read_graph import LEVELS, read
from minigrad.drawing.read.step_names import name_steps, names_of_steps
from minigrad.drawing.read.values import show_gradients, show_values
from minigrad.drawing.row_breaks import check, fitting
from minigrad.drawing.style import THEMES
from minigrad.drawing.write import graphviz_engines
from minigrad.drawing.write.dot_attributes import line_words
from minigrad.drawing.write.dot_text import Writer
from minigrad.drawing.write.picture_files import one_pdf, path_text, save, write
from minigrad.drawing.write.picture_page import page
from minigrad.drawing.write.slides import frames
from minigrad.engine.calls import checked_call, checked_methods
from minigrad.engine.errors import (
    ArgumentError,
    DrawingError,
    DTypeError,
    GraphError,
    flag,
    one_of,
)
from minigrad.engine.graph import AnyEdge, Node, Variable
from minigrad.engine.primitives.messages import describe
from minigrad.engine.quiet import uncollected
from minigrad.pages.notebook_view import View, Viewed, with_picture
from minigrad.pages.page import framed
from minigrad.reading.text import clean

LARGEST = 9000  # boxes: more are refused at once
WIDEST = 16000.0  # pixels of a PNG: larger pictures are drawn smaller


@checked_methods
class Drawing(Viewed):
    """A picture of a graph, made by `mg.draw`. In a notebook it shows by itself.

    dot       DOT text: needs no program, and is the same for the same program
    svg()     the picture as SVG text
    save(path)  to a file: .svg .png .pdf .html (pan, zoom, search, fold) or .dot
    frames(folder)  a numbered sequence of pictures, step by step
    source    the DOT text as a `graphviz.Source` of the PyPI package graphviz
    counts    what is drawn, in words

    Raises DrawingError where a layout engine is needed and there is none, or it fails.
    """

    def __init__(
        self,
        picture: Picture,
        theme: str = "light",
        engine: str | None = None,
        timeout: float | None = None,
        rows: Sequence[Picture] = (),
    ) -> None:
        """`rows`: the pictures of which this is made, one below the other."""
        self.picture = picture
        self.rows = rows
        self.theme = theme
        self.engine = engine
        self.timeout = timeout

    @cached_property
    def dot(self) -> str:
        """DOT text; no program is needed. The same for the same program."""
        with uncollected(settled=True):
            return Writer(self.picture, THEMES[self.theme]).text()

    @property
    def source(self) -> Any:
        """The DOT text as a `graphviz.Source` of the PyPI package graphviz."""
        import graphviz

        return graphviz.Source(self.dot, filename="minigrad.gv")

    @property
    def counts(self) -> str:
        """How much is drawn: "84 operations in 96 boxes, 130 lines"."""
        picture = self.picture
        words = f"{len(picture.nodes)} operations in {len(picture.boxes)} boxes, "
        words += f"{len(picture.lines)} lines"
        if picture.hidden_nodes:
            words += f"; {picture.hidden_nodes} operations are in steps left out"
        return words

    @cached_property
    def layout(self) -> Layout:
        """Where everything is; needs an engine. DrawingError if it is too large."""
        picture = self.picture
        if len(picture.boxes) > LARGEST:
            raise DrawingError(
                f"draw: {len(picture.boxes)} boxes and {len(picture.lines)} lines are "
                "too many for one picture",
                expect=f"at most {LARGEST} boxes",
                actual=f"{len(picture.nodes)} operations, "
                f"{len(picture.columns)} time steps",
                hint='draw fewer steps (max_steps=10), or level="gate" or "cell"; '
                ".dot gives the text for any size",
            )

        if self.rows:
            return stacked([self._arranged(row) for row in self.rows])
        return self._arranged(picture)

    def _arranged(self, picture: Picture) -> Layout:
        """The layout of one row."""

        def run(texts: list[str]) -> bytes:
            return graphviz_engines.run(
                "dot", "json0", texts, self.timeout, self.engine
            )

        tiles = Tiles(picture, run, lying=not picture.recurrent)
        arranger = Arranger(picture, tiles)
        layout = arranger.arrange()
        branches = layout.branches
        arranger.label(
            {
                line.id: line_words(line, line.id not in branches)
                for line in picture.lines
            }
        )
        return layout

    @cached_property
    def placed(self) -> str:
        """DOT text with positions: for `neato -n2`."""
        return Writer(self.picture, THEMES[self.theme], self.layout).text()

    def render(self, form: str) -> bytes:
        """The picture in a format that Graphviz writes: svg, png, pdf, json, ..."""
        return self._render(self.placed, form)

    def _render(self, text: str, form: str) -> bytes:
        if form == "png":  # memory grows with the area
            width, height = self.layout.width + 200, self.layout.height + 200
            dpi = min(144.0, 72 * WIDEST / max(width, height))
            dpi = min(dpi, 72 * (6e7 / (width * height)) ** 0.5)
            text = text.replace("{\n", f"{{\ngraph [dpi={dpi:.1f}]\n", 1)
        return graphviz_engines.run("nop2", form, [text], self.timeout, self.engine)

    @cached_property
    def _svg(self) -> str:
        return self.render("svg").decode()

    def svg(self) -> str:
        """The picture as SVG text."""
        return self._svg

    def in_theme(self, theme: str) -> Drawing:
        """The same picture, every box in the same place, "light" or "dark"."""
        one_of("theme", theme, tuple(THEMES))
        other = Drawing(self.picture, theme, self.engine, self.timeout, self.rows)
        other.layout = self.layout
        return other

    def html(self) -> str:
        """The picture as one self-contained page: pan, zoom, search, click to fold."""
        other = "dark" if self.theme == "light" else "light"
        text = Writer(self.picture, THEMES[other], self.layout).text()
        there = self._render(text, "svg").decode()
        return page(self.picture, self.layout, self.svg(), self.theme, there)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the picture to a file; its ending says how. Nothing half-written.

        A missing folder is made. Raises ArgumentError for another ending, DrawingError
        if the file cannot be written, or the engine fails.
        """
        save(self, path)

    def frames(self, folder: str | os.PathLike[str], form: str = "svg") -> list[str]:
        """Write a numbered picture per time step, forward and (with gradients=True)
        backward. Returns the paths, in order.

        folder  where they go; made if it is missing. "slides.pdf": one PDF with a page
                for each, for a beamer
        form    "svg", "png" or "pdf", one file each

        The layout is the same in all. ArgumentError for another form.
        """
        one_of("form", form, ("svg", "png", "pdf"))
        place = path_text(folder)
        if place.lower().endswith(".pdf") and not os.path.isdir(place):
            pages = [data for _, data in self._framed("pdf")]
            write(place, one_pdf(pages))
            return [place]
        made = []
        for number, (name, data) in enumerate(self._framed(form)):
            path = os.path.join(place, f"{number:03d}-{name}.{form}")
            write(path, data)
            made.append(path)
        return made

    def _framed(self, form: str) -> Iterator[tuple[str, bytes]]:
        """The name and the bytes of each frame."""
        theme = THEMES[self.theme]
        for frame in frames(self.picture):
            writer = Writer(frame.picture, theme, self.layout, frame.faint, frame.lit)
            yield frame.name, self._render(writer.text(), form)

    def view(self) -> View:
        """For notebooks: the page in a sandboxed frame, a static picture, and text."""
        try:
            svg = self.svg()
        except DrawingError as error:
            return View("", None, f"{self!r}\n{error}")
        shape = self.layout.height / max(self.layout.width, 1.0)
        height = round(min(640, max(260, 960 * shape + 150)))
        title = self.picture.title or "graph"
        frame = framed(self.html(), title, height)
        return View(with_picture(frame, svg, repr(self)), svg, repr(self))

    def _repr_svg_(self) -> str:
        return self.svg()

    def __repr__(self) -> str:
        return f"<Drawing, level {self.picture.level!r}: {self.counts}>"


@checked_call
def draw(
    tensor: Any,
    level: str = "op",
    values: bool | str = False,
    gradients: bool = False,
    max_steps: int | None = 10,
    *,
    first: int | None = None,
    last: int | None = None,
    steps: Collection[int] | None = None,
    words: Sequence[object] | None = None,
    fold: bool = False,
    wrap: int | None = None,
    width: float | None = None,
    title: str | None = None,
    theme: str = "light",
    engine: str | None = None,
    timeout: float | None = None,
) -> Any:
    """Draw the graph that a tensor was computed from, recurrent or not: a `Drawing`.

    tensor     a Tensor, or several (a gradient made with create_graph=True is drawn
               with its forward graph). Of a compiled function (`mg.compile`) the plan
               is drawn, a `PlanDrawing`: fused groups, products and calls as boxes
    level      "op": every operation; "gate": a box per gate; "cell": a box per step
    values     numbers and small heat maps in the boxes (the array's first four rows);
               "mean": one number for each gate, which is the darker the larger it is
    gradients  colour, width and number on each line: the L2 norm of dL/d(value) that
               flows back along it, L being the tensor (or the sum of its entries);
               `.grad` is left alone
    max_steps  longer loops are drawn without the middle ("... 94 steps ..."); None:
               all steps
    first, last, steps  show the first k steps, the last k, or these
    words      names of the steps, first step first: the words that are read, say, or
               dates (a string is taken apart at its spaces). "step 3" becomes "3: but".
               One per step; of several loops for the first, or for all in their order
    fold       each loop once, as a cell with its states led back into it, "h × 6"
    wrap       break the time line into rows of so many steps, for slides and pages
    width      the same, with as many steps per row as fit this width: in pixels of a
               screen, 96 to the inch (needs a layout engine)
    title      of the page
    theme      "light" or "dark"
    engine     "dot" or "pygraphviz"; None: what is installed
    timeout    seconds after which the engine is killed (60)

    Raises DTypeError if it is not a tensor, GraphError for one without a graph (made in
    no_grad(), or detached), ArgumentError for a level, theme or number of steps or of
    words that there is not, DrawingError for gradients of what needs none.
    """
    one_of("level", level, LEVELS)
    one_of("theme", theme, tuple(THEMES))
    graphviz_engines.check_timeout(timeout)
    one_of("engine", engine, (None, *graphviz_engines.ENGINES))
    one_of("values", values, (False, True, "mean"))
    gradients, fold = flag("gradients", gradients), flag("fold", fold)
    if hasattr(tensor, "plan_as_dot"):
        return PlanDrawing(tensor.plan_as_dot(), engine, timeout)
    tensors = list(tensor) if isinstance(tensor, list | tuple) else [tensor]
    for one in tensors or [None]:
        if not isinstance(one, Variable):
            raise DTypeError(
                "draw: the argument is not a tensor",
                expect="a Tensor, or a list of them",
                actual=clean(type(one).__name__, 60),
                hint="draw the loss, or a model's output",
            )
    edges = [one._edge for one in tensors]
    _check_graphs(edges)
    if fold:
        _check_folded(wrap=wrap, width=width, first=first, last=last, steps=steps,
                      words=words, gradients=gradients or None)  # fmt: skip
    with uncollected(settled=True):
        picture = (read_folded if fold else read)([e.source for e in edges], level)
        picture.title = title or f"minigrad: {level} level"
        names = names_of_steps(picture.columns, words)
        check(picture, wrap, width)

        def finished(one: Picture) -> Picture:
            name_steps(one, names)
            if values:
                show_values(one, mean=values == "mean")
            if gradients:
                show_gradients(one, edges)
            return one

        if fold:
            return Drawing(finished(picture), theme, engine, timeout)
        shown = choose(picture.columns, max_steps, first, last, steps)

        def broken(count: int) -> Drawing:
            if count >= len(shown):
                return Drawing(finished(elide(picture, shown)), theme, engine, timeout)
            rows = without_repeats(in_rows(picture, shown, count))
            rows = [finished(row) for row in rows]
            whole = together(rows, picture)
            return Drawing(whole, theme, engine, timeout, rows)

        if wrap is None and width is None:
            return broken(len(shown))
        made: dict[int, Drawing] = {}

        def laid(count: int) -> Layout:
            made[count] = broken(count)
            return made[count].layout

        most = len(shown) if wrap is None else wrap
        if width is None:
            return broken(most)
        count, _ = fitting(min(most, len(shown)), width, laid)
        return made[count]


def _check_graphs(edges: Iterable[AnyEdge]) -> None:
    """Refuse what was made by the user, in no_grad(), or detached."""
    for edge in edges:
        if type(edge.source) is not Node:
            raise GraphError(
                "draw: this tensor has no graph",
                expect="a tensor that was computed while recording",
                actual=describe(edge),
                hint="compute it outside mg.no_grad(), and draw it before .detach()",
            )


def _check_folded(**options: Any) -> None:
    """Refuse what tells steps apart, in a picture in which one stands for all."""
    given = [name for name, value in options.items() if value is not None]
    if given:
        raise ArgumentError(
            f"draw: fold=True and {', '.join(given)} do not go together",
            expect="a folded picture, or one that tells its steps apart",
            actual=f"fold=True, {', '.join(given)}",
            hint="one folded cell stands for all steps: leave out one of the two",
        )
