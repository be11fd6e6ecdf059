"""Repeated steps: the same numbers, and once looked at the same graph, as the steps
that are recorded operation by operation."""

import functools
import importlib
import threading

import numpy as np
import pytest
from minigrad.models.cell import same_every_step

import minigrad as mg
from minigrad.engine import recorder
from minigrad.engine.autodiff import backpropagate, pulled_through
from minigrad.engine.errors import NonFiniteError
from minigrad.engine.graph import Edge, Leaf, ancestors, record_key, records
from minigrad.engine.kernels import jit
from minigrad.engine.repeating import step_text
from minigrad.engine.repeating.repeated_step import (
    Repetition,
    Step,
    StepEdge,
    repetition,
)
from minigrad.engine.repeating.step_operations import operations_of
from minigrad.engine.watching import Watcher
from minigrad.models import GRU, LSTM, RNN, unroll

LOOP = importlib.import_module(LSTM.__module__.rpartition(".")[0] + ".unroll")
T, B, D, H = 7, 3, 4, 5
VARIANTS = [
    (RNN, {}),
    (RNN, {"activation": "relu", "num_layers": 2, "bidirectional": True}),
    (LSTM, {}),
    (LSTM, {"peephole": "current", "num_layers": 2}),
    (LSTM, {"peephole": "previous", "reverse": True}),
    (LSTM, {"couple": "forget", "bidirectional": True}),
    (LSTM, {"couple": "input"}),
    (LSTM, {"forget_gate": False}),
    (GRU, {"num_layers": 2}),
    (GRU, {"reset": "before", "update": "take"}),
]


def given(dtype="float64", needs=False, seed=1):
    numbers = np.random.default_rng(seed).normal(size=(T, B, D)).astype(dtype)
    return mg.tensor(numbers, requires_grad=needs)


@pytest.fixture
def in_full(monkeypatch):
    """A function that has every step recorded in full from now on."""
    return lambda: monkeypatch.setattr(LOOP, "is_same_every_step", lambda cell: False)


def steps_of(*tensors):
    """The repeated steps behind tensors, without looking into them."""
    found, seen, todo = [], set(), [t._edge for t in tensors]
    while todo:
        edge = todo.pop()
        made = edge.step if type(edge) is StepEdge else edge.source
        if made not in seen and not isinstance(made, Leaf | None):
            seen.add(made)
            found += [made] if type(made) is Step else []
            todo += made.inputs if type(made) is Step else made.edges
    return found


def described(tensor):
    """All that a reader of the graph can see, with numbers counted from the first."""
    nodes = ancestors([tensor._edge.source])
    first = nodes[0].seq
    return [
        (
            node.primitive.name,
            node.seq - first,
            [(level.kind, level.name, level.kind != "loop" and level.index)
             for level in node.scope],
            node.where,
            node.attrs,
            node.requires_grad,
            [array.tobytes() for array in node.outputs],
            [array.flags.writeable for array in node.outputs],
            [(e.index, e.requires_grad, e.array.tobytes(),
              hasattr(e.source, "edges") and e.source.seq - first)
             for e in node.edges],
        )
        for node in nodes
    ]  # fmt: skip


def run(kind, options, dtype, needs, lengths, look=False):
    model = kind(D, H, dtype=dtype, rng=0, **options)
    x = given(dtype, needs)
    output, state = model(x, lengths=lengths)
    states = state if isinstance(state, tuple) else (state,)
    loss = (output * output).sum() + states[-1].sum()
    seen = described(loss) if look else None
    loss.backward()
    found = {name: p.grad.numpy() for name, p in model.named_parameters()}
    found |= {"x": x.grad.numpy()} if needs else {}
    return {**found, "output": output.numpy()}, seen


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("lengths", [None, [7, 2, 5]], ids=["whole", "masked"])
@pytest.mark.parametrize("number", range(len(VARIANTS)))
def test_the_bits_and_the_graph_of_steps_in_full(number, lengths, dtype, in_full):
    kind, options = VARIANTS[number]
    needs = number % 2 == 0
    blind, _ = run(kind, options, dtype, needs, lengths)
    looked, seen = run(kind, options, dtype, needs, lengths, look=True)
    in_full()
    full, expected = run(kind, options, dtype, needs, lengths, look=True)
    for name, values in full.items():
        assert values.tobytes() == blind[name].tobytes(), name
        assert values.tobytes() == looked[name].tobytes(), name
    assert seen == expected


def test_without_kernels(in_full):
    with jit.use_kernels(False):
        blind, _ = run(LSTM, {}, "float64", True, None)
        in_full()
        full, _ = run(LSTM, {}, "float64", True, None)
    assert all([blind[name].tobytes() == full[name].tobytes() for name in full])


def test_nothing_is_written_down_unasked():
    model = GRU(D, H, rng=0)
    output, _ = model(given())
    output.sum().backward()
    steps = steps_of(output)
    assert len(steps) == T - 2  # the first has no gradient in its state
    assert all([step.written is None for step in steps])
    assert ancestors([output._edge.source])
    assert all([step.written is not None for step in steps])


def test_backward_twice_and_after_a_look():
    model = LSTM(D, H, rng=0)
    output, _ = model(given())
    loss = (output * output).sum()
    found = []
    for look in (False, False, True):
        if look:
            ancestors([loss._edge.source])
        model.zero_grad()
        loss.backward()
        found.append([p.grad.numpy().tobytes() for p in model.parameters()])
    assert found[0] == found[1] == found[2]


@pytest.mark.parametrize("part", [0, 1])
def test_a_loss_of_one_part_of_the_state(part, in_full):
    def gradients():
        model = LSTM(D, H, rng=0)
        _, state = model(given())
        state[part].sum().backward()
        return [p.grad.numpy().tobytes() for p in model.parameters()]

    repeated = gradients()
    in_full()
    assert repeated == gradients()


def test_gradients_of_states_and_second_derivatives(in_full):
    def numbers():
        model = LSTM(D, H, rng=0)
        trace = model.trace(given())
        middle = trace.states[4][0].retain_grad()
        loss = (trace.output**2).sum()
        [wrt_state] = mg.grad(loss, [middle], create_graph=True)
        (wrt_state**2).sum().backward()
        grads = [p.grad.numpy().tobytes() for p in model.parameters()]
        loss.backward()
        return [*grads, middle.grad.numpy().tobytes(), trace["f"].tobytes()]

    repeated = numbers()
    in_full()
    assert repeated == numbers()


def test_inputs_of_another_kind_end_the_repetition():
    cell = LSTM(D, H, rng=0).cells[0]
    x = given()
    row = [mg.tensor(x.data[t], requires_grad=t == 4) for t in range(T)]
    loop = LOOP.run(cell, row, cell.zero_state(B))
    expected, _ = unroll(cell, x, cell.zero_state(B))
    np.testing.assert_array_equal(loop.output.data, expected.data)
    loop.output.sum().backward()
    assert row[4].grad is not None and row[3].grad is None


def test_what_is_not_repeated(monkeypatch):
    class Derived(LSTM):
        pass

    class DerivedCell(type(LSTM(D, H).cells[0])):
        def peep(self, letter, z, c):
            return super().peep(letter, z, c)

    model = LSTM(D, H, rng=0)
    x = given()
    assert steps_of(Derived(D, H)(x)[0])  # its cells are ours
    with mg.no_grad():
        assert not steps_of(model(x)[0])
    with mg.detect_anomaly():
        assert not steps_of(model(x)[0])
    cell = DerivedCell(D, H, rng=0)
    assert not steps_of(unroll(cell, x, cell.zero_state(B)).output)
    kind = type(model.cells[0])
    with monkeypatch.context() as patch:

        @functools.wraps(kind.forward)
        def forward(self, x, state):
            return plain(self, x, state)

        plain = kind.forward
        patch.setattr(kind, "forward", forward)
        assert not steps_of(model(x)[0])
    assert steps_of(model(x)[0])
    model.cells[0].peep = lambda letter, z, c: z[letter]
    assert not steps_of(model(x)[0])


def test_bad_numbers_are_found_where_they_were_made():
    model = RNN(D, D, rng=0, activation="relu", dtype="float32")
    cell = model.cells[0]
    cell.W_h.data, cell.b.data = np.eye(D, dtype="f"), np.ones(D, "f")
    output, _ = model(given("float32") * 0.0)
    assert len(steps_of(output)) == T - 2
    with mg.detect_anomaly(), pytest.raises(NonFiniteError) as raised:
        output.sum().backward(np.float32(1e38))  # times h for W_h
    assert "step 6" in str(raised.value) and "rnn.py" in str(raised.value)


def test_one_step_pulled_through_by_itself():
    """All that it reads gets what the same step gives to it when it is the only one."""
    cell = RNN(D, H, rng=0).cells[0]
    x, weights = given(), cell.parameters()
    loop = LOOP.run(cell, mg.unstack(x), mg.tensor(np.ones((B, H))))
    last = steps_of(loop.output)[0]
    needs = tuple([edge.requires_grad for edge in last.edges])
    found = pulled_through(last, needs, [np.ones((B, H))])
    h = mg.tensor(loop.states[T - 1][0].data, requires_grad=True)
    grads = mg.grad(cell(x[T - 1], h).sum(), [h, *weights])
    expected = {p._edge.source: g.data for p, g in zip(weights, grads[1:], strict=True)}
    for edge, value in zip(last.edges, found, strict=True):
        if value is None:
            assert not edge.requires_grad
        else:
            wanted = expected.pop(edge.source, grads[0].data)
            np.testing.assert_allclose(value, wanted, rtol=1e-13)
    assert expected == {}


def test_a_watcher_is_told_what_steps_give():
    """Of a walk over the records, in which each repeated step is one."""

    class Told(Watcher):
        def __init__(self):
            self.sums = {}

        def from_step(self, step, edge, value):
            name = record_key(edge)
            self.sums[name] = self.sums.get(name, 0.0) + value

        def __getattr__(self, name):
            return lambda *_: None

    told, model, x = Told(), LSTM(D, H, rng=0), given()
    trace = model.trace(x)
    loss, middle = trace.states[-1][0].sum(), trace.states[4]
    edges = [part._edge for part in middle]
    recorded = records([loss._edge], constants=False)
    backpropagate(loss._edge, np.ones(()), edges, watcher=told, recorded=recorded)
    # The rest of the loop from a state whose parts do not depend on each other.
    parts = tuple([mg.tensor(part.data, requires_grad=True) for part in middle])
    h, _ = unroll(model.cells[0], x[4:], parts).state
    for edge, g in zip(edges, mg.grad(h.sum(), parts), strict=True):
        np.testing.assert_allclose(told.sums[record_key(edge)], g.data, rtol=1e-13)


def test_flow_reads_repeated_steps_as_steps_in_full(in_full):
    """The ledger is told what each step gives to a weight; products go through one step
    at a time; a diagnosis looks at all of it."""
    expected = {}

    def numbers():
        model = LSTM(D, H, rng=0)
        trace = model.trace(given())
        loss, W_h = (trace.output**2).sum(), model.cells[0].W_h
        items = mg.ledger(loss, W_h).items(W_h)
        [g] = mg.grad(loss, [W_h])
        np.testing.assert_allclose(items.sum((0, 1)), g.data, rtol=1e-12)
        monitor = mg.Monitor(model=model, every=1)
        monitor.watch(loss)
        for seen in (mg.diagnose(loss, model=model), monitor):
            norms = [found.evidence for found in seen.findings]
            assert str(norms) == str(expected.setdefault(type(seen), norms))
        return items, mg.jacobian_products(trace).factor(3)

    repeated = numbers()
    in_full()
    for one, other in zip(repeated, numbers(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-15)


def test_threads_look_at_once():
    output, _ = LSTM(D, H, rng=0)(given())
    start, found = threading.Barrier(6), []

    def look():
        start.wait()
        found.append([id(node) for node in ancestors([output._edge.source])])

    threads = [threading.Thread(target=look) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all([one == found[0] for one in found])


# ------------------------------------------------------------- cells of other kinds


class Odd:
    """A cell of many operations: products of three axes, joins, powers, choices."""

    def __init__(self, function):
        rng = np.random.default_rng(3)
        self.W = mg.tensor(rng.normal(size=(H, H)), requires_grad=True)
        self.V = mg.tensor(rng.normal(size=(B, H, H)), requires_grad=True)
        self.b = mg.tensor(rng.normal(size=H), requires_grad=True)
        self.function = function

    def __call__(self, x, state):
        return self.forward(x, state)

    @same_every_step
    def forward(self, x, state):
        return self.function(self, x, state)


def products(cell, x, h):
    wide = (h.expand_dims(1) @ cell.V).reshape(B, H)
    return mg.tanh(wide + mg.concatenate([x, x[:, :1]], axis=1) @ cell.W)


def powers(cell, x, h):
    a, b = mg.split(mg.concatenate([h, h * 2.0], axis=1), [2], axis=1)
    joined = mg.concatenate([b[:, :3], a], axis=1)
    seen = mg.where(joined > 0.0, joined, joined**2 + cell.b)
    return mg.sigmoid(seen.T.T * cell.W[0]) + x.sum(axis=1, keepdims=True)


def used_twice(cell, x, h):
    once = h @ cell.W + cell.b
    other = once * once + once
    return mg.tanh(other - mg.maximum(once, h)) / (1.0 + mg.absolute(cell.b))


def part_of_a_split(cell, x, h):
    left, _ = mg.split(mg.concatenate([mg.tanh(h @ cell.W), h], axis=1), 2, axis=1)
    return left


def views(cell, x, h):
    """What is made of a view of the state must not be written into the state."""
    return mg.tanh(h.reshape(B, H) * 2.0 + (x[:, :1] * 0.5 + cell.b))


def columns(cell, x, h):
    """Of what is taken apart, a part that nobody uses."""
    parts = mg.unstack(h @ cell.W, axis=1)
    return mg.tanh(mg.stack([parts[1], *parts[1:]], axis=1) * x[:, :1])


def widened(cell, x, h):
    """What nobody needs any more has another shape than what is made of it."""
    return mg.tanh((h @ cell.W[:, :1] + 1.0) + h * x[:, :1] + cell.b)


TURN = mg.tensor(np.eye(H)[::-1])


def fixed_products(cell, x, h):
    """A product with a constant, and a bias in a product."""
    return mg.tanh(h @ TURN + h * (h @ cell.b).expand_dims(1) + x[:, :1])


@pytest.mark.parametrize(
    "function",
    [
        products, powers, used_twice, part_of_a_split, views, columns, fixed_products,
        widened,
    ],
)  # fmt: skip
def test_any_operations(function, in_full):
    def numbers(look):
        cell = Odd(function)
        output = unroll(cell, given(needs=True), mg.tensor(np.ones((B, H)))).output
        steps = steps_of(output)
        assert look is None or len(steps) == T - 2
        for array in [array for step in steps for array in step.array]:
            assert not array.flags.writeable
            assert array.base is None or not array.base.flags.writeable
        loss = (output * output).sum()
        seen = described(loss) if look else None
        loss.backward()
        given_to = [t.grad for t in (cell.W, cell.V, cell.b)]
        return [g if g is None else g.numpy().tobytes() for g in given_to], seen

    blind, _ = numbers(False)
    looked, seen = numbers(True)
    in_full()
    full, expected = numbers(None)[0], None
    assert blind == looked == full
    assert expected is None and len(seen) > T


@pytest.mark.parametrize(
    "function",
    [
        lambda cell, x, h: h,  # what it was given
        lambda cell, x, h: cell.W[:B],  # nothing of what it was given
        lambda cell, x, h: mg.tanh(h) * h.mean(),  # numbers without axes
    ],
    ids=["as given", "fixed", "without axes"],
)
def test_what_cannot_be_repeated_is_recorded_in_full(function):
    cell = Odd(function)
    start = mg.tensor(np.ones((B, H)), requires_grad=True)
    output = unroll(cell, given(), start).output
    output.sum().backward()
    assert output.shape == (T, B, H)
    assert all([isinstance(step, Step) for step in steps_of(output)])


def test_a_part_of_the_state_that_stays_as_it_is(in_full):
    def numbers():
        cell = Odd(lambda cell, x, state: (mg.tanh(state[0] @ cell.W), state[1]))
        leaf = mg.tensor(np.full((B, H), 2.0), requires_grad=True)
        output, (_, c) = unroll(cell, given(), (mg.tensor(np.ones((B, H))), leaf * 2.0))
        (output * c).sum().backward()
        grads = [one.grad.data.tobytes() for one in (cell.W, leaf)]
        return output.data.tobytes(), grads

    repeated = numbers()
    in_full()
    assert repeated == numbers()


def test_two_parts_of_the_state_that_are_one(in_full):
    def numbers():
        def twice(cell, x, state):
            h = mg.tanh((state[0] + state[1]) @ cell.W)
            return h, h

        cell = Odd(twice)
        start = mg.tensor(np.ones((B, H))), mg.tensor(np.zeros((B, H)))
        output, _ = unroll(cell, given(), start)
        output.sum().backward()
        assert not steps_of(output)
        return output.data.tobytes(), cell.W.grad.data.tobytes()

    repeated = numbers()
    in_full()
    assert repeated == numbers()


def test_a_loop_that_needs_no_gradient_is_recorded():
    cell = Odd(lambda cell, x, h: mg.tanh(h * 0.5 + x[:, :1]))
    output, _ = unroll(cell, given(), mg.tensor(np.ones((B, H))))
    assert not output.requires_grad and not steps_of(output)


def test_two_handles_on_one_output_are_recorded(in_full):
    """They are two edges, of which a plan knows one."""

    def numbers():
        def step(cell, x, h):
            left, _ = mg.split(mg.concatenate([h @ cell.W, h], axis=1), 2, axis=1)
            edge = left._edge
            other = mg.Tensor.of(Edge(edge.source, edge.index, edge.array, True))
            return mg.tanh(left) * other

        cell = Odd(step)
        output, _ = unroll(cell, given(), mg.tensor(np.ones((B, H))))
        output.sum().backward()
        assert not steps_of(output)
        return output.data.tobytes(), cell.W.grad.data.tobytes()

    repeated = numbers()
    in_full()
    assert repeated == numbers()


@pytest.mark.parametrize("kernels", [False, True])
@pytest.mark.parametrize("function", [views, columns, part_of_a_split, None])
def test_operations_are_told_as_the_nodes_that_they_are(function, kernels):
    with jit.use_kernels(kernels):
        if function is None:
            output, _ = LSTM(D, H, rng=0)(given())
        else:
            output = unroll(Odd(function), given(), mg.tensor(np.ones((B, H)))).output
        output.sum().backward()
        last, before = steps_of(output)[:2]
        told = [
            (one.primitive, one.seq, one.origin, [a.tobytes() for a in one.outputs])
            for one in operations_of(last)
        ]
        read = [edge for one in operations_of(before)[:1] for edge in one.edges]
        nodes = [one.source for one in operations_of(last)]
    assert [one.seq for one in nodes] == sorted({one.seq for one in nodes})
    assert told == [
        (node.primitive, node.seq, node.origin, [a.tobytes() for a in node.outputs])
        for node in nodes
    ]
    new = {id(array) for array in last.array}
    for one, node in zip(operations_of(last), nodes, strict=True):
        assert [edge.array.tobytes() for edge in one.edges] == [
            edge.array.tobytes() for edge in node.edges
        ]
        mine = {id(array) for array in node.outputs}
        assert (one.part is not None) == bool(mine & new)
    assert read


def test_a_model_that_is_younger_than_its_input():
    x = given()
    assert len(steps_of(LSTM(D, H, rng=0)(x)[0])) == T - 2


def test_a_leaf_for_each_step_may_be_a_weight_and_is_recorded(in_full):
    def numbers():
        cell = RNN(D, H, rng=0).cells[0]
        row = [mg.tensor(a, requires_grad=True) for a in given().data]
        output = LOOP.run(cell, row, mg.tensor(np.ones((B, H)))).output
        output.sum().backward()
        assert not steps_of(output)
        return [one.grad.data.tobytes() for one in row]

    repeated = numbers()
    in_full()
    assert repeated == numbers()


@pytest.mark.parametrize("where", [0, 4])
def test_an_array_among_the_inputs(where, in_full):
    cell = RNN(D, H, rng=0).cells[0]
    row = [x if t == where else mg.tensor(x) for t, x in enumerate(given().data)]
    repeated = LOOP.run(cell, row, mg.tensor(np.ones((B, H)))).output.data
    in_full()
    full = LOOP.run(cell, row, mg.tensor(np.ones((B, H)))).output.data
    assert repeated.tobytes() == full.tobytes()


def test_one_of_two_inputs_changes_its_kind():
    """The step goes on until then, though the other input would last."""
    W = mg.tensor(np.eye(H) * 0.5, requires_grad=True)
    xs = [mg.tensor(np.full((B, H), 0.1 * t)) for t in range(T)]
    ks = [mg.tensor(np.ones((B, H), "f" if t == 5 else "d")) for t in range(T)]
    h = mg.tensor(np.ones((B, H)))
    for t in range(2):
        with mg.time_step(t):
            before, h = h, mg.tanh(h @ W + xs[t]) * ks[t]
    again = repetition((xs[1], ks[1]), (before,), (h,))
    states = again.through([xs, ks], range(2, T), (h,))
    assert len(states) == 3
    for t, (state,) in enumerate(states, 2):
        h = mg.tanh(h @ W + xs[t]) * ks[t]
        assert state.data.tobytes() == h.data.tobytes()


def test_steps_of_a_recorded_backward_pass_are_not_repeated():
    """A loop that runs while a rule does is a part of that rule."""
    cell = RNN(D, H, rng=0).cells[0]
    row = [mg.tensor(x) for x in given().data]
    start = mg.tensor(np.ones((B, H)), requires_grad=True)
    full = LOOP.run(cell, row, start)
    now = recorder.thread.recorder
    now.origin = full.output.node
    try:
        inner = LOOP.run(cell, row, start)
    finally:
        now.origin = None
    assert steps_of(full.output) and not steps_of(inner.output)
    assert inner.output.data.tobytes() == full.output.data.tobytes()


def test_as_many_plans_are_known_as_are_kept(monkeypatch):
    monkeypatch.setattr(step_text, "_known", dict.fromkeys(range(201)))
    output = unroll(Odd(views), given(), mg.tensor(np.ones((B, H)))).output
    assert len(step_text._known) == 1 and steps_of(output)


# ------------------------------------------------------------- what may change


def test_a_method_or_an_operation_put_in_place_is_called_at_every_step(monkeypatch):
    x = given()
    cell = LSTM(D, H, rng=0).cells[0]
    kind = type(cell)

    def counts(owner, name):
        calls, plain = [], getattr(owner, name)

        def counted(*inputs):
            calls.append(name)
            return plain(*inputs)

        with monkeypatch.context() as patch:
            patch.setattr(owner, name, counted)
            unroll(cell, x, cell.zero_state(B))
        return len(calls)

    assert counts(kind, "input_and_forget") == counts(kind, "__call__") == T
    assert counts(kind.__mro__[1], "__call__") == counts(mg, "multiply_add") == T
    assert counts(kind, "peep") == counts(mg, "sigmoid") == 3 * T
    assert steps_of(unroll(cell, x, cell.zero_state(B)).output)


def cut_off(cell, x, h):
    return mg.tanh(h.detach() @ cell.W) + 0.5 * h


def unrecorded(cell, x, h):
    with mg.no_grad():
        scale = h * 2.0
    return mg.tanh(h @ cell.W) * scale


def unrecorded_row(cell, x, h):
    with mg.no_grad():
        scale = h.mean(axis=0)
    return mg.tanh(h @ cell.W) * scale


@pytest.mark.parametrize("function", [cut_off, unrecorded, unrecorded_row])
def test_numbers_cut_off_from_the_state_are_computed_anew(function, in_full):
    start = mg.tensor(np.ones((B, H)))
    repeated = unroll(Odd(function), given(), start).output.data
    in_full()
    expected = unroll(Odd(function), given(), start).output.data
    assert repeated.tobytes() == expected.tobytes()


def test_a_weight_that_is_an_input_at_first(in_full):
    cell = RNN(H, H, rng=0).cells[0]
    cell.W_x = cell.W_h
    other = [mg.tensor(np.full((H, H), 0.1 * t), requires_grad=True) for t in range(T)]
    row, start = [cell.W_h] * 3 + other[3:], mg.tensor(np.ones((H, H)))
    repeated = LOOP.run(cell, row, start).output.data
    in_full()
    assert repeated.tobytes() == LOOP.run(cell, row, start).output.data.tobytes()


@pytest.mark.parametrize("there", [True, False])
@pytest.mark.parametrize("part", [None, 1])
def test_kernels_switched_between_there_and_back(there, part, in_full):
    def gradients():
        model = LSTM(D, H, rng=0)
        with jit.use_kernels(there):
            output, state = model(given())
        with jit.use_kernels(not there):
            (output if part is None else state[part]).sum().backward()
        return [p.grad.numpy().tobytes() for p in model.parameters()]

    repeated = gradients()
    in_full()
    assert repeated == gradients()


def test_a_look_in_the_middle_of_a_pass(monkeypatch):
    def gradients(look):
        model = GRU(D, H, rng=0)
        output, _ = model(given())
        steps = steps_of(output)
        plain = Step.pull

        def pull(step, *others):
            if look:  # as another thread may, at any time
                [one.looked_at() for one in steps]
            plain(step, *others)

        with monkeypatch.context() as patch:
            patch.setattr(Step, "pull", pull)
            (output * output).sum().backward()
        return [p.grad.numpy().tobytes() for p in model.parameters()]

    assert gradients(True) == gradients(False)


@pytest.mark.parametrize("kind, options", VARIANTS)
@pytest.mark.parametrize("how", [{}, {"lengths": [7, 4, 5]}], ids=["whole", "masked"])
def test_within_no_grad_steps_are_repeated_too(
    kind, options, how, in_full, monkeypatch
):
    model, x, counts, through = kind(D, H, rng=0, **options), given(), [], []

    def counted(*arguments):
        states = through[0](*arguments)
        counts.append(len(states))
        return states

    through.append(Repetition.through)
    monkeypatch.setattr(Repetition, "through", counted)

    def run():
        with mg.no_grad():
            output, state = model(x, **how)
        parts = [output, *(state if isinstance(state, tuple) else (state,))]
        assert all([part.node is None and not part.requires_grad for part in parts])
        assert not any([part.data.flags.writeable for part in parts])
        return [part.data.tobytes() for part in parts]

    repeated = run()
    assert counts == [T - 1] * len(model.cells)
    in_full()
    assert repeated == run()
    assert len(counts) == len(model.cells)


def test_within_no_grad_a_step_that_cuts_its_own_numbers_off_is_not_repeated():
    class Cut(type(RNN(D, H).cells[0])):
        @same_every_step
        def forward(self, x, state):
            return mg.tanh(x @ self.W_x + state.detach() @ self.W_h)

    cell, x, state = Cut(D, H, rng=0), given(), mg.zeros((B, H))
    with mg.no_grad():
        found = unroll(cell, x, state).output
        for t in range(T):
            state = cell.forward(x[t], state)
            np.testing.assert_array_equal(found[t].data, state.data)
