"""Cases for every differentiable operation, drawn from a seed: shapes, layouts, dtypes.

A case has inputs, a way in which each of them lies in memory, and one operation written
twice: of minigrad's tensors, and of NumPy's arrays so that the complex step applies.
"""

from typing import Any, NamedTuple

import numpy as np
from primitives.cases import EINSUM

import minigrad as mg
from minigrad.engine.primitives import elementwise, index, joins, reduce, shape

LARGEST = 24  # entries of an input


# ---------------------------------------------------------------- how inputs lie


def unaligned(array):
    """At an address that is no multiple of its size."""
    room = np.empty(array.nbytes + 1, np.uint8)
    moved = room[1:].view(array.dtype)
    moved[...] = array.ravel()
    return moved.reshape(array.shape)


def read_only(array):
    array.flags.writeable = False
    return array


class Layout(NamedTuple):
    """A view of a base, of tensors and of arrays, and how the base is given."""

    base: Any = lambda shape: shape  # the base's shape for a wanted one; None: not so
    view: Any = lambda x, shape: x
    given: Any = lambda array: array


def one_repeated(shape):
    wide = [k for k, n in enumerate(shape) if n > 1]
    if not wide:
        return None
    return tuple(1 if k == wide[0] else n for k, n in enumerate(shape))


def widened(x, shape):
    return (mg if isinstance(x, mg.Tensor) else np).broadcast_to(x, shape)


def doubled(shape):
    return (*shape[:-1], 2 * shape[-1]) if shape else None


LAYOUTS = {
    "rows": Layout(),
    "columns": Layout(given=lambda array: np.array(array, order="F")),
    "transposed": Layout(lambda s: s[::-1], lambda x, s: x.T),
    "every other": Layout(doubled, lambda x, s: x[..., ::2]),
    "reversed": Layout(lambda s: s or None, lambda x, s: x[::-1]),
    "broadcast": Layout(one_repeated, widened),
    "read-only": Layout(given=read_only),
    "unaligned": Layout(given=unaligned),
}


# ---------------------------------------------------------------- what is drawn


def some_shape(rng, least=0, most=6, empty=True):
    """0 to 6 axes of 1 to 4 entries; one in ten has an empty axis."""
    while True:
        sizes = [int(n) for n in rng.integers(1, 5, rng.integers(least, most + 1))]
        if empty and sizes and rng.random() < 0.1:
            sizes[rng.integers(len(sizes))] = 0
        if np.prod(sizes) <= LARGEST:
            return tuple(sizes)


def narrowed(rng, shape):
    """A shape that broadcasts to it: axes left out in front, or of size 1."""
    kept = shape[int(rng.integers(len(shape) + 1)) :]
    return tuple(1 if rng.random() < 0.3 else n for n in kept)


def axis_of(rng, shape, many=True):
    """None, one axis, counted from either end, or several."""
    if not shape or rng.random() < 0.2:
        return None
    if many and rng.random() < 0.3:
        count = int(rng.integers(1, len(shape) + 1))
        return tuple(int(k) for k in rng.permutation(len(shape))[:count])
    return int(rng.integers(-len(shape), len(shape)))


class Drawn(NamedTuple):
    """One case: an operation on inputs of these shapes, with these values and views."""

    name: str
    ours: Any
    numpy: Any
    bases: list
    views: list
    text: str

    def run(self, library, leaves):
        """The operation on the views of the leaves."""
        function = self.ours if library is mg else self.numpy
        return function(*[v(x) for v, x in zip(self.views, leaves, strict=True)])


# ---------------------------------------------------------------- domains


def plain(x):
    return x


def away(x):
    """No entry nearer to 0 than 0.3."""
    return x + 0.3 * np.where(x < 0, -1, 1)


def positive(x):
    return np.abs(x) + 0.3


def apart(x):
    """No two entries nearer to each other than 0.17, nor to -0.4 and 0.5."""
    order = np.argsort(np.argsort(x.reshape(-1), kind="stable"))
    return ((order - x.size // 2) * 0.17 + 0.05).reshape(x.shape)


# ---------------------------------------------------------------- the operations

UNARY = {  # name: NumPy's function, of complex numbers too, and where it is smooth
    "negative": (np.negative, plain),
    "exp": (np.exp, plain),
    "log": (np.log, positive),
    "log1p": (np.log1p, positive),
    "expm1": (np.expm1, plain),
    "sqrt": (np.sqrt, positive),
    "tanh": (np.tanh, plain),
    "sigmoid": (lambda x: 1 / (1 + np.exp(-x)), plain),
    "softplus": (lambda x: np.log1p(np.exp(x)), away),
    "relu": (lambda x: np.where(x.real > 0, x, 0), away),
    "absolute": (lambda x: np.where(x.real < 0, -x, x), away),
    "sin": (np.sin, plain),
    "cos": (np.cos, plain),
}
BINARY = {
    "add": (np.add, plain),
    "subtract": (np.subtract, plain),
    "multiply": (np.multiply, plain),
    "divide": (np.divide, away),
    "power": (lambda x, y: np.exp(y * np.log(x)), positive),
    "maximum": (lambda x, y: np.where(x.real > y.real, x, y), plain),
    "minimum": (lambda x, y: np.where(x.real < y.real, x, y), plain),
}


def extreme(x, axis, keepdims, sign):
    """The largest entries (sign 1) or the smallest (-1), by their real parts."""
    axes = tuple(range(x.ndim)) if axis is None else np.atleast_1d(axis) % x.ndim
    kept = [k for k in range(x.ndim) if k not in axes]
    flat = x.transpose([*kept, *axes]).reshape([*[x.shape[k] for k in kept], -1])
    place = (sign * flat.real).argmax(-1)[..., None]
    found = np.take_along_axis(flat, place, -1)[..., 0]
    if keepdims:
        found = found.reshape([1 if k in axes else n for k, n in enumerate(x.shape)])
    return found


REDUCTIONS = {
    "sum": (reduce.sum_over, lambda x, a, k: x.sum(a, keepdims=k), plain),
    "mean": (reduce.mean_over, lambda x, a, k: x.mean(a, keepdims=k), plain),
    "prod": (reduce.prod_over, lambda x, a, k: x.prod(a, keepdims=k), away),
    "max": (reduce.max_over, lambda x, a, k: extreme(x, a, k, 1), apart),
    "min": (reduce.min_over, lambda x, a, k: extreme(x, a, k, -1), apart),
    "norm": (
        reduce.norm_over,
        lambda x, a, k: np.sqrt((x * x).sum(a, keepdims=k)),
        away,
    ),
}


def unary(rng, name):
    numpy, domain = UNARY[name]
    return getattr(elementwise, name), numpy, [some_shape(rng)], domain, ""


def binary(rng, name):
    numpy, domain = BINARY[name]
    one = some_shape(rng)
    pair = [one, one if rng.random() < 0.3 else narrowed(rng, one)]
    pair = pair[:: int(rng.choice([-1, 1]))]
    if name in ("maximum", "minimum"):  # no entry of x near to any of y
        return getattr(elementwise, name), numpy, pair, "far", ""
    return getattr(elementwise, name), numpy, pair, domain, ""


def where(rng, name):
    one = some_shape(rng)
    shapes = [narrowed(rng, one), one]
    mask = rng.random(narrowed(rng, one)) < 0.5
    return (
        lambda x, y: mg.where(mask, x, y),
        lambda x, y: np.where(mask, x, y),
        shapes, plain, f"mask {mask.shape}",
    )  # fmt: skip


def clip(rng, name):
    low, high = [(-0.4, 0.5), (None, 0.5), (-0.4, None)][rng.integers(3)]

    def numpy(x):
        x = x if low is None else np.where(x.real < low, low, x)
        return x if high is None else np.where(x.real > high, high, x)

    return lambda x: mg.clip(x, low, high), numpy, [some_shape(rng)], apart, f"{low}"


def reduction(rng, name):
    ours, numpy, domain = REDUCTIONS[name]
    one = some_shape(rng, empty=name in ("sum", "prod"))
    axis, keep = axis_of(rng, one), bool(rng.random() < 0.5)
    return (
        lambda x: ours(x, axis, keep), lambda x: numpy(x, axis, keep), [one], domain,
        f"axis={axis}, keepdims={keep}",
    )  # fmt: skip


def cumsum(rng, name):
    one = some_shape(rng)
    axis = axis_of(rng, one, many=False)
    return (
        lambda x: mg.cumsum(x, axis), lambda x: np.cumsum(x, axis), [one], plain,
        f"axis={axis}",
    )  # fmt: skip


def reshape(rng, name):
    one = some_shape(rng)
    size = int(np.prod(one))
    new = [one[::-1], (size,), (1, *one, 1)][rng.integers(3)]
    return lambda x: x.reshape(new), lambda x: x.reshape(new), [one], plain, f"{new}"


def transpose(rng, name):
    one = some_shape(rng)
    axes = tuple(int(k) for k in rng.permutation(len(one)))
    return (
        lambda x: x.transpose(axes), lambda x: x.transpose(axes), [one], plain,
        f"{axes}",
    )  # fmt: skip


def broadcast_to(rng, name):
    wide = some_shape(rng)
    return (
        lambda x: shape.broadcast_to(x, wide), lambda x: np.broadcast_to(x, wide),
        [narrowed(rng, wide)], plain, f"{wide}",
    )  # fmt: skip


def sum_to(rng, name):
    wide = some_shape(rng)
    small = narrowed(rng, wide)
    lead = len(wide) - len(small)
    axes = tuple(k for k, n in enumerate(wide) if k < lead or small[k - lead] != n)
    return (
        lambda x: shape.sum_to(x, small),
        lambda x: x.sum(axes, keepdims=True).reshape(small), [wide], plain, f"{small}",
    )  # fmt: skip


def astype(rng, name):
    return lambda x: x.astype("float64"), lambda x: x, [some_shape(rng)], plain, ""


def joined(rng, name):
    one = some_shape(rng, least=1, most=5)
    axis = int(rng.integers(-len(one), len(one)))
    shapes = [list(one) for _ in range(int(rng.integers(1, 4)))]
    if name == "concatenate":
        for other in shapes[1:]:
            other[axis] = int(rng.integers(0, 3))
    return (
        lambda *x: getattr(joins, name)(list(x), axis),
        lambda *x: getattr(np, name)(x, axis), list(map(tuple, shapes)), plain,
        f"axis={axis}",
    )  # fmt: skip


def taken_apart(rng, name):
    one = some_shape(rng, least=1, empty=False)
    axis = int(rng.integers(-len(one), len(one)))
    size = one[axis]
    part = int(rng.integers(size))
    if name == "unstack":
        return (
            lambda x: joins.unstack(x, axis)[part] * 2.0,
            lambda x: np.take(x, part, axis) * 2.0, [one], plain, f"axis={axis}",
        )  # fmt: skip
    cuts = sorted(int(k) for k in rng.integers(0, size + 1, 2))
    which = int(rng.integers(3))
    return (
        lambda x: joins.split(x, cuts, axis)[which] * 2.0,
        lambda x: np.split(x, cuts, axis)[which] * 2.0, [one], plain,
        f"at {cuts}, axis={axis}",
    )  # fmt: skip


def item(rng, name):
    """Integers, slices with steps of both signs, new axes, arrays, masks."""
    one = some_shape(rng, least=1, empty=False)
    key: list = []
    kind = rng.integers(3)
    if kind == 0:
        for size in one[: int(rng.integers(len(one) + 1))]:
            key.append(
                [
                    slice(None, None, int(rng.choice([-2, -1, 1, 2]))),
                    int(rng.integers(-size, size)),
                    slice(int(rng.integers(size)), None),
                    slice(None),
                ][rng.integers(4)]
            )
        if rng.random() < 0.3:
            key.insert(int(rng.integers(len(key) + 1)), None)
        if rng.random() < 0.3:
            key.append(Ellipsis)
    elif kind == 1:
        count = int(rng.integers(1, 4))
        axes = int(rng.integers(1, min(len(one), 2) + 1))
        kind_of = rng.choice(["int64", "int32", "int8"])
        for size in one[:axes]:
            key.append(rng.integers(-size, size, count).astype(kind_of))
    else:
        key.append(rng.random(one[: int(rng.integers(1, len(one) + 1))]) < 0.5)
    key = tuple(key)
    return lambda x: x[key] * 1.0, lambda x: x[key], [one], plain, f"{key}"


def take(rng, name):
    one = some_shape(rng, least=1, empty=False)
    shape_of = some_shape(rng, 0, 2)
    rows = rng.integers(-one[0], one[0], shape_of)
    return lambda x: index.take(x, rows), lambda x: x[rows], [one], plain, f"{rows}"


def add_at(rng, name):
    size, width, count = (int(k) for k in rng.integers(1, 5, 3))
    rows = rng.integers(-size, size, count)

    def numpy(g):
        made = np.zeros((size, width), g.dtype)
        np.add.at(made, rows, g)
        return made

    def ours(g):
        return index._add_at(g, rows, pattern=(("array", 0),), shape=(size, width))

    return ours, numpy, [(count, width)], plain, f"{rows}"


def matmul(rng, name):
    """Vectors, matrices, stacks of them that are broadcast."""
    m, k, n = (int(s) for s in rng.integers(1, 4, 3))
    stack = some_shape(rng, most=2)
    left = [(k,), (m, k), (*narrowed(rng, stack), m, k)][rng.integers(3)]
    right = [(k,), (k, n), (*stack, k, n)][rng.integers(3)]
    if max(np.prod(left), np.prod(right)) > 2 * LARGEST:
        return matmul(rng, name)
    return mg.matmul, np.matmul, [left, right], plain, ""


def einsum(rng, name):
    notation, shapes = EINSUM[rng.integers(len(EINSUM))]
    return (
        lambda *x: mg.einsum(notation, *x), lambda *x: np.einsum(notation, *x),
        list(shapes), plain, notation,
    )  # fmt: skip


def softmax(rng, name):
    one = some_shape(rng, least=1, empty=False)
    axis = int(rng.integers(-len(one), len(one)))

    def exps(x):
        return np.exp(x).sum(axis, keepdims=True)

    numpy = {
        "softmax": lambda x: np.exp(x) / exps(x),
        "log_softmax": lambda x: x - np.log(exps(x)),
        "logsumexp": lambda x: np.log(exps(x)).sum(axis),
    }[name]
    return lambda x: getattr(mg, name)(x, axis), numpy, [one], plain, f"axis={axis}"


def spread(rng, name):
    one = some_shape(rng, empty=False)
    axis = axis_of(rng, one)
    axes = tuple(range(len(one))) if axis is None else np.atleast_1d(axis)
    ddof = int(rng.integers(2))
    count = int(np.prod([one[k] for k in axes])) - ddof
    if count < 1 or (name == "std" and count + ddof < 2):
        return spread(rng, name)

    def numpy(x):
        far = x - x.mean(axis, keepdims=True)
        found = (far * far).sum(axis) / count
        return np.sqrt(found) if name == "std" else found

    return (
        lambda x: getattr(mg, name)(x, axis, ddof=ddof), numpy, [one], apart,
        f"axis={axis}, ddof={ddof}",
    )  # fmt: skip


KINDS = {
    **dict.fromkeys(UNARY, unary),
    **dict.fromkeys(BINARY, binary),
    **dict.fromkeys(REDUCTIONS, reduction),
    **dict.fromkeys(("concatenate", "stack"), joined),
    **dict.fromkeys(("split", "unstack"), taken_apart),
    **dict.fromkeys(("softmax", "log_softmax", "logsumexp"), softmax),
    **dict.fromkeys(("var", "std"), spread),
    "where": where, "clip": clip, "cumsum": cumsum, "reshape": reshape,
    "transpose": transpose, "broadcast_to": broadcast_to, "sum_to": sum_to,
    "astype": astype, "getitem": item, "take": take, "add_at": add_at,
    "matmul": matmul, "einsum": einsum,
}  # fmt: skip


def draw(seed, dtype="float64"):
    """The case of a seed: the operations in turn, the rest at random."""
    rng = np.random.default_rng((seed, 20))
    name = list(KINDS)[seed % len(KINDS)]
    ours, numpy, shapes, domain, text = KINDS[name](rng, name)
    bases, views, words = [], [], []
    for number, wanted in enumerate(shapes):
        key = list(LAYOUTS)[rng.integers(len(LAYOUTS))]
        layout = LAYOUTS[key]
        if domain == "far" and key == "broadcast":
            key, layout = "rows", LAYOUTS["rows"]
        base_shape = layout.base(wanted)
        if base_shape is None or (domain is apart and key == "broadcast"):
            key, layout, base_shape = "rows", LAYOUTS["rows"], wanted
        values = rng.standard_normal(base_shape)
        if domain == "far":
            values = apart(values) + 0.085 * number
        else:
            values = domain(values)
        bases.append(layout.given(np.asarray(values, dtype)))
        views.append(lambda x, view=layout.view, wanted=wanted: view(x, wanted))
        words.append(f"{wanted} {key}")
    return Drawn(name, ours, numpy, bases, views, f"{name}({', '.join(words)}) {text}")
