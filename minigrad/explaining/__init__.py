"""One entry of one gradient, written out: `mg.explain`. Start with `explanation.py`."""

from minigrad.explaining.explanation import Explanation, Term, explain

__all__ = ["Explanation", "Term", "explain"]
