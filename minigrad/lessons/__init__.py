"""Finds the tutorials, plays them in the terminal, and makes notebooks of them.

A tutorial is a Python script in the percent format: `# %% [markdown]` begins a cell of
text (Markdown, behind "# "), `# %%` one of code. The same file runs as a script, opens
in editors and notebooks, and becomes a page of the documentation. `lesson_cells.py`
reads it, `lesson_player.py` runs it, `lesson_copies.py` and `notebook.py` write
copies of it.

Read next: `lesson_cells.py`.
"""

from minigrad.lessons.lesson_cells import Cell, Lesson, find, lessons, read
from minigrad.lessons.notebook import notebook

__all__ = ["Cell", "Lesson", "find", "lessons", "notebook", "read"]
