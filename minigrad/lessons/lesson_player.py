"""Plays a tutorial in the terminal: shows a cell, and Enter runs it.

Figures and pages that a cell makes are written into a folder as they appear.

Read next: `terminal_formulas.py`.
"""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from rich.console import Console
from rich.markdown import Markdown
from rich.syntax import Syntax

from minigrad.drawing import Drawing
from minigrad.exploring import Exploration
from minigrad.flow import Diagnosis
from minigrad.lessons.lesson_cells import Cell, Lesson
from minigrad.lessons.terminal_formulas import readable
from minigrad.stepping import Steps


def play(lesson: Lesson, folder: Path, wait: bool) -> None:
    """Show a tutorial cell by cell in the terminal, and run its code.

    folder  where its figures and pages go
    wait    ask before each cell of code
    """
    console = Console()
    player = Player(lesson, folder)
    for cell in lesson.cells:
        console.print()
        if cell.kind == "text":
            console.print(Markdown(readable(cell.source)))
            continue
        console.print(Syntax(cell.source, "python", theme="ansi_dark"))
        answer = _answer(console) if wait else "a"
        if answer == "q":
            return
        wait = answer != "a"
        for path in player.run(cell):
            console.print(f"picture: {path}", style="bold", soft_wrap=True)
    console.print(f"\n[bold]{lesson.title}[/]: done; every claim was checked.")


def _answer(console: Console) -> str:
    """What is typed before Enter: q quits, a runs all the rest, as with no terminal."""
    if sys.stdin is None or not sys.stdin.isatty():
        return "a"
    text = console.input("[dim]Enter: run this cell, a: run all the rest, q: quit[/] ")
    return text.strip().lower()[:1]


class Player:
    """Runs the cells of a tutorial, one after the other, in one namespace.

    folder   where figures (PNG) and pages (HTML) are written; made when needed
    made     the paths of what was written so far
    """

    def __init__(self, lesson: Lesson, folder: Path) -> None:
        self.lesson, self.folder = lesson, folder
        self.made: list[Path] = []
        self.module = ModuleType("__main__")
        self.module.__file__ = str(lesson.path)

    def run(self, cell: Cell) -> list[Path]:
        """Run one cell of code as a notebook does: its last value is shown.

        Returns the paths of the figures and pages that it made. What the code raises
        is passed on: a tutorial asserts what it claims.
        """
        import matplotlib

        matplotlib.use("agg")
        tree = ast.parse(cell.source)
        ast.increment_lineno(tree, cell.line - 1)
        last = tree.body[-1]
        shown = None
        if isinstance(last, ast.Expr):
            shown = ast.Expression(last.value)
            tree.body.pop()
        place = str(self.lesson.path)
        outside = sys.modules["__main__"]
        sys.modules["__main__"] = self.module
        try:
            exec(compile(tree, place, "exec"), self.module.__dict__)
            value = (
                eval(compile(shown, place, "eval"), self.module.__dict__)
                if shown
                else None
            )
        finally:
            sys.modules["__main__"] = outside
        before = len(self.made)
        self._show(value)
        self._write_figures()
        return self.made[before:]

    def _show(self, value: Any) -> None:
        """Print a cell's last value, or write it as a page if it is one."""
        if value is None:
            return
        if isinstance(value, Drawing | Steps | Diagnosis | Exploration):
            value.save(self._path("html"))
        elif not _of_matplotlib(value):
            print(repr(value))

    def _write_figures(self) -> None:
        from matplotlib import pyplot

        for number in pyplot.get_fignums():
            pyplot.figure(number).savefig(self._path("png"), dpi=120)
        pyplot.close("all")

    def _path(self, ending: str) -> Path:
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"{self.lesson.name}-{len(self.made) + 1}.{ending}"
        self.made.append(path)
        return path


def _of_matplotlib(value: Any) -> bool:
    """Is it an artist, or a list of them? Notebooks' users do not miss their repr."""
    first = value[0] if isinstance(value, list | tuple) and value else value
    return type(first).__module__.partition(".")[0] == "matplotlib"
