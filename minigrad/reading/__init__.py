"""Questions asked of a recorded graph, each answered in one place.

levels.py (what a scope says), gates.py (what each gate computed), activations.py (which
operations are activation functions), loops.py (which loop and time step an operation
belongs to; loop_search.py, handed_on.py, links.py, repeated_cells.py, fed_states.py,
passes.py and loop_names.py: how that is found, and what it is called), whole_loops.py
(the same of loops whose repeated steps nobody writes down), names.py (what a value is
called), formulas.py (how an operation and its rule are written, as a tree),
formula_printers.py (the tree as text, MathML, TeX), pulling.py (a gradient through a
few operations), norms.py, uses.py (where a parameter is used), replay.py (the same
operations with other arrays), gradcheck.py (is this gradient right?), text.py.

Read next: `levels.py`.
"""
