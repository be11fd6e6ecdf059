"""Evaluates a program of JAX (a jaxpr) with NumPy, without compiling it."""

import numpy as np

ELEMENTWISE = {
    "mul": np.multiply, "add": np.add, "add_any": np.add, "sub": np.subtract,
    "div": np.divide, "neg": np.negative, "exp": np.exp, "log": np.log, "cos": np.cos,
    "sin": np.sin, "log1p": np.log1p, "expm1": np.expm1, "tanh": np.tanh,
    "pow": np.power, "sqrt": np.sqrt, "abs": np.abs, "sign": np.sign,
    "square": np.square,
    "max": np.maximum, "min": np.minimum, "eq": np.equal, "ne": np.not_equal,
    "gt": np.greater, "lt": np.less, "ge": np.greater_equal, "le": np.less_equal,
    "and": np.logical_and, "or": np.logical_or, "not": np.logical_not,
    "is_finite": np.isfinite, "stop_gradient": np.asarray, "copy": np.asarray,
    "add_jaxvals": np.add,
}  # fmt: skip
REDUCTIONS = {
    "reduce_sum": np.sum, "reduce_max": np.max, "reduce_min": np.min,
    "reduce_prod": np.prod, "reduce_and": np.all, "reduce_or": np.any,
}  # fmt: skip
INNER = ("jaxpr", "call_jaxpr", "fun_jaxpr")  # a program within a program


def evaluate(closed, inputs):
    """The results of a closed jaxpr, as NumPy's arrays.

    Both sides of a `where` are computed, so that 1/0 may be among what is not taken.
    """
    with np.errstate(all="ignore"):
        return _evaluate(closed, inputs)


def _evaluate(closed, inputs):
    program, known = closed.jaxpr, {}
    known.update(zip(program.constvars, closed.consts, strict=True))
    known.update(zip(program.invars, inputs, strict=True))

    def value_of(atom):
        return np.asarray(atom.val if hasattr(atom, "val") else known[atom])

    for step in program.eqns:
        operands = [value_of(atom) for atom in step.invars]
        found = apply(step.primitive.name, operands, step.params)
        if not step.primitive.multiple_results:
            found = [found]
        known.update(zip(step.outvars, found, strict=True))
    return [value_of(atom) for atom in program.outvars]


def apply(name, x, params):
    """One primitive of JAX on arrays."""
    inner = next((params[key] for key in INNER if key in params), None)
    if inner is not None:
        return evaluate(inner, x)
    if name in ELEMENTWISE:
        return ELEMENTWISE[name](*x)
    if name in REDUCTIONS:
        return REDUCTIONS[name](x[0], axis=tuple(params["axes"]))
    return OTHERS[name](*x, **params)


def broadcast(x, shape, broadcast_dimensions, **more):
    wide = [1] * len(shape)
    for axis, size in zip(broadcast_dimensions, x.shape, strict=True):
        wide[axis] = size
    return np.broadcast_to(x.reshape(wide), shape)


def select(which, *cases):
    return np.choose(which.astype(int), cases)


def pad(x, value, padding_config):
    """Room before, behind and between the entries; negative: entries are cut off."""
    for axis, (low, high, inside) in enumerate(padding_config):
        size = x.shape[axis] + max(x.shape[axis] - 1, 0) * inside
        shape = list(x.shape)
        shape[axis] = size + max(low, 0) + max(high, 0)
        wide = np.full(shape, value)
        places = max(low, 0) + (inside + 1) * np.arange(x.shape[axis])
        wide[(slice(None),) * axis + (places,)] = x
        first, last = max(-low, 0), shape[axis] - max(-high, 0)
        x = wide[(slice(None),) * axis + (slice(first, last),)]
    return x


def reshape(x, new_sizes, dimensions, **more):
    ordered = x if dimensions is None else x.transpose(dimensions)
    return ordered.reshape(new_sizes)


def cut(x, start_indices, limit_indices, strides):
    steps = strides or [1] * x.ndim
    parts = zip(start_indices, limit_indices, steps, strict=True)
    return x[tuple(slice(a, b, s) for a, b, s in parts)]


def split(x, sizes, axis):
    return np.split(x, np.cumsum(sizes)[:-1], axis)


def dot(x, y, dimension_numbers, **more):
    """Sums over pairs of axes, without batches."""
    (over, across), (batch, _) = dimension_numbers
    assert not batch
    return np.tensordot(x, y, (over, across))


def rows_of(numbers, indices_are_rows):
    """The numbers of a gather along the first axis, which is all that is used here."""
    assert tuple(indices_are_rows) == (0,), indices_are_rows
    return numbers[..., 0]


def gather(x, numbers, dimension_numbers, **more):
    return x[rows_of(numbers, dimension_numbers.start_index_map)]


def scatter_add(x, numbers, updates, dimension_numbers, **more):
    made = np.array(x)
    rows = rows_of(numbers, dimension_numbers.scatter_dims_to_operand_dims)
    np.add.at(made, rows, updates)
    return made


def cumulative(x, axis, reverse):
    if reverse:
        return np.flip(np.cumsum(np.flip(x, axis), axis), axis)
    return np.cumsum(x, axis)


OTHERS = {
    "broadcast_in_dim": broadcast,
    "select_n": select,
    "pad": pad,
    "slice": cut,
    "split": split,
    "dot_general": dot,
    "gather": gather,
    "scatter-add": scatter_add,
    "cumsum": cumulative,
    "integer_pow": lambda x, y: x**y,
    "reshape": reshape,
    "convert_element_type": lambda x, new_dtype, **more: x.astype(new_dtype),
    "concatenate": lambda *x, dimension: np.concatenate(x, dimension),
    "transpose": lambda x, permutation: x.transpose(permutation),
    "squeeze": lambda x, dimensions: np.squeeze(x, tuple(dimensions)),
    "stack": lambda *x, axis: np.stack(x, axis),
    "unstack": lambda x, axis: list(np.moveaxis(x, axis, 0)),
    "rev": lambda x, dimensions: np.flip(x, dimensions),
    "expand_dims": lambda x, dimensions: np.expand_dims(x, dimensions),
    "logistic": lambda x: 1 / (1 + np.exp(-x)),
    "argmax": lambda x, axes, **more: np.argmax(x, axes[0]),
    "argmin": lambda x, axes, **more: np.argmin(x, axes[0]),
    "iota": lambda dtype, shape, dimension, **more: np.broadcast_to(
        np.arange(shape[dimension], dtype=dtype).reshape(
            [-1 if k == dimension else 1 for k in range(len(shape))]
        ),
        shape,
    ),
}
