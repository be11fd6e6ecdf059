"""The table of primitives, one file per kind.

    elementwise.py   one scalar function and one rule each; kernels are made from them
    shape.py         views, joins and splits
    reduce.py        sums, means, products, extrema and norms over axes
    linalg.py        matrix products
    index.py         indexing and looking up rows
    base.py          what a primitive is, and how an operation is recorded
    fused.py         an elementwise primitive, and the kernels made from it
    operands.py      numbers, arrays and nested lists among the operands
    messages.py      why an operation failed, in words
    anomaly.py       where the first NaN or infinity arose

To add one: write the value and its rule in the file of its kind, give it a row in the
test table (`tests/`), and export it in `minigrad/__init__.py`. If tensors shall have it
as a method, `ArrayMethods` gets a line.

Read next: `base.py`.
"""

from minigrad.engine.primitives import elementwise, index, linalg, reduce, shape
from minigrad.engine.primitives.base import TABLE, Primitive

__all__ = ["TABLE", "Primitive", "elementwise", "index", "linalg", "reduce", "shape"]
