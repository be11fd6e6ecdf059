"""Where everything goes, in points.

Read `layout.py` (the result), `arrangement.py` (the order of work), `tiles.py` (one
time step, laid out by `dot`), `grid.py` (rows, columns), `routes.py` (lines).

Read next: `layout.py`.
"""
