"""Clipping by norm and by value: against the definition and PyTorch; NaN; extremes."""

import math

import numpy as np
import pytest

import minigrad as mg
from minigrad import clip_grad_norm_, clip_grad_value_
from minigrad.engine.errors import ArgumentError, DTypeError, NonFiniteError


def with_gradients(*arrays, dtype="float64"):
    ps = []
    for number, array in enumerate(arrays):
        p = mg.nn.Parameter(np.zeros(np.shape(array)), dtype=dtype, name=f"p{number}")
        p.grad = mg.tensor(array, dtype=dtype)
        ps.append(p)
    return ps


def draw(rng):
    return rng.normal(size=(3, 4)), rng.normal(size=()), rng.normal(size=(0, 2))


def norm(arrays, order):
    flat = np.concatenate([np.ravel(a) for a in arrays])
    return np.linalg.norm(flat, order)


@pytest.mark.parametrize("order", [1.0, 2.0, 3.5, math.inf])
@pytest.mark.parametrize("share", [0.3, 0.999, 1.01, 50.0])
def test_by_norm(order, share, rng):
    arrays = draw(rng)
    ps = with_gradients(*arrays)
    before = norm(arrays, order)
    returned = clip_grad_norm_(ps, share * before, order)
    assert type(returned) is float
    assert returned == pytest.approx(before, rel=1e-14)
    factor = min(1.0, share * before / (before + 1e-6))
    for p, array in zip(ps, arrays, strict=True):
        np.testing.assert_allclose(p.grad.data, factor * array, rtol=1e-14)
    if share > 1:
        assert all(
            np.array_equal(p.grad.data, a) for p, a in zip(ps, arrays, strict=True)
        )


@pytest.mark.parametrize("bound", [0.0, 0.5, 100.0])
def test_by_value(bound, rng):
    arrays = draw(rng)
    ps = with_gradients(*arrays)
    assert clip_grad_value_(ps, bound) is None
    for p, array in zip(ps, arrays, strict=True):
        assert np.array_equal(p.grad.data, np.clip(array, -bound, bound))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("order", [1.0, 2.0, math.inf])
@pytest.mark.parametrize("max_norm", [0.0, 1e-3, 1, 1e3])
def test_by_norm_as_in_torch(max_norm, order, dtype, rng):
    torch = pytest.importorskip("torch", reason="needs torch")
    arrays = [np.array(array, dtype) for array in draw(rng)]
    ps = with_gradients(*arrays, dtype=dtype)
    theirs = [torch.zeros(a.shape, dtype=getattr(torch, dtype)) for a in arrays]
    for q, array in zip(theirs, arrays, strict=True):
        q.grad = torch.tensor(array)
    theirs[2:] = [] if order == math.inf else theirs[2:]  # no largest entry of none
    total = clip_grad_norm_(ps, max_norm, order)
    other = torch.nn.utils.clip_grad_norm_(theirs, max_norm, order)
    close = 8 * float(np.finfo(dtype).eps)
    assert total == pytest.approx(other.item(), rel=close)
    for p, q in zip(ps, theirs, strict=False):
        np.testing.assert_allclose(p.grad.data, q.grad.numpy(), rtol=close)


@pytest.mark.parametrize("scale", [1e-42, 1e-30, 1e-12, 1e18, 1e30, 3e37])
def test_the_norm_neither_over_nor_underflows_in_float32(scale):
    ps = with_gradients(*np.array([[3.0, 0.0], [0.0, 4.0]]) * scale, dtype="float32")
    exact = norm([p.grad.data.astype("float64") for p in ps], 2)
    assert clip_grad_norm_(ps, 1e-3) == pytest.approx(exact, rel=1e-6)
    assert {p.grad.dtype for p in ps} == {np.dtype("float32")}


@pytest.mark.parametrize("scale", [1e-300, 1e-160, 1e160, 1e300])
def test_the_norm_neither_over_nor_underflows_in_float64(scale):
    ps = with_gradients([3.0 * scale], [4.0 * scale])
    assert clip_grad_norm_(ps, 1.0) == pytest.approx(5.0 * scale, rel=1e-14)


def test_arrays_of_gradients_are_replaced_not_written(rng):
    [p] = with_gradients(rng.normal(size=5))
    held = p.grad
    before = held.data.copy()
    clip_grad_norm_([p], 0.1)
    clip_grad_value_([p], 0.01)
    assert np.array_equal(held.data, before)
    assert not p.grad.data.flags.writeable
    assert p.grad.node is None


def test_a_parameter_alone_a_generator_and_one_without_gradient(rng):
    [p] = with_gradients([3.0, 4.0])
    assert clip_grad_norm_(p, 1.0) == 5.0
    none = mg.nn.Parameter([1.0])
    p.grad = mg.tensor([6.0, 8.0])
    assert clip_grad_norm_((q for q in [none, p]), 1.0) == 10.0
    assert none.grad is None
    assert clip_grad_norm_([none], 1.0) == clip_grad_norm_([], 1.0) == 0.0
    clip_grad_value_(none, 1.0)


# gradients that are not finite


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("clip", [clip_grad_norm_, clip_grad_value_])
def test_the_parameter_is_named_and_nothing_is_changed(clip, bad):
    ps = with_gradients([[1.0, 2.0]], [[1.0, 2.0], [bad, bad]])
    before = [p.grad.data.copy() for p in ps]
    with pytest.raises(NonFiniteError) as caught:
        clip(ps, 0.5)
    assert caught.value.where.startswith("test_clip.py:")
    assert str(caught.value) == (
        f"{clip.__name__}: a gradient is not finite\n"
        "  expect  finite gradients\n"
        f"  actual  {bad} at (1, 0), 2 of 4 entries     "
        "parameter 1: 'p1' (2, 2) float64\n"
        f"  in      {caught.value.where}\n"
        "  hint    run the step under mg.detect_anomaly() to see where it arose"
    )
    for p, array in zip(ps, before, strict=True):
        assert np.array_equal(p.grad.data, array, equal_nan=True)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_as_torch_has_it_on_request(bad):
    torch = pytest.importorskip("torch", reason="needs torch")
    arrays = np.array([1.0, 2.0]), np.array([bad, 3.0])
    for ours, theirs, options in (
        (clip_grad_norm_, torch.nn.utils.clip_grad_norm_, {}),
        (clip_grad_value_, torch.nn.utils.clip_grad_value_, {}),
    ):
        ps = with_gradients(*arrays)
        qs = [torch.zeros(2, dtype=torch.float64) for _ in arrays]
        for q, array in zip(qs, arrays, strict=True):
            q.grad = torch.tensor(array)
        ours(ps, 1.5, error_if_nonfinite=False, **options)
        theirs(qs, 1.5, **options)
        for p, q in zip(ps, qs, strict=True):
            assert np.array_equal(p.grad.data, q.grad.numpy(), equal_nan=True)


def test_a_norm_beyond_the_largest_float():
    ps = with_gradients([1.5e308], [1.5e308])
    with pytest.raises(NonFiniteError, match="beyond the largest float"):
        clip_grad_norm_(ps, 1.0)


BAD = [
    (lambda: clip_grad_norm_([], -1.0), ArgumentError, r"clip_grad_norm_\(max_norm=-1"),
    (lambda: clip_grad_norm_([], math.nan), ArgumentError, "max_norm=nan"),
    (lambda: clip_grad_norm_([], 1.0, 0.0), ArgumentError, "norm_type=0.0"),
    (lambda: clip_grad_norm_([], 1.0, math.nan), ArgumentError, "norm_type=nan"),
    (lambda: clip_grad_value_([], -1.0), ArgumentError, r"_value_\(clip_value=-1.0\)"),
    (
        lambda: clip_grad_norm_(mg.nn.Linear(2, 1), 1.0),
        DTypeError,
        "model.parameters()",
    ),
    (lambda: clip_grad_value_([1.0], 1.0), DTypeError, "number 0 is not a tensor"),
]


@pytest.mark.parametrize(("call", "error", "message"), BAD)
def test_bad_input_is_one_clear_error(call, error, message):
    with pytest.raises(error, match=message) as caught:
        call()
    text = str(caught.value)
    assert all(f"\n  {word}  " in text for word in ("expect", "actual", "hint  "))
