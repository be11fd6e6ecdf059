"""What each of PyTorch's operators is called here: the ones that we share.

A function takes what PyTorch's takes, and answers None where we have no such option.
"""

from functools import reduce

import numpy as np

import minigrad as mg
from minigrad import losses


def along(function):
    """With PyTorch's dim= and keepdim= as NumPy's axis= and keepdims=."""

    def call(x, dim=None, keepdim=False):
        dim = tuple(dim) if isinstance(dim, tuple | list) else dim
        if x.ndim == 0 and dim is not None:
            return None  # NumPy has no axis 0 of a number
        return function(x, axis=dim or None if dim == () else dim, keepdims=keepdim)

    return call


def one_axis(function):
    def call(x, dim, dtype=None):
        if x.ndim == 0 or str(dtype) not in ("None", "torch.float64"):
            return None
        return function(x, dim)

    return call


def deviation(function):
    def call(x, dim=None, correction=1, unbiased=None, keepdim=False):
        if isinstance(dim, bool):
            dim, unbiased = None, dim
        ddof = (
            (1 if correction is None else correction) if unbiased is None else unbiased
        )
        ddof = int(ddof) if isinstance(ddof, bool) else ddof
        return along(lambda a, **named: function(a, ddof=ddof, **named))(
            x, dim, keepdim
        )

    return call


def parts(x, sizes, dim=0):
    whole = x.shape[dim]
    if isinstance(sizes, int):
        cuts = list(range(sizes, whole, sizes))
    else:
        cuts = [int(k) for k in np.cumsum(sizes)[:-1]]
    return mg.split(x, cuts, dim)[0]


def squeezed(x, dim=None):
    if dim is None:
        return x.squeeze()
    axes = dim if isinstance(dim, tuple) else (dim,)
    if x.ndim == 0 or any(x.shape[k] != 1 for k in axes):
        return None  # an error in NumPy and here; PyTorch passes over it
    return x.squeeze(dim)


def clamped(x, low=None, high=None):
    whole = [a for a in (low, high) if a is not None]
    if not all(np.isscalar(a) for a in whole):
        return None
    return mg.clip(x, low, high)


def norm(x, ord=2, dim=None, keepdim=False):
    return along(mg.norm)(x, dim, keepdim) if ord == 2 else None


def loss(function):
    def call(x, target, weight=None, pos_weight=None, reduction="mean", **named):
        if named or weight is not None or pos_weight is not None or x.ndim == 0:
            return None
        return function(x, target, reduction=reduction)

    return call


def only(function, *allowed):
    """None for the options that we have not: dtype=, rounding_mode= and the like."""

    def call(*given, **named):
        return None if set(named) - set(allowed) else function(*given, **named)

    return call


def looked_up(x, dim, index, sparse_grad=False):
    """gather: the index may be shorter than x along the other axes."""
    if x.ndim == 0 or np.ndim(index) != x.ndim:
        return None
    dim = dim % x.ndim
    shorter = tuple(
        slice(None) if k == dim else slice(n) for k, n in enumerate(index.shape)
    )
    return np.take_along_axis(x[shorter], index, dim)


def narrowed(x, dim, start, length):
    if x.ndim == 0:
        return None
    start = int(np.asarray(start))
    start = start + x.shape[dim] if start < 0 else start
    return x[(slice(None),) * (dim % x.ndim) + (slice(start, start + length),)]


def selected(x, dim, index):
    return x[(slice(None),) * (dim % x.ndim) + (index,)]


def chunked(x, chunks, dim=0):
    return parts(x, max(1, -(-x.shape[dim] // chunks)), dim)


def tensor_split(x, where, dim=0):
    where = where.tolist() if isinstance(where, np.ndarray) else where
    return np.array_split(x, where, dim)[0]


def flat_shape(x, start_dim=0, end_dim=-1):
    if x.ndim == 0:
        return x.reshape(1)
    one, two = start_dim % x.ndim, end_dim % x.ndim
    between = int(np.prod(x.shape[one : two + 1]))
    return x.reshape((*x.shape[:one], between, *x.shape[two + 1 :]))


def expanded(x, *shape):
    shape = shape[0] if isinstance(shape[0], tuple | list) else shape
    new = len(shape) - x.ndim
    known = [x.shape[k - new] if n == -1 else n for k, n in enumerate(shape)]
    return mg.broadcast_to(x, tuple(known))


def largest(function, reduction):
    def call(x, dim=None, keepdim=False):
        if dim is None:
            return reduction(x)
        if not isinstance(dim, int):
            return function(x, dim)
        return along(lambda a, **named: reduction(a, **named))(x, dim, keepdim)

    return call


def cross_entropy(x, target, weight=None, ignore_index=-100, **named):
    soft = np.shape(target) == x.shape  # chances, where we take class numbers
    if x.ndim < 1 or x.size == 0 or soft or weight is not None:
        return None
    if x.ndim > 2:  # PyTorch has the classes on axis 1, we on the last one
        x = x.transpose(0, *range(2, x.ndim), 1)
    return losses.cross_entropy(x, target, ignore_index=ignore_index, **named)


def differences(x, n=1, dim=-1, prepend=None, append=None):
    if x.ndim == 0 or n == 0 or prepend is not None or append is not None:
        return None
    return np.diff(x, n, dim)


def softplus(x, beta=1, threshold=20):
    """PyTorch answers x itself where beta x is above the threshold."""
    return mg.where(beta * x.data > threshold, x, mg.softplus(beta * x) / beta)


def place(function):
    def call(x, dim=None, keepdim=False):
        if keepdim or (x.ndim == 0 and dim is not None):
            return None
        return function(x, dim)

    return call


def scaled_sum(product):
    """beta input + alpha product, as in BLAS."""

    def call(x, *factors, alpha=1, beta=1, value=None):
        scale = alpha if value is None else value
        return beta * x + scale * product(*factors)

    return call


def one(xs):
    return xs[0][0] if isinstance(xs[0], tuple | list) else xs[0]


OURS = {
    **{
        name: getattr(mg, name)
        for name in "exp log log1p expm1 sqrt tanh sigmoid sin cos abs maximum minimum "
        "matmul broadcast_to".split()
    },
    "nn.functional.relu": lambda x, inplace=False: None if inplace else mg.relu(x),
    "nn.functional.linear": lambda x, w, b=None: (
        x @ w.T if b is None else x @ w.T + b if w.ndim == 2 else None
    ),
    "add": lambda x, y, alpha=1: x + alpha * y,
    "sub": lambda x, y, alpha=1: x - alpha * y,
    "mul": lambda x, y: x * y,
    "div": lambda x, y, rounding_mode=None: None if rounding_mode else x / y,
    "pow": lambda x, y: x**y,
    "neg": lambda x: -x,
    "mm": mg.matmul, "bmm": mg.matmul, "mv": mg.matmul, "dot": mg.matmul,
    "where": lambda x, mask, y: mg.where(mask, x, y),
    "clamp": clamped,
    "softmax": one_axis(mg.softmax),
    "log_softmax": one_axis(mg.log_softmax),
    "logsumexp": lambda x, dim, keepdim=False: along(mg.logsumexp)(x, dim, keepdim),
    "cumsum": one_axis(mg.cumsum),
    "sum": along(lambda x, **named: x.sum(**named)),
    "mean": along(lambda x, **named: x.mean(**named)),
    "amax": along(lambda x, **named: x.max(**named)),
    "amin": along(lambda x, **named: x.min(**named)),
    "prod": lambda x, dim=None, keepdim=False, **named: (
        None if named else along(lambda a, **more: a.prod(**more))(x, dim, keepdim)
    ),
    "var": deviation(mg.var),
    "std": deviation(mg.std),
    "linalg.vector_norm": norm,
    "cat": lambda xs, dim=0: (
        mg.concatenate(xs, dim) if len({x.ndim for x in xs}) == 1 else None
    ),
    "stack": lambda xs, dim=0: mg.stack(xs, dim),
    "split": parts,
    "reshape": lambda x, shape: x.reshape(shape),
    "permute": lambda x, dims: x.transpose(dims),
    "transpose": lambda x, one, two: x.swapaxes(one, two) if x.ndim else None,
    "squeeze": squeezed,
    "unsqueeze": lambda x, dim: x.expand_dims(dim),
    "index_select": lambda x, dim, index: (
        x[(slice(None),) * dim + (index,)] if x.ndim and dim >= 0 else None
    ),
    "einsum": lambda xs, notation: mg.einsum(notation, *xs),
    "nn.functional.mse_loss": loss(losses.mse),
    "nn.functional.l1_loss": loss(losses.mae),
    "nn.functional.binary_cross_entropy_with_logits": loss(losses.binary_cross_entropy),
}  # fmt: skip

OURS |= {
    "__radd__": lambda x, y: y + x, "__rsub__": lambda x, y: y - x,
    "__rmul__": lambda x, y: y * x, "__rdiv__": lambda x, y: y / x,
    "__rpow__": lambda x, y: y**x, "__rmatmul__": lambda x, y: y @ x,
    "__getitem__": lambda x, *index: x[index[0]],
    "rsub": lambda x, y, alpha=1: y - alpha * x,
    "true_divide": lambda x, y: x / y,
    "float_power": lambda x, y: x**y,
    "positive": lambda x: +x,
    "square": np.square, "reciprocal": np.reciprocal, "rsqrt": lambda x: x**-0.5,
    "exp2": np.exp2, "log2": np.log2, "log10": np.log10,
    "clamp_min": mg.maximum, "clamp_max": mg.minimum,
    "max": largest(mg.maximum, lambda x, **named: x.max(**named)),
    "min": largest(mg.minimum, lambda x, **named: x.min(**named)),
    "var_mean": deviation(mg.var), "std_mean": deviation(mg.std),
    "outer": np.outer, "inner": lambda x, y: np.inner(x, y) if y.ndim else x * y,
    "vdot": np.vdot, "trace": np.trace,
    "linalg.multi_dot": lambda xs: reduce(mg.matmul, xs),
    "addmm": scaled_sum(mg.matmul), "addmv": scaled_sum(mg.matmul),
    "baddbmm": scaled_sum(mg.matmul), "addr": scaled_sum(np.outer),
    "addbmm": scaled_sum(lambda a, b: (a @ b).sum(axis=0)),
    "addcmul": scaled_sum(lambda a, b: a * b),
    "addcdiv": scaled_sum(lambda a, b: a / b),
    "lerp": lambda x, y, weight: mg.blend(weight, y, x),
    "masked_fill": lambda x, mask, value: mg.where(mask, value, x),
    "gather": looked_up,
    "take_along_dim": lambda x, index, dim=None: (
        np.take_along_axis(x, index, dim)
        if dim is not None or (x.ndim == 1 and np.ndim(index) == 1)
        else None
    ),
    "take": lambda x, index: np.take(x, index),
    "select": selected, "narrow": narrowed, "chunk": chunked,
    "tensor_split": tensor_split, "split_with_sizes": parts,
    "unbind": lambda x, dim=0: mg.unstack(x, dim)[0],
    "hstack": lambda xs: np.hstack(xs), "vstack": lambda xs: np.vstack(xs),
    "column_stack": lambda xs: np.column_stack(xs),
    "atleast_1d": lambda *xs: np.atleast_1d(one(xs)),
    "atleast_2d": lambda *xs: np.atleast_2d(one(xs)),
    "flatten": flat_shape, "ravel": np.ravel,
    "view": lambda x, *shape: x.reshape(*shape),
    "view_as": lambda x, y: x.reshape(y.shape),
    "reshape_as": lambda x, y: x.reshape(y.shape),
    "expand": expanded, "expand_as": lambda x, y: mg.broadcast_to(x, np.shape(y)),
    "movedim": lambda x, one, two: np.moveaxis(x, one, two) if x.ndim else None,
    "T": lambda x: x.T, "t": lambda x: x.T,
    "mT": lambda x: x.swapaxes(-1, -2) if x.ndim > 1 else None,
    "flip": lambda x, dims: np.flip(x, dims), "fliplr": np.fliplr, "flipud": np.flipud,
    "roll": lambda x, shifts, dims=None: np.roll(x, shifts, dims),
    "tile": lambda x, dims: np.tile(x, dims) if dims else None,
    "tril": np.tril, "triu": np.triu,
    "diagonal": lambda x, offset=0, dim1=0, dim2=1: np.diagonal(x, offset, dim1, dim2),
    "diff": differences,
    "nn.functional.softplus": softplus,
    "nn.functional.softmin": one_axis(lambda x, dim: mg.softmax(-x, dim)),
    "nn.functional.logsigmoid": lambda x: -mg.softplus(-x),
    "nn.functional.silu": lambda x, inplace=False: x * mg.sigmoid(x),
    "nn.functional.tanhshrink": lambda x: x - mg.tanh(x),
    "nn.functional.relu6": lambda x, inplace=False: mg.clip(x, 0, 6),
    "nn.functional.hardtanh": lambda x, min_val=-1, max_val=1, inplace=False: mg.clip(
        x, min_val, max_val
    ),
    "nn.functional.embedding": only(lambda weight, rows: weight[rows]),
    "nn.functional.cross_entropy": cross_entropy,
    "argmax": place(np.argmax), "argmin": place(np.argmin),
}  # fmt: skip
