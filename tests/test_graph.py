"""The engine: what the graph holds, what backward does with it, and what it costs."""

import gc
import itertools
import sys
import threading
import tracemalloc
import weakref
from pathlib import Path

import numpy as np
import pytest

import minigrad as mg
from minigrad.engine import autodiff, errors
from minigrad.engine.graph import ancestors
from minigrad.engine.primitives.base import Primitive, apply
from minigrad.engine.quiet import uncollected
from minigrad.engine.scope import gate, time_step
from minigrad.engine.user_code import line


def leaf(values, name=None):
    return mg.tensor(values, dtype="float64", requires_grad=True, name=name)


def gradient(output, x):
    return mg.grad(output, [x])[0].data


def test_a_use_twice_counts_twice():
    x = leaf([3.0])
    assert gradient(x * x, x) == [6.0]
    assert len((x * x).node.edges) == 2  # parallel edges are kept


def test_fan_out_and_diamond():
    x = leaf([0.5])
    a, b = mg.exp(x), mg.sin(x)
    np.testing.assert_allclose(
        gradient(a * b, x), np.exp(0.5) * (np.sin(0.5) + np.cos(0.5)), rtol=1e-15
    )


def test_one_tensor_in_two_graphs_and_a_second_backward():
    x = leaf([2.0])
    y, z = x * 3.0, x * x
    y.backward()
    z.backward()
    assert x.grad.data == [7.0]
    z.backward()
    assert x.grad.data == [11.0]


def test_unreachable_inputs():
    x, unused = leaf([1.0], "x"), leaf([1.0, 2.0], "unused")
    y = x * 2.0
    with pytest.raises(errors.GraphError, match="does not depend on input 1"):
        mg.grad(y, [x, unused])
    assert list(mg.grad(y, [x, unused], allow_unused=True)[1].data) == [0.0, 0.0]


def test_interior_tensors_and_retained_gradients():
    x = leaf([1.0, 2.0])
    h = x * x
    y = (h * 3.0).sum()
    np.testing.assert_array_equal(gradient(y, h), [3.0, 3.0])
    h.retain_grad()
    y.backward()
    np.testing.assert_array_equal(h.grad.data, [3.0, 3.0])
    np.testing.assert_array_equal(x.grad.data, [6.0, 12.0])


def test_outputs_of_a_split_are_told_apart(rng):
    x = leaf(rng.standard_normal((2, 6)))
    a, _, c = mg.split(x, 3, axis=1)
    y = (a * 2.0).sum() + (c * c).sum()
    expected = np.concatenate([np.full((2, 2), 2.0), np.zeros((2, 2)), 2 * c.data], 1)
    np.testing.assert_array_equal(gradient(y, x), expected)
    np.testing.assert_array_equal(gradient(y, c), 2 * c.data)


def test_backward_is_that_of_the_forward_that_ran():
    w = leaf([2.0])
    y = w * w
    w.data = w.data * 100
    y.backward()
    assert w.grad.data == [4.0] and w.data == [200.0]


def test_a_rule_may_use_several_outputs_of_its_own():
    """The second derivative goes through them, too: of exp(x) exp(2 x), 9 exp(3 x)."""

    def value(x):
        made = np.exp(x), np.exp(2 * x)
        for part in made:
            part.setflags(write=False)
        return made

    powers = Primitive(value, name="two powers", multiple=True, listed=False)
    powers.defvjp(lambda g, y, x: (g[0] * y[0] + 2.0 * g[1] * y[1],))
    x = leaf([0.5, -0.25])
    a, b = apply(powers, (x,))
    (slope,) = mg.grad((a * b).sum(), [x], create_graph=True)
    expected = np.exp(3 * x.data)
    np.testing.assert_allclose(slope.data, 3 * expected, rtol=1e-14)
    np.testing.assert_allclose(gradient(slope.sum(), x), 9 * expected, rtol=1e-14)


def test_orders_of_derivatives():
    x = leaf(0.3)
    y = mg.exp(x * 2.0)
    for order in range(1, 6):
        (y,) = mg.grad(y, [x], create_graph=True)
        assert y.item() == pytest.approx(2**order * np.exp(0.6), rel=1e-14)


def test_backward_nodes_know_their_origin_and_scope():
    x = leaf([0.4])
    with time_step(3), gate("f"):
        y = mg.sigmoid(x)
    (g,) = mg.grad(y, [x], create_graph=True)
    made = [node for node in ancestors([g.node]) if node.origin is not None]
    assert made and all(node.origin is y.node for node in made)
    assert all(node.scope == y.node.scope for node in made)


def test_jacobian(rng):
    x, W = leaf(rng.standard_normal(3)), rng.standard_normal((3, 4))
    np.testing.assert_allclose(mg.jacobian(x @ W, x), W.T, rtol=1e-15)
    y = mg.tanh(x)
    np.testing.assert_allclose(mg.jacobian(y, x), np.diag(1 - y.data**2), rtol=1e-14)
    assert not mg.jacobian(y, leaf([1.0])).any()


def test_stacked_sums_equal_sums_one_by_one(rng):
    for dtype, tolerance in (("float64", 1e-12), ("float32", 1e-6)):
        W = mg.tensor(rng.standard_normal((5, 5)), dtype, requires_grad=True)
        h = mg.tensor(rng.standard_normal((40, 5)), dtype)
        for _ in range(60):  # 2400 rows: several blocks
            h = mg.tanh(h @ W)
        seed = rng.standard_normal(h.shape).astype(dtype)
        one = autodiff.backpropagate(h.node, seed, stack=False)[W._edge.source]
        stacked = autodiff.backpropagate(h.node, seed)[W._edge.source]
        assert np.linalg.norm(stacked - one) <= tolerance * np.linalg.norm(one)


def test_watchers_see_every_contribution(rng):
    W, x = leaf(rng.standard_normal((3, 3))), leaf(rng.standard_normal((2, 3)))
    h = x
    for _ in range(4):
        h = mg.tanh(h @ W)

    class Adds(autodiff.Watcher):
        def __init__(self):
            self.total, self.together = {}, []

        def contribution(self, node, k, value):
            key = autodiff.key(node.edges[k])
            self.total[key] = self.total.get(key, 0.0) + value

        def stacked(self, nodes, k, value):
            self.together.append(len(nodes))
            self.contribution(nodes[0], k, value)

    once = x @ W
    for output, how, together in (
        (h, {}, [4]),
        (h, {"stack": False}, []),
        (once, {}, []),  # a use that stays alone is a contribution as any
    ):
        adds = Adds()
        found = autodiff.backpropagate(
            output.node, np.ones((2, 3)), watcher=adds, **how
        )
        assert adds.together == together
        for key in (W._edge.source, x._edge.source):
            np.testing.assert_array_equal(adds.total[key], found[key])


# ------------------------------------------------------------- what it holds


def test_nothing_the_graph_holds_can_be_written_to():
    data = np.array([1.0, 2.0])
    x = leaf(data)
    data[0] = 100.0
    y = x * x + np.array([1.0, 1.0])
    arrays = [x.data, y.numpy(), *y.node.outputs, *(e.array for e in y.node.edges)]
    for array in arrays:
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 5.0
    for array in (x.data, y.numpy()):
        with pytest.raises(ValueError, match="WRITEABLE"):
            array.flags.writeable = True
    with pytest.raises(errors.DTypeError, match="tensors are not written to"):
        x[0] = 5.0
    assert gradient(y.sum(), x)[0] == 2.0


@pytest.mark.parametrize("create_graph", [False, True])
def test_graphs_are_freed_by_reference_counting_alone(create_graph):
    gc.collect()
    gc.disable()
    try:
        x = leaf([1.0, 2.0])
        y = mg.tanh(x * x).sum()
        y.backward(create_graph=create_graph)
        watch = weakref.ref(y), weakref.ref(x.grad)
        arrays = weakref.ref(y.node.edges[0].array)
        x.grad = None
        del y
        assert watch[0]() is None and watch[1]() is None and arrays() is None
    finally:
        gc.enable()


def test_memory_per_node():
    x = leaf(0.5)
    count = 20_000
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    y = x
    for _ in range(count):
        y = y * 1.0
    used = (tracemalloc.get_traced_memory()[0] - before) / count
    tracemalloc.stop()
    own = y.node.outputs[0]
    array = sys.getsizeof(own) + 32  # the object, and the allocator's share of 8 bytes
    assert used - array < 500


@pytest.mark.parametrize(
    "count", [100_000, pytest.param(1_000_000, marks=pytest.mark.nightly)]
)
def test_long_chains(count):
    """They are differentiated and freed without recursion."""
    x = leaf(0.5)
    limit = sys.getrecursionlimit()
    y = x
    for _ in range(count):
        y = y * 1.0
    assert gradient(y, x) == 1.0
    assert sys.getrecursionlimit() == limit < count / 10
    del y


def test_float32_stays_float32(rng):
    x = mg.tensor(rng.standard_normal((3, 4)), "float32", requires_grad=True)
    y = 1.0 - mg.sigmoid(x * 2 + 1) / 3
    y = mg.where(y > 0.5, y, 0.0) + mg.softmax(x) + mg.clip(x, -1, 1) ** 2
    y = mg.losses.mse(y.max(axis=0), np.zeros(4)) + x.mean() + mg.norm(x)
    assert y.dtype == np.float32
    y.backward()
    assert x.grad.dtype == np.float32
    mixed = x + np.ones(4)
    assert mixed.dtype == np.float64  # NumPy's rules
    assert mg.grad(mixed.sum(), [x])[0].dtype == np.float32


def test_arrays_and_numbers_on_either_side():
    x = leaf([1.0, 2.0])
    for y in (np.ones(2) + x, np.ones(2) @ x, 2 - x, 2 / x, 2**x, [1.0, 2.0] * x):
        assert isinstance(y, mg.Tensor) and y.requires_grad
    assert (0.0 * x - 0.0).data.tolist() == [0.0, 0.0]
    assert np.signbit((x * -0.0).data).all()


def test_no_grad_and_scopes_are_of_one_thread():
    x = leaf([1.0])
    seen = []

    def other():
        seen.append((x * x).node)

    with mg.no_grad(), mg.scope("here"):
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
        assert (x * x).node is None
    assert seen[0] is not None and seen[0].scope == ()


def test_switches_decorate_functions():
    x = leaf([2.0])

    @mg.no_grad()
    def measured(y, *, times=1):
        """What it says."""
        return y * times, (y * y).requires_grad

    @mg.no_grad
    def outer(y):
        return inner(y), y * 2.0

    @mg.enable_grad()
    def inner(y):
        return y * 3.0

    assert (measured.__name__, measured.__doc__) == ("measured", "What it says.")
    y, recorded = measured(x, times=3)
    assert y.data.tolist() == [6.0] and not y.requires_grad and not recorded
    inside, outside = outer(x)
    assert inside.requires_grad and not outside.requires_grad
    assert (x * x).requires_grad  # put back

    @mg.no_grad()
    def failing():
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        failing()
    assert (x * x).requires_grad

    @mg.detect_anomaly()
    def watched():
        return mg.log(x - 2.0)

    with pytest.raises(errors.NonFiniteError, match="log"):
        watched()
    assert np.isneginf(mg.log(x - 2.0).data).all()


def test_a_decorated_generator_is_switched_only_while_it_runs():
    x, seen = leaf([2.0]), []

    @mg.no_grad()
    def halves(y):
        while True:
            given = yield y
            seen.append((y * y).requires_grad)
            y = y / 2.0 if given is None else given
            if y.item() < 1.0:
                return "done"

    running = halves(x)
    assert next(running) is x and (x * x).requires_grad
    assert not next(running).requires_grad and (x * x).requires_grad
    assert running.send(x) is x
    next(running)
    with pytest.raises(StopIteration, match="done"):
        next(running)
    assert seen == [False] * 4


def test_one_decorated_function_in_many_threads():
    x, inside, checked = leaf([1.0]), threading.Barrier(2), []

    @mg.no_grad()
    def slow(first):
        inside.wait()
        if first:  # leaves while the other is still within
            return
        inside.wait()

    def run(first):
        slow(first)
        checked.append((x * x).requires_grad)
        if first:
            inside.wait()

    threads = [threading.Thread(target=run, args=(k,)) for k in (True, False)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert checked == [True, True]


def test_what_cannot_be_decorated():
    async def later():
        return 1

    with pytest.raises(errors.DTypeError, match=r"coroutine(?s:.*)with mg\.no_grad"):
        mg.no_grad()(later)
    with pytest.raises(errors.DTypeError, match="takes no argument"):
        mg.detect_anomaly(True)


# ------------------------------------------------------------- when it goes wrong


def test_an_error_says_everything():
    h = mg.tensor(np.ones((8, 64), "float32"), name="h")
    W = mg.tensor(np.ones((32, 64), "float32"), name="W_h")
    with time_step(3), gate("f"), pytest.raises(errors.ShapeError) as caught:
        h @ W
    text = str(caught.value)
    assert text.startswith("matmul(a, b): inner sizes differ\n")
    assert "expect  a.shape[-1] == b.shape[-2]" in text
    assert "actual  64 != 32        a: 'h' (8, 64) float32" in text
    assert "b: 'W_h' (32, 64) float32" in text
    assert "step 3 / forget gate" in text and "test_graph.py:" in text
    assert "hint    is 'W_h' transposed? minigrad stores weights as" in text or (
        "is W_h transposed?" in text
    )
    assert isinstance(caught.value, ValueError)


BAD = {
    "broadcast": (lambda x: x + np.ones(3), errors.ShapeError, "do not broadcast"),
    "axis": (lambda x: x.sum(axis=4), errors.ShapeError, "axes in -2..1"),
    "reshape": (lambda x: x.reshape(7), errors.ShapeError, "do not fit the shape"),
    "concatenate": (
        lambda x: mg.concatenate([x, mg.zeros((2, 3))]), errors.ShapeError, "differ"
    ),
    "nothing": (lambda x: mg.stack([]), errors.ArgumentError, "nothing to join"),
    "index": (lambda x: x[9], errors.IndexingError, "out of bounds"),
    "float index": (lambda x: x[[0.5]], errors.DTypeError, "whole numbers"),
    "split": (lambda x: mg.split(x, 3, axis=1), errors.ShapeError, "no equal parts"),
    "text": (lambda x: x + "a", errors.DTypeError, "no array of numbers"),
    "non-scalar": (lambda x: x.backward(), errors.GraphError, "not a scalar"),
    "no graph": (
        lambda x: x.detach().sum().backward(), errors.GraphError, "needs no gradient"
    ),
    "integers": (
        lambda x: mg.tensor([1], requires_grad=True), errors.DTypeError, "gradient"
    ),
    "ragged": (lambda x: mg.tensor([[1], [1, 2]]), errors.ShapeError, "rectangular"),
    "words": (lambda x: mg.tensor(["a"]), errors.DTypeError, "not numbers"),
    "item": (lambda x: x.item(), errors.ShapeError, "one entry"),
    "truth": (lambda x: bool(x), errors.ShapeError, "several entries"),
    "data": (lambda x: setattr(x, "data", np.ones(2)), errors.ShapeError, "shape"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_bad_input(name):
    call, error, words = BAD[name]
    with pytest.raises(error, match=words) as caught:
        call(leaf([[1.0, 2.0], [3.0, 4.0]]))
    assert isinstance(caught.value, errors.MinigradError)
    assert caught.value.hint


def test_anomalies_are_named_forward_and_backward():
    x = leaf([1.0, 0.0])
    with mg.detect_anomaly(), time_step(2):
        with pytest.raises(errors.NonFiniteError, match=r"log: the first value") as e:
            mg.log(x)
        assert "step 2" in str(e.value) and "-inf at (1,)" in str(e.value)
        y = mg.sqrt(x).sum()
        with pytest.raises(errors.NonFiniteError, match="backward of sqrt") as e:
            y.backward()
    assert "step 2" in str(e.value) and "test_graph.py:" in str(e.value)
    assert x.grad is None  # nothing half done


def test_the_users_line_is_known():
    x = leaf([1.0])
    y = mg.tanh(x)  # this line
    file, number, first, last = line(y.node.where)
    assert file == __file__
    text = Path(file).read_text().splitlines()[number - 1]
    assert text[first:last] == "mg.tanh(x)"


def test_users_modules_may_have_any_name():
    """Some names come before the package's in the alphabet, some begin with it."""
    code = "import minigrad\ny = minigrad.tensor(1.0, requires_grad=True) * 2.0"
    for name in ("lstm", "minigrad_lstm", "zebra"):
        values = {"__name__": name}
        exec(compile(code, f"{name}.py", "exec"), values)
        assert line(values["y"].node.where)[:2] == (f"{name}.py", 2)


def test_a_line_without_columns_is_known_all_the_same():
    """As with `python -X no_debug_ranges`: the table of places has lines only."""
    code = compile("a = 1\n\nb = 2\nc = 3", "bare.py", "exec")
    lines = [at[0] for at in code.co_positions()]
    table = bytearray()
    for old, new in itertools.pairwise([code.co_firstlineno, *lines]):
        table += bytes([0b11101000, 2 * abs(new - old) + (new < old)])
    bare = code.replace(co_linetable=bytes(table))
    assert line((bare, 2 * lines.index(3))) == ("bare.py", 3, 0, 0)


@pytest.mark.parametrize("on", [True, False])
def test_the_garbage_collector_is_left_as_it_was(on):
    was = gc.isenabled()
    try:
        (gc.enable if on else gc.disable)()
        for settled in (True, False):
            with uncollected(settled):
                assert not gc.isenabled()
            assert gc.isenabled() == on
    finally:
        (gc.enable if was else gc.disable)()


def test_what_a_program_has_frozen_stays_so(monkeypatch):
    """And is counted once only: Python walks through all of it."""
    monkeypatch.setattr(uncollected, "frozen_by_others", False)
    gc.freeze()
    try:
        with uncollected(settled=True):
            pass
        assert gc.get_freeze_count()
        monkeypatch.setattr(gc, "get_freeze_count", lambda: pytest.fail("counted"))
        with uncollected(settled=True):
            pass
    finally:
        gc.unfreeze()
