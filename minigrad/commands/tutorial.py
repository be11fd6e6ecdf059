"""`minigrad tutorial`: the list of tutorials, and one of them, cell by cell.

Read next: `draw.py`.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from minigrad.engine.errors import ArgumentError
from minigrad.lessons.lesson_cells import Lesson, find, lessons

HELP = "list the tutorials, or play one in the terminal"
EXAMPLE = "minigrad tutorial 1"


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command understands."""
    add = parser.add_argument
    add("number", nargs="?", help="which tutorial; none: list them")
    add("--no-wait", action="store_true", help="run all cells without asking")
    add("--copy", metavar="FILE", help="write it instead: x.py, or x.ipynb")
    add("--no-solutions", action="store_true", help="leave out exercises' solutions")
    add(
        "-o",
        "--output",
        type=Path,
        default=Path("minigrad-tutorial"),
        help="folder for its figures and pages",
    )


def run(options: argparse.Namespace) -> None:
    """List, copy or play. Raises ArgumentError for a tutorial that there is not."""
    if options.number is None:
        return _list()
    lesson = find(options.number)
    if options.no_solutions:
        lesson = lesson.without_solutions()
    if options.copy:
        return _copy(lesson, Path(options.copy))
    return _play(lesson, options.output, wait=not options.no_wait)


def _list() -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("", "tutorial", "about", title="minigrad tutorial NUMBER")
    for lesson in lessons():
        title = f"[bold]{lesson.title}[/]\n{lesson.summary}"
        table.add_row(str(lesson.number), title, f"{lesson.seconds} s")
    Console().print(table)


def source(lesson: Lesson) -> str:
    """The tutorial as a script in cells again."""
    parts = []
    for cell in lesson.cells:
        if cell.kind == "text":
            lines = [f"# {line}".rstrip() for line in cell.source.split("\n")]
            parts.append("\n".join(["# %% [markdown]", *lines]))
        else:
            parts.append(f"# %%\n{cell.source}")
    return "\n\n".join(parts) + "\n"


def _copy(lesson: Lesson, path: Path) -> None:
    from minigrad.lessons.notebook import notebook

    if path.suffix not in (".py", ".ipynb"):
        raise ArgumentError(
            f"--copy {str(path)[:60]!r}: what is it to be?",
            expect="a name that ends in .py or .ipynb",
            actual=path.suffix or "no ending",
            hint=f"--copy {lesson.name}.ipynb",
        )
    if path.exists():
        raise ArgumentError(
            f"--copy {str(path)[:60]!r}: there is such a file",
            expect="a new name",
            actual="a file that may hold your own work",
            hint="move it away, or choose another name",
        )
    if path.suffix == ".py":
        text = source(lesson)
    else:
        text = json.dumps(notebook(lesson), indent=1, ensure_ascii=False) + "\n"
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ArgumentError(
            f"--copy {str(path)[:60]!r}: it cannot be written",
            expect="a folder that exists and can be written to",
            actual=str(error),
            hint="choose another place",
        ) from None
    print(f"wrote {path}")


def _play(lesson: Lesson, folder: Path, wait: bool) -> None:
    from rich.console import Console
    from rich.markdown import Markdown
    from rich.syntax import Syntax

    from minigrad.lessons.lesson_player import Player
    from minigrad.lessons.terminal_formulas import readable

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


def _answer(console: Any) -> str:
    """What is typed before Enter: q quits, a runs all the rest, as with no terminal."""
    if not sys.stdin.isatty():
        return "a"
    text = console.input("[dim]Enter runs it, a: all the rest, q: quit[/] ")
    return text.strip().lower()[:1]
