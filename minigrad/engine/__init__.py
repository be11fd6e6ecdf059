"""The engine: tensors, the recorded graph, and gradients of it.

It knows no other room of the house. Read `tensor.py` (what a user holds), `graph.py`
(what an operation leaves behind), `scope.py` (names for stretches of a program),
`autodiff.py` (the walk backwards), `primitives/base.py` and `primitives/elementwise.py`
(operations and their rules), `functions.py`, `errors.py`. `kernels/` makes it fast.
The other files are looked up when one of these names them.

Read next: `tensor.py`.
"""
