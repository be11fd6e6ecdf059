"""`minigrad tutorial`: lists the tutorials, or plays one of them cell by cell.

Read next: `draw.py`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from minigrad.lessons.lesson_cells import find, lessons

HELP = "list the tutorials, or play one in the terminal"
EXAMPLE = "minigrad tutorial 1"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this command to the parser."""
    add = parser.add_argument
    add("number", nargs="?", help="the tutorial to play (without it: list all)")
    add("--no-wait", action="store_true", help="run all cells without asking")
    add("--copy", metavar="FILE", help="save it as x.py or x.ipynb instead")
    add("--no-solutions", action="store_true", help="leave out the solutions")
    add("--exercises", action="store_true", help="print a file to answer them in")
    add(
        "--check",
        metavar="FILE",
        help="run your file of answers and say what is wrong, with hidden values",
    )
    add(
        "-o",
        "--output",
        type=Path,
        default=Path("minigrad-tutorial"),
        help="folder for figures and pages (minigrad-tutorial)",
    )


def run(options: argparse.Namespace) -> int:
    """List, copy, check or play; 1 if an answer is not right yet.

    Raises ArgumentError if there is no tutorial of that number.
    """
    if options.number is None:
        _list()
        return 0
    lesson = find(options.number)
    if options.check or options.exercises:
        return _exercises(lesson.number, options.check)
    if options.no_solutions:
        lesson = lesson.without_solutions()
    if options.copy:
        from minigrad.lessons.lesson_copies import copy

        print(f"wrote {copy(lesson, Path(options.copy))}")
        return 0
    from minigrad.lessons.lesson_player import play

    play(lesson, options.output, wait=not options.no_wait)
    return 0


def _exercises(number: int, file: str | None) -> int:
    """Print the functions to write, or check those that a file has."""
    from minigrad.lessons.exercises import check, template

    if file is None:
        print(template(number), end="")
        return 0
    found = check(number, file)
    for one in found:
        told = one.fault and f"not yet: {one.fault}."
        if one.missing:
            told = f"not in the file yet: def {one.name}"
        print(f"Exercise {one.number}, {one.name}: {told or 'right'}")
    solved = sum(not one.missing and not one.fault for one in found)
    print(f"{solved} of {len(found)} are right.")
    return 0 if solved == len(found) else 1


def _list() -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("", "tutorial", "about", title="minigrad tutorial NUMBER")
    for lesson in lessons():
        title = f"[bold]{lesson.title}[/]\n{lesson.summary}"
        table.add_row(str(lesson.number), title, f"{lesson.seconds} s")
    Console().print(table)
