"""The page of words and symbols, from the file that every page of minigrad carries."""

import textwrap
from pathlib import Path

from minigrad.pages.glossary import symbols, terms


def code(text):
    return text.replace("`", "``")


def text():
    """The lists as reStructuredText."""
    lines = ["Symbols", "-------", "", ".. list-table::", "    :widths: 20 80", ""]
    for name, means in symbols():
        signs = ", ".join(f"``{sign}``" for sign in name.split(", "))
        lines += [f"    * - {signs}", f"      - {code(means)}"]
    lines += ["", "Terms", "-----", "", ".. glossary::", ""]
    for name, means in terms():
        lines += [f"    {name}", textwrap.indent(code(means), " " * 8), ""]
    return "\n".join(lines) + "\n"


def write(app):
    folder = Path(app.srcdir) / "generated"
    folder.mkdir(exist_ok=True)
    (folder / "glossary.txt").write_text(text(), encoding="utf-8")


def setup(app):
    app.connect("builder-inited", write, priority=100)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
