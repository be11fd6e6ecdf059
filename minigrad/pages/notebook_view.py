"""What a notebook shows of an object: a page, a static picture, and text.

Each of the three is given under its media type. Which one is seen is up to the viewer,
and what is in it too: GitHub and notebooks that are not trusted take frames, scripts
and styles out of HTML. So the HTML carries the picture as well, which a style hides:
where the style is taken out with the frame, the picture stands there instead.

Read next: `output_files.py`.
"""

from __future__ import annotations

import base64
import hashlib
import html
from typing import Any, NamedTuple

from minigrad.engine.known_names import KnownNames

LARGEST = 1_000_000  # characters of a picture that stands in the HTML a second time


class View(NamedTuple):
    """The three: `svg` is None where no picture can be made, and `text` says why."""

    html: str
    svg: str | None
    text: str


class Viewed(KnownNames):
    """An object that notebooks show as its `view()`."""

    def view(self) -> View:
        """What is shown."""
        return View("", None, repr(self))

    def _repr_mimebundle_(
        self, include: Any = None, exclude: Any = None
    ) -> dict[str, Any]:
        """For notebooks: text, and where there are any a picture and HTML."""
        shown = self.view()
        bundle = {"text/plain": shown.text}
        if shown.svg is not None:
            bundle["image/svg+xml"] = shown.svg
        if shown.html:
            bundle["text/html"] = shown.html
        return bundle

    def _repr_html_(self) -> str:
        """The same, for tools that ask for nothing else."""
        return self.view().html


def with_picture(content: str, svg: str | None, text: str) -> str:
    """HTML that may lose its frames and scripts, and a picture for that case.

    content  HTML of ours: a frame, say
    svg      the picture; None, or one that is very large: the text alone
    text     what it is of
    """
    inside = f"<p>{html.escape(text)}</p>"
    if svg is not None and len(svg) <= LARGEST:
        inside += image(svg, text)
    # A name of its own: the style of one output does not hide the picture of another.
    name = "mg-" + hashlib.sha256((content + inside).encode()).hexdigest()[:12]
    style = f"<style>.{name} {{ display: none; }}</style>"
    return f'<div>{style}<div class="{name}">{inside}</div>{content}</div>'


def image(svg: str, text: str) -> str:
    """An SVG as an image element; `text` is read where it is not seen."""
    code = base64.b64encode(svg.encode()).decode()
    alt = html.escape(text)
    return (
        f'<img alt="{alt}" style="max-width: 100%; height: auto" '
        f'src="data:image/svg+xml;base64,{code}">'
    )
