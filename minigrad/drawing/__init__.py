"""Draws graphs: `mg.draw(tensor)`.

Start with `drawing.py`. A picture is made in three acts: `read/` turns the graph into
boxes and lines, `arrange/` gives each its place, `write/` makes DOT, SVG, PNG, a page.
`style.py` has fonts, sizes and colours.

Read next: `drawing.py`.
"""

from minigrad.drawing.drawing import Drawing, draw

__all__ = ["Drawing", "draw"]
