"""Which of minigrad's functions is recorded for which of NumPy's.

FUNCTIONS, UFUNCS   what NumPy's function becomes when it meets a tensor
REDUCTIONS          the same for np.add.reduce(x) and its like
NO_SLOPE            functions whose result has no derivative by its nature (shapes,
                    comparisons, rounding): they get the arrays
INSTEAD             what to write for some that are not recorded

Read next: `numpy_functions.py`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.engine import numpy_functions as made
from minigrad.engine.primitives import along_axis, joins, linalg, reduce
from minigrad.engine.primitives import elementwise as e
from minigrad.engine.primitives import shape as shapes
from minigrad.engine.primitives.operands import operand

FUNCTIONS: dict[Any, Callable[..., Any]] = {
    np.reshape: made.reshaped,
    np.ravel: made.raveled,
    np.transpose: made.transposed,
    np.swapaxes: shapes.swapaxes,
    np.matrix_transpose: lambda x: shapes.swapaxes(x, -1, -2),
    np.moveaxis: made.axes_moved(np.moveaxis),
    np.rollaxis: made.axes_moved(np.rollaxis),
    np.expand_dims: shapes.expand_dims,
    np.squeeze: shapes.squeeze,
    np.atleast_1d: lambda a: a if a.ndim else shapes.reshape(a, 1),
    np.atleast_2d: made.at_least_2d,
    np.broadcast_to: shapes.broadcast_to,
    np.concatenate: made.concatenated,
    np.append: made.appended,
    np.stack: joins.stack,
    np.vstack: made.stacked_below,
    np.hstack: made.stacked_beside,
    np.column_stack: made.columns,
    np.split: made.split,
    np.array_split: made.split_unevenly,
    np.take: made.taken,
    np.tril: made.lower_triangle,
    np.triu: made.upper_triangle,
    np.where: made.chosen,
    np.clip: made.clip,
    np.diff: made.differences,
    np.dot: made.dot,
    np.inner: made.inner,
    np.outer: made.outer,
    np.vdot: made.vdot,
    np.tensordot: made.tensordot,
    np.einsum: made.contracted,
    np.trace: made.trace,
    np.linalg.norm: made.norm,
    np.sum: made.reduction(reduce.sum_over),
    np.mean: made.reduction(reduce.mean_over),
    np.prod: made.reduction(reduce.prod_over),
    np.max: made.reduction(reduce.max_over),
    np.amax: made.reduction(reduce.max_over),
    np.min: made.reduction(reduce.min_over),
    np.amin: made.reduction(reduce.min_over),
    np.argmax: made.reduction(along_axis.argmax),
    np.argmin: made.reduction(along_axis.argmin),
    np.average: lambda a, axis=None: reduce.mean_over(operand(a), axis),
    np.ptp: made.range_between,
    np.std: made.spread(along_axis.std_over),
    np.var: made.spread(along_axis.var_over),
    np.cumsum: along_axis.cumsum,
    **{
        function: made.entries_moved(function)
        for function in (
            np.repeat, np.tile, np.flip, np.fliplr, np.flipud, np.roll, np.rot90,
            np.diagonal, np.delete, np.resize, np.take_along_axis,
        )
    },
}  # fmt: skip
if hasattr(np, "unstack"):  # NumPy 2.1
    FUNCTIONS[np.unstack] = lambda x, *, axis=0: joins.unstack(x, axis)

UFUNCS: dict[np.ufunc, Callable[..., Any]] = {
    np.add: e.add,
    np.subtract: e.subtract,
    np.multiply: e.multiply,
    np.divide: e.divide,
    np.power: e.power,
    np.matmul: linalg.matmul,
    np.maximum: e.maximum,
    np.minimum: e.minimum,
    np.equal: e.equal,
    np.not_equal: e.not_equal,
    np.less: e.less,
    np.less_equal: e.less_equal,
    np.greater: e.greater,
    np.greater_equal: e.greater_equal,
    np.negative: e.negative,
    np.positive: lambda x: x,
    np.absolute: e.absolute,
    np.fabs: e.absolute,
    np.exp: e.exp,
    np.exp2: lambda x: e.power(2.0, x),
    np.expm1: e.expm1,
    np.log: e.log,
    np.log2: lambda x: e.divide(e.log(x), math.log(2)),
    np.log10: lambda x: e.divide(e.log(x), math.log(10)),
    np.log1p: e.log1p,
    np.sqrt: e.sqrt,
    np.square: lambda x: e.multiply(x, x),
    np.reciprocal: lambda x: e.divide(1.0, x),
    np.tanh: e.tanh,
    np.sin: e.sin,
    np.cos: e.cos,
    np.tan: lambda x: e.divide(e.sin(x), e.cos(x)),
}

# np.add.reduce(x, axis=0) and its like.
REDUCTIONS: dict[tuple[np.ufunc, str], Callable[..., Any]] = {
    (np.add, "reduce"): reduce.sum_over,
    (np.multiply, "reduce"): reduce.prod_over,
    (np.maximum, "reduce"): reduce.max_over,
    (np.minimum, "reduce"): reduce.min_over,
    (np.add, "accumulate"): along_axis.cumsum,
}

NO_SLOPE = {
    # about shapes and kinds, and for printing and saving
    np.shape, np.ndim, np.size, np.result_type, np.iscomplexobj, np.isrealobj,
    np.zeros_like, np.ones_like, np.empty_like, np.full_like, np.shares_memory,
    np.may_share_memory, np.array2string, np.array_repr, np.array_str,
    np.save, np.savez, np.savez_compressed, np.savetxt,
    # yes or no, where, how many, in what order
    np.isnan, np.isfinite, np.isinf, np.signbit, np.logical_and, np.logical_or,
    np.logical_not, np.logical_xor, np.isclose, np.allclose, np.array_equal,
    np.array_equiv, np.any, np.all, np.nonzero, np.flatnonzero, np.argwhere,
    np.count_nonzero, np.argsort, np.searchsorted, np.digitize, np.bincount,
    # flat between their jumps
    np.sign, np.floor, np.ceil, np.rint, np.trunc, np.round, np.around,
    np.floor_divide,
}  # fmt: skip

# What to write instead, where it is not plain from the name.
INSTEAD = {
    "expit": "mg.sigmoid(x)",
    "array": "mg.tensor([...]) and mg.stack([...]) join tensors and stay in the graph",
    "copy": "a tensor's values never change, so it needs no copy",
    "logaddexp": "mg.logsumexp(mg.stack([a, b]), axis=0)",
    "hypot": "mg.norm(mg.stack([a, b]), axis=0)",
    "pad": "mg.concatenate([x, np.zeros(...)])",
    "block": "mg.concatenate, once per axis",
    "dstack": "mg.stack([...], axis=2)",
    "insert": "mg.concatenate([x[:k], new, x[k:]])",
    "copyto": "mg.where(mask, new, old)",
    "put": "mg.where(mask, new, old)",
    "putmask": "mg.where(mask, new, old)",
    "place": "mg.where(mask, new, old)",
    "sort": "x[np.argsort(x.data)]",
    "cumprod": "mg.exp(mg.cumsum(mg.log(x))), for x > 0",
    "nansum": "mg.where(np.isnan(x.data), 0.0, x).sum()",
    "sinh": "(mg.exp(x) - mg.exp(-x)) / 2",
    "cosh": "(mg.exp(x) + mg.exp(-x)) / 2",
    "cbrt": "x ** (1 / 3), for x > 0",
    "remainder": "x - y * np.floor(x.data / y)",
}
