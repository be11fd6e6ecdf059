"""The table of primitives, one file per kind.

base.py says what a primitive is and how an operation is recorded; fused.py makes
kernels of an elementwise one. The kinds: elementwise.py, shape.py, joins.py,
reduce.py, index.py, linalg.py, folded.py, affine.py, along_axis.py, einsum.py.
messages.py, operands.py, axis_arguments.py and anomaly.py look at what goes in and
comes out.

To add one: write the value and its rule in the file of its kind, give it a row in the
test table (`tests/`), and export it in `minigrad/__init__.py`.

Read next: `base.py`.
"""

from minigrad.engine.primitives import (
    along_axis,
    einsum,
    elementwise,
    index,
    joins,
    linalg,
    reduce,
    shape,
)
from minigrad.engine.primitives.base import TABLE, Primitive

__all__ = [
    "TABLE",
    "Primitive",
    "along_axis",
    "einsum",
    "elementwise",
    "index",
    "joins",
    "linalg",
    "reduce",
    "shape",
]
