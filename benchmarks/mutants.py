"""Mutants: code with one small change, a sign, a number, a comparison.

They are made by cosmic-ray (`pip install cosmic-ray`), which knows the changes. Places
in the code are drawn at random, then one change for each. Left out is what does
nothing: types, docstrings, texts, an `is` for an `==` (the same for numbers and names
that Python keeps once), and changes that are no Python any more.
"""

import ast
import random
import warnings
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
# What is mutated; a file belongs to the longest of them that fits.
FOLDERS = (
    "minigrad/engine/primitives",
    "minigrad/engine/kernels",
    "minigrad/engine/repeating",
    "minigrad/engine",
    "models",
    "minigrad/nn/optim",
    "minigrad/nn",
    "minigrad/flow",
    "minigrad/compiler",
)
LEFT_OUT = {
    # Words and pictures, which other tests look at.
    "messages.py", "errors.py", "foreign_names.py", "notebook_pictures.py",
    "gradient_plots.py", "plot_style.py", "page_sections.py", "monitor_page.py",
    "framed_views.py", "figure_page.py", "terminal_tables.py",
    # Networks of the tasks, which are tested by training them.
    "forecaster.py", "language_model.py", "sentiment_reader.py", "taggers.py",
    "translator.py", "word_models.py",
}  # fmt: skip


class Mutant(NamedTuple):
    """Where the change is, and which: the number-th place of cosmic-ray's operator."""

    file: str
    line: int
    operator: str
    number: int

    def apply(self, source):
        """The changed source."""
        from cosmic_ray import mutating, plugins

        operator = plugins.get_operator(self.operator)()
        return mutating.mutate_code(source, operator, self.number)


def folder_of(path):
    """The entry of FOLDERS that a file belongs to."""
    return max((f for f in FOLDERS if path.startswith(f"{f}/")), key=len)


def files_of(folder):
    """The files that are mutated, as paths from the root."""
    found = (p.relative_to(ROOT) for p in sorted((ROOT / folder).rglob("*.py")))
    names = [p.as_posix() for p in found if p.name not in LEFT_OUT]
    return [name for name in names if folder_of(name) == folder]


def idle(source):
    """Places of types and texts: pairs of (line, column), from and to."""
    found = []
    for node in ast.walk(ast.parse(source)):
        parts = [getattr(node, "annotation", None), getattr(node, "returns", None)]
        if isinstance(node, ast.JoinedStr):
            parts.append(node)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            parts.append(node)
        if isinstance(node, ast.Assign) and "Callable[" in ast.unparse(node.value):
            parts.append(node)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "cast":
            parts.append(node.args[0])
        for part in parts:
            if part is not None:
                end = (part.end_lineno, part.end_col_offset)
                found.append(((part.lineno, part.col_offset), end))
    return found


def operators():
    """Cosmic-ray's changes that need no arguments, by name."""
    from cosmic_ray import plugins

    names = sorted(plugins.operator_names())
    kinds = {name: plugins.get_operator(name) for name in names}
    return {
        name: kind
        for name, kind in kinds.items()
        if not kind.arguments() and not name.endswith("NoOp") and not _of_is(name)
    }


def _of_is(name):
    """Does it put `is` for another comparison, or another for `is`?"""
    if "ReplaceComparisonOperator_" not in name:
        return False
    before, after = name.rsplit("_", 2)[1:]
    return (before in ("Is", "IsNot")) != (after in ("Is", "IsNot"))


@cache
def places(file):
    """The changes of a file by place: {((line, column), end): [(operator, number)]}."""
    from cosmic_ray.ast import ast_nodes, get_ast

    source = (ROOT / file).read_text(encoding="utf-8")
    tree, skipped, found = get_ast(source), idle(source), {}
    for name, kind in operators().items():
        spots = (
            spot for node in ast_nodes(tree) for spot in kind().mutation_positions(node)
        )
        for number, (start, end) in enumerate(spots):
            if not any(a <= start and end <= b for a, b in skipped):
                found.setdefault((start, end), []).append((name, number))
    return found


def draw(folder, count, seed):
    """(number of places in the folder, up to `count` mutants, each of another)."""
    drawn = random.Random(f"{seed} {folder}")
    everything = [
        (file, *item)
        for file in files_of(folder)
        for item in sorted(places(file).items())
    ]
    drawn.shuffle(everything)
    mutants = []
    for file, (start, _), changes in everything:
        if len(mutants) == count:
            break
        mutant = Mutant(file, start[0], *drawn.choice(changes))
        if _is_python(mutant):
            mutants.append(mutant)
    return len(everything), mutants


def _is_python(mutant):
    source = (ROOT / mutant.file).read_text(encoding="utf-8")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.dump(ast.parse(mutant.apply(source))) != ast.dump(
                ast.parse(source)
            )
    except SyntaxError:
        return False


def difference(whole, changed):
    """The first line that differs, as it was and as it is; blank lines apart."""
    texts = [[line.strip() for line in t.splitlines()] for t in (whole, changed)]
    pairs = zip(*[[line for line in text if line] for text in texts], strict=False)
    return next((p for p in pairs if p[0] != p[1]), ("", ""))
