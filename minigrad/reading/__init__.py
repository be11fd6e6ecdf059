"""Questions asked of a recorded graph, each answered in one place.

loops.py (which loop and time step an operation belongs to), gates.py (what each gate
computed), names.py (what a value is called), formulas.py (how an operation and its rule
are written), uses.py (where a parameter is used), replay.py (the same operations with
other arrays), gradcheck.py (is this gradient right?), text.py (safe text, numbers).

Read next: `loops.py`.
"""
