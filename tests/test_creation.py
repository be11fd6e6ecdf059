"""mg.zeros and its kin, against NumPy."""

import numpy as np
import pytest

import minigrad as mg
from minigrad.engine.errors import DTypeError, ShapeError

CALLS = [
    (lambda m: m.zeros((2, 3))),
    (lambda m: m.zeros(4)),
    (lambda m: m.zeros(())),
    (lambda m: m.zeros((2, 0), dtype="float32")),
    (lambda m: m.ones([2, 3], dtype="int64")),
    (lambda m: m.full((2, 2), 7)),
    (lambda m: m.full((2, 2), 7.0)),
    (lambda m: m.full((2, 2), True)),
    (lambda m: m.full((2,), [1.0, 2.0], dtype="float32")),
    (lambda m: m.arange(5)),
    (lambda m: m.arange(2, 5)),
    (lambda m: m.arange(5.0, 1.0, -0.5)),
    (lambda m: m.arange(0, 4, dtype="float32")),
    (lambda m: m.eye(3)),
    (lambda m: m.eye(2, 4, dtype="float32")),
    (lambda m: m.zeros_like(np.ones((2, 3), "float32"))),
    (lambda m: m.ones_like(np.ones((2, 3), "int32"), dtype="float64")),
    (lambda m: m.ones_like([[1, 2]])),
]


@pytest.mark.parametrize("call", CALLS)
def test_as_numpy_makes_it(call):
    made, expected = call(mg), call(np)
    assert isinstance(made, mg.Tensor)
    assert made.dtype == expected.dtype
    assert made.shape == expected.shape
    assert np.array_equal(made.data, expected)


def test_like_a_tensor_and_not_like_an_array_in_its_layout():
    x = mg.tensor(np.ones((3, 4), "float32").T)
    assert mg.zeros_like(x).shape == (4, 3)
    assert mg.zeros_like(x).dtype == np.float32
    assert not mg.zeros_like(x).requires_grad


@pytest.mark.parametrize(
    "make",
    [
        lambda **k: mg.zeros(2, **k),
        lambda **k: mg.ones(2, **k),
        lambda **k: mg.full(2, 1.0, **k),
        lambda **k: mg.arange(2.0, **k),
        lambda **k: mg.eye(2, **k),
        lambda **k: mg.zeros_like(mg.ones(2), **k),
        lambda **k: mg.ones_like(mg.ones(2), **k),
    ],
)
def test_requires_grad_and_name(make):
    x = make(requires_grad=True, name="x")
    assert x.name == "x"
    (x * 3.0).sum().backward()
    assert np.array_equal(x.grad.data, np.full(x.shape, 3.0))


BAD = [
    (lambda: mg.zeros(2, 3), DTypeError, "a shape of several axes is a tuple"),
    (lambda: mg.zeros(2.5), DTypeError, "zeros: "),
    (lambda: mg.ones(-1), ShapeError, "ones: negative dimensions"),
    (lambda: mg.full((2,), [1.0, 2.0, 3.0]), ShapeError, "full: could not broadcast"),
    (lambda: mg.arange(0, 5, 0), ShapeError, "arange: "),
    (lambda: mg.eye(-1), ShapeError, "eye: negative dimensions"),
    (lambda: mg.eye(2, dtype="word"), DTypeError, "eye: .*word"),
    (lambda: mg.arange(3, requires_grad=True), DTypeError, "cannot have a gradient"),
]


@pytest.mark.parametrize(("call", "error", "message"), BAD)
def test_bad_input_is_one_clear_error(call, error, message):
    with pytest.raises(error, match=message) as caught:
        call()
    text = str(caught.value)
    assert all(f"\n  {word}  " in text for word in ("expect", "actual", "hint  "))
