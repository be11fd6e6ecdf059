"""What a user holds: NumPy's manners, dtypes, conversions, and what is refused."""

import copy
import itertools
import pickle

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minigrad as mg
from minigrad.engine import errors

DTYPES = ("bool", "int8", "uint8", "int32", "int64", "float16", "float32", "float64")
OPERATIONS = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "**": lambda a, b: a**b,
    "@": lambda a, b: a @ b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
}


def same(found, expected):
    assert isinstance(found, mg.Tensor)
    assert found.dtype == expected.dtype and found.shape == expected.shape
    np.testing.assert_array_equal(found.data, expected)


@pytest.mark.parametrize("word", OPERATIONS)
def test_dtypes_of_two_arrays_are_numpys(word):
    operation = OPERATIONS[word]
    for one, other in itertools.product(DTYPES, repeat=2):
        a, b = np.ones(3, one), np.ones(3, other)
        try:
            expected = operation(a, b)
        except TypeError:
            with pytest.raises(errors.DTypeError):
                operation(mg.tensor(a), mg.tensor(b))
            continue
        same(operation(mg.tensor(a), mg.tensor(b)), expected)
        same(operation(mg.tensor(a), b), expected)
        same(operation(a, mg.tensor(b)), expected)


NUMBERS = (True, 2, 2.5, np.float64(2.5), np.float32(2.5), np.int64(2), np.array(2.5))


@pytest.mark.parametrize("word", [w for w in OPERATIONS if w != "@"])
@pytest.mark.parametrize("number", NUMBERS, ids=lambda n: f"{type(n).__name__} {n}")
def test_dtypes_beside_a_number_are_numpys(word, number):
    """A Python number takes the tensor's dtype; a NumPy scalar keeps its own."""
    operation = OPERATIONS[word]
    for dtype in DTYPES[1:]:
        for shape in ((), (3,)):
            a = np.full(shape, 3, dtype)
            for left, right in ((0, 1), (1, 0)):
                arrays, tensors = (a, number), (mg.tensor(a), number)
                expected = operation(arrays[left], arrays[right])
                found = operation(tensors[left], tensors[right])
                # NumPy's own 0-d arrays lose their dtype beside a Python number.
                if shape or not isinstance(number, bool | int | float):
                    assert found.dtype == np.asarray(expected).dtype
                np.testing.assert_allclose(found.data, expected, rtol=1e-3)


@given(
    hnp.arrays(np.float64, hnp.array_shapes(min_dims=0, max_dims=3, max_side=3)),
    st.data(),
)
def test_indexing_is_numpys(array, data):
    index = data.draw(
        hnp.basic_indices(array.shape, allow_newaxis=True)
        if data.draw(st.booleans()) or not array.ndim or 0 in array.shape
        else hnp.integer_array_indices(array.shape)
    )
    found = mg.tensor(array, requires_grad=True)[index]
    np.testing.assert_array_equal(found.data, array[index])
    # Reading entries by number: the gradient counts how often each is read.
    places = np.arange(array.size).reshape(array.shape)[index]
    leaf = mg.tensor(np.zeros(array.shape), requires_grad=True)
    (g,) = mg.grad(leaf[index].sum(), [leaf])
    counts = np.bincount(np.ravel(places), minlength=array.size)
    np.testing.assert_array_equal(g.data.reshape(-1), counts)


@pytest.mark.parametrize(
    "index",
    [
        (np.array([[True, False], [True, True]]),),
        (np.array([True, False]), slice(None)),
        (..., np.array([0, 1, 0])),
        (slice(None), None, np.array([[1], [0]])),
        (np.array([1, 0]), np.array([True, True])),
        (-1, ...),
        ([1, 1],),
        (mg.tensor([0, 1]),),
        (slice(None, None, -1), slice(1, None)),
    ],
    ids=str,
)
def test_masks_arrays_and_mixtures(index, rng):
    array = rng.standard_normal((2, 2))
    raw = tuple(i.data if isinstance(i, mg.Tensor) else i for i in index)
    x = mg.tensor(array, requires_grad=True)
    y = x[index if len(index) > 1 else index[0]]
    np.testing.assert_array_equal(y.data, array[raw])
    u = rng.standard_normal(y.shape)
    expected = np.zeros((2, 2))
    np.add.at(expected, raw, u)
    (g,) = mg.grad(y, [x], u)
    np.testing.assert_allclose(g.data, expected, rtol=1e-15)


def test_a_number_is_formatted_as_in_torch():
    torch = pytest.importorskip("torch", reason="needs torch")
    loss = (mg.tensor([1.0, 2.0], requires_grad=True) ** 2).mean()
    theirs = torch.tensor(2.5, dtype=torch.float64)
    for spec in ("", ".4f", "10.3e", "+.1f", "g", ">8.2f", ".1%"):
        assert format(loss, spec) == format(theirs, spec)
    assert f"{mg.tensor(7)}" == "7" and f"{mg.tensor(7):04d}" == "0007"
    row = mg.tensor([1.0, 2.0])
    assert f"{row}" == str(row)
    with pytest.raises(TypeError, match=r"only a tensor without axes(?s:.*)\.item"):
        f"{row:.2f}"
    assert (round(loss, 1), round(loss), type(round(loss))) == (2.5, 2, int)
    assert round(mg.tensor([[2.567]]), 2) == 2.57
    with pytest.raises(ValueError, match="one entry"):
        round(row, 2)


def test_repr_tells_what_it_is():
    x = mg.tensor([1.0, 2.0], "float32", requires_grad=True, name="speed")
    text = repr(x)
    for words in ("[1., 2.]", "(2,)", "float32", "'speed'", "requires_grad"):
        assert words in text
    assert "from tanh" in repr(mg.tanh(x)) and "float32" in repr(mg.tanh(x))
    assert len(repr(mg.zeros((1000, 1000)))) < 1000


def test_conversions():
    x = mg.tensor([[2.5]])
    assert (float(x), int(x), x.item(), bool(x)) == (2.5, 2, 2.5, True)
    assert [10, 11, 12][mg.tensor(1)] == 11
    with pytest.raises(TypeError):
        [10, 11, 12][mg.tensor(1.0)]
    rows = mg.tensor(np.arange(6.0).reshape(3, 2), requires_grad=True)
    assert len(rows) == 3 and [row.data.tolist() for row in rows][2] == [4.0, 5.0]
    first, *_ = rows
    assert first.requires_grad
    assert 5.0 in rows and 6.0 not in rows
    assert rows[2, 1] in rows
    constant = rows.detach()
    np.testing.assert_array_equal(np.asarray(constant), rows.data)
    copied = np.array(constant)
    copied[0] = 9.0
    assert rows.data[0, 0] == 0.0
    assert len({rows, rows, first}) == 2  # == compares entries, identity is the key


REFUSED = {
    "len of no axes": (lambda x: len(x.sum()), TypeError),
    "iteration over no axes": (lambda x: list(x.sum()), TypeError),
    "pickle": (pickle.dumps, TypeError),
    "deep copy": (copy.deepcopy, TypeError),
    "writing": (lambda x: x.__setitem__(0, 1.0), TypeError),
    "gradient for a result": (
        lambda x: setattr(x * 1.0, "requires_grad", False), RuntimeError
    ),
    "data of a result": (lambda x: setattr(x * 1.0, "data", x.data), RuntimeError),
    "another dtype for data": (
        lambda x: setattr(mg.tensor([1.0], "float32"), "data", np.ones(1)), TypeError
    ),
    "a gradient too long": (lambda x: setattr(x, "grad", np.ones(5)), ValueError),
    "integers asked for gradients": (
        lambda x: setattr(mg.tensor([1]), "requires_grad", True), TypeError
    ),
    "a number too large": (lambda x: mg.tensor(np.uint8([1])) + 300, TypeError),
    "an unknown dtype": (lambda x: x.astype("flaot64"), TypeError),
    "a shape of words": (lambda x: x.reshape("ab"), TypeError),
    "squeezing a long axis": (lambda x: x.squeeze(0), ValueError),
    "half a transposition": (lambda x: mg.zeros((2, 3)).transpose(1), ValueError),
    "an axis twice": (lambda x: mg.zeros((2, 3)).sum(axis=(0, -2)), ValueError),
    "cuts out of order": (lambda x: mg.split(x, [1, 0]), ValueError),
    "nothing to choose from": (lambda x: x[:0].max(), ValueError),
    "a seed of integers": (lambda x: x.backward(mg.tensor([1, 1])), TypeError),
    "a seed of another shape": (lambda x: x.backward(np.ones(3)), ValueError),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_refused_with_a_reason_and_a_way_out(name):
    call, builtin = REFUSED[name]
    with pytest.raises(errors.MinigradError) as caught:
        call(mg.tensor([1.0, 2.0], requires_grad=True))
    assert isinstance(caught.value, builtin)
    assert caught.value.what and "\n" in str(caught.value)


def test_names_reach_messages():
    x = mg.tensor([1.0, 2.0], name="x")
    h = x * 2.0
    h.name = "hidden"
    with pytest.raises(errors.ShapeError, match=r"a: 'hidden' \(2,\) float64"):
        h + np.ones(3)
    parts = mg.split(mg.zeros((2, 2)), 2)
    parts[1].name = "second"
    assert (parts[0].name, parts[1].name) == (None, "second")


def test_graph_survives_the_names_and_gradients_are_freed_with_their_owner():
    import gc
    import weakref

    gc.collect()
    gc.disable()
    try:
        x = mg.tensor([1.0, 2.0], requires_grad=True)
        y = (mg.exp(x) * x).sum()
        y.backward(create_graph=True)
        refs = [weakref.ref(y), weakref.ref(x), weakref.ref(x.grad)]
        del x, y  # .grad holds a graph that leads back to x's values
        assert [r() for r in refs] == [None] * 3
    finally:
        gc.enable()
