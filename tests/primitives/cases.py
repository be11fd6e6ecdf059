"""The table: one row per primitive, from which the tests of this folder are made."""

from typing import Any, NamedTuple

import numpy as np

import minigrad as mg
from minigrad.engine import functions
from minigrad.engine.primitives import elementwise as e
from minigrad.engine.primitives import index, joins, linalg, reduce, shape


class Case(NamedTuple):
    """A primitive at work.

    name       of the primitive, in minigrad.engine.primitives.TABLE
    function   of tensors
    numpy      the same of arrays
    shapes     of the inputs, drawn normally ...
    domain     ... and moved into the function's domain by this function of an array
    """

    name: str
    function: Any
    numpy: Any
    shapes: tuple
    domain: Any = None

    def inputs(self, rng, dtype="float64"):
        drawn = [rng.standard_normal(s) for s in self.shapes]
        if self.domain is not None:
            drawn = [self.domain(x) for x in drawn]
        return [x.astype(dtype) for x in drawn]


def away_from_0(x):
    return x + 0.3 * np.sign(x)


def positive(x):
    return np.abs(x) + 0.3


def apart(x):
    """Distinct entries, at least 0.05 apart: no ties, no kinks within a step."""
    order = np.argsort(np.argsort(x.reshape(-1)))
    return ((order - x.size / 2 + 0.5) * 0.17).reshape(x.shape)


TWO = ((2, 3), (2, 3))
MASK = np.array([[True, False, True], [False, True, True]])
ROWS = np.array([2, 0, 2, -1])
COLUMNS = np.array([0, 1, 0, 0])
TABLE = ROWS.reshape(2, 2)


def np_add_at(g):
    y = np.zeros((3, 4), g.dtype)
    np.add.at(y, ROWS, g)
    return y


def np_sigmoid(x):
    return 1 / (1 + np.exp(-x))


ELEMENTWISE = [
    Case("add", e.add, np.add, TWO),
    Case("subtract", e.subtract, np.subtract, TWO),
    Case("multiply", e.multiply, np.multiply, TWO),
    Case("divide", e.divide, np.divide, TWO, away_from_0),
    Case("power", e.power, np.power, TWO, positive),
    Case("maximum", e.maximum, np.maximum, TWO),
    Case("minimum", e.minimum, np.minimum, TWO),
    Case("negative", e.negative, np.negative, ((2, 3),)),
    Case("exp", e.exp, np.exp, ((2, 3),)),
    Case("log", e.log, np.log, ((2, 3),), positive),
    Case("log1p", e.log1p, np.log1p, ((2, 3),), positive),
    Case("expm1", e.expm1, np.expm1, ((2, 3),)),
    Case("sqrt", e.sqrt, np.sqrt, ((2, 3),), positive),
    Case("tanh", e.tanh, np.tanh, ((2, 3),)),
    Case("sigmoid", e.sigmoid, np_sigmoid, ((2, 3),)),
    Case("softplus", e.softplus, lambda x: np.logaddexp(0, x), ((2, 3),), away_from_0),
    Case("relu", e.relu, lambda x: np.maximum(x, 0), ((2, 3),), away_from_0),
    Case("absolute", e.absolute, np.absolute, ((2, 3),), away_from_0),
    Case("sin", e.sin, np.sin, ((2, 3),)),
    Case("cos", e.cos, np.cos, ((2, 3),)),
    Case(
        "where",
        lambda a, b: e.where(MASK, a, b),
        lambda a, b: np.where(MASK, a, b),
        TWO,
    ),
    Case(
        "clip",
        lambda x: mg.clip(x, -0.4, 0.5),
        lambda x: np.clip(x, -0.4, 0.5),
        ((2, 3),),
        apart,
    ),
]

COMPARISONS = [
    Case(name, getattr(e, name), getattr(np, name), TWO)
    for name in ("equal", "not_equal", "less", "less_equal", "greater", "greater_equal")
]

SHAPE = [
    Case("reshape", lambda x: x.reshape(3, -1), lambda x: x.reshape(3, -1), ((2, 3),)),
    Case(
        "transpose",
        lambda x: x.transpose(2, 0, 1),
        lambda x: x.transpose(2, 0, 1),
        ((2, 3, 4),),
    ),
    Case(
        "broadcast_to",
        lambda x: shape.broadcast_to(x, (4, 2, 3)),
        lambda x: np.broadcast_to(x, (4, 2, 3)),
        ((2, 1),),
    ),
    Case(
        "sum_to",
        lambda x: shape.sum_to(x, (1, 3)),
        lambda x: x.sum((0, 1)).reshape(1, 3),
        ((4, 2, 3),),
    ),
    Case("astype", lambda x: x.astype("float64"), lambda x: x, ((2, 3),)),
    Case(
        "concatenate",
        lambda a, b: joins.concatenate([a, b], 1),
        lambda a, b: np.concatenate([a, b], 1),
        ((2, 3), (2, 1)),
    ),
    Case(
        "split",
        lambda x: joins.split(x, [1, 3], 1)[1] * 2.0,
        lambda x: x[:, 1:3] * 2,
        ((2, 4),),
    ),
    Case(
        "stack",
        lambda a, b: joins.stack([a, b], 1),
        lambda a, b: np.stack([a, b], 1),
        TWO,
    ),
    Case(
        "unstack",
        lambda x: joins.unstack(x, 1)[2] * joins.unstack(x, 1)[0],
        lambda x: x[:, 2] * x[:, 0],
        ((2, 3),),
    ),
]

REDUCE = [
    Case("sum", lambda x: reduce.sum_over(x, 1), lambda x: x.sum(1), ((2, 3, 2),)),
    Case("sum", lambda x: reduce.sum_over(x, 1), lambda x: x.sum(1), ((2, 2),)),
    Case(
        "mean",
        lambda x: reduce.mean_over(x, (0, 2)),
        lambda x: x.mean((0, 2)),
        ((2, 3, 2),),
    ),
    Case("prod", lambda x: reduce.prod_over(x, 1), lambda x: x.prod(1), ((2, 3),)),
    Case("max", lambda x: reduce.max_over(x, 1), lambda x: x.max(1), ((2, 3),), apart),
    Case("min", lambda x: reduce.min_over(x, 0), lambda x: x.min(0), ((2, 3),), apart),
    Case(
        "norm",
        lambda x: reduce.norm_over(x, 1),
        lambda x: np.linalg.norm(x, axis=1),
        ((2, 3),),
    ),
]

OTHER = [
    Case("matmul", linalg.matmul, np.matmul, ((2, 3), (3, 4))),
    Case("matmul", linalg.matmul, np.matmul, ((3,), (3, 4))),
    Case("matmul", linalg.matmul, np.matmul, ((2, 3), (3,))),
    Case("matmul", linalg.matmul, np.matmul, ((3,), (3,))),
    Case("matmul", linalg.matmul, np.matmul, ((2, 1, 2, 3), (4, 3, 2))),
    Case("matmul", linalg.matmul, np.matmul, ((3,), (2, 3, 2))),
    Case("getitem", lambda x: x[1:, ::-2], lambda x: x[1:, ::-2], ((3, 4),)),
    Case("getitem", lambda x: x[..., None, -1], lambda x: x[..., None, -1], ((3, 4),)),
    Case("getitem", lambda x: x[ROWS], lambda x: x[ROWS], ((3, 4),)),
    Case("getitem", lambda x: x[ROWS, COLUMNS], lambda x: x[ROWS, COLUMNS], ((3, 4),)),
    Case("getitem", lambda x: x[x.data > 0] * 1.0, lambda x: x[x > 0], ((3, 4),)),
    Case("getitem", lambda x: index.take(x, TABLE), lambda x: x[TABLE], ((3, 4),)),
    Case(
        "add_at",
        lambda g: index._add_at(g, ROWS, pattern=(("array", 0),), shape=(3, 4)),
        np_add_at,
        ((4, 4),),
    ),
]

EINSUM = [  # notation, shapes of the operands
    ("ij,jk->ik", ((2, 3), (3, 4))),
    ("btd,bsd->bts", ((2, 3, 2), (2, 4, 2))),
    ("i,i->", ((3,), (3,))),
    ("i,j", ((2,), (3,))),
    ("ij,jk,kl->li", ((2, 3), (3, 2), (2, 4))),
    ("ii->i", ((3, 3),)),
    ("ii", ((3, 3),)),
    ("iij,ijj->j", ((2, 2, 3), (2, 3, 3))),
    ("ij->ji", ((2, 3),)),
    ("ij,kl->k", ((2, 3), (2, 2))),
    ("...ij,...jk->...ik", ((2, 1, 2, 3), (4, 3, 2))),
    ("...i,i", ((2, 2, 3), (3,))),
    ("ij,ij->ij", ((1, 3), (2, 3))),
]


def einsum_case(notation, shapes):
    return Case(
        "einsum",
        lambda *x: mg.einsum(notation, *x),
        lambda *x: np.einsum(notation, *x),
        shapes,
        positive,  # summed in another order than NumPy's: nothing may cancel
    )


ALONG_AXIS = [
    Case("cumsum", lambda x: mg.cumsum(x, 1), lambda x: x.cumsum(1), ((2, 3, 2),)),
    Case("cumsum", lambda x: x.cumsum(-1), lambda x: x.cumsum(-1), ((2, 3),)),
    Case("cumsum", mg.cumsum, np.cumsum, ((2, 3),)),
    *(einsum_case(*row) for row in EINSUM),
]

# Composed of several primitives: no entries of the table of their own.
FUNCTIONS = [
    Case("var", mg.var, np.var, ((2, 3),)),
    Case(
        "var",
        lambda x: mg.var(x, (0, 2), ddof=1, keepdims=True),
        lambda x: np.var(x, (0, 2), ddof=1, keepdims=True),
        ((2, 3, 2),),
    ),
    Case("std", mg.std, np.std, ((2, 3),)),
    Case(
        "std",
        lambda x: x.std(-1, ddof=1),
        lambda x: x.std(-1, ddof=1),
        ((2, 3, 4),),
    ),
]

CONSTANTS = [
    *COMPARISONS,
    Case("argmax", mg.argmax, np.argmax, ((2, 3),)),
    Case("argmax", lambda x: x.argmax(-1), lambda x: x.argmax(-1), ((2, 3),)),
    Case(
        "argmin",
        lambda x: mg.argmin(x, 1, keepdims=True),
        lambda x: np.argmin(x, 1, keepdims=True),
        ((2, 3, 2),),
    ),
    Case(
        "shift",
        lambda x: functions._shift(x, axes=(1,)),
        lambda x: x.max(1, keepdims=True),
        ((2, 3),),
    ),
]

DIFFERENTIABLE = [*ELEMENTWISE, *SHAPE, *REDUCE, *OTHER, *ALONG_AXIS, *FUNCTIONS]
CASES = [*DIFFERENTIABLE, *CONSTANTS]
