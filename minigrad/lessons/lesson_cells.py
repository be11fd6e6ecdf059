"""Finds the tutorials and reads them as cells of text and code.

Read next: `lesson_player.py`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import minigrad
from minigrad.engine.errors import ArgumentError

_HERE = Path(minigrad.__file__).parent
# In a wheel they travel inside the package; in a work tree they stand beside it.
FOLDERS = (_HERE / "_tutorials", _HERE.parent / "tutorials")


class Cell(NamedTuple):
    """A piece of a tutorial: its kind ("text" or "code"), its source, its first line.

    A text's source is Markdown, without the "# " in front of its lines.
    """

    kind: str
    source: str
    line: int

    @property
    def heading(self) -> str:
        """The heading that a text begins with, or ""."""
        first = self.source.split("\n", 1)[0]
        return first.lstrip("#").strip() if first.startswith("#") else ""


@dataclass(frozen=True)
class Lesson:
    """A tutorial: its file and its cells, the first of them a text with the title.

    number   the two digits that its file's name begins with, as a number
    """

    path: Path
    cells: tuple[Cell, ...]

    @property
    def name(self) -> str:
        """The file's name without its ending: "01_chain_rule"."""
        return self.path.stem

    @property
    def number(self) -> int:
        """Its place in the order of the tutorials."""
        return int(self.name[:2])

    @property
    def title(self) -> str:
        """Its title, without the number."""
        return re.sub(r"^\d+\. ", "", self.cells[0].heading)

    @property
    def summary(self) -> str:
        """The paragraph below the title, on one line."""
        return " ".join(self.cells[0].source.split("\n\n")[1].split())

    @cached_property
    def seconds(self) -> int:
        """The seconds that it takes, as it says in its first cell."""
        found = re.search(r"Time to run: about (\d+) s", self.cells[0].source)
        return int(found[1]) if found else 60

    def without_solutions(self) -> Lesson:
        """The same, for a class: each solution and the code below it left out."""
        kept: list[Cell] = []
        dropping = False
        for cell in self.cells:
            if cell.kind == "text":
                dropping = cell.heading.startswith("Solution")
            if not dropping:
                kept.append(cell)
        return Lesson(self.path, tuple(kept))


def read(path: Path) -> Lesson:
    """The tutorial in a file. ArgumentError if it is none: see the package's text."""
    text = path.read_text(encoding="utf-8")
    cells: list[Cell] = []
    lines: list[str] = []
    kind, start = "", 0
    for number, line in enumerate([*text.split("\n"), "# %%"], 1):
        if not line.startswith("# %%"):
            lines.append(line)
            continue
        source = "\n".join(lines).strip("\n")
        if source and not kind:
            raise _no_tutorial(path, "something stands before the first cell")
        if source:
            if kind == "text":
                source = re.sub(r"^# ?", "", source, flags=re.MULTILINE).strip()
            cells.append(Cell(kind, source, start))
        kind = "text" if "[markdown]" in line else "code"
        lines, start = [], number + 1
    if not cells or not cells[0].source.startswith("# "):
        raise _no_tutorial(path, "its first cell is no text with a title")
    return Lesson(path, tuple(cells))


def lessons() -> list[Lesson]:
    """All tutorials, in their order."""
    found = (sorted(folder.glob("[0-9][0-9]_*.py")) for folder in FOLDERS)
    return [read(path) for path in next(filter(None, found), [])]


def find(wanted: str) -> Lesson:
    """The tutorial with this number or name. ArgumentError if there is none."""
    known = lessons()
    for lesson in known:
        if wanted in (str(lesson.number), lesson.name[:2], lesson.name):
            return lesson
    raise ArgumentError(
        f"there is no tutorial {wanted[:40]!r}",
        expect="one of " + ", ".join(str(lesson.number) for lesson in known),
        actual=repr(wanted[:40]),
        hint="minigrad tutorial lists them with their titles",
    )


def _no_tutorial(path: Path, why: str) -> ArgumentError:
    return ArgumentError(
        f"{path.name} is no tutorial: {why}",
        expect="a script in cells, `# %% [markdown]` with `# # Title` first",
        actual=str(path),
        hint="see tutorials/README.md",
    )
