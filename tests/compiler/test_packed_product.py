"""The product with a packed matrix: every shape, and the pass that packs."""

from __future__ import annotations

import ctypes

import numpy as np
import pytest

import minigrad as mg
from compiler.evaluating import Given, counts
from minigrad.compiler import pack, packed_product, register_tiles
from minigrad.engine.kernels import jit

pytestmark = pytest.mark.skipif(
    not jit.enabled or register_tiles.tile("f") is None,
    reason="this processor has no tiles of ours",
)


def _run(kernel, *numbers):
    """Call a kernel of the plan's table with a row of whole numbers."""
    row = np.array(numbers, np.int64)
    ctypes.CFUNCTYPE(None, ctypes.c_void_p)(kernel.address)(row.ctypes.data)


def _product(a, b, flip, out):
    """Write a @ b, or a @ b.T, into out by way of a packed matrix."""
    (m, k), n, char = a.shape, out.shape[1], a.dtype.char
    panels = pack.panels_of(n, char)
    packed = np.full(pack.packed_size(n, k, char), np.nan, a.dtype)
    down, along = (s // a.itemsize for s in b.strides)
    if flip:
        down, along = along, down
    data = [x.ctypes.data for x in (b, packed)]
    _run(packed_product.packing(char), n, k, panels, along, down, data[0], 0, data[1])
    data = [x.ctypes.data for x in (a, packed, out)]
    steps = a.strides[0], 0, out.strides[0]
    operands = [number for pair in zip(data, steps, strict=True) for number in pair]
    _run(packed_product.kernel(char), m, n, k, panels, *operands)


@pytest.mark.parametrize("char", ["f", "d"])
def test_a_product_of_any_shape_is_numpys(char):
    rng = np.random.default_rng(0)
    columns = register_tiles.tile(char).columns
    sizes = [*range(1, 15), columns - 1, columns, columns + 1, 2 * columns, 67]
    for _ in range(300):
        m, n, k = (int(rng.choice(sizes)) for _ in range(3))
        flip = bool(rng.integers(2))
        wide = rng.standard_normal((m, k + 3)).astype(char)
        b = rng.standard_normal((n, k) if flip else (k, n)).astype(char)
        big = np.full((m + 1, n + 2), 7.0, char)
        a, out = wide[:, 1 : k + 1], big[:m, 1 : n + 1]
        _product(a, b, flip, out)
        expected = a.astype("float64") @ (b.T if flip else b)
        error = np.abs(out - expected).max()
        assert error <= 4 * np.finfo(char).eps * np.sqrt(k) * np.abs(expected).max()
        big[:m, 1 : n + 1] = 7.0
        assert (big == 7.0).all(), (m, n, k)  # nothing beyond its place


def test_a_product_keeps_nan_and_infinity_where_they_belong():
    a, b = np.ones((7, 5)), np.ones((5, 19))
    a[2, 3], b[1, 18], b[0, 4] = np.nan, np.inf, -np.inf
    out = np.zeros((7, 19))
    _product(a, b, False, out)
    assert np.array_equal(out, a @ b, equal_nan=True)


def test_pack_prepares_a_matrix_once_for_many_products():
    g = Given()
    u, once = g.leaf(4, 6), g.leaf(6, 4)
    forward = [g.builder.dot(g.leaf(2, 4), u) for _ in range(5)]
    back = [g.builder.dot(g.leaf(2, 6), u, False, True) for _ in range(4)]
    before = [*forward, *back, g.builder.dot(g.leaf(2, 6), once)]
    after = pack.pack(g.builder, before)
    assert counts(after)["packed"] == 2  # as it is, and transposed
    assert (counts(after)["packed_dot"], counts(after)["dot"]) == (9, 1)
    g.unchanged(before, after)
    assert pack.pack(g.builder, after) == after


def test_pack_leaves_large_products_to_several_threads_of_blas(monkeypatch):
    g = Given()
    u = g.leaf(64, 512)
    before = [g.builder.dot(g.leaf(100, 64), u) for _ in range(5)]
    monkeypatch.setattr(pack.products, "threads", lambda: 2)
    assert pack.pack(g.builder, before) == before
    monkeypatch.setattr(pack.products, "threads", lambda: 1)
    assert counts(pack.pack(g.builder, before))["packed_dot"] == 5


@pytest.mark.parametrize("rows", [256, 257, 433])
def test_many_rows_are_multiplied_block_by_block(rows):
    rng = np.random.default_rng(rows)
    w, v = (mg.tensor(rng.standard_normal(s)) for s in ((13, 37), (37, 13)))
    f = mg.compile(
        lambda x, y: (x @ w, x[1:] @ v.T, y.T @ w, x[::2] @ w, x[:, ::-1] @ w)
    )
    for _ in range(3):
        x, y = rng.standard_normal((rows, 13)), rng.standard_normal((13, rows))
        found, expected = f(x, y), f.fn(x, y)
        for a, b in zip(found, expected, strict=True):
            assert np.allclose(a.data, b, rtol=1e-12, atol=1e-13)
    [report] = f.explain()
    assert report.stages[-1].others > report.stages[0].others  # packed


def test_pack_does_nothing_where_there_are_no_tiles(monkeypatch):
    g = Given()
    u = g.leaf(4, 6)
    before = [g.builder.dot(g.leaf(2, 4), u) for _ in range(5)]
    monkeypatch.setattr(register_tiles, "tile", lambda char: None)
    assert pack.pack(g.builder, before) == before


def test_one_column_of_a_wider_matrix_is_packed_as_it_lies():
    """The column's entries lie a row of the matrix apart."""
    rng = np.random.default_rng(0)
    W, given = mg.tensor(rng.standard_normal((5, 4))), rng.standard_normal((6, 2, 5))

    def program(x):
        column = W[:, 1:2]
        return mg.concatenate([mg.tanh(x[t] @ column) for t in range(6)], 1)

    f = mg.compile(program)
    for _ in range(2):
        assert np.allclose(f(given).data, program(mg.tensor(given)).data, rtol=1e-13)


def test_a_column_of_a_wider_matrix_is_packed_from_where_it_lies():
    @mg.compile
    def steps(h, w, back):
        for _ in range(6):
            h = ((h @ w[:, 1:2]) @ back).tanh()
        return h

    rng = np.random.default_rng(0)
    for _ in range(4):
        h, w, back = (rng.standard_normal(s) for s in ((8, 5), (5, 3), (1, 5)))
        found = steps(h, w, back).data
        for _ in range(6):
            h = np.tanh((h @ w[:, 1:2]) @ back)
        np.testing.assert_allclose(found, h, rtol=1e-12)
