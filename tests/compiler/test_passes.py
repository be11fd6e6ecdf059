"""Each pass of the compiler by itself: what it changes, and that the numbers stay."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.lib.stride_tricks import as_strided

import minigrad as mg
from compiler.evaluating import FLOAT, Given, counts
from minigrad.compiler import addresses
from minigrad.compiler.accumulate import accumulate
from minigrad.compiler.fuse import fuse
from minigrad.compiler.hoist import hoist
from minigrad.compiler.kernel_text import written
from minigrad.compiler.overlay import overlay
from minigrad.compiler.place import Places
from minigrad.compiler.schedule import Arena, lifetimes, ordered
from minigrad.compiler.transposes import transposes
from minigrad.compiler.value_form import listed, relocated, reshaped, strides_of


def test_equal_values_are_one_and_dead_ones_are_not_listed():
    g = Given()
    a, b = g.leaf(2, 3), g.leaf(2, 3)
    first, again, dead = g.add(a, b), g.add(a, b), g.tanh(a)
    assert first is again
    assert dead not in listed([first])
    zero, less = (g.builder.full(z, (), FLOAT) for z in (0.0, -0.0))
    assert g.add(first, less) is first
    assert g.add(first, zero) is not first  # -0.0 + 0.0 is 0.0
    g.builder.late = True
    assert g.add(g.add(b, b), zero) is g.add(b, b)


@pytest.mark.parametrize("axis", [0, 1])
def test_a_slice_of_a_concatenation_is_a_slice_of_its_part(axis):
    g = Given()
    parts = [g.leaf(3, 4), g.leaf(3, 4)]
    whole = g.builder.concat(parts, axis)
    starts, stops = [0, 0], [3, 4]
    starts[axis] += parts[0].shape[axis]
    stops[axis] += parts[0].shape[axis]
    assert g.builder.slice(whole, starts, stops) is parts[1]
    starts[axis] += 1
    part = g.builder.slice(whole, starts, stops)
    assert part.root is parts[1]
    cut = (slice(1, None), slice(None)) if axis == 0 else (slice(None), slice(1, None))
    assert np.array_equal(g.evaluate([part])[0], g.arrays[parts[1]][cut])


def test_neighbouring_views_are_joined_again():
    g = Given()
    x = g.leaf(5, 2, 3)
    steps = [
        g.builder.reshape(g.builder.slice(x, [t, 0, 0], [t + 1, 2, 3]), (2, 3))
        for t in range(5)
    ]
    joined = g.builder.concat(steps, 0)
    assert joined.op == "view" and joined.root is x and joined.shape == (10, 3)
    assert g.builder.concat(steps[::-1], 0).op == "concat"


def test_a_slice_of_an_elementwise_value_is_computed_alone():
    g = Given()
    a, bias = g.leaf(4, 6), g.leaf(6)
    y = g.tanh(g.add(a, bias))
    part = g.builder.slice(y, [0, 2], [4, 4])
    assert part.op == "elementwise" and part.shape == (4, 2)
    assert y not in listed([part])
    assert np.allclose(g.evaluate([part])[0], g.evaluate([y])[0][:, 2:4])


def test_random_views_are_what_numpy_says():
    rng = np.random.default_rng(1)
    for seed in range(60):
        g = Given(seed)
        pieces = [g.leaf(2, 3, 4), g.leaf(1, 3, 4), g.leaf(2, 3, 4)]
        value = g.builder.concat(pieces, 0)
        if seed % 2:
            value = g.builder.concat([g.leaf(2, 3, 2), g.leaf(2, 3, 3)], 2)
        array = g.evaluate([value])[0]
        for _ in range(4):
            kind = rng.integers(4)
            n = len(value.shape)
            if kind == 0:
                starts = [int(rng.integers(0, m)) for m in value.shape]
                stops = [
                    int(rng.integers(a + 1, m + 1))
                    for a, m in zip(starts, value.shape, strict=True)
                ]
                value = g.builder.slice(value, starts, stops)
                array = array[tuple(map(slice, starts, stops))]
            elif kind == 1:
                axes = tuple(int(k) for k in rng.permutation(n))
                value, array = g.builder.transpose(value, axes), array.transpose(axes)
            elif kind == 2:
                shape = (array.size,) if rng.random() < 0.5 else (1, *array.shape)
                value, array = g.builder.reshape(value, shape), array.reshape(shape)
            elif n < 4:
                shape = (2, *array.shape)
                value = g.builder.broadcast(value, shape)
                array = np.broadcast_to(array, shape)
        assert value.shape == array.shape
        assert np.array_equal(g.evaluate([value])[0], array)


def test_strides_of_a_reshaped_array():
    assert reshaped((2, 6), (6, 1), (2, 2, 3)) == (6, 3, 1)
    assert reshaped((4, 6), (12, 1), (2, 2, 3, 2)) == (24, 12, 2, 1)
    assert reshaped((2, 3), (1, 2), (6,)) is None
    assert strides_of((2, 3, 4)) == (12, 4, 1)


def test_a_view_of_what_lies_elsewhere_has_the_same_entries():
    """The array lies with gaps; a view of it is moved to where it really is."""
    rng, found = np.random.default_rng(3), 0
    for _ in range(200):
        whole = tuple(int(n) for n in rng.integers(1, 4, rng.integers(1, 4)))
        wide = tuple(n + int(rng.integers(0, 2)) for n in whole)
        start, memory = 5, np.arange(5.0 + 6**3)
        steps = strides_of(wide)  # it is a corner of a wider one
        lies = as_strided(memory[start:], whole, [8 * s for s in steps])
        at = np.arange(lies.size).reshape(whole)  # which entry of the array
        for axis, n in enumerate(whole):
            at = at[(slice(None),) * axis + (slice(int(rng.integers(n)), n),)]
        at = at.transpose(rng.permutation(at.ndim))
        strides = tuple(s // 8 for s in at.strides)
        moved = relocated(whole, start, steps, int(at.flat[0]), at.shape, strides)
        if moved is not None:
            found += 1
            offset, strides = moved
            seen = as_strided(memory[offset:], at.shape, [8 * s for s in strides])
            assert np.array_equal(seen, lies.ravel()[at])
    assert found > 150


def test_only_nothing_added_and_a_factor_of_one_are_left_out():
    g = Given()
    x, b = g.leaf(2, 3), g.builder

    def with_number(name, number, first=False):
        full = b.make("full", (), np.array(number).tobytes(), (), FLOAT)
        return b.elementwise(name, (full, x) if first else (x, full), x.shape, FLOAT)

    for first in (False, True):
        assert with_number("multiply", 1.0, first) is x
        assert with_number("add", -0.0, first) is x
        assert with_number("multiply", 2.0, first) is not x
        assert with_number("add", 0.0, first) is not x  # -0.0 + 0.0 is 0.0
    assert with_number("subtract", 1.0) is not x and with_number("add", 1.0) is not x


@pytest.mark.parametrize("names", [("exp", "tanh"), ("tanh", "exp"), ("exp", "exp")])
def test_only_equal_operations_on_neighbours_are_joined(names):
    g = Given()
    x, b = g.leaf(4, 3), g.builder
    halves = [b.slice(x, [2 * k, 0], [2 * k + 2, 3]) for k in range(2)]
    parts = [
        b.elementwise(name, (half,), half.shape, FLOAT)
        for name, half in zip(names, halves, strict=True)
    ]
    whole = b.concat(parts, 0)
    assert (whole.op == "elementwise") == (names[0] == names[1])
    for k, name in enumerate(names):
        half = slice(2 * k, 2 * k + 2)
        expected = getattr(np, name)(g.arrays[x][half])
        assert np.allclose(g.evaluate([whole])[0][half], expected, rtol=1e-14)


def test_axes_of_length_one_are_dropped_from_the_operands():
    g = Given()
    value = g.add(g.leaf(1, 3), g.leaf(3))
    dropped = g.builder.dropped(value, (3,))
    assert dropped.op == "elementwise" and dropped.shape == (3,)
    before, after = g.evaluate([value, dropped])
    assert np.array_equal(before[0], after)


def _loop(g, steps=4):
    """h = tanh(x_t W + h U), and the sum of dU's products."""
    x, h = g.leaf(steps, 2, 3), g.leaf(2, 5)
    w, u = g.leaf(3, 5), g.leaf(5, 5)
    b, states = g.builder, [h]
    for t in range(steps):
        x_t = b.reshape(b.slice(x, [t, 0, 0], [t + 1, 2, 3]), (2, 3))
        states.append(g.tanh(g.add(b.dot(x_t, w), b.dot(states[-1], u))))
    return w, u, states


def test_hoist_takes_products_with_one_matrix_together():
    g = Given()
    _, _, states = _loop(g)
    before = [states[-1]]
    after = hoist(g.builder, before)
    assert counts(before)["dot"] == 8
    assert counts(after)["dot"] == 5  # x W once, h U at each step
    g.unchanged(before, after)
    assert hoist(g.builder, after) == after  # nothing is left to do


def test_accumulate_makes_one_product_of_a_sum_over_steps():
    g = Given()
    b = g.builder
    pairs = [(g.leaf(2, 3), g.leaf(2, 4)) for _ in range(5)]
    total = rows = None
    for a, d in pairs:
        product = b.dot(a, d, True, False)
        total = product if total is None else g.add(total, product)
        down = b.sum(d, (0,))
        rows = down if rows is None else g.add(rows, down)
    before = [total, rows]
    after = accumulate(b, before)
    assert (counts(before)["dot"], counts(before)["sum"]) == (5, 5)
    assert (counts(after)["dot"], counts(after)["sum"]) == (1, 1)
    assert counts(after)["elementwise"] == 0
    g.unchanged(before, after)


def test_accumulate_takes_only_products_of_rows_together():
    """A gradient of a weight is a^T g; the others are left as they are."""
    for flips in ((True, True), (False, True), (False, False)):
        g = Given()
        b, shapes = g.builder, [(3, 3)] * 2
        one, two = (b.dot(*[g.leaf(*s) for s in shapes], *flips) for _ in range(2))
        before = [g.add(one, two)]
        after = accumulate(b, before)
        g.unchanged(before, after)
        assert counts(after)["dot"] == 2


def test_accumulate_leaves_alone_what_is_used_elsewhere():
    g = Given()
    b = g.builder
    one = b.dot(g.leaf(2, 3), g.leaf(2, 4), True, False)
    two = b.dot(g.leaf(2, 3), g.leaf(2, 4), True, False)
    before = [g.add(one, two), one]
    assert accumulate(b, before) == before


def test_transposes_copies_what_is_often_taken_transposed():
    g = Given()
    u = g.leaf(4, 6)
    before = [g.builder.dot(g.leaf(2, 6), u, False, True) for _ in range(5)]
    after = transposes(g.builder, before)
    assert counts(after)["transposed"] == 1
    assert all(v.attrs == (False, False) for v in after)
    g.unchanged(before, after)
    assert transposes(g.builder, before[:3]) == before[:3]


def test_fuse_makes_one_kernel_of_what_needs_no_product_between():
    g = Given()
    _, _, states = _loop(g)
    results = hoist(g.builder, [states[-1]])
    units = ordered(fuse(results))
    kernels = [u for u in units if u.op == "kernel"]
    assert [len(u.members) for u in kernels] == [2, 2, 2, 2]  # add and tanh
    assert all(len(u.kept) == 1 for u in kernels)  # the sum needs no memory
    place = {v: k for k, u in enumerate(units) for v in u.members}
    for k, unit in enumerate(units):
        assert all(place.get(a.root, -1) < k for a in unit.inputs)


def test_fuse_computes_cheap_values_where_they_are_needed():
    g = Given()
    a, w = g.leaf(3, 3), g.leaf(3, 3)
    y = g.tanh(a)
    square = g.builder.elementwise("multiply", (y, y), y.shape, FLOAT)
    late = g.builder.dot(y, w)
    result = g.builder.elementwise("multiply", (late, square), y.shape, FLOAT)
    first, second = [u for u in ordered(fuse([result])) if u.op == "kernel"]
    assert first.members == [y] and set(second.members) == {square, result}


def test_place_writes_the_parts_of_a_concatenation_in_place():
    g = Given()
    made = [g.tanh(g.leaf(2, 3)) for _ in range(3)]
    outside = g.leaf(2, 3)
    inner = g.builder.concat(made[:2], 1)  # (2, 6)
    whole = g.builder.concat([inner, g.builder.concat([made[2], outside], 1)], 0)
    places = Places(listed([whole]))
    assert places.find(made[1]) == (whole, 3, (6, 1))
    assert places.find(made[2]) == (whole, 12, (6, 1))
    copied = [part for each in places.copies.values() for part, _ in each]
    assert copied == [outside]


def test_a_value_of_two_concatenations_has_two_places():
    g = Given()
    shared, other = g.tanh(g.leaf(2, 3)), g.tanh(g.leaf(2, 3))
    one = g.builder.concat([shared, other], 0)
    two = g.builder.concat([other, shared], 0)
    places = Places(listed([one, two]))
    assert {p.base for p in places.of[shared]} == {one, two}


def test_memory_is_used_again_when_its_value_is_no_longer_needed():
    g = Given()
    a, w = g.leaf(4, 4), g.leaf(4, 4)
    for _ in range(10):
        a = g.tanh(g.builder.dot(a, w))
    units = ordered(fuse([a]))
    first, last = lifetimes(units, Places(listed([a])), [a])
    assert last[a] == len(units)
    for base, k in first.items():
        assert k <= last[base]
    arena = Arena()
    one = arena.take(100)
    arena.give(one, 100)
    assert arena.take(90) == one and arena.take(100) != one
    assert arena.size == 256 and one % Arena.ALIGNED == 0


def test_kernels_of_equal_groups_have_equal_texts():
    g = Given()
    texts = set()
    for t in range(3):
        z, bias = g.leaf(2, 6), g.leaf(3)
        part = g.builder.slice(z, [0, 0], [2, 3])
        y = g.add(part, bias)
        other = g.builder.elementwise(
            "multiply", (g.tanh(y), g.builder.full(0.37 + t, (), FLOAT)), y.shape, FLOAT
        )
        members = [v for v in listed([other]) if v.op == "elementwise"]
        found = written(members, lambda a: a.shape == (), [other])
        texts.add(found.text)
        assert [r.same for r in found.reads] == [False, False, True]
    assert len(texts) == 1  # numbers that differ are operands, not text


def _kept_states(g, steps=3):
    """y_t = tanh(z_t), z_t the rows of x W; and each y_t as the left of a product."""
    b, x, w = g.builder, g.leaf(steps * 2, 3), g.leaf(3, 4)
    z = b.dot(x, w)
    parts = [b.slice(z, [2 * t, 0], [2 * t + 2, 4]) for t in range(steps)]
    ys = [g.tanh(part) for part in parts]
    return z, parts, ys, [b.dot(y, g.leaf(4, 4)) for y in ys]


def _overlaid(results):
    units, places = ordered(fuse(results)), Places(listed(results))
    overlay(units, places, results)
    return units, places


def test_overlay_writes_results_over_operands_that_nobody_reads_again():
    g = Given()
    z, _, ys, results = _kept_states(g)
    units, places = _overlaid(results)
    assert [places.find(y) for y in ys] == [(z, 8 * t, (4, 1)) for t in range(3)]
    first, last = lifetimes(units, places, results)
    assert set(ys).isdisjoint(first)
    assert last[z] == max(k for k, u in enumerate(units) if u.members[0] in results)


@pytest.mark.parametrize("again", ["a part later", "the whole", "a result"])
def test_overlay_leaves_alone_what_is_read_again(again):
    g = Given()
    z, parts, ys, results = _kept_states(g)
    if again == "a part later":
        results.append(g.add(parts[1], results[0]))
    elif again == "the whole":
        results.append(g.builder.dot(z, g.leaf(4, 1)))
    else:
        results.append(ys[2])
    _, places = _overlaid(results)
    assert all(places.find(y).base is not z for y in ys)


def test_overlay_lets_a_stack_of_the_same_parts_take_the_memory_over():
    g = Given()
    b = g.builder
    z, _, ys, products = _kept_states(g)
    b.late = True
    gs = [
        b.elementwise("multiply", (p, y), y.shape, FLOAT)
        for p, y in zip(products, ys, strict=True)
    ]
    stack = b.concat(gs, 0)
    _, places = _overlaid([b.dot(stack, g.leaf(4, 2))])
    assert places.find(stack).base is z
    assert [places.find(v).offset for v in gs] == [0, 8, 16]


def test_a_kernel_reads_and_writes_one_place_by_one_pointer():
    g = Given()
    a, other = g.leaf(2, 3), g.leaf(2, 3)
    y = g.tanh(g.add(a, other))
    found = written([g.add(a, other), y], lambda value: False, [y], {a: 0})
    assert [r.value for r in found.reads] == [other]
    assert found.text.index("= o0[j]") < found.text.index("o0[j] = ")


@pytest.mark.parametrize("char", ["f", "d"])
def test_sums_of_rows_and_of_everything_are_rows_of_the_table(char):
    x = np.random.default_rng(0).standard_normal((3, 5000, 4)).astype(char)
    y = x[:2, :70].copy()

    @mg.compile
    def sums(x, y):
        return x.sum(), x.sum((1, 2)), x.sum(-1), y.sum(1), y[1].sum(), y.T.sum((0, 2))

    for scale in (1, 2, -3):
        x, y = x * scale, y * scale
        norm = np.abs(x).sum() * np.finfo(char).eps
        eager = sums.fn(mg.tensor(x), mg.tensor(y))
        for found, expected in zip(sums(x, y), eager, strict=True):
            np.testing.assert_allclose(found.data, expected.data, atol=norm)
    [report] = sums.explain()
    assert report.calls == 2  # along an axis in the middle, and of a view: by NumPy
    for row in ([-0.0] * 9, [1, np.nan, np.inf], [np.inf, -np.inf], [np.inf, 1]):
        row = np.array(row, char)
        sums_of_row = [sums.fn(mg.tensor(row[None, :, None]), mg.tensor(y))[0].data]
        total = mg.compile(lambda x: x.sum())
        sums_of_row += [total(row).data for _ in range(3)]
        assert len({np.asarray(s).tobytes() for s in sums_of_row}) == 1


def test_the_address_of_an_array_is_what_numpy_says():
    assert addresses.is_trusted()
    for array in (np.ones((3, 4))[1:, ::2], np.empty(0), np.array(2.0), np.arange(9)):
        assert addresses.address_of(array) == array.ctypes.data
