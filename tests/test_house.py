"""The house's rules that import-linter does not check: names, circles, where to go on.

The contracts about the rooms and their arrows are in pyproject.toml.
"""

import ast
import re
import sys
import textwrap
from collections import Counter
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
sys.path.append(str(ROOT / "docs" / "_ext"))
import architecture  # noqa: E402

FILES = sorted(p for top in ("minigrad", "models") for p in (ROOT / top).rglob("*.py"))
TREES = {path: ast.parse(path.read_text(encoding="utf-8")) for path in FILES}
DOOR = ROOT / "minigrad" / "models"  # in a checkout only a way to `models`
ROOMS = [
    path
    for path in [ROOT / "models", *sorted((ROOT / "minigrad").iterdir())]
    if (path / "__init__.py").exists() and path != DOOR
]
FOLDERS = sorted({path.parent for path in FILES} - {ROOT / "minigrad", DOOR})


def named(path):
    return path.relative_to(ROOT).as_posix()


def short(folder):
    return named(folder).removeprefix("minigrad/")


def docstring(path):
    return ast.get_docstring(TREES[path]) or ""


# ------------------------------------------------------------- rooms and their files


def test_the_contracts_know_every_room():
    known = [name for layer in architecture.layers() for name in layer]
    assert sorted(known) == sorted(named(room).replace("/", ".") for room in ROOMS)


def test_a_file_name_occurs_once():
    everything = [
        path
        for top in ("minigrad", "models")
        for path in (ROOT / top).rglob("*.*")
        if path.is_file() and "__pycache__" not in path.parts
    ]
    names = Counter(path.name for path in everything)
    for ordinary in ("__init__.py", "__main__.py"):
        del names[ordinary]
    assert [name for name, count in names.items() if count > 1] == []


def test_a_file_says_first_what_is_in_it():
    """In one line, which the documentation quotes."""
    firsts = {named(path): docstring(path).partition("\n")[0] for path in FILES}
    assert [n for n, line in firsts.items() if line[-1:] not in tuple(".:?")] == []


@pytest.mark.parametrize("folder", FOLDERS, ids=short)
def test_a_folder_says_what_it_is_for_and_what_to_read(folder):
    """In some five lines, an example aside, with names of files that there are."""
    text = docstring(folder / "__init__.py")
    lines = [line for line in text.split("\n") if line and not line.startswith("    ")]
    assert 3 <= len(lines) <= 12
    there = {path.name for path in folder.rglob("*")}
    mentioned = set(re.findall(r"\b(\w+\.(?:py|js|css))\b", text))
    assert mentioned and mentioned <= there, mentioned - there
    (first,) = pointers(folder / "__init__.py")
    assert folder in first.parents, "read next: a file of the folder itself"


# ------------------------------------------------------------- circles


def test_no_file_imports_itself_in_a_circle():
    """What is imported for types alone, or when first used, counts as well."""
    arrows = architecture.imports()
    assert len(arrows) > 500
    sorter = TopologicalSorter()
    for importer, imported in arrows - {("minigrad.models", "models")}:
        sorter.add(importer, imported)
    try:
        sorter.prepare()
    except CycleError as error:
        pytest.fail(" <- ".join(error.args[1]))


# ------------------------------------------------------------- private names

# Public although they begin with "_": of named tuples, of Python, of notebooks.
STANDARD = {"_asdict", "_fields", "_make", "_replace", "_getframe", "_repr_html_"}
# Every reader of the graph asks a tensor for its edge; programs ask for its node.
OF_A_TENSOR = {"_edge", "_grad"}
PROGRAMS = ("tasks", "trial", "tour", "demos", "lessons", "commands")
OF_NUMPY = {"_core", "_extobj_contextvar"}  # no public way to it: engine/quiet.py


def private(name):
    return name.startswith("_") and not name.startswith("__")


def own_names(tree):
    """All that a file defines: names, attributes of self, slots."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            if isinstance(node.value, ast.Name) and node.value.id in ("self", "cls"):
                found.add(node.attr)
        elif isinstance(node, ast.Assign):
            names = {t.id for t in node.targets if isinstance(t, ast.Name)}
            if "__slots__" in names:
                parts = ast.walk(node.value)
                found |= {p.value for p in parts if isinstance(p, ast.Constant)}
    return found


def reached(tree):
    """The private names that a file takes from elsewhere, with their lines."""
    own, imported = own_names(tree), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            imported |= {(a.asname or a.name).partition(".")[0] for a in node.names}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            names = [*(node.module or "").split("."), *(a.name for a in node.names)]
            for name in names:
                if private(name):
                    yield node.lineno, name
        elif isinstance(node, ast.Attribute) and private(node.attr):
            of_module = isinstance(node.value, ast.Name) and node.value.id in imported
            if node.attr not in own or of_module:
                yield node.lineno, node.attr
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            if node.func.id in ("getattr", "setattr", "hasattr", "delattr"):
                name = node.args[1]
                if isinstance(name, ast.Constant) and private(name.value):
                    if name.value not in own:
                        yield node.lineno, name.value


def test_what_counts_as_reaching():
    text = """
from there import _hidden
from there._inside import shown
import other
class Mine:
    __slots__ = ("_slot",)
    def __init__(self):
        self._own = 1
    def look(self, thing):
        return thing._own, thing._slot, thing._theirs, other._own, self._base
getattr(Mine, "_secret")
"""
    found = [name for _, name in reached(ast.parse(text))]
    wanted = ["_hidden", "_inside", "_theirs", "_own", "_base", "_secret"]
    assert sorted(found) == sorted(wanted)


def test_no_file_uses_private_names_of_another():
    taken = []
    for path in FILES:
        allowed = STANDARD.copy()
        if path.relative_to(ROOT).parts[1] not in PROGRAMS:
            allowed |= OF_A_TENSOR
        if path.name == "quiet.py":
            allowed |= OF_NUMPY
        names = [found for found in reached(TREES[path]) if found[1] not in allowed]
        taken += [(named(path), *found) for found in names]
    assert taken == []


# ------------------------------------------------------------- where to read on


def pointers(path):
    """The files that a "Read next:" points to, in order."""
    text = path.read_text("utf-8") if path.suffix == ".md" else docstring(path)
    found = []
    for paragraph in re.findall(r"Read next:(.*?)(?:\n\n|\Z)", text, re.S):
        for name in re.findall(r"`([\w./]+)`", paragraph):
            if "/" in name or "." in name:
                found.append(resolved(name))
    return found


def resolved(name):
    """`tensor.py` (there is one), or `minigrad/engine/` (its __init__.py)."""
    if "/" in name:
        path = ROOT / name
        there = [path / "__init__.py" if path.is_dir() else path]
    else:
        there = [path for path in FILES if path.name == name]
    assert len(there) == 1 and there[0].exists(), f"Read next: `{name}`"
    return there[0]


def room_of(path):
    return next((room for room in ROOMS if room in path.parents), None)


def test_every_file_says_what_to_read_next():
    outside = {DOOR / "__init__.py", ROOT / "minigrad" / "__main__.py"}
    last = [path for path in FILES if not pointers(path) and path not in outside]
    assert len(last) == 1, last


def test_pointers_lead_forward_only():
    sorter = TopologicalSorter()
    for path in FILES:
        sorter.add(path, *pointers(path))
    try:
        sorter.prepare()
    except CycleError as error:
        pytest.fail(" <- ".join(map(named, error.args[1])))


def test_the_chain_from_the_readme_meets_every_room_once():
    path, met, seen = ROOT / "README.md", [], []
    while found := pointers(path):
        path = found[0]
        assert path not in seen
        seen.append(path)
        if met[-1:] != [room_of(path)]:
            met.append(room_of(path))
    assert [named(room) for room in met if met.count(room) > 1] == []
    assert set(met) == set(ROOMS)


# ------------------------------------------------------------- the page about it


def test_lines_of_code_are_counted_without_words_about_them():
    text = '''
"""What this is."""

import os  # for its separator


def path(*names):
    """A docstring
    of two lines."""
    # a comment
    return (
        os.sep
        + """text
in two lines"""
    )
'''
    assert architecture.code_lines(text) == 7


def test_the_picture_and_the_table_have_every_room():
    house = architecture.rooms()
    drawn = architecture.dot(house, architecture.arrows())
    listed = architecture.table(house)
    for layer in house:
        for room in layer:
            assert f'"{room.name}" [label=' in drawn and f"``{room.short}``" in listed
            assert room.about in listed.replace("``", "`")
    assert '"minigrad.reading" -> "minigrad.engine" [label=' in drawn
    assert '"minigrad.engine" -> ' not in drawn


# ------------------------------------------------------------- one parameter's way


def test_the_way_of_one_parameter_is_as_told():
    """Its programs run, and the files that it names are there."""
    text = (ROOT / "docs" / "architecture.rst").read_text(encoding="utf-8")
    way = text.partition("One parameter's way")[2]
    programs = re.findall(r"code-block:: python\n\n((?:    .*\n|\n)+)", way)
    assert len(programs) == 3
    space: dict = {}
    for program in programs:
        exec(textwrap.dedent(program), space)
    named = re.findall(r"``([a-z]+/[a-z_/]+(?:\.py|/))``", way)
    assert len(named) > 20
    for name in named:
        assert (ROOT / name).exists() or (ROOT / "minigrad" / name).exists(), name
