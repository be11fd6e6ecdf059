"""Checks a learner's file: it runs as a program of theirs, in a process of its own.

The file is run on purpose, as `python answer.py` would run it: with the learner's
rights, and with nothing of ours in its process but the checker. It gets hidden values,
which are other ones each time.

Read next: `answer_program.py`.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path
from typing import Any, NamedTuple

from minigrad.engine.errors import ArgumentError, DataError
from minigrad.lessons.exercises.cell_exercises import EXERCISES as CELLS
from minigrad.lessons.exercises.data_exercises import EXERCISES as DATA
from minigrad.lessons.exercises.exercise import Exercise
from minigrad.lessons.exercises.gradient_exercises import EXERCISES as GRADIENTS
from minigrad.lessons.exercises.search_exercises import EXERCISES as SEARCHES
from minigrad.reading.text import clean

ALL = (*GRADIENTS, *CELLS, *DATA, *SEARCHES)
SECONDS = 60  # after which an answer is stopped


class Found(NamedTuple):
    """One exercise: its number, its function, and what is wrong ("" if solved).

    missing  the file has no such function yet
    """

    number: int
    name: str
    fault: str
    missing: bool = False


def of_lesson(number: int) -> list[Exercise]:
    """The exercises of a lesson that can be checked. ArgumentError if it has none."""
    found = [one for one in ALL if one.lesson == number]
    if not found:
        raise ArgumentError(
            f"tutorial {number} has no exercises that can be checked",
            expect="one of " + ", ".join(map(str, sorted({e.lesson for e in ALL}))),
            actual=str(number),
            hint="minigrad tutorial lists all of them",
        )
    return found


def template(number: int) -> str:
    """A file to begin with: the functions to write, and what each has to return."""
    parts = [
        f'"""Answers to the exercises of tutorial {number}.\n\n'
        f'Check them with: minigrad tutorial {number} --check answer.py\n"""\n\n'
        "import numpy as np\n\nimport minigrad as mg\n"
    ]
    for one in of_lesson(number):
        asked = textwrap.fill(
            f"Exercise {one.number}: {one.asks}.",
            88,
            initial_indent="    # ",
            subsequent_indent="    # ",
        )
        parts.append(f"\n\ndef {one.name}:\n{asked}\n    ...\n")
    return "".join(parts)


def check(number: int, file: str | os.PathLike[str]) -> list[Found]:
    """Run a file of answers, and say what is wrong with each of its functions.

    Raises ArgumentError for a lesson without such exercises, DataError for a file that
    is not there, does not run, or takes longer than a minute before any function is
    tried. A function that never ends has that as its fault.
    """
    exercises = of_lesson(number)
    path = Path(file)
    if not path.is_file():
        raise DataError(
            f"--check {clean(path, 100)}: there is no such file",
            expect="a Python file with your functions",
            actual=clean(path, 100),
            hint=f"minigrad tutorial {number} --exercises > answer.py makes one",
        )
    with tempfile.TemporaryDirectory() as folder:
        told = os.path.join(folder, "told.json")
        told_of = _run(path, number, told)
    if "error" in told_of:
        raise DataError(
            f"--check {clean(path.name, 60)}: the file does not run",
            expect="a program that runs to its end",
            actual=clean(told_of["error"], 200),
            hint=f"try it alone: python {clean(path.name, 60)}",
        )
    faults = told_of["faults"]
    if "trying" in told_of:
        faults[told_of["trying"]] = [told_of["stopped"], False]
    unseen = ["it was not looked at, as the file was stopped before", False]
    return [
        Found(one.number, one.name, *faults.get(one.function, unseen))
        for one in exercises
    ]


def _run(path: Path, number: int, told: str) -> dict[str, Any]:
    """Run the file in a child process; what it wrote down."""
    package = str(Path(__file__).resolve().parents[3])
    known = os.environ.get("PYTHONPATH")
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, (package, known))),
    }
    command = [sys.executable, "-m", "minigrad.lessons.exercises.answer_program"]
    command += [str(path.resolve()), str(number), str(secrets.randbits(32)), told]
    try:
        subprocess.run(command, timeout=SECONDS, check=False, env=environment)
        why = "it ended before its answers could be looked at"
    except subprocess.TimeoutExpired:
        why = f"it took longer than {SECONDS} s and was stopped"
    try:
        found = json.loads(Path(told).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {"error": why}
    return {"stopped": why, **found}
