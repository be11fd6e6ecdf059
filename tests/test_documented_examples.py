"""The examples of README, docs and docstrings: the Python runs, the commands parse.

A page's Python blocks run from top to bottom in one namespace, in an empty folder. A
block that cannot run by itself has a comment before it in its source, which the page
does not show: `.. skip: next, "why"` (in Markdown `<!--- skip: next, "why" -->`).
"""

import ast
import contextlib
import functools
import importlib
import io
import re
import shlex
import textwrap
from pathlib import Path

import pytest

import minigrad as mg
from minigrad.commands.main import COMMANDS, command_parser

ROOT = Path(__file__).parent.parent
# These also compare what the programs print, which may take other libraries.
RUN_ELSEWHERE = {
    "moving.rst": "tests/interop/test_moving_page.py",
    "not-learning.rst": "tests/flow/test_not_learning_page.py",
    "others-networks.rst": "tests/interop/test_others_networks.py",
}
PAGES = [
    page
    for page in (
        *sorted(ROOT.glob("docs/*.rst")),
        *sorted(ROOT.glob("*.md")),
        ROOT / "tutorials" / "README.md",
    )
    if page.exists()
]
if not (ROOT / "docs").exists():
    pytest.skip("only in the repository", allow_module_level=True)


def python_blocks(page):
    """A document of Sybil's: the page's Python blocks, without those to skip."""
    parsers = pytest.importorskip("sybil.parsers.rest", reason="needs sybil")
    if page.suffix == ".md":
        parsers = pytest.importorskip("sybil.parsers.markdown", reason="needs sybil")
    from sybil import Document

    return Document.parse(
        str(page), parsers.PythonCodeBlockParser(), parsers.SkipParser()
    )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_python_of_a_page_runs(page, tmp_path, monkeypatch):
    text = page.read_text(encoding="utf-8")
    written = len(re.findall(r"code-block:: python$|^ *```python$", text, re.MULTILINE))
    if page.name in RUN_ELSEWHERE:
        elsewhere = ROOT / RUN_ELSEWHERE[page.name]
        assert written and f'"{page.name}"' in elsewhere.read_text(encoding="utf-8")
        return
    monkeypatch.chdir(tmp_path)
    from unittest import SkipTest

    found = list(python_blocks(page))
    blocks = [one for one in found if isinstance(one.parsed, str)]
    assert len(blocks) == written
    for one in found:
        with contextlib.redirect_stdout(io.StringIO()):
            try:
                one.evaluate()
            except SkipTest as skipped:
                assert len(str(skipped)) > 5, f"{page.name}:{one.line}: why?"
    assert not {"mg", "minigrad"} & set(tmp_path.iterdir())


# ------------------------------------------------------------- commands


def written_commands():
    """Every `minigrad ...` that a page or a lesson shows: (file, line, command)."""
    lessons = sorted(ROOT.glob("tutorials/*.py"))
    for path in (*PAGES, *lessons):
        lines = path.read_text(encoding="utf-8").split("\n")
        for number, line in enumerate(lines, 1):
            for text in re.findall(r"^(?:    |\$ )+(minigrad .*)", line):
                yield path.name, number, text
            for text in re.findall(r"``?(minigrad [a-z]+(?: [^`]*)?)`", line):
                yield path.name, number, text


@functools.cache
def parser():
    return command_parser()


def understood(text):
    """What the parser says against a command; nothing if it takes it."""
    text = re.sub(r"\|\S+", "", text.replace("TASK", "sentiment"))  # one of a|b|c
    text = re.sub(r"[][]", "", text)  # what may be left out
    words = shlex.split(text, comments=True)[1:]
    words = words[: next((k for k, w in enumerate(words) if w in (">", "&&")), None)]
    if len(words) == 1 and words[0] in COMMANDS:
        return ""  # the name of a command alone
    errors = io.StringIO()
    with contextlib.redirect_stderr(errors), contextlib.redirect_stdout(errors):
        try:
            parser().parse_args(words)
        except SystemExit as end:
            return "" if end.code == 0 else errors.getvalue()
    return ""


def test_every_command_that_is_written_down_is_understood():
    found = list(written_commands())
    assert len(found) > 40 and {text.split()[1] for *_, text in found} >= {
        "draw", "step", "train", "explore", "check",
    }  # fmt: skip
    wrong = [
        f"{name}:{number}: {text}: {said}"
        for name, number, text in found
        if (said := understood(text))
    ]
    assert wrong == []


@pytest.mark.parametrize("name", COMMANDS)
def test_the_example_of_a_command_is_understood(name):
    module = importlib.import_module(COMMANDS[name])
    assert understood(module.EXAMPLE) == ""


# ------------------------------------------------------------- docstrings


def docstrings():
    """(place, docstring) of every module, class and function that speaks of `mg.`."""
    for path in sorted([*ROOT.glob("minigrad/**/*.py"), *ROOT.glob("models/*.py")]):
        text = path.read_text(encoding="utf-8")
        if "mg." in text:
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
                    found = ast.get_docstring(node) or ""
                    if "mg." in found:
                        yield f"{path.name}:{getattr(node, 'lineno', 1)}", found


def examples(docstring):
    """Its indented paragraphs that are Python and speak of `mg.`."""
    for part in re.findall(r"(?:^    .*\n|^\n)+", docstring + "\n", re.MULTILINE):
        code = textwrap.dedent(part)
        with contextlib.suppress(SyntaxError):
            yield ast.parse(code)


def attributes(tree):
    """["optim", "SGD"] for each `mg.optim.SGD` within, and for each part of it."""
    for node in ast.walk(tree):
        path = []
        while isinstance(node, ast.Attribute):
            path, node = [node.attr, *path], node.value
        if path and isinstance(node, ast.Name) and node.id == "mg":
            yield path


def test_docstrings_name_what_there_is():
    """Whatever an example calls `mg.a.b` exists."""
    names, missing = 0, []
    for place, docstring in docstrings():
        for path in (path for tree in examples(docstring) for path in attributes(tree)):
            found = mg
            for part in path:
                found = getattr(found, part, None)
            names += 1
            if found is None:
                missing.append(f"{place}: mg.{'.'.join(path)}")
    assert names > 25 and missing == []
