"""The tutorials' way into the site, around sphinx-gallery, which runs them.

before it   the tutorials are copied with their Markdown turned to reStructuredText
            (and, for a class, without solutions: `-t handout`)
after it    what can be downloaded is the tutorial as it was written, as script and as
            notebook; framed pages move from the HTML into files of their own
"""

import hashlib
import html
import json
import re
import shutil
import zipfile
from pathlib import Path

from markdown import rst

from minigrad.lessons import lessons, notebook
from minigrad.lessons.lesson_copies import source

FRAME = re.compile(
    r'<iframe [^>]*srcdoc="([^"]*)"[^>]*></iframe>(\s*</div>)(\s*<br />)*', re.DOTALL
)
DRAWN = re.compile(r'<svg width="(\d+)pt" height="(\d+)pt"')
WIDTH = 730  # pixels that a page's text has
HEIGHT = re.compile(r'height="(\d+)"')
TITLE = re.compile(r"<title>([^<]*)</title>")
HEADER = """\
Tutorials
=========

The lessons build on each other, so it is best to read them in this order. Lessons 1 to
10 begin with the chain rule for a single tensor, and end with networks that read in
both directions. The later lessons work with real data. Each lesson runs in less than a
minute and asserts what it claims. At its end you can download it as a script or as a
notebook. You can also play it in the terminal with ``minigrad tutorial``. If you know
PyTorch or micrograd, the :doc:`phrasebook </phrasebook>` will help you. Words and
symbols are in the :doc:`glossary </glossary>`. Many exercises can be checked:
``minigrad tutorial 5 --exercises > answer.py``, and then ``--check answer.py``. If you
teach, there is :doc:`a page for you </teachers>`.
"""


def chosen(app):
    """The tutorials as this build shows them."""
    handout = app.tags.has("handout")
    return [one.without_solutions() if handout else one for one in lessons()]


def for_gallery(lesson):
    """The text of a tutorial as sphinx-gallery reads it."""
    first, *rest = lesson.cells
    parts = [f'r"""\n{rst(first.source)}"""']
    for cell in rest:
        if cell.kind == "text":
            lines = [f"# {line}".rstrip() for line in rst(cell.source).split("\n")]
            parts.append("\n".join(["# %%", *lines]).rstrip("\n #"))
        else:
            parts.append(f"# %%\n\n{cell.source}")
    return "\n\n".join(parts) + "\n"


def copy(app):
    """Make the folder that sphinx-gallery takes as its examples."""
    folder = Path(app.srcdir) / "generated" / "lessons"
    folder.mkdir(parents=True, exist_ok=True)
    found = {"GALLERY_HEADER.rst": HEADER}
    found |= {one.path.name: for_gallery(one) for one in chosen(app)}
    for path in folder.iterdir():
        if path.name not in found:
            path.unlink() if path.is_file() else shutil.rmtree(path)
    for name, text in found.items():
        (folder / name).write_text(text, encoding="utf-8")


def downloads(app):
    """Put the tutorials as they were written in the place of the gallery's copies."""
    folder = Path(app.srcdir) / "generated" / "tutorials"
    for lesson in chosen(app):
        script = folder / f"{lesson.name}.py"
        book = script.with_suffix(".ipynb")
        script.write_text(source(lesson), encoding="utf-8")
        text = json.dumps(notebook(lesson), indent=1, ensure_ascii=False)
        book.write_text(text + "\n", encoding="utf-8")
        with zipfile.ZipFile(script.with_suffix(".zip"), "w") as archive:
            archive.write(script, script.name)
            archive.write(book, book.name)


def unframe(app, pagename, templatename, context, doctree):
    """Framed pages become files, which load faster and open on their own too."""
    if "srcdoc=" not in context.get("body", ""):
        return
    place = Path(app.outdir) / "_pages"
    place.mkdir(exist_ok=True)
    depth = "../" * pagename.count("/")

    def replace(match):
        text = html.unescape(match[1])
        name = hashlib.sha256(text.encode()).hexdigest()[:16] + ".html"
        (place / name).write_text(text, encoding="utf-8")
        height = int(HEIGHT.search(match[0])[1])
        drawn = DRAWN.search(text)
        if drawn and height < 600:  # a drawing, not a player: no taller than it needs
            share = int(drawn[2]) / int(drawn[1])
            height = round(min(max(WIDTH * share + 130, 300), 640))
        title = html.escape(html.unescape(TITLE.search(text)[1]))
        return (
            f'<div class="player"><iframe sandbox="allow-scripts" loading="lazy" '
            f'height="{height}" title="{title}" src="{depth}_pages/{name}"></iframe>'
            f'<a href="{depth}_pages/{name}">open this on its own</a></div>{match[2]}'
        )

    context["body"] = FRAME.sub(replace, context["body"])


def setup(app):
    app.connect("builder-inited", copy, priority=100)
    app.connect("builder-inited", downloads, priority=900)
    app.connect("html-page-context", unframe)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
