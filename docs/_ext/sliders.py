"""The pages with sliders: the site's first page shows one, and explore.rst them all.

They are what `minigrad explore` writes, computed while the site is built.
"""

from pathlib import Path

from minigrad.demos import DEMOS, demo
from minigrad.engine.errors import DrawingError
from minigrad.pages.page import framed

HEIGHT = 700  # pixels
SENTENCE = "The plot is not bad, but the film is dull"


def made(name):
    """One of the pages; without the drawing where there is no layout engine."""
    try:
        return demo(name, sentence=SENTENCE)
    except DrawingError:
        return demo(name, drawing=False)


def write(app):
    folder = Path(app.srcdir) / "generated" / "sliders"
    folder.mkdir(parents=True, exist_ok=True)
    for name in DEMOS:
        found = made(name)
        frame = framed(found.html(), found.title, HEIGHT)
        (folder / f"{name}.html").write_text(f"<div>{frame}</div>\n", encoding="utf-8")


def setup(app):
    app.connect("builder-inited", write, priority=200)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
