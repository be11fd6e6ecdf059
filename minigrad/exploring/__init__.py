"""Sliders over exact numbers: `mg.explore` runs a function on a grid, and makes a page.

`exploration.py` has `mg.explore` and what it returns. `parameter_ranges.py` checks the
parameters and their values, `result_kinds.py` says what a function may return,
`grid_evaluation.py` calls it for every setting, `packed_results.py` keeps what it
returned without saying anything twice, `explore_page.py` writes the page, and
`static_picture.py` one picture of a setting.

Read next: `exploration.py`.
"""

from minigrad.exploring.exploration import Exploration, explore
from minigrad.exploring.result_kinds import Grid, Lines

__all__ = ["Exploration", "Grid", "Lines", "explore"]
