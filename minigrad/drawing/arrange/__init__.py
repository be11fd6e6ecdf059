"""Gives every box, line and title of a picture its place, in points.

Read `layout.py` (the result), `arrangement.py` (the order of work), `tiles.py` (one
time step, laid out by `dot`), `grid.py` (rows, columns), `routes.py` (lines).

Read next: `layout.py`.
"""
