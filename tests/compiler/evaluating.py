"""Values computed by NumPy, one by one: what every pass has to leave as it is."""

from __future__ import annotations

from collections import Counter

import numpy as np

from minigrad.compiler.python_calls import value_of
from minigrad.compiler.value_builder import Builder
from minigrad.compiler.value_form import listed

FLOAT = np.dtype("float64")


class Given:
    """A builder, and leaves with numbers to start from."""

    def __init__(self, seed=0):
        self.builder = Builder()
        self.rng = np.random.default_rng(seed)
        self.arrays = {}

    def leaf(self, *shape):
        value = self.builder.make("leaf", (), len(self.arrays), shape, FLOAT)
        self.arrays[value] = self.rng.standard_normal(shape)
        return value

    def add(self, a, b):
        shape = np.broadcast_shapes(a.shape, b.shape)
        return self.builder.elementwise("add", (a, b), shape, FLOAT)

    def tanh(self, a):
        return self.builder.elementwise("tanh", (a,), a.shape, FLOAT)

    def evaluate(self, results):
        """The arrays of the results."""
        known = dict(self.arrays)
        for value in listed(results):
            if value not in known:
                known[value] = _computed(value, [known[a] for a in value.args])
        return [known[v] for v in results]

    def unchanged(self, before, after):
        """Assert that a pass has kept what its results are."""
        for a, b, x, y in zip(
            before, after, self.evaluate(before), self.evaluate(after), strict=True
        ):
            assert a.shape == b.shape == x.shape == y.shape
            assert np.allclose(x, y, rtol=1e-12, atol=1e-12)


def counts(results):
    """How many values of each kind the results need."""
    return Counter(v.op for v in listed(results))


def _computed(value, args):
    if value.op == "view":
        steps = [s * value.dtype.itemsize for s in value.strides]
        flat = np.ascontiguousarray(args[0]).reshape(-1)
        return np.lib.stride_tricks.as_strided(
            flat[value.offset :], value.shape, steps
        ).copy()
    if value.op == "full":
        return np.full(value.shape, np.frombuffer(value.attrs, value.dtype)[0])
    if value.op == "elementwise":
        return np.broadcast_to(value_of(value)(*args), value.shape)
    if value.op == "dot":
        a, b = (x.T if flip else x for x, flip in zip(args, value.attrs, strict=True))
        return a @ b
    if value.op == "sum":
        return args[0].sum(value.attrs)
    if value.op == "packed":  # in the order of its own matrix: the kernel has a test
        return args[0].T if value.attrs else args[0]
    if value.op == "packed_dot":
        return args[0] @ args[1]
    if value.op == "transposed":
        return args[0].T.copy()
    assert value.op == "concat", value
    return np.concatenate(args, value.attrs)
