"""Losses: against the plain formulas, the complex step and PyTorch; masks; edges."""

import inspect
import warnings

import numpy as np
import pytest

import minigrad as mg
from minigrad.engine.errors import (
    ArgumentError,
    DTypeError,
    IndexingError,
    MinigradWarning,
    ShapeError,
)
from minigrad.engine.graph import ancestors
from minigrad.nn import losses

REAL = ("mse", "mae", "rmse", "binary_cross_entropy")
ALL = (*REAL, "cross_entropy")
REDUCTIONS = ("mean", "sum", "none")


def make(name, rng, dtype="float64", shape=(3, 4)):
    """A prediction and a target that go together."""
    if name == "cross_entropy":
        z = 3 * rng.normal(size=(*shape, 5))
        return z.astype(dtype), rng.integers(0, 5, shape)
    z = 3 * rng.normal(size=shape)
    t = rng.random(shape) if name == "binary_cross_entropy" else rng.normal(size=shape)
    return z.astype(dtype), t.astype(dtype)


def entries(name, z, t):
    """The loss of each entry by its plain formula; works on complex z."""
    if name == "cross_entropy":
        log_p = z - np.log(np.exp(z).sum(-1, keepdims=True))
        return -np.take_along_axis(log_p, t[..., None], -1)[..., 0]
    if name == "binary_cross_entropy":
        p = 1 / (1 + np.exp(-z))
        return -t * np.log(p) - (1 - t) * np.log(1 - p)
    error = z - t
    return error * np.sign(error.real) if name == "mae" else error * error


def plain(name, z, t, reduction, keep=None):
    e = entries(name, z, t)
    e = e if keep is None else e[keep]
    reduced = {"mean": e.mean(), "sum": e.sum(), "none": e}[reduction]
    return np.sqrt(reduced) if name == "rmse" else reduced


# values and gradients


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("name", ALL)
def test_value_and_gradient(name, reduction, rng):
    z, t = make(name, rng)
    prediction = mg.tensor(z, requires_grad=True)
    loss = getattr(losses, name)(prediction, t, reduction)
    expected = plain(name, z, t, reduction)
    np.testing.assert_allclose(loss.data, expected, rtol=1e-12)
    u, v = rng.normal(size=loss.shape), rng.normal(size=z.shape)
    (g,) = mg.grad(loss, [prediction], grad_output=u)
    if name == "rmse" and reduction == "none":
        numeric = (u * np.sign(z - t) * v).sum()
    else:
        moved = plain(name, z + 1e-200j * v, t, reduction)
        numeric = (u * moved.imag / 1e-200).sum()
    assert (g.data * v).sum() == pytest.approx(numeric, rel=1e-12)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("name", ALL)
def test_float32_stays_float32(name, reduction, rng):
    z, t = make(name, rng)
    if name != "cross_entropy":
        t = t.astype("float32").astype("float64")
    prediction = mg.tensor(z, dtype="float32", requires_grad=True)
    keep = rng.random(t.shape) < 0.7
    loss = getattr(losses, name)(prediction, t, reduction, keep)  # a float64 target
    assert loss.dtype == np.float32
    (g,) = mg.grad(loss.sum(), [prediction])
    assert g.dtype == np.float32
    exact = mg.tensor(z.astype("float32").astype("float64"), requires_grad=True)
    precise = getattr(losses, name)(exact, t, reduction, keep)
    np.testing.assert_allclose(loss.data, precise.data, rtol=2e-6, atol=1e-30)
    (h,) = mg.grad(precise.sum(), [exact])
    assert abs(g.data - h.data).max() <= 2e-6 * abs(h.data).max()


@pytest.mark.parametrize("name", ALL)
def test_second_derivative(name, rng):
    z, t = make(name, rng, shape=(4,))
    x = mg.tensor(z, requires_grad=True)

    def slopes(array):
        x = mg.tensor(array, requires_grad=True)
        return mg.grad(getattr(losses, name)(x, t), [x])[0].data

    (g,) = mg.grad(getattr(losses, name)(x, t), [x], create_graph=True)
    u, v = rng.normal(size=(2, *z.shape))
    if name == "mae":
        assert (
            not g.requires_grad
            or not mg.grad(g, [x], u, allow_unused=True)[0].data.any()
        )
        return
    (h,) = mg.grad(g, [x], grad_output=u)
    a = 1e-3
    numeric = 8 * (slopes(z + a * v) - slopes(z - a * v))
    numeric = (numeric - slopes(z + 2 * a * v) + slopes(z - 2 * a * v)) / (12 * a)
    terms = abs(u * numeric).sum()
    assert abs((h.data * v).sum() - (u * numeric).sum()) <= 1e-9 * terms


def test_gradients_of_targets_too(rng):
    z, t = make("binary_cross_entropy", rng)
    target = mg.tensor(t, requires_grad=True)
    (g,) = mg.grad(losses.binary_cross_entropy(z, target, "sum"), [target])
    np.testing.assert_allclose(g.data, -z, rtol=1e-12)


# stability


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_binary_cross_entropy_keeps_its_digits_in_both_tails(dtype):
    z = mg.tensor([-80.0, -30.0, 30.0, 80.0], dtype=dtype, requires_grad=True)
    t = [0.0, 0.0, 1.0, 1.0]
    loss = losses.binary_cross_entropy(z, t, "none")
    expected = np.log1p(np.exp(-abs(z.data.astype("float64"))))
    np.testing.assert_allclose(loss.data, expected, rtol=8 * np.finfo(dtype).eps)
    (g,) = mg.grad(loss.sum(), [z])
    slope = -np.sign(z.data) / (1 + np.exp(abs(z.data.astype("float64"))))
    np.testing.assert_allclose(g.data, slope, rtol=8 * np.finfo(dtype).eps)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_huge_logits_neither_overflow_nor_warn(dtype):
    z = mg.tensor([1e30, -1e30], dtype=dtype, requires_grad=True)
    loss = losses.binary_cross_entropy(z, [0.0, 1.0], "none")
    assert np.array_equal(loss.data, np.array([1e30, 1e30], dtype))
    (g,) = mg.grad(loss.sum(), [z])
    assert np.array_equal(g.data, [1, -1])
    rows = mg.tensor([[1e30, 0.0], [0.0, -1e30]], dtype=dtype, requires_grad=True)
    loss = losses.cross_entropy(rows, [1, 0], "none")
    assert np.array_equal(loss.data, np.array([1e30, 0], dtype))
    (g,) = mg.grad(loss.sum(), [rows])
    assert np.array_equal(g.data, [[1, -1], [0, 0]])


def test_logits_of_zero_have_the_slope_of_the_formula():
    z = mg.tensor([0.0, 0.0], requires_grad=True)
    (g,) = mg.grad(losses.binary_cross_entropy(z, [0.25, 1.0], "sum"), [z])
    assert np.array_equal(g.data, [0.25, -0.5])


@pytest.mark.parametrize("scale", [1e-30, 1e30])
def test_rmse_neither_over_nor_underflows(scale):
    error = np.array([3.0, -4.0], "float32") * np.float32(scale)
    x = mg.tensor(error, requires_grad=True)
    loss = losses.rmse(x, np.zeros(2))
    assert loss.dtype == np.float32
    assert loss.item() == pytest.approx(5 * scale / 2**0.5, rel=1e-6)
    (g,) = mg.grad(loss, [x])
    np.testing.assert_allclose(g.data, [0.6 / 2**0.5, -0.8 / 2**0.5], rtol=1e-6)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("name", ["rmse", "mae", "mse"])
def test_kinks_at_no_error(name, reduction):
    x = mg.tensor([1.0, -2.0], requires_grad=True)
    loss = getattr(losses, name)(x, [1.0, -2.0], reduction)
    assert not loss.data.any()
    (g,) = mg.grad(loss, [x], grad_output=np.full(loss.shape, 3.0))
    assert np.array_equal(g.data, [0, 0])


# masks


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("name", ALL)
def test_a_masked_loss_is_that_of_the_entries_kept(name, reduction, rng):
    z, t = make(name, rng)
    keep = rng.random(t.shape) < 0.6
    prediction = mg.tensor(z, requires_grad=True)
    loss = getattr(losses, name)(prediction, t, reduction, keep)
    expected = plain(name, z, t, reduction, keep)
    if reduction == "none":
        assert loss.shape == t.shape
        assert not loss.data[~keep].any()
        np.testing.assert_allclose(loss.data[keep], expected, rtol=1e-12)
    else:
        np.testing.assert_allclose(loss.data, expected, rtol=1e-12)
    u = rng.normal(size=loss.shape)
    (g,) = mg.grad(loss, [prediction], grad_output=u)
    assert not g.data[~keep].any()
    kept = mg.tensor(z[keep], requires_grad=True)
    alone = getattr(losses, name)(kept, t[keep], reduction)
    (h,) = mg.grad(alone, [kept], grad_output=u[keep] if u.shape else u)
    np.testing.assert_allclose(g.data[keep], h.data, rtol=1e-12)


@pytest.mark.parametrize("junk", [np.nan, np.inf, -np.inf, 1e308])
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("name", ALL)
def test_what_is_masked_has_no_influence_even_if_it_is_nan(name, reduction, junk, rng):
    z, t = make(name, rng)
    keep = rng.random(t.shape) < 0.6

    def run(z, t):
        x = mg.tensor(z, requires_grad=True)
        loss = getattr(losses, name)(x, t, reduction, keep)
        return loss.data, mg.grad(loss.sum(), [x])[0].data

    value, slope = run(z, t)
    z[~keep] = junk
    t[~keep] = -99 if name == "cross_entropy" else junk
    junk_value, junk_slope = run(z, t)
    assert np.array_equal(value, junk_value)
    assert np.array_equal(slope, junk_slope)
    assert np.array_equal(junk_slope[~keep], np.zeros_like(junk_slope[~keep]))


@pytest.mark.parametrize("name", REAL)
def test_a_mask_of_the_first_axes(name, rng):
    z, t = make(name, rng, shape=(3, 3, 3))  # where alignment at the end would fit too
    keep = np.array([[True, False, False], [True, True, False], [False, False, False]])
    loss = getattr(losses, name)(z, t, mask=keep)
    np.testing.assert_allclose(loss.data, plain(name, z, t, "mean", keep), rtol=1e-12)
    column = getattr(losses, name)(z, t, mask=keep[:, :1, None])
    np.testing.assert_allclose(
        column.data, plain(name, z, t, "mean", keep[:, 0]), rtol=1e-12
    )


def test_masks_of_numbers_lists_and_tensors(rng):
    z, t = make("mse", rng)
    keep = rng.random(t.shape) < 0.5
    for mask in (
        keep.astype(int),
        keep.astype("float32"),
        keep.tolist(),
        mg.tensor(keep),
    ):
        assert losses.mse(z, t, mask=mask).item() == losses.mse(z, t, mask=keep).item()


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("name", ALL)
def test_nothing_to_lose_is_zero(name, reduction, rng):
    z, t = make(name, rng)
    x = mg.tensor(z, requires_grad=True)
    loss = getattr(losses, name)(x, t, reduction, np.zeros(t.shape, bool))
    assert not loss.data.any()
    (g,) = mg.grad(loss.sum(), [x])
    assert np.array_equal(g.data, np.zeros_like(z))
    empty = getattr(losses, name)(z[:0], t[:0], reduction)
    assert empty.shape == (t[:0].shape if reduction == "none" else ())
    assert not empty.data.any()


def test_an_empty_list_of_targets():
    assert losses.cross_entropy(np.zeros((0, 3)), []).item() == 0


def test_targets_and_masks_are_part_of_the_graph(rng):
    z, t = make("cross_entropy", rng)
    given = [mg.tensor(z, requires_grad=True), mg.tensor(t), mg.tensor(t > 1)]
    loss = losses.cross_entropy(given[0], given[1], mask=given[2])
    sources = {edge.source for node in ancestors([loss.node]) for edge in node.edges}
    assert {x._edge.source for x in given} <= sources


# signatures and errors


@pytest.mark.parametrize("name", ALL)
def test_signature(name):
    signature = inspect.signature(getattr(losses, name))
    assert signature.parameters["reduction"].default == "mean"
    assert signature.parameters["mask"].default is None


def test_the_alias():
    alias = losses.binary_cross_entropy_with_logits
    assert alias is losses.binary_cross_entropy


BAD = [
    (lambda: losses.mse([[1.0], [2.0]], [1.0, 2.0]), ShapeError, "mse.*shapes differ"),
    (lambda: losses.mae([1.0, 2.0], 1.0), ShapeError, "mae.*shapes differ"),
    (lambda: losses.rmse([1.0], [1.0, 2.0]), ShapeError, "rmse.*shapes differ"),
    (
        lambda: losses.binary_cross_entropy([[0.5]], [1]),
        ShapeError,
        "binary_cross_entropy.*shapes differ",
    ),
    (lambda: losses.mse([1, 2], [1, 2]), DTypeError, "not of floating point"),
    (lambda: losses.cross_entropy([[1, 2]], [1]), DTypeError, "not of floating point"),
    (
        lambda: losses.binary_cross_entropy([1.0, 2.0], [0.0, 1.5]),
        ArgumentError,
        r"no probability\n.*\n  actual  1.5 at \(1,\)",
    ),
    (
        lambda: losses.binary_cross_entropy([1.0], [np.nan]),
        ArgumentError,
        "nan at",
    ),
    (
        lambda: losses.cross_entropy(np.ones((2, 3)), [0, 3]),
        IndexingError,
        r"no such class\n.*0..2.*3\n  actual  3 at \(1,\)",
    ),
    (lambda: losses.cross_entropy(np.ones((2, 3)), [0, -1]), IndexingError, "-1 at"),
    (
        lambda: losses.cross_entropy(np.ones((2, 3)), [0.0, 1.0]),
        DTypeError,
        "class numbers",
    ),
    (
        lambda: losses.cross_entropy(np.ones((2, 3)), [True, False]),
        DTypeError,
        "class numbers",
    ),
    (
        lambda: losses.cross_entropy(np.ones((2, 3)), np.eye(3, dtype=int)[:2]),
        ShapeError,
        r"argmax\(-1\)",
    ),
    (
        lambda: losses.cross_entropy(np.ones((2, 3, 4)), np.zeros((2, 4), int)),
        ShapeError,
        "last axis",
    ),
    (lambda: losses.cross_entropy(1.0, 0), ShapeError, "one class number per row"),
    (
        lambda: losses.mse(np.ones((2, 3)), np.ones((2, 3)), mask=np.ones((3, 2))),
        ShapeError,
        r"mask= does not fit.*\n.*\(2, 3\)",
    ),
    (
        lambda: losses.mse(np.ones(2), np.ones(2), mask=np.ones((2, 1))),
        ShapeError,
        "mask= does not fit",
    ),
    (
        lambda: losses.mse(np.ones(2), np.ones(2), mask=[0.5, 1.0]),
        DTypeError,
        "yes or no",
    ),
    *[
        (lambda n=n: vars(losses)[n]([1.0], [1], "avg"), ArgumentError, "'avg'")
        for n in ALL
    ],
    (  # PyTorch's third argument is weight
        lambda: losses.cross_entropy(np.ones((2, 3)), [0, 1], np.ones(3)),
        ArgumentError,
        "reduction=array",
    ),
    (
        lambda: losses.cross_entropy(np.ones((2, 3)), [0, 1], weight=np.ones(2)),
        ShapeError,
        r"one factor per class\n  expect  weight of shape \(3,\)",
    ),
    *[
        (
            lambda e=e: losses.cross_entropy(
                np.ones((2, 3)), [0, 1], label_smoothing=e
            ),
            ArgumentError,
            "0 <= label_smoothing <= 1",
        )
        for e in (-0.1, 1.5, np.nan, "0.1")
    ],
    (
        lambda: losses.cross_entropy(np.ones((2, 3)), [0, -100]),
        IndexingError,
        "ignore_index=-100",
    ),
    (
        lambda: losses.binary_cross_entropy(
            np.ones((2, 3)), np.ones((2, 3)), pos_weight=np.ones(2)
        ),
        ShapeError,
        r"pos_weight=...\) does not fit",
    ),
    (
        lambda: losses.binary_cross_entropy(
            np.ones(3), np.ones(3), weight=np.ones((2, 3))
        ),
        ShapeError,
        r"weight=...\) does not fit",
    ),
]


@pytest.mark.parametrize(("call", "error", "message"), BAD)
def test_bad_input_is_one_clear_error(call, error, message):
    with pytest.raises(error, match=message) as caught:
        call()
    text = str(caught.value)
    assert all(f"\n  {word}  " in text for word in ("expect", "actual", "hint  "))


# PyTorch


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("name", [n for n in ALL if n != "rmse"])
def test_as_in_torch(name, reduction, dtype, rng):
    torch = pytest.importorskip("torch", reason="needs torch")
    functional = torch.nn.functional
    z, t = make(name, rng, dtype)
    x, theirs = mg.tensor(z, requires_grad=True), torch.tensor(z, requires_grad=True)
    loss = getattr(losses, name)(x, t, reduction)
    if name == "cross_entropy":
        logits = theirs.transpose(1, -1)  # their classes are on the second axis
        other = functional.cross_entropy(logits, torch.tensor(t), reduction=reduction)
    else:
        function = {
            "mse": functional.mse_loss,
            "mae": functional.l1_loss,
            "binary_cross_entropy": functional.binary_cross_entropy_with_logits,
        }[name]
        other = function(theirs, torch.tensor(t), reduction=reduction)
    close = 20 * np.finfo(dtype).eps
    size = abs(other.detach().numpy()).max()
    assert abs(loss.data - other.detach().numpy()).max() <= close * size
    u = rng.normal(size=loss.shape).astype(dtype)
    (g,) = mg.grad(loss, [x], grad_output=u)
    other.backward(torch.tensor(u))
    size = abs(theirs.grad.numpy()).max()
    assert abs(g.data - theirs.grad.numpy()).max() <= close * size


def agree_with_torch(ours, x, other, theirs, rng):
    """Value, and gradient for a random cotangent, of a loss with both engines."""
    other_value = other.detach().numpy()
    np.testing.assert_allclose(ours.data, other_value, rtol=1e-12)
    u = rng.normal(size=ours.shape)
    (g,) = mg.grad(ours, [x], grad_output=u)
    other.backward(theirs.new_tensor(u))
    size = abs(theirs.grad.numpy()).max()
    np.testing.assert_allclose(g.data, theirs.grad.numpy(), rtol=0, atol=1e-13 * size)


@pytest.mark.parametrize("shape", [(5, 3), (4, 2), (1, 4, 3), (3, 4)])
def test_weights_that_do_not_broadcast_to_the_losses_are_refused(shape):
    logits, target = np.zeros((4, 3)), np.ones((4, 3))
    with pytest.raises(ShapeError, match="does not fit the losses"):
        losses.binary_cross_entropy(logits, target, weight=np.ones(shape))


def test_one_row_of_logits_has_one_class_number():
    logits = np.array([0.5, -1.0, 2.0])
    expected = np.log(np.exp(logits).sum()) - logits[2]
    assert losses.cross_entropy(logits, 2).item() == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("smoothing", [0.0, 0.1, 1.0])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("ignored", [None, -100, 2])
def test_cross_entropys_options_as_in_torch(
    reduction, smoothing, weighted, ignored, rng
):
    torch = pytest.importorskip("torch", reason="needs torch")
    z, t = 3 * rng.normal(size=(6, 4)), rng.integers(0, 4, 6)
    if ignored is not None:
        t[[1, 4]] = ignored
    w = rng.random(4) + 0.5 if weighted else None
    x, theirs = mg.tensor(z, requires_grad=True), torch.tensor(z, requires_grad=True)
    ours = losses.cross_entropy(
        x, t, reduction, weight=w, label_smoothing=smoothing, ignore_index=ignored
    )
    other = torch.nn.functional.cross_entropy(
        theirs,
        torch.tensor(t),
        None if w is None else torch.tensor(w),
        reduction=reduction,
        label_smoothing=smoothing,
        ignore_index=-100 if ignored is None else ignored,
    )
    agree_with_torch(ours, x, other, theirs, rng)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("weight", [None, 2.0, (3, 1), (4,), (3, 4)])
@pytest.mark.parametrize("pos_weight", [None, 3.0, (4,), (3, 4)])
def test_binary_cross_entropys_weights_as_in_torch(reduction, weight, pos_weight, rng):
    torch = pytest.importorskip("torch", reason="needs torch")
    z, t = 3 * rng.normal(size=(3, 4)), rng.random((3, 4))
    made = [
        rng.random(w) + 0.5 if isinstance(w, tuple) else w for w in (weight, pos_weight)
    ]
    x, theirs = mg.tensor(z, requires_grad=True), torch.tensor(z, requires_grad=True)
    ours = losses.binary_cross_entropy(
        x, t, reduction, weight=made[0], pos_weight=made[1]
    )
    w, p = (None if m is None else torch.tensor(m, dtype=torch.float64) for m in made)
    other = torch.nn.functional.binary_cross_entropy_with_logits(
        theirs, torch.tensor(t), w, reduction=reduction, pos_weight=p
    )
    agree_with_torch(ours, x, other, theirs, rng)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_weights_keep_the_dtype_and_a_mask_counts_the_weights_kept(dtype, rng):
    z, t = rng.normal(size=(5, 3)).astype(dtype), np.array([0, 1, 2, 0, 1])
    w, keep = rng.random(3) + 0.5, np.array([True, False, True, True, False])
    options = {"weight": w, "label_smoothing": 0.2}
    masked = losses.cross_entropy(z, t, mask=keep, **options)
    alone = losses.cross_entropy(z[keep], t[keep], **options)
    assert masked.dtype == dtype
    np.testing.assert_allclose(masked.data, alone.data, rtol=10 * np.finfo(dtype).eps)
    both = losses.cross_entropy(z, t, mask=keep, ignore_index=2, **options)
    left = keep & (t != 2)
    alone = losses.cross_entropy(z[left], t[left], **options)
    np.testing.assert_allclose(both.data, alone.data, rtol=10 * np.finfo(dtype).eps)
    none = losses.cross_entropy(z, np.full(5, -1), ignore_index=-1, weight=w)
    assert none.item() == 0.0  # a mean over no entries
    one = losses.binary_cross_entropy(z, np.ones((5, 3)), pos_weight=2.0, weight=w)
    assert one.dtype == dtype


@pytest.mark.parametrize("shape", [(3,), (2, 2), (2, 3, 1)])
def test_masks_that_do_not_fit(shape, rng):
    """Their axes are those that the loss begins with; no other is guessed at."""
    z, y = rng.normal(size=(2, 2, 3))
    with pytest.raises(ShapeError, match="mask= does not fit the loss"):
        losses.mse(mg.tensor(z), y, mask=np.ones(shape, bool))


# logits that are probabilities


def handmade(z):
    powers = mg.exp(z - z.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


PROBABILITIES = {
    "sigmoid": (lambda z: mg.sigmoid(z), "sigmoid"),
    "sigmoid, squeezed": (lambda z: mg.sigmoid(z.expand_dims(-1)).squeeze(-1), "sig"),
    "sigmoid, clipped": (lambda z: mg.clip(mg.sigmoid(z), 1e-7, 1 - 1e-7), "sigmoid"),
    "sigmoid of parts": (lambda z: mg.stack([mg.sigmoid(r) for r in z]), "sigmoid"),
    "softmax": (lambda z: mg.softmax(z), "softmax"),
    "softmax, reshaped": (lambda z: mg.softmax(z).reshape(2, 3), "softmax"),
    "softmax by hand": (handmade, "softmax"),
    "sigmoid by hand": (lambda z: 1.0 / (1.0 + mg.exp(-z)), "sigmoid"),
    "a half in its place": (lambda z: 1.0 / (0.5 + mg.exp(-z)), None),
    "two above": (lambda z: 2.0 / (1.0 + mg.exp(-z)), None),
    "without the exp": (lambda z: 1.0 / (1.0 + z * z), None),
    "softmax plus a bit": (lambda z: mg.exp(z) / (mg.exp(z).sum() + 1e-9), None),
}


@pytest.mark.parametrize("name", PROBABILITIES)
@pytest.mark.parametrize("loss", ["binary_cross_entropy", "cross_entropy"])
def test_probabilities_for_logits_are_noticed(name, loss, rng):
    make_them, by = PROBABILITIES[name]
    z = mg.tensor(rng.normal(size=(2, 3)), requires_grad=True)
    target = [0, 2] if loss == "cross_entropy" else np.ones((2, 3))
    if by is None:  # another exp than the one above: not known to be softmax
        getattr(losses, loss)(make_them(z), target)
        return
    message = f"(?s){loss}.*probabilities already.*the result of {by}.*leave out"
    with pytest.warns(MinigradWarning, match=message) as caught:
        getattr(losses, loss)(make_them(z), target)
    assert len(caught) == 1 and caught[0].filename == __file__
    assert ("with_logits" in str(caught[0].message)) == (loss != "cross_entropy")


def test_it_is_said_once_and_not_of_logits(rng):
    z = mg.tensor(rng.normal(size=(2, 3)), requires_grad=True)
    gates = mg.sigmoid(z) * mg.tanh(z)  # as an LSTM's h
    for logits in (z, gates, mg.log_softmax(z), mg.log(mg.softmax(z)), z / z.sum()):
        losses.binary_cross_entropy(logits, np.ones((2, 3)))
        losses.cross_entropy(logits, [0, 2])
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("default")
        for _ in range(3):
            losses.cross_entropy(mg.softmax(z), [0, 2])
    assert len(said) == 1
