"""The time loop, a cell of one's own, padding, and what a trace shows."""

import time

import bptt_reference as reference
import numpy as np
import pytest

import minigrad as mg
from minigrad.engine.errors import (
    ArgumentError,
    DTypeError,
    GraphError,
    IndexingError,
    ShapeError,
)
from minigrad.engine.graph import ancestors
from minigrad.engine.scope import gate, scope
from minigrad.models import GRU, LSTM, RNN, LSTMCell, RNNCell, unroll, unroll_traced


def minimal_gated_unit(D, H, rng):
    """A cell that is not ours (Zhou et al. 2016), and its weights."""
    W = mg.tensor(rng.standard_normal((D, 2 * H)), requires_grad=True, name="W")
    U_f, U_n = (
        mg.tensor(rng.standard_normal((H, H)), requires_grad=True) for _ in range(2)
    )

    def cell(x, h):
        x_f, x_n = mg.split(x @ W, 2, axis=1)
        with gate("f"):
            f = mg.sigmoid(x_f + h @ U_f)
        with scope("proposal"):
            n = mg.tanh(x_n + (f * h) @ U_n)
        return (1.0 - f) * h + f * n

    return cell, [W, U_f, U_n]


def mgu_in_numpy(x, h, W, U_f, U_n, mask):
    outputs = []
    for t in range(len(x)):
        x_f, x_n = np.split(x[t] @ W, 2, axis=1)
        f = reference.sigmoid(x_f + h @ U_f)
        new = (1 - f) * h + f * np.tanh(x_n + (f * h) @ U_n)
        h = np.where(mask[t][:, None], new, h)
        outputs.append(np.where(mask[t][:, None], h, 0))
    return np.stack(outputs), h


MASK = np.array([[0, 1, 1], [1, 1, 0], [1, 1, 0], [1, 1, 0]], dtype=bool)


@pytest.mark.parametrize("mask", [None, MASK], ids=["whole", "mask"])
def test_a_cell_of_ones_own_against_complex_step(mask, rng):
    cell, weights = minimal_gated_unit(2, 5, rng)
    x = mg.tensor(rng.standard_normal((4, 3, 2)), requires_grad=True)
    h = mg.tensor(rng.standard_normal((3, 5)), requires_grad=True)
    output, end = unroll(cell, x, h, mask)
    u, v = rng.standard_normal(output.shape), rng.standard_normal(end.shape)
    ((output * u).sum() + (end * v).sum()).backward()
    tensors = [x, h, *weights]
    real = np.ones((4, 3), dtype=bool) if mask is None else mask
    for k, tensor in enumerate(tensors):
        direction = rng.standard_normal(tensor.shape)
        moved = [t.data for t in tensors]
        moved[k] = tensor.data + 1e-200j * direction
        out, last = mgu_in_numpy(*moved, real)
        exact = ((out * u).sum() + (last * v).sum()).imag / 1e-200
        terms = tensor.grad.data * direction
        assert abs(terms.sum() - exact) <= 1e-12 * np.abs(terms).sum(), k


def test_what_it_returns(rng):
    cell, weights = minimal_gated_unit(2, 5, rng)
    x, h = rng.standard_normal((4, 3, 2)), mg.zeros((3, 5))
    loop = unroll(cell, x, h)
    output, end = loop
    assert output is loop.output and output.shape == (4, 3, 5)
    assert end is loop.state and (end.data == output.data[3]).all()
    assert len(loop.states) == 5, "a state is what the cell returned: a tensor"
    assert loop.states[0] is h and loop.states[4] is end
    assert [len(state) for state in loop.parts] == [1] * 5
    assert loop.layer(0) is loop and list(loop.times) == [0, 1, 2, 3]
    for k in (1, -1):
        with pytest.raises(IndexingError, match="one cell was unrolled"):
            loop.layer(k)
    assert loop.names == ["f", "proposal", "h"]
    assert loop["f"].shape == loop["proposal"].shape == (4, 3, 5)
    assert (loop["forget gate"] == loop["f"]).all()
    assert (loop["h"] == output.data).all()
    seen = reference.sigmoid((x[0] @ weights[0].data)[:, :5])  # h is zero at first
    np.testing.assert_allclose(loop["f"][0], seen, rtol=1e-14)


def test_a_state_of_several_parts_and_steps_without_batch():
    """s = (position, speed) of a falling stone: scalars, no axes but time."""

    def fall(push, state):
        place, speed = state
        return [place + speed, speed + push]

    loop = unroll(fall, mg.tensor([1.0, 2.0, 3.0]), (mg.tensor(0.0), mg.tensor(0.0)))
    assert loop.output.data.tolist() == [0, 1, 4]
    assert loop.state[1].item() == 6 and loop["c"].tolist() == [1, 3, 6]


def test_every_step_has_its_own_scope_in_both_directions(rng):
    x = rng.standard_normal((4, 1, 2))
    for reverse in (False, True):
        cell = RNNCell(2, 3, rng=0)
        loop = unroll(cell, x, cell.zero_state(1), reverse=reverse)
        nodes = ancestors([loop.output.node])
        levels = [n.scope for n in nodes if n.primitive.name == "tanh"]
        steps = [s.index for scope in levels for s in scope if s.kind == "step"]
        assert steps == ([3, 2, 1, 0] if reverse else [0, 1, 2, 3])
        assert list(loop.times) == steps
    forward = unroll(cell, x[::-1], cell.zero_state(1))
    assert (loop.output.data == forward.output.data[::-1]).all()
    assert (loop["h"] == forward["h"][::-1]).all()
    assert (loop.state.data == forward.state.data).all()


def test_x_is_taken_apart_once(rng):
    loop = unroll(
        RNNCell(2, 3, rng=0), rng.standard_normal((6, 2, 2)), mg.zeros((2, 3))
    )
    names = [n.primitive.name for n in ancestors([loop.output.node])]
    assert names.count("unstack") == names.count("stack") == 1
    assert "getitem" not in names


@pytest.mark.parametrize("kind, count", [(RNN, 5), (LSTM, 14), (GRU, 17)])
def test_operations_per_step(kind, count, rng):
    """What a step costs: the number of operations it records."""

    def nodes(steps):
        output, _ = kind(2, 3, rng=0)(rng.standard_normal((steps, 2, 2)))
        return len(ancestors([output.node]))

    assert nodes(9) - nodes(8) == count


# ------------------------------------------------------------- padding


@pytest.mark.parametrize("reverse", [False, True])
def test_a_padded_step_changes_nothing(reverse, rng):
    cell = LSTMCell(2, 3, rng=0)
    x = rng.standard_normal((4, 3, 2))
    x[~MASK] = np.nan
    x = mg.tensor(x, requires_grad=True)
    start = tuple(mg.tensor(rng.standard_normal((3, 3))) for _ in "hc")
    loop = unroll(cell, x, start, MASK, reverse=reverse)
    states = np.stack([h.data for h, _ in loop.states])
    before, after = states[:-1], states[1:]
    real = MASK[list(loop.times)]
    assert (before[~real] == after[~real]).all()
    assert (before[real] != after[real]).all()
    assert (loop.output.data[~MASK] == 0).all() and (loop["f"][~MASK] == 0).all()
    assert (loop["f"][MASK] > 0).all() and (loop["h"] != 0).all()
    (loop.output * rng.standard_normal(loop.output.shape)).sum().backward()
    assert (x.grad.data[~MASK] == 0).all() and (x.grad.data[MASK] != 0).all()
    assert np.isfinite(cell.W_x.grad.data).all()


def test_a_padded_sequence_gives_no_gradient_to_the_weights(rng):
    """What stands in padding has no way to any gradient: a sequence that is padding
    but for one step gives the gradient of that step alone."""
    x = rng.standard_normal((5, 1, 2))

    def gradient(model, x, **how):
        output, _ = model(x, **how)
        return mg.grad(output.sum(), model.parameters())

    for kind in (RNN, LSTM, GRU):
        model = kind(2, 3, rng=0)
        some = gradient(model, x, lengths=[1])
        alone = gradient(model, x[:1])
        for a, b in zip(some, alone, strict=True):
            np.testing.assert_allclose(a.data, b.data, rtol=1e-14)


def test_lengths_are_a_mask(rng):
    model = LSTM(2, 3, bidirectional=True, rng=0)
    x, lengths = rng.standard_normal((5, 3, 2)), [2, 5, 1]
    by_lengths = model(x, lengths=lengths)[0].data
    for given in (np.array(lengths), mg.tensor(lengths), np.array(lengths, "int16")):
        assert (model(x, lengths=given)[0].data == by_lengths).all()
    mask = np.arange(5)[:, None] < lengths
    assert (model(x, mask=mask)[0].data == by_lengths).all()
    assert (model(x, mask=mg.tensor(mask))[0].data == by_lengths).all()


def test_a_mask_is_copied(rng):
    mask = np.ones((4, 3), dtype=bool)
    loop = unroll(RNNCell(2, 2, rng=0), np.ones((4, 3, 2)), mg.zeros((3, 2)), mask)
    mask[:] = False
    assert loop.mask.all() and (loop["h"] != 0).all()


# ------------------------------------------------------------- traces


def test_a_trace_of_layers_and_directions(rng):
    model = GRU(2, 3, 2, bidirectional=True, rng=0)
    x = rng.standard_normal((5, 4, 2))
    tr = model.trace(x, lengths=[5, 3, 1, 2])
    output, h = model(x, lengths=[5, 3, 1, 2])
    assert (tr.output.data == output.data).all() and (tr.state.data == h.data).all()
    assert len(tr.layers) == 4 and tr.layer(3).cell is model.cells[3]
    assert tr.states is tr.layer(0).states and (tr["z"] == tr.layer(0)["z"]).all()
    both = np.concatenate([tr.layer(2).output.data, tr.layer(3).output.data], axis=2)
    assert (both == output.data).all()
    for k in range(4):
        one = tr.layer(k)
        assert one.names == ["r", "z", "n", "h"] and len(one.states) == 6
        assert (one.states[-1][0].data == h.data[k]).all()
        order = range(5) if k % 2 == 0 else range(4, -1, -1)
        assert list(one.times) == list(order)
        for n, t in enumerate(order):
            assert (one["h"][t] == one.states[n + 1][0].data).all()
    old = np.concatenate([tr.states[0][0].data[None], tr["h"][:-1]])
    real = np.arange(5)[:, None] < [5, 3, 1, 2]
    new = tr["z"] * old + (1 - tr["z"]) * tr["n"]
    np.testing.assert_allclose(tr["h"][real], new[real], rtol=1e-14)


def test_states_of_a_trace_are_in_the_graph(rng):
    """ds_T/ds_0 of a linear chain: the product of the weights."""
    model = LSTM(2, 3, 2, bidirectional=True, rng=0)
    x = rng.standard_normal((4, 2, 2))
    for state in (None, tuple(rng.standard_normal((4, 2, 3)) for _ in "hc")):
        with mg.no_grad():
            tr = model.trace(x, state)
        for k in range(4):
            states = tr.layer(k).states
            for part in states[0]:
                [g] = mg.grad(states[-1][0].sum(), [part])
                assert (g.data != 0).all()
        assert tr.layer(3).output.requires_grad


def test_gates_are_from_this_loop_alone(rng):
    """A second loop on top of the first, and a third over the same cell."""
    cell = LSTMCell(3, 3, rng=0)
    x = rng.standard_normal((4, 2, 3))
    first = unroll(cell, x, cell.zero_state(2))
    second = unroll(cell, first.output, first.state)
    assert (first["f"] != second["f"]).all()
    alone = unroll(cell, first.output.detach(), tuple(s.detach() for s in first.state))
    assert (second["f"] == alone["f"]).all() and second["f"].shape == (4, 2, 3)
    third = unroll(RNNCell(3, 3, rng=0), second.output, mg.zeros((2, 3)))
    assert third.names == ["h"]


def test_a_gate_that_a_step_leaves_out_is_nan_there():
    def sometimes(x, h):
        if x.item() > 1:
            with gate("f"):
                h = h * 0.5
        return h + x

    loop = unroll(sometimes, mg.tensor([1.0, 2.0, 1.0, 3.0]), mg.tensor(0.0))
    assert np.isnan(loop["f"]).tolist() == [True, False, True, False]


def test_unroll_traced_records_within_no_grad(rng):
    cell, _ = minimal_gated_unit(2, 3, rng)
    x, h = rng.standard_normal((3, 2, 2)), np.zeros((2, 3))
    with mg.no_grad():
        bare, loop = unroll(cell, x, h), unroll_traced(cell, x, h, lengths=[3, 1])
    with pytest.raises(GraphError, match="unroll_traced"):
        bare["f"]
    assert (bare["h"] == bare.output.data).all()
    assert loop["f"].shape == (3, 2, 3)
    [g] = mg.grad(loop.state.sum(), [loop.states[0]])
    assert (g.data != 0).all()


def test_unknown_gates_and_layers_are_named(rng):
    tr = RNN(2, 3, rng=0).trace(rng.standard_normal((3, 1, 2)))
    with pytest.raises(ArgumentError, match=r"(?s)\['f'\] is not a gate.*one of 'h'"):
        tr["f"]
    with pytest.raises(IndexingError, match=r"(?s)layer\(1\).*k in 0\.\.0"):
        tr.layer(1)
    with pytest.raises(IndexingError, match="one cell was unrolled"):
        tr.layer(0).layer(1)


# ------------------------------------------------------------- long sequences


@pytest.mark.parametrize("kind", [RNN, LSTM, GRU])
def test_time_is_linear_in_the_length(kind):
    """A step of 4,000 costs about what a step of 400 does, forward and backward; were
    the time quadratic, it would cost ten times as much."""
    model = kind(1, 2, rng=0)

    def cost(steps):
        x = mg.tensor(np.full((steps, 1, 1), 0.1), requires_grad=True)
        began = time.process_time()
        output, _ = model(x, lengths=[steps])
        output.sum().backward()
        assert np.isfinite(x.grad.data).all()
        return (time.process_time() - began) / steps

    cost(10)  # kernels compile
    assert cost(4_000) < 6 * min(cost(400) for _ in range(3))


def test_what_widens_a_float32_cell_is_named():
    x, h0 = np.ones((3, 1, 2), "float32"), mg.zeros((1, 2), "float32")
    W = mg.tensor(np.ones((2, 2)), requires_grad=True, name="W_mine")
    for cell, words in (
        (
            lambda x, h: mg.tanh((x + h) * np.sqrt(0.5)),
            r"multiply by np\.float64\(0\.70",
        ),
        (lambda x, h: mg.tanh(h @ W + x), r"matmul by 'W_mine' \(2, 2\) float64"),
        (lambda x, h: np.float64(2.0) - h, r"subtract by np\.float64\(2\)"),
    ):
        with pytest.raises(DTypeError, match=rf"widened in {words}(?s:.*)float\(") as e:
            unroll(cell, x, h0)
        assert "test_unroll.py" in str(e.value)
    with mg.no_grad(), pytest.raises(DTypeError, match=r"NumPy scalar(?s:.*)float\("):
        unroll(lambda x, h: h * np.sqrt(0.5), x, h0)
    scale = float(np.sqrt(0.5))
    assert unroll(lambda x, h: (x + h) * scale, x, h0).output.dtype == np.float32


# ------------------------------------------------------------- what it refuses

X = np.ones((4, 3, 2))


def step(x, h):
    return h


@pytest.mark.parametrize(
    "call, error, words",
    [
        (lambda: unroll(step, np.ones((0, 3, 2)), mg.zeros(3)), ShapeError, "T >= 1"),
        (lambda: unroll(step, mg.tensor(1.0), mg.zeros(3)), ShapeError, "no time step"),
        (
            lambda: unroll(lambda x, h: (h, h), X, mg.zeros(3)),
            ShapeError,
            r"expect  \(3,\) float64\n  actual  tuple",
        ),
        (
            lambda: unroll(lambda x, h: h.data, X, mg.zeros(3)),
            DTypeError,
            "actual  ndarray",
        ),
        (
            lambda: unroll(lambda x, h: h + x, X, mg.zeros(2)),
            ShapeError,
            r"expect  \(2,\) float64\n  actual  \(3, 2\) float64",
        ),
        (
            lambda: unroll(lambda x, h: h + x, X, mg.zeros((3, 2), "float32")),
            DTypeError,
            "actual  .*float64\n",
        ),
        (
            lambda: unroll(step, X, mg.zeros(3), np.ones((3, 4), bool)),
            ShapeError,
            r"pass mask\.T",
        ),
        (
            lambda: unroll(step, X, mg.zeros(3), np.ones((4, 3))),
            DTypeError,
            r"mask\.astype\(bool\)",
        ),
        (
            lambda: unroll(step, X[:, 0, 0], mg.zeros(()), lengths=[1]),
            ShapeError,
            "without a batch axis",
        ),
        (
            lambda: unroll(
                step, X, mg.zeros(3), np.ones((4, 3), bool), lengths=[4] * 3
            ),
            ArgumentError,
            "both lengths and mask",
        ),
        (
            lambda: unroll(step, X, mg.zeros(3), lengths=[4.0, 1.0, 2.0]),
            DTypeError,
            "not whole numbers",
        ),
        (
            lambda: unroll(step, X, mg.zeros(3), lengths=[4, 0, 2]),
            ArgumentError,
            r"lengths\[1\] = 0 is out of range\n  expect  lengths in 1\.\.4",
        ),
        (
            lambda: unroll(step, X, mg.zeros(3), lengths=[4, 1, -2]),
            ArgumentError,
            r"lengths\[2\] = -2",
        ),
        (
            lambda: unroll(step, X, mg.zeros(3), lengths=[4, 5, 2]),
            ArgumentError,
            r"lengths\[1\] = 5",
        ),
        (
            lambda: unroll(step, X, mg.zeros(3), lengths=[4, 2]),
            ShapeError,
            r"expect  shape \(3,\)",
        ),
        (lambda: unroll(3, X, mg.zeros(3)), DTypeError, "cell cannot be called"),
        (
            lambda: unroll(step, X, mg.zeros((2, 5)), lengths=[1, 2, 3]),
            ShapeError,
            "the batch is the first axis of",
        ),
    ],
)
def test_messages(call, error, words):
    with pytest.raises(error, match=words) as caught:
        call()
    text = str(caught.value)
    assert all(f"\n  {row}" in text for row in ("expect", "actual", "hint"))
    assert "test_unroll.py:" in text
