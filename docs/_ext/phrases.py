"""The pages of `phrasebook.toml` and `idioms.toml`, whose lines the tests run."""

import textwrap
import tomllib

from included import extension

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


def row(idiom):
    """One idiom as a row of a table: the code, and what happens here."""
    code = textwrap.indent(idiom["write"].strip(), " " * 10)
    here = textwrap.fill(
        " ".join(idiom["here"].split()),
        initial_indent="      - ",
        subsequent_indent=" " * 8,
    )
    return f"    * - .. code-block:: python\n\n{code}\n\n{here}\n"


def idioms(path):
    """The tables of idioms, one per library, as reStructuredText."""
    book = tomllib.loads(path.read_text(encoding="utf-8"))
    title = "Coming from PyTorch, NumPy, autograd, micrograd, Keras"
    parts = [title, "=" * len(title), "", book["introduction"].strip(), ""]
    for name in book["order"]:
        head = f"From {name}"
        parts += [head, "-" * len(head), "", ".. list-table::"]
        parts += ["    :widths: 50 50", "    :header-rows: 1", ""]
        parts += ["    * - You write", "      - Here"]
        parts += [row(idiom) for idiom in book["idiom"] if idiom["from"] == name]
    return "\n".join(parts) + "\n"


setup = extension(
    {
        "phrases.txt": (text, "phrasebook.toml"),
        "idioms.txt": (idioms, "idioms.toml"),
    }
)
