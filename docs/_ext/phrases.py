"""The phrasebook's page, from `phrasebook.toml`, whose lines the tests run."""

import textwrap
import tomllib
from pathlib import Path

NAMES = {"micrograd": "micrograd", "torch": "PyTorch"}


def block(code, caption):
    body = textwrap.indent(code.strip(), "    ")
    return f".. code-block:: python\n    :caption: {caption}\n\n{body}\n"


def entry(phrase, other):
    title = phrase["title"]
    parts = [title, "~" * len(title), "", phrase.get("note", "").strip(), ""]
    parts += [block(phrase[other], NAMES[other]), block(phrase["minigrad"], "minigrad")]
    return "\n".join(parts) + "\n"


def text(path):
    """The page as reStructuredText."""
    book = tomllib.loads(path.read_text(encoding="utf-8"))
    parts = ["Phrasebook", "==========", "", book["introduction"].strip(), ""]
    for other, name in NAMES.items():
        title = f"From {name}"
        parts += [title, "-" * len(title), "", book["before"][other].strip(), ""]
        parts += [entry(p, other) for p in book["phrase"] if other in p]
    return "\n".join(parts) + "\n"


def write(app):
    folder = Path(app.srcdir)
    (folder / "generated").mkdir(exist_ok=True)
    page = folder / "generated" / "phrases.txt"
    page.write_text(text(folder / "phrasebook.toml"), encoding="utf-8")


def setup(app):
    app.connect("builder-inited", write, priority=100)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
