"""Ways through the engine that few programs take: each gives the right thing there."""

import copy
import math

import numpy as np
import pytest

import minigrad as mg
from minigrad.engine.errors import (
    ArgumentError,
    CompileError,
    DTypeError,
    IndexingError,
    MinigradError,
    MinigradWarning,
    NonFiniteError,
    flag,
    one_of,
)
from minigrad.engine.graph import Edge, Node
from minigrad.engine.kernels import intrinsics
from minigrad.engine.kernels.jit import Program
from minigrad.engine.primitives import TABLE
from minigrad.engine.primitives.fused import Elementwise
from minigrad.engine.primitives.joins import concatenate
from minigrad.engine.primitives.linalg import transposed
from minigrad.engine.tensor import Tensor


def leaf(*shape):
    return mg.tensor(np.arange(1.0, math.prod(shape) + 1).reshape(shape), None, True)


def test_an_array_where_a_word_or_a_flag_is_wanted():
    several = np.array([1, 0])
    with pytest.raises(ArgumentError, match="is not offered"):
        one_of("reduction", several, ("mean", "sum"))
    with pytest.raises(ArgumentError, match="neither True nor False"):
        flag("keepdims", several)


def test_a_function_in_the_place_of_a_tensor():
    with pytest.raises(DTypeError, match="first"):
        mg.grad(np.sin, [leaf(2)])


def test_a_node_without_such_an_attribute():
    with pytest.raises(AttributeError, match="a node has no 'nonsense'"):
        _ = leaf(2).sum().node.nonsense
    assert isinstance(leaf(2).sum().node, Node)


def test_where_of_one_or_two_arguments():
    x = leaf(3)
    with mg.no_grad():
        places = np.where(x.data > 1.0)
    np.testing.assert_array_equal(places[0], [1, 2])
    np.testing.assert_array_equal(np.where(x > 1.0, 1.0, 0.0), [0.0, 1.0, 1.0])
    assert np.where(x > 1.0)[0].tolist() == [1, 2]


def test_the_numbers_of_a_tensor_are_never_shared():
    with pytest.raises(ValueError, match="not shared"):
        np.array(mg.tensor([1.0]), copy=False)


def test_numbers_for_plain_python_stay_right_and_say_so():
    t = mg.tensor(2.0, requires_grad=True)
    with pytest.warns(MinigradWarning, match=r"math\.exp\(t\)"):
        assert math.exp(t) == math.exp(2.0)
    with mg.no_grad():
        assert math.exp(t) == math.exp(2.0)
    with pytest.warns(MinigradWarning, match=r"math\.gamma\(t\)"):
        assert math.gamma(t) == math.gamma(2.0)


@pytest.mark.skipif(not hasattr(np, "unstack"), reason="only with NumPy 2.1 or newer")
def test_unstack():
    x = leaf(2, 3)
    a, b = np.unstack(x)
    np.testing.assert_array_equal(mg.grad((a * b).sum(), x)[0], x.data[::-1])


def test_a_bias_that_needs_no_gradient():
    x, W, b = leaf(2, 3), leaf(3, 4), mg.ones(4)
    (g,) = mg.grad(mg.affine(x, W, b).sum(), W)
    np.testing.assert_allclose(g, np.outer(x.data.sum(0), np.ones(4)))
    with pytest.raises(ArgumentError, match="affine: 1 arguments"):
        mg.affine(x)


def test_anomaly_mode_in_a_rule():
    x = mg.tensor([0.0, 4.0], requires_grad=True)
    with mg.detect_anomaly():
        y = mg.sqrt(x).sum()
        with pytest.raises(NonFiniteError, match="backward of sqrt"):
            y.backward()
        z = mg.where(mg.tensor([True, False]), x, 1.0).sum()  # one entry is None
        z.backward()
    np.testing.assert_array_equal(x.grad, [1.0, 0.0])


def test_no_rows_at_all():
    x = leaf(3, 2)
    (g,) = mg.grad(mg.take(x, np.zeros(0, int)).sum(), x)
    np.testing.assert_array_equal(g, np.zeros((3, 2)))
    (g,) = mg.grad(x[[]].sum(), x)  # an empty list is of floats to NumPy
    np.testing.assert_array_equal(g, np.zeros((3, 2)))


@pytest.mark.parametrize("shape", [(64, 64), (65, 100)])
def test_a_transposed_weight_is_copied_once(shape):
    b = np.random.default_rng(0).standard_normal(shape)
    np.testing.assert_array_equal(transposed(b, 8), b.T)  # writable: a view
    b.flags.writeable = False
    kept = transposed(b, 8)
    np.testing.assert_array_equal(kept, b.T)
    assert kept.flags.c_contiguous and transposed(b, 8) is kept
    assert transposed(b, 1).base is not None and transposed(b, 100).base is not None
    turned = b.T
    np.testing.assert_array_equal(transposed(turned, 8), b)
    del kept, b, turned


def test_the_mean_of_more_entries_than_float16_can_count():
    x = mg.tensor(np.ones(70_000, "float16"), requires_grad=True)
    (g,) = mg.grad(x.mean(), x)
    assert g.dtype == np.float16 and g.data[0] == np.float16(1 / 70_000)


def test_two_shapes_that_would_fit_turned_round():
    with pytest.raises(MinigradError, match=r"is h transposed\? h\.T would fit"):
        h = mg.tensor(np.ones((2, 3)), name="h")
        _ = h + mg.tensor(np.ones((3, 2)))


def test_foreign_arguments_of_joins():
    for join in (mg.concatenate, mg.stack):
        with pytest.raises(ArgumentError, match="it is called axis"):
            join([leaf(2), leaf(2)], dim=0)
    first, second = mg.split(leaf(4), np.int64(2))
    assert first.shape == second.shape == (2,)
    with pytest.raises(IndexingError):
        _ = leaf(4)[7]
    assert concatenate([np.ones(1), np.ones(2)]).shape == (3,)


def test_arrays_of_a_tensor_as_numpys():
    x = mg.tensor([1.0, 2.0])
    with pytest.raises(MinigradError, match="fill"):
        x.data.fill(3.0)
    mine = x.data.copy()
    mine.fill(3.0)
    deep = copy.deepcopy(x.data)
    deep[0] = 9.0
    assert mine.tolist() == [3.0, 3.0] and deep[0] == 9.0
    assert x.data.tolist() == [1.0, 2.0]
    with mg.no_grad(), pytest.raises(MinigradError):
        x.data -= mg.tensor([[1, 2], [3, 4]]) @ mg.tensor([1, 2, 3])


def test_a_scope_of_another_kind():
    for options in ({"kind": "gate"}, {"kind": "gate", "index": "q"}, {}):
        with mg.scope("my gate", **options):
            y = leaf(2).sum()
        assert y.node.scope[-1].name == "my gate"
    with pytest.raises(DTypeError, match="cannot decorate a coroutine"):

        @mg.no_grad()
        async def wrong():
            pass


def test_a_constant_without_a_leaf():
    with mg.no_grad():
        y = leaf(2) * 2.0
    assert y.name is None and y.retain_grad() is y
    y.name = "y"  # it has no place in a graph that could keep it
    assert y.name is None
    free = Tensor.of(Edge(None, 0, np.ones(2), False))
    assert free.name is None


def test_a_flag_that_is_taken_away_and_a_gradient_that_is_not_kept():
    x = leaf(2)
    y = x * 2.0
    y.sum().backward()
    with pytest.warns(MinigradWarning, match="is not kept"):
        assert y.grad is None
    x.requires_grad = False
    assert not x.requires_grad
    x.data = np.array([1, 2])  # whole numbers become numbers of its dtype
    assert x.dtype == np.float64


def test_a_jacobian_of_what_does_not_depend():
    x = leaf(2)
    np.testing.assert_array_equal(mg.jacobian(mg.ones(3), x), np.zeros((3, 2)))


FUNCTIONS = (
    "exp log log1p expm1 sqrt abs tanh sigmoid relu softplus sin cos".split()
)  # fmt: skip


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_method_is_the_function(name):
    x = leaf(2, 3)
    y, z = getattr(x, name)(), getattr(mg, name)(x)
    np.testing.assert_array_equal(y.data, z.data)
    np.testing.assert_array_equal(mg.grad(y.sum(), x)[0], mg.grad(z.sum(), x)[0])


def test_methods_of_two_operands():
    x, y = leaf(2, 3), mg.tensor(np.full((2, 3), 2.5))
    for name in ("maximum", "minimum", "power"):
        z = getattr(mg, name)(x, y).detach()
        np.testing.assert_array_equal(getattr(x, name)(y).detach(), z)
    chosen = x.where(x > 2.0, y)
    np.testing.assert_array_equal(chosen.data, np.where(x.data > 2, x.data, 2.5))
    assert abs(-x).data.tolist() == x.data.tolist()
    assert (+x) is x and (2.0 - x).data[0, 0] == 1.0 and (2.0**x).data[0, 1] == 4.0


def test_what_a_trace_sees_and_what_leaves_it():
    seen = []

    def step(x):
        y = x * 2.0
        seen.append(repr(y))
        kept = y.data.copy()
        return (y * kept).sum(), mg.tensor(x.shape[0] * 1.0)

    compiled = mg.compile(step)
    x = leaf(3)
    for _ in range(3):
        loss, count = compiled(x)
        assert loss.item() == float((4 * x.data**2).sum()) and count.item() == 3.0
    assert any("<traced>" in text for text in seen)

    @mg.compile
    def leaves(x):
        return x * float(x.sum())

    with pytest.raises(CompileError, match="takes the numbers of this call"):
        leaves(mg.tensor([2.0]))

    @mg.compile
    def forgives(x):
        try:
            float(x.sum())
        except CompileError:
            return x * 2.0
        return x

    with pytest.raises(CompileError):
        forgives(mg.tensor([2.0]))


def test_an_error_of_ours_within_an_operation_is_kept():
    with pytest.raises(MinigradError, match="did you mean"):
        _ = np.sum(leaf(2), axis=0).smu
    with pytest.raises(MinigradError, match=r"concatenate"):
        np.concatenate([leaf(2), leaf(2, 2)])
    with pytest.raises(MinigradError):
        np.stack([leaf(2), leaf(3)])
    with pytest.raises((MinigradError, TypeError)):
        np.split(leaf(4), None)


@pytest.mark.parametrize(
    "name", [n for n, p in TABLE.items() if isinstance(p, Elementwise)]
)
def test_the_scalar_function_is_the_value(name):
    """The one text of an elementwise operation, on numbers as they are."""
    primitive = TABLE[name]
    count = primitive.scalar.__code__.co_argcount
    inputs = [np.array([0.5, 1.5]), np.array([1.5, 0.5]), np.array([2.0, 2.0])][:count]
    if name == "where":
        inputs[0] = inputs[0] > 1.0
    found = primitive.scalar(*inputs)
    np.testing.assert_allclose(found, primitive.value(*inputs), rtol=1e-14)


def test_the_text_of_a_kernel_has_every_operator():
    def both(x):
        y = 2.0 + x - (1.0 - x) + 2.0 * x / 3.0 + 2.0 / x + 2.0**x + x**2.0 - (-x)
        return intrinsics.where(
            (x < y), y, intrinsics.where(x >= y, 1.0, intrinsics.where(x > y, x, y))
        )

    program = Program(both, ("x",))
    words = {line[0] for line in program.lines}
    assert words >= {"divide", "power", "negative", "less", "greater", "greater_equal"}
    text = program.text("both", program.results[0], "float64")
    assert text.startswith("def both(x):") and "np.float64(2.0)" in text


def test_an_array_times_a_tensor_from_the_left():
    x = leaf(2, 2)
    (g,) = mg.grad(([[1.0, 2.0]] @ x).sum(), x)
    np.testing.assert_array_equal(g.data, [[1.0, 1.0], [2.0, 2.0]])
    assert (4 ** mg.tensor([2])).data.tolist() == [16]
    assert mg.power(np.array([2, 4]), -1).tolist() == [0.5, 0.25]


def test_an_operation_of_symbols_that_fails_is_not_explained():
    class Symbol:
        def __matmul__(self, other):
            raise ValueError("of its own")

        ndim = 0

    with pytest.raises((ValueError, TypeError)):
        mg.matmul(Symbol(), Symbol())


def test_more_constants_than_are_kept(monkeypatch):
    from minigrad.engine.primitives import operands

    monkeypatch.setattr(operands, "_constants", dict.fromkeys(range(1000)))
    x = leaf(2) * 1.25
    assert x.data.tolist() == [1.25, 2.5] and len(operands._constants) == 1000


def test_a_retained_gradient_gives_no_warning():
    y = leaf(2) * 2.0
    y.retain_grad()
    assert y.grad is None
    y.sum().backward()
    np.testing.assert_array_equal(y.grad.data, 1.0)


def test_a_list_gradient_of_several_outputs_in_anomaly_mode():
    x = leaf(4)
    with mg.detect_anomaly():
        a, b = mg.split(x, 2)
        (a * b).sum().backward()
    np.testing.assert_array_equal(x.grad.data, [3.0, 4.0, 1.0, 2.0])


def test_a_tensor_where_both_are_of_no_loop():
    condition = np.array([True, False])
    assert np.where(condition, leaf(2), 0.0).data.tolist() == [1.0, 0.0]
    assert np.where(mg.tensor([1, 0]))[0].tolist() == [0]


def test_a_copy_of_the_same_kind_as_data_can_be_filled():
    x = leaf(3)
    mine = np.array(x.data, subok=True)
    mine.fill(7.0)
    assert mine.tolist() == [7.0] * 3 and x.data.tolist() == [1.0, 2.0, 3.0]


def test_data_that_a_tensor_of_another_shape_is_taken_from():
    x = leaf(3)
    with pytest.raises(MinigradError, match=r"shapes do not broadcast|do not fit"):
        x.data -= leaf(2)
    assert x.data.tolist() == [1.0, 2.0, 3.0]
