"""Turns a tutorial into a Jupyter notebook with the same cells.

Read next: `minigrad/lessons/exercises/` (answers, checked).
"""

from __future__ import annotations

from typing import Any

from minigrad.lessons.lesson_cells import Lesson


def notebook(lesson: Lesson) -> dict[str, Any]:
    """The notebook of a tutorial (nbformat 4.5), not yet run, ready for `json.dump`."""
    cells = []
    for number, cell in enumerate(lesson.cells):
        made: dict[str, Any] = {
            "cell_type": "markdown" if cell.kind == "text" else "code",
            "id": f"cell-{number:03d}",
            "metadata": {},
            "source": cell.source.splitlines(keepends=True),
        }
        if cell.kind == "code":
            made |= {"execution_count": None, "outputs": []}
        cells.append(made)
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    return {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
