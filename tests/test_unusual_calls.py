"""Calls that few programs make: each gives the right thing, or says what is wrong.

With `test_rare_ways.py` they reach what no other test of the engine does."""

import _thread
import time
import types

import numpy as np
import pytest
import sympy

import minigrad as mg
from minigrad.engine.errors import (
    ArgumentError,
    CallError,
    CompileError,
    NonFiniteError,
    ShapeError,
)
from minigrad.engine.graph import Edge
from minigrad.engine.kernels import intrinsics, jit
from minigrad.engine.kernels.jit import Program
from minigrad.engine.primitives import TABLE
from minigrad.engine.primitives.base import primitive
from minigrad.engine.primitives.messages import explain
from minigrad.engine.tracing import number_of, outside
from minigrad.engine.user_code import line


def leaf(*shape):
    size = int(np.prod(shape))
    return mg.tensor(np.arange(1.0, size + 1).reshape(shape), requires_grad=True)


# ------------------------------------------------------------------ where it was


def test_an_operation_that_a_thread_runs_has_no_line():
    """A thread whose function is ours: no frame of the user's is around it."""
    x = leaf(2)
    loss = (x**3).sum()
    loss.backward(create_graph=True)
    first = x.grad
    _thread.start_new_thread(loss.backward, (None, True))
    for _ in range(2000):
        if x.grad is not first:
            break
        time.sleep(0.01)
    np.testing.assert_allclose(x.grad.data, 6 * x.data**2)
    assert x.grad.node.primitive.name == "add" and line(x.grad.node.where) is None
    assert first.node.where is not None


def test_the_line_of_code_without_line_numbers():
    """Of a program that was stripped of them the file is known, and where it begins."""
    code = compile("y = 2.0 * x", "stripped.py", "exec").replace(co_linetable=b"")
    space = {"x": leaf(2)}
    exec(code, space)
    assert line(space["y"].node.where) == ("stripped.py", 1, 0, 0)
    assert isinstance(code, types.CodeType)


# ------------------------------------------------------------------ numbers and rules


def test_a_rule_with_a_real_gradient_and_complex_numbers():
    """As where a complex step goes through a rule: the kernels do not take that."""
    x = np.array([0.3 + 1e-20j, 0.5])
    for kernels in (False, True):
        with jit.use_kernels(kernels):
            y = TABLE["tanh"].value(x)
            (found,) = TABLE["tanh"].pull((True,), np.ones(2), y, [x], {})
        np.testing.assert_allclose(found, 1 - np.tanh(x) ** 2, rtol=1e-14)


def test_a_function_of_symbols():
    x = sympy.Symbol("x", real=True)
    chosen = intrinsics.where(x > 0, x, 0)
    assert chosen.subs(x, 3) == 3 and chosen.subs(x, -3) == 0
    for name in ("exp", "log", "log1p", "expm1", "tanh", "sigmoid", "sin", "cos"):
        found = getattr(intrinsics, name)(sympy.Float("0.75"))
        expected = getattr(intrinsics, name)(np.float64(0.75))
        assert float(found) == pytest.approx(float(expected), rel=1e-14)
    for name in ("sqrt", "absolute"):
        assert getattr(intrinsics, name)(sympy.Integer(4)) in (2, 4)
    assert intrinsics.maximum(x, x) == x == intrinsics.minimum(x, x)
    assert intrinsics.equal(x, x) == sympy.true
    assert intrinsics.not_equal(x, x) == sympy.false


def test_the_complex_sigmoid_continues_the_real_one():
    step = intrinsics.sigmoid(np.array([0.5 + 1e-30j])).imag / 1e-30
    y = intrinsics.sigmoid(np.array([0.5]))
    np.testing.assert_allclose(step, y * (1 - y), rtol=1e-14)
    slope = TABLE["norm"].value(
        np.array([3.0, 4.0 + 1e-30j]), axes=(0,), keepdims=False
    )
    assert slope.imag / 1e-30 == pytest.approx(0.8)


def test_less_or_equal_in_the_text_of_a_kernel():
    def ramp(x):
        return intrinsics.where(x <= 1.0, x, 1.0)

    program = Program(ramp, ("x",))
    assert any(row[0] == "less_equal" for row in program.lines)
    assert "<=" in program.text("ramp", program.results[0], "float64")


def test_derivatives_of_several_outputs_and_of_indexing_twice():
    x = leaf(4)
    a, b = mg.split(x, 2)
    (g,) = mg.grad((a * b).sum() ** 2, x, create_graph=True)
    (h,) = mg.grad((g * g).sum(), x)
    v = x.data
    dot = v[0] * v[2] + v[1] * v[3]
    turned = np.array([v[2], v[3], v[0], v[1]])
    # g = 2 dot turned;  d/dx |g|^2 = 8 dot |turned|^2 turned + 8 dot^2 x
    expected = 8 * dot * (turned @ turned) * turned + 8 * dot**2 * v
    np.testing.assert_allclose(h.data, expected, rtol=1e-13)

    i = np.array([0, 0, 2])
    (g,) = mg.grad((x[i] ** 3).sum(), x, create_graph=True)
    (h,) = mg.grad(g.sum(), x)
    np.testing.assert_allclose(h.data, 6 * v * [2, 0, 1, 0])

    W = leaf(2, 2)
    (g,) = mg.grad((mg.tensor([[1.0, 2.0]]) @ W).sum() ** 2, W, create_graph=True)
    assert mg.grad(g.sum(), W)[0].shape == (2, 2)


def test_einsum_where_one_operand_needs_no_gradient():
    a, b = mg.tensor([[1.0, 2.0]]), leaf(2, 3)
    (g,) = mg.grad(mg.einsum("ij,jk->ik", a, b).sum(), b)
    np.testing.assert_array_equal(g.data, [[1.0] * 3, [2.0] * 3])


def test_a_weight_used_in_products_of_three_axes_and_of_two_dtypes():
    W, w = leaf(2, 2), leaf(2)
    x = mg.tensor(np.ones((3, 1, 2)))
    rows = mg.tensor(np.ones((1, 2), "float32"))
    twice = mg.tensor(np.full((1, 2), 2.0))
    loss = (x @ W).sum() + (rows @ W).sum() + (twice @ W).sum() + (x @ w).sum()
    g, h = mg.grad(loss, [W, w])
    np.testing.assert_array_equal(g.data, np.full((2, 2), 6.0))
    np.testing.assert_array_equal(h.data, [3.0, 3.0])


def test_the_ledger_of_a_weight_that_is_used_once():
    W = leaf(2, 2)
    loss = (mg.tensor([[1.0, 3.0]]) @ W).sum()
    np.testing.assert_array_equal(
        mg.ledger(loss, W).items(W).sum((0, 1)), [[1.0, 1.0], [3.0, 3.0]]
    )
    assert any(event.kind == "contribution" for event in mg.steps(loss).events)


@pytest.mark.parametrize("kernels", [False, True])
def test_a_rule_on_numbers_that_there_are_no_kernels_for(kernels):
    x = mg.tensor(np.array([0.5, -2.0], "float16"), requires_grad=True)
    with jit.use_kernels(kernels):
        (g,) = mg.grad(mg.tanh(x).sum(), x)
    assert g.dtype == np.float16
    np.testing.assert_allclose(g.data, 1 - np.tanh([0.5, -2.0]) ** 2, rtol=4e-3)


def test_a_gradient_that_is_not_finite_from_the_start():
    """Anomaly mode looks for where a NaN arises; it does not blame the next rule."""
    x = mg.tensor([1.0, 2.0], requires_grad=True)
    with mg.detect_anomaly():
        (2.0 * x).backward([np.inf, 1.0])
        first, _ = mg.split(2.0 * x, 2)  # the other part gets no gradient
        first.sum().backward()
        with pytest.raises(NonFiniteError, match="backward of sqrt"):
            mg.sqrt(0.0 * x).sum().backward()
    assert x.grad.data.tolist()[1] == 2.0 and np.isinf(x.grad.data[0])


# ------------------------------------------------------------------ calls


def test_where_with_one_of_two_values():
    """It gave the places of what is true, as np.where(condition) does."""
    x = leaf(3)
    for given in ((x > 1.0, x), (x > 1.0, None, x), (x.data > 1.0, x, None)):
        with pytest.raises(CallError, match="one of the two values"):
            np.where(*given)


def test_a_type_error_of_an_operand_in_a_function_of_numpys():
    """It is not taken for arguments that the function does not have."""

    class Unwilling:
        def __array__(self, *_, **__):
            raise TypeError("not to be made an array")

    with pytest.raises(TypeError, match="not to be made an array"):
        np.where(leaf(2) > 1.0, leaf(2), Unwilling())


def test_an_argument_that_is_called_otherwise():
    assert mg.tensor([1.0, 2.0]).cumsum(axis=0).data.tolist() == [1.0, 3.0]
    with pytest.raises(ArgumentError, match="it is called axis"):
        mg.tensor([1.0, 2.0]).cumsum(dim=0)


@pytest.fixture
def halved():
    """A primitive of one's own, gone from the table after the test."""

    @primitive(name="halved")
    def halved(x):
        """y = x / 2, of an even number of entries."""
        if x.size % 2:
            raise ShapeError("halved: an odd number of entries", hint="drop the last")
        return x / 2.0

    yield halved
    del TABLE["halved"]


def test_an_error_of_a_primitive_of_your_own_is_the_users(halved):
    assert halved(leaf(2)).data.tolist() == [0.5, 1.0]
    with pytest.raises(ShapeError, match="an odd number of entries") as caught:
        halved(leaf(3))
    assert "test_unusual_calls.py" in str(caught.value)


@pytest.mark.parametrize("name", ["concatenate", "stack"])
def test_a_join_that_fails_for_another_reason_says_numpys(name):
    edges = tuple([Edge(None, 0, np.ones(2), False)] * 2)
    error = explain(TABLE[name], edges, {"axis": 0}, ValueError("out of luck"))
    assert isinstance(error, ShapeError) and "out of luck" in str(error)


def test_of_a_list_of_numbers():
    np.testing.assert_array_equal(mg.exp([0.0, 1.0]), np.exp([0.0, 1.0]))
    assert repr(leaf(2).sum().node).startswith("<sum((2,)")


# ------------------------------------------------------------------ in a trace


def test_what_a_compiled_step_does_beside_its_operations():
    """Optimiser, gradient and values that are put together, as without mg.compile."""

    def run(make):
        w = mg.nn.Parameter(np.array([1.0, 2.0]))
        optimizer = mg.optim.SGD([w], lr=0.1, momentum=0.5)

        @make
        def step(x):
            a, b = (w * x).sum(), (w * w).sum()
            loss = mg.tensor([a, b]).sum()  # a tensor of tensors that need a gradient
            [g] = mg.grad(loss, [w])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            return loss, g, mg.clip_grad_norm_([w], 1e9)

        found = [step(mg.tensor([k, 1.0])) for k in (1.0, 2.0, 3.0)]
        flat = [part for row in found for part in row]
        numbers = [p.data if isinstance(p, mg.Tensor) else p for p in flat]
        return numbers, w.data

    plain, w = run(lambda fn: fn)
    compiled, v = run(mg.compile)
    for one, other in zip(plain, compiled, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-15)
    np.testing.assert_allclose(w, v, rtol=1e-15)


def test_numbers_of_a_trace_as_a_list():
    @mg.compile
    def step(x):
        return x * len(x.data.tolist())

    with pytest.raises(CompileError, match="tolist"):
        step(leaf(3))


def test_without_a_trace_a_function_is_called_at_once():
    assert outside(lambda a, b: a + b, leaf(2), 1.0).tolist() == [2.0, 3.0]
    assert number_of(np.array(2.0)) == 2.0 and type(number_of(np.array(2.0))) is float
