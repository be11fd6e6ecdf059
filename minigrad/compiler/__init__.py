"""`mg.compile`: a function traced once, rewritten by small passes, and replayed.

`trace.py` writes down what a function does, `guard.py` says for which calls that holds,
`program.py` repeats it as it is, `compiled.py` is what users call.

Read next: `trace.py`.
"""

from minigrad.compiler.compiled import Compiled, compile

__all__ = ["Compiled", "compile"]
