"""What a compiled function promises beyond training steps, and what it refuses."""

from __future__ import annotations

import itertools
import re
import threading
import warnings

import numpy as np
import pytest

import minigrad as mg
from minigrad import models
from minigrad.engine.kernels import jit

CompileError = mg.errors.CompileError
needs_kernels = pytest.mark.skipif(
    not jit.enabled, reason="only with numba, and with kernels switched on"
)


def _leaf(*shape, seed=0):
    values = np.random.default_rng(seed).standard_normal(shape)
    return mg.tensor(values, requires_grad=True)


def test_parameters_changed_from_outside_are_seen():
    w = _leaf(3, 2)
    forward = mg.compile(lambda x: mg.tanh(x @ w))
    x = np.ones((4, 3))
    for k in range(4):
        w.data = np.full((3, 2), k / 10)
        assert np.allclose(forward(x).data, np.tanh(3 * k / 10), rtol=1e-14)


def test_gradients_accumulate_when_the_step_does_not_clear_them():
    w = _leaf(3)

    @mg.compile
    def step(x):
        (w * x).sum().backward()

    for k in range(1, 6):
        step(np.arange(3.0))
        assert np.allclose(w.grad.data, k * np.arange(3.0))
    w.grad = None
    step(np.ones(3))
    assert np.allclose(w.grad.data, 1.0)


def test_an_argument_that_needs_a_gradient_gets_it():
    @mg.compile
    def step(x):
        (x * x).sum().backward()

    for k in range(4):
        x = mg.tensor(np.full(3, float(k)), requires_grad=True)
        step(x)
        assert np.array_equal(x.grad.data, 2 * x.data)


def test_updates_by_hand():
    w = _leaf(3)
    other = mg.tensor(w.data.copy(), requires_grad=True)

    def by_data(x):
        w.grad = None
        ((w - x) ** 2).sum().backward()
        w.data = w.data - 0.1 * w.grad.data

    def in_place(x, p):
        p.grad = None
        ((p - x) ** 2).sum().backward()
        with mg.no_grad():
            p -= 0.1 * p.grad

    first, second = mg.compile(by_data), mg.compile(in_place)
    expected = w.data.copy()
    for k in range(5):
        x = np.full(3, float(k))
        first(x)
        second(x, other)
        expected = expected - 0.2 * (expected - x)
        assert np.allclose(w.data, expected, rtol=1e-13)
        assert np.allclose(other.data, expected, rtol=1e-13)


def test_results_are_structures_of_new_tensors():
    @mg.compile
    def f(x, flag, table):
        return {"a": [x + table["k"], flag], "b": (x.sum(), None)}

    for k in range(4):
        found = f(mg.tensor([1.0, k]), "yes", {"k": np.array(2.0)})
        assert found["a"][1] == "yes" and found["b"][1] is None
        assert np.array_equal(found["a"][0].data, [3.0, k + 2.0])
        assert found["b"][0].item() == 1.0 + k


def test_results_are_not_overwritten_by_later_calls():
    f = mg.compile(lambda x: (x * 2.0, x[1:], x))
    given = np.array([1.0, 2.0])
    kept = []
    for k in range(4):
        given[:] = k
        kept.append(f(given))
    for k, (double, part, same) in enumerate(kept):
        assert np.array_equal(double.data, [2.0 * k] * 2)
        assert np.array_equal(part.data, [k]) and np.array_equal(same.data, [k] * 2)


def test_python_values_shapes_and_dtypes_are_traced_anew():
    f = mg.compile(lambda x, n: x * n)
    for _ in range(3):
        assert f(mg.tensor([1.0, 2.0]), 3).data.tolist() == [3.0, 6.0]
        assert f(mg.tensor([1.0, 2.0]), 4).data.tolist() == [4.0, 8.0]
        assert f(mg.tensor([1.0]), 3).data.tolist() == [3.0]
        assert f(mg.tensor([1, 2]), 3).dtype.kind == "i"
        assert f(mg.tensor([1.0, 2.0], dtype="float32"), 3).dtype == np.float32
        assert f(mg.tensor([1, 2]), True).data.tolist() == [1, 2]


def test_many_kinds_of_calls_are_told_of_once():
    f = mg.compile(lambda x: x + 1.0)
    with pytest.warns(mg.errors.MinigradWarning, match="8 kinds of calls"):
        for n in range(1, 9):
            f(np.zeros(n))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        f(np.zeros(20))


def test_variables_around_the_function_are_part_of_the_key():
    scale, table = 2.0, np.array([1.0, 2.0])
    f = mg.compile(lambda x: x * scale + table)
    for _ in range(3):
        assert f(np.ones(2)).data.tolist() == [3.0, 4.0]
    scale = 3.0
    assert f(np.ones(2)).data.tolist() == [4.0, 5.0]
    table[0] = 7.0
    assert f(np.ones(2)).data.tolist() == [10.0, 5.0]


def test_train_and_eval_are_told_apart():
    layer = mg.nn.Dropout(0.5, rng=0)
    f = mg.compile(lambda x: layer(x))
    x = np.ones(50)
    seen = {f(x).data.tobytes() for _ in range(5)}
    assert len(seen) == 5  # new masks in each call
    layer.eval()
    assert np.array_equal(f(x).data, x)
    layer.train()
    assert not np.array_equal(f(x).data, x)


def test_frozen_parameters_are_told_apart():
    w, v = _leaf(2), _leaf(2, seed=1)

    @mg.compile
    def step():
        w.grad = v.grad = None
        (w * v).sum().backward()

    for _ in range(3):
        step()
    assert w.grad is not None and v.grad is not None
    v.requires_grad = False
    step()
    assert w.grad is not None and v.grad is None


def test_aliases_among_arguments_and_parameters():
    w = _leaf(2)

    @mg.compile
    def step(a, b):
        for t in (w, a, b):
            t.grad = None
        (a * b * w).sum().backward()

    def check(a, b):
        step(a, b)
        found = [t.grad.data.copy() for t in (w, a, b)]
        step.fn(a, b)
        for mine, t in zip(found, (w, a, b), strict=True):
            assert np.allclose(mine, t.grad.data)

    for k in range(3):
        one, two = _leaf(2, seed=k), _leaf(2, seed=9 + k)
        check(one, two)
        check(one, one)
        check(w, two)
        check(w, w)


def test_inputs_that_are_not_contiguous():
    w = _leaf(3, 4)
    f = mg.compile(lambda x: mg.tanh(x @ w).sum(0))
    big = np.random.default_rng(0).standard_normal((6, 10))
    for x in (big[::2, 1:7:2], big[::-2, :3], big[:3, :3].T, big.T[:5:2, :3]):
        assert np.allclose(f(x).data, np.tanh(x @ w.data).sum(0), rtol=1e-13)


@pytest.mark.parametrize(
    "program",
    [
        lambda x: x * 2.0 if x.sum() > 0 else x,
        lambda x: x * x.sum().item(),
        lambda x: x * float(x.sum()),
        lambda x: x * np.asarray(x).max(),
        lambda x: x * np.median(x),
        lambda x: x[: int(x.sum())],
        lambda x: x[mg.tensor([0, 1])[x.sum().astype("int64")].item() :],
        lambda x: x if 1.0 in x else -x,
        lambda x: np.where(x > 0),
        lambda x: np.take_along_axis(x, x.astype("int64"), 0),
        lambda x: x * max(x),
        lambda x: x.data.tolist(),
        lambda x: f"{x.sum():.3f}",
    ],
)
def test_what_depends_on_numbers_is_refused_and_named(program):
    f = mg.compile(program)
    with pytest.raises(mg.errors.MinigradError) as caught:
        for _ in range(3):
            f(np.array([0.5, 0.25]))
    assert "test_compiled_functions.py" in str(caught.value)


def test_a_number_that_changes_is_found_in_the_second_call():
    calls = itertools.count()

    @mg.compile
    def f(x):
        return x * float(next(calls))

    f(np.ones(2))
    with pytest.raises(CompileError, match="something else in its second call"):
        f(np.ones(2))


def test_a_tensor_computed_outside_is_refused():
    w = _leaf(2)
    y = w * 2.0
    with pytest.raises(CompileError, match="computed outside"):
        mg.compile(lambda x: (x * y).sum().backward())(np.ones(2))
    f = mg.compile(lambda x: (x * w).sum().backward())
    with pytest.raises(CompileError, match="go on outside"):
        f(y)


def test_a_result_that_is_no_tensor_is_refused():
    with pytest.raises(CompileError, match="returned"):
        mg.compile(lambda x: object())(np.ones(2))
    with pytest.raises(mg.errors.ArgumentError, match="nothing that can be called"):
        mg.compile(3)


def test_an_exception_changes_nothing():
    w, rate = _leaf(2), 0.1
    drop = mg.nn.Dropout(0.5, rng=0)
    optimizer = mg.optim.Adam([w])

    @mg.compile
    def step(x, target):
        optimizer.zero_grad()
        drop(w * x).sum().backward()
        optimizer.step()
        mg.losses.binary_cross_entropy(w * rate, target)

    good, bad = np.array([0.0, 1.0]), np.array([0.0, 2.0])
    for calls in range(4):
        before = (
            w.data.copy(),
            w.grad,
            optimizer.state_dict(),
            drop.rng.bit_generator.state,
        )
        with pytest.raises(mg.errors.ArgumentError, match="no probability"):
            step(np.ones(2), bad)
        assert np.array_equal(w.data, before[0]) and w.grad is before[1]
        assert drop.rng.bit_generator.state == before[3]
        after = optimizer.state_dict()
        assert list(after) == list(before[2])
        assert all(np.array_equal(after[k], v) for k, v in before[2].items()), calls
        step(np.ones(2), good)


def test_threads_call_at_once():
    w = _leaf(20, 20)
    f = mg.compile(lambda x: mg.tanh(x @ w) * x)
    wrong = []

    def work(seed):
        x = np.random.default_rng(seed).standard_normal((5, 20))
        for _ in range(20):
            if not np.allclose(f(x).data, np.tanh(x @ w.data) * x):
                wrong.append(seed)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_within_another_trace_and_under_anomaly_detection():
    inner = mg.compile(lambda x: x * 2.0)
    outer = mg.compile(lambda x: inner(x) + 1.0)
    for _ in range(3):
        assert outer(np.ones(2)).data.tolist() == [3.0, 3.0]
    with mg.detect_anomaly(), pytest.raises(mg.errors.NonFiniteError):
        mg.compile(lambda x: mg.log(x))(mg.zeros(2))


def test_the_report_counts_what_the_passes_did():
    lstm = models.LSTM(3, 4, rng=0)

    @mg.compile
    def step(x):
        lstm.zero_grad()
        output, _ = lstm(x)
        (output * output).sum().backward()

    assert str(step.explain()) == "nothing has been called yet"
    step(np.ones((6, 2, 3)))
    [report] = step.explain()
    if report.trouble is None and report.stages:
        first, last = report.stages[0], report.stages[-1]
        assert first.products > last.products == 6 + 5 + 1 + 1 + 1
        assert first.flops == last.flops > 0  # the same work in fewer calls
        assert report.distinct < report.kernels
        assert report.memory <= report.written
        for word in ("hoist", "accumulate", "distinct", "float64 (6, 2, 3)"):
            assert word in str(report)
        text = step.plan_as_dot()
        assert text.startswith("digraph plan {") and "kernel, 2 × 4" in text
        assert mg.draw(step).dot == text


@needs_kernels
def test_of_a_long_plan_the_picture_shows_both_ends():
    rnn, weight = models.RNN(3, 4, rng=0), mg.tensor(np.eye(3) / 2)

    @mg.compile
    def step(x):
        rnn.zero_grad()
        output, _ = rnn(x)
        (output * output).sum().backward()

    @mg.compile
    def layers(x):
        for _ in range(60):
            x = mg.tanh(x @ weight)
        return x

    step(np.ones((40, 2, 3)))
    layers(np.ones((2, 3)))
    text = step.plan_as_dot()
    assert re.findall(r"steps \d+ to \d+", text) == ["steps 2 to 37", "steps 37 to 2"]
    shown = re.findall(r'label="step (\d+), kernel', text)
    assert list(dict.fromkeys(shown)) == ["0", "1", "38", "39"]
    text = layers.plan_as_dot()
    assert "49 kernels, 48 products of the same kinds" in text
    assert text.count("label=") == 1 + 24 + 1  # the plan's own, the ends, the middle


@needs_kernels
def test_a_new_shape_costs_no_call():
    f = mg.compile(lambda x: mg.tanh(x.reshape(6) * 2.0))
    f(np.ones((2, 3)))
    assert "1 kernels, 1 distinct; 0 products; 0 calls of Python" in str(f.explain()[0])


@pytest.mark.parametrize(
    "dtypes", [("float32", "float64"), ("float16", "float16"), ("bool", "float32")]
)
def test_other_dtypes_than_the_kernels_are_computed_as_they_are_written(dtypes):
    x, y = (
        np.linspace(0, 1, 5).astype(dtypes[0]),
        np.linspace(1, 2, 5).astype(dtypes[1]),
    )
    f = mg.compile(lambda x, y: mg.tanh(x * y))
    expected = mg.tanh(mg.tensor(x) * mg.tensor(y))
    for _ in range(2):
        made = f(x, y)
        assert made.dtype == expected.dtype
        np.testing.assert_allclose(made.data, expected.data, rtol=1e-6)


def test_a_function_that_was_not_called_has_no_picture():
    with pytest.raises(mg.errors.GraphError, match="no plan yet"):
        mg.draw(mg.compile(lambda x: x))


def test_a_long_sequence_shares_its_kernels():
    counts = {}
    for steps in (8, 60):
        rnn = models.RNN(2, 3, dtype="float32", rng=0)

        @mg.compile
        def step(x, rnn=rnn):
            rnn.zero_grad()
            output, _ = rnn(x)
            output.sum().backward()

        step(np.ones((steps, 2, 2), "float32"))
        [counts[steps]] = step.explain()
    assert counts[8].distinct == counts[60].distinct
    assert counts[60].memory < 60 / 8 * 1.2 * counts[8].memory + 10_000


def test_without_kernels_the_program_is_replayed_as_it_was_recorded():
    from minigrad.engine.kernels import jit

    with jit.use_kernels(False):
        f = mg.compile(lambda x: mg.tanh(x) * 2.0)
        for k in range(4):
            assert np.allclose(f(np.full(3, k / 4)).data, 2 * np.tanh(k / 4))
        [report] = f.explain()
    assert "one by one" in str(report)


def test_slices_as_arguments_and_around():
    """One trace for equal slices, another for others."""
    k = (slice(None, None, 2),)
    around = mg.compile(lambda x: (x[k] * 2.0).sum())
    f = mg.compile(lambda x, key: (x[key] * 2.0).sum())
    for n in range(4):
        x = np.arange(4.0) + n
        assert float(around(x)) == 2 * x[::2].sum()
        assert float(f(x, slice(None, None, 2))) == 2 * x[::2].sum()
        assert float(f(x, slice(1, None))) == 2 * x[1:].sum()
    assert f.kinds == 2


_w = _leaf(2)
_sgd = mg.optim.SGD([_w], lr=0.1)


@mg.compile
def _step(x):
    """A compiled function that a global name leads to: "step" of `_sgd.step`."""
    _sgd.zero_grad()
    ((_w - x) ** 2).sum().backward()
    _sgd.step()
    return _step.__name__


def test_a_compiled_function_that_names_itself_is_traced_twice_and_no_more():
    for _ in range(5):
        assert _step(np.zeros(2)) == "_step"
    assert _step.kinds == 1 and _step.replays == 3


def test_backward_of_a_result_outside():
    rnn = models.RNN(2, 3, rng=0)
    fast = mg.compile(rnn)
    for k in range(5):
        x = mg.tensor(np.full((4, 2, 2), k / 5), requires_grad=True)
        scaled = x * 2.0  # the gradient goes on outside
        found = []
        for function in (rnn, fast):
            rnn.zero_grad()
            x.grad = None
            output, h = function(scaled)
            (mg.losses.mse(output, np.ones(output.shape)) + (h * h).sum()).backward()
            found.append([x.grad.data, *(p.grad.data for p in rnn.parameters())])
        for a, b in zip(*found, strict=True):
            assert np.allclose(a, b, rtol=1e-11, atol=1e-14)
    assert fast.replays == 3
    output, _ = fast(scaled)
    p = next(iter(rnn.parameters()))
    p.data = p.data * 2.0
    with pytest.raises(mg.errors.GraphError, match="changed between"):
        output.sum().backward()
    with mg.no_grad():
        assert not fast(x)[0].requires_grad


def test_a_pass_that_fails_is_told_of_once_and_results_stay_right(monkeypatch):
    from minigrad.compiler import optimized
    from minigrad.engine.kernels import jit

    if not jit.enabled:
        pytest.skip("without kernels there are no passes")

    def broken(builder, results):
        raise KeyError("a bug")

    monkeypatch.setattr(optimized, "PASSES", [("hoist", broken)])
    f = mg.compile(lambda x: mg.tanh(x) * 2.0)
    with pytest.warns(mg.errors.MinigradWarning, match="hoist: KeyError") as told:
        for n in (3, 4, 3, 4, 3, 4):
            x = np.full(n, n / 4)
            assert np.allclose(f(x).data, 2 * np.tanh(x), rtol=1e-14)
    assert len(told) == 1 and f.replays == 2
    assert "one by one: hoist: KeyError" in str(f.explain())


def test_the_short_way_for_plain_calls_is_the_long_way(monkeypatch):
    from minigrad.compiler import guard

    call = ((mg.tensor([1.0]), np.ones(2)), {})
    short = guard.Arguments(*call)
    monkeypatch.setattr(guard, "_are_arrays", lambda inputs: False)
    long = guard.Arguments(*call)
    assert short.structure == long.structure and short.given == long.given
    assert guard.Arguments(call[0], None).structure != long.structure


def test_an_optimiser_that_is_set_within_is_refused_and_set_back():
    w = _leaf(2)
    optimizer = mg.optim.SGD([w], lr=0.5)

    @mg.compile
    def step(x):
        optimizer.zero_grad()
        (w * x).sum().backward()
        optimizer.step()
        optimizer.lr *= 0.5

    before = w.data.copy()
    with pytest.raises(CompileError, match=r"sets SGD's lr to 0\.25"):
        step(np.ones(2))
    assert optimizer.lr == 0.5 and np.array_equal(w.data, before) and w.grad is None
