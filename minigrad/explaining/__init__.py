"""One entry of one gradient, written out: `mg.explain`. Start with `explanation.py`."""

from minigrad.explaining.explanation import Explanation, explain
from minigrad.explaining.terms import Term

__all__ = ["Explanation", "Term", "explain"]
