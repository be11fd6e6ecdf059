"""Writes out one entry of one gradient as a sum of terms: `mg.explain`.

`explanation.py` takes the question. `step_cuts.py` cuts the graph into time steps,
`step_chain.py` writes a step's share as products of Jacobians, `path_listing.py` lists
the paths, `entry_names.py` names entries; `explanation_text.py` and `typeset.py` print,
and `sympy_formula.py` makes one formula of it all.

Read next: `explanation.py`.
"""

from minigrad.explaining.explanation import Explanation, explain
from minigrad.explaining.terms import Term

__all__ = ["Explanation", "Term", "explain"]
