"""The rooms of the house: a table of files and lines, and a picture of the arrows.

    python3 run.py python docs/_ext/architecture.py      prints the table

The site's page on the architecture includes both; they are made while it is built.
Lines of code are those that bear code: comments, docstrings and blank lines are free.
"""

import ast
import io
import sys
import tokenize
import tomllib
from collections import Counter
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
BESIDE = {  # tokens that are no code
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENDMARKER,
}
DOCUMENTED = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


class Room(NamedTuple):
    """A folder of the house.

    name    as it is imported: "minigrad.flow"
    about   the first line of its docstring
    files   {path: lines of code}
    """

    name: str
    about: str
    files: dict[Path, int]

    @property
    def short(self):
        return self.name.removeprefix("minigrad.")

    @property
    def lines(self):
        return sum(self.files.values())


def code_lines(text):
    """How many lines of a Python file bear code."""
    lines = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in BESIDE:
            lines.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, DOCUMENTED) and ast.get_docstring(node, clean=False):
            written = node.body[0]
            lines.difference_update(range(written.lineno, written.end_lineno + 1))
    return len(lines)


def layers():
    """The names of the rooms from the top down, those beside each other together."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    contracts = tomllib.loads(text)["tool"]["importlinter"]["contracts"]
    (found,) = [one["layers"] for one in contracts if one["type"] == "layers"]
    for layer in found:
        names = layer.replace("|", ":").split(":")
        yield [name.strip() for name in names if name.strip() != "minigrad.models"]


def room(name):
    """A room, read from its files."""
    folder = ROOT / name.replace(".", "/")
    texts = {p: p.read_text(encoding="utf-8") for p in sorted(folder.rglob("*.py"))}
    about = ast.get_docstring(ast.parse(texts[folder / "__init__.py"])) or ""
    files = {path: code_lines(text) for path, text in texts.items()}
    return Room(name, about.partition("\n")[0], files)


def rooms():
    """All rooms, layer by layer, from the top down."""
    return [[room(name) for name in names] for names in layers()]


def imports():
    """{(module, one that it imports)}: for types and inside functions, too."""
    import grimp

    # Once imported, `models` is minigrad.models, which is no package at the top.
    names = [n for n in sys.modules if n.partition(".")[0] == "models"]
    aside = {name: sys.modules.pop(name) for name in names}
    try:
        graph = grimp.build_graph("minigrad", "models", cache_dir=None)
    finally:
        sys.modules.update(aside)
    return {
        (importer, imported)
        for importer in graph.modules
        for imported in graph.find_modules_directly_imported_by(importer)
    }


def arrows():
    """{(room, room): how many files of the first import one of the second}.

    What goes by way of the public face, `import minigrad as mg`, is not counted.
    """
    ends = Counter((room_of(tail), room_of(head)) for tail, head in imports())
    return {pair: n for pair, n in ends.items() if pair[0] != pair[1] and all(pair)}


def room_of(module):
    """The room of a module; None for the public face."""
    first, *rest = module.split(".")
    if first == "models" or rest[:1] == ["models"]:
        return "models"
    if not rest or rest == ["__main__"]:
        return None
    return f"minigrad.{rest[0]}"


# ------------------------------------------------------------- the table


def table(house):
    """The rooms as a table in reStructuredText."""
    lines = [
        ".. list-table::",
        "    :header-rows: 1",
        "    :widths: 14 50 10 12 14",
        "",
    ]
    rows = [["room", "what it is for", "files", "lines", "longest file"]]
    everything = [one for layer in house for one in layer]
    for one in everything:
        longest = max(one.files, key=one.files.get)
        about = one.about.replace("`", "``")
        rows.append(
            [
                f"``{one.short}``",
                about,
                len(one.files),
                f"{one.lines:,}",
                f"{one.files[longest]}",
            ]
        )
    count = sum(len(one.files) for one in everything)
    total = sum(one.lines for one in everything)
    rows.append(["all", "", count, f"{total:,}", ""])
    for first, *others in rows:
        lines.append(f"    * - {first}")
        lines += [f"      - {cell}" for cell in others]
    return "\n".join(lines) + "\n"


def printed(house):
    """The same for a terminal."""
    found = ["room           files   lines   longest file"]
    for one in [one for layer in house for one in layer]:
        longest = max(one.files, key=one.files.get)
        found.append(
            f"{one.short:<12} {len(one.files):>7} {one.lines:>7,}   "
            f"{longest.name} {one.files[longest]}"
        )
    total = sum(one.lines for layer in house for one in layer)
    return "\n".join([*found, f"{'all':<12} {'':>7} {total:>7,}"])


# ------------------------------------------------------------- the picture


def dot(house, found):
    """The house as DOT text: a row per layer, arrows with the number of imports."""
    from minigrad.drawing.style import FONT, LIGHT
    from minigrad.drawing.write.dot_attributes import quote

    out = [
        "digraph house {",
        "graph [rankdir=TB nodesep=0.16 ranksep=0.42 bgcolor=white margin=0.1]",
        f'node [shape=box style="rounded,filled" fillcolor="{LIGHT.tile}" '
        f'color="{LIGHT.edge}" fontname={quote(FONT)} fontsize=16 margin="0.12,0.06" '
        f'fontcolor="{LIGHT.ink}"]',
        f'edge [color="{LIGHT.faint}" fontname={quote(FONT)} fontsize=11 '
        f'fontcolor="{LIGHT.quiet}" arrowsize=0.5]',
    ]
    above = None
    for layer in house:
        for one in layer:
            words = f"{one.short}\n{one.lines:,} lines"
            out.append(f"{quote(one.name)} [label={quote(words)}]")
        names = [quote(one.name) for one in layer]
        out.append(f"{{rank=same {' '.join(names)}}}")
        if above:  # each row below the one before, whatever the arrows are
            out.append(f"{above} -> {names[0]} [style=invis weight=9]")
        above = names[0]
    for (tail, head), count in sorted(found.items()):
        width = 0.5 + min(count, 60) / 20
        out.append(
            f"{quote(tail)} -> {quote(head)} [label={count} penwidth={width:.2f}]"
        )
    return "\n".join([*out, "}"])


def picture(house, found):
    """The same as SVG."""
    from minigrad.drawing.write import graphviz_engines

    return graphviz_engines.run("dot", "svg", [dot(house, found)])


def write(app):
    """Make both for the page that includes them."""
    folder = Path(app.srcdir) / "generated"
    folder.mkdir(exist_ok=True)
    house = rooms()
    (folder / "rooms.txt").write_text(table(house), encoding="utf-8")
    (folder / "house.svg").write_bytes(picture(house, arrows()))


def setup(app):
    app.connect("builder-inited", write, priority=100)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}


if __name__ == "__main__":
    sys.stdout.write(printed(rooms()) + "\n")
